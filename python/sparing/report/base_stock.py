"""The cost-availability curve as JSON and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparing.inventory.cost_curve import BaseStockPlan, CostCurve


def curve_report(
    case: str, curve: CostCurve, plan: BaseStockPlan | None, *, num_points: int
) -> dict[str, Any]:
    """Return what `sparing base-stock --json` prints."""
    network = curve.network
    return {
        "case": case,
        "method": curve.method,
        "minimised": curve.minimised,
        "parts": list(network.parts),
        "locations": list(network.locations),
        "vertices": curve.num_vertices,
        "points": [
            {
                "investment": m.investment,
                "backorders": m.site_backorders,
                "sla": m.sla,
                "units": int(m.levels.sum()),
            }
            for m in curve.spread(num_points)
        ],
        "plan": None if plan is None else _plan_json(plan),
    }


def _plan_json(plan: BaseStockPlan) -> dict[str, Any]:
    found = plan.measures
    return {
        "investment": plan.investment,
        "backorders": found.site_backorders,
        "sla": found.sla,
        "shortage": plan.shortage,
        "lower_bound": plan.lower_bound,
        "gap": plan.gap,
        "levels": {
            part: dict(zip(found.network.locations, map(int, levels), strict=True))
            for part, levels in zip(found.network.parts, found.levels, strict=True)
        },
    }


def plot_curve(report: dict[str, Any], path: str | Path) -> None:
    """Draw SLA and units missing against money."""
    from sparing.report.plots import INK, LINE, finish, new_figure

    figure, (left, right) = new_figure(2, width=4.6, height=3.4)
    money = [p["investment"] for p in report["points"]]
    missed = [max(1.0 - p["sla"], 1e-12) for p in report["points"]]
    left.semilogy(money, missed, marker="o", color=LINE, markersize=3)
    left.set_ylabel("share of site time with a backorder, 1 - SLA")
    short = [max(p["backorders"], 1e-12) for p in report["points"]]
    right.semilogy(money, short, marker="o", color=LINE, markersize=3)
    right.set_ylabel("mean units missing at the sites")
    plan = report["plan"]
    for axes, key in ((left, "sla"), (right, "backorders")):
        axes.set_xlabel("holding cost of the base stocks")
        if plan is not None:
            height = 1.0 - plan["sla"] if key == "sla" else plan["backorders"]
            axes.plot([plan["investment"]], [height], "D", color=INK, markersize=6)
    finish(figure, path, f"{report['case']}: cost and availability ({report['method']})")
