"""Random sparse MDPs (10 actions, 20 successors, discount 0.99, 1e-6) against two peers.

Building the model is left out for everyone: each solver starts from what its own constructor made.
Peers are maximisers and get rewards = -cost.
"""

import statistics
import time

import numpy as np
import pytest
import scipy.sparse as sp
from sparing import _core
from sparing.exact.modified_policy_iteration import modified_policy_iteration
from sparing.models.explicit import ExplicitMDP

DISCOUNT, TOL, NUM_ACTIONS, NUM_SUCCESSORS = 0.99, 1e-6, 10, 20
SIZES = [10_000, 100_000]


def random_arrays(num_states):
    """CSR rows [S * A, S] with 32-bit indices, and costs [S, A]."""
    rng = np.random.default_rng(0)
    num_rows = num_states * NUM_ACTIONS
    indices = rng.integers(0, num_states, (num_rows, NUM_SUCCESSORS), dtype=np.int32)
    probs = rng.random(indices.shape)
    probs /= probs.sum(axis=1, keepdims=True)
    indptr = np.arange(num_rows + 1, dtype=np.int32) * NUM_SUCCESSORS
    rows = sp.csr_array((probs.ravel(), indices.ravel(), indptr), shape=(num_rows, num_states))
    return rows, rng.random((num_states, NUM_ACTIONS))


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"S={size}")
def problem(request):
    rows, cost = random_arrays(request.param)
    return ExplicitMDP.from_scipy(rows, cost, discount=DISCOUNT)


def ours(mdp, **options):
    found = modified_policy_iteration(mdp, tol=TOL, **options)
    assert found.converged
    return found.value


def quantecon_solver(mdp):
    """Return a call that solves from a fresh start; the first, warming one is made here."""
    markov = pytest.importorskip("quantecon.markov")
    action = mdp.actions_of(np.arange(mdp.num_pairs)) if mdp.action is None else mdp.action
    rows = sp.csr_matrix(mdp.transition)
    peer = markov.DiscreteDP(-mdp.cost, rows, mdp.discount, mdp.pair_state, action)

    def solve():
        return -peer.solve(method="modified_policy_iteration", epsilon=TOL).v

    solve()
    return solve


def mdpsolver_solver(mdp, algorithm):
    mdpsolver = pytest.importorskip("mdpsolver")
    shape = (mdp.num_states, NUM_ACTIONS)
    peer = mdpsolver.model()
    peer.mdp(
        discount=mdp.discount,
        rewards=(-mdp.cost).reshape(shape).tolist(),
        tranMatProbs=mdp.transition.data.reshape(*shape, -1).tolist(),
        tranMatColumns=mdp.transition.indices.reshape(*shape, -1).tolist(),
    )

    def solve():
        peer.solve(algorithm=algorithm, tolerance=TOL)
        return -np.array(peer.getValueVector())

    return solve


@pytest.mark.benchmark(group="explicit MDP, solved to 1e-6")
@pytest.mark.parametrize(
    "options", [{}, {"num_threads": 1}, {"num_threads": 2}, {"evaluation_sweeps": 0}], ids=str
)
def test_ours(benchmark, problem, options):
    value = benchmark(ours, problem, **options)
    np.testing.assert_allclose(value, ours(problem), atol=TOL)


@pytest.mark.benchmark(group="explicit MDP, solved to 1e-6")
def test_quantecon(benchmark, problem):
    value = benchmark(quantecon_solver(problem))
    np.testing.assert_allclose(value, ours(problem), atol=TOL)


@pytest.mark.benchmark(group="explicit MDP, solved to 1e-6")
@pytest.mark.parametrize("algorithm", ["mpi", "vi"])
@pytest.mark.parametrize("size", [SIZES[0], pytest.param(SIZES[1], marks=pytest.mark.full)])
def test_mdpsolver(benchmark, size, algorithm):
    """Each round has a model of its own: a second solve would start at the first one's value."""
    rows, cost = random_arrays(size)
    mdp = ExplicitMDP.from_scipy(rows, cost, discount=DISCOUNT)

    def fresh():
        return (mdpsolver_solver(mdp, algorithm),), {}

    rounds = 3 if size == SIZES[0] else 1
    value = benchmark.pedantic(lambda solve: solve(), setup=fresh, rounds=rounds)
    np.testing.assert_allclose(value, ours(mdp), atol=TOL)


@pytest.mark.benchmark(group="explicit MDP, ratio to QuantEcon")
def test_ratio_to_quantecon(benchmark, problem):
    """Runs in turn, so that what else the machine does falls on both; medians of 7."""
    peer, seconds = quantecon_solver(problem), {"ours": [], "quantecon": []}
    for _ in range(7):
        for name, solve in (("ours", lambda: ours(problem)), ("quantecon", peer)):
            start = time.perf_counter()
            solve()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ratio = medians["ours"] / medians["quantecon"]
    benchmark.extra_info.update(medians, ratio=ratio)
    benchmark.pedantic(ours, (problem,), rounds=3)
    print(f"\nS={problem.num_states}: {medians}, ratio {ratio:.2f}")
    assert ours(problem).size == problem.num_states


@pytest.mark.benchmark(group="explicit MDP, one sweep over all pairs")
@pytest.mark.parametrize("num_threads", [1, 2])
def test_sweep(benchmark, problem, num_threads):
    """Bytes a second of one sweep, and their share of what copying as many bytes reaches."""
    rows, value = problem.transition, np.random.default_rng(1).random(problem.num_states)
    gap, policy = np.zeros(problem.num_pairs), np.zeros(problem.num_states, np.int64)
    parts = rows.indptr, rows.indices, rows.data, problem.state_indptr, problem.cost
    no_row = np.zeros(0, np.int32)
    found = value, np.inf, gap, np.empty_like(value), policy, num_threads
    num_bytes = sum(part.nbytes for part in parts) + 2 * gap.nbytes + 3 * value.nbytes
    source = np.zeros(num_bytes // 16)
    target = np.zeros_like(source)
    seconds = {"sweep": [], "copy": []}
    for _ in range(15):
        start = time.perf_counter()
        _core.optimality_backup(*parts, no_row, DISCOUNT, *found)
        middle = time.perf_counter()
        np.copyto(target, source)  # on one thread
        seconds["sweep"].append(middle - start)
        seconds["copy"].append(time.perf_counter() - middle)
    share = statistics.median(seconds["copy"]) / statistics.median(seconds["sweep"])
    benchmark.extra_info.update(sweep_bytes=num_bytes, share_of_one_thread_memcpy=share)
    print(f"\nS={problem.num_states}, {num_threads} threads: {num_bytes / 1e6:.0f} MB, {share:.2f}")
    benchmark(_core.optimality_backup, *parts, no_row, DISCOUNT, *found)
    q = problem.cost + DISCOUNT * (rows @ value)
    np.testing.assert_allclose(found[3], np.minimum.reduceat(q, problem.state_indptr[:-1]))


@pytest.mark.benchmark(group="explicit MDP, checks")
def test_checks(benchmark, problem):
    """All checks of a new model; every row is looked at."""
    cost = problem.cost.reshape(-1, NUM_ACTIONS)
    mdp = benchmark(ExplicitMDP.from_scipy, problem.transition, cost, discount=DISCOUNT)
    assert np.shares_memory(mdp.transition.data, problem.transition.data)
