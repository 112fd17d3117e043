"""sparing plan FOLDER where the folder holds many sites."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import typer

from sparing.commands.output import check_new_folder, print_error, print_json, print_table
from sparing.commands.progress import shown_counts

SHOWN_SITES = 30  # --json and fleet.html hold all
NAME = 24  # characters of a name, so that the figures fit into 80 columns


def plan_fleet(
    folder: Path,
    out: Path,
    *,
    num_workers: int,
    memory: float | None,
    steps: int | None,
    sort: str,
    json: bool,
) -> None:
    """Make the plans of all sites in `folder`; exit code 1 if some have none."""
    from sparing.fleet.planning import sorted_rows
    from sparing.plans import plan_many

    sorted_rows([], sort)  # says before the work what there is to sort by
    check_new_folder(out, "fleet.json", also=("rows", "sites"))
    with shown_counts() as show:
        found = plan_many(
            folder,
            out=out,
            num_workers=num_workers,
            memory=memory,
            steps=steps,
            progress=partial(show, "sites"),
        )
    if json:
        print_json(found.metrics)
    else:
        _print_fleet(found.metrics, out, sort)
    for row in found.failed:
        print_error(f"{row['name']}: {row['error']}")
    if found.failed:
        raise typer.Exit(1)


def _print_fleet(metrics: dict[str, Any], out: Path, sort: str) -> None:
    from sparing.fleet.planning import sorted_rows

    good = sorted_rows(metrics["rows"], sort)
    rows = [
        [
            _short(row["name"]),
            str(row["units"]),
            str(row["to_do"]),
            str(row["orders"]),
            _money(row["expected_cost"]),
            _money(row["today_cost"]),
            _money(row["saves"]),
            "" if row["availability"] is None else f"{row['availability']:.4f}",
        ]
        for row in good
    ]
    columns = ["site", "units", "to do", "orders", "cost", "today", "saves", "available"]
    title = f"{metrics['to_do']} of {metrics['units']} units need work"
    title += f", {metrics['orders']} stocks have to order" if metrics["orders"] else ""
    print_table(columns, rows[:SHOWN_SITES], title=title)
    if len(rows) > SHOWN_SITES:
        print(f"... {len(rows) - SHOWN_SITES} more in {out / 'fleet.html'}")
    print(
        "\ncost and today (the rule on record): per unit and period; saves: all units of the site"
    )
    print(
        f"all sites: {metrics['expected_cost']:,.0f} a period, {metrics['saves']:,.0f} less than"
        " today where that is on record"
    )
    resumed = f", {metrics['resumed']} of them taken over" if metrics["resumed"] else ""
    print(f"{len(good)} of {metrics['sites']} sites planned{resumed}")
    print(f"wrote {out}: fleet.html, fleet.json, rows, sites")


def _short(name: str) -> str:
    return name if len(name) <= NAME else name[: NAME - 3] + "..."


def _money(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"
