"""Fifty components: decisions of the lookahead, tuning, the lower bound, and what they come to."""

from dataclasses import replace

import numpy as np
import pytest
import sparing
from bench_learning import note_rate, redundant
from sparing.large.crew_policies import CrewLimits, LookaheadPolicy
from sparing.large.crew_simulation import CrewSimulation
from sparing.large.crew_system import CrewSystem
from sparing.large.crew_training import mean_counts, train_crew
from sparing.large.decomposition import decomposed_values
from sparing.large.type_bound import type_bound


def fifty():
    """Return 30-of-50: the three components of the built-in case in turn."""
    problem = redundant(50, "30-of(ALL)")
    return replace(problem, setup_cost=200.0, downtime_cost=5000.0)


@pytest.fixture(scope="module")
def system():
    return CrewSystem(fifty())


def policy_of(system, name):
    """Return untuned policies of both kinds."""
    if name == "limits":
        return CrewLimits(system, (3, 3, 2), (3, 3, 2))
    return LookaheadPolicy(system, decomposed_values(system, [100.0] * 3), system.price)


@pytest.mark.benchmark(group="decisions of 30-of-50, 128 states, one thread")
@pytest.mark.parametrize("name", ["limits", "lookahead"])
def test_decisions(benchmark, system, name):
    policy = policy_of(system, name)
    states = np.random.default_rng(0).integers(0, 4, (128, 50)).astype(np.int32)
    post = benchmark.pedantic(
        policy.decide, (states,), {"num_threads": 1}, rounds=20, warmup_rounds=1
    )
    assert (post <= states).all()
    note_rate(benchmark, len(states))


@pytest.mark.benchmark(group="rollouts of 30-of-50, 32 replications of 50 epochs, one thread")
@pytest.mark.parametrize("name", ["limits", "lookahead"])
def test_rollouts(benchmark, system, name):
    policy = policy_of(system, name)
    options = {"num_replications": 32, "num_epochs": 50, "num_threads": 1}
    found = benchmark.pedantic(
        sparing.simulate, (system.problem, policy), options, rounds=2, warmup_rounds=0
    )
    assert 1500.0 < found.objective < 2500.0
    note_rate(benchmark, 32 * 50)


@pytest.mark.full
@pytest.mark.benchmark(group="lower bound of 30-of-50")
def test_bound(benchmark, system):
    simulation = CrewSimulation(system=system, lanes=64, epochs=40)
    start = mean_counts(simulation, policy_of(system, "lookahead"))
    found = benchmark.pedantic(type_bound, (system,), {"start": start}, rounds=1)
    assert 1800.0 < found.lower < 1884.0
    benchmark.extra_info.update(lower=found.lower, rounds=found.num_rounds)


@pytest.mark.full
@pytest.mark.benchmark(group="30-of-50: tuning both policies, evaluation, lower bound")
def test_whole(benchmark):
    found = benchmark.pedantic(train_crew, (fifty(),), rounds=1)
    limits, ahead = found.policies
    assert found.best is ahead
    assert ahead.difference.interval[1] < -0.01 * limits.objective.value
    benchmark.extra_info.update(
        limits=limits.objective.value, lookahead=ahead.objective.value, lower=found.optimum.lower
    )
