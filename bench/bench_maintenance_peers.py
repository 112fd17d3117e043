"""Multi-component maintenance against solvers that list (state, action, next state).

N four-state components (those of the built-in case in turn, failed units may be left), discount
0.95, tolerance 1e-6. Building the explicit model is not counted, for anyone.
"""

from functools import cache, reduce

import numpy as np
import pytest
import scipy.sparse as sp
import sparing
from maintenance_systems import DISCOUNT, system_of

TOL = 1e-6
SMALL = [4, 5]
LARGE = [pytest.param(6, marks=pytest.mark.full)]


@cache
def problem(num_components):
    return system_of(num_components, "discounted")


@cache
def explicit(num_components):
    """Pairs (state, post-maintenance state), their costs, and the shared rows [post, next]."""
    model = problem(num_components)
    rows = reduce(
        lambda a, b: sp.csr_array(sp.kron(a, b, format="csr")),
        [sp.csr_array(c.transition) for c in model.components],
    )
    state, post = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    cost = np.zeros(1)
    for component in model.components:
        start, to = component.entries()
        size = component.num_states
        state = np.add.outer(state * size, start).ravel()
        post = np.add.outer(post * size, to).ravel()
        cost = np.add.outer(cost, component.maintenance_cost[start, to]).ravel()
    up = np.ix_(*(model.up_groups[name] for name in model.names))
    down = ~model.works[up].ravel()
    cost = cost + model.setup_cost * (state != post) + model.downtime_cost * down[state]
    order = np.lexsort((post, state))
    return state[order], post[order], cost[order], rows


def expected(num_components):
    return sparing.solve(problem(num_components), tol=TOL, keep_value=True).value.ravel()


def check(value, num_components):
    np.testing.assert_allclose(value, expected(num_components), atol=1e-4)


@pytest.mark.benchmark(group="maintenance, nodes")
@pytest.mark.parametrize("num_components", [*SMALL, 6, 8])
def test_nodes(benchmark, num_components):
    model = problem(num_components)
    solution = benchmark(lambda: sparing.solve(model, tol=TOL))
    assert solution.converged
    benchmark.extra_info["sweeps"] = solution.num_sweeps


@pytest.mark.benchmark(group="maintenance, explicit model")
@pytest.mark.parametrize("num_components", [*SMALL, *LARGE])
def test_explicit_with_shared_rows(benchmark, num_components):
    state, post, cost, rows = explicit(num_components)
    mdp = sparing.ExplicitMDP.from_sparse_pairs(rows, cost, state, row=post, discount=DISCOUNT)
    solution = benchmark.pedantic(lambda: sparing.solve(mdp, tol=TOL), rounds=3, warmup_rounds=1)
    check(solution.value, num_components)


@pytest.mark.benchmark(group="maintenance, explicit model")
@pytest.mark.parametrize("num_components", [*SMALL, *LARGE])
def test_quantecon(benchmark, num_components):
    quantecon = pytest.importorskip("quantecon", reason="peer quantecon is not installed")
    state, post, cost, rows = explicit(num_components)
    transition = sp.csr_matrix(rows[post])
    model = quantecon.markov.DiscreteDP(-cost, transition, DISCOUNT, state, post)

    def solve():
        return model.solve(method="modified_policy_iteration", epsilon=TOL)

    result = benchmark.pedantic(solve, rounds=3, warmup_rounds=1)
    check(-result.v, num_components)


@pytest.mark.benchmark(group="maintenance, explicit model")
@pytest.mark.parametrize("num_components", [4, pytest.param(5, marks=pytest.mark.full)])
def test_mdpsolver(benchmark, num_components):
    mdpsolver = pytest.importorskip("mdpsolver", reason="peer mdpsolver is not installed")
    state, post, cost, rows = explicit(num_components)
    num_pairs = np.bincount(state)
    splits = np.cumsum(num_pairs)[:-1]
    lists = [rows[[k]] for k in range(rows.shape[0])]
    columns = [row.indices.tolist() for row in lists]
    weights = [row.data.tolist() for row in lists]
    pairs = np.split(post, splits)
    rewards = [(-part).tolist() for part in np.split(cost, splits)]

    def make():
        model = mdpsolver.model()
        model.mdp(
            discount=DISCOUNT,
            rewards=rewards,
            tranMatProbs=[[weights[k] for k in part] for part in pairs],
            tranMatColumns=[[columns[k] for k in part] for part in pairs],
        )
        return (model,), {}

    def solve(model):
        model.solve(algorithm="vi", tolerance=TOL)
        return model

    model = benchmark.pedantic(solve, setup=make, rounds=3)
    check(-np.asarray(model.getValueVector()), num_components)
