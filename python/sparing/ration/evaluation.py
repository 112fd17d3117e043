"""Rules on the same days: means with intervals, paired differences, shares of the bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.ration.day import Day
from sparing.ration.online import OnlineRule
from sparing.ration.outlook import Outlook
from sparing.ration.rules import decide

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True, eq=False)
class Interval:
    """A mean over days and half the width of its 95 % interval (Student)."""

    mean: float
    half_width: float

    @classmethod
    def of(cls, samples: NDArray[np.float64]) -> Interval:
        """Return the interval of the mean of `samples` [D]."""
        from sparing.simulate.results import half_width

        return cls(mean=float(samples.mean()), half_width=half_width(samples, CONFIDENCE))

    @property
    def json(self) -> dict[str, float]:
        """As an object."""
        return {"mean": self.mean, "half_width": self.half_width}


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """What one rule made of each day, and the margin had everything been dropshipped."""

    ofr: NDArray[np.float64]  # [D]
    margin: NDArray[np.float64]  # [D]
    dropped: NDArray[np.float64]  # [D]
    upper: NDArray[np.float64] | None = None  # [D] where the rule proves a bound

    @property
    def gain(self) -> NDArray[np.float64]:
        """Margin above dropshipping everything [D]."""
        return self.margin - self.dropped


def measure(
    keys: Sequence[str],
    days: Sequence[Day],
    outlook: Outlook,
    rules: Mapping[str, OnlineRule],
    *,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Measured]:
    """Run each rule on each day."""
    found = {}
    dropped = np.array([day.drop_margin.sum() for day in days])
    for key in keys:
        if progress is not None:
            progress(f"{key}, {len(days)} days")
        results = [decide(key, day, outlook, rules) for day in days]
        bounds = [result.upper for result in results if result.upper is not None]
        found[key] = Measured(
            ofr=np.array([result.ofr for result in results]),
            margin=np.array([result.margin for result in results]),
            dropped=dropped,
            upper=np.array(bounds) if len(bounds) == len(results) else None,
        )
    return found


def difference(one: Measured, other: Measured) -> dict[str, dict[str, float]]:
    """Return the paired differences one - other, day by day."""
    return {
        "ofr": Interval.of(one.ofr - other.ofr).json,
        "margin": Interval.of(one.margin - other.margin).json,
    }


def share_of_bound(one: Measured, bound: Measured) -> dict[str, float]:
    """Return how much of the bound's gain over dropshipping everything a rule reaches.

    `bound` proves an upper bound of every rule's margin, so the share is not overstated.
    """
    assert bound.upper is not None
    return Interval.of(one.gain / np.maximum(bound.upper - bound.dropped, 1e-12)).json


def summary(found: Mapping[str, Measured]) -> dict[str, dict[str, dict[str, float]]]:
    """Return per rule OFR, margin and, if hindsight was run, the share of its bound."""
    bound = found.get("hindsight")
    table = {}
    for key, rule in found.items():
        table[key] = {"ofr": Interval.of(rule.ofr).json, "margin": Interval.of(rule.margin).json}
        if bound is not None:
            table[key]["share_of_bound"] = share_of_bound(rule, bound)
    return table
