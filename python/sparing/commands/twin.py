"""sparing twin: a fleet simulated hour by hour, with its records, stresses and intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sparing.commands.output import (
    check_new_folder,
    note,
    number,
    one_line_errors,
    print_json,
    print_table,
)
from sparing.commands.problems import CaseArgument, JsonOption
from sparing.commands.twin_policies import POLICY_HELP, check_size, rule_of

MARKER = "twin.json"
LEARNING_STATES = 1 << 16  # states of a period up to which the value of learning is computed
COSTS = ("total", "order", "holding", "downtime", "emergency")
UNITS = {
    "sla": "share of site time without backorder",
    "fill_rate": "share of failures served from stock",
    "short_hours_per_year": "unit-hours a year waiting for a spare",
    "down_hours_per_year": "unit-hours a year down, repairs included",
}


def twin(
    case: CaseArgument,
    policy: Annotated[str, typer.Option(metavar="POLICY", help=POLICY_HELP)] = "one-for-one",
    service: Annotated[
        float, typer.Option(help="For levels by rule of thumb: no stock-out per order cycle.")
    ] = 0.98,
    replications: Annotated[int, typer.Option(help="Independent replications.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.")] = 0,
    plain: Annotated[
        bool, typer.Option("--plain", help="Without realism: the costs are the exact model's.")
    ] = False,
    stress: Annotated[
        bool, typer.Option("--stress", help="Also a burst of failures, late orders, a lost hub.")
    ] = False,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Also true rates 50 % below to 50 % above belief.")
    ] = False,
    learning: Annotated[
        bool, typer.Option("--learning", help="Also what a belief that learns saves, exactly.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the records, tables and plots.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Simulate a spares network as a fleet, with climate, load, ageing, crews and lead times."""
    with one_line_errors():
        from sparing.simulate.twin import Twin
        from sparing.simulate.twin_files import load_twin
        from sparing.simulate.twin_fleet import check_simpy

        check_simpy()
        if out is not None:
            check_new_folder(out, MARKER)
        fleet = load_twin(case)
        if plain:
            fleet = Twin.plain(fleet.network)
        fleet, rule = rule_of(fleet, policy, service)
        curve = _learning(fleet) if learning else ()
        asked = {"stress": stress, "sensitivity": sensitivity}
        report = _run(case, fleet, rule, policy, replications, seed, asked, curve, out)
    if json:
        print_json(report)
    else:
        _print(report, out)


def _run(
    case: str,
    fleet: Any,
    rule: Any,
    policy: str,
    replications: int,
    seed: int,
    asked: dict[str, bool],
    curve: Any,
    out: Path | None,
) -> dict[str, Any]:
    """Run what was asked for, and return what `sparing twin --json` prints."""
    from sparing.simulate.twin_runs import run_twin
    from sparing.simulate.twin_stress import rate_sensitivity, scenarios, stress_table

    options = {"num_replications": replications, "seed": seed}
    result = run_twin(fleet, rule, **options, progress=_progress(replications))
    report: dict[str, Any] = {
        "case": case,
        "policy": policy,
        "clock": fleet.clock,
        "orders": fleet.orders,
        "periods": fleet.network.periods,
        "period_hours": fleet.period_hours,
        "replications": replications,
        "seed": seed,
        "confidence": result.confidence,
        "events": result.num_events,
        "measures": {
            name: _interval(mean, result.half_widths[name]) for name, mean in result.mean.items()
        },
    }
    for key in filter(asked.get, asked):
        if key == "stress":
            rows = stress_table(scenarios(fleet), rule, **options, progress=_say)
        else:
            rows = rate_sensitivity(fleet, rule, **options, progress=_say)
        report[key] = [_stress_row(row) for row in rows]
    if curve:
        report["learning"] = [
            {**vars(point), "over_fixed": point.over_fixed, "over_updated": point.over_updated}
            for point in curve
        ]
    if out is not None:
        from sparing.report.twin_files import write_twin

        report["files"] = write_twin(fleet, result, report, out, curve)
    return report


