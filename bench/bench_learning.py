"""Training speed beside a CleanRL-style loop, rejax and Stable-Baselines3, and what it comes to.

The device is that of the environment variable SPARING_DEVICE (default cpu).
"""

import os
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sparing
from sparing.learn.evaluation import goal_of
from sparing.learn.networks import Network
from sparing.learn.result import gap_of
from sparing.learn.run import device_scope
from sparing.learn.settings import DEFAULTS, Settings
from sparing.learn.training import jitted, make_training
from sparing.learn.views import environment_of

DEVICE = os.environ.get("SPARING_DEVICE", "cpu")
ONE_IN_FOUR = Settings(  # one update of 128 per four choices, 2 x 64
    lanes=64, updates=16, batch=128, buffer=1 << 15, steps=64 * 200, dueling=True
)
PQN = replace(DEFAULTS["pqn"], lanes=256, steps=256 * 16 * 50)


def bench_steps(benchmark, settings, model="three-component"):
    """Time chunks behind the first, compilation left out; note choices per second."""
    with device_scope(DEVICE):
        environment = environment_of(sparing.load(model))
        centre = goal_of(environment.process).centre
        chunk = settings.num_iterations
        training = make_training(environment, settings, centre=centre, chunk=chunk)
        init, run = jitted(training, 1)
        carry, _ = run(init(jnp.uint32(0)))

        def once():
            nonlocal carry
            carry, report = run(carry)
            return jax.block_until_ready(report)

        report = benchmark.pedantic(once, rounds=5, warmup_rounds=1)
    assert np.isfinite(np.asarray(report.loss)).all()
    steps = chunk * settings.lanes * settings.choices
    note_rate(benchmark, steps)


def note_rate(benchmark, steps):
    """Note choices per second; nothing is timed where benches only check answers."""
    if benchmark.stats:
        benchmark.extra_info["choices_per_second"] = round(steps / benchmark.stats.stats.median)


@pytest.mark.benchmark(group="12 800 choices, an update of 128 every 4, 2 x 64")
def test_d3qn(benchmark):
    bench_steps(benchmark, ONE_IN_FOUR)


@pytest.mark.benchmark(group="204 800 choices of PQN, 256 lanes x 16, 2 x 64")
def test_pqn(benchmark):
    bench_steps(benchmark, PQN)


class OneLane:
    """One environment, stepped from Python: what a CleanRL-style loop is given."""

    def __init__(self):
        environment = environment_of(sparing.load("three-component"))
        self.see = jax.jit(lambda s: (environment.features(s), environment.mask(s)))
        self.step = jax.jit(environment.step)
        self.states = environment.initial(jax.random.key(0), 1)
        self.width, self.actions = environment.num_features, environment.num_actions


@pytest.mark.benchmark(group="12 800 choices, an update of 128 every 4, 2 x 64")
def test_cleanrl_style_loop(benchmark):
    """One lane, NumPy replay, compiled network and update, as CleanRL's dqn_jax does; 1/10."""
    lane, steps, size = OneLane(), 1280, 4096
    network = Network(num_features=lane.width, num_actions=lane.actions)
    parameters = network.init(jax.random.key(1))
    optimizer = optax.adam(1e-3)
    memory = optimizer.init(parameters)
    choose = jax.jit(lambda p, f, m: jnp.where(m, network.apply(p, f, m), jnp.inf).argmin(-1))

    @jax.jit
    def update(parameters, memory, seen, mask, action, cost, then, then_mask):
        best = jnp.where(then_mask, network.apply(parameters, then, then_mask), jnp.inf).min(-1)
        goal = cost + 0.99 * best

        def loss(p):
            taken = jnp.take_along_axis(network.apply(p, seen, mask), action[:, None], 1)[:, 0]
            return jnp.square(taken - goal).mean()

        updates, memory = optimizer.update(jax.grad(loss)(parameters), memory)
        return optax.apply_updates(parameters, updates), memory

    rng, key = np.random.default_rng(0), jax.random.key(2)
    seen = np.zeros((2, size, lane.width), np.float32)
    masks = np.ones((2, size, lane.actions), bool)
    action, cost = np.zeros(size, np.int32), np.zeros(size, np.float32)

    def loop():
        nonlocal parameters, memory
        states = lane.states
        features, mask = (np.asarray(x) for x in lane.see(states))
        for step in range(steps):
            taken = np.asarray(choose(parameters, features, mask))
            if rng.random() < 0.1:
                taken = np.array([rng.choice(np.flatnonzero(mask[0]))], np.int32)
            found = lane.step(jax.random.fold_in(key, step), states, taken)
            states, row = found.states, step % size
            after, after_mask = (np.asarray(x) for x in lane.see(states))
            seen[0, row], seen[1, row] = features[0], after[0]
            masks[0, row], masks[1, row] = mask[0], after_mask[0]
            action[row], cost[row] = taken[0], np.asarray(found.cost)[0]
            features, mask = after, after_mask
            if step % 4 == 3:
                at = rng.integers(0, row + 1, 128)
                batch = seen[0, at], masks[0, at], action[at], cost[at], seen[1, at], masks[1, at]
                parameters, memory = update(parameters, memory, *batch)
        return jax.block_until_ready(parameters)

    benchmark.pedantic(loop, rounds=3, warmup_rounds=1)
    note_rate(benchmark, steps)
    assert all(np.isfinite(x).all() for x in jax.tree_util.tree_leaves(parameters))


