"""Hidden degradation as an environment: choices component by component, on what is believed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.beliefs.component_filter import jax_update
from sparing.learn.environment import Transition
from sparing.models.hidden import HiddenComponent, HiddenProblem

CHOICES = ("nothing", "repair", "inspect")
_FEW = 10  # components up to which the downtime is expected over all outcomes of a period
_MOST_AGES = 50
_FAILED = 0.2  # chance of failed in a random state


class BeliefEnvironment:
    """A `HiddenProblem` as an `Environment`: in each period one choice for every component.

    A state holds the component that is chosen for, the period, the choices made in it, the true
    states of the components and, bit-cast to int32, their beliefs. The true states decide what is
    observed and are no feature.

    The cost of a period is what its choices cost and the discounted cost of the next period's
    downtime, none after the last one. With ten components or fewer the downtime is expected given
    the beliefs and the choices, which is the same on average and far less noisy; with more it is
    that of the true states.

    Attributes
    ----------
    choices
        What the actions mean, the same for every component; what one lacks is masked.
    feature_bounds
        The least and the largest value of any feature.
    """

    choices = CHOICES
    feature_bounds = (0.0, 1.0)

    def __init__(self, problem: HiddenProblem) -> None:
        self.problem = problem
        components = problem.components
        count = len(components)
        self.widths = [component.num_states for component in components]
        self.num_actions = len(CHOICES)
        self.finite = problem.periods is not None
        time = 0 if problem.periods is None else 3
        self.num_features = sum(self.widths) + count * (1 + len(CHOICES)) + time
        self.state_width = 2 + 2 * count + sum(self.widths)
        self._dice = [_Dice(component) for component in components]
        self._allowed = np.array([[name in c.options for name in CHOICES] for c in components])
        fees = [dict(zip(c.options, c.option_cost, strict=True)) for c in components]
        self._fees = np.array([[fee.get(n, 0.0) for n in CHOICES] for fee in fees], np.float32)
        self._first = np.concatenate([[0], np.cumsum(self.widths)])

    def initial(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return states int32 [lanes, W] at the first choice, all components new."""
        new = np.concatenate([np.eye(width)[0] for width in self.widths])
        return self.states_at(np.tile(new, (lanes, 1)), 0)

    def states_at(self, beliefs: ArrayLike, period: int | jax.Array) -> jax.Array:
        """Return states at a period's first choice, from beliefs [B, states side by side].

        The true states are the likeliest ones; use them for choices, not to simulate on.
        """
        given = jnp.asarray(beliefs, jnp.float32)
        states = [part.argmax(axis=1) for part in self._split(given)]
        return self._store(period, states, given)

    def random_states(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return states at the first choice of a random period, from random beliefs.

        A component is failed, or it was new some periods ago and not looked at since, or its
        belief is uniform on the simplex of working states. True states are drawn by the beliefs.
        """
        key, period = jax.random.split(key)
        beliefs, states = [], []
        for dice, part in zip(self._dice, jax.random.split(key, len(self._dice)), strict=True):
            belief, state = dice.random(part, lanes)
            beliefs.append(belief)
            states.append(state)
        last = 1 if self.problem.periods is None else self.problem.periods
        drawn = jax.random.randint(period, (lanes,), 0, last, dtype=jnp.int32)
        return self._store(drawn, states, jnp.concatenate(beliefs, axis=1))

    def _store(
        self, period: int | jax.Array, states: Sequence[jax.Array], beliefs: jax.Array
    ) -> jax.Array:
        lanes, count = len(beliefs), len(self.widths)
        head = jnp.zeros((lanes, 2 + count), jnp.int32).at[:, 1].set(period)
        true = jnp.stack([state.astype(jnp.int32) for state in states], axis=1)
        bits = jax.lax.bitcast_convert_type(beliefs.astype(jnp.float32), jnp.int32)
        return jnp.concatenate([head, true, bits], axis=1)

    def beliefs(self, states: jax.Array) -> jax.Array:
        """Return what is believed, float32 [B, states of all components side by side]."""
        bits = states[:, 2 + 2 * len(self.widths) :]
        return jax.lax.bitcast_convert_type(bits, jnp.float32)

    def true_states(self, states: jax.Array) -> jax.Array:
        """Return the true states of the components, int32 [B, components]."""
        return states[:, 2 + len(self.widths) : 2 + 2 * len(self.widths)]

    def features(self, states: jax.Array) -> jax.Array:
        """Return what a network sees, float32 [B, F], all within 0 and 1.

        The beliefs; the component that is chosen for; the choices made in this period; and of a
        finite horizon how much is left, finer towards its end.
        """
        count = len(self.widths)
        place, made = states[:, 0], states[:, 2 : 2 + count]
        decided = (jnp.arange(count) < place[:, None])[:, :, None]
        taken = jax.nn.one_hot(made, self.num_actions) * decided
        parts = [
            self.beliefs(states),
            jax.nn.one_hot(place, count),
            taken.reshape(len(states), count * self.num_actions),
        ]
        if self.problem.periods is not None:
            left = (self.problem.periods - states[:, 1]).astype(jnp.float32)
            share = left / self.problem.periods
            parts.append(jnp.stack([share, 1.0 / left, jnp.exp(-left / 5.0)], axis=1))
        return jnp.concatenate(parts, axis=1)

    def mask(self, states: jax.Array) -> jax.Array:
        """Return the allowed choices, bool [B, 3]: nothing is always allowed."""
        return jnp.asarray(self._allowed)[states[:, 0]]

    def step(self, key: jax.Array, states: jax.Array, actions: jax.Array) -> Transition:
        """Take choices [B]; behind the last component the period ends.

        What a choice that is not allowed leads to is not defined.
        """
        count, place = len(self.widths), states[:, 0]
        actions = jnp.asarray(actions, jnp.int32)
        here = jnp.arange(count) == place[:, None]
        made = jnp.where(here, actions[:, None], states[:, 2 : 2 + count])
        ended = place == count - 1
        following, failing = self._aged(key, states, made)
        is_last = jnp.zeros_like(ended)
        if self.problem.periods is not None:
            is_last = ended & (states[:, 1] == self.problem.periods - 1)
        waiting = states.at[:, 0].add(1).at[:, 2 : 2 + count].set(made)
        weight = jnp.float32(self.problem.discount) * (ended & ~is_last)
        down = jnp.float32(self.problem.downtime_cost) * self._down(failing)
        return Transition(
            states=jnp.where(ended[:, None], following, waiting),
            cost=jnp.asarray(self._fees)[place, actions] + weight * down,
            duration=ended.astype(jnp.float32),
            discount=jnp.where(ended, weight, 1.0),
            epoch_ended=ended,
        )

    def _aged(
        self, key: jax.Array, states: jax.Array, made: jax.Array
    ) -> tuple[jax.Array, list[jax.Array]]:
        """Return the states a period later, and how sure each component is to be failed [B]."""
        beliefs = self._split(self.beliefs(states))
        true = self.true_states(states)
        draws = jax.random.uniform(key, (len(self._dice), 3, len(states)))
        next_beliefs, next_states, failing = [], [], []
        for i, dice in enumerate(self._dice):
            option = dice.option_of[made[:, i]]
            state, seen = dice.rolled(draws[i], true[:, i], option)
            next_beliefs.append(dice.updated(beliefs[i], option, seen))
            next_states.append(state)
            if len(self._dice) <= _FEW:
                failing.append(dice.failing(beliefs[i], option))
            else:
                failing.append((state == dice.last).astype(jnp.float32))
        period = states[:, 1] + (self.problem.periods is not None)
        last = (self.problem.periods or 1) - 1
        period = jnp.minimum(period, last)  # behind the end nothing counts, and features are finite
        return self._store(period, next_states, jnp.concatenate(next_beliefs, axis=1)), failing

    def _down(self, failing: Sequence[jax.Array]) -> jax.Array:
        """Return the chance [B] of the structure being false."""
        if len(failing) > _FEW:  # certain: 0 or 1 each
            index = sum(
                (1 - chance.astype(jnp.int32)) << (len(failing) - 1 - i)
                for i, chance in enumerate(failing)
            )
            return 1.0 - jnp.asarray(self.problem.works.reshape(-1), jnp.float32)[index]
        up: Any = jnp.asarray(self.problem.works, jnp.float32)[..., None]
        for chance in failing:
            up = up[0] * chance + up[1] * (1.0 - chance)
        return jnp.asarray(1.0 - up)

    def _split(self, beliefs: jax.Array) -> list[jax.Array]:
        return [beliefs[:, a:b] for a, b in pairwise(self._first)]


class _Dice:
    """What happens to one component, true and believed."""

    def __init__(self, component: HiddenComponent) -> None:
        self.last = component.num_states - 1
        numbers = [component.options.index(n) if n in component.options else 0 for n in CHOICES]
        self.option_of = jnp.asarray(numbers, jnp.int32)
        self._update = jax_update(component)
        self._success = jnp.asarray(component.option_success, jnp.float32)
        self._to_failed = jnp.asarray(component.transition[:, -1], jnp.float32)
        self._next = _cumulative(component.transition)
        self._seen = _cumulative(component.channel)
        self._aged = jnp.asarray(_unseen(component), jnp.float32)

    def rolled(
        self, draws: jax.Array, states: jax.Array, options: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Return the next true state and what is observed, by draws [3, B] uniform in [0, 1)."""
        states = jnp.where(draws[0] < self._success[options], 0, states)
        states = _picked(draws[1], self._next[states])
        return states, _picked(draws[2], self._seen[options, states])

    def updated(self, beliefs: jax.Array, options: jax.Array, seen: jax.Array) -> jax.Array:
        """Return the beliefs [B, states] after an observation; failed is known for certain."""
        found = self._update(beliefs, options, seen)[0]
        # A compiled division may miss 1 by a rounding, and policies look for failed with certainty.
        failed = jnp.arange(self.last + 1) == self.last
        found = jnp.where(found[:, -1:] > 0.5, failed, jnp.minimum(found, 1.0))
        return jnp.asarray(found, jnp.float32)

    def failing(self, beliefs: jax.Array, options: jax.Array) -> jax.Array:
        """Return the chance [B] of being failed a period later."""
        new = self._success[options]
        return new * self._to_failed[0] + (1.0 - new) * (beliefs @ self._to_failed)

    def random(self, key: jax.Array, lanes: int) -> tuple[jax.Array, jax.Array]:
        """Return random beliefs [lanes, states], and true states [lanes] by them."""
        parts = jax.random.split(key, 4)
        draws = jax.random.uniform(parts[0], (2, lanes))
        age = jax.random.randint(parts[1], (lanes,), 0, len(self._aged))
        spread = jax.random.exponential(parts[2], (lanes, self.last))
        spread = jnp.pad(spread / spread.sum(axis=1, keepdims=True), ((0, 0), (0, 1)))
        belief = jnp.where((draws[0] < 0.5)[:, None], self._aged[age], spread)
        failed = jnp.arange(self.last + 1) == self.last
        belief = jnp.where((draws[1] < _FAILED)[:, None], failed, belief)
        state = jax.random.categorical(parts[3], jnp.log(belief), axis=1)
        return belief.astype(jnp.float32), state


def _cumulative(chances: NDArray[np.float64]) -> jax.Array:
    """Return running sums that no draw below 1 passes where the rest has no chance."""
    total = chances.cumsum(axis=-1)
    return jnp.asarray(np.where(total > 1.0 - 1e-9, 2.0, total), jnp.float32)


def _picked(draws: jax.Array, cumulative: jax.Array) -> jax.Array:
    return (draws[:, None] >= cumulative).sum(axis=1).astype(jnp.int32)


def _unseen(component: HiddenComponent) -> NDArray[np.float64]:
    """Return the beliefs [ages, states] of a component that was new and has only not failed."""
    belief = np.eye(component.num_states)[0]
    found = [belief]
    while len(found) < _MOST_AGES:
        belief = belief @ component.transition
        belief[-1] = 0.0
        if not belief.sum() > 1e-12:
            break
        belief /= belief.sum()
        found.append(belief)
    return np.array(found)
