"""Environments for learners that speak Gymnasium: many lanes at once, or a single one.

Rewards are minus the objective's cost. An episode is cut off (truncated, not terminated) after a
number of choices, as most of these problems never end; a finite horizon terminates.
"""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from sparing.learn.epoch_environment import EpochEnvironment

Actions = NDArray[np.integer[Any]]


class _Core:
    """What both adapters share: states of all lanes, and compiled functions of them."""

    def __init__(self, environment: EpochEnvironment, num_envs: int) -> None:
        self.environment, self.num_envs = environment, num_envs
        low, high = environment.feature_bounds
        self.observation_space = spaces.Box(low, high, (environment.num_features,), np.float32)
        self.action_space = spaces.Discrete(environment.num_actions)
        self._begin = jax.jit(lambda key: self._seen(environment.initial(key, num_envs)))
        self._step = jax.jit(self._advance)
        self.key = jax.random.key(0)
        self.states = jnp.zeros((num_envs, environment.state_width), jnp.int32)
        self.mask = np.ones((num_envs, environment.num_actions), dtype=np.int8)
        self.length = np.zeros(num_envs, dtype=np.int64)

    def _seen(self, states: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        mask = self.environment.mask(states).astype(jnp.int8)
        return states, self.environment.features(states), mask

    def _advance(self, key: jax.Array, states: jax.Array, actions: jax.Array) -> Any:
        moved = self.environment.step(key, states, actions)
        return moved, *self._seen(moved.states)[1:]

    def next_key(self) -> jax.Array:
        """Return a key that was not used before."""
        keys = jax.random.split(self.key)
        self.key = keys[0]
        return keys[1]

    def reset(self, seed: int | None) -> NDArray[np.float32]:
        """Start all lanes anew; the draws go on unless a seed is given."""
        if seed is not None:
            self.key = jax.random.key(seed)
        self.states, features, mask = self._begin(self.next_key())
        self.mask, self.length = np.asarray(mask), np.zeros(self.num_envs, dtype=np.int64)
        return np.asarray(features)

    def checked(self, actions: Actions, penalty: float | None) -> tuple[Actions, Any]:
        """Return allowed actions and what the others are charged, or raise."""
        chosen = np.asarray(actions, dtype=np.int64).reshape(self.num_envs)
        allowed = self.mask[np.arange(self.num_envs), chosen].astype(bool)
        if penalty is None:
            for lane in np.flatnonzero(~allowed)[:1]:
                raise ValueError(
                    f"environment {lane}: action {chosen[lane]} is not allowed here; allowed:"
                    f" {np.flatnonzero(self.mask[lane]).tolist()}. Use info['action_mask'], or give"
                    " a penalty."
                )
            return chosen, np.zeros(self.num_envs)
        return np.where(allowed, chosen, self.mask.argmax(axis=1)), np.where(allowed, 0.0, penalty)

    def step(self, actions: Actions) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_]]:
        """Return the transition, what is seen behind it, and where a horizon has ended."""
        moved, features, mask = self._step(
            self.next_key(), self.states, jnp.asarray(actions, jnp.int32)
        )
        self.states, self.mask = moved.states, np.asarray(mask)
        self.length = self.length + 1
        return moved, np.asarray(features), np.asarray(moved.discount) == 0.0

    def restart(self, lanes: NDArray[np.bool_], seen: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `seen` with the first observations of new episodes in `lanes`."""
        states, features, mask = self._begin(self.next_key())
        self.states = jnp.where(jnp.asarray(lanes)[:, None], states, self.states)
        self.mask = np.where(lanes[:, None], np.asarray(mask), self.mask)
        self.length = np.where(lanes, 0, self.length)
        return np.where(lanes[:, None], np.asarray(features), seen)


class GymnasiumVectorEnvironment(VectorEnv):  # type: ignore[misc]
    """Lanes of an environment as a Gymnasium `VectorEnv`.

    Parameters
    ----------
    environment
        A view of a model.
    num_envs
        Lanes.
    episode_length
        Choices after which an episode is truncated.
    penalty
        What an action that is not allowed is charged, the first allowed one being taken in its
        place; None: it raises a ValueError.

    Notes
    -----
    ``info["action_mask"]`` int8 [num_envs, actions] holds what is allowed next,
    ``info["epoch_ended"]`` and ``info["discount"]`` the boundary of epochs. Lanes reset in the
    step in which their episode ends; ``info["final_obs"]`` is what was seen before.
    """

    def __init__(
        self,
        environment: EpochEnvironment,
        num_envs: int = 1,
        *,
        episode_length: int = 1000,
        penalty: float | None = None,
    ) -> None:
        _check("num_envs", num_envs)
        _check("episode_length", episode_length)
        self._core = _Core(environment, num_envs)
        self.num_envs, self.episode_length, self.penalty = num_envs, episode_length, penalty
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": []}
        self.single_observation_space = self._core.observation_space
        self.single_action_space = self._core.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start all lanes anew."""
        super().reset(seed=seed)
        seen = self._core.reset(seed)
        return seen, {"action_mask": self._core.mask}

    def step(
        self, actions: Actions
    ) -> tuple[NDArray[np.float32], Any, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Take a choice in every lane."""
        core = self._core
        chosen, charged = core.checked(actions, self.penalty)
        moved, seen, terminated = core.step(chosen)
        truncated = (core.length >= self.episode_length) & ~terminated
        ended = terminated | truncated
        info: dict[str, Any] = {
            "epoch_ended": np.asarray(moved.epoch_ended),
            "duration": np.asarray(moved.duration),
            "discount": np.asarray(moved.discount),
        }
        if ended.any():
            info |= {"final_obs": seen, "_final_obs": ended, "final_mask": core.mask}
            seen = core.restart(ended, seen)
        info["action_mask"] = core.mask
        return seen, -np.asarray(moved.cost, np.float64) - charged, terminated, truncated, info


class GymnasiumEnvironment(gymnasium.Env):  # type: ignore[misc]
    """One lane of an environment as a Gymnasium `Env`, for learners that take no vector.

    The parameters are those of `GymnasiumVectorEnvironment`; an episode has to be reset by hand.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - Gymnasium's own form

    def __init__(
        self,
        environment: EpochEnvironment,
        *,
        episode_length: int = 1000,
        penalty: float | None = None,
    ) -> None:
        _check("episode_length", episode_length)
        self._core = _Core(environment, 1)
        self.episode_length, self.penalty = episode_length, penalty
        self.observation_space = self._core.observation_space
        self.action_space = self._core.action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start an episode."""
        super().reset(seed=seed)
        return self._core.reset(seed)[0], {"action_mask": self._core.mask[0]}

    def step(
        self, action: Any
    ) -> tuple[NDArray[np.float32], SupportsFloat, bool, bool, dict[str, Any]]:
        """Take a choice."""
        core = self._core
        chosen, charged = core.checked(np.array([action]), self.penalty)
        moved, seen, terminated = core.step(chosen)
        truncated = bool(core.length[0] >= self.episode_length) and not terminated[0]
        info = {
            "action_mask": core.mask[0],
            "epoch_ended": bool(moved.epoch_ended[0]),
            "duration": float(moved.duration[0]),
            "discount": float(moved.discount[0]),
        }
        reward = -float(moved.cost[0]) - float(charged[0])
        return seen[0], reward, bool(terminated[0]), truncated, info


def _check(name: str, value: int) -> None:
    if not value >= 1:
        raise ValueError(f"{name} must be at least 1; got {value}.")
