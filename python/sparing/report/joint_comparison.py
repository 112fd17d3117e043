"""The comparison of joint and separate planning as JSON, tables and a folder of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sparing._files import replaced_folder, write_atomically, write_csv
from sparing.evaluate.joint_comparison import JointComparison, JointRow, frequent_actions
from sparing.exact.policy_evaluation import Bounds

FORMAT = "sparing-joint-comparison-1"
LISTED_STATES = 1000


def joint_report(case: str, found: JointComparison) -> dict[str, Any]:
    """Return what `sparing compare --json` prints for a case with spares."""
    problem = found.problem
    best = found.rows["joint"].objective
    names = [*problem.names, *(spare.name for spare in problem.spares)]
    return {
        "case": case,
        "states": problem.num_states,
        "components": problem.names,
        "spares": [spare.name for spare in problem.spares],
        "policies": [_row_json(found, row) for row in found.rows.values()],
        "joint_optimisation": {
            "worth": _bounds(found.worth),
            "share_of_objective": found.worth.value / abs(best.value) if best.value else None,
            "maintains_otherwise": found.otherwise,
        },
        "search": {
            "levels": {name: list(pair) for name, pair in found.search.levels.items()},
            "num_evaluated": found.search.num_evaluated,
            "exhaustive": found.search.exhaustive,
        },
        "relative_tol": found.relative_tol or None,
        "left_out": list(found.left_out),
        "actions": [
            {
                "state": dict(zip(names, _labelled(found, state), strict=True)),
                "maintenance": dict(zip(problem.names, action, strict=False)),
                "orders": dict(
                    zip(names[len(problem.names) :], action[len(problem.names) :], strict=True)
                ),
                "frequency": share,
            }
            for state, action, share in frequent_actions(found, LISTED_STATES)
        ],
    }


def save_joint_comparison(found: JointComparison, report: dict[str, Any], folder: Path) -> None:
    """Write policies.csv, spares.csv, actions.csv, stocks.png and compare.json.

    Where costs are known by kind, costs.png too.
    """
    from sparing.report.joint_plots import plot_costs, plot_stocks

    kinds = any(row["kinds"] for row in report["policies"])
    with replaced_folder(folder) as part:
        _save_policies(report, part)
        _save_actions(report, part / "actions.csv")
        if kinds:  # not where there are many states
            plot_costs(report, part / "costs.png")
        plot_stocks(found, part / "stocks.png", case=report["case"])
        text = json.dumps({"format": FORMAT, **report}, indent=1)
        write_atomically(part / "compare.json", text + "\n")


def _row_json(found: JointComparison, row: JointRow) -> dict[str, Any]:
    problem, metrics = found.problem, row.metrics
    best = found.rows["joint"].objective.value
    above = row.objective.value - best
    return {
        "key": row.key,
        "policy": row.name,
        "objective": _bounds(row.objective),
        "reward": -row.objective.value if problem.goals else None,
        "cost": metrics["cost_rate"].value if "cost_rate" in metrics else None,
        "reliability": metrics["reliability"].value if "reliability" in metrics else None,
        "above_optimum": above / abs(best) if best else None,
        "kinds": {k: metrics[k].value for k in problem.cost_kinds if k in metrics},
        "spares": {
            spare.name: {
                "levels": list(row.levels[spare.name]) if row.levels else None,
                **{
                    kind.removesuffix(f"_{spare.name}"): metrics[kind].value
                    for kind in spare.count_kinds
                    if kind in metrics
                },
            }
            for spare in problem.spares
        },
    }


def _labelled(found: JointComparison, state: tuple[int, ...]) -> list[int | str]:
    num = len(found.problem.components)
    stocks = zip(found.problem.spares, state[num:], strict=True)
    return [*state[:num], *(str(spare.found[k]) for spare, k in stocks)]


def _bounds(bounds: Bounds) -> dict[str, float]:
    return {"lower": bounds.lower, "upper": bounds.upper}


def _save_policies(report: dict[str, Any], folder: Path) -> None:
    fields = ["key", "policy", "reward", "cost", "reliability", "above_optimum"]
    kinds = list(report["policies"][0]["kinds"])
    rows = [
        [*(row[f] for f in fields), *(row["kinds"].get(k) for k in kinds)]
        for row in report["policies"]
    ]
    write_csv(folder / "policies.csv", [*fields, *kinds], rows)
    counts = ("order_rate", "emergency_rate", "mean_on_hand")
    rows = []
    for row in report["policies"]:
        for name, spare in row["spares"].items():
            if "mean_on_hand" in spare or spare["levels"]:
                levels = spare["levels"] or [None, None]
                rows.append([row["key"], name, *levels, *(spare.get(c) for c in counts)])
    write_csv(folder / "spares.csv", ["key", "spare", "s", "S", *counts], rows)


def _save_actions(report: dict[str, Any], path: Path) -> None:
    components, spares = report["components"], report["spares"]
    header = [*components, *spares, *(f"{c}_after" for c in components)]
    header += [*(f"{s}_order" for s in spares), "frequency"]
    rows = [
        [
            *entry["state"].values(),
            *entry["maintenance"].values(),
            *entry["orders"].values(),
            entry["frequency"],
        ]
        for entry in report["actions"]
    ]
    write_csv(path, header, rows)
