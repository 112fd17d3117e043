"""Policies of every sort against a linear solve of the explicit chain they make."""

from __future__ import annotations

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from random_systems import listed, random_problem
from reference_solve import limiting_matrix
from scipy import sparse
from sparing.epoch import Axis, Chance, Decision, Epoch
from sparing.exact.policy_evaluation import evaluate_policy
from sparing.policies import CallbackPolicy, RowPolicy, TablePolicy
from sparing.randomised_policy import RandomisedPolicy


def chosen_problem(rng, **fixed):
    """A random problem in which maintenance reaches a chosen state, and draws wear."""
    while True:
        problem = random_problem(
            rng, max_states=36, result="chosen", restore_when_down=False, **fixed
        )
        if problem.epoch.nodes[problem.epoch.stages[0][1]].name == "wear u0":
            return problem


def random_matrix(rng, full):
    """Return a random policy [states, states] that only does what is allowed."""
    size = full.problem.num_states
    matrix = np.zeros((size, size))
    for state, row in zip(full.mdp.owner, full.results, strict=True):
        matrix[state, np.argmax(row)] = rng.exponential() * (rng.random() < 0.5)
    for state in np.flatnonzero(matrix.sum(axis=1) == 0.0):
        matrix[state, np.argmax(full.results[np.flatnonzero(full.mdp.owner == state)[0]])] = 1.0
    return matrix / matrix.sum(axis=1, keepdims=True)


def exact_measures(full, matrix):
    """Return per kind and for the objective the average or discounted total from new."""
    share = np.zeros((len(matrix), full.mdp.owner.size))
    for pair, (state, row) in enumerate(zip(full.mdp.owner, full.results, strict=True)):
        share[state, pair] = matrix[state, np.argmax(row)]
    np.testing.assert_allclose(share.sum(axis=1), 1.0)
    chain = share @ full.mdp.transition
    problem, found = full.problem, {}
    for name, paid in {**full.kinds, "objective": full.mdp.cost}.items():
        if problem.criterion == "average":
            values = limiting_matrix(chain) @ (share @ paid)
            found[name] = values[0], np.ptp(values)
        else:
            values = np.linalg.solve(np.eye(len(chain)) - chain, share @ paid)
            found[name] = values[0], 0.0
    return found


def check(problem, policy, exact):
    wanted = {kind: {kind: 1.0} for kind in problem.epoch.kinds if kind in exact}
    found = evaluate_policy(
        problem.epoch,
        policy,
        {**wanted, "objective": problem.weights},
        weights=problem.weights,
        criterion=problem.criterion,
        num_threads=1,
        tol=1e-7,
    )
    assert wanted
    for name, bounds in found.items():
        value, spread = exact[name]
        slack = 1e-8 * (1.0 + abs(value))
        assert bounds.lower - slack <= value <= bounds.upper + slack, name
        if spread < 1e-9:
            assert bounds.value == pytest.approx(value, abs=1e-6 + slack), name


SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60)
@given(seed=SEEDS)
def test_a_randomised_policy_costs_what_its_chain_costs(seed):
    rng = np.random.default_rng(seed)
    problem = chosen_problem(rng)
    full = listed(problem)
    matrix = random_matrix(rng, full)
    policy = RandomisedPolicy(problem.epoch, (sparse.csr_array(matrix),))
    check(problem, policy, exact_measures(full, matrix))


@settings(max_examples=60)
@given(seed=SEEDS, dtype=st.sampled_from([np.uint32, np.int64]))
def test_a_table_and_a_callback_cost_what_their_chain_costs(seed, dtype):
    rng = np.random.default_rng(seed)
    problem = chosen_problem(rng)
    full = listed(problem)
    goals = np.array([rng.choice(np.flatnonzero(row)) for row in random_matrix(rng, full)])
    matrix = np.eye(len(goals))[goals]
    exact = exact_measures(full, matrix)
    check(problem, TablePolicy(problem.epoch, (goals.astype(dtype),)), exact)
    shape = problem.epoch.shape

    def flat(stage, states):
        return goals[np.ravel_multi_index(tuple(states.T), shape)]

    def coordinates(stage, states):
        return np.stack(np.unravel_index(flat(stage, states), shape), axis=1)

    for function in (flat, coordinates):
        check(problem, CallbackPolicy(function), exact)


