"""What the HyperScore of a period is measured against: [hyper_score] in plan.toml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log
from typing import Any

from sparing._checks import is_number
from sparing.models.network_values import HyperScoreTargets

MEASURES = ("cost", "availability", "failures", "actions")  # per unit and period
EXPECTED = ("cost", "availability")  # those that a plan has figures of
DEFAULT_WEIGHT = {"cost": 0.5, "availability": 0.5}
# About where costs and downtime are a quarter above what the plan expects (V = 0.8).
RESOLVE_BELOW = 102.0
MOST_AVAILABLE = 1.0 - 1e-6  # a target of 1 could not be missed by more or less


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """Weights and targets of the HyperScore, and when a policy is solved anew.

    Parameters
    ----------
    weight
        Per measure of `MEASURES`.
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
        if "availability" in target:
            target["availability"] = min(target["availability"], MOST_AVAILABLE)
        return HyperScoreTargets(
            target=target,
            weight=dict(self.weight),
            beta=self.beta,
            gamma=self.gamma,
            kappa=self.kappa,
        )


def score_settings(table: Any, bad: Callable[[str, str], None]) -> ScoreSettings:
    """Return the settings in the table [hyper_score]; what is wrong is told to `bad`."""
    if not isinstance(table, dict):
        bad("hyper_score", "must be a table")
        return ScoreSettings()
    numbers = {"resolve_below": 0.0, "beta": 0.0, "gamma": float("-inf"), "kappa": 0.0}
    for key in sorted(set(table) - {"target", "weight", *numbers}):
        bad(f"hyper_score.{key}", "is no key; there are target, weight, " + ", ".join(numbers))
    given = dict[str, Any]()
    for key, low in numbers.items():
        value = table.get(key, getattr(ScoreSettings(), key))
        if is_number(value) and low < value < float("inf"):
            given[key] = float(value)
        else:
            bad(f"hyper_score.{key}", f"must be a number above {low:g}; got {value!r}")
    for key in ("target", "weight"):
        given[key] = _by_measure(table.get(key, {}), key, bad)
    given["weight"] = given["weight"] or dict.fromkeys(given["target"], 1.0) or DEFAULT_WEIGHT
    for measure in sorted(set(given["target"]) - set(given["weight"])):
        bad(f"hyper_score.target.{measure}", "has no weight")
    for measure in sorted(set(given["weight"]) - set(given["target"]) - set(EXPECTED)):
        bad(f"hyper_score.weight.{measure}", "needs a target: a plan does not expect any")
    return ScoreSettings(**given)


def _by_measure(table: Any, key: str, bad: Callable[[str, str], None]) -> dict[str, float]:
    if not isinstance(table, dict):
        bad(f"hyper_score.{key}", f"must be a table, a number per measure; got {table!r}")
        return {}
    found = {}
    for measure, value in table.items():
        place = f"hyper_score.{key}.{measure}"
        most = 1.0 if (key, measure) == ("target", "availability") else float("inf")
        if measure not in MEASURES:
            bad(place, f"is no measure; there are {', '.join(MEASURES)}")
        elif not (is_number(value) and 0.0 < value < most):
            rule = "above 0" if most > 1.0 else "above 0 and below 1"
            bad(place, f"must be a number {rule}; got {value!r}")
        else:
            found[measure] = float(value)
    return found
