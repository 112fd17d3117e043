"""What new records of units changed in a plan of maintenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sparing.evaluate.actions import all_states
from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.planning import COMPARED_STATES
from sparing.planning.saved import load_planned
from sparing.planning.scoring import PeriodScore
from sparing.planning.spares_change import SparesChange


@dataclass(frozen=True, kw_only=True)
class PlanChange:
    """What new records changed.

    Parameters
    ----------
    num_records
        That were added.
    score
        How the periods of the new records did as a whole, against what the last policy was
        chosen for (or the targets set).
    resolved, reason
        Whether the policy was solved anew, and why or why not.
    objective
        Middle of the bounds before and now; now that of the kept policy if it was kept.
    units
        Units on which other work is to be done than before, or new ones.
    num_states_changed
        States in which the policy now does something else; None if the old one does not fit.
    largest_shift
        Per component the largest change of a transition probability (posterior mean).
    stocks
        What changed in the stocks, where there are new records of them, too.
    """

    num_records: int
    score: PeriodScore
    resolved: bool
    reason: str
    objective: tuple[float, float]
    units: tuple[str, ...]
    num_states_changed: int | None
    largest_shift: Mapping[str, float]
    stocks: SparesChange | None = None

    def record(self) -> dict[str, Any]:
        """Return it as JSON knows it, without the stocks."""
        before, now = self.objective
        found = asdict(replace(self, stocks=None))
        del found["stocks"]
        return {**found, "objective": {"before": before, "now": now}}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether the policy was solved anew, why, and the score of the new records."""

    resolved: bool
    reason: str
    score: PeriodScore


def plan_change(
    old: dict[str, Any], before: Path, plan: MaintenancePlan, decision: Decision, *, added: int
) -> PlanChange:
    """Compare a plan with the metrics of the one before, which lies in the folder `before`."""
    bounds = old["objective"]
    now = (plan.solution.lower + plan.solution.upper) / 2.0
    work = {a["unit"]: _work(a["states"].values(), a["action"].values()) for a in old["advice"]}
    units = tuple(a.unit for a in plan.advice if work.get(a.unit) != _work(a.states, a.action))
    shifts = {}
    for name, found in plan.estimates.components.items():
        mean = np.array(old["estimates"].get(name, {}).get("mean", []))
        if mean.shape == found.posterior.mean.shape:
            shifts[name] = float(np.abs(found.posterior.mean - mean).max())
    return PlanChange(
        num_records=added,
        score=decision.score,
        resolved=decision.resolved,
        reason=decision.reason,
        objective=((bounds["lower"] + bounds["upper"]) / 2.0, now),
        units=units,
        num_states_changed=_num_changed(before, plan),
        largest_shift=shifts,
    )


def _work(states: Iterable[int | None], action: Iterable[int | str]) -> list[int | str | None]:
    """Return per component what it is brought to, None where nothing is done."""
    pairs = zip(states, action, strict=False)
    return [target if target != (state or 0) else None for state, target in pairs]


def _num_changed(before: Path, plan: MaintenancePlan) -> int | None:
    problem = plan.problem
    try:
        last, old = load_planned(before / "solution")
    except (OSError, ValueError):
        return None
    if last.epoch.shape != problem.epoch.shape or problem.num_states > COMPARED_STATES:
        return None
    states = all_states(problem)
    new = plan.solution.policy.action(states)
    return int(np.any(np.asarray(old.action(states)) != np.asarray(new), axis=1).sum())
