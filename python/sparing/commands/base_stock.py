"""sparing base-stock: the cost-availability curve of a spares network, and the stocks it buys."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sparing.commands.output import number, one_line_errors, print_json, print_table
from sparing.commands.problems import CaseArgument, JsonOption, ThreadsOption, load_problem
from sparing.models.spares_network import SparesNetwork

SHOWN_PARTS = 30


class MethodName(StrEnum):
    """How a location's outstanding units follow from its supplier's backorders."""

    thinning = "thinning"
    metric = "metric"
    vari_metric = "vari-metric"


class MinimisedName(StrEnum):
    """What the curve minimises for each amount of money."""

    backorders = "backorders"
    not_ready = "not-ready"


def base_stock(
    case: CaseArgument,
    budget: Annotated[
        float | None, typer.Option(help="Most holding cost a period of all base stocks.")
    ] = None,
    sla: Annotated[
        float | None, typer.Option(help="Least share of site time without a backorder.")
    ] = None,
    method: Annotated[
        MethodName, typer.Option(help="Exact thinning, METRIC or VARI-METRIC.")
    ] = MethodName.thinning,
    minimise: Annotated[
        MinimisedName, typer.Option(help="Backorders, or the log share of time with any.")
    ] = MinimisedName.backorders,
    points: Annotated[int, typer.Option(min=2, help="Points of the curve to print.")] = 12,
    plot: Annotated[Path | None, typer.Option(help="Draw it (png, svg or pdf).")] = None,
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Print what availability one-for-one base stocks give for the money, and which they are.

    Of a spares network, with the mean failure rates of the priors and stationary demand. Money is
    what the base stocks cost to hold per period. With --budget or --sla: the stocks to keep.
    """
    with one_line_errors():
        problem = load_problem(case)
        if not isinstance(problem, SparesNetwork):
            raise ValueError(f"{case}: base stocks are for cases of kind 'spares-network'.")
        if budget is not None and sla is not None:
            raise ValueError("give --budget or --sla, not both.")
        if plot is not None:
            from sparing.report.plots import check_matplotlib

            check_matplotlib()
            if not plot.absolute().parent.is_dir():
                raise ValueError(f"--plot {plot}: no such folder.")
        from sparing.evaluate.network_pipelines import base_stock_network
        from sparing.inventory.cost_curve import cost_curve
        from sparing.report.base_stock import curve_report, plot_curve
        from sparing.stages import thread_count

        curve = cost_curve(
            base_stock_network(problem),
            method=method.value,
            minimise="backorders" if minimise is MinimisedName.backorders else "not_ready",
            num_threads=thread_count(threads),
        )
        plan = None
        if budget is not None:
            plan = curve.within(budget)
        elif sla is not None:
            plan = curve.reaching(sla)
        report = curve_report(case, curve, plan, num_points=points)
        if plot is not None:
            plot_curve(report, plot)
    if json:
        print_json(report)
        return
    _print(report)
    if plot is not None:
        print(f"\ndrawn in {plot}")


def _print(report: dict[str, Any]) -> None:
    print(
        f"{report['case']}: {len(report['parts'])} part types at {len(report['locations'])}"
        f" locations, {report['method']}\n"
    )
    rows = [
        [number(p["investment"], 6), number(p["backorders"], 5), f"{p['sla']:.6f}"]
        for p in report["points"]
    ]
    print_table(["holding cost of the base stocks", "units missing", "SLA"], rows, left=0)
    plan = report["plan"]
    if plan is None:
        return
    print(
        f"\nholding cost {number(plan['investment'], 6)}, SLA {plan['sla']:.6f}; the shortage"
        f" minimised is {number(plan['shortage'], 5)}, at least {number(plan['lower_bound'], 5)} at"
        " this money"
    )
    names = report["locations"]
    shown = names if len(names) <= 8 else names[:5]
    rows = []
    for part, levels in list(plan["levels"].items())[:SHOWN_PARTS]:
        rest = [str(sum(levels[name] for name in names))]
        rows.append([part, *(str(levels[name]) for name in shown), *rest])
    print_table(["base stocks", *shown, "in all"], rows)
    if len(shown) < len(names) or len(plan["levels"]) > SHOWN_PARTS:
        print(" --json holds all locations and parts")
