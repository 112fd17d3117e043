"""Reports of plans that are too large for an exact solve: policies and certainty by simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparing.evaluate.policy_comparison import PolicyRow
from sparing.planning.large_compare import SimulatedRow
from sparing.planning.large_robustness import Estimate, LargeRobustness
from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.robustness import Robustness
from sparing.report import html

BAR_NAME = 48  # characters that there is room for above a bar


def simulated_rows(rows: Sequence[PolicyRow]) -> list[SimulatedRow]:
    """Return those of `rows` that were simulated."""
    return [row for row in rows if isinstance(row, SimulatedRow)]


def compared_parts(rows: Sequence[SimulatedRow], plan: MaintenancePlan) -> list[str]:
    """Return the policies beside one another, bars and table; the recommended one is the first."""
    recommended = rows[0]
    sure = plan.robustness
    interval = sure.interval if sure is not None and not plan.problem.goals else None
    table = [
        [
            row.name,
            f"{row.cost:.2f} +- {row.half_width:.2f}",
            ""
            if row.difference is None
            else f"{row.difference.mean:+.2f} +- {row.difference.half_width:.2f}",
            f"{row.reliability:.4f}",
        ]
        for row in rows
    ]
    above = "objective above" if plan.problem.goals else "above"
    return [
        html.bars(
            [(_short(r.name), r.cost) for r in rows],
            marked=_short(recommended.name),
            interval=interval,
        ),
        html.table(["policy", "cost per period", f"{above} the recommended", "reliability"], table),
        html.paragraph(
            "Simulated with 95 % intervals; the differences are those of each replication, as all"
            " policies meet the same luck.",
            "note",
        ),
    ]


def _short(name: str) -> str:
    return name if len(name) <= BAR_NAME else name[: BAR_NAME - 3] + "..."


def large_certainty(found: Robustness) -> str:
    """Return what the cost may be, and what better data is worth as far as that is known."""
    low, high = found.interval
    parts = [
        html.paragraph(
            f"Under {found.cost.size} draws of what the wear may be, the recommended policy costs"
            f" {low:,.2f} to {high:,.2f} per period (95 %), by short simulations."
        )
    ]
    if isinstance(found, LargeRobustness):
        parts += [html.paragraph(line) for line in (worth_words(found), found.remark) if line]
    if found.by_component:
        parts.append(spread_table(found))
    return html.section("How sure that is", *parts)


def worth_words(found: LargeRobustness) -> str:
    """Return between what better data is worth, empty where that is not known."""
    least, most = found.worth_at_least, found.worth_at_most
    if least is None:
        return ""
    words = (
        "If the wear were known exactly, policies tuned to it would save"
        f" {_estimate(least)} per period on average"
    )
    if most is None:
        return f"{words}; the optimum may save more."
    return (
        f"{words}; no policy could save more than {_estimate(most)}, by certain lower bounds of the"
        " optimum (what the recommended one costs is simulated)."
    )


def spread_table(found: Robustness) -> str:
    """Return how far the cost moves with each component's estimate alone."""
    rows = [
        [name, *(f"{x:.2f}" for x in (cost.std(ddof=1), *np.quantile(cost, [0.05, 0.95])))]
        for name, cost in found.by_component.items()
    ]
    return html.table(["only this one uncertain", "standard deviation", "5 %", "95 %"], rows)


def simulated_record(row: PolicyRow) -> dict[str, Any]:
    """Return what metrics.json holds of a simulated policy beside its means."""
    if not isinstance(row, SimulatedRow):
        return {}
    less = row.difference
    return {
        "cost_half_width": row.half_width,
        "reliability_half_width": row.reliability_half_width,
        "above_recommended": None
        if less is None
        else {"mean": less.mean, "half_width": less.half_width},
    }


def worth_record(found: Robustness) -> dict[str, Any]:
    """Return what metrics.json holds of the value of better data where it is not known exactly."""
    if not isinstance(found, LargeRobustness):
        return {}
    return {
        "better_data_is_worth": {
            "at_least": _record(found.worth_at_least),
            "at_most": _record(found.worth_at_most),
            "remark": found.remark,
        }
    }


def _record(found: Estimate | None) -> dict[str, float] | None:
    return None if found is None else {"mean": found[0], "standard_error": found[1]}


def _estimate(found: Estimate) -> str:
    return f"{found[0]:,.2f} (standard error {found[1]:.2f})"
