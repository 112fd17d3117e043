"""What a rollout of a spares network found: metrics with confidence intervals, paired samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.models.spares_network import SparesNetwork
from sparing.simulate.results import estimate_lines, half_width

KINDS = (
    "objective",
    "order",
    "holding",
    "downtime",
    "emergency",
    "orders",
    "emergencies",
    "units short",
    "sites short",
    "units ordered",
    "units held",
    "failures",
)  # totals over the horizon, in the order of the kernel; the objective is discounted
HOURS_A_YEAR = 8760.0


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkResult:
    """Metrics over the horizon with half widths of their intervals (Student's t).

    Attributes
    ----------
    mean, half_widths
        Per metric; the first, ``objective``, is the discounted cost.
    metrics
        Per metric the samples [replications].
    samples
        Shape (replications, kinds): totals by `KINDS`, summed over parts.
    """

    mean: Mapping[str, float]
    half_widths: Mapping[str, float]
    metrics: Mapping[str, NDArray[np.float64]]
    samples: NDArray[np.float64]
    confidence: float
    seed: int

    @property
    def objective(self) -> float:
        """Mean discounted cost."""
        return self.mean["objective"]

    @property
    def half_width(self) -> float:
        """Half the width of the objective's interval."""
        return self.half_widths["objective"]

    def difference(self, other: NetworkResult, metric: str = "objective") -> tuple[float, float]:
        """Return mean and half width of this metric less the other's, paired by replication.

        Raises
        ------
        ValueError
            If the two were not simulated on the same draws.
        """
        if self.seed != other.seed or len(self.samples) != len(other.samples):
            raise ValueError("the two results must have the same seed and number of replications.")
        gaps = self.metrics[metric] - other.metrics[metric]
        return float(gaps.mean()), half_width(gaps, self.confidence)

    def __str__(self) -> str:
        head = (
            f"{len(self.samples)} replications, {self.confidence:.0%} confidence, seed {self.seed}"
        )
        return "\n".join([head, *estimate_lines(self.mean, self.half_widths)])


def network_result(
    problem: SparesNetwork, samples: NDArray[np.float64], *, confidence: float, seed: int
) -> NetworkResult:
    """Return the metrics of totals [replications, kinds], summed over parts."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be above 0 and below 1; got {confidence}.")
    metrics = network_sample_metrics(problem, samples)
    return NetworkResult(
        mean={name: float(values.mean()) for name, values in metrics.items()},
        half_widths={name: half_width(values, confidence) for name, values in metrics.items()},
        metrics=metrics,
        samples=samples,
        confidence=confidence,
        seed=seed,
    )


def network_sample_metrics(
    problem: SparesNetwork, samples: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return per metric the values [...] of totals [..., kinds].

    The names are those of `sparing.evaluate.network_measures.network_metrics`.
    """
    column = {kind: samples[..., k] for k, kind in enumerate(KINDS)}
    site_periods = problem.periods * sum(len(part.sites) for part in problem.parts)
    costs = {f"{k}_cost": column[k] for k in ("holding", "order", "downtime", "emergency")}
    metrics = {
        "objective": column["objective"],
        **costs,
        "total_cost": np.sum(list(costs.values()), axis=0),
        "orders": column["orders"],
        "emergencies": column["emergencies"],
        "unit_periods_short": column["units short"],
        "sla": 1.0 - column["sites short"] / site_periods,
        "failures": column["failures"],
    }
    if problem.period_hours is not None:
        years = problem.periods * problem.period_hours / HOURS_A_YEAR
        metrics["downtime_hours_per_year"] = column["units short"] * problem.period_hours / years
        metrics["orders_per_year"] = column["orders"] / years
    return metrics
