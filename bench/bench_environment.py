"""The JAX environment: epochs a second, against a loop in NumPy on the same tables.

Rates are printed as `extra_info["epochs_per_s"]`, from the shortest round. Choices are random
among the allowed ones.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparing
from sparing.learn.epoch_environment import flat_environment, sequential_environment
from sparing.models.load_sharing import LoadSharingProblem

LANES = 4096


def random_allowed(environment, draw, states):
    """Return a random allowed choice, by rejection of at most a few tries, else the first."""
    mask = environment.mask(states)
    reached = jnp.cumsum(mask, axis=1)
    wanted = (draw * reached[:, -1]).astype(jnp.int32)
    return (reached > wanted[:, None]).argmax(axis=1).astype(jnp.int32)


def by_table(environment):
    """Return a function that picks a random allowed choice of a flat environment by one lookup."""
    step = environment.interpreter.flow.code[environment.points[0].pc]
    counts = np.diff(step.indptr)
    table = jnp.asarray(step.choice[step.indptr[:-1, None] + np.arange(64) % counts[:, None]])

    def choose(bits, states):
        row = jnp.zeros(states.shape[0], dtype=jnp.int32)
        for place, column in zip(step.reads, states.T[1:], strict=True):
            row = row * place.size + column
        return table.at[row, (bits >> 26).astype(jnp.int32)].get(mode="promise_in_bounds")

    return choose


def roll(environment, choose, steps):
    """Return a compiled scan: states, key -> states, mean cost."""

    @jax.jit
    def run(states, key):
        def body(states, key):
            one, two = jax.random.split(key)
            actions = choose(jax.random.bits(one, (states.shape[0],), jnp.uint32), states)
            moved = environment.step(two, states, actions)
            return moved.states, (moved.cost.mean(), moved.epoch_ended.mean())

        states, (cost, ended) = jax.lax.scan(body, states, jax.random.split(key, steps))
        return states, cost.mean(), ended.sum()

    return run


def measure(benchmark, environment, choose, steps, kind="threefry2x32", rounds=5):
    run = roll(environment, choose, steps)
    states = jax.jit(environment.initial, static_argnums=1)(jax.random.key(0), LANES)
    key = jax.random.key(1, impl=kind)
    _, cost, ended = jax.block_until_ready(run(states, key))
    benchmark.pedantic(
        lambda: jax.block_until_ready(run(states, key)), rounds=rounds, warmup_rounds=1
    )
    if benchmark.stats is not None:
        rate = float(ended) * LANES / benchmark.stats.stats.min
        benchmark.extra_info["epochs_per_s"] = f"{rate:.3e}"
        benchmark.extra_info["choices_per_s"] = f"{steps * LANES / benchmark.stats.stats.min:.3e}"
    return float(cost)


@pytest.mark.benchmark(group="three-component, flat, 4096 lanes")
@pytest.mark.parametrize("kind", ["threefry2x32", "rbg"])
def test_flat_three_component(benchmark, kind):
    """The mean cost of random choices must be that of the same policy, exactly evaluated."""
    problem = sparing.load("three-component")
    environment = flat_environment(problem)
    cost = measure(benchmark, environment, by_table(environment), 1000, kind)
    assert cost == pytest.approx(mean_of_random_choices(environment), abs=0.01)


def mean_of_random_choices(environment):
    """Return the long-run cost of the policy of `by_table`, from its chain in NumPy."""
    step = environment.interpreter.flow.code[environment.points[0].pc]
    counts = np.diff(step.indptr)
    entries = step.indptr[:-1, None] + np.arange(64) % counts[:, None]
    post = np.ravel_multi_index(step.to[entries].T, [p.size for p in step.writes]).T
    chain = np.ones((1, 1))
    for component in environment.process.model.components:
        chain = np.kron(chain, component.transition)
    law = chain[post].mean(axis=1)
    stationary = np.full(len(law), 1.0 / len(law)) @ np.linalg.matrix_power(law, 1000)
    works = environment.process.model.works
    up = works[np.ix_(*(environment.process.model.up_groups[n] for n in ("c1", "c2", "c3")))]
    reliability = environment.process.weights["reliability"] * up.ravel()
    return float(stationary @ (step.cost[entries].mean(axis=1) + law @ reliability))


@pytest.mark.benchmark(group="three-component, NumPy")
def test_numpy_loop(benchmark):
    """The same epochs, structure of arrays, 64 random choices a state laid out in a table."""
    environment = flat_environment(sparing.load("three-component"))
    step = environment.interpreter.flow.code[environment.points[0].pc]
    counts = np.diff(step.indptr)
    entries = step.indptr[:-1, None] + np.arange(64) % counts[:, None]
    components = environment.process.model.components
    reached = [np.cumsum(c.transition, axis=1)[:, :-1] for c in components]
    rng = np.random.default_rng(0)

    def once(epochs=100):
        state, total = np.zeros((3, LANES), dtype=np.int64), 0.0
        for _ in range(epochs):
            row = (state[0] * 4 + state[1]) * 4 + state[2]
            entry = entries[row, rng.integers(0, 64, LANES)]
            total += step.cost[entry].sum()
            draws = rng.random((3, LANES))
            for i in range(3):
                after = step.to[entry, i]
                state[i] = (draws[i][:, None] >= reached[i][after]).sum(axis=1)
        return total

    benchmark.pedantic(once, rounds=5, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["epochs_per_s"] = f"{100 * LANES / benchmark.stats.stats.min:.3e}"


@pytest.mark.benchmark(group="sequential, 4096 lanes")
@pytest.mark.parametrize("name", ["three-component", "joint-maintenance-spares", "feedwater-pumps"])
def test_sequential(benchmark, name):
    problem = sparing.load(name)
    model = problem.system(4, 6) if isinstance(problem, LoadSharingProblem) else problem
    environment = sequential_environment(model)

    def choose(bits, states):
        return random_allowed(environment, bits.astype(jnp.float32) * 2.0**-32 * 0.999999, states)

    assert np.isfinite(measure(benchmark, environment, choose, 200))
