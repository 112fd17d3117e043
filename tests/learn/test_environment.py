"""The JAX environment against a slow one, node by node, and against the C++ interpreters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparing
from forward_epochs import KINDS, Maker
from reference_environment import SlowEnvironment
from sparing.epoch import Axis, Branch, Chance, Decision, Epoch
from sparing.learn.epoch_environment import flat_environment, sequential_environment


def stepper(environment):
    """Return the compiled step under given words, one per lane for all draws."""

    def step(words, states, actions):
        environment._bits = lambda key, count, lanes: jnp.broadcast_to(words, (count, lanes))
        return environment.step(None, states, actions)

    return jax.jit(step)


def assert_same_as_slow(epoch, weights, rng, lanes=6, steps=25):
    environment = sequential_environment(epoch, weights=weights)
    interpreter = environment.interpreter
    (last_point,) = interpreter.last_points
    step, see = (
        stepper(environment),
        jax.jit(lambda s: (environment.mask(s), environment.features(s))),
    )
    slow = [SlowEnvironment(epoch, weights, last_point) for _ in range(lanes)]
    runs = [one.run({axis.name: 0 for axis in epoch.axes}) for one in slow]
    environment._bits = lambda key, count, lanes: jnp.zeros((count, lanes), jnp.uint32)
    states = environment.initial(jax.random.key(0), lanes)
    met = [next(run) for run in runs]
    for _ in range(steps):
        mask, features = (np.asarray(seen) for seen in see(states))
        states = np.asarray(states)
        for lane, (code, coords, allowed, *_) in enumerate(met):
            number = int(states[lane, 0])
            point = interpreter.points[number]
            assert point.pc == code
            assert np.flatnonzero(mask[lane]).tolist() == allowed
            live = {place.slot for place in point.live}
            for name, slot in interpreter.flow.slots.items():
                if slot in environment.slots:
                    value = int(states[lane, 1 + environment.slots.index(slot)])
                    assert value == (coords[name] if slot in live else 0)
            assert features[lane].sum() == len(live) + (len(interpreter.points) > 1)
        actions = np.array([rng.choice(allowed) for _, _, allowed, *_ in met])
        words = rng.integers(0, 2**32, lanes, dtype=np.uint32)
        moved = step(words, states, actions)
        met = [
            run.send((int(action), int(word)))
            for run, action, word in zip(runs, actions, words, strict=True)
        ]
        costs, discounts, ended = ([m[i] for m in met] for i in (3, 4, 5))
        assert np.asarray(moved.cost) == pytest.approx(costs, abs=1e-4)
        assert np.asarray(moved.discount) == pytest.approx(discounts)
        assert np.asarray(moved.epoch_ended).tolist() == ended
        assert np.asarray(moved.duration).tolist() == [float(e) for e in ended]
        states = moved.states


def has_choice(node):
    """Whether every epoch meets a node with a choice here."""
    if isinstance(node, Branch):
        return True
    return isinstance(node, Decision) and not node.is_move


def random_case(seed):
    """Return a random epoch in which there is something to decide, and weights."""
    maker = Maker(seed)
    while True:
        epoch = maker.epoch(discount=0.9)
        weights = {kind: float(maker.rng.normal()) for kind in KINDS if kind in epoch.kinds}
        if any(has_choice(node) for node in epoch.nodes):
            return epoch, weights, maker.rng


@pytest.mark.parametrize("seed", range(3))
def test_random_epochs_run_as_their_nodes_say(seed):
    assert_same_as_slow(*random_case(seed))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(3, 100))
def test_many_random_epochs_run_as_their_nodes_say(seed):
    assert_same_as_slow(*random_case(seed))


@pytest.mark.parametrize("name", ["three-component", "joint-maintenance-spares"])
def test_built_in_cases_run_as_their_nodes_say(name):
    problem = sparing.load(name)
    weights = {kind: problem.weights.get(kind, 0.0) for kind in problem.epoch.kinds}
    assert_same_as_slow(problem.epoch, weights, np.random.default_rng(0), steps=40)


def test_draws_have_the_models_frequencies():
    """From given states the next ones are as likely as the transition matrix says."""
    problem, lanes = sparing.load("three-component-2"), 60_000
    environment = sequential_environment(problem)
    states = jnp.tile(jnp.array([[0, 0, 1, 1]], jnp.int32), (lanes, 1))  # do nothing at (0, 1, 1)
    moved = jax.jit(environment.step)(jax.random.key(3), states, jnp.zeros(lanes, jnp.int32))
    for component, column, state in zip(problem.components, (1, 2, 3), (0, 1, 1), strict=True):
        share = np.bincount(moved.states[:, column], minlength=4) / lanes
        expected = component.transition[state]
        sigma = np.sqrt(expected * (1 - expected) / lanes)
        assert (np.abs(share - expected) <= 5.0 * sigma).all()


def test_nothing_is_transferred_once_compiled():
    environment = sequential_environment(sparing.load("three-component"))

    @jax.jit
    def step(key, states):
        actions = environment.mask(states).argmax(axis=1)
        return environment.step(key, states, actions).states, environment.features(states)

    states = environment.initial(jax.random.key(0), 8)
    keys = [jax.random.key(i) for i in range(3)]
    step(keys[0], states)
    with jax.transfer_guard("disallow"):
        for key in keys:
            states, features = step(key, states)
    assert features.dtype == jnp.float32
    assert states.dtype == jnp.int32


@pytest.mark.parametrize("view", [flat_environment, sequential_environment])
def test_random_states_are_legal_and_differ(view):
    environment = view(sparing.load("three-component-restricted"))
    states = environment.random_states(jax.random.key(0), 500)
    assert states.shape == (500, environment.state_width)
    assert len(np.unique(states, axis=0)) > 30
    assert np.asarray(environment.mask(states)).any(axis=1).all()


def test_bad_arguments_are_refused():
    problem = sparing.load("three-component")
    with pytest.raises(ValueError, match="features must be 'one-hot' or 'typed-counts'; got 'x'"):
        sequential_environment(problem, features="x")
    with pytest.raises(ValueError, match="the model must be a problem with an epoch"):
        flat_environment(3.0)
    with pytest.raises(ValueError, match="there is no kind 'typo'"):
        flat_environment(problem, weights={"typo": 1.0})
    with pytest.raises(ValueError, match=r"axis 'c1' must be in 0\.\.3; got 9"):
        flat_environment(problem, initial=(9, 0, 0))
    spares = sparing.load("joint-maintenance-spares")
    with pytest.raises(ValueError, match="'typed-counts' needs a multi-component problem without"):
        sequential_environment(spares, features="typed-counts")
    drift = Epoch(axes=[Axis("x", 2)], nodes=[Chance("x", [[0.5, 0.5], [0.5, 0.5]])])
    with pytest.raises(ValueError, match="nothing to decide"):
        sequential_environment(drift)
