"""Explicit models: known answers, laws, and all policies tried one by one on tiny models."""

import doctest
import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sparing.exact.modified_policy_iteration import (
    modified_policy_iteration,
    value_iteration_explicit,
)
from sparing.models import explicit
from sparing.models.explicit import ExplicitMDP

SOLVERS = [modified_policy_iteration, value_iteration_explicit]
seeds = st.integers(0, 2**32 - 1)


def random_mdp(rng, *, num_states, num_actions, discount, sparse=False):
    """Random rows and costs; about a fifth of the actions are forbidden, never all of a state."""
    probs = rng.dirichlet(np.ones(num_states), (num_states, num_actions))
    if sparse:
        probs *= rng.random(probs.shape) < 0.5
        probs[..., 0] += probs.sum(axis=-1) == 0.0
        probs /= probs.sum(axis=-1, keepdims=True)
    cost = rng.normal(size=(num_states, num_actions))
    forbidden = rng.random(cost.shape) < 0.2
    forbidden[:, 0] = False
    return probs, np.where(forbidden, np.inf, cost), discount


def policy_costs(probs, cost, discount):
    """Cost [S] of every policy: the discounted one, or the gain by the Cesaro limit of its rows.

    The limit is that of powers of the lazy chain (P + I) / 2, which has the same limit and no
    period.
    """
    size = len(cost)
    for choice in itertools.product(*(np.flatnonzero(np.isfinite(row)) for row in cost)):
        rows, costs = probs[np.arange(size), choice], cost[np.arange(size), choice]
        if discount < 1.0:
            yield np.linalg.solve(np.eye(size) - discount * rows, costs)
        else:
            limit = 0.5 * (rows + np.eye(size))
            for _ in range(50):
                limit = limit @ limit
                limit /= limit.sum(axis=1, keepdims=True)
            yield limit @ costs


def cost_of(policy, mdp):
    """Cost [S] of one policy, by the same arithmetic."""
    row = policy if mdp.row is None else mdp.row[policy]
    rows = mdp.transition[row].toarray()[:, None, :]
    return next(policy_costs(rows, mdp.cost[policy][:, None], mdp.discount))


@pytest.mark.parametrize("solver", SOLVERS)
def test_run_to_failure_has_its_closed_form_cost(solver):
    """A unit fails with chance p a period; replacing it then costs r.

    From v0 = g (p v1 + (1 - p) v0) and v1 = r + g v0 it follows that
    v0 = g p r / ((1 - g) (1 + g p)). Without discount a cycle lasts 1 / p + 1 periods.
    """
    g, p, r = 0.95, 0.2, 10.0
    rows, cost = [[[1 - p, p]], [[1, 0]]], [[0.0], [r]]
    found = solver(ExplicitMDP.from_dense(rows, cost, discount=g), tol=1e-10)
    expected = g * p * r / ((1 - g) * (1 + g * p))
    assert found.converged
    assert found.criterion == "discounted"
    assert found.lower[0] <= expected <= found.upper[0]
    assert found.value == pytest.approx([expected, r + g * expected], abs=1e-10)

    found = solver(ExplicitMDP.from_dense(rows, cost, discount=1.0), tol=1e-10)
    assert found.converged
    assert found.criterion == "average"
    assert found.lower <= r / (1 / p + 1) <= found.upper <= found.lower + 1.000001e-10
    gain = r / (1 / p + 1)
    assert found.value == pytest.approx([0.0, gain / p], abs=1e-8)


@pytest.mark.parametrize("solver", SOLVERS)
@settings(max_examples=120, deadline=None)
@given(
    seed=seeds, size=st.integers(1, 4), actions=st.integers(1, 3), g=st.sampled_from([0.3, 0.95])
)
def test_discounted_bounds_hold_the_best_of_all_policies(solver, seed, size, actions, g):
    """Both for a converged run and for one stopped after two sweeps."""
    rng = np.random.default_rng(seed)
    probs, cost, _ = random_mdp(rng, num_states=size, num_actions=actions, discount=g, sparse=True)
    mdp = ExplicitMDP.from_dense(probs, cost, discount=g)
    best = np.min(list(policy_costs(probs, cost, g)), axis=0)
    for max_sweeps in (2, 10_000):
        found = solver(mdp, tol=1e-8, max_sweeps=max_sweeps)
        own = cost_of(found.policy, mdp)
        assert np.all(found.lower <= best + 1e-12)
        assert np.all(best <= own + 1e-12)
        assert np.all(own <= found.upper + 1e-12)
    assert found.converged
    assert np.all(found.upper - found.lower <= 1.000001e-8)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("sparse", [False, True])
