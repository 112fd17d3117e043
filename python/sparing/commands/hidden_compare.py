"""sparing compare for hidden degradation: tuned rules, evaluated exactly, beside the bounds."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from sparing._files import replaced_folder, write_atomically
from sparing.beliefs.component_baselines import baselines, revealed_bound
from sparing.beliefs.component_result import BeliefOptions
from sparing.commands.hidden_solve import solve_report, solved, summary
from sparing.commands.output import check_new_folder, note, print_json, print_table
from sparing.models.hidden import HiddenProblem

SHOWN_LETTERS = 37  # of the parameters of a rule; --json and --out hold them whole


def compare(case: str, problem: HiddenProblem, *, out: Path | None, as_json: bool) -> None:
    """Print what usual rules cost beside the bounds of the optimum."""
    if out is not None:
        check_new_folder(out, "compare.json")
    options = BeliefOptions()
    rules = baselines(problem)
    revealed = revealed_bound(problem, num_threads=options.threads)
    solution = solved(problem, options, None, None)
    lower, cost = solution.lower, solution.cost
    rows = [
        {
            "policy": rule.rule,
            "parameters": rule.parameters,
            "cost": rule.cost,
            "half_width": 0.0,
            "above_bound": _above(rule.cost, lower),
        }
        for rule in rules
    ]
    rows.append(
        {
            "policy": "greedy on beliefs",
            "parameters": f"{solution.rounds[-1].num_points:,} points",
            "cost": cost.mean,
            "half_width": cost.half_width,
            "above_bound": _above(cost.mean, lower),
        }
    )
    report = {
        **solve_report(case, solution),
        "policies": rows,
        "bounds": {"lower": lower, "states_revealed": revealed},
    }
    if out is not None:
        _save(report, out)
    if as_json:
        print_json(report)
        return
    print(f"{case}: {summary(problem)}\n")
    _print_rows(rows, lower, revealed)
    if out is not None:
        print(f"\nsaved in {out}")
    if not solution.converged:
        note(solution.message)


def _above(cost: float, lower: float) -> float | None:
    return (cost - lower) / abs(lower) if lower != 0.0 else None


def _print_rows(rows: list[dict[str, Any]], lower: float, revealed: float) -> None:
    lines = []
    for row in rows:
        share = "" if row["above_bound"] is None else f"+{row['above_bound'] * 100:.2f} %"
        wide = f"+- {row['half_width']:.2g}" if row["half_width"] else ""
        best = row["parameters"]
        best = best if len(best) <= SHOWN_LETTERS else best[: SHOWN_LETTERS - 1] + "…"
        lines.append([row["policy"], best, f"{row['cost']:.2f}", wide, share])
    lines.append(["lower bound", "", f"{lower:.2f}", "", ""])
    lines.append(["lower bound", "states seen every period", f"{revealed:.2f}", "", ""])
    title = "discounted cost from all new (exact unless an interval stands beside)"
    print_table(["policy", "best", "cost", "", "above bound"], lines, title=title, left=2)


def _save(report: dict[str, Any], folder: Path) -> None:
    with replaced_folder(folder) as part:
        text = json.dumps({"format": "sparing-compare-1", **report}, indent=1)
        write_atomically(part / "compare.json", text + "\n")
        with (part / "policies.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(report["policies"][0]))
            writer.writeheader()
            writer.writerows(report["policies"])
