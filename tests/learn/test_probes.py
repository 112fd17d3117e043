"""Every learner finds the known values of five small environments."""

from dataclasses import fields, replace
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from learn.probes import PROBES, TableEnvironment
from sparing.learn.learners import Centre
from sparing.learn.settings import DEFAULTS, LEARNERS
from sparing.learn.training import make_training

TABLES = ("allowed", "cost", "successor", "weight", "duration")
DISCOUNT = 0.9
DEFAULT_RUN = (("d3qn", Centre.mean), ("pqn", Centre.gain), ("qv", Centre.mean))


def small(learner):
    settings = DEFAULTS[learner]
    if settings.uses_rollouts:
        end = 0.0 if learner == "qv" else 0.1  # its values are those of the policy that acts
        return replace(
            settings, hidden=(32, 32), lanes=32, steps=32 * 16 * 700, learning_rate=2e-3,
            epsilon_end=end, epsilon_share=0.4,
        )  # fmt: skip
    return replace(
        settings, hidden=(32, 32), lanes=16, steps=16 * 1500, batch=128, updates=2,
        buffer=16 * 2048, learning_rate=3e-3, target_step=0.02, epsilon_end=0.2,
        epsilon_share=0.25,
    )  # fmt: skip


def padded(probe, num_states=3, num_actions=3):
    """Return the tables of a probe, grown by states that lead to themselves."""
    grown = {}
    for name in TABLES:
        table = np.asarray(getattr(probe, name), float)
        shape = (num_states, num_actions) + ((num_states,) if name == "successor" else ())
        new = np.ones(shape) if name in ("weight", "duration") else np.zeros(shape)
        new[tuple(slice(0, size) for size in table.shape)] = table
        grown[name] = new
    for state in range(len(probe.allowed), num_states):
        grown["allowed"][state, 0] = 1.0
        grown["successor"][state, 0, state] = 1.0
    return grown


def trained(learner, probes, centre):
    """Train on all probes side by side: Q [probes, S, A], rate and scale [probes]."""
    settings = small(learner)

    def one(tables, starts):
        environment = TableEnvironment(**tables, values=np.zeros((3, 3)), starts=starts)
        training = make_training(
            environment, settings, centre=centre, chunk=settings.num_iterations
        )
        carry, _ = training.chunk(training.init(jnp.uint32(0)))
        states = jnp.arange(3)[:, None]
        parameters = carry.learner.parameters
        values = training.network.apply(
            parameters, environment.features(states), environment.mask(states)
        )
        return values / carry.scale, carry.learner.rate / carry.scale

    stacked = [padded(probe) for probe in probes]
    tables = {name: jnp.asarray(np.stack([t[name] for t in stacked])) for name in TABLES}
    tables["allowed"] = tables["allowed"] > 0.0
    starts = jnp.asarray([(p.starts * 6)[:6] for p in probes])
    return [np.asarray(x) for x in jax.jit(jax.vmap(one))(tables, starts)]


def shift_of(name, probe, rate):
    """Return what the rate has taken off every value [S, 1] of a discounted or finite probe."""
    if name == "two periods":
        return rate * np.array([[2.0], [1.0], [1.0]])
    return np.full((len(probe.allowed), 1), rate / (1.0 - DISCOUNT))


def check(learner, name, probe, values, rate):
    states, actions = probe.allowed.shape
    found = np.where(probe.allowed, values[:states, :actions], np.nan)
    if probe.gain is not None:
        assert rate == pytest.approx(probe.gain, rel=0.03, abs=0.03)
        found = found - np.nanmin(found[0]) + np.nanmin(probe.values[0])
    else:
        found = found + shift_of(name, probe, rate)
    best = np.nanargmin(probe.values, axis=1)
    rows = np.arange(states)
    assert np.nanargmin(found, axis=1).tolist() == best.tolist(), (name, found)
    np.testing.assert_allclose(
        found[rows, best], probe.values[rows, best], rtol=0.04, atol=0.2, err_msg=name
    )
    if learner != "qv":  # which meets the other choices only while it explores
        np.testing.assert_allclose(found, probe.values, rtol=0.06, atol=0.3, err_msg=name)


@pytest.mark.parametrize(
    ("learner", "centre"),
    [
        pytest.param(*pair, marks=[pytest.mark.full] * (pair not in DEFAULT_RUN))
        for pair in product(LEARNERS, (Centre.gain, Centre.mean))
    ],
)
def test_every_learner_finds_the_known_values(learner, centre):
    """The long-run probes under the gain, the others under the mean cost."""
    probes = {name: make() for name, make in PROBES.items()}
    names = [name for name, p in probes.items() if (p.gain is not None) == (centre == "gain")]
    values, rates = trained(learner, [probes[name] for name in names], centre)
    for name, found, rate in zip(names, values, rates, strict=True):
        check(learner, name, probes[name], found, float(rate))


def test_the_probes_solve_their_own_equations():
    """Each value is cost - gain * duration + weight * the mean of the successors' best values."""
    for name, make in PROBES.items():
        probe = make()
        assert [field.name for field in fields(probe)][: len(TABLES)] == [*TABLES]
        best = np.nanmin(probe.values, axis=1)
        future = np.einsum("sat,t->sa", probe.successor, best)
        right = probe.cost - (probe.gain or 0.0) * probe.duration + probe.weight * future
        right = np.where(probe.allowed, right, np.nan)
        np.testing.assert_allclose(right, probe.values, atol=1e-12, err_msg=name)
        assert (probe.successor.sum(-1)[probe.allowed] == 1.0).all()
