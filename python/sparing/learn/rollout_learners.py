"""Learners that need no memory: many lanes run a few steps, which are learned from at once.

`pqn` is parallelised Q-learning (Gallici et al. 2025): layer normalisation in place of a target
network, returns over several steps in place of a replay. `qv` is QV-learning (Wiering 2005): the
Q-network acts, and a separate network of state values supplies the bootstrap of both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from sparing.learn.learners import Centre, Learner
from sparing.learn.networks import Network, Parameters, cheapest, picked, value_network


class Rollout(NamedTuple):
    """T successive choices on each of L lanes; no lane is restarted within."""

    features: jax.Array  # [T + 1, L, F], with the state behind the last choice
    mask: jax.Array  # [T + 1, L, A]
    actions: jax.Array  # [T, L]
    cost: jax.Array  # [T, L]
    duration: jax.Array  # [T, L]
    discount: jax.Array  # [T, L]


class RolloutState(NamedTuple):
    """Parameters (those of the values under "value" for `qv`), optimiser's memory and rate."""

    parameters: Parameters
    value: Parameters
    optimizer: optax.OptState
    rate: jax.Array  # []
    num_steps: jax.Array  # [] int32


Returns = Callable[[Parameters, Parameters, Rollout, jax.Array], tuple[jax.Array, jax.Array]]


def pqn(
    network: Network,
    optimizer: optax.GradientTransformation,
    *,
    trace: float = 0.8,
    num_passes: int = 2,
    num_batches: int = 2,
    centre: Centre = Centre.gain,
    rate_step: float = 0.05,
) -> Learner:
    """Return Q(lambda) learning on rollouts, lambda = `trace`, cut at exploratory choices.

    Each rollout is gone over `num_passes` times in `num_batches` random parts.
    """

    def returns(
        parameters: Parameters, value: Parameters, found: Rollout, rate: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        values = network.apply(parameters, found.features, found.mask)  # [T + 1, L, A]
        best = picked(values, cheapest(values, found.mask))
        taken = picked(values[:-1], found.actions)
        follows = taken <= best[:-1]  # the choice taken is a greedy one
        goal = traced(found, rate, best, jnp.where(follows, trace, 0.0))
        one_step = found.cost - rate * found.duration + found.discount * best[1:]
        return goal, one_step - taken

    def loss(trained: Any, features: Any, mask: Any, actions: Any, goal: Any) -> jax.Array:
        values = network.apply(trained["q"], features, mask)
        return jnp.square(picked(values, actions) - goal).mean()

    def init_value(key: jax.Array) -> Parameters:
        return {}

    shape = num_passes, num_batches
    return _learner(network, optimizer, returns, loss, init_value, shape, centre, rate_step)


def qv(
    network: Network,
    optimizer: optax.GradientTransformation,
    *,
    trace: float = 0.8,
    num_passes: int = 2,
    num_batches: int = 2,
    centre: Centre = Centre.gain,
    rate_step: float = 0.05,
) -> Learner:
    """Return QV(lambda): both networks are fitted to returns that the state values bootstrap.

    The values are those of the policy that acts, exploration included.
    """
    critic = value_network(network)

    def returns(
        parameters: Parameters, value: Parameters, found: Rollout, rate: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        values = critic.apply(value, found.features, found.mask[..., :1])[..., 0]
        goal = traced(found, rate, values, jnp.full(found.cost.shape, trace))
        one_step = found.cost - rate * found.duration + found.discount * values[1:]
        return goal, one_step - values[:-1]

    def loss(trained: Any, features: Any, mask: Any, actions: Any, goal: Any) -> jax.Array:
        values = network.apply(trained["q"], features, mask)
        value = critic.apply(trained["v"], features, mask[..., :1])[..., 0]
        acting = jnp.square(picked(values, actions) - goal).mean()
        return acting + jnp.square(value - goal).mean()

    shape = num_passes, num_batches
    return _learner(network, optimizer, returns, loss, critic.init, shape, centre, rate_step)


def traced(found: Rollout, rate: jax.Array, values: jax.Array, trace: jax.Array) -> jax.Array:
    """Return the lambda-returns [T, L]: mixed at each step with the `values` [T + 1, L] there.

    `trace` [T, L] is lambda, or 0 where the choice taken must not count for the one before it.
    """

    def back(following: jax.Array, row: Any) -> tuple[jax.Array, jax.Array]:
        cost, duration, discount, value, share = row
        goal = cost - rate * duration + discount * following
        return share * goal + (1.0 - share) * value, goal

    rows = found.cost, found.duration, found.discount, values[:-1], trace
    return jax.lax.scan(back, values[-1], rows, reverse=True)[1]


def _learner(
    network: Network,
    optimizer: optax.GradientTransformation,
    returns: Returns,
    loss: Callable[..., jax.Array],
    init_value: Callable[[jax.Array], Parameters],
    shape: tuple[int, int],
    centre: Centre,
    rate_step: float,
) -> Learner:
    def init(key: jax.Array) -> RolloutState:
        parameters = network.init(key)
        value = init_value(jax.random.fold_in(key, 1))
        memory = optimizer.init({"q": parameters, "v": value})
        return RolloutState(parameters, value, memory, jnp.float32(0.0), jnp.int32(0))

    def step(key: jax.Array, state: RolloutState, found: Rollout) -> tuple[RolloutState, jax.Array]:
        num_passes, num_batches = shape
        length, lanes = found.actions.shape
        size = length * lanes // num_batches

        def update(carry: Any, rows: jax.Array) -> tuple[Any, jax.Array]:
            trained, memory = carry
            part = [x.reshape(-1, *x.shape[2:])[rows] for x in learned_from]
            error, gradients = jax.value_and_grad(loss)(trained, *part)
            updates, memory = optimizer.update(gradients, memory, trained)
            return (optax.apply_updates(trained, updates), memory), error

        def go_over(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            trained, memory, _ = carry
            order = jax.random.permutation(key, length * lanes)[: size * num_batches]
            (trained, memory), errors = jax.lax.scan(
                update, (trained, memory), order.reshape(num_batches, size)
            )
            return (trained, memory, errors.mean()), errors.mean()

        goal, excess = returns(state.parameters, state.value, found, state.rate)
        learned_from = (found.features[:-1], found.mask[:-1], found.actions, goal)
        trained = {"q": state.parameters, "v": state.value}
        start = trained, state.optimizer, jnp.float32(0.0)
        (trained, memory, error), _ = jax.lax.scan(
            go_over, start, jax.random.split(key, num_passes)
        )
        rate = state.rate
        if centre is Centre.gain:
            rate += rate_step * excess.sum() / jnp.maximum(found.duration.sum(), 1e-6)
        return RolloutState(trained["q"], trained["v"], memory, rate, state.num_steps + 1), error

    return Learner(init, step)
