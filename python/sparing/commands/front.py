"""sparing front: what reliability costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sparing.commands.output import number, one_line_errors, print_json, print_table
from sparing.commands.problems import (
    CaseArgument,
    JsonOption,
    load_problem,
    multi_component,
    summary,
)


def front(
    case: CaseArgument,
    plot: Annotated[Path | None, typer.Option(help="Draw it (png, svg or pdf).")] = None,
    tol: Annotated[float, typer.Option(help="Least step between corners.")] = 1e-6,
    json: JsonOption = False,
) -> None:
    """Print the front of cost and reliability: all corners, each an optimal policy."""
    with one_line_errors():
        if not tol > 0.0:
            raise ValueError(f"--tol must be > 0; got {tol:g}.")
        problem = multi_component(load_problem(case))
        if plot is not None:
            from sparing.report.plots import check_matplotlib

            check_matplotlib()
            if not plot.absolute().parent.is_dir():
                raise ValueError(f"--plot {plot}: no such folder.")
        from sparing.api import front as corners
        from sparing.evaluate.actions import first_decision

        points = corners(problem, tol=tol)
        if plot is not None:
            from sparing.report.plots import plot_front

            plot_front(points, plot, title=f"{case}: cost and reliability")
    found: list[dict[str, Any]] = [
        {
            "cost_rate": point.first,
            "reliability": -point.second,
            "unavailability": 1.0 + point.second,
            "cost_weight": point.weight,
            "first_decision": first_decision(problem, point.solution.policy),
        }
        for point in points
    ]
    if json:
        print_json({"case": case, "states": problem.num_states, "points": found})
        return
    print(f"{case}: {summary(problem)}\n")
    rows = [_row(found, i) for i in range(len(found))]
    print_table(["corner", "cost rate", "reliability", "price of reliability"], rows)
    print("\nThe price is what one more unit of reliability costs from the corner before.")
    if plot is not None:
        print(f"drawn in {plot}")


def _row(points: list[dict[str, Any]], position: int) -> list[str]:
    point = points[position]
    price = ""
    if position:
        before = points[position - 1]
        gained = point["reliability"] - before["reliability"]
        price = number((point["cost_rate"] - before["cost_rate"]) / gained, 6)
    return [
        str(position + 1),
        number(point["cost_rate"], 8),
        number(point["reliability"], 8),
        price,
    ]
