"""Replications of a vectorised twin under an ordering rule, with the measures of `run_twin`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.learn.twin_counts import Counts
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_state import Fleets, started
from sparing.learn.twin_tables import STEP_HOURS, TwinTables, twin_tables
from sparing.models.location_orders import LocationOrders
from sparing.models.network_rules import StockRules
from sparing.simulate.results import Difference, half_width
from sparing.simulate.twin import YEAR_HOURS, Twin
from sparing.simulate.twin_runs import MEASURES

Wanted: TypeAlias = Callable[[Fleets], jax.Array]  # units [L, P, N] that a rule wants at a review
LANES = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class FleetResult:
    """Samples [replications, measures] of `MEASURES`, paired between rules of the same seed."""

    samples: NDArray[np.float64]
    seed: int

    def mean(self, measure: str) -> float:
        """Return the mean of a measure over replications."""
        return float(self.samples[:, MEASURES.index(measure)].mean())

    def half_width(self, measure: str, confidence: float = 0.95) -> float:
        """Return the half width of its confidence interval."""
        return half_width(self.samples[:, MEASURES.index(measure)], confidence)

    def less(self, other: FleetResult, measure: str = "total") -> Difference:
        """Return this result's measure less another's, replication by replication."""
        if self.samples.shape != other.samples.shape or self.seed != other.seed:
            raise ValueError("paired results need the same seed and number of replications.")
        column = MEASURES.index(measure)
        found = self.samples[:, column] - other.samples[:, column]
        return Difference(mean=float(found.mean()), half_width=half_width(found, 0.95))


def run_fleets(
    twin: Twin | TwinTables,
    wanted: Wanted | None,
    *,
    base_stock: Any = None,
    slots: int | None = None,
    num_replications: int,
    seed: int = 0,
    lanes: int = LANES,
) -> FleetResult:
    """Run a twin under an ordering rule, many replications at once.

    Parameters
    ----------
    twin
        A twin, in steps of a day; or its tables, for other steps.
    wanted
        What is ordered at reviews, one order under way; None with `base_stock`.
    base_stock
        Base stocks [P, N] of one-for-one orders.
    slots
        Orders that may be under way, as `Dynamics` has them.

    Raises
    ------
    ValueError
        If the twin has something that the array program does not know, not one of `wanted` and
        `base_stock` is given, or orders are lost, as there are too few slots.
    """
    if (wanted is None) == (base_stock is None):
        raise ValueError("give one of wanted and base_stock.")
    tables = twin if isinstance(twin, TwinTables) else twin_tables(twin, step_hours=STEP_HOURS)
    rule = None if wanted is None else lambda _, fleets: wanted(fleets)
    runner = FleetRunner(Dynamics(tables, base_stock, slots=slots), rule)
    return runner.run(None, num_replications=num_replications, seed=seed, lanes=lanes)


class FleetRunner:
    """Replications under a rule with parameters, compiled once for all of them.

    Parameters
    ----------
    rule
        ``rule(parameters, fleets)`` returns the units [L, P, N] wanted at a review; None: orders
        are one for one.
    """

    def __init__(self, dynamics: Dynamics, rule: Callable[[Any, Fleets], jax.Array] | None) -> None:
        self.dynamics, self.rule = dynamics, rule
        self._run = jax.jit(self._sampled, static_argnums=2)

    def run(
        self, parameters: Any, *, num_replications: int, seed: int = 0, lanes: int = LANES
    ) -> FleetResult:
        """Return the samples of so many replications, `lanes` at a time.

        Raises
        ------
        ValueError
            If an order was lost, as no slot was left for it.
        """
        lanes = min(lanes, num_replications)
        key, found = jax.random.key(seed), []
        for number in range(-(-num_replications // lanes)):
            sample, lost = self._run(jax.random.fold_in(key, number), parameters, lanes)
            if lost > 0.0:
                raise ValueError(
                    f"{float(lost):g} units were ordered at locations whose slots for orders under"
                    f" way, {self.dynamics.slots}, were all taken: costs would be wrong. Give"
                    f" more slots, such as {2 * self.dynamics.slots}."
                )
            found.append(np.asarray(sample, np.float64))
        return FleetResult(samples=np.concatenate(found)[:num_replications], seed=seed)

    def _sampled(self, key: jax.Array, parameters: Any, lanes: int) -> tuple[jax.Array, jax.Array]:
        rule = self.rule
        wanted = None if rule is None else lambda fleets: rule(parameters, fleets)
        return _year(key, self.dynamics, wanted, lanes)


def _year(
    key: jax.Array, dynamics: Dynamics, wanted: Wanted | None, lanes: int
) -> tuple[jax.Array, jax.Array]:
    """Return the samples [lanes, measures] of a horizon, and what was lost."""
    tables = dynamics.tables
    network = tables.twin.network

    def advance(carry: Any, row: Any) -> tuple[Any, None]:
        fleets, costs, totals = carry
        weight, key = row
        ordering, running = jax.random.split(key)
        if wanted is None:
            fleets, counts = dynamics.position_review(ordering, fleets)
        else:
            fleets, counts, _ = dynamics.order(ordering, fleets, wanted(fleets))
        fleets, counts, _ = dynamics.run_period(running, fleets, counts)
        paid = jnp.stack([kind.sum(axis=(1, 2)) for kind in dynamics.costs(counts)], axis=1)
        more = jax.tree_util.tree_map(lambda x: x.sum(axis=(1, 2)), counts)
        totals = jax.tree_util.tree_map(jnp.add, totals, more)
        return (fleets, costs + weight * paid, totals), None

    keys = jax.random.split(jax.random.fold_in(key, 1), network.periods)
    weights = jnp.asarray(network.discount ** np.arange(network.periods), jnp.float32)
    zero = Counts(*(jnp.zeros(lanes) for _ in Counts._fields))
    start = started(key, tables, lanes, dynamics.slots), jnp.zeros((lanes, 4)), zero
    (_, costs, totals), _ = jax.lax.scan(advance, start, (weights, keys))
    sites = tables.twin.hours * sum(len(part.sites) for part in network.parts)
    years = tables.twin.hours / YEAR_HOURS
    failures = jnp.maximum(totals.failures, 1.0)
    columns = [
        costs.sum(axis=1),
        *costs.T,
        1.0 - totals.backlog / sites,
        1.0 - totals.unfilled / failures,
        totals.short / years,
        (totals.short + totals.repair) / years,
        totals.orders / years,
        totals.failures / years,
    ]
    return jnp.stack(columns, axis=1), totals.lost.sum()


def net_stock(dynamics: Dynamics, fleets: Fleets) -> jax.Array:
    """Return stock on hand less units that wait [L, P, N]."""
    site_of = dynamics.tables.site_of
    waits = jnp.where(site_of >= 0, fleets.waiting[..., np.maximum(site_of, 0)], 0)
    return fleets.on_hand - waits


def stock_rules(dynamics: Dynamics, rules: dict[str, StockRules]) -> Wanted:
    """Return tuned rules of the exact model, one set a part, as a rule of fleets."""
    chosen = [rules[part.name] for part in dynamics.tables.twin.network.parts]
    reorder, upto, most = (
        np.stack([getattr(rule, name)[0] for rule in chosen])
        for name in ("reorder_at", "order_up_to", "quantity")
    )
    review = np.array([int(rule.review[0]) for rule in chosen], np.int32)

    def wanted(fleets: Fleets) -> jax.Array:
        net = net_stock(dynamics, fleets)
        due = (fleets.period[:, None] % review == 0)[..., None]
        return jnp.where(due & (net <= reorder), jnp.minimum(upto - net, most), 0)

    return wanted


def location_orders(dynamics: Dynamics, plans: dict[str, LocationOrders]) -> Wanted:
    """Return belief plans by location, one a part, as a rule of fleets."""
    parts = dynamics.tables.twin.network.parts
    tables = [plans[part.name].quantity for part in parts]  # [T, F, N, stocks]
    low = dynamics.tables.backorders

    def wanted(fleets: Fleets) -> jax.Array:
        net, found = net_stock(dynamics, fleets), []
        for p, table in enumerate(tables):
            period = jnp.minimum(fleets.period, len(table) - 1)[:, None]
            seen = jnp.minimum(fleets.failures[:, p], table.shape[1] - 1)[:, None]
            place = jnp.clip(net[:, p] + low[p], 0, table.shape[3] - 1)
            found.append(jnp.asarray(table)[period, seen, np.arange(table.shape[2]), place])
        return jnp.stack(found, axis=1)

    return wanted