@settings(max_examples=120, deadline=None)
@given(seed=seeds, size=st.integers(1, 4), actions=st.integers(1, 3))
def test_average_bounds_hold_the_best_of_all_policies(solver, sparse, seed, size, actions):
    """Rows that all share a tenth of one row must converge; sparse rows can be multichain."""
    rng = np.random.default_rng(seed)
    probs, cost, _ = random_mdp(
        rng, num_states=size, num_actions=actions, discount=1.0, sparse=sparse
    )
    if not sparse:
        probs = 0.9 * probs + 0.1 / size
    mdp = ExplicitMDP.from_dense(probs, cost, discount=1.0)
    best = np.min(list(policy_costs(probs, cost, 1.0)), axis=0)
    found = solver(mdp, tol=1e-8, max_sweeps=400)
    assert found.lower <= best.min() + 1e-10
    assert cost_of(found.policy, mdp).max() <= found.upper + 1e-10
    assert found.converged or sparse
    assert not found.converged or found.upper - found.lower <= 1.000001e-8
    if np.ptp(best) > 1e-6:
        assert not found.converged


@settings(max_examples=30, deadline=None)
@given(seed=seeds, shift=st.floats(-5.0, 5.0), g=st.sampled_from([0.9, 1.0]))
def test_a_constant_added_to_every_cost_shifts_the_value_alone(seed, shift, g):
    rng = np.random.default_rng(seed)
    probs, cost, _ = random_mdp(rng, num_states=5, num_actions=3, discount=g)
    base, moved = (
        modified_policy_iteration(ExplicitMDP.from_dense(probs, c, discount=g), tol=1e-9)
        for c in (cost, cost + shift)
    )
    total = shift if g == 1.0 else shift / (1.0 - g)
    assert moved.lower - base.lower == pytest.approx(total, abs=1e-8)


