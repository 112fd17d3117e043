"""sparing twin: a fleet simulated hour by hour, with its records, stresses and intervals."""

from __future__ import annotations

from math import floor, isfinite, log10
from pathlib import Path
from typing import Annotated, Any

import typer

from sparing.commands.output import (
    check_new_folder,
    interval_json,
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
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POLICY",
            help=f"{POLICY_HELP} Default one-for-one. Given several times, the others are compared"
            " with the first under common random numbers.",
        ),
    ] = None,
    service: Annotated[
        float, typer.Option(help="For levels by rule of thumb: no stock-out per order cycle.")
    ] = 0.98,
    replications: Annotated[int, typer.Option(min=1, help="Independent replications.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same result.")] = 0,
    plain: Annotated[
        bool, typer.Option("--plain", help="Without realism: the costs are the exact model's.")
    ] = False,
    periods: Annotated[
        int | None,
        typer.Option(min=1, help="Review periods to simulate; default those of the case."),
    ] = None,
    initial_stock: Annotated[
        str | None,
        typer.Option(
            metavar="case|levels",
            help="Stocks at the start: the case's, or what the policy fills up to. Default: the"
            " case's [twin] table, else case.",
        ),
    ] = None,
    warm_up: Annotated[
        int | None, typer.Option(min=0, help="Periods at the beginning that are not counted.")
    ] = None,
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
        fleet = _changed(fleet, periods, initial_stock, warm_up)
        names = list(dict.fromkeys(policy or ["one-for-one"]))
        chosen = {name: rule_of(fleet, name, service) for name in names}
        curve = _learning(fleet) if learning else ()
        asked = {"stress": stress, "sensitivity": sensitivity}
        report = _run(case, chosen, replications, seed, asked, curve, out)
    if json:
        print_json(report)
    else:
        _print(report, out)


def _run(
    case: str,
    chosen: dict[str, tuple[Any, Any]],
    replications: int,
    seed: int,
    asked: dict[str, bool],
    curve: Any,
    out: Path | None,
) -> dict[str, Any]:
    """Run what was asked for, and return what `sparing twin --json` prints."""
    from sparing.simulate.twin_runs import run_twin
    from sparing.simulate.twin_stress import rate_sensitivity, scenarios, stress_table

    options: dict[str, Any] = {"num_replications": replications, "seed": seed}
    policy, (fleet, rule) = next(iter(chosen.items()))
    results = {}
    for name, (twin, ordering) in chosen.items():
        results[name] = run_twin(twin, ordering, **options, progress=_progress(replications))
    result = results[policy]
    report: dict[str, Any] = {
        "case": case,
        "policy": policy,
        "clock": fleet.clock,
        "orders": fleet.orders,
        "periods": fleet.network.periods,
        "period_hours": fleet.period_hours,
        "warm_up": fleet.warm_up,
        "initial_stock": fleet.initial_stock,
        "replications": replications,
        "seed": seed,
        "confidence": result.confidence,
        "events": result.num_events,
        "measures": {
            name: _possible(name, mean, result.half_widths[name])
            for name, mean in result.mean.items()
        },
    }
    if len(results) > 1:
        report["policies"] = [
            _row(name, found, found.less(result), found.less(result, "sla"))
            for name, found in results.items()
        ]
    for key in filter(asked.get, asked):
        if key == "stress":
            rows = stress_table(scenarios(fleet), rule, **options, progress=_say)
        else:
            rows = rate_sensitivity(fleet, rule, **options, progress=_say)
        report[key] = [_row(row.scenario, row.result, row.cost, row.sla) for row in rows]
    if curve:
        report["learning"] = [
            {**vars(point), "over_fixed": point.over_fixed, "over_updated": point.over_updated}
            for point in curve
        ]
    if out is not None:
        from sparing.report.twin_files import write_twin

        report["files"] = write_twin(fleet, results, report, out, curve)
    return report


def _changed(
    fleet: Any, periods: int | None, initial_stock: str | None, warm_up: int | None
) -> Any:
    """Return the twin with what the command line says in place of the case file."""
    from dataclasses import replace

    given: dict[str, Any] = {"initial_stock": initial_stock, "warm_up": warm_up}
    if periods is not None:
        given["network"] = replace(fleet.network, periods=periods)
    return replace(fleet, **{name: value for name, value in given.items() if value is not None})


def _learning(fleet: Any) -> Any:
    """Return the curve of the value of learning, of a case that can be solved many times."""
    from sparing.evaluate.value_of_learning import learning_curve

    check_size(fleet.network, "--learning", "it is solved many times", LEARNING_STATES)
    return learning_curve(fleet.network, progress=lambda shape: _say(f"prior of shape {shape:g}"))


def _row(name: str, found: Any, cost: Any, sla: Any) -> dict[str, Any]:
    """Return a line of a table of results that are paired with its first."""
    measures = ("total", "holding", "sla", "short_hours_per_year", "orders_per_year")
    return {
        "name": name,
        **{m: _possible(m, found.mean[m], found.half_widths[m]) for m in measures},
        "cost_change": interval_json(cost.mean, cost.half_width),
        "sla_change": interval_json(sla.mean, sla.half_width),
    }


def _possible(name: str, mean: float, half: float) -> dict[str, float]:
    """Return the interval of a measure, cut at what it can be."""
    found = interval_json(mean, half)
    found["lower"] = max(found["lower"], 0.0)
    if name in ("sla", "fill_rate"):
        found["upper"] = min(found["upper"], 1.0)
    return found


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
    if report["warm_up"]:
        print(f"the first {report['warm_up']} periods are not counted\n")
    columns = ["", "mean", "95 % from", "to"]
    rows = []
    for name, found in report["measures"].items():
        label = UNITS.get(name, name.replace("_", " ") + (" cost" if name in COSTS else ""))
        rows.append([label, *(number(found[key], 6) for key in ("mean", "lower", "upper"))])
    print_table(columns, rows)
    titles = {"policies": "policy", "stress": "under stress", "sensitivity": "with wrong rates"}
    for key, title in titles.items():
        if key in report:
            print()
            _print_paired(title, report[key])
    if "learning" in report:
        print()
        _print_learning(report["learning"])
    if out is not None:
        print(f"\nwritten to {out}: {', '.join(report['files'])}")
    if report["replications"] == 1:
        note("a single replication has no interval; --replications asks for more.")


def _print_paired(title: str, rows: list[dict[str, Any]]) -> None:
    shown = []
    for row in rows:
        total, sla, change = row["total"], row["sla"], row["cost_change"]
        shown.append(
            [
                row["name"],
                _plus_minus(total),
                _plus_minus(sla),
                "" if row is rows[0] else _plus_minus(change, "+"),
                "" if row is rows[0] else _plus_minus(row["sla_change"], "+"),
            ]
        )
    columns = [title, "total cost", "SLA", "cost, paired", "SLA, paired"]
    print_table(columns, shown)


def _plus_minus(found: dict[str, float], sign: str = "") -> str:
    """Return mean and half width with two digits of the latter."""
    half = found["half_width"]
    if not (isfinite(half) and half > 0.0):
        return f"{found['mean']:{sign}.6g}"
    digits = min(max(1 - floor(log10(half)), 0), 9)
    return f"{found['mean']:{sign}.{digits}f} ± {half:.{digits}f}"


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
