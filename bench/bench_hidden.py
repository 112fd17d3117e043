"""Hidden degradation: sweeps over belief points, lookahead rollouts, filters, and whole solves."""

from dataclasses import replace

import numpy as np
import pytest
import sparing
from sparing.beliefs.component_filter import jax_update, update_beliefs
from sparing.beliefs.component_points import BeliefGrid
from sparing.beliefs.component_rollout import GreedyBeliefPolicy, estimated
from sparing.beliefs.component_values import BeliefTensor, Sweeper, finite_values

ALL = sparing.load("hidden-5-of-5")


def tensor_of(problem, sizes):
    """Belief points drawn at random: as many as `sizes` beside the corners and "failed"."""
    rng = np.random.default_rng(0)
    grids = []
    for component, more in zip(problem.components, sizes, strict=True):
        corners = component.num_states - 1
        grid = BeliefGrid(np.eye(corners))
        grids.append(grid.with_points(rng.dirichlet(np.ones(corners), size=more)))
    return BeliefTensor(problem, grids)


@pytest.mark.benchmark(group="belief sweep, 243 joint options")
@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize(
    "sizes",
    [(4, 4, 4, 4, 12), pytest.param((4, 8, 11, 10, 108), marks=pytest.mark.full)],
    ids=["65 536 points", "2.3 million points"],
)
def test_sweep(benchmark, sizes, num_threads):
    """One period; on top of it the largest value may only grow by what a period costs."""
    tensor = tensor_of(ALL, sizes)
    sweeper = Sweeper(tensor, num_threads)
    following, value = np.zeros((2, tensor.size))
    benchmark.pedantic(lambda: sweeper.sweep(following, value), rounds=5, warmup_rounds=1)
    assert value[tensor.start] == 0.0  # all new and nothing to follow: nothing is done
    assert value.max() == ALL.downtime_cost
    benchmark.extra_info["points"] = tensor.num_points


@pytest.mark.benchmark(group="rollouts of the greedy policy, 5 components")
def test_rollouts(benchmark):
    problem = replace(ALL, periods=20)
    policy = GreedyBeliefPolicy(finite_values(tensor_of(problem, (4,) * 5), num_threads=1), 1)
    estimates, costs, _ = benchmark.pedantic(
        lambda: policy.rollout(num_episodes=40, seed=1), rounds=3
    )
    found = estimated(estimates, costs)
    assert found.half_width < found.raw_half_width
    benchmark.extra_info["noise"] = found.raw_half_width / found.half_width


@pytest.mark.benchmark(group="Bayes filter, 100 000 beliefs")
@pytest.mark.parametrize("backend", ["kernel", "numpy", "jax"])
def test_filter(benchmark, backend):
    component, size = ALL.components[4], 100_000
    rng = np.random.default_rng(0)
    beliefs = rng.dirichlet(np.ones(4), size=size)
    options, seen = rng.integers(3, size=size), rng.integers(4, size=size)
    expected, _ = update_beliefs(component, beliefs, options, seen, num_threads=1)

    def in_numpy():
        new = component.option_success[options][:, None]
        predicted = new * component.transition[0] + (1 - new) * (beliefs @ component.transition)
        joint = predicted * component.channel[options, :, seen]
        chance = joint.sum(axis=1, keepdims=True)
        return joint / np.where(chance > 0, chance, 1.0)

    if backend == "kernel":
        found, _ = benchmark(
            lambda: update_beliefs(component, beliefs, options, seen, num_threads=1)
        )
    elif backend == "numpy":
        found = benchmark(in_numpy)
    else:
        import jax

        update = jax.jit(jax_update(component))
        arrays = [jax.numpy.asarray(a) for a in (beliefs, options, seen)]
        found = benchmark(lambda: jax.block_until_ready(update(*arrays)[0]))
    assert np.abs(np.asarray(found) - expected).max() <= 1e-5


@pytest.mark.full
@pytest.mark.benchmark(group="hidden degradation, whole solves")
@pytest.mark.parametrize(
    ("case", "time_s", "low", "high"),
    [("hidden-1-of-5", 28.0, 229.0, 236.0), ("hidden-5-of-5", 170.0, 12_000.0, 12_250.0)],
)
def test_published_systems(benchmark, case, time_s, low, high):
    """Within 30 s and 3 minutes of a machine that does nothing else."""
    found = benchmark.pedantic(
        lambda: sparing.solve(sparing.load(case), gap=1e-3, time_s=time_s), rounds=1
    )
    assert low <= found.lower <= found.upper <= high
    benchmark.extra_info |= {"lower": found.lower, "upper": found.upper}
