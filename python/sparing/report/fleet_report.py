"""The report of a fleet: which sites need work, what is to be done where, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparing._files import write_atomically
from sparing.fleet.planning import FleetPlan, sorted_rows
from sparing.report import html

SHOWN_ACTIONS = 100  # of more, the list is folded: what each site comes to is what is seen first


def save_fleet(found: FleetPlan, folder: Path) -> None:
    """Write fleet.html and fleet.json into the folder of a fleet's plans."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "fleet.html", fleet_report(found))
    write_atomically(folder / "fleet.json", json.dumps(found.metrics, indent=1) + "\n")


def fleet_report(found: FleetPlan) -> str:
    """Return the report as one HTML file; it links to the reports of the sites beside it."""
    good = [row for row in found.rows if not row["error"]]
    return html.page(
        "Maintenance plan of a fleet",
        [
            _now(good, len(found.failed)),
            _sites(sorted_rows(good, "saves")),
            *([_failed(found.failed)] if found.failed else []),
        ],
    )


def _now(rows: list[Mapping[str, Any]], num_failed: int) -> str:
    actions = [
        [row["name"], entry["unit"], entry["do"]]
        for row in rows
        for entry in json.loads(row["actions"])
    ]
    units = sum(row["units"] for row in rows)
    work, orders = sum(row["to_do"] for row in rows), sum(row["orders"] for row in rows)
    missing = f" {num_failed:,} sites have no plan, see the end." if num_failed else ""
    sites = sum(bool(row["to_do"] or row["orders"]) for row in rows)
    table = html.table(["site", "unit or stock", "do now"], actions, marked=2)
    if len(actions) > SHOWN_ACTIONS:
        table = html.folded(f"All {len(actions):,} of them", table)
    placed = f" {orders:,} stocks have to order." if orders else ""
    return html.section(
        "What to do now",
        html.paragraph(
            f"{work:,} of {units:,} units need work by the states last on record.{placed} There is"
            f" something to do on {sites:,} of {len(rows):,} sites.{missing}"
        ),
        table
        if len(actions) <= SHOWN_ACTIONS
        else html.folded(f"All {len(actions):,} of them", table),
    )


def _sites(rows: list[Mapping[str, Any]]) -> str:
    total = sum(row["units"] * (row["expected_cost"] or 0.0) for row in rows)
    table = [
        [
            row["name"],
            str(row["units"]),
            str(row["to_do"]),
            str(row["orders"]),
            *_maintenance(row),
        ]
        for row in rows
    ]
    columns = [
        "site",
        "units",
        "to do",
        "orders",
        "saves",
        "cost",
        "today",
        "95 %",
        "availability",
        "policy",
    ]
    saved = sum(row["saves"] or 0.0 for row in rows)
    return html.section(
        "What it costs, site by site",
        html.paragraph(
            f"All units together cost {total:,.2f} a period, {saved:,.2f} less than under today's"
            " rules as far as records show them. Cost, today's cost and availability are long-run"
            " averages per unit and period, what a plan saves is of all units of its site; the"
            " interval of the cost is by what the records leave open. A click on a heading sorts,"
            " another one turns the order."
        ),
        html.table(columns, table, links=[f"sites/{row['name']}/report.html" for row in rows]),
    )


def _maintenance(row: Mapping[str, Any]) -> list[str]:
    """Return saving, cost, today's, interval and so on; empty for a site of stocks alone."""
    if row["expected_cost"] is None:
        return ["", "", "", "", "", ""]
    low, high = row["cost_lower"], row["cost_upper"]
    return [
        "" if row["saves"] is None else f"{row['saves']:.2f}",
        f"{row['expected_cost']:.2f}",
        "" if row["today_cost"] is None else f"{row['today_cost']:.2f}",
        "" if low is None else f"{low:.2f} to {high:.2f}",
        f"{row['availability']:.4f}",
        "exact" if row["exact"] else "simulated",
    ]


def _failed(rows: tuple[Mapping[str, Any], ...]) -> str:
    return html.section(
        "Sites without a plan",
        html.table(["site", "error"], [[row["name"], row["error"]] for row in rows]),
    )
