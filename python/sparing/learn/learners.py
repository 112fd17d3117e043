"""What every learner has: an `init` and a `step`, pure functions over a tree of arrays.

Costs are minimised and learned by least squares, since rare failures are what makes a mean. From
each step's cost its duration times a rate is taken off:

- average cost: the rate is the gain itself, moved by the mean temporal-difference error until that
  is zero (differential Q-learning; Wan, Naik, Sutton 2021), per unit of time where epochs have
  durations (cost - gain * duration; Puterman 1994, sec. 11.4);
- discounted cost: the rate is the mean cost of random choices, measured before training. It changes
  every value by the same number, which the network is spared from learning (reward centring;
  Naik, Wan, Tomar, Sutton 2024); as it stays, values are exact at any time;
- a horizon that ends: none.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax

from sparing.learn.networks import Network, Parameters, cheapest, picked
from sparing.learn.replay import Batch

State: TypeAlias = Any  # a NamedTuple with `parameters` of the network that acts, and `rate`


class Centre(StrEnum):
    """What the rate is that is taken off the costs."""

    gain = "gain"
    mean = "mean"
    none = "none"


class Learner(NamedTuple):
    """``init(key) -> state``; ``step(key, state, batch) -> (state, loss)``."""

    init: Callable[[jax.Array], State]
    step: Callable[[jax.Array, State, Any], tuple[State, jax.Array]]


class DqnState(NamedTuple):
    """Parameters, those of the target network, the optimiser's memory and the rate."""

    parameters: Parameters
    target: Parameters
    optimizer: optax.OptState
    rate: jax.Array  # []
    num_steps: jax.Array  # [] int32


def dqn(
    network: Network,
    optimizer: optax.GradientTransformation,
    *,
    double: bool = True,
    target_step: float = 0.01,
    target_period: int = 1,
    centre: Centre = Centre.gain,
    rate_step: float = 0.01,
) -> Learner:
    """Return (double) deep Q-learning (Mnih et al. 2015; van Hasselt, Guez, Silver 2016).

    Parameters
    ----------
    double
        Whether the network that learns names the next choice and the target network prices it;
        else the target network does both. Either way under the next state's mask.
    target_step, target_period
        Every so many steps the target network moves that share of the way.
    centre, rate_step
        What is taken off the costs, and how fast it moves.
    """

    def future(parameters: Parameters, target: Parameters, batch: Batch) -> jax.Array:
        priced = network.apply(target, batch.next_features, batch.next_mask)
        chooser = priced
        if double:
            chooser = network.apply(parameters, batch.next_features, batch.next_mask)
        return picked(priced, cheapest(chooser, batch.next_mask))

    def loss(parameters: Parameters, goal: jax.Array, batch: Batch, key: jax.Array) -> jax.Array:
        values = network.apply(parameters, batch.features, batch.mask, key)
        return jnp.square(picked(values, batch.actions) - goal).mean()

    def init(key: jax.Array) -> DqnState:
        parameters = network.init(key)
        copy = jax.tree_util.tree_map(jnp.copy, parameters)
        return DqnState(
            parameters, copy, optimizer.init(parameters), jnp.float32(0.0), jnp.int32(0)
        )

    def step(key: jax.Array, state: DqnState, batch: Batch) -> tuple[DqnState, jax.Array]:
        goal = batch.cost - state.rate * batch.duration
        goal += batch.discount * future(state.parameters, state.target, batch)
        error, gradients = jax.value_and_grad(loss)(state.parameters, goal, batch, key)
        updates, memory = optimizer.update(gradients, state.optimizer, state.parameters)
        parameters = optax.apply_updates(state.parameters, updates)
        num_steps = state.num_steps + 1
        share = jnp.where(num_steps % target_period == 0, target_step, 0.0)
        target = optax.incremental_update(parameters, state.target, share)
        rate = state.rate
        if centre is Centre.gain:
            # The target network on both sides: its error does not shrink as the other is fitted.
            part = slice(0, max(1, batch.actions.shape[0] // 4))
            values = network.apply(state.target, batch.features[part], batch.mask[part])
            excess = goal[part] - picked(values, batch.actions[part])
            rate += rate_step * excess.sum() / jnp.maximum(batch.duration[part].sum(), 1e-6)
        return DqnState(parameters, target, memory, rate, num_steps), error

    return Learner(init, step)
