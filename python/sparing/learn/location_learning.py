"""Orders learned on a vectorised twin by all locations at once, from a belief plan's values on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from sparing.learn.location_agents import LocationAgents
from sparing.learn.location_start import FIT_BATCH, LocationSettings, PlanData, Start, plan_loss
from sparing.learn.networks import Network, Parameters, cheapest, picked
from sparing.learn.rollout_learners import Rollout, traced
from sparing.learn.twin_lanes import Wanted
from sparing.learn.twin_state import Fleets, started


def cautious(values: jax.Array, mask: jax.Array, planned: jax.Array, margin: Any) -> jax.Array:
    """Return the cheapest choices where they gain more than `margin` on the planned, else these."""
    best = cheapest(values, mask)
    gain = picked(values, planned) - picked(values, best)
    return jnp.where(gain > margin, best, planned)


def cautious_orders(
    agents: LocationAgents, network: Network, plan: Wanted
) -> Callable[[tuple[Parameters, Any], Fleets], jax.Array]:
    """Return the orders of a network, given its parameters and margin, as a rule of fleets."""

    def wanted(given: tuple[Parameters, Any], fleets: Fleets) -> jax.Array:
        parameters, margin = given
        sight = agents.sight(fleets)
        mask = agents.mask(sight)
        values = network.apply(parameters, agents.features(sight), mask)
        planned = agents.choices(plan(fleets), mask)
        return agents.wanted(cautious(values, mask, planned, margin))

    return wanted


class Lived(NamedTuple):
    """All that learning goes on from."""

    parameters: Parameters
    memory: optax.OptState
    fleets: Fleets
    rounds: jax.Array  # int32 [] rollouts that were lived through


class Report(NamedTuple):
    """What a rollout showed."""

    cost: jax.Array  # [reviews] of a fleet, exploration included
    loss: jax.Array  # [] mean over what was learned from it


class LocationLearner(NamedTuple):
    """``init() -> lived``; ``step(lived, data) -> (lived, report)``, not yet jitted."""

    init: Callable[[], Lived]
    step: Callable[[Lived, PlanData], tuple[Lived, Report]]


def location_learner(start: Start, settings: LocationSettings, *, seed: int = 0) -> LocationLearner:
    """Return the functions of learning from a start on; its data are given again to each step.

    All fleets begin at hour 0 of a life of their own (true rates, weather, ages), and what they
    meet in `settings.reviews` reviews is learned from before they go on.
    """
    agents = start.agents
    size = settings.fleets * agents.dynamics.shape[0] * agents.dynamics.shape[1]
    optimizer = optax.adam(settings.learning_rate)

    def init() -> Lived:
        key = jax.random.fold_in(jax.random.key(seed), 1)
        fleets = started(key, agents.tables, settings.fleets, agents.dynamics.slots)
        memory = optimizer.init(start.parameters)
        return Lived(start.parameters, memory, fleets, jnp.int32(0))

    def step(lived: Lived, data: PlanData) -> tuple[Lived, Report]:
        key = jax.random.fold_in(jax.random.key(seed), 2 + lived.rounds)
        learn = _anchored(start, data, optimizer, settings, settings.reviews * size)
        fleets, rollout, planned, cost = _rollout(
            key, lived.parameters, lived.fleets, start, settings
        )
        state = lived.parameters, lived.memory
        (parameters, memory), loss = learn(jax.random.fold_in(key, 1), state, rollout, planned)
        return Lived(parameters, memory, fleets, lived.rounds + 1), Report(cost, loss)

    return LocationLearner(init, step)


def _anchored(
    start: Start,
    data: PlanData,
    optimizer: optax.GradientTransformation,
    settings: LocationSettings,
    size: int,
) -> Callable[[jax.Array, Any, Rollout, jax.Array], tuple[Any, jax.Array]]:
    """Return the step of Q(lambda) that keeps fitting the plan's values beside.

    It takes the plan's choices [T + 1, L] along: what follows is valued by the cautious choice.
    """
    network = start.network
    fit, samples = plan_loss(network, data), len(data.goal)
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
    """Live through some reviews; return what agents met, the plan's choices, costs [reviews]."""
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
    return fleets, rollout, plans, paid