def _learning(fleet: Any) -> Any:
    """Return the curve of the value of learning, of a case that can be solved many times."""
    from sparing.evaluate.value_of_learning import learning_curve

    check_size(fleet.network, "--learning", "it is solved many times", LEARNING_STATES)
    return learning_curve(fleet.network, progress=lambda shape: _say(f"prior of shape {shape:g}"))


def _stress_row(row: Any) -> dict[str, Any]:
    found = row.result
    measures = ("total", "sla", "short_hours_per_year")
    return {
        "scenario": row.scenario,
        **{name: _interval(found.mean[name], found.half_widths[name]) for name in measures},
        "cost_change": _interval(row.cost.mean, row.cost.half_width),
        "sla_change": _interval(row.sla.mean, row.sla.half_width),
    }


def _interval(mean: float, half: float) -> dict[str, float]:
    return {"mean": mean, "half_width": half, "lower": mean - half, "upper": mean + half}


def _say(scenario: str) -> None:
    import sys

    if sys.stderr.isatty():
        print(f"sparing: {scenario} …", file=sys.stderr)


def _progress(replications: int) -> Any:
    """Return a hook that says now and then how far a long run is."""
    import sys
    import time

    last = time.monotonic()

    def hook(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > (1.0 if sys.stderr.isatty() else 60.0):
            last = now
            print(f"sparing: {done} of {replications} replications", file=sys.stderr, flush=True)

    return hook


def _print(report: dict[str, Any], out: Path | None) -> None:
    print(
        f"{report['case']}: {report['periods']} periods of {report['period_hours']:g} h, policy"
        f" {report['policy']}"
    )
    print(
        f"{report['replications']} replications, seed {report['seed']}, {report['events']:,}"
        f" events; {report['clock']} clock\n"
    )
    columns = ["", "mean", "95 % from", "to"]
    rows = []
    for name, found in report["measures"].items():
        label = UNITS.get(name, name.replace("_", " ") + (" cost" if name in COSTS else ""))
        rows.append([label, *(number(found[key], 6) for key in ("mean", "lower", "upper"))])
    print_table(columns, rows)
    for key, title in (("stress", "under stress"), ("sensitivity", "with wrong rates")):
        if key in report:
            print()
            _print_stress(title, report[key])
    if "learning" in report:
        print()
        _print_learning(report["learning"])
    if out is not None:
        print(f"\nwritten to {out}: {', '.join(report['files'])}")
    if report["replications"] == 1:
        note("a single replication has no interval; --replications asks for more.")


def _print_stress(title: str, rows: list[dict[str, Any]]) -> None:
    shown = []
    for row in rows:
        total, sla, change = row["total"], row["sla"], row["cost_change"]
        shown.append(
            [
                row["scenario"],
                f"{total['mean']:.6g} ± {total['half_width']:.2g}",
                f"{sla['mean']:.5f} ± {sla['half_width']:.1g}",
                "" if row is rows[0] else f"{change['mean']:+.5g} ± {change['half_width']:.2g}",
                ""
                if row is rows[0]
                else f"{row['sla_change']['mean']:+.5f} ± {row['sla_change']['half_width']:.1g}",
            ]
        )
    columns = [title, "total cost", "SLA", "cost, paired", "SLA, paired"]
    print_table(columns, shown)


def _print_learning(rows: list[dict[str, Any]]) -> None:
    shown = [
        [
            f"{row['shape']:g}",
            *(number(row[key], 7) for key in ("fixed_rate", "updated_rate", "belief")),
            f"{row['over_fixed']:.2%}",
            f"{row['over_updated']:.2%}",
        ]
        for row in rows
    ]
    columns = ["prior's shape", "rate plugged in", "updated", "belief", "saves", "of updated"]
    print_table(columns, shown, title="expected cost of the exact model")
