"""The training loop: one jitted scan, in chunks between which progress and state come out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from sparing.learn.environment import Environment
from sparing.learn.learners import Centre, Learner, dqn
from sparing.learn.networks import Network, cheapest, explored, value_network
from sparing.learn.replay import Replay, draw, empty, step_weight, write
from sparing.learn.rollout_learners import Rollout, pqn, qv
from sparing.learn.settings import Settings
from sparing.learn.warm_start import WarmStart, fitted

_MEASURED = 64  # choices per lane by which a rollout learner's costs are scaled


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


class Training(NamedTuple):
    """``init(seed) -> carry``; ``chunk(carry) -> (carry, report [n])``, not yet jitted."""

    init: Callable[[jax.Array], Carry]
    chunk: Callable[[Carry], tuple[Carry, Report]]
    network: Network


def make_training(
    environment: Environment,
    settings: Settings,
    *,
    centre: Centre,
    chunk: int,
    warm_start: WarmStart | None = None,
) -> Training:
    """Return the functions of a training run; `chunk` is its number of iterations.

    With a `warm_start` the network is first fitted to its values.
    """
    network = Network(
        num_features=environment.num_features,
        num_actions=environment.num_actions,
        hidden=settings.hidden,
        dueling=settings.dueling,
        layer_norm=settings.layer_norm,
        dropout=settings.dropout,
    )
    learner = _learner(network, settings, centre)
    loop = _Loop(environment, settings, network, learner, centre)
    loop.warm_start = warm_start

    def run(carry: Carry) -> tuple[Carry, Report]:
        return jax.lax.scan(loop.iteration, carry, None, length=chunk)

    return Training(loop.init, run, network)


def _learner(network: Network, settings: Settings, centre: Centre) -> Learner:
    per_iteration = settings.passes * settings.parts if settings.uses_rollouts else settings.updates
    total = settings.num_iterations * per_iteration
    rate = optax.linear_schedule(
        settings.learning_rate, settings.learning_rate * settings.learning_rate_end, total
    )
    optimizer = {"adam": optax.adam, "radam": optax.radam}[settings.optimizer](rate)
    shared: dict[str, Any] = {"centre": centre, "rate_step": settings.rate_step}
    if settings.uses_rollouts:
        method = pqn if settings.learner == "pqn" else qv
        rounds: dict[str, Any] = {"num_passes": settings.passes, "num_batches": settings.parts}
        return method(network, optimizer, trace=settings.trace, **rounds, **shared)
    return dqn(
        network,
        optimizer,
        double=settings.double,
        target_step=settings.target_step,
        target_period=settings.target_period,
        **shared,
    )


class _Loop:
    """One iteration: every lane makes some choices, then the learner steps."""

    warm_start: WarmStart | None = None

    def __init__(
        self,
        environment: Environment,
        settings: Settings,
        network: Network,
        learner: Learner,
        centre: Centre,
    ) -> None:
        self.environment, self.settings, self.centre = environment, settings, centre
        self.network, self.learner = network, learner

    def init(self, seed: jax.Array) -> Carry:
        """Return the start: fresh parameters, a full replay of random choices, measured costs."""
        settings = self.settings
        key = jax.random.key_data(jax.random.key(seed))
        parts = jax.random.split(jax.random.wrap_key_data(key), 4)
        begin = self.environment.initial if settings.episode else self.environment.random_states
        carry = Carry(
            learner=self.learner.init(parts[0]),
            states=begin(parts[1], settings.lanes),
            epochs=jnp.zeros(settings.lanes, jnp.int32),
            replay=None,
            key=key,
            iteration=jnp.int32(0),
            scale=jnp.float32(1.0),
        )
        rows = _MEASURED
        if not settings.uses_rollouts:
            rows = settings.rows
            carry = carry._replace(replay=empty(self.environment, rows, settings.lanes))

        def fill(carry: Carry, key: jax.Array) -> tuple[Carry, Any]:
            return self._choose(carry, key, None)

        keys = jax.random.split(parts[2], rows)
        carry, found = jax.lax.scan(fill, carry, keys)
        scale = settings.cost_scale
        measured = settings.spread / jnp.maximum(_epoch_spread(found), 1e-6)
        carry = carry._replace(scale=measured if scale is None else jnp.float32(scale))
        if self.warm_start is not None:
            return self._fitted(carry, self.warm_start, parts[3])
        if self.centre is not Centre.mean:
            return carry
        mean = found.cost.sum() / jnp.maximum(found.duration.sum(), 1e-6)
        return carry._replace(learner=carry.learner._replace(rate=mean * carry.scale))

    def _fitted(self, carry: Carry, warm: WarmStart, key: jax.Array) -> Carry:
        """Return the start with networks fitted to known values, and a replay of their choices."""
        keys = jax.random.split(key, 3)

        def fit(network: Network, parameters: Any, key: jax.Array) -> Any:
            return fitted(warm, self.environment, network, parameters, key, carry.scale)

        learner = carry.learner
        parameters = fit(self.network, learner.parameters, keys[0])
        learner = learner._replace(parameters=parameters, rate=jnp.float32(warm.rate) * carry.scale)
        if self.settings.learner == "qv":
            value = fit(value_network(self.network), learner.value, keys[1])
            learner = learner._replace(value=value)
        if carry.replay is None:
            return carry._replace(learner=learner)
        copy = jax.tree_util.tree_map(jnp.copy, parameters)
        carry = carry._replace(learner=learner._replace(target=copy))
        epsilon = jnp.float32(self.settings.epsilon)
        again = jax.random.split(keys[2], self.settings.rows)
        return jax.lax.scan(lambda c, k: (self._choose(c, k, epsilon)[0], None), carry, again)[0]

    def iteration(self, carry: Carry, _: None) -> tuple[Carry, Report]:
        """Choose, learn and report."""
        key = jax.random.fold_in(jax.random.wrap_key_data(carry.key), carry.iteration)
        acting, learning, restarting = jax.random.split(key, 3)
        epsilon = self._epsilon(carry.iteration)
        keys = jax.random.split(acting, self.settings.choices)
        if self.settings.choices == 1:
            carry, found = self._choose(carry, keys[0], epsilon)
            found = jax.tree_util.tree_map(lambda x: x[None], found)
        else:
            carry, found = jax.lax.scan(lambda c, k: self._choose(c, k, epsilon), carry, keys)
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

    def _choose(
        self, carry: Carry, key: jax.Array, epsilon: jax.Array | None
    ) -> tuple[Carry, _Choices]:
        """Make one choice on every lane, note it, and restart some lanes behind it.

        Without an `epsilon` choices are random.
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
        fresh = self._fresh(parts[2], found.states, cut | over)
        replay = carry.replay
        if replay is not None:
            greedy = actions == cheapest(values, mask)
            if epsilon is None:
                greedy = jnp.zeros_like(greedy)
            replay = write(replay, states, actions, found, cut, greedy)
        noted = _Choices(
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

    def _learn_from(self, carry: Carry, found: _Choices, key: jax.Array) -> tuple[Carry, jax.Array]:
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


class _Choices(NamedTuple):
    """What the lanes met and did."""

    features: jax.Array
    mask: jax.Array
    actions: jax.Array
    cost: jax.Array
    duration: jax.Array
    discount: jax.Array
    epoch_ended: jax.Array


def _epoch_spread(found: _Choices) -> jax.Array:
    """Return the standard deviation of an epoch's cost over choices [T, L]."""

    def add(carry: jax.Array, row: Any) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        cost, ended = row
        total = carry + cost
        return jnp.where(ended, 0.0, total), (total, ended)

    start = jnp.zeros_like(found.cost[0])
    _, (totals, ended) = jax.lax.scan(add, start, (found.cost, found.epoch_ended))
    count = jnp.maximum(ended.sum(), 1)
    mean = (totals * ended).sum() / count
    return jnp.sqrt((jnp.square(totals - mean) * ended).sum() / count)


def jitted(training: Training, width: int) -> tuple[Any, Any]:
    """Return `init` and `chunk` compiled for seeds [width] side by side.

    A width of one is not vectorised, which is the quicker way on a processor; the carry is the
    same tree with or without the leading axis.
    """
    init: Any = training.init
    chunk: Any = training.chunk
    if width > 1:
        init, chunk = jax.vmap(init), jax.vmap(chunk)
    return jax.jit(init), partial(jax.jit, donate_argnums=0)(chunk)
