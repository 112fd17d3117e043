"""Replications of a twin, and what they show with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.models.network_values import check_whole
from sparing.records.defects import DefectRecord
from sparing.records.failures import FailureRecord
from sparing.simulate.results import Difference, half_width
from sparing.simulate.twin import YEAR_HOURS, Twin
from sparing.simulate.twin_fleet import Fleet, check_simpy
from sparing.simulate.twin_ledger import COSTS, Ledger
from sparing.simulate.twin_records import defect_records, failure_records
from sparing.simulate.twin_rules import OrderRule

Floats: TypeAlias = NDArray[np.float64]
MEASURES = (
    "total",
    *COSTS,
    "sla",
    "fill_rate",
    "short_hours_per_year",
    "down_hours_per_year",
    "orders_per_year",
    "failures_per_year",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinResult:
    """Means over replications with half widths of their 95 % intervals.

    Attributes
    ----------
    mean, half_widths
        Per measure: the discounted costs of the horizon by kind and in total; `sla`, the share of
        site time without a unit that waits for a spare, over sites and parts; `fill_rate`, the
        share of failures served from stock at once (a ratio of means); unit-hours a year of
        waiting for a spare and of being down, repairs included; orders and failures a year.
    samples
        Shape (replications, measures).
    true_rates
        Shape (replications, parts): failures per unit of exposure of a new twin's units.
    period_costs
        Shape (replications, periods): discounted cost of each period; 0 in the warm-up.
    stock
        Shape (periods + 1, locations): mean stock at the reviews and at the end, all parts.
    path
        Hour, location number and stock after each change, of replication 0.
    records, defects
        Failure records of replication 0 by part, site and period, and its units one by one.
    num_events
        SimPy events processed in all.
    """

    locations: tuple[str, ...]
    mean: Mapping[str, float]
    half_widths: Mapping[str, float]
    confidence: float
    seed: int
    num_replications: int
    samples: Floats
    true_rates: Floats
    period_costs: Floats
    stock: Floats
    path: tuple[tuple[float, int, int], ...]
    records: tuple[FailureRecord, ...]
    defects: tuple[DefectRecord, ...]
    num_events: int

    @property
    def totals(self) -> Floats:
        """Total cost [replications]."""
        return self.samples[:, 0]

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end of the interval of the total cost."""
        return (
            self.mean["total"] - self.half_widths["total"],
            self.mean["total"] + self.half_widths["total"],
        )

    def less(self, other: TwinResult, measure: str = "total") -> Difference:
        """Return this result's measure less another's, replication by replication."""
        if self.samples.shape != other.samples.shape or self.seed != other.seed:
            raise ValueError("paired results need the same seed and number of replications.")
        column = MEASURES.index(measure)
        found = self.samples[:, column] - other.samples[:, column]
        half = _half_width(measure, found, self.confidence)
        return Difference(mean=float(found.mean()), half_width=half)

    def __str__(self) -> str:
        width = max(map(len, MEASURES))
        lines = [
            f"{m:{width}}  {self.mean[m]:14.4f} +- {self.half_widths[m]:.4f}" for m in MEASURES
        ]
        head = (
            f"{self.num_replications} replications, {self.confidence:.0%} confidence, seed"
            f" {self.seed}, {self.num_events:,} events"
        )
        return "\n".join([head, *lines])


