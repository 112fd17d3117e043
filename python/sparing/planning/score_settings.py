"""What the HyperScore of a period is measured against: [hyper_score] in plan.toml.

Units have [hyper_score], stocks have [spares.hyper_score]; they differ in what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log
from typing import Any

from sparing._checks import is_number
from sparing.evaluate.hyper_score import MORE_IS_BETTER
from sparing.models.network_values import HyperScoreTargets

# Of units, per unit and period: what is measured, and of what a plan has figures.
MEASURES = ("cost", "availability", "failures", "actions")
EXPECTED = ("cost", "availability")
DEFAULT_WEIGHT = {"cost": 0.5, "availability": 0.5}
# Of stocks, per review; a plan has figures of all.
STOCK_MEASURES = ("cost", "sla", "orders", "failures")
STOCK_WEIGHT = {"cost": 0.5, "sla": 0.5}
# About where costs and downtime are a quarter above what the plan expects (V = 0.8).
RESOLVE_BELOW = 102.0
MOST = 1.0 - 1e-6  # of a share: a target of 1 could not be missed by more or less
LEAST = 1e-9  # of anything else: a target has to be above 0


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """Weights and targets of the HyperScore, and when a policy is solved anew.

    Parameters
    ----------
    weight
        Per measure of `MEASURES`, or of `STOCK_MEASURES`.
    target
        Of some of them, in place of what the plan expects.
    resolve_below
        Score of new records below which the policy is solved anew.
    beta, gamma, kappa
        As in `sparing.evaluate.hyper_score.hyper_score`.
    """

    weight: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_WEIGHT))
    target: Mapping[str, float] = field(default_factory=dict)
    resolve_below: float = RESOLVE_BELOW
    beta: float = 5.0
    gamma: float = -log(2.0)
    kappa: float = 2.0

    def targets(self, expected: Mapping[str, float]) -> HyperScoreTargets:
        """Return the targets, where none is set those of what the plan expects."""
        known = {**expected, **self.target}
        target = {measure: known[measure] for measure in self.weight}
        for measure, value in target.items():
            is_share = measure in MORE_IS_BETTER
            target[measure] = min(value, MOST) if is_share else max(value, LEAST)
        return HyperScoreTargets(
            target=target,
            weight=dict(self.weight),
            beta=self.beta,
            gamma=self.gamma,
            kappa=self.kappa,
        )


def score_settings(
    table: Any,
    bad: Callable[[str, str], None],
    *,
    place: str = "hyper_score",
    measures: tuple[str, ...] = MEASURES,
    expected: tuple[str, ...] = EXPECTED,
    default_weight: Mapping[str, float] = DEFAULT_WEIGHT,
) -> ScoreSettings:
    """Return the settings in the table [hyper_score]; what is wrong is told to `bad`.

    Parameters
    ----------
    place
        Of the table, for messages.
    measures, expected
        What is measured, and of what a plan says itself what it expects.
    """
    default = ScoreSettings(weight=dict(default_weight))
    if not isinstance(table, dict):
        bad(place, "must be a table")
        return default
    numbers = {"resolve_below": 0.0, "beta": 0.0, "gamma": float("-inf"), "kappa": 0.0}
    for key in sorted(set(table) - {"target", "weight", *numbers}):
        bad(f"{place}.{key}", "is no key; there are target, weight, " + ", ".join(numbers))
    given = dict[str, Any]()
    for key, low in numbers.items():
        value = table.get(key, getattr(default, key))
        if is_number(value) and low < value < float("inf"):
            given[key] = float(value)
        else:
            bad(f"{place}.{key}", f"must be a number above {low:g}; got {value!r}")
    for key in ("target", "weight"):
        given[key] = _by_measure(table.get(key, {}), key, f"{place}.{key}", measures, bad)
    given["weight"] = given["weight"] or dict.fromkeys(given["target"], 1.0) or default.weight
    for measure in sorted(set(given["target"]) - set(given["weight"])):
        bad(f"{place}.target.{measure}", "has no weight")
    for measure in sorted(set(given["weight"]) - set(given["target"]) - set(expected)):
        bad(f"{place}.weight.{measure}", "needs a target: a plan does not expect any")
    return ScoreSettings(**given)


def _by_measure(
    table: Any,
    key: str,
    place: str,
    measures: tuple[str, ...],
    bad: Callable[[str, str], None],
) -> dict[str, float]:
    if not isinstance(table, dict):
        bad(place, f"must be a table, a number per measure; got {table!r}")
        return {}
    found = {}
    for measure, value in table.items():
        is_share = key == "target" and measure in MORE_IS_BETTER
        if measure not in measures:
            bad(f"{place}.{measure}", f"is no measure; there are {', '.join(measures)}")
        elif not (is_number(value) and 0.0 < value < (1.0 if is_share else float("inf"))):
            rule = "above 0 and below 1" if is_share else "above 0"
            bad(f"{place}.{measure}", f"must be a number {rule}; got {value!r}")
        else:
            found[measure] = float(value)
    return found