@settings(max_examples=40)
@given(seed=SEEDS)
def test_a_row_policy_draws_each_unit_by_itself(seed):
    """Its matrix is the Kronecker product of one factor a unit."""
    rng = np.random.default_rng(seed)
    problem = chosen_problem(rng)
    rows, factors = {}, []
    for component in problem.components:
        start, to = component.entries()
        share = rng.exponential(size=start.size)
        share /= np.bincount(start, share)[start]
        rows[f"maintain {component.name}"] = share
        factor = np.zeros((component.num_states,) * 2)
        factor[start, to] = share
        factors.append(factor)
    matrix = factors[0]
    for factor in factors[1:]:
        matrix = np.kron(matrix, factor)
    policy = RowPolicy(problem.epoch, rows)
    check(problem, policy, exact_measures(listed(problem), matrix))


def test_the_solution_of_a_solve_evaluates_to_its_objective():
    for name in ("three-component", "three-component-2", "three-component-restricted"):
        problem = sparing.load(name)
        solution = sparing.solve(problem, tol=1e-9)
        found = sparing.evaluate(problem, solution.policy, tol=1e-9)["objective"]
        assert found.value == pytest.approx(solution.objective, abs=1e-8)


def two_stages():
    """Pick a mode, wear, pick again: two stages, with an axis that lives in between."""
    mode = Axis("mode", 2)
    return Epoch(
        axes=[Axis("unit", 3)],
        nodes=[
            Decision((), [[0.0, 4.0]], "effort", to=mode),
            Chance(
                "unit",
                [
                    *[[0.4, 0.4, 0.2], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]],
                    *[[0.9, 0.1, 0.0], [0.0, 0.9, 0.1], [0.0, 0.0, 1.0]],
                ],
                context="mode",
            ),
            Decision("mode", [[0.0], [0.0]], "effort", to=()),
            Decision("unit", np.tril(np.full((3, 3), 7.0), -1) + inf_above(3), "repair"),
            Chance("unit", [[0.8, 0.2, 0.0], [0.0, 0.7, 0.3], [0.0, 0.0, 1.0]]),
        ],
    )


def inf_above(size):
    return np.where(np.triu(np.ones((size, size)), 1) > 0, np.inf, 0.0)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_two_stages_are_followed_one_after_the_other(share):
    """Against the product of the four matrices, by hand."""
    epoch = two_stages()
    assert len(epoch.stages) == 2
    first = sparse.csr_array(np.hstack([(1 - share) * np.eye(3), share * np.eye(3)]))
    replace_failed = np.array([[1.0, 0, 0], [0, 1.0, 0], [1.0, 0, 0]])
    second = sparse.csr_array(np.vstack([replace_failed, replace_failed]))
    policy = RandomisedPolicy(epoch, (first, second))
    slow = epoch.nodes[1].table
    wear = np.zeros((6, 3))
    wear[slow.rows(), slow.to] = slow.probability
    wear = np.block([[wear[:3], np.zeros((3, 3))], [np.zeros((3, 3)), wear[3:]]])
    last = np.array([[0.8, 0.2, 0.0], [0.0, 0.7, 0.3], [0.0, 0.0, 1.0]])
    chain = first.toarray() @ wear @ second.toarray() @ last
    paid = 4.0 * share + (first.toarray() @ wear @ np.tile([0.0, 0.0, 7.0], 2))
    exact = (limiting_matrix(chain) @ paid)[0]
    found = evaluate_policy(epoch, policy, {"all": {"effort": 1.0, "repair": 1.0}})["all"]
    assert found.value == pytest.approx(exact, abs=1e-8)


def test_a_policy_that_does_what_is_not_allowed_is_refused():
    problem = sparing.load("three-component")
    nothing = np.arange(64, dtype=np.uint32)  # failed units may not be left
    with pytest.raises(ValueError, match=r"no path leads from state \(c1=0, c2=0, c3=3\)"):
        sparing.evaluate(problem, TablePolicy(problem.epoch, (nothing,)))


def test_what_cannot_be_evaluated_exactly_says_so():
    problem = sparing.load("three-component")

    class Coin:
        def action(self, state, *, stage=0):
            return state

    with pytest.raises(TypeError, match="a Coin cannot be evaluated exactly; simulate it"):
        sparing.evaluate(problem, Coin())


def test_wear_that_is_certain_is_no_part_of_the_decision():
    """The policy says what to bring a unit to, not what it has worn to by the next inspection."""
    age = np.eye(4, k=1)
    age[3, 3] = 1.0
    cost = np.tril(np.full((4, 4), 9.0), -1)
    unit = sparing.Component(name="unit", transition=age, maintenance_cost=cost)
    problem = sparing.MultiComponentProblem(
        components=(unit,), structure="unit", downtime_cost=50.0
    )
    policy = sparing.solve(problem).policy
    assert policy.action((0,)).tolist() == [0]
    assert policy.action((3,)).tolist() == [0]
