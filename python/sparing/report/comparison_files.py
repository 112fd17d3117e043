"""A comparison as a folder: CSV tables, JSON and plots."""

from __future__ import annotations

import json
from pathlib import Path

from sparing._files import replaced_folder, write_atomically, write_csv
from sparing.report.comparison import Comparison
from sparing.report.plots import MAX_PANELS, plot_front, plot_policy
from sparing.report.thesis_tables import AGENT

FORMAT = "sparing-comparison-1"
FRONT_STATES = 1 << 16  # up to here the front is drawn


def save_comparison(found: Comparison, folder: Path) -> None:
    """Write policies.csv, thesis.csv, actions.csv, front.png, policy.png and compare.json."""
    report = found.report
    with replaced_folder(folder) as part:
        fields = ["key", "policy", "reward", "cost", "reliability"]
        rows = [[row[field] for field in fields] for row in report["policies"]]
        write_csv(part / "policies.csv", fields, rows)
        if report["thesis"]["tables"]:
            _write_thesis(part / "thesis.csv", found)
        if report["actions"]:
            _write_actions(part / "actions.csv", found)
        _plot(found, part)
        text = json.dumps({"format": FORMAT, **report}, indent=1)
        write_atomically(part / "compare.json", text + "\n")


def _write_thesis(path: Path, found: Comparison) -> None:
    fields = ["reward", "cost", "reliability"]
    rows = []
    for table in found.report["thesis"]["tables"]:
        for row in table["rows"]:
            values = [
                (row[side] or {}).get(field) for side in ("exact", "thesis") for field in fields
            ]
            rows.append([table["table"], table["scenario"], row["policy"], *values])
    header = ["table", "scenario", "policy", *fields, *(f"thesis_{field}" for field in fields)]
    write_csv(path, header, rows)


def _write_actions(path: Path, found: Comparison) -> None:
    names = found.report["components"]
    rows = []
    for position, entry in enumerate(found.report["actions"], start=1):
        for box in entry["states"]:
            states = [" ".join(map(str, box["states"][name])) for name in names]
            action = [entry["action"][name] for name in names]
            rows.append([position, *states, *action, box["frequency"], entry["frequency"]])
    header = ["case", *names, *(f"{name}_after" for name in names)]
    write_csv(path, [*header, "frequency", "frequency_of_action"], rows)


def _plot(found: Comparison, folder: Path) -> None:
    from sparing.api import front

    problem = found.problem
    if problem.num_states <= FRONT_STATES:
        title = f"{found.report['case']}: cost and reliability"
        plot_front(front(problem), folder / "front.png", marks=_marks(found), title=title)
    shape = problem.epoch.shape
    panels = 1
    for size in shape[:-2]:
        panels *= size
    if len(shape) >= 2 and panels <= MAX_PANELS:
        shares = {case.action: case.frequency for case in found.actions}
        title = f"{found.report['case']}: the optimal policy"
        plot_policy(problem, found.policy, folder / "policy.png", frequency=shares, title=title)


def _marks(found: Comparison) -> dict[str, tuple[float, float]]:
    """Return the policies to show beside the front; of the thesis, its agent on this system."""
    marks = {
        row.name: (row.cost, row.reliability)
        for key, row in found.rows.items()
        if key not in ("optimum", "cheapest")
    }
    for table in found.report["thesis"]["tables"][:1]:
        printed = table["rows"][0]["thesis"]
        marks[f"{AGENT}, as the thesis prints it"] = (printed["cost"], printed["reliability"])
    return marks
