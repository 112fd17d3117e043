"""sparing plan FOLDER where the folder holds many sites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from sparing.commands.output import check_new_folder, number, print_error, print_json, print_table

SHOWN_SITES = 30  # --json and fleet.html hold all


def plan_fleet(
    folder: Path,
    out: Path,
    *,
    num_workers: int,
    memory: float | None,
    steps: int | None,
    json: bool,
) -> None:
    """Make the plans of all sites in `folder`; exit code 1 if some have none."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from sparing.plans import plan_many

    check_new_folder(out, "fleet.json", also=("rows", "sites"))
    columns = (TextColumn("sites"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("sites", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        found = plan_many(
            folder, out=out, num_workers=num_workers, memory=memory, steps=steps, progress=show
        )
    if json:
        print_json(found.metrics)
    else:
        _print_fleet(found.metrics, out)
    for row in found.failed:
        print_error(f"{row['name']}: {row['error']}")
    if found.failed:
        raise typer.Exit(1)


def _print_fleet(metrics: dict[str, Any], out: Path) -> None:
    good = [row for row in metrics["rows"] if not row["error"]]
    rows = [
        [
            row["name"],
            str(row["units"]),
            str(row["to_do"]),
            str(row["orders"]),
            number(row["expected_cost"], 6),
            number(row["availability"], 4),
        ]
        for row in good
    ]
    columns = ["site", "units", "to do", "orders", "cost per unit and period", "availability"]
    title = f"{metrics['to_do']} of {metrics['units']} units need work"
    title += f", {metrics['orders']} stocks have to order" if metrics["orders"] else ""
    print_table(columns, rows[:SHOWN_SITES], title=title)
    if len(rows) > SHOWN_SITES:
        print(f"... {len(rows) - SHOWN_SITES} more in {out / 'fleet.html'}")
    resumed = f", {metrics['resumed']} of them taken over" if metrics["resumed"] else ""
    print(f"\n{len(good)} of {metrics['sites']} sites planned{resumed}")
    print(f"wrote {out}: fleet.html, fleet.json, rows, sites")
