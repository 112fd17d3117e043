"""Orders learned on a vectorised twin by all locations at once, from a belief plan's values on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sparing.evaluate.location_plan import LocationPlanner
from sparing.evaluate.location_values import LocationSamples, sample_values
from sparing.learn.location_agents import LocationAgents, Sight
from sparing.learn.networks import Network, Parameters, cheapest, picked
from sparing.learn.rollout_learners import Rollout, traced
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_state import Fleets, started

FIT_BATCH = 2048
_FAR = 30.0  # units above the best choice from which values are all the same
Prices = Mapping[int, float]


@dataclass(frozen=True, kw_only=True)
class LocationSettings:
    """Settings of a start from a belief plan and of learning on the twin.

    Parameters
    ----------
    samples
        States per location and review at which the plan's values are taken.
    fit_steps, fit_rate
        Of the fit to them, in batches of 2048.
    fleets
        Twins that live side by side.
    reviews
        Reviews of a rollout that is learned from.
    learning_rate, epsilon, temperature
        Of Q(lambda) learning; with probability `epsilon` a choice is drawn, likelier the less it
        is thought to cost, in units of `temperature`.
    anchor
        Weight of the fit to the plan's values, which goes on while learning: states that are not
        met meanwhile keep their values.
    trace, passes, batch
        Lambda, passes over a rollout, and agents' choices in a batch.
    """

    hidden: tuple[int, ...] = (128, 128)
    samples: int = 24
    fit_steps: int = 4000
    fit_rate: float = 2e-3
    fleets: int = 256
    reviews: int = 4
    learning_rate: float = 3e-5
    epsilon: float = 0.1
    temperature: float = 0.2
    trace: float = 0.9
    anchor: float = 1.0
    passes: int = 2
    batch: int = 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """A network fitted to the exact values of a belief plan by location.

    Attributes
    ----------
    data
        Features, masks and values in units of the agents, of the sampled states.
    agreement
        Share of sampled states in which its choice is the plan's.
    regret
        What its choices cost more than the plan's there, on average, in units of the agents.
    """

    agents: LocationAgents
    network: Network
    parameters: Parameters
    data: tuple[Any, Any, Any]
    agreement: float
    regret: float


def start_from_plans(
    dynamics: Dynamics,
    planners: Mapping[str, LocationPlanner],
    prices: Mapping[str, tuple[float, Prices]],
    settings: LocationSettings,
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda text: None,
) -> Start:
    """Fit a network to the values of the plans, by part name, at their prices (site, warehouse)."""
    generator = np.random.default_rng(seed)
    found = []
    for name, planner in planners.items():
        told(f"values of the plan of {name}")
        site, warehouse = prices[name]
        found.append(
            sample_values(
                planner,
                site_price=site,
                warehouse_price=warehouse,
                per_period=settings.samples,
                generator=generator,
            )
        )
    agents, data = _agents(dynamics, list(planners.values()), prices, found, generator)
    network = Network(
        num_features=agents.num_features, num_actions=agents.num_actions, hidden=settings.hidden
    )
    told("fitting the network to them")
    parameters = _fitted(network, data, settings, seed)
    values = np.concatenate(
        [
            np.asarray(network.apply(parameters, *(x[k : k + 65536] for x in data[:2])))
            for k in range(0, len(data[0]), 65536)
        ]
    )
    mask, goal = np.asarray(data[1]), np.asarray(data[2])
    free = mask.sum(axis=1) > 1
    chosen = np.where(mask, values, np.inf).argmin(axis=1)
    best = np.where(mask, goal, np.inf).min(axis=1)
    regret = (goal[np.arange(len(goal)), chosen] - best)[free]
    return Start(
        agents=agents,
        network=network,
        parameters=parameters,
        data=data,
        agreement=float((regret <= 1e-6).mean()),
        regret=float(regret.mean()),
    )


def _agents(
    dynamics: Dynamics,
    planners: list[LocationPlanner],
    prices: Mapping[str, tuple[float, Prices]],
    found: list[LocationSamples],
    generator: np.random.Generator,
) -> tuple[LocationAgents, tuple[Any, Any, Any]]:
    """Return the agents, with units and baselines of their own, and features, mask, goal."""
    parts, locations = dynamics.shape
    reviews = max(int(samples.period.max()) for samples in found) + 1
    unit, price = np.ones((parts, locations), np.float32), np.zeros((parts, locations), np.float32)
    baseline = np.zeros((parts, locations, reviews), np.float32)
    quantities = {}
    for p, (planner, samples) in enumerate(zip(planners, found, strict=True)):
        site, warehouse = prices[planner.part.name]
        best = samples.values.min(axis=1)
        second = np.sort(samples.values, axis=1)[:, 1] if samples.values.shape[1] > 1 else best
        for i in range(locations):
            here = samples.location == i
            gap = (second - best)[here & np.isfinite(second)]
            unit[p, i] = max(float(np.quantile(gap, 0.25)) if gap.size else 1.0, 1e-3)
            sums = np.bincount(samples.period[here], best[here], reviews)
            counts = np.bincount(samples.period[here], minlength=reviews)
            baseline[p, i] = sums / np.maximum(counts, 1)
            quantities[p, i] = samples.quantities[i]
            if not planner.part.locations[i].is_site:
                price[p, i] = planner.downtime_price(i, site, warehouse)
    agents = LocationAgents(dynamics, quantities, price, unit, baseline)
    rows = [_rows(agents, p, samples, generator) for p, samples in enumerate(found)]
    return agents, tuple(np.concatenate(x) for x in zip(*rows, strict=True))  # type: ignore[return-value]


def _rows(
    agents: LocationAgents, p: int, samples: LocationSamples, generator: np.random.Generator
) -> tuple[Any, Any, Any]:
    """Return features, mask and goal of a part's samples; what the plan ignores is random."""
    size = len(samples.period)
    i = samples.location
    sight = Sight(
        part=np.full(size, p),  # type: ignore[arg-type]
        location=i,  # type: ignore[arg-type]
        period=samples.period,  # type: ignore[arg-type]
        failures=samples.failures,  # type: ignore[arg-type]
        net=samples.stock,  # type: ignore[arg-type]
        ordered=samples.ordered,  # type: ignore[arg-type]
        age=samples.age,  # type: ignore[arg-type]
        above=np.where(agents.tables.supplier[i] < 0, 0, generator.integers(0, 11, size)),  # type: ignore[arg-type]
        below=np.where(agents.below[i].any(axis=1), generator.integers(-3, 40, size), 0),  # type: ignore[arg-type]
    )
    values = np.full((size, agents.num_actions), np.inf)
    values[:, : samples.values.shape[1]] = samples.values
    mask = np.isfinite(values)
    unit = agents.unit[p, i][:, None]
    goal = (values - agents.baseline[p, i, samples.period][:, None]) / unit
    best = np.where(mask, goal, np.inf).min(axis=1, keepdims=True)
    goal = np.where(mask, np.minimum(goal, best + _FAR), 0.0).astype(np.float32)
    features = jax.jit(agents.features)(Sight(*(jnp.asarray(x) for x in sight)))
    return np.asarray(features), mask, goal


