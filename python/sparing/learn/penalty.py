"""Forbidden choices at a price, in place of the mask: the way of Jimenez Gonzalez (2021)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.learn.environment import Transition
from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.flow import Rows


class PenalisedEnvironment:
    """An environment in which every choice may be taken, but a forbidden one costs extra.

    It costs `penalty` times how far it would make the state worse, at least once (sec. 4.3.4: "the
    more the action worses the component, the higher it is penalized"), and what is done is the
    first choice that is allowed there. How far is known in the flat view of models whose choices
    name the state reached; elsewhere it is one.
    """

    def __init__(self, environment: EpochEnvironment, penalty: float) -> None:
        self.environment, self.penalty = environment, penalty
        self.num_actions = environment.num_actions
        self.num_features = environment.num_features
        self.state_width = environment.state_width
        self.finite = environment.finite
        self._posts = _posts(environment)

    def initial(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return the states at which the model starts."""
        return self.environment.initial(key, lanes)

    def random_states(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return random states at the start of an epoch."""
        return self.environment.random_states(key, lanes)

    def features(self, states: jax.Array) -> jax.Array:
        """Return what a network sees."""
        return self.environment.features(states)

    def mask(self, states: jax.Array) -> jax.Array:
        """Return true everywhere."""
        return jnp.ones((states.shape[0], self.num_actions), jnp.bool_)

    def step(self, key: jax.Array, states: jax.Array, actions: jax.Array) -> Transition:
        """Take the choices, or the first allowed ones at a penalty."""
        mask = self.environment.mask(states)
        allowed = jnp.take_along_axis(mask, actions[:, None], axis=1)[:, 0]
        found = self.environment.step(key, states, jnp.where(allowed, actions, mask.argmax(-1)))
        worse = jnp.float32(1.0)
        if self._posts is not None:
            now = states[:, states.shape[1] - self._posts.shape[1] :]
            excess = jnp.maximum(jnp.asarray(self._posts)[actions] - now, 0).sum(axis=1)
            worse = jnp.maximum(excess, 1).astype(jnp.float32)
        return found._replace(cost=found.cost + jnp.where(allowed, 0.0, self.penalty * worse))


def _posts(environment: EpochEnvironment) -> NDArray[np.int32] | None:
    """Return the coordinates [A, axes] that each joint action leads to, None where unknown.

    Doing nothing leads to where one is, which is no worse: its row is zero.
    """
    code: list[Any] = [environment.interpreter.flow.code[p.pc] for p in environment.points]
    if environment.view != "flat" or len(code) != 1 or not isinstance(code[0], Rows):
        return None
    rows = code[0]
    assert rows.choice is not None
    if rows.reads != rows.writes or environment.state_width != 1 + len(rows.reads):
        return None
    posts = np.full((rows.num_choices, rows.to.shape[1]), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(posts, rows.choice, rows.to.astype(np.int32))
    return posts