@pytest.mark.full
@pytest.mark.benchmark(group="rejax DQN, an update of 128 every 4, 2 x 64")
def test_rejax(benchmark):
    """On CartPole, as rejax takes gymnax environments without masks; its fastest buffer."""
    rejax = pytest.importorskip("rejax", reason="rejax is not installed")
    from gymnax.environments.classic_control.cartpole import CartPole

    class FiveValues(CartPole):  # rejax .1 knows gymnax before 1.0, which gave one end for two
        def step(self, *given):
            seen, state, reward, terminated, truncated, info = super().step(*given)
            return seen, state, reward, terminated | truncated, info

    agent = rejax.get_algo("dqn").create(
        env=FiveValues(), env_params=CartPole().default_params, num_envs=4, num_epochs=1,
        batch_size=128, buffer_size=4096, fill_buffer=1000, total_timesteps=12_800,
        eval_freq=12_800, agent_kwargs={"activation": "relu"},  # its layers are 64 wide
    )  # fmt: skip
    # Its evaluation, 128 episodes before and behind, is no part of what is compared.
    agent = agent.replace(eval_callback=lambda *given: jnp.zeros(()))
    train = jax.jit(agent.train)
    benchmark.pedantic(
        lambda: jax.block_until_ready(train(jax.random.PRNGKey(0))), rounds=3, warmup_rounds=1
    )
    note_rate(benchmark, 12_800)


@pytest.mark.full
@pytest.mark.benchmark(group="Stable-Baselines3 DQN, an update of 128 every 4, 2 x 64")
def test_stable_baselines3(benchmark):
    """On CartPole as well: its DQN knows no masks."""
    sb3 = pytest.importorskip("stable_baselines3", reason="stable-baselines3 is not installed")
    agent = sb3.DQN("MlpPolicy", "CartPole-v1", batch_size=128, train_freq=4, learning_starts=0)
    benchmark.pedantic(lambda: agent.learn(2560), rounds=3, warmup_rounds=1)
    note_rate(benchmark, 2560)


def redundant(count, structure):
    """Return so many components, those of the built-in case in turn, for plain cost."""
    kinds = sparing.load("three-component-2").components
    names = [f"c{number + 1}" for number in range(count)]
    components = [replace(kinds[n % 3], name=name) for n, name in enumerate(names)]
    text = structure.replace("REST", ",".join(names[1:])).replace("ALL", ",".join(names))
    return sparing.MultiComponentProblem(
        components=components, structure=text, setup_cost=20.0, downtime_cost=500.0
    )


@pytest.mark.full
@pytest.mark.benchmark(group="whole trainings, seconds with compilation")
@pytest.mark.parametrize(
    ("name", "learner", "optimum", "most"),
    [
        ("three-component", "d3qn", -1.45404, 0.001),
        ("three-component-2", "d3qn", -1.52032, 0.001),
        ("feedwater-pumps", "d3qn", 7.287440, 0.01),
        ("c1 & 5-of(REST)", "pqn", 426.6270, 0.02),
        ("7-of(ALL)", "pqn", 459.8196, 500.0 / 459.8196 - 1.0),
    ],
)
def test_whole_training(benchmark, name, learner, optimum, most):
    model = redundant(10, name) if "of(" in name else sparing.load(name)
    found = benchmark.pedantic(
        sparing.train, (model,), {"learner": learner, "device": DEVICE}, rounds=1
    )
    assert found.optimum.value == pytest.approx(optimum, rel=1e-5)
    gap = gap_of(found.best.objective, found.optimum)  # of the network, whatever is returned
    assert gap <= most
    benchmark.extra_info.update(gap=gap, choices=found.env_steps)
