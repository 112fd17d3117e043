"""Tables of ordering policies of a spares network, as compare and replay print them."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import Any

from sparing.commands.output import print_table

Columns = dict[str, tuple[str, int]]  # by measure: its heading, and the fewest decimals
COSTS: Columns = {"holding_cost": ("holding cost", 0), "total_cost": ("total cost", 0)}
SERVICE: Columns = {
    "downtime_hours_per_year": ("downtime h/year", 0),
    "sla": ("SLA", 5),
    "orders_per_year": ("orders/year", 1),
}
BELIEF = "the belief plan by location against the others, in shares of their mean (paired):"


def print_metrics(policies: list[dict[str, Any]], columns: Columns) -> None:
    """Print the measures of each policy that the report has, and its HyperScore beside costs."""
    known = {key: shown for key, shown in columns.items() if key in policies[0]}
    scored = columns is COSTS and policies[0].get("hyper_score") is not None
    rows = [
        [
            row["policy"],
            *(plus_minus(row[key], digits) for key, (_, digits) in known.items()),
            *([f"{row['hyper_score']:.2f}"] if scored else []),
        ]
        for row in policies
    ]
    names = [shown for shown, _ in known.values()]
    print_table(["policy", *names, *(["HyperScore"] if scored else [])], rows)


def print_reductions(reductions: list[dict[str, Any]], names: dict[str, str]) -> None:
    """Print what the belief plan costs less or more than each of the others, paired."""
    rows = []
    for entry in reductions:
        cells = [names[entry["against"]]]
        for metric in ("holding_cost", "total_cost"):
            found = entry[metric]
            cells.append(f"{-found['share']:+.2%} ± {found['half_width']:.2%}")
            cells.append(f"{found['p_value']:.1g}")
        rows.append(cells)
    print_table(["against", "holding cost", "p", "total cost", "p"], rows)


def plus_minus(found: dict[str, float], digits: int) -> str:
    """Return mean and half width, with two digits of the latter and so many decimals at least."""
    half = found["half_width"]
    if isfinite(half) and half > 0.0:
        digits = max(digits, min(1 - floor(log10(half)), 9))
    return f"{found['mean']:,.{digits}f} ± {half:,.{digits}f}"
