"""Where a training starts: fresh or fitted networks, a full replay, and the scale of costs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from sparing.learn.learners import Centre
from sparing.learn.loop import Carry, Choices, Loop
from sparing.learn.networks import Network, Parameters, value_network
from sparing.learn.replay import empty
from sparing.learn.warm_start import WarmStart, fitted

_MEASURED = 64  # choices per lane by which a rollout learner's costs are scaled


def start(loop: Loop, centre: Centre, warm_start: WarmStart | None, seed: jax.Array) -> Carry:
    """Return fresh parameters, a replay full of random choices, and costs measured by them.

    With a `warm_start` the networks are fitted to its values, and the replay holds what they do.

    Parameters
    ----------
    seed
        uint32 [].
    """
    settings = loop.settings
    key = jax.random.key_data(jax.random.key(seed))
    parts = jax.random.split(jax.random.wrap_key_data(key), 4)
    begin = loop.environment.initial if settings.episode else loop.environment.random_states
    rows = _MEASURED if settings.uses_rollouts else settings.rows
    carry = Carry(
        learner=loop.learner.init(parts[0]),
        states=begin(parts[1], settings.lanes),
        epochs=jnp.zeros(settings.lanes, jnp.int32),
        replay=None if settings.uses_rollouts else empty(loop.environment, rows, settings.lanes),
        key=key,
        iteration=jnp.int32(0),
        scale=jnp.float32(1.0),
    )
    carry, found = jax.lax.scan(
        lambda carry, key: loop.choose(carry, key, None), carry, jax.random.split(parts[2], rows)
    )
    scale = settings.cost_scale
    measured = settings.spread / jnp.maximum(_epoch_spread(found), 1e-6)
    carry = carry._replace(scale=measured if scale is None else jnp.float32(scale))
    if warm_start is not None:
        return _fitted(loop, carry, warm_start, parts[3])
    if centre is not Centre.mean:
        return carry
    mean = found.cost.sum() / jnp.maximum(found.duration.sum(), 1e-6)
    return carry._replace(learner=carry.learner._replace(rate=mean * carry.scale))


def _fitted(loop: Loop, carry: Carry, warm: WarmStart, key: jax.Array) -> Carry:
    """Return the start with networks fitted to known values, and a replay of their choices."""
    keys = jax.random.split(key, 3)

    def fit(network: Network, parameters: Parameters, key: jax.Array) -> Parameters:
        return fitted(warm, loop.environment, network, parameters, key, carry.scale)

    learner = carry.learner
    parameters = fit(loop.network, learner.parameters, keys[0])
    learner = learner._replace(parameters=parameters, rate=jnp.float32(warm.rate) * carry.scale)
    if loop.settings.learner == "qv":
        value = fit(value_network(loop.network), learner.value, keys[1])
        learner = learner._replace(value=value)
    if carry.replay is None:
        return carry._replace(learner=learner)
    copy = jax.tree_util.tree_map(jnp.copy, parameters)
    carry = carry._replace(learner=learner._replace(target=copy))
    epsilon = jnp.float32(loop.settings.epsilon)
    again = jax.random.split(keys[2], loop.settings.rows)
    return jax.lax.scan(lambda c, k: (loop.choose(c, k, epsilon)[0], None), carry, again)[0]


def _epoch_spread(found: Choices) -> jax.Array:
    """Return the standard deviation [] of an epoch's cost over choices [T, L]."""

    def add(carry: jax.Array, row: Any) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        cost, ended = row
        total = carry + cost
        return jnp.where(ended, 0.0, total), (total, ended)

    begin = jnp.zeros_like(found.cost[0])
    _, (totals, ended) = jax.lax.scan(add, begin, (found.cost, found.epoch_ended))
    count = jnp.maximum(ended.sum(), 1)
    mean = (totals * ended).sum() / count
    return jnp.sqrt((jnp.square(totals - mean) * ended).sum() / count)
