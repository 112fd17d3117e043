"""What a simulation found, with its confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulationResult:
    """Mean costs over replications with half widths of their confidence intervals.

    Attributes
    ----------
    objective, half_width
        The weighted sum of the kinds, and half the width of its interval (Student's t over the
        replications; inf for a single one).
    mean, half_widths
        The same per kind.
    criterion
        "average": per epoch behind the warm-up; "total": over the horizon, each epoch weighed by
        the discounts before it.
    samples
        Shape (replications, kinds): the same figures of each replication.
    """

    objective: float
    half_width: float
    mean: Mapping[str, float]
    half_widths: Mapping[str, float]
    criterion: str
    confidence: float
    seed: int
    num_epochs: int
    num_replications: int
    warm_up: int
    weights: Mapping[str, float]
    samples: NDArray[np.float64]

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end of the objective's interval."""
        return self.objective - self.half_width, self.objective + self.half_width

    @property
    def objectives(self) -> NDArray[np.float64]:
        """The objective [replications] of each replication."""
        return objectives(self.samples, self.weights)

    def __str__(self) -> str:
        per = "per epoch" if self.criterion == "average" else "in total"
        mean = {"objective": self.objective, **self.mean}
        half_widths = {"objective": self.half_width, **self.half_widths}
        return "\n".join(
            [
                f"{self.num_replications} replications of {self.num_epochs} epochs,"
                f" {self.warm_up} of them to warm up; {per}, {self.confidence:.0%} confidence,"
                f" seed {self.seed}",
                *estimate_lines(mean, half_widths),
            ]
        )


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A policy's objective less the baseline's, replication by replication."""

    mean: float
    half_width: float

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end of the interval."""
        return self.mean - self.half_width, self.mean + self.half_width


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Policies under common random numbers; differences are from `baseline`, the first."""

    baseline: str
    results: Mapping[str, SimulationResult]
    differences: Mapping[str, Difference]

    def __str__(self) -> str:
        width = max(len(name) for name in self.results)
        lines = []
        for name, result in self.results.items():
            line = f"{name:{width}}  {result.objective:14.6f} +- {result.half_width:.6f}"
            if name in self.differences:
                found = self.differences[name]
                line += f"  less {self.baseline}: {found.mean:+.6f} +- {found.half_width:.6f}"
            lines.append(line)
        return "\n".join(lines)


def estimate_lines(mean: Mapping[str, float], half_widths: Mapping[str, float]) -> list[str]:
    """Return a line per estimate: name, mean and half width."""
    width = max(len(name) for name in mean)
    return [
        f"{name:{width}}  {value:14.6f} +- {half_widths[name]:.6f}" for name, value in mean.items()
    ]


def objectives(samples: NDArray[np.float64], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Return samples [R, kinds] weighed and summed over kinds, in their order: [R]."""
    total = np.zeros(len(samples))
    for column, weight in enumerate(weights.values()):
        if weight != 0.0:
            total += weight * samples[:, column]
    return total


def half_width(samples: NDArray[np.float64], confidence: float) -> float:
    """Return half the width of Student's interval of the mean of `samples` [R]."""
    from scipy.special import stdtrit

    if samples.size < 2:
        return float("inf")
    quantile = float(stdtrit(samples.size - 1, 0.5 * (1.0 + confidence)))
    return quantile * float(samples.std(ddof=1)) / sqrt(samples.size)
