"""The functional environment of gymnax 1.0: six values a step, ended and cut off kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from sparing.learn.epoch_environment import EpochEnvironment


class GymnaxState(NamedTuple):
    """A lane: its integers [W] and the choices made in the episode."""

    state: jax.Array  # [W] int32
    time: jax.Array  # [] int32


class GymnaxParams(NamedTuple):
    """Choices after which an episode is cut off."""

    max_steps_in_episode: int = 1000


@dataclass(frozen=True, eq=False)
class GymnaxEnvironment:
    """One lane, to be vmapped: ``reset(key, params)`` and ``step(key, state, action, params)``.

    A step returns observation, state, reward (minus the objective's cost), terminated, truncated
    and info. The episode that follows one that ended or was cut off has begun by then;
    ``info["final_observation"]`` is what was seen before, ``info["action_mask"]`` what is allowed
    in the returned state, ``info["final_action_mask"]`` in the one before a reset, and
    ``info["discount"]`` weighs the value behind the step.
    """

    environment: EpochEnvironment

    @property
    def default_params(self) -> GymnaxParams:
        """Episodes of a thousand choices."""
        return GymnaxParams()

    @property
    def name(self) -> str:
        """Name of the environment."""
        return f"sparing-{self.environment.view}"

    @property
    def num_actions(self) -> int:
        """Number of actions."""
        return self.environment.num_actions

    def action_space(self, params: GymnaxParams | None = None) -> Any:
        """Return the actions as gymnax's space (needs gymnax)."""
        from gymnax.environments import spaces

        return spaces.Discrete(self.num_actions)

    def observation_space(self, params: GymnaxParams | None = None) -> Any:
        """Return the observations as gymnax's space (needs gymnax)."""
        from gymnax.environments import spaces

        low, high = self.environment.feature_bounds
        return spaces.Box(low, high, (self.environment.num_features,), jnp.float32)

    def reset(
        self, key: jax.Array, params: GymnaxParams | None = None
    ) -> tuple[jax.Array, GymnaxState]:
        """Return the first observation [F] and state of an episode."""
        states = self.environment.initial(key, 1)
        return self.environment.features(states)[0], GymnaxState(states[0], jnp.int32(0))

    def step(
        self,
        key: jax.Array,
        state: GymnaxState,
        action: jax.Array,
        params: GymnaxParams | None = None,
    ) -> tuple[jax.Array, GymnaxState, jax.Array, jax.Array, jax.Array, dict[str, Any]]:
        """Take an allowed choice."""
        environment = self.environment
        limit = (params or self.default_params).max_steps_in_episode
        draw, restart = jax.random.split(key)
        moved = environment.step(draw, state.state[None], jnp.asarray(action)[None])
        terminated = moved.discount[0] == 0.0
        time = state.time + 1
        truncated = (time >= limit) & ~terminated
        ended = terminated | truncated
        fresh = environment.initial(restart, 1)
        states = jnp.where(ended, fresh, moved.states)
        seen = environment.features(moved.states)[0]
        info = {
            "terminated": terminated,
            "truncated": truncated,
            "final_observation": seen,
            "final_action_mask": environment.mask(moved.states)[0],
            "action_mask": environment.mask(states)[0],
            "discount": moved.discount[0],
            "duration": moved.duration[0],
            "epoch_ended": moved.epoch_ended[0],
        }
        after = GymnaxState(states[0], jnp.where(ended, 0, time))
        observation = jnp.where(ended, environment.features(states)[0], seen)
        return observation, after, -moved.cost[0], terminated, truncated, info
