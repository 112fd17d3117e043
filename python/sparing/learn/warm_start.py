"""A start from known values: the network is fitted to them before it learns by itself.

The values may be the exact ones of a simpler model (`sparing.learn.exact_values`) or any function
of the environment's states. They are met the way a policy meets them: lanes run the environment,
half of their choices the cheapest by those values and half of them random, and each batch of
states is a step of least squares on the values of all allowed choices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sparing._checks import is_number
from sparing.learn.environment import Environment
from sparing.learn.networks import Network, Parameters, explored

Values: TypeAlias = Callable[[jax.Array], jax.Array]

_EXPLORED = 0.5  # share of random choices among those by which states are met
_RESTART = 0.1  # chance that a lane is restarted in a random state at the end of an epoch


@dataclass(frozen=True, kw_only=True, eq=False)
class WarmStart:
    """Values that a network is fitted to before training.

    Parameters
    ----------
    values
        ``values(states [B, W]) -> Q [B, A]``: what each choice costs in states of the environment,
        in units of the objective, with `rate` per unit of duration taken off; inf or nan where
        that is not known. It is called inside `jit`.
    rate
        What was taken off: of an average cost its gain, of a discounted cost any number.
    name
        What it is; training that is resumed must have been started from the same.
    steps, batch, learning_rate
        Of the fit; the rate falls linearly to zero.
    epsilon
        What exploration begins at, in place of the settings' (but not below their end).
    """

    values: Values
    rate: float = 0.0
    name: str = "given values"
    steps: int = 2_000
    batch: int = 512
    learning_rate: float = 3e-3
    epsilon: float = 0.3

    def __post_init__(self) -> None:
        if not callable(self.values):
            raise ValueError(
                "values must be a function of states; got an object of type"
                f" {type(self.values).__name__}."
            )
        for name in ("steps", "batch"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1; got {value!r}.")
        if not (is_number(self.rate) and np.isfinite(self.rate)):
            raise ValueError(f"rate must be a finite number; got {self.rate!r}.")
        if not (is_number(self.learning_rate) and 0.0 < self.learning_rate < float("inf")):
            raise ValueError(
                f"learning_rate must be above 0 and finite; got {self.learning_rate!r}."
            )
        if not (is_number(self.epsilon) and 0.0 <= self.epsilon <= 1.0):
            raise ValueError(f"epsilon must be in [0, 1]; got {self.epsilon!r}.")

    def as_json(self) -> dict[str, Any]:
        """Return what tells starts apart."""
        numbers = ("rate", "steps", "batch", "learning_rate", "epsilon")
        return {"name": self.name, **{name: getattr(self, name) for name in numbers}}


def own_values(given: Any, model: str) -> WarmStart | None:
    """Return the start that was given for a `model` that has no table of exact values.

    Raises
    ------
    ValueError
        If it is a model itself, as its values cannot be taken over.
    """
    if given is None or isinstance(given, WarmStart):
        return given
    raise ValueError(
        f"{model} has no table of exact values to start from; give a WarmStart of values of your"
        f" own, not an object of type {type(given).__name__}."
    )


def fitted(
    warm: WarmStart,
    environment: Environment,
    network: Network,
    parameters: Parameters,
    key: jax.Array,
    scale: jax.Array,
) -> Parameters:
    """Return `parameters` of `network` fitted to the values times `scale`.

    A network with a single output in place of one per choice (that of state values) is fitted to
    the cheapest choice.
    """
    schedule = optax.linear_schedule(warm.learning_rate, 0.0, warm.steps)
    optimizer = optax.adam(schedule)
    is_value = network.num_actions == 1 < environment.num_actions

    def loss(trained: Parameters, states: jax.Array, known: jax.Array, goal: jax.Array) -> Any:
        mask = environment.mask(states)
        seen = environment.features(states)
        if is_value:
            found = network.apply(trained, seen, mask[:, :1])
            goal = jnp.where(known, goal, jnp.inf).min(axis=1, keepdims=True)
            known = jnp.isfinite(goal)
        else:
            found = network.apply(trained, seen, mask)
        error = jnp.where(known, found - jnp.where(known, goal, 0.0), 0.0)
        return jnp.square(error).sum() / jnp.maximum(known.sum(), 1)

    def step(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        trained, memory, states = carry
        parts = jax.random.split(key, 4)
        mask, given = environment.mask(states), warm.values(states)
        known = mask & jnp.isfinite(given)
        error, gradients = jax.value_and_grad(loss)(trained, states, known, given * scale)
        updates, memory = optimizer.update(gradients, memory, trained)
        draws = jax.random.uniform(parts[0], (3, states.shape[0]))
        priced = jnp.where(known, given, jnp.inf)
        actions = explored(draws[:2], priced, mask, jnp.float32(_EXPLORED))
        moved = environment.step(parts[1], states, actions)
        over = moved.epoch_ended & ((moved.discount == 0.0) | (draws[2] < _RESTART))
        fresh = environment.random_states(parts[2], states.shape[0])
        states = jnp.where(over[:, None], fresh, moved.states)
        return (optax.apply_updates(trained, updates), memory, states), error

    begin, running = jax.random.split(key)
    states = environment.random_states(begin, warm.batch)
    start = parameters, optimizer.init(parameters), states
    return jax.lax.scan(step, start, jax.random.split(running, warm.steps))[0][0]
