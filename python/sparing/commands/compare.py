"""sparing compare: usual policies and the optimum, and the optimal policy explained."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sparing.commands.compare_dropship import compare_dropship
from sparing.commands.compare_forecasts import compare_forecasts
from sparing.commands.compare_large import compare_large_case, is_large
from sparing.commands.output import (
    WIDTH,
    check_figures_folder,
    note,
    one_line_errors,
    print_json,
    print_table,
)
from sparing.commands.problems import (
    CaseArgument,
    JsonOption,
    load_problem,
    multi_component,
    summary,
)
from sparing.models.spares_network import SparesNetwork
from sparing.ration.case_files import is_dropship
from sparing.records import hydro_spares
from sparing.registry import command_face

SHOWN_LINES = 24  # of the explanation; --json and --out hold all


def compare(
    case: CaseArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write tables (CSV, JSON) and plots into this folder. Of an e-tailer:"
            " dropship-study without it."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what is simulated.")] = 0,
    quick: Annotated[
        bool, typer.Option(help="Of what is simulated: a study of about a minute.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compare the usual policies with the optimum, exactly, and explain the optimal policy.

    For a case with spares: what it is worth to plan maintenance and stocks jointly.
    For three-component and three-component-2 the tables of Jimenez Gonzalez (2021) stand beside.
    For spares networks, ordering rules and belief plans are tuned to equal service and simulated.
    For dropship, rules that ration an e-tailer's stock are simulated beside the hindsight bound.
    Beyond 16 million states, tuned control limits and a lookahead are simulated beside a bound.
    For hydro-spares, three forecasting methods are compared.
    """
    if is_dropship(case):
        compare_dropship(case, out=out, seed=seed, quick=quick, json=json)
        return
    if case == hydro_spares.NAME:
        compare_forecasts(out, json)
        return
    with one_line_errors():
        loaded = load_problem(case)
        if is_large(loaded):
            problem = multi_component(loaded)
            compare_large_case(case, problem, out=out, quick=quick, seed=seed, as_json=json)
            return
        if isinstance(loaded, SparesNetwork):
            from sparing.commands.spares_network_compare import compare_network_case

            compare_network_case(case, loaded, out=out, as_json=json, quick=quick, seed=seed)
            return
        if quick or seed:
            raise ValueError("--quick and --seed are for comparisons by simulation; this is exact.")
        face = command_face(loaded)
        if face is not None:
            face.compare(case, loaded, out=out, as_json=json)
            return
        problem = multi_component(loaded)
        if problem.spares:
            from sparing.commands.compare_joint import compare_joint_case

            compare_joint_case(case, problem, out=out, as_json=json)
            return
        check_figures_folder(out, "compare.json")
        from sparing.report.comparison import compare_problem

        found = compare_problem(case, problem)
        if out is not None:
            from sparing.report.comparison_files import save_comparison

            save_comparison(found, out)
    if json:
        print_json(found.report)
        return
    print(f"{case}: {summary(problem)}\n")
    _print_policies(found.report)
    _print_actions(found.report)
    if out is not None:
        print(f"\nsaved in {out}")
    for remark in found.left_out:
        note(remark)


def _print_policies(report: dict[str, Any]) -> None:
    tables = report["thesis"]["tables"]
    if not tables:
        fields = ["reward", "cost", "reliability"]
        if all(row["reward"] is None for row in report["policies"]):
            fields = fields[1:]
        rows = [[row["policy"], *_values(row, fields)] for row in report["policies"]]
        print_table(["policy", *fields], rows, title="exact, per inspection")
        return
    for table in tables:
        _print_thesis_table(table)
    for mark, text in report["thesis"]["notes"].items():
        _print_wrapped(f"{mark}: {text}.")
    for remark in report["thesis"]["remarks"]:
        _print_wrapped(remark)


def _print_thesis_table(table: dict[str, Any]) -> None:
    fields = ["reward", "cost", "reliability"]
    if table["table"] == 11:  # prints no rewards
        fields = fields[1:]
    rows = [
        [row["policy"], *_values(row["exact"], fields), *_values(row["thesis"], fields)]
        for row in table["rows"]
    ]
    thesis = [f"thesis: {fields[0]}", *fields[1:]]
    title = f"table {table['table']}, scenario {table['scenario']} (exact, per inspection)"
    print_table(["", *fields, *thesis], rows, title=title)
    print()


def _print_wrapped(text: str) -> None:
    print(textwrap.fill(text, WIDTH - 4, subsequent_indent="  "))


def _values(
    row: dict[str, Any] | None, fields: Sequence[str] = ("reward", "cost", "reliability")
) -> list[str]:
    if row is None:
        return [""] * len(fields)
    digits = {"reward": 4, "cost": 2, "reliability": 4}
    return ["" if row[f] is None else f"{row[f]:.{digits[f]}f}" for f in fields]


def _print_actions(report: dict[str, Any]) -> None:
    if not report["actions"]:
        return
    names = report["components"]
    lines = []
    for position, entry in enumerate(report["actions"], start=1):
        for first, box in enumerate(entry["states"]):
            found = [",".join(map(str, box["states"][name])) for name in names]
            done = [str(entry["action"][name]) for name in names]
            several = first == 0 and len(entry["states"]) > 1
            share = f"{entry['frequency'] * 100:.4f}" if several else ""
            label = str(position) if first == 0 else ""
            lines.append([label, *found, "->", *done, f"{box['frequency'] * 100:.4f}", share])
    columns = ["case", *names, "", *[f"{name}'" for name in names], "% of time", "in all"]
    print()
    print_table(
        columns,
        lines[:SHOWN_LINES],
        title="the optimal policy: states found -> states after maintenance",
        left=len(names) + 2,
    )
    if len(lines) > SHOWN_LINES:
        print(f" … and {len(lines) - SHOWN_LINES} more lines; --json and --out hold them all")
