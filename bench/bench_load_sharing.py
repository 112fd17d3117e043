"""Load-sharing systems: whole solves by size, the kernel between epochs, rules, simulation.

The wear of a component is 0.1 per unit of time and condition at rated load, the costs are those
of the built-in case, inspections come every 4 units of time; tolerance 1e-6.
"""

from dataclasses import replace

import numpy as np
import pytest
import sparing
from scipy.linalg import expm
from sparing.evaluate.rule_search import best_rules
from sparing.exact.options import Options
from sparing.exact.semi_markov import solve_semi_markov
from sparing.models.transient import transient_rows

PUMPS = sparing.load("feedwater-pumps")


def system_of(required, size, conditions, capacity, **changes):
    problem = replace(
        PUMPS,
        required=required,
        positions=size,
        inspection_interval=4.0,
        rates=np.diag([0.1] * (conditions - 1), 1),
        capacity=capacity,
        **changes,
    )
    return problem.system()


def solve(system):
    """What a user waits for: kernel, nodes, sweeps at every gain, certificate and policy."""
    fresh = type(system)(system.problem, system.size, system.interval)
    return solve_semi_markov(
        fresh.epoch,
        fresh.weights,
        error=fresh.error,
        options=Options(tol=1e-6, keep_value=False),
    )


def check(benchmark, system, found):
    assert found.converged
    assert found.gap <= 1e-6
    benchmark.extra_info["states"] = system.num_states
    benchmark.extra_info["sweeps"] = found.num_sweeps
    benchmark.extra_info["gains"] = found.num_gains


@pytest.mark.benchmark(group="load sharing, one size and interval, to 1e-6")
@pytest.mark.parametrize(
    ("required", "size", "conditions", "capacity"),
    [
        (2, 3, 4, 4),
        (4, 8, 5, 6),  # the reference size: 13 860 states, 105 161 actions
        pytest.param(6, 10, 6, 8, marks=pytest.mark.full),  # 135 135 states
    ],
)
def test_solve(benchmark, required, size, conditions, capacity):
    system = system_of(required, size, conditions, capacity)
    found = benchmark.pedantic(lambda: solve(system), rounds=3)
    check(benchmark, system, found)


@pytest.mark.benchmark(group="load sharing by positions: 4 required, 5 conditions, capacity 6")
@pytest.mark.parametrize(
    "size",
    [4, 5, 6, 7, 8, 9, *(pytest.param(n, marks=pytest.mark.full) for n in (10, 12, 14))],
)
def test_scaling(benchmark, size):
    system = system_of(4, size, 5, 6)
    found = benchmark.pedantic(lambda: solve(system), rounds=3)
    check(benchmark, system, found)


@pytest.mark.benchmark(group="load sharing, any vector of replacements")
@pytest.mark.parametrize("replacement", ["worst-first", "any"])
def test_replacement(benchmark, replacement):
    system = system_of(4, 7, 5, 4, replacement=replacement)
    found = benchmark.pedantic(lambda: solve(system), rounds=3)
    check(benchmark, system, found)


def chain_of(system):
    problem = system.problem
    return system.counts.wear(problem.rates, problem.speed(system.size), problem.required)


def by_expm(chain, time, mark_rate):
    """The same rows by one dense matrix exponential on (state, delivered)."""
    size = chain.num_states
    rates = np.zeros((size, size))
    rates[np.repeat(np.arange(size), np.diff(chain.indptr)), chain.to] = chain.rate
    moves = np.diag((~chain.is_absorbing) * mark_rate)
    generator = np.block([[rates, moves], [np.zeros_like(rates), rates]])
    generator -= np.diag(generator.sum(axis=1))
    return expm(generator * time)


@pytest.mark.benchmark(group="kernel between epochs: 495 counts")
@pytest.mark.parametrize("backend", ["uniformisation", "scipy expm"])
def test_kernel(benchmark, backend):
    chain = chain_of(system_of(4, 8, 5, 6))
    rows = transient_rows(chain, 4.0, 0.5, num_threads=1)
    if backend == "uniformisation":
        benchmark(transient_rows, chain, 4.0, 0.5, num_threads=1)
    else:
        found = benchmark.pedantic(by_expm, args=(chain, 4.0, 0.5), rounds=2)
        size = chain.num_states
        assert found[rows.rows, rows.to] == pytest.approx(rows.early, abs=1e-12)
        assert found[rows.rows, size + rows.to] == pytest.approx(rows.marked, abs=1e-12)
    benchmark.extra_info["entries"] = rows.to.size


@pytest.mark.benchmark(group="feedwater pumps")
def test_size_and_interval(benchmark):
    """48 sizes and intervals to 1e-8."""
    found = benchmark.pedantic(lambda: sparing.solve(PUMPS), rounds=3)
    assert found.objective == pytest.approx(7.287440, abs=1e-6)


@pytest.mark.benchmark(group="feedwater pumps")
def test_rules(benchmark):
    """The best rule of each of four families over all parameters, sizes and intervals."""
    solved = sparing.solve(PUMPS)
    found = benchmark.pedantic(lambda: best_rules(solved), rounds=2)
    assert found[0].cost.value == pytest.approx(7.412077, abs=1e-6)
    benchmark.extra_info["rules"] = sum(rule.num_evaluated for rule in found)


@pytest.mark.benchmark(group="simulated time of three pumps")
@pytest.mark.parametrize("num_threads", [1, 2])
def test_simulation(benchmark, num_threads):
    """100 replications of 10 000 months, three components each."""
    solved = sparing.solve(PUMPS)
    found = benchmark(
        lambda: sparing.simulate(
            solved.system,
            solved.policy,
            num_replications=100,
            horizon=10_500.0,
            warm_up=500.0,
            num_threads=num_threads,
        )
    )
    assert abs(found.objective - solved.objective) <= 1.6 * found.half_width
