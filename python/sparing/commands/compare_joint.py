"""sparing compare of a case with spares: what joint optimisation is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparing.commands.output import check_figures_folder, note, number, print_json, print_table
from sparing.commands.problems import summary
from sparing.commands.progress import shown_progress
from sparing.models.multi_component import MultiComponentProblem

SHOWN_STATES = 16  # of the policy; --json and --out hold more


def compare_joint_case(
    case: str, problem: MultiComponentProblem, *, out: Path | None, as_json: bool
) -> None:
    """Compare, save and print."""
    check_figures_folder(out, "compare.json")
    from sparing.evaluate.joint_comparison import compare_joint
    from sparing.report.joint_comparison import joint_report, save_joint_comparison

    with shown_progress() as progress:
        found = compare_joint(problem, progress=progress)
    report = joint_report(case, found)
    if out is not None:
        save_joint_comparison(found, report, out)
    for remark in found.left_out:
        note(remark)
    if as_json:
        print_json(report)
        return
    print(f"{case}: {summary(problem)}\n")
    _print_policies(report)
    if any(row["kinds"] for row in report["policies"]):
        _print_kinds(report)
    _print_spares(report)
    _print_worth(report)
    _print_states(report)
    if out is not None:
        print(f"\nsaved in {out}")


def _print_policies(report: dict[str, Any]) -> None:
    rewarded = report["policies"][0]["reward"] is not None
    known = [k for k in ("cost", "reliability") if report["policies"][0][k] is not None]
    columns = ["policy", *(["reward"] if rewarded else []), *known]
    columns.append("reward lost" if rewarded else "above optimum")
    best = next(row["reward"] for row in report["policies"] if row["key"] == "joint")
    rows = []
    for row in report["policies"]:
        reward = [f"{row['reward']:.4f}"] if rewarded else []
        above = f"{best - row['reward']:.4f}" if rewarded else _percent(row["above_optimum"])
        above = "" if row["key"] == "joint" else above
        rows.append([row["policy"], *reward, *(f"{row[k]:.4f}" for k in known), above])
    tol = report["relative_tol"]
    title = "exact" if tol is None else f"certified to {tol:g} of the objective"
    print_table(columns, rows, title=f"{title}, per inspection")
    print()


def _print_kinds(report: dict[str, Any]) -> None:
    kinds = [*report["policies"][0]["kinds"]]
    rows = [
        [row["policy"], *(_amount(row["kinds"].get(k)) for k in kinds)]
        for row in report["policies"]
    ]
    print_table(["by kind of cost", *kinds], rows)
    print()


def _print_spares(report: dict[str, Any]) -> None:
    rows = []
    for row in report["policies"]:
        for name, spare in row["spares"].items():
            levels = spare["levels"]
            if levels is None and "mean_on_hand" not in spare:
                continue
            shown = "" if levels is None else f"{levels[0]}, {levels[1]}"
            if levels is not None and levels[0] < 0:
                shown = "never"
            counts = [spare.get(k) for k in ("order_rate", "emergency_rate", "mean_on_hand")]
            rows.append([row["policy"], name, shown, *(_amount(c, 4) for c in counts)])
    columns = ["", "spare", "s, S", "orders", "emergency units", "mean on hand"]
    if report["relative_tol"] is not None:  # levels alone are known
        columns, rows = columns[:3], [row[:3] for row in rows]
    print_table(columns, rows, title="stocks, per inspection", left=2)
    print()


def _print_worth(report: dict[str, Any]) -> None:
    joint = report["joint_optimisation"]
    worth = (joint["worth"]["lower"] + joint["worth"]["upper"]) / 2.0
    rewarded = report["policies"][0]["reward"] is not None
    unit = "of reward" if rewarded else "an inspection"
    share = "" if rewarded else f" ({_percent(joint['share_of_objective'])})"
    print(
        f"Joint optimisation is worth {number(worth, 6)} {unit}{share} against first maintenance,"
        " then (s, S)."
    )
    if report["relative_tol"] is not None:
        lower, upper = joint["worth"]["lower"], joint["worth"]["upper"]
        print(f"Certain is that it lies between {number(lower, 6)} and {number(upper, 6)}.")
    print(
        "It maintains otherwise than the plan that does not look at stocks in"
        f" {_percent(joint['maintains_otherwise'])} of inspections."
    )
    search = report["search"]
    how = "all were tried" if search["exhaustive"] else "improved one spare at a time"
    print(f"Levels (s, S): {search['num_evaluated']} evaluated exactly, {how}.")


def _print_states(report: dict[str, Any]) -> None:
    components, spares = report["components"], report["spares"]
    rows = []
    for entry in report["actions"][:SHOWN_STATES]:
        found = [str(state) for state in entry["state"].values()]
        after = " ".join(str(state) for state in entry["maintenance"].values())
        orders = [str(units or "") for units in entry["orders"].values()]
        stocks = found[len(components) :]
        share = f"{100 * entry['frequency']:.3f}"
        rows.append([" ".join(found[: len(components)]), *stocks, "->", after, *orders, share])
    columns = ["found", *spares, "", "after", *(f"order {s}" for s in spares), "% of time"]
    print()
    title = "the joint optimum in its most frequent states"
    print_table(columns, rows, title=title, left=len(spares) + 3)
    print(f"found, after: {', '.join(components)}. 1+2@1: 1 on hand, 2 ordered 1 inspection ago.")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f} %"


def _amount(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{max(value, 0.0):.{digits}f}"
