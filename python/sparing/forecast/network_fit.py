"""The training of one small network per series in JAX, a chunk of series at once.

Imported when networks are trained and not before, as importing JAX takes a while.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import optax

from sparing.forecast.network import CHECK_EVERY, NetworkOptions

HIDDEN = (10, 15)  # units of the two dense layers
DROPOUT = 0.2  # between them


def _initial(key: Any, num_inputs: int) -> Any:
    """He's weights (2015) for ReLU layers; the output starts at zero."""
    sizes = (num_inputs, *HIDDEN, 1)
    layers = []
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        spread = jnp.sqrt(2.0 / inputs) if i < len(sizes) - 2 else 0.1
        drawn = jax.random.normal(jax.random.fold_in(key, i), (inputs, outputs))
        layers.append((drawn * spread, jnp.zeros(outputs)))
    return layers


def _predicted(layers: Any, inputs: Any, kept: Any = 1.0) -> Any:
    (w1, b1), (w2, b2), (w3, b3) = layers
    hidden = jax.nn.relu(inputs @ w1 + b1) * kept
    return (jax.nn.relu(hidden @ w2 + b2) @ w3 + b3)[..., 0]


def _loss(layers: Any, inputs: Any, target: Any, weight: Any, kept: Any = 1.0) -> Any:
    """Return the root mean squared error of what is predicted."""
    squares = weight * (_predicted(layers, inputs, kept) - target) ** 2
    return jnp.sqrt(squares.sum() / jnp.maximum(weight.sum(), 1.0) + 1e-12)


def _epoch(optimizer: Any, data: Any, carry: Any, key: Any) -> Any:
    """Do one step of Adam on the whole series, some of the first layer's units left out."""
    layers, state = carry
    shape = (data[0].shape[0], HIDDEN[0])
    kept = jax.random.bernoulli(key, 1.0 - DROPOUT, shape) / (1.0 - DROPOUT)
    gradient = jax.grad(_loss)(layers, *data, kept)
    updates, state = optimizer.update(gradient, state)
    return (optax.apply_updates(layers, updates), state), None


def _trained(options: NetworkOptions, data: Any, limit: Any) -> Any:
    """Train until the loss changes little; returns the layers, the losses and the looks at them."""
    root = jax.random.key(options.seed)
    optimizer = optax.adam(options.learning_rate)
    layers = _initial(root, data[0].shape[1])
    looks = -(-options.max_epochs // CHECK_EVERY)
    losses = jnp.full(looks + 1, jnp.nan).at[0].set(_loss(layers, *data))

    def unfinished(state: Any) -> Any:
        _, losses, look = state
        change = jnp.abs(losses[look] - losses[jnp.maximum(look - 1, 0)])
        return (look < limit) & ((look == 0) | (change >= options.tolerance))

    def block(state: Any) -> Any:
        carry, losses, look = state
        keys = jax.random.split(jax.random.fold_in(root, 1000 + look), CHECK_EVERY)
        carry, _ = jax.lax.scan(partial(_epoch, optimizer, data), carry, keys)
        return carry, losses.at[look + 1].set(_loss(carry[0], *data)), look + 1

    state = ((layers, optimizer.init(layers)), losses, jnp.int32(0))
    (layers, _), losses, look = jax.lax.while_loop(unfinished, block, state)
    return layers, losses, look


def _train(options: NetworkOptions, series: Any, weight: Any, extra: Any, limit: Any) -> Any:
    """Train on one series; returns what it predicts, its forecast, the losses and the epochs."""
    length = series.shape[0]
    before = jnp.concatenate([jnp.zeros(1), series[:-1]])
    inputs = jnp.concatenate([before[:, None], extra[:length]], axis=1)
    layers, losses, look = _trained(options, (inputs, series, weight), limit)

    def ahead(last: Any, now: Any) -> Any:
        following = _predicted(layers, jnp.concatenate([last[None], now]))
        return following, following

    _, forecast = jax.lax.scan(ahead, series[-1], extra[length:])
    return _predicted(layers, inputs), forecast, losses, look * CHECK_EVERY


@partial(jax.jit, static_argnums=0)
def train_each(options: NetworkOptions, series: Any, weight: Any, extra: Any, limit: Any) -> Any:
    """Train a network per series: arrays [series, periods], `extra` [series, periods, inputs]."""
    return jax.vmap(partial(_train, options), (0, 0, 0, None))(series, weight, extra, limit)
