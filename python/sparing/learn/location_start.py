"""A network fitted to the exact values of a belief plan by location."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from sparing.evaluate.belief_prices import PricedPlan
from sparing.evaluate.location_plan import compared
from sparing.evaluate.location_values import LocationSamples, sample_values
from sparing.learn.location_agents import LocationAgents, Sight
from sparing.learn.networks import Network, Parameters
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_lanes import Wanted

FIT_BATCH = 2048
_FAR = 30.0  # units above the best choice from which values are all the same
SITE_PRICE = 1.0  # sites pay their own downtime cost
Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.floating[Any]]


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
    caution
        The plan's choice is left only if another is thought to be cheaper by more than the fit's
        own error: the quantile `caution`, over the sampled states, of what the fitted network
        thinks to gain on the plan there, where by the plan's values nothing can be gained. So the
        start is nearly the plan itself (safe policy improvement, in the manner of Laroche,
        Trichelair & Tachet des Combes 2019).
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
    caution: float = 0.99
    passes: int = 2
    batch: int = 4096


class PlanData(NamedTuple):
    """Sampled states of agents and what their choices are worth to the plan, on the host."""

    features: Any  # float32 [M, F]
    mask: Any  # bool [M, A]
    goal: Any  # float32 [M, A], in units of the agents


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """A network fitted to the exact values of a belief plan by location.

    Attributes
    ----------
    plan
        What the belief plan wants at a review of fleets.
    margin
        What another choice than the plan's must be thought to gain, in units of the agents.
    agreement, regret
        Of the network alone, without the margin: the share of sampled states in which its choice
        is as good as the plan's, and what its choices cost more on average, in those units.
    """

    agents: LocationAgents
    plan: Wanted
    network: Network
    parameters: Parameters
    margin: float
    agreement: float
    regret: float


def start_from_plans(
    dynamics: Dynamics,
    plans: Mapping[str, PricedPlan],
    rule: Wanted,
    settings: LocationSettings,
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda text: None,
) -> tuple[Start, PlanData]:
    """Fit a network to the values of `plans`, by part name, at their prices.

    `rule` is what they want on fleets.
    """
    generator = np.random.default_rng(seed)
    found = []
    for name, plan in plans.items():
        told(f"values of the plan of {name}")
        found.append(
            sample_values(
                plan.planner,
                site_price=SITE_PRICE,
                warehouse_price=plan.warehouse_price,
                per_period=settings.samples,
                generator=generator,
            )
        )
    agents = agents_of(dynamics, plans, *_units(dynamics, found))
    rows = [_rows(agents, p, samples, generator) for p, samples in enumerate(found)]
    data = PlanData(*(np.concatenate(x) for x in zip(*rows, strict=True)))
    network = network_of(agents, settings)
    told("fitting the network to them")
    parameters = _fitted(network, data, settings, seed)
    error, regret = _errors(network, parameters, data)
    return Start(
        agents=agents,
        plan=rule,
        network=network,
        parameters=parameters,
        margin=float(np.quantile(error, settings.caution)),
        agreement=float((regret <= 1e-6).mean()),
        regret=float(regret.mean()),
    ), data


def agents_of(
    dynamics: Dynamics, plans: Mapping[str, PricedPlan], unit: Floats, baseline: Floats
) -> LocationAgents:
    """Return the agents that compare what plans do and pay their prices."""
    price = np.zeros(dynamics.shape, np.float32)
    quantities = {}
    for p, plan in enumerate(plans.values()):
        for i, location in enumerate(plan.planner.part.locations):
            quantities[p, i] = compared(location.largest_order)
            if not location.is_site:
                price[p, i] = plan.planner.downtime_price(i, SITE_PRICE, plan.warehouse_price)
    return LocationAgents(dynamics, quantities, price, unit, baseline)


def network_of(agents: LocationAgents, settings: LocationSettings) -> Network:
    """Return the network that serves all agents."""
    return Network(
        num_features=agents.num_features, num_actions=agents.num_actions, hidden=settings.hidden
    )


def _errors(network: Network, parameters: Parameters, data: PlanData) -> tuple[Doubles, Doubles]:
    """Return, where there is a choice, what the network wrongly thinks to gain, and its regret."""
    blocks = [
        np.asarray(network.apply(parameters, *(x[k : k + 65536] for x in data[:2])))
        for k in range(0, len(data.goal), 65536)
    ]
    values, mask, goal = np.concatenate(blocks), data.mask, data.goal
    free, row = mask.sum(axis=1) > 1, np.arange(len(goal))
    chosen = np.where(mask, values, np.inf).argmin(axis=1)
    best = np.where(mask, goal, np.inf).argmin(axis=1)
    regret = (goal[row, chosen] - goal[row, best])[free]
    return (values[row, best] - values[row, chosen])[free], regret


def _units(dynamics: Dynamics, found: list[LocationSamples]) -> tuple[Floats, Floats]:
    """Return units of cost [P, N], by what choices differ in, and baselines [P, N, reviews]."""
    parts, locations = dynamics.shape
    reviews = max(int(samples.period.max()) for samples in found) + 1
    unit = np.ones((parts, locations), np.float32)
    baseline = np.zeros((parts, locations, reviews), np.float32)
    for p, samples in enumerate(found):
        best = samples.values.min(axis=1)
        second = np.sort(samples.values, axis=1)[:, 1] if samples.values.shape[1] > 1 else best
        for i in range(locations):
            here = samples.location == i
            gap = (second - best)[here & np.isfinite(second)]
            unit[p, i] = max(float(np.quantile(gap, 0.25)) if gap.size else 1.0, 1e-3)
            sums = np.bincount(samples.period[here], best[here], reviews)
            counts = np.bincount(samples.period[here], minlength=reviews)
            baseline[p, i] = sums / np.maximum(counts, 1)
    return unit, baseline


def _rows(
    agents: LocationAgents, p: int, samples: LocationSamples, generator: np.random.Generator
) -> PlanData:
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
    return PlanData(np.asarray(features), mask, goal)


def plan_loss(network: Network, data: PlanData) -> Callable[[Parameters, jax.Array], jax.Array]:
    """Return the loss on given rows of `data`: squares, less weight on choices that are dearer."""
    features, mask, goal = (jnp.asarray(x) for x in data)

    def loss(parameters: Parameters, rows: jax.Array) -> jax.Array:
        allowed, wanted = mask[rows], goal[rows]
        values = network.apply(parameters, features[rows], allowed)
        excess = wanted - jnp.where(allowed, wanted, jnp.inf).min(axis=-1, keepdims=True)
        weight = allowed / (1.0 + excess)
        return (weight * jnp.square(values - wanted)).sum(axis=-1).mean()

    return loss


def _fitted(network: Network, data: PlanData, settings: LocationSettings, seed: int) -> Parameters:
    optimizer = optax.adam(
        optax.cosine_decay_schedule(settings.fit_rate, settings.fit_steps, alpha=0.01)
    )
    loss, size = plan_loss(network, data), len(data.goal)

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
