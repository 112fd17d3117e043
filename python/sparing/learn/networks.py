"""Networks as plain trees of arrays: layers, their dropout, and a head that knows the mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

Parameters: TypeAlias = Any  # {"layers": [{"weight", "bias"[, "scale", "offset"]}, ...], "head"}
_EPSILON = 1e-5  # of LayerNorm (Ba, Kiros, Hinton 2016)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A feed-forward network with one output per choice.

    Parameters
    ----------
    num_features, num_actions
        Widths of its input and output.
    hidden
        Widths of its hidden layers.
    dueling
        Whether a value and an advantage per choice are learned apart (Wang et al. 2016): the
        mean that is taken off the advantages is that of the allowed choices alone.
    layer_norm
        Whether each layer is normalised before its relu.
    dropout
        Per hidden layer the share of units dropped while learning.
    """

    num_features: int
    num_actions: int
    hidden: tuple[int, ...] = (64, 64)
    dueling: bool = True
    layer_norm: bool = True
    dropout: tuple[float, ...] = ()

    def init(self, key: jax.Array) -> Parameters:
        """Return fresh parameters: He's normal weights (2015), a head that begins near zero."""
        widths = (self.num_features, *self.hidden)
        keys = jax.random.split(key, len(widths))
        layers = []
        for part, inputs, outputs in zip(keys[:-1], widths[:-1], widths[1:], strict=True):
            layer = _dense(part, inputs, outputs, (2.0 / inputs) ** 0.5)
            if self.layer_norm:
                layer |= {"scale": jnp.ones(outputs), "offset": jnp.zeros(outputs)}
            layers.append(layer)
        width = self.num_actions + int(self.dueling)
        return {"layers": layers, "head": _dense(keys[-1], widths[-1], width, 0.01)}

    def apply(
        self,
        parameters: Parameters,
        features: jax.Array,
        mask: jax.Array,
        key: jax.Array | None = None,
    ) -> jax.Array:
        """Return Q [B, A] of features [B, F] under mask [B, A]; finite where it is forbidden too.

        `key` is for dropout; without one nothing is dropped.
        """
        hidden: Any = features
        for number, layer in enumerate(parameters["layers"]):
            hidden = hidden @ layer["weight"] + layer["bias"]
            if self.layer_norm:
                hidden = _normalised(hidden) * layer["scale"] + layer["offset"]
            hidden = jax.nn.relu(hidden)
            rate = self.dropout[number] if number < len(self.dropout) else 0.0
            if rate > 0.0 and key is not None:
                kept = jax.random.bernoulli(
                    jax.random.fold_in(key, number), 1.0 - rate, hidden.shape
                )
                hidden = jnp.where(kept, hidden / (1.0 - rate), 0.0)
        outputs = hidden @ parameters["head"]["weight"] + parameters["head"]["bias"]
        if not self.dueling:
            return jnp.asarray(outputs)
        value, advantage = outputs[..., :1], outputs[..., 1:]
        allowed = mask.astype(outputs.dtype)
        mean = (advantage * allowed).sum(-1, keepdims=True) / allowed.sum(-1, keepdims=True)
        return jnp.asarray(value + advantage - mean)


def value_network(network: Network) -> Network:
    """Return the network that gives one value per state in place of one per choice."""
    return Network(
        num_features=network.num_features,
        num_actions=1,
        hidden=network.hidden,
        dueling=False,
        layer_norm=network.layer_norm,
        dropout=network.dropout,
    )


def cheapest(values: jax.Array, mask: jax.Array) -> jax.Array:
    """Return the allowed choice [B] of the lowest value [B, A]; ties go to the first."""
    return jnp.where(mask, values, jnp.inf).argmin(axis=-1)


def picked(values: jax.Array, choices: jax.Array) -> jax.Array:
    """Return ``values[b, choices[b]]``, shape [B]."""
    return jnp.take_along_axis(values, choices[..., None], axis=-1)[..., 0]


def explored(draws: jax.Array, values: jax.Array, mask: jax.Array, epsilon: jax.Array) -> jax.Array:
    """Return choices [B]: with probability `epsilon` one of the allowed, else the cheapest.

    `draws` [2, B] are uniform in [0, 1); the k-th allowed choice is found by counting, so that
    one of them per lane is enough for it.
    """
    reached = jnp.cumsum(mask, axis=-1)  # [B, A] allowed choices up to each
    wanted = jnp.floor(draws[0] * reached[:, -1]).astype(reached.dtype)
    random = (reached > jnp.minimum(wanted, reached[:, -1] - 1)[:, None]).argmax(axis=-1)
    return jnp.where(draws[1] < epsilon, random, cheapest(values, mask))


def _dense(key: jax.Array, inputs: int, outputs: int, scale: float) -> dict[str, jax.Array]:
    weight = scale * jax.random.normal(key, (inputs, outputs), jnp.float32)
    return {"weight": weight, "bias": jnp.zeros(outputs, jnp.float32)}


def _normalised(hidden: jax.Array) -> jax.Array:
    mean = hidden.mean(axis=-1, keepdims=True)
    variance = jnp.square(hidden - mean).mean(axis=-1, keepdims=True)
    return (hidden - mean) * jax.lax.rsqrt(variance + _EPSILON)
