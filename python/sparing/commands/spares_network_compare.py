"""sparing compare of a spares network: planners' rules and belief plans at equal service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparing.commands.network_tables import (
    BELIEF,
    COSTS,
    SERVICE,
    print_metrics,
    print_reductions,
)
from sparing.commands.output import check_figures_folder, print_json
from sparing.commands.progress import shown_steps
from sparing.models.spares_network import SparesNetwork


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
    with shown_steps() as tell:
        found = compare_network(problem, options, told=tell)
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
    print_metrics(report["policies"], COSTS)
    print()
    print_metrics(report["policies"], SERVICE)
    for row in report["policies"]:
        if not row["reaches_sla"]:
            print(f" {row['policy']}: reaches the SLA at no price that was tried.")


def _print_reductions(report: dict[str, Any]) -> None:
    names = {row["key"]: row["policy"] for row in report["policies"]}
    print(f"\n{BELIEF}")
    print_reductions(report["reductions"], names)
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