def _plan_loss(network: Network, data: Any) -> Callable[[Parameters, jax.Array], jax.Array]:
    features, mask, goal = (jnp.asarray(x) for x in data)

    def loss(parameters: Parameters, rows: jax.Array) -> jax.Array:
        allowed, wanted = mask[rows], goal[rows]
        values = network.apply(parameters, features[rows], allowed)
        excess = wanted - jnp.where(allowed, wanted, jnp.inf).min(axis=-1, keepdims=True)
        weight = allowed / (1.0 + excess)
        return (weight * jnp.square(values - wanted)).sum(axis=-1).mean()

    return loss


def _fitted(network: Network, data: Any, settings: LocationSettings, seed: int) -> Parameters:
    """Fit by least squares in which choices weigh less the dearer they are than the best."""
    optimizer = optax.adam(
        optax.cosine_decay_schedule(settings.fit_rate, settings.fit_steps, alpha=0.01)
    )
    loss, size = _plan_loss(network, data), len(data[0])

    def step(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        parameters, memory = carry
        rows = jax.random.randint(key, (FIT_BATCH,), 0, size)
        error, gradients = jax.value_and_grad(loss)(parameters, rows)
        updates, memory = optimizer.update(gradients, memory, parameters)
        return (optax.apply_updates(parameters, updates), memory), error

    key = jax.random.key(seed)
    parameters = network.init(jax.random.fold_in(key, 0))
    keys = jax.random.split(jax.random.fold_in(key, 1), settings.fit_steps)
    run = jax.jit(lambda carry: jax.lax.scan(step, carry, keys)[0])
    return run((parameters, optimizer.init(parameters)))[0]


def greedy_orders(
    agents: LocationAgents, network: Network
) -> Callable[[Parameters, Fleets], jax.Array]:
    """Return the greedy orders of a network, given its parameters, as a rule of fleets."""

    def wanted(parameters: Parameters, fleets: Fleets) -> jax.Array:
        sight = agents.sight(fleets)
        mask = agents.mask(sight)
        values = network.apply(parameters, agents.features(sight), mask)
        return agents.wanted(cheapest(values, mask))

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
        fleets, rollout, cost = _rollout(key, state[0], fleets, start, settings)
        state, error = learn(jax.random.fold_in(key, 1), state, rollout)
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
) -> Callable[[jax.Array, Any, Rollout], tuple[Any, jax.Array]]:
    """Return the step of Q(lambda) that keeps fitting the plan's values beside."""
    network = start.network
    plan_loss, samples = _plan_loss(network, start.data), len(start.data[0])
    num_batches = max(1, size // settings.batch)

    def returns(parameters: Parameters, found: Rollout) -> jax.Array:
        values = network.apply(parameters, found.features, found.mask)
        best = picked(values, cheapest(values, found.mask))
        follows = picked(values[:-1], found.actions) <= best[:-1]
        return traced(found, jnp.float32(0.0), best, jnp.where(follows, settings.trace, 0.0))

    def loss(parameters: Parameters, part: Any, anchors: jax.Array) -> jax.Array:
        features, mask, actions, goal = part
        values = picked(network.apply(parameters, features, mask), actions)
        anchored = plan_loss(parameters, anchors) if settings.anchor > 0.0 else 0.0
        return jnp.square(values - goal).mean() + settings.anchor * anchored

    def learn(key: jax.Array, state: Any, found: Rollout) -> tuple[Any, jax.Array]:
        goal = returns(state[0], found)
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
) -> tuple[Fleets, Rollout, jax.Array]:
    """Live through some reviews; return what agents met, and the mean cost of a fleet's review."""
    agents, network = start.agents, start.network

    def review(fleets: Fleets, key: jax.Array) -> tuple[Fleets, Any]:
        keys = jax.random.split(key, 4)
        sight = agents.sight(fleets)
        features, mask = agents.features(sight), agents.mask(sight)
        values = network.apply(parameters, features, mask)
        noise = settings.temperature * jax.random.gumbel(keys[0], values.shape)
        drawn = cheapest(values - noise, mask)
        explores = jax.random.uniform(keys[1], drawn.shape) < settings.epsilon
        choices = jnp.where(explores, drawn, cheapest(values, mask))
        wanted, period = agents.wanted(choices), fleets.period
        fleets, counts, ordered = agents.dynamics.order(keys[2], fleets, wanted)
        fleets, _, cost = agents.dynamics.run_period(keys[3], fleets, counts)
        own = agents.cost(period, cost, wanted, ordered)
        return fleets, (features, mask, choices, own, cost.sum(axis=(1, 2)).mean())

    keys = jax.random.split(key, settings.reviews)
    fleets, (features, mask, choices, cost, paid) = jax.lax.scan(review, fleets, keys)
    sight = agents.sight(fleets)
    last = agents.features(sight), agents.mask(sight)
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
    return fleets, rollout, paid.mean()
