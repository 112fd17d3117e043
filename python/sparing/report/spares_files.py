"""What the stocks of a plan write: their metrics, tables of the policy, and the saved plan."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sparing._files import replaced_folder, write_atomically
from sparing.planning.plan_change import PlanChange
from sparing.planning.spares_change import SparesChange
from sparing.planning.spares_plan import SparesPlan
from sparing.planning.spares_saved import save_stock_policy
from sparing.records.times import time_text
from sparing.report.spares_report import spares_report

FORMAT = "sparing-spares-plan-1"


def save_spares_plan(
    spares: SparesPlan, folder: str | Path, *, change: PlanChange | SparesChange | None = None
) -> dict[str, Any]:
    """Write the plan of a folder of spares alone, whole or not there; return its metrics."""
    change = change.stocks if isinstance(change, PlanChange) else change
    metrics: dict[str, Any] = {"format": FORMAT, "spares": spares_metrics(spares, change)}
    with replaced_folder(Path(folder)) as part:
        write_spares(spares, part)
        write_atomically(part / "metrics.json", json.dumps(metrics, indent=1) + "\n")
        write_atomically(part / "report.html", spares_report(spares, change))
    return metrics


def write_spares(spares: SparesPlan, folder: Path) -> None:
    """Write the saved policy and stock_policy.parquet into a folder of a plan."""
    save_stock_policy(spares, folder / "spares")
    _write_levels(spares, folder / "stock_policy.parquet")


def spares_metrics(spares: SparesPlan, change: SparesChange | None = None) -> dict[str, Any]:
    """Return the figures of the stocks for machines."""
    periods = spares.network.periods
    found: dict[str, Any] = {
        "day": spares.source.today.isoformat(),
        "stock_on_record": spares.source.stock is not None,
        "review_days": spares.source.settings.period,
        "reviews": periods,
        "levels": [_level(spares, number) for number in range(len(spares.levels))],
        "orders": [
            {"part": x.part, "location": x.location, "quantity": x.order_now} for x in spares.orders
        ],
        "choices": {name: vars(choice) for name, choice in spares.policy.choices.items()},
        "policies": [],
        "curve": [vars(point) for point in spares.curve],
        "rates": {},
        "lead_times": {},
        "remarks": list(spares.remarks),
        "in_force": {
            "since": time_text(spares.solved.day),
            "reviews_left": periods,
            "kept": spares.decision is not None and not spares.decision.resolved,
        },
        "expected": dict(spares.solved.expected),
        "hyper_score": _scores(spares),
    }
    for row in spares.rows:
        low, high = spares.robustness.cost_interval(row.key)
        worst, best = spares.robustness.sla_interval(row.key)
        mean, half = row.result.mean, row.result.half_widths
        found["policies"].append(
            {
                "key": row.key,
                "name": row.name,
                "cost": mean["total_cost"] / periods,
                "cost_half_width": half["total_cost"] / periods,
                "cost_interval": {"lower": low, "upper": high},
                "sla": mean["sla"],
                "sla_half_width": half["sla"],
                "sla_interval": {"lower": worst, "upper": best},
                "more": None if row.more is None else [value / periods for value in row.more],
            }
        )
    for name, rate in spares.estimates.rates.items():
        low, high = rate.belief.interval()
        found["rates"][name] = {
            "failures": rate.failures,
            "exposure": rate.exposure,
            "shape": rate.belief.shape,
            "rate": rate.belief.rate,
            "mean": rate.belief.mean,
            "lower": low,
            "upper": high,
        }
    for name, time in spares.estimates.lead_times.items():
        if time.fit is not None:
            low, high = time.fit.mean_interval()
            found["lead_times"][name] = {
                "mean_days": time.fit.mean,
                "lower": low,
                "upper": high,
                "shape": time.fit.shape,
                "scale": time.fit.scale,
                "orders": time.fit.num_orders,
                "pooled": time.pooled,
            }
    if (solution := spares.policy.solution) is not None:
        found["exact"] = {
            "parts": [plan.part.name for plan in solution.plans],
            "reviews": solution.problem.periods,
            "objective": {"lower": solution.lower, "upper": solution.upper},
            "states": solution.states,
        }
    found["value_of_information"] = {
        value.part: {"mean": value.mean, "error": value.error} for value in spares.information
    }
    if spares.demand is not None and spares.demand.forecast is not None:
        found["forecast"] = {
            "method": spares.demand.method,
            "months": spares.demand.forecast.shape[1],
            "mean": dict(zip(spares.demand.parts, spares.demand.forecast.tolist(), strict=True)),
        }
    if change is not None:
        found["change"] = change.record()
    return found


def _scores(spares: SparesPlan) -> dict[str, Any]:
    settings = spares.source.settings.scoring
    return {
        **asdict(settings),
        "target": dict(settings.targets(spares.solved.expected).target),
        "periods": [asdict(period) for period in spares.scores],
        "chance_below_by_luck": spares.chance_below,
    }


def _level(spares: SparesPlan, number: int) -> dict[str, Any]:
    level = spares.levels[number]
    return {
        "part": level.part,
        "location": level.location,
        "reorder_at": level.reorder_at,
        "order_up_to": level.order_up_to,
        "net_stock": level.standing.net,
        "on_order": level.standing.ordered,
        "order_now": level.order_now,
        "today": None
        if level.today is None
        else {"reorder_at": level.today.reorder_at, "order_up_to": level.today.order_up_to},
    }


def _write_levels(spares: SparesPlan, path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    rows = [_level(spares, number) for number in range(len(spares.levels))]
    for row in rows:
        row["planned_by"] = spares.policy.choices[row["part"]].method
        row.pop("today")
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
