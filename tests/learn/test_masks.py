"""Forbidden choices: never stored, explored, taken as greedy, or part of a target or a mean."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learn.probes import PROBES, TableEnvironment
from sparing.learn.learners import Centre, dqn
from sparing.learn.networks import Network, cheapest, explored
from sparing.learn.replay import Batch, draw
from sparing.learn.rollout_learners import Rollout, pqn, qv
from sparing.learn.settings import DEFAULTS, Settings
from sparing.learn.settings import LEARNERS as NAMES
from sparing.learn.training import make_training

S, A = 7, 5


def random_masks(rng, count):
    mask = rng.random((count, A)) < 0.5
    mask[np.arange(count), rng.integers(0, A, count)] = True
    return mask


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), epsilon=st.sampled_from([0.0, 0.3, 1.0]))
def test_greedy_and_explored_choices_are_allowed(seed, epsilon):
    """However low a forbidden value is, NaN and -inf included, and at both ends of the draws."""
    rng = np.random.default_rng(seed)
    mask = random_masks(rng, 64)
    values = np.where(mask, rng.normal(size=mask.shape), rng.choice([-1e30, np.nan, -np.inf]))
    draws = rng.random((2, 64)).astype(np.float32)
    draws[0, :2] = 0.0, np.float32(1.0) - np.float32(2.0**-24)
    rows = np.arange(64)
    greedy = np.asarray(cheapest(jnp.asarray(values), jnp.asarray(mask)))
    assert mask[rows, greedy].all()
    np.testing.assert_array_equal(greedy, np.where(mask, values, np.inf).argmin(1))
    chosen = np.asarray(explored(draws, jnp.asarray(values), jnp.asarray(mask), epsilon))
    assert mask[rows, chosen].all()
    assert (chosen == greedy)[draws[1] >= epsilon].all()


def test_exploration_is_uniform_over_the_allowed():
    mask = jnp.asarray([[True, False, True, True, False]] * 60_000)
    draws = jax.random.uniform(jax.random.key(0), (2, 60_000))
    chosen = np.asarray(explored(draws, jnp.zeros(mask.shape), mask, 1.0))
    share = np.bincount(chosen, minlength=A) / 60_000
    assert share[[1, 4]].tolist() == [0.0, 0.0]
    assert share[[0, 2, 3]] == pytest.approx(1 / 3, abs=0.01)


def poisoned(parameters, forbidden, amount):
    """Return parameters whose head says `amount` more for a choice."""
    head = parameters["head"]
    place = head["bias"].shape[0] - A + forbidden
    return {**parameters, "head": {**head, "bias": head["bias"].at[place].add(amount)}}


@pytest.mark.parametrize("dueling", [True, False])
def test_what_the_head_says_of_a_forbidden_choice_changes_no_allowed_value(dueling):
    network = Network(num_features=S, num_actions=A, hidden=(8, 8), dueling=dueling)
    parameters = network.init(jax.random.key(0))
    mask = jnp.ones((S, A), bool).at[:, 2].set(False)
    before = network.apply(parameters, jnp.eye(S), mask)
    after = network.apply(poisoned(parameters, 2, -1e6), jnp.eye(S), mask)
    np.testing.assert_array_equal(np.asarray(before)[:, [0, 1, 3, 4]], after[:, [0, 1, 3, 4]])


LEARNERS = {
    "dqn": lambda net: dqn(net, optax.sgd(0.1), double=False),
    "double": lambda net: dqn(net, optax.sgd(0.1), double=True),
    "pqn": lambda net: pqn(net, optax.sgd(0.1), num_passes=1, num_batches=1),
    "qv": lambda net: qv(net, optax.sgd(0.1), num_passes=1, num_batches=1),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_no_target_depends_on_a_forbidden_choice(name):
    """With choice 2 forbidden in every state, its head's bias changes neither loss nor rate."""
    network = Network(num_features=S, num_actions=A, hidden=(8, 8))
    init, step = LEARNERS[name](network)
    step = jax.jit(step)
    rng = np.random.default_rng(1)
    mask = jnp.asarray(random_masks(rng, S)).at[:, 2].set(False).at[:, 0].set(True)
    states, following = jnp.asarray(rng.integers(0, S, (2, 9)))
    cost, one = jnp.asarray(rng.random(9), jnp.float32), jnp.ones(9)
    if name in ("pqn", "qv"):
        places = rng.integers(0, S, (4, 9))
        features, here = jnp.eye(S)[places], mask[places]
        costs = jnp.asarray(rng.random((3, 9)), jnp.float32)
        ones, none = jnp.ones((3, 9)), jnp.zeros((3, 9), int)
        batch = Rollout(features, here, none, costs, ones, 0.9 * ones)
    else:
        batch = Batch(
            features=jnp.eye(S)[states],
            mask=mask[states],
            actions=jnp.zeros(9, int),
            cost=cost,
            duration=one,
            discount=0.9 * one,
            next_features=jnp.eye(S)[following],
            next_mask=mask[following],
        )
    state = init(jax.random.key(0))
    found = []
    for amount in (0.0, -1e6, 1e6):
        moved = state._replace(parameters=poisoned(state.parameters, 2, amount))
        if name in ("dqn", "double"):
            moved = moved._replace(target=poisoned(state.target, 2, amount))
        after, loss = step(jax.random.key(1), moved, batch)
        found.append((float(loss), float(after.rate)))
    assert found[0] == found[1] == found[2]
    assert np.isfinite(found[0]).all()


