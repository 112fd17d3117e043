"""Rollouts of networks with LayerNorm in the kernels: epochs a second of one core.

The same policy as a table, or asked from JAX where there are too many states for one, is the
baseline; both must give the same costs.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import sparing
from large_systems import redundant
from random_networks import apply, random_network
from sparing.learn.epoch_environment import flat_environment, sequential_environment
from sparing.learn.network_policy import NetworkPolicy
from sparing.learn.policy import table_policy
from sparing.policies import CallbackPolicy
from sparing.simulate.runner import Runner

VIEWS = {"flat": flat_environment, "sequential": sequential_environment}
WEIGHTS = {"maintenance": 1.0, "downtime": 1.0}


@pytest.mark.benchmark(group="three-component-2, 2x64 network")
@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("policy", ["network", "table"])
@pytest.mark.parametrize("view", VIEWS)
def test_network_rollout(benchmark, view, policy, num_threads):
    problem, epochs, replications = sparing.load("three-component-2"), 1000, 1024
    environment = VIEWS[view](problem, weights=WEIGHTS)
    parameters = random_network(environment, 1, (64, 64))
    table = table_policy(environment, apply, parameters)
    network = NetworkPolicy(environment, parameters, apply)
    weights = {kind: WEIGHTS.get(kind, 0.0) for kind in problem.epoch.kinds}

    def runner(chosen):
        return Runner((problem.epoch,), (chosen,), weights, 0, num_threads, kernel="general")

    def once(run):
        totals = np.zeros((replications, len(weights)))
        run.advance(np.zeros((replications, 3), dtype=np.int32), totals, 0, epochs)
        return totals[:, [[*weights].index(kind) for kind in WEIGHTS]]

    measured = runner(network if policy == "network" else table)
    found = benchmark.pedantic(lambda: once(measured), rounds=5, warmup_rounds=1)
    np.testing.assert_allclose(found, once(runner(table)))
    if benchmark.stats is not None:
        rate = epochs * replications / benchmark.stats.stats.min
        benchmark.extra_info["epochs_per_s"] = f"{rate:.3e}"
        print(f"\n{view} {policy} {num_threads}: {rate:.3e} epochs/s")


@pytest.mark.benchmark(group="30-of-50, 2x128 network on counts, nearly all components asked")
@pytest.mark.parametrize("policy", ["network", "network asked from JAX"])
def test_counted_network_rollout(benchmark, policy):
    problem = redundant(50, "30-of(ALL)", setup_cost=200.0, downtime_cost=5000.0)
    environment = sequential_environment(problem, features="typed-counts")
    parameters = random_network(environment, 1, (128, 128))
    bias = parameters["head"]["bias"]  # to leave components in state 1, where they have a choice
    parameters["head"]["bias"] = bias.at[1].set(bias[1] - 50.0)
    network = NetworkPolicy(environment, parameters, apply)
    asked = CallbackPolicy(lambda stage, states: network.action(states, stage=stage))
    epochs = 50 if policy == "network" else 5
    options = {"num_epochs": epochs, "num_replications": 128, "weights": WEIGHTS, "num_threads": 1}
    found = benchmark.pedantic(
        sparing.simulate,
        (problem, network if policy == "network" else asked),
        options,
        rounds=3,
        warmup_rounds=1,
    )
    assert found.objective > 0.0
    if policy != "network":
        by_kernels = sparing.simulate(problem, network, **options)
        np.testing.assert_allclose(found.objectives, by_kernels.objectives)
    if benchmark.stats is not None:
        rate = epochs * 128 / benchmark.stats.stats.min
        benchmark.extra_info["epochs_per_s"] = f"{rate:.3e}"
        print(f"\n{policy}: {rate:.3e} epochs/s")
