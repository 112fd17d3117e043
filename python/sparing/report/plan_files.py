"""What a plan writes: metrics.json, policy.parquet, the saved solution and report.html."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sparing._files import replaced_folder, write_atomically
from sparing.evaluate.actions import actions_of, all_states
from sparing.exact.solution import Solution
from sparing.planning.large import LargeSolution
from sparing.planning.large_files import large_record, save_large
from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.plan_change import PlanChange
from sparing.planning.spares_change import SparesChange
from sparing.report.plan_large import simulated_record, worth_record
from sparing.report.plan_report import plan_report
from sparing.report.spares_files import spares_metrics, write_spares
from sparing.saved_solution import record_of, save_solution

FORMAT = "sparing-plan-1"
TABLED_STATES = 1 << 20  # up to here the policy of all states is also written as a table


def save_plan(
    plan: MaintenancePlan,
    folder: str | Path,
    *,
    change: PlanChange | SparesChange | None = None,
) -> dict[str, Any]:
    """Write the plan into `folder`, which is whole or not there; return its metrics."""
    metrics = plan_metrics(plan)
    spares_change = change.stocks if isinstance(change, PlanChange) else change
    if isinstance(change, PlanChange):
        metrics["change"] = change.record()
    if plan.spares is not None:
        metrics["spares"] = spares_metrics(plan.spares, spares_change)
    with replaced_folder(Path(folder)) as part:
        if isinstance(plan.solution, LargeSolution):
            save_large(plan.solution, part / "solution", plan.problem)
        else:
            save_solution(plan.solution, part / "solution", problem=plan.problem)
        _write_policy(plan, part / "policy.parquet")
        if plan.spares is not None:
            write_spares(plan.spares, part)
        write_atomically(part / "metrics.json", json.dumps(metrics, indent=1) + "\n")
        write_atomically(part / "report.html", plan_report(plan, change))
    return metrics


def plan_metrics(plan: MaintenancePlan) -> dict[str, Any]:
    """Return the figures of a plan for machines."""
    rows = [*plan.rows.values(), *([plan.today] if plan.today is not None else [])]
    found: dict[str, Any] = {
        "format": FORMAT,
        "case": plan.problem.name,
        **_record(plan.solution),
        "method": asdict(plan.method),
        "policies": [
            {
                "key": r.key,
                "name": r.name,
                "cost": r.cost,
                "reliability": r.reliability,
                **simulated_record(r),
            }
            for r in rows
        ],
        "advice": [
            {
                "unit": a.unit,
                "states": dict(zip(plan.problem.names, a.states, strict=True)),
                "action": dict(zip(plan.problem.names, a.action, strict=False)),
                "work": plan.work(a),
            }
            for a in plan.advice
        ],
        "estimates": {
            name: {
                "mean": e.posterior.mean.tolist(),
                "lower": e.posterior.interval()[0].tolist(),
                "upper": e.posterior.interval()[1].tolist(),
                "spans": e.posterior.num_spans,
                "cut": e.num_cut,
                "method": e.posterior.method,
            }
            for name, e in plan.estimates.components.items()
        },
        "expected": dict(plan.expected),
        "hyper_score": {
            **asdict(plan.source.scoring),
            "target": dict(plan.source.scoring.targets(plan.expected).target),
            "periods": [asdict(period) for period in plan.scores],
        },
        "remarks": list(plan.remarks),
    }
    if plan.robustness is not None:
        low, high = plan.robustness.interval
        value = plan.robustness.value_of_information
        found["robustness"] = {
            "interval": {"lower": low, "upper": high},
            "value_of_information": None
            if value is None
            else {"mean": value[0], "standard_error": value[1]},
            **worth_record(plan.robustness),
            "standard_deviation_by_component": {
                name: float(cost.std(ddof=1)) for name, cost in plan.robustness.by_component.items()
            },
        }
    return found


def _record(solution: Solution | LargeSolution) -> dict[str, Any]:
    return large_record(solution) if isinstance(solution, LargeSolution) else record_of(solution)


def _write_policy(plan: MaintenancePlan, path: Path) -> None:
    """Write one row per state: the states of the axes, and what each component is brought to.

    Of too many states those in which units are now are written.
    """
    import pyarrow
    from pyarrow import parquet

    problem = plan.problem
    if problem.num_states <= TABLED_STATES:
        states = all_states(problem)
    else:
        now = [[state or 0 for state in advice.states] for advice in plan.advice]
        states = np.unique(np.array(now, dtype=np.int32), axis=0)
    names = [axis.name for axis in problem.epoch.axes]
    columns: dict[str, Any] = {name: states[:, i] for i, name in enumerate(names)}
    actions = actions_of(problem, plan.solution.policy, states)
    for position, name in enumerate(problem.names):
        columns[f"{name} to"] = [str(action[position]) for action in actions]
    parquet.write_table(pyarrow.table(columns), path)