def random_environment(seed):
    """Return a random environment whose forbidden choices would pay a fortune."""
    rng = np.random.default_rng(seed)
    allowed = random_masks(rng, S)
    successor = rng.dirichlet(np.ones(S), (S, A))
    cost = np.where(allowed, rng.random((S, A)), -1e9)
    ones = np.ones((S, A))
    return TableEnvironment(allowed, cost, successor, 0.9 * ones, ones, ones, starts=(*range(S),))


QUICK = {"d3qn", "pqn"}


@pytest.mark.parametrize(
    "learner",
    [pytest.param(name, marks=[pytest.mark.full] * (name not in QUICK)) for name in NAMES],
)
def test_no_training_takes_a_forbidden_choice(learner):
    """A few iterations in eight random environments at once, exploring half of the time.

    Every stored choice is allowed, and no cost is a fortune; of those that store nothing the mean
    cost of each iteration would show a single one.
    """
    chosen = replace(
        DEFAULTS[learner], lanes=8, buffer=8 * 32, batch=32, updates=1, hidden=(8,), steps=8 * 40,
        epsilon=0.5, epsilon_end=0.5,
    )  # fmt: skip
    made = [random_environment(seed) for seed in range(8)]
    names = ("allowed", "cost", "successor", "weight", "duration")
    tables = {name: jnp.asarray(np.stack([getattr(e, name) for e in made])) for name in names}

    def run(tables):
        environment = TableEnvironment(**tables, values=made[0].values, starts=(*range(S),))
        training = make_training(environment, chosen, centre=Centre.mean, chunk=10)
        return training.chunk(training.init(jnp.uint32(0)))

    carry, report = jax.device_get(jax.jit(jax.vmap(run))(tables))
    assert (report.cost >= 0.0).all()
    assert np.isfinite(report.loss).all()
    if carry.replay is not None:
        assert (carry.replay.cost >= 0.0).all()
        for one, states, actions in zip(
            made, carry.replay.states, carry.replay.actions, strict=True
        ):
            assert one.allowed[states[..., 0], actions].all()


def test_truncation_bootstraps():
    """Lanes that are sent back after each epoch are cut off, not at an end.

    Their transitions keep the weight of what follows and the true next state; steps add up as
    far as the cut.
    """
    environment = random_environment(4)
    cut_often = Settings(lanes=4, buffer=4 * 16, episode=2, steps=4, updates=1, num_steps=3)
    training = make_training(environment, cut_often, centre=Centre.none, chunk=1)
    replay = jax.jit(training.init)(jnp.uint32(0)).replay
    held = jax.device_get(replay)
    assert held.cut[1::2].all()
    assert not held.cut[0::2].any()
    assert (held.discount == np.float32(0.9)).all()
    np.testing.assert_array_equal(held.states[1::2], held.next_states[0::2])
    assert (held.states[2::2] == 0).all()  # back at the start
    assert (held.next_states[1::2] != 0).any()  # but that is not where the choice led

    batch = draw(jax.random.key(0), replay, environment, size=64, num_steps=3)
    weights = np.asarray(batch.discount)
    assert (weights == np.float32(0.9)).all()  # random choices are exploratory: one step each
    followed = replay._replace(greedy=jnp.ones_like(replay.greedy))
    batch = draw(jax.random.key(0), followed, environment, size=64, num_steps=3)
    weights = np.asarray(batch.discount).round(5)
    assert {*weights.tolist()} == {*np.float32([0.9, 0.81]).tolist()}  # never beyond the cut


def test_ended_lanes_begin_again_and_cut_ones_go_elsewhere():
    """Two periods: behind the last one the weight is 0, and the lane is at the case's start."""
    probe = replace(PROBES["two periods"](), starts=(0, 1, 2))
    chosen = Settings(lanes=8, buffer=8 * 64, restart=0.5)
    ends = make_training(probe, chosen, centre=Centre.none, chunk=1)
    held = jax.device_get(jax.jit(ends.init)(jnp.uint32(0)).replay)
    over = held.discount == 0.0
    np.testing.assert_array_equal(over, held.states[..., 0] > 0)
    before, behind = held.states[:-1, :, 0], held.states[1:, :, 0]
    going = ~over[:-1] & ~held.cut[:-1]
    assert (behind[over[:-1]] == 0).all()
    assert {*behind[~over[:-1] & held.cut[:-1]].tolist()} == {0, 1, 2}
    np.testing.assert_array_equal(behind[going], held.next_states[:-1, :, 0][going])
    assert (before[going] == 0).all()
