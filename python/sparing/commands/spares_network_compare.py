"""sparing compare of a spares network: planners' rules and belief plans at equal service."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sparing.commands.output import check_figures_folder, print_json, print_table
from sparing.models.spares_network import SparesNetwork

COSTS = {"holding_cost": ("holding cost", 0), "total_cost": ("total cost", 0)}
SERVICE = {
    "downtime_hours_per_year": ("downtime h/year", 0),
    "sla": ("SLA", 5),
    "orders_per_year": ("orders/year", 1),
}


def compare_network_case(
    case: str,
    problem: SparesNetwork,
    *,
    out: Path | None,
    as_json: bool,
    quick: bool,
    seed: int,
) -> None:
    """Tune, compare, save and print."""
    check_figures_folder(out, "compare.json")
    from dataclasses import replace

    from sparing.evaluate.network_comparison import compare_network
    from sparing.evaluate.network_tuning import QUICK, CompareOptions
    from sparing.report.network_comparison import network_report, save_network_comparison
    from sparing.stages import thread_count

    options = replace(QUICK if quick else CompareOptions(), seed=seed, num_threads=thread_count(0))
    found = compare_network(problem, options, told=_tell)
    report = network_report(case, found)
    if out is not None:
        save_network_comparison(found, report, out)
    if as_json:
        print_json(report)
        return
    _print_policies(report)
    _print_reductions(report)
    if out is not None:
        print(f"\nsaved in {out}")


def _print_policies(report: dict[str, Any]) -> None:
    print(
        f"{report['case']}: {len(report['parts'])} part types at {report['locations']} locations,"
        f" {report['periods']} periods"
    )
    aim = "" if report["sla"] is None else f", each tuned to an SLA of {report['sla']:.2%}"
    print(f"{report['replications']} replications on common random numbers, 95 % intervals{aim}\n")
    _print_columns(report, COSTS)
    print()
    _print_columns(report, SERVICE)
    for row in report["policies"]:
        if not row["reaches_sla"]:
            print(f" {row['policy']}: reaches the SLA at no price that was tried.")


def _print_columns(report: dict[str, Any], columns: dict[str, tuple[str, int]]) -> None:
    known = {key: shown for key, shown in columns.items() if key in report["policies"][0]}
    scored = columns is COSTS and report["policies"][0]["hyper_score"] is not None
    rows = []
    for row in report["policies"]:
        cells = [row["policy"]]
        for key, (_, digits) in known.items():
            found = row[key]
            cells.append(f"{found['mean']:,.{digits}f} ± {found['half_width']:.{digits}f}")
        rows.append([*cells, *([f"{row['hyper_score']:.2f}"] if scored else [])])
    names = [shown for shown, _ in known.values()]
    print_table(["policy", *names, *(["HyperScore"] if scored else [])], rows)


def _print_reductions(report: dict[str, Any]) -> None:
    names = {row["key"]: row["policy"] for row in report["policies"]}
    print("\nthe belief plan by location against the others, in shares of their mean (paired):")
    rows = []
    for entry in report["reductions"]:
        cells = [names[entry["against"]]]
        for metric in ("holding_cost", "total_cost"):
            found = entry[metric]
            cells.append(f"{-found['share']:+.2%} ± {found['half_width']:.2%}")
            cells.append(f"{found['p_value']:.1g}")
        rows.append(cells)
    print_table(["against", "holding cost", "p", "total cost", "p"], rows)
    best = next(e for e in report["reductions"] if e["against"] == report["best_baseline"])
    share, half = best["total_cost"]["share"], best["total_cost"]["half_width"]
    print(
        f"\nThe best baseline is {names[report['best_baseline']]}; the belief plan's total cost is"
        f" {-share:+.2%} ± {half:.2%} from it."
    )
    if report["lower_bound"] is not None:
        _print_bound(report["lower_bound"], names)


def _print_bound(bound: dict[str, Any], names: dict[str, str]) -> None:
    least = min(bound["gaps"], key=bound["gaps"].get)
    print(
        f"No policy whatever has an expected cost below {bound['objective']:,.6g};"
        f" {names[least]}, the cheapest here, is {bound['gaps'][least]:.1%} above that."
    )


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)
        if text.startswith("done"):
            print(file=sys.stderr)
