"""What learners run: an epoch forward, many lanes at once, as pure functions of arrays.

A state is a row of integers, so that a replay buffer stays small; features and masks are rebuilt
from it. Every function may be called inside `jit`, `scan` and `vmap`, asks for no float64 and
moves nothing between host and device.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import jax


class Transition(NamedTuple):
    """What a choice led to, for a batch of B lanes.

    Attributes
    ----------
    states
        int32 [B, W]: where the next choice is met.
    cost
        float32 [B]: the objective's cost of the choice and of all that happens until the next one.
    duration
        float32 [B]: 0 within an epoch, the epoch's duration at its end; 1 where the model has none.
    discount
        float32 [B]: 1 within an epoch, the model's discount at its end, 0 where a finite horizon
        has ended.
    epoch_ended
        bool [B]: whether the next choice belongs to the next epoch.
    """

    states: jax.Array
    cost: jax.Array
    duration: jax.Array
    discount: jax.Array
    epoch_ended: jax.Array


class Environment(Protocol):
    """A model as a decision process of masked choices.

    Attributes
    ----------
    num_actions
        A: width of a network's head and of the mask.
    num_features
        F: width of the features.
    state_width
        W: integers that hold the state of one lane, a partial decision included.
    finite
        Whether an episode comes to an end, where `Transition.discount` is 0.
    """

    num_actions: int
    num_features: int
    state_width: int
    finite: bool

    def initial(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return the states int32 [lanes, W] at which the model starts."""
        ...

    def random_states(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return random states int32 [lanes, W] at the start of an epoch, for restarts."""
        ...

    def features(self, states: jax.Array) -> jax.Array:
        """Return what a network sees, float32 [B, F], of states [B, W]."""
        ...

    def mask(self, states: jax.Array) -> jax.Array:
        """Return the allowed choices, bool [B, A], of states [B, W]; there is always one."""
        ...

    def step(self, key: jax.Array, states: jax.Array, actions: jax.Array) -> Transition:
        """Take choices [B] in states [B, W] and run on to the next choice."""
        ...