def run_twin(
    twin: Twin,
    rule: OrderRule,
    *,
    num_replications: int,
    seed: int = 0,
    confidence: float = 0.95,
    progress: Callable[[int], None] | None = None,
) -> TwinResult:
    """Run a twin under an ordering rule.

    Parameters
    ----------
    num_replications
        Each with its own true rates, weather, failures and lead times; replication r is the same
        whatever their number, and under every rule.
    progress
        Called with the number of replications done, after each.

    Raises
    ------
    ValueError
        If the rule does not go with the twin.
    ImportError
        If SimPy is not installed.
    """
    check_simpy()
    check_whole("num_replications", num_replications, 1)
    check_whole("seed", seed, 0)
    _check_rule(twin, rule)
    periods, names = twin.network.periods, tuple(x.name for x in twin.network.locations)
    samples = np.zeros((num_replications, len(MEASURES)))
    counts = np.zeros((num_replications, 2))
    true_rates = np.zeros((num_replications, len(twin.network.parts)))
    costs = np.zeros((num_replications, periods))
    stock = np.zeros((periods + 1, len(names)))
    path: tuple[tuple[float, int, int], ...] = ()
    records: tuple[FailureRecord, ...] = ()
    defects: tuple[DefectRecord, ...] = ()
    num_events = 0
    for number in range(num_replications):
        fleet = Fleet(twin, rule, seed=seed, replication=number)
        if number == 0:
            fleet.ledger.path, fleet.ledger.damages = [], []
        ledger = fleet.run()
        samples[number] = _sample(twin, ledger)
        counts[number] = ledger.num_failures, ledger.num_unfilled
        true_rates[number] = fleet.rates
        costs[number] = ledger.costs.sum(axis=0)
        stock += ledger.stock / num_replications
        num_events += fleet.num_events
        if number == 0:
            path, records = tuple(ledger.path or ()), failure_records(ledger)
            defects = defect_records(ledger)
        if progress is not None:
            progress(number + 1)
    mean = dict(zip(MEASURES, samples.mean(axis=0).tolist(), strict=True))
    halves = {m: _half_width(m, samples[:, i], confidence) for i, m in enumerate(MEASURES)}
    mean["fill_rate"], halves["fill_rate"] = _fill_rate(counts, confidence)
    return TwinResult(
        locations=names,
        mean=mean,
        half_widths=halves,
        confidence=confidence,
        seed=seed,
        num_replications=num_replications,
        samples=samples,
        true_rates=true_rates,
        period_costs=costs,
        stock=stock,
        path=path,
        records=records,
        defects=defects,
        num_events=num_events,
    )


def _sample(twin: Twin, ledger: Ledger) -> list[float]:
    costs = ledger.costs.sum(axis=1)
    site_hours = twin.counted_hours * sum(len(part.sites) for part in twin.network.parts)
    years = twin.counted_hours / YEAR_HOURS
    filled = ledger.num_failures - ledger.num_unfilled
    return [
        float(costs.sum()),
        *costs.tolist(),
        1.0 - ledger.backlog_hours / site_hours,
        filled / ledger.num_failures if ledger.num_failures else 1.0,
        ledger.short_hours / years,
        ledger.down_hours / years,
        ledger.num_orders / years,
        ledger.num_failures / years,
    ]


def _half_width(measure: str, found: Floats, confidence: float) -> float:
    """Return Student's half width; for a share that was the same in all, what may be unseen.

    Where none of R replications shows anything, at most 1 - (1 - confidence)^(1/R) of all may
    (Hanley and Lippman-Hand 1983), and a share differs by 1 at most.
    """
    if measure in ("sla", "fill_rate") and found.size and np.ptp(found) == 0.0:
        return float(1.0 - (1.0 - confidence) ** (1.0 / found.size))
    return half_width(found, confidence)


def _fill_rate(counts: Floats, confidence: float) -> tuple[float, float]:
    """Return the ratio of means and its half width by the delta method (Law 2015, sec. 9.3)."""
    failures = float(counts[:, 0].mean())
    if failures == 0.0:
        return 1.0, float("nan")
    if not counts[:, 1].any():
        return 1.0, 1.0 - (1.0 - confidence) ** (1.0 / counts[:, 0].sum())
    share = 1.0 - float(counts[:, 1].mean()) / failures
    residuals = (counts[:, 0] - counts[:, 1] - share * counts[:, 0]) / failures
    return share, half_width(residuals, confidence)


def _check_rule(twin: Twin, rule: OrderRule) -> None:
    for part in twin.network.parts:
        for location in part.locations:
            if rule.base_stock(part.name, location.name) is not None and (
                twin.clock == "review" or twin.orders == "single"
            ):
                raise ValueError(
                    "one-for-one orders come between reviews, and several may be under way: they"
                    " need clock = 'continuous' and orders = 'free'."
                )
