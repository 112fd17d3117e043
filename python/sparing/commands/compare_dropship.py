"""sparing compare for an e-tailer: chapter 3 of the thesis, and every rule beside the bound."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from itertools import chain, count
from pathlib import Path
from typing import Any

from sparing.commands.output import (
    WIDTH,
    check_new_folder,
    note,
    one_line_errors,
    print_json,
    print_table,
)

EVERY_S = 10.0  # between two lines of a log
FOLDER = "dropship-study"  # in the current directory, where --out does not say another


def compare_dropship(case: str, *, out: Path | None, seed: int, quick: bool, json: bool) -> None:
    """Run the study of an e-tailer, print it, and write it to a folder.

    Without `out` it is `dropship-study` in the current directory, or the first numbered name that
    is free: an earlier study is never lost. Then matplotlib may be missing: tables without plots.
    """
    with one_line_errors():
        from sparing.ration.case_files import load_dropship

        problem = load_dropship(case)
        plots = _can_plot(required=out is not None)
        folder = _free_folder() if out is None else out
        check_new_folder(folder, "compare.json")
        from sparing.ration.study import StudyParams, run_study

        params = (StudyParams.quick if quick else StudyParams.full)(problem, seed)
        progress = _Progress()
        try:
            study = run_study(problem, params, progress=progress)
        finally:
            progress.close()
        from sparing.report.ration_files import save_study

        save_study(study, folder, plots=plots)
    note(f"tables{' and plots' if plots else ''} are in {folder}{os.sep}")
    if json:
        print_json(study.report)
    else:
        print_study(study.report)


def _free_folder() -> Path:
    """Return the default folder of a study, numbered where earlier names are taken."""
    names = chain([FOLDER], (f"{FOLDER}-{number}" for number in count(2)))
    return next(path for path in map(Path, names) if not path.exists())


def _can_plot(*, required: bool) -> bool:
    """Say whether matplotlib is there; without it raise if `required`, else say so."""
    from sparing.report.plots import check_matplotlib

    try:
        check_matplotlib()
    except ImportError as error:
        if required:
            raise
        note(f"tables are written without plots; {error}")
        return False
    return True


class _Progress:
    """What is being done: a live line on a terminal, now and then a line elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._start = self._last = time.monotonic()

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        line = f"{now - self._start:5.0f} s: {text}"
        if self._live:
            print(f"\r\x1b[K{line[: WIDTH - 1]}", end="", file=sys.stderr, flush=True)
        elif now - self._last >= EVERY_S:
            self._last = now
            print(f"sparing: {line}", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def print_study(report: dict[str, Any]) -> None:
    """Print the tables of a study."""
    _print_calibration(report)
    _print_rules(report)
    _print_classification(report)
    _print_unseen(report)
    _print_suppliers(report)
    _print_sensitivity(report)


def _print_calibration(report: dict[str, Any]) -> None:
    found = report["calibration"]
    print(
        f"{report['case']}: {report['skus']} SKUs, {report['orders']} orders a day, seed"
        f" {report['seed']}"
    )
    if found is None:
        print()
        return
    parts = [
        f"{key} {_plus_minus(row['ofr'], 3)} ({row['calibrated_to']:.3f})"
        for key, row in found["rules"].items()
    ]
    print(f"OFR over {found['days']} days, and what the case was calibrated to:")
    print(f"{'; '.join(parts)}\n")


def _print_rules(report: dict[str, Any]) -> None:
    from sparing.ration.rules import NAMES, WHEN

    found, thesis = report["experiment"], report["thesis"]
    printed = thesis["ofr"] if thesis else {}
    rows = []
    for key, rule in found["rules"].items():
        gain = found["gain_over_fifo_strict"][key]
        rows.append(
            [
                NAMES[key] + ("" if WHEN[key] == "at once" else " ¹"),
                _plus_minus(rule["ofr"], 4),
                f"{printed[key]:.4f}" if key in printed else "",
                _plus_minus(rule["margin"], 0),
                _percent(gain["ofr"]),
                _percent(gain["margin"]),
                _plus_minus(rule["share_of_bound"], 3),
            ]
        )
    title = f"{found['days']} unseen days of {found['orders']} orders (95 % intervals)"
    columns = ["", "OFR", "thesis", "margin", "OFR*", "margin*", "of bound"]
    beside = ""
    if thesis:
        gains = _percent(thesis["ofr_gain"]), _percent(thesis["margin_gain"])
        beside = f"; the thesis prints {gains[0]} and {gains[1]} for IR-DNN"
    else:
        columns, rows = _without(columns, rows, 2)
    print_table(columns, rows, title=title)
    _wrapped(
        f"¹: sees the whole day before it decides. *: gain over strict FIFO{beside}. of"
        " bound: share of the margin above dropshipping everything that the hindsight bound"
        " proves to be possible."
    )
    skipping = found["gain_over_fifo_skip"]["ir_dnn"]
    _wrapped(
        "Strict FIFO is a weak rule: it dropships whatever comes behind the first order that does"
        " not fit. Skipping FIFO passes that order over; beside it the gain of IR-DNN is"
        f" {_percent(skipping['ofr'])} of OFR and {_percent(skipping['margin'])} of margin."
    )
    print()


def _print_classification(report: dict[str, Any]) -> None:
    found, thesis = report["classification"], report["thesis"]
    names = [
        "accuracy",
        "f1",
        "supplier_precision",
        "supplier_recall",
        "retailer_precision",
        "retailer_recall",
    ]
    rows = []
    if thesis:
        figures = [f"{thesis['classification'][name]:.3f}" for name in names]
        rows.append(["thesis, 0.8", *figures, "", f"{thesis['ofr']['ir_dnn']:.3f}"])
    for row in found["thresholds"]:
        label = f"{row['threshold']:.2f}" + (", tuned" if row["tuned"] else "")
        if row["hidden"] != found["hidden"]:
            label += f", {'-'.join(map(str, row['hidden']))}"
        figures = ["-" if row[name] is None else f"{row[name]:.3f}" for name in names]
        rows.append([label, *figures, str(row["false_negatives"]), f"{row['ofr']['mean']:.3f}"])
    sides = ["S prec.", "S recall", "E prec.", "E recall"]
    columns = ["threshold", "accuracy", "F1", *sides, "FN", "OFR"]
    hidden = "-".join(map(str, found["hidden"]))
    title = f"IR-DNN ({hidden}) on {found['orders_held_out']} orders held out"
    print_table(columns, rows, title=title)
    _wrapped(
        "S: supplier, E: e-tailer; the stock constraint is left aside. A higher threshold"
        " dropships fewer orders by mistake, but misses more of those that are the supplier's (FN)"
        f"{', though the thesis chose 0.8 to have fewer' if thesis else ''}. OFR: deciding the days"
        " above."
    )
    if len(found["cross_validation"]) > 1:
        print()
        rows = [
            [
                "-".join(map(str, row["hidden"])),
                ", ".join(f"{rate:g}" for rate in row["dropout"]),
                _plus_minus(row["f1"], 3),
                _plus_minus(row["accuracy"], 3),
            ]
            for row in found["cross_validation"]
        ]
        print_table(
            ["neurons", "dropout", "F1", "accuracy"], rows, title="7-fold cross-validation", left=2
        )
    print()


def _print_unseen(report: dict[str, Any]) -> None:
    from sparing.ration.rules import NAMES

    found = report["unseen"]
    rows = [
        [NAMES[key], _signed(row["ofr"], 5), _signed(row["margin"], 1)]
        for key, row in found["learned_less"].items()
        if key != "learned"
    ]
    share = found["rules"]["learned"]["share_of_bound"]
    print_table(
        ["learned costs less", "OFR", "margin"],
        rows,
        title=f"paired differences over {found['days']} unseen days of {found['orders']} orders",
    )
    print(f" share of the hindsight bound: {_plus_minus(share, 4)}\n")


def _print_suppliers(report: dict[str, Any]) -> None:
    rows = []
    for row in report["suppliers"]:
        best = "/".join(f"{share:.2f}" for share in row["share_best"])
        rules = row["rules"]
        margins = [_plus_minus(rules[key]["margin"], 0) for key in rules]
        rows.append([" or ".join(row["suppliers"]), best, *margins])
    print_table(
        ["suppliers", "best for", "FIFO, skipping", "learned costs", "hindsight"],
        rows,
        title="margin by who dropships, expected penalties of delays taken off",
    )
    print()


def _print_sensitivity(report: dict[str, Any]) -> None:
    from sparing.ration.rules import NAMES

    rows = []
    for row in report["sensitivity"]:
        gain = row["gain_over_fifo_strict"]["ir_dnn"]
        rates = [f"{row['rules'][key]['ofr']['mean']:.3f}" for key in NAMES]
        size = [str(row["skus"]), str(row["orders"])]
        rows.append([*size, *rates, _percent(gain["ofr"]), _percent(gain["margin"])])
    thesis = report["thesis"]
    names = ["strict", "skip", "bid", "IR-DNN", "learned", "crit.", "hindsight"]
    print_table(
        ["SKUs", "orders", *names, "OFR*", "margin*"], rows, title="OFR by size, 30 days", left=2
    )
    beside = ""
    if thesis:
        ofr = " to ".join(_percent(value) for value in thesis["ofr_gains"])
        margin = " to ".join(_percent(value) for value in thesis["margin_gains"])
        beside = f"; the thesis prints {ofr} and {margin}"
    _wrapped(f"*: IR-DNN over strict FIFO{beside}.")


def _without(
    columns: list[str], rows: list[list[str]], index: int
) -> tuple[list[str], list[list[str]]]:
    """Leave out a column."""
    kept = [i for i in range(len(columns)) if i != index]
    return [columns[i] for i in kept], [[row[i] for i in kept] for row in rows]


def _wrapped(text: str) -> None:
    print(textwrap.fill(text, WIDTH - 4, subsequent_indent="  "))


def _percent(value: float) -> str:
    return f"{100.0 * value:+.1f} %"


def _plus_minus(found: dict[str, float], digits: int) -> str:
    return f"{found['mean']:.{digits}f} ± {found['half_width']:.{digits}f}"


def _signed(found: dict[str, float], digits: int) -> str:
    return f"{found['mean']:+.{digits}f} ± {found['half_width']:.{digits}f}"
