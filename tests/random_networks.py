"""A small network with LayerNorm, and rollouts of it in JAX."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from sparing.learn.networks import cheapest


def random_network(environment, seed, hidden=(32, 32), norm=True, dueling=False):
    rng = np.random.default_rng(seed)
    widths = (environment.num_features, *hidden)
    layers = []
    for inputs, outputs in pairwise(widths):
        layer = {
            "weight": rng.normal(size=(inputs, outputs)) / np.sqrt(inputs),
            "bias": rng.normal(size=outputs) / 4,
        }
        if norm:
            layer |= {"scale": 1 + rng.random(outputs), "offset": rng.normal(size=outputs) / 2}
        layers.append(layer)
    outputs = environment.num_actions + dueling
    head = {"weight": rng.normal(size=(hidden[-1], outputs)), "bias": rng.normal(size=outputs)}
    tree = {"layers": layers, "head": head}
    return jax.tree_util.tree_map(lambda a: jnp.asarray(a, jnp.float32), tree)


def apply(parameters, features, mask):
    """Return values [B, A]; a head with one output more is a dueling one."""
    x = features
    for layer in parameters["layers"]:
        x = x @ layer["weight"] + layer["bias"]
        if "scale" in layer:
            mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
            x = (x - mean) / jnp.sqrt(variance + 1e-5) * layer["scale"] + layer["offset"]
        x = jax.nn.relu(x)
    out = x @ parameters["head"]["weight"] + parameters["head"]["bias"]
    return out[:, -mask.shape[1] :]


def rollout(environment, parameters, steps, lanes, seed=0):
    """Return cost, duration and epochs [steps, lanes] under the greedy policy."""

    @jax.jit
    def run(key):
        def body(states, key):
            mask = environment.mask(states)
            action = cheapest(apply(parameters, environment.features(states), mask), mask)
            moved = environment.step(key, states, action)
            return moved.states, (moved.cost, moved.duration, moved.epoch_ended)

        begin, key = jax.random.split(key)
        return jax.lax.scan(body, environment.initial(begin, lanes), jax.random.split(key, steps))

    return [np.asarray(part) for part in run(jax.random.key(seed))[1]]
