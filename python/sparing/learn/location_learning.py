"""Orders learned on a vectorised twin by all locations at once, from a belief plan's values on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

import jax
import jax.numpy as jnp
import optax

from sparing.learn.location_start import FIT_BATCH, LocationSettings, Start, plan_loss
from sparing.learn.networks import Parameters, cheapest, picked
from sparing.learn.rollout_learners import Rollout, traced
from sparing.learn.twin_state import Fleets, started


def cautious(values: jax.Array, mask: jax.Array, planned: jax.Array, margin: float) -> jax.Array:
    """Return the cheapest choices where they gain more than `margin` on the planned, else these."""
    best = cheapest(values, mask)
    gain = picked(values, planned) - picked(values, best)
    return jnp.where(gain > margin, best, planned)


def cautious_orders(start: Start) -> Callable[[Parameters, Fleets], jax.Array]:
    """Return the orders of a network, given its parameters, as a rule of fleets."""
    agents = start.agents

    def wanted(parameters: Parameters, fleets: Fleets) -> jax.Array:
        sight = agents.sight(fleets)
        mask = agents.mask(sight)
        values = start.network.apply(parameters, agents.features(sight), mask)
        planned = agents.choices(start.plan(fleets), mask)
        return agents.wanted(cautious(values, mask, planned, start.margin))

    return wanted


def refined(
    start: Start, settings: LocationSettings, *, days: float, seed: int = 0
) -> Iterator[tuple[float, Parameters, dict[str, float]]]:
    """Learn on fleets that live through `days`; yield days, parameters and a report as they go.

    All fleets begin at hour 0 of a life of their own (true rates, weather, ages), and what they
    meet in `settings.reviews` reviews is learned from before they go on.
    """
    agents = start.agents
    twin = agents.tables.twin
    size = settings.fleets * agents.dynamics.shape[0] * agents.dynamics.shape[1]
    optimizer = optax.adam(settings.learning_rate)
    learn = _anchored(start, optimizer, settings, settings.reviews * size)
    key = jax.random.key(seed)
    state = start.parameters, optimizer.init(start.parameters)

    @jax.jit
    def live(key: jax.Array, state: Any, fleets: Fleets) -> Any:
        fleets, rollout, planned, cost = _rollout(key, state[0], fleets, start, settings)
        state, error = learn(jax.random.fold_in(key, 1), state, rollout, planned)
        return state, fleets, cost, error

    fleets = started(
        jax.random.fold_in(key, 1), agents.tables, settings.fleets, agents.dynamics.slots
    )
    rounds = ceil(min(days * 24.0 / twin.period_hours, twin.network.periods) / settings.reviews)
    for number in range(rounds):
        state, fleets, cost, error = live(jax.random.fold_in(key, 2 + number), state, fleets)
        lived = (number + 1) * settings.reviews * twin.period_hours / 24.0
        report = {"cost_per_review": float(cost), "loss": float(error)}
        yield lived, state[0], report


def _anchored(
    start: Start, optimizer: optax.GradientTransformation, settings: LocationSettings, size: int
) -> Callable[[jax.Array, Any, Rollout, jax.Array], tuple[Any, jax.Array]]:
    """Return the step of Q(lambda) that keeps fitting the plan's values beside.

    It takes the plan's choices [T + 1, L] along: what follows is valued by the cautious choice.
    """
    network = start.network
    fit, samples = plan_loss(network, start.data), len(start.data[0])
    num_batches = max(1, size // settings.batch)

    def returns(parameters: Parameters, found: Rollout, planned: jax.Array) -> jax.Array:
        values = network.apply(parameters, found.features, found.mask)
        choices = cautious(values, found.mask, planned, start.margin)
        trace = jnp.where(found.actions == choices[:-1], settings.trace, 0.0)
        return traced(found, jnp.float32(0.0), picked(values, choices), trace)

    def loss(parameters: Parameters, part: Any, anchors: jax.Array) -> jax.Array:
        features, mask, actions, goal = part
        values = picked(network.apply(parameters, features, mask), actions)
        anchored = fit(parameters, anchors) if settings.anchor > 0.0 else 0.0
        return jnp.square(values - goal).mean() + settings.anchor * anchored

    def learn(
        key: jax.Array, state: Any, found: Rollout, planned: jax.Array
    ) -> tuple[Any, jax.Array]:
        goal = returns(state[0], found, planned)
        columns = (found.features[:-1], found.mask[:-1], found.actions, goal)
        flat = [x.reshape(-1, *x.shape[2:]) for x in columns]

        def update(carry: Any, row: Any) -> tuple[Any, jax.Array]:
            rows, key = row
            anchors = jax.random.randint(key, (FIT_BATCH,), 0, samples)
            part = [x[rows] for x in flat]
            error, gradients = jax.value_and_grad(loss)(carry[0], part, anchors)
            updates, memory = optimizer.update(gradients, carry[1], carry[0])
            return (optax.apply_updates(carry[0], updates), memory), error

        def go_over(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            keys = jax.random.split(key)
            order = jax.random.permutation(keys[0], len(flat[0]))
            used = len(flat[0]) // num_batches
            rows = order[: used * num_batches].reshape(num_batches, used)
            carry, errors = jax.lax.scan(
                update, carry, (rows, jax.random.split(keys[1], num_batches))
            )
            return carry, errors.mean()

        state, errors = jax.lax.scan(go_over, state, jax.random.split(key, settings.passes))
        return state, errors.mean()

    return learn


def _rollout(
    key: jax.Array,
    parameters: Parameters,
    fleets: Fleets,
    start: Start,
    settings: LocationSettings,
) -> tuple[Fleets, Rollout, jax.Array, jax.Array]:
    """Live through some reviews; return what agents met, the plan's choices, the mean cost."""
    agents, network = start.agents, start.network

    def review(fleets: Fleets, key: jax.Array) -> tuple[Fleets, Any]:
        keys = jax.random.split(key, 4)
        sight = agents.sight(fleets)
        features, mask = agents.features(sight), agents.mask(sight)
        values = network.apply(parameters, features, mask)
        noise = settings.temperature * jax.random.gumbel(keys[0], values.shape)
        drawn = cheapest(values - noise, mask)
        explores = jax.random.uniform(keys[1], drawn.shape) < settings.epsilon
        planned = agents.choices(start.plan(fleets), mask)
        choices = jnp.where(explores, drawn, cautious(values, mask, planned, start.margin))
        wanted, period = agents.wanted(choices), fleets.period
        fleets, counts, ordered = agents.dynamics.order(keys[2], fleets, wanted)
        fleets, _, cost = agents.dynamics.run_period(keys[3], fleets, counts)
        own = agents.cost(period, cost, wanted, ordered)
        return fleets, (features, mask, planned, choices, own, cost.sum(axis=(1, 2)).mean())

    keys = jax.random.split(key, settings.reviews)
    fleets, (features, mask, planned, choices, cost, paid) = jax.lax.scan(review, fleets, keys)
    sight = agents.sight(fleets)
    allowed = agents.mask(sight)
    last = agents.features(sight), allowed, agents.choices(start.plan(fleets), allowed)
    ones = jnp.ones((settings.reviews, choices[0].size))

    def flat(array: jax.Array, behind: int) -> jax.Array:
        return array.reshape(array.shape[0], -1, *array.shape[array.ndim - behind :])

    rollout = Rollout(
        features=flat(jnp.concatenate([features, last[0][None]]), 1),
        mask=flat(jnp.concatenate([mask, last[1][None]]), 1),
        actions=flat(choices, 0),
        cost=flat(cost, 0),
        duration=ones,
        discount=ones,
    )
    plans = flat(jnp.concatenate([planned, last[2][None]]), 0)
    return fleets, rollout, plans, paid.mean()
