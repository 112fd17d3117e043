"""One iteration of a training: every lane makes some choices, then the learner steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from sparing.learn.environment import Environment
from sparing.learn.learners import Learner
from sparing.learn.networks import Network, cheapest, explored
from sparing.learn.replay import Replay, draw, step_weight, write
from sparing.learn.rollout_learners import Rollout
from sparing.learn.settings import Settings


class Carry(NamedTuple):
    """All that training goes on from."""

    learner: Any
    states: jax.Array  # int32 [L, W]
    epochs: jax.Array  # int32 [L] since the lane was started
    replay: Replay | None
    key: jax.Array  # uint32 [2]
    iteration: jax.Array  # int32 []
    scale: jax.Array  # [] what costs are multiplied by


class Report(NamedTuple):
    """Means over an iteration."""

    cost: jax.Array  # of the policy that acts, per duration, exploration included
    loss: jax.Array
    epsilon: jax.Array
    rate: jax.Array  # the learner's rate, in units of cost


class Choices(NamedTuple):
    """What the lanes met and did, [L, ...] or [T, L, ...]; as in `Transition`."""

    features: jax.Array  # float32 [L, F]
    mask: jax.Array  # bool [L, A]
    actions: jax.Array  # int32 [L]
    cost: jax.Array  # float32 [L]
    duration: jax.Array  # float32 [L]
    discount: jax.Array  # float32 [L]
    epoch_ended: jax.Array  # bool [L]


@dataclass(frozen=True, kw_only=True, eq=False)
class Loop:
    """What every iteration is made with; its methods are pure functions of a `Carry`."""

    environment: Environment
    settings: Settings
    network: Network
    learner: Learner

    def iteration(self, carry: Carry, _: None) -> tuple[Carry, Report]:
        """Choose, learn and report."""
        key = jax.random.fold_in(jax.random.wrap_key_data(carry.key), carry.iteration)
        acting, learning, restarting = jax.random.split(key, 3)
        epsilon = self._epsilon(carry.iteration)
        keys = jax.random.split(acting, self.settings.choices)
        if self.settings.choices == 1:
            carry, found = self.choose(carry, keys[0], epsilon)
            found = jax.tree_util.tree_map(lambda x: x[None], found)
        else:
            carry, found = jax.lax.scan(lambda c, k: self.choose(c, k, epsilon), carry, keys)
        if self.settings.uses_rollouts:
            carry, loss = self._learn_from(carry, found, learning)
            carry = self._restarted(carry, restarting)
        else:
            carry, loss = self._learn(carry, learning)
        report = Report(
            cost=found.cost.sum() / jnp.maximum(found.duration.sum(), 1e-6),
            loss=loss,
            epsilon=epsilon,
            rate=carry.learner.rate / carry.scale,
        )
        return carry._replace(iteration=carry.iteration + 1), report

    def _epsilon(self, iteration: jax.Array) -> jax.Array:
        settings = self.settings
        if settings.epsilon_decay is not None:
            fallen = settings.epsilon * settings.epsilon_decay ** iteration.astype(jnp.float32)
            return jnp.maximum(fallen, settings.epsilon_end)
        span = max(1.0, settings.epsilon_share * settings.num_iterations)
        done = jnp.minimum(iteration / span, 1.0)
        return settings.epsilon + (settings.epsilon_end - settings.epsilon) * done

    def choose(
        self, carry: Carry, key: jax.Array, epsilon: jax.Array | None
    ) -> tuple[Carry, Choices]:
        """Make one choice on every lane, note it, and restart some lanes behind it.

        Lanes that are cut off go on in random states. Those at the end of a finite horizon begin
        it again, so that what is met most is what a policy meets from there. Without an `epsilon`
        choices are random.
        """
        environment, states = self.environment, carry.states
        parts = jax.random.split(key, 3)
        draws = jax.random.uniform(parts[0], (3, states.shape[0]))
        features, mask = environment.features(states), environment.mask(states)
        values, share = jnp.zeros(mask.shape), jnp.float32(1.0)
        if epsilon is not None:
            share = epsilon
            values = self.network.apply(carry.learner.parameters, features, mask)
        actions = explored(draws[:2], values, mask, share)
        found = environment.step(parts[1], states, actions)
        over = found.epoch_ended & (found.discount == 0.0)
        epochs = carry.epochs + found.epoch_ended
        cut = self._cut(draws[2], found.epoch_ended, epochs)
        fresh = self._fresh(parts[2], found.states, cut)
        if environment.finite:
            begin = environment.initial(parts[2], states.shape[0])
            fresh = jnp.where(over[:, None], begin, fresh)
        replay = carry.replay
        if replay is not None:
            greedy = actions == cheapest(values, mask)
            if epsilon is None:
                greedy = jnp.zeros_like(greedy)
            replay = write(replay, states, actions, found, cut, greedy)
        noted = Choices(
            features, mask, actions, found.cost, found.duration, found.discount, found.epoch_ended
        )
        epochs = jnp.where(cut | over, 0, epochs)
        return carry._replace(states=fresh, epochs=epochs, replay=replay), noted

    def _cut(self, draws: jax.Array, ended: jax.Array, epochs: jax.Array) -> jax.Array:
        """Return which lanes [L] are restarted though nothing has ended."""
        settings = self.settings
        if settings.uses_rollouts:
            return jnp.zeros_like(ended)
        if settings.episode:
            return ended & (epochs >= settings.episode)
        if settings.restart == 0.0:
            return jnp.zeros_like(ended)
        return ended & (draws < settings.restart)

    def _fresh(self, key: jax.Array, states: jax.Array, again: jax.Array) -> jax.Array:
        begin = self.environment.random_states
        if self.settings.episode:
            begin = self.environment.initial
        return jnp.where(again[:, None], begin(key, states.shape[0]), states)

    def _learn(self, carry: Carry, key: jax.Array) -> tuple[Carry, jax.Array]:
        settings = self.settings
        assert carry.replay is not None
        replay = carry.replay

        def update(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            drawing, learning = jax.random.split(key)
            batch = draw(
                drawing,
                replay,
                self.environment,
                size=settings.batch,
                num_steps=settings.num_steps,
                discount=settings.discount,
            )
            return self.learner.step(learning, state, batch._replace(cost=batch.cost * carry.scale))

        keys = jax.random.split(key, settings.updates)
        state, losses = jax.lax.scan(update, carry.learner, keys)
        return carry._replace(learner=state), losses.mean()

    def _learn_from(self, carry: Carry, found: Choices, key: jax.Array) -> tuple[Carry, jax.Array]:
        last = self.environment.features(carry.states), self.environment.mask(carry.states)
        rollout = Rollout(
            features=jnp.concatenate([found.features, last[0][None]]),
            mask=jnp.concatenate([found.mask, last[1][None]]),
            actions=found.actions,
            cost=found.cost * carry.scale,
            duration=found.duration,
            discount=step_weight(found.discount, found.duration, self.settings.discount),
        )
        state, loss = self.learner.step(key, carry.learner, rollout)
        return carry._replace(learner=state), loss

    def _restarted(self, carry: Carry, key: jax.Array) -> Carry:
        """Restart some lanes between two rollouts."""
        settings = self.settings
        if settings.episode:
            again = carry.epochs >= settings.episode
        elif settings.restart > 0.0:
            again = jax.random.uniform(key, carry.epochs.shape) < settings.restart
        else:
            return carry
        states = self._fresh(jax.random.fold_in(key, 1), carry.states, again)
        return carry._replace(states=states, epochs=jnp.where(again, 0, carry.epochs))