def large_arrays(num_states=3_001, num_actions=4, successors=7, seed=3):
    """CSR rows of random length up to `successors`, and costs [S, A]."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, successors + 1, num_states * num_actions)
    indptr = np.append(0, np.cumsum(lengths))
    probs = rng.random(indptr[-1]) + 0.01
    probs /= np.repeat(np.add.reduceat(probs, indptr[:-1]), lengths)
    indices = rng.integers(0, num_states, indptr[-1])
    shape = (num_states * num_actions, num_states)
    return sp.csr_array((probs, indices, indptr), shape=shape), rng.random(
        (num_states, num_actions)
    )


def with_index_type(matrix, dtype):
    copy = matrix.copy()
    copy.indptr, copy.indices = copy.indptr.astype(dtype), copy.indices.astype(dtype)
    return copy


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix])
def test_the_matrix_is_taken_without_a_copy(dtype, kind):
    rows, cost = large_arrays()
    rows = with_index_type(kind(rows), dtype)
    mdp = ExplicitMDP.from_scipy(rows, cost, discount=0.9)
    for part in ("data", "indices", "indptr"):
        assert np.shares_memory(getattr(mdp.transition, part), getattr(rows, part))
    assert mdp.transition.indices.dtype == dtype


@pytest.mark.parametrize("discount", [0.97, 1.0])
@pytest.mark.parametrize("solver", SOLVERS)
def test_threads_index_types_and_shared_rows_do_not_change_the_answer(solver, discount):
    """Same bits for any number of threads and index type; a row may stand for several pairs."""
    rows, cost = large_arrays(num_states=20_001)
    options = {"tol": 1e-7, "max_sweeps": 2_000}

    def solve(matrix, num_threads, row=None):
        mdp = ExplicitMDP(
            transition=matrix,
            cost=cost.ravel(),
            state_indptr=np.arange(len(cost) + 1) * cost.shape[1],
            row=row,
            discount=discount,
        )
        return solver(mdp, num_threads=num_threads, **options)

    first = solve(with_index_type(rows, np.int32), 1)
    assert first.converged
    for dtype, num_threads in itertools.product((np.int32, np.int64), (1, 2, 3)):
        again = solve(with_index_type(rows, dtype), num_threads)
        assert np.array_equal(first.value, again.value)
        assert np.array_equal(first.policy, again.policy)
        assert np.array_equal(first.upper, again.upper)
        assert first.num_evaluation_sweeps == again.num_evaluation_sweeps
    shuffled = np.random.default_rng(0).permutation(rows.shape[0])
    shared = solve(rows[shuffled], 2, row=np.argsort(shuffled))
    np.testing.assert_allclose(shared.value, first.value, atol=1e-6)
    assert np.array_equal(shared.policy, first.policy)


def test_pairs_may_share_a_row():
    """Two ways to repair lead to the same row; the cheaper one is taken, whatever its place."""
    repaired = sp.csr_array([[0.9, 0.1], [0.4, 0.6]])
    options = {"pair_state": [0, 1, 1, 1], "row": [0, 1, 0, 0], "discount": 0.9}
    mdp = ExplicitMDP.from_sparse_pairs(
        repaired, [0.0, 3.0, 5.0, 4.0], action=["run", "run", "dear", "cheap"], **options
    )
    found = modified_policy_iteration(mdp, tol=1e-9)
    apart = ExplicitMDP.from_dense(
        [[[0.9, 0.1]] * 3, [[0.4, 0.6], [0.9, 0.1], [0.9, 0.1]]],
        [[0.0, np.inf, np.inf], [3.0, 5.0, 4.0]],
        discount=0.9,
    )
    assert found.value == pytest.approx(modified_policy_iteration(apart, tol=1e-9).value, abs=1e-8)
    assert list(found.action) == ["run", "cheap"]
    assert list(mdp.pair_state) == [0, 1, 1, 1]


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_periodic_model_is_told_of_or_damped(solver):
    """States 0 and 1 alternate, at cost 0 and 2: the gain is 1, and T^n value never settles."""
    mdp = ExplicitMDP.from_dense([[[0, 1]], [[1, 0]]], [[0.0], [2.0]], discount=1.0)
    plain = solver(mdp, damping=0.0, max_sweeps=300)
    assert not plain.converged
    assert "periodic" in plain.message
    assert "damping = 0.5" in plain.message
    assert plain.lower <= 1.0 <= plain.upper
    for damping in (0.5, None):
        damped = solver(mdp, damping=damping, tol=1e-9)
        assert damped.converged
        assert damped.lower <= 1.0 <= damped.upper
        assert damped.value == pytest.approx([0.0, 1.0], abs=1e-8)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_multichain_model_stops_at_the_limit_with_bounds_on_every_gain(solver):
    """States 0 and 1 never leave; their gains are 1 and 4."""
    rows = [[[1, 0, 0]], [[0, 1, 0]], [[0.5, 0.25, 0.25]]]
    mdp = ExplicitMDP.from_dense(rows, [[1.0], [4.0], [0.0]], discount=1.0)
    found = solver(mdp, max_sweeps=500)
    assert not found.converged
    assert found.num_sweeps == 500
    assert "2 closed classes" in found.message
    assert found.lower == pytest.approx(1.0, abs=1e-9)
    assert found.upper == pytest.approx(4.0, abs=1e-9)


def test_a_tolerance_below_rounding_is_told_of():
    rows, cost = large_arrays(num_states=50)
    found = modified_policy_iteration(ExplicitMDP.from_scipy(rows, cost, discount=0.99), tol=1e-15)
    assert not found.converged
    assert "finer than float64 allows" in found.message
    assert np.all(found.lower < found.upper)


def test_a_start_near_the_solution_is_quicker():
    rows, cost = large_arrays()
    mdp = ExplicitMDP.from_scipy(rows, cost, discount=0.99)
    cold = modified_policy_iteration(mdp)
    warm = modified_policy_iteration(mdp, initial_value=cold.value)
    assert warm.num_sweeps < cold.num_sweeps
    np.testing.assert_allclose(warm.value, cold.value, atol=1e-6)


def test_forbidden_actions_keep_the_numbers_of_the_others():
    rows = [[[1, 0], [0, 1]], [[0, 0], [1, 0]]]
    mdp = ExplicitMDP.from_dense(rows, [[1.0, 0.0], [np.inf, 0.0]], discount=0.5)
    assert mdp.num_pairs == 3
    assert list(modified_policy_iteration(mdp).action) == [1, 1]


def test_the_example_of_the_docstring_runs():
    assert doctest.testmod(explicit).failed == 0


def test_an_explicit_model_is_an_epoch_too():
    """A Decision from state to pair and a Chance from pair to state give the same values."""
    from sparing.exact.value_iteration import value_iteration

    rng = np.random.default_rng(3)
    mdp = ExplicitMDP.from_dense(
        rng.dirichlet(np.ones(5), (5, 3)), rng.random((5, 3)), discount=0.9
    )
    direct = modified_policy_iteration(mdp, tol=1e-9)
    through_nodes = value_iteration(mdp.epoch, criterion="discounted")
    assert through_nodes.value == pytest.approx((direct.lower + direct.upper) / 2, abs=1e-6)
    assert np.array_equal(through_nodes.posts[0], direct.policy)
