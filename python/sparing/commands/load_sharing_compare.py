"""sparing compare for load-sharing systems: the best rules beside the optimum."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from sparing.commands.load_sharing_text import decision_text, print_choices, summary
from sparing.commands.output import (
    WIDTH,
    check_figures_folder,
    note,
    number,
    print_json,
    print_table,
)
from sparing.commands.progress import shown_progress
from sparing.evaluate.sizing import DEFAULT_TOL, best_size
from sparing.exact.options import Options
from sparing.models.load_sharing import IntervalRange, LoadSharingProblem


def compare(case: str, problem: LoadSharingProblem, *, out: Path | None, as_json: bool) -> None:
    """Compare the best threshold rules with the optimum and tell how the optimum behaves."""
    check_figures_folder(out, "compare.json")
    from sparing.report.load_sharing_comparison import compare_load_sharing

    with shown_progress() as progress:
        found = best_size(problem, options=Options(tol=DEFAULT_TOL), progress=progress)
    compared = compare_load_sharing(case, found)
    if out is not None:
        from sparing.report.load_sharing_files import save_load_sharing

        save_load_sharing(compared, out)
    if as_json:
        print_json(compared.report)
        return
    print(f"{case}: {summary(problem)}\n")
    _print_policies(compared.report)
    if len(found.cells) > 1 and not isinstance(problem.inspection_interval, IntervalRange):
        print()
        print_choices(found)
    _print_monotonicities(compared.report)
    if out is not None:
        print(f"\nsaved in {out}")
    for remark in compared.left_out:
        note(remark)


def _print_policies(report: dict[str, Any]) -> None:
    rows = [
        [
            row["policy"].removesuffix(" position"),
            row["parameters"],
            str(row["positions"]),
            f"{row['inspection_interval']:.4g}",
            f"{(row['cost']['lower'] + row['cost']['upper']) / 2:.6f}",
            "" if row["rule"] is None else f"+{row['gap'] * 100:.2f} %",
            number(row.get("failure_rate"), 4),
            number(row.get("mean_on_hand"), 4),
        ]
        for row in report["policies"]
    ]
    columns = ["policy", "best", "n", "interval", "cost", "gap", "failures", "on hand"]
    print_table(columns, rows, title="exact, per unit of time", left=2)


def _print_monotonicities(report: dict[str, Any]) -> None:
    for where, properties in report["monotonicities"].items():
        rows = [
            [
                entry["property"],
                "yes" if entry["holds"] else "no",
                f"{entry['broken']} of {entry['pairs']}",
            ]
            for entry in properties
        ]
        print()
        title = f"does the optimal policy have it? ({where})"
        print_table(["", "", "pairs that break it"], rows, title=title)
        for entry in properties:
            if entry["example"] is not None and where == "all states":
                first, second = entry["example"]
                text = f"{_where(first)} {decision_text(first)};"
                text += f" {_where(second)} {decision_text(second)}"
                print(
                    textwrap.fill(
                        text, WIDTH - 4, initial_indent="   e.g. ", subsequent_indent=" " * 8
                    )
                )


def _where(done: dict[str, Any]) -> str:
    counts = ",".join(map(str, done["counts"]))
    return f"({counts}) with {done['on_hand']} on hand, {done['on_order']} on order:"
