"""sparing replay: policies fitted on the first part of failure records, run through the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparing.commands.network_tables import (
    BELIEF,
    COSTS,
    SERVICE,
    print_metrics,
    print_reductions,
)
from sparing.commands.output import (
    check_new_folder,
    note,
    one_line_errors,
    print_json,
)
from sparing.commands.problems import CaseArgument, JsonOption
from sparing.commands.progress import shown_steps

if TYPE_CHECKING:
    from sparing.large.crew_training import Told

MARKER = "replay.json"


def replay(
    case: CaseArgument,
    records: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="Failure records with exposure (CSV, Parquet), one file a set. Without any the"
            " twin of the case makes them.",
        ),
    ] = None,
    fit: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Periods that are fitted, from the first on; the rest is held out. 0: none, the"
            " case's prior is all that is known. Default: half.",
        ),
    ] = None,
    sets: Annotated[
        int, typer.Option(min=1, help="Without files: sets of records that the twin makes.")
    ] = 4,
    periods: Annotated[
        int | None,
        typer.Option(
            min=1, help="Without files: periods of each set; default twice those of the case."
        ),
    ] = None,
    replications: Annotated[
        int,
        typer.Option(min=2, help="Lead times drawn for each set; failures are those recorded."),
    ] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same result.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables and the records.")] = None,
    json: JsonOption = False,
) -> None:
    """Fit ordering policies on the first part of failure records and replay the held-out rest."""
    with one_line_errors():
        from dataclasses import replace

        from sparing.evaluate.network_tuning import QUICK
        from sparing.evaluate.replay import replay_records
        from sparing.report.replay import replay_report, save_replay
        from sparing.stages import thread_count

        if out is not None:
            check_new_folder(out, MARKER)
        network = _network(case)
        if records and periods is not None:
            raise ValueError("--periods is for records that the twin makes, without files.")
        with shown_steps() as tell:
            if records:
                given = [_read(path, network) for path in records]
            else:
                given = _made(case, sets, periods, seed, tell)
            found = replay_records(
                network,
                given,
                num_fitted=fit,
                options=replace(QUICK, seed=seed, num_threads=thread_count(0)),
                num_replications=replications,
                told=tell,
            )
        report = replay_report(case, records, found)
        if out is not None:
            save_replay(found, given, report, out)
    if json:
        print_json(report)
        return
    _print(report)
    if out is not None:
        print(f"\nsaved in {out}")


def _network(case: str) -> Any:
    from sparing.commands.problems import load_problem
    from sparing.models.spares_network import SparesNetwork

    found = load_problem(case)
    if not isinstance(found, SparesNetwork):
        raise ValueError(f"{case}: a replay needs a case of kind 'spares-network'.")
    return found


def _read(path: str, network: Any) -> Any:
    from sparing.records.failures import read_failures

    return read_failures(path, components=[part.name for part in network.parts])


def _made(case: str, sets: int, periods: int | None, seed: int, told: Told) -> Any:
    """Return sets of records of the case's twin."""
    from sparing.evaluate.replay_records import twin_records
    from sparing.simulate.twin_files import load_twin

    return twin_records(load_twin(case), num_sets=sets, periods=periods, seed=seed, told=told)


def _print(report: dict[str, Any]) -> None:
    count = len(report["sets"])
    print(
        f"{report['case']}: {count} {'set' if count == 1 else 'sets'} of records,"
        f" {report['num_fitted']} periods fitted, {report['periods']} replayed,"
        f" {report['replications']} draws of lead times each"
    )
    print(
        f"failures held out: {report['failures']:.3g} a set; in the 95 % prediction interval of"
        f" what was fitted: {report['within']} of {report['predicted']} parts and sets\n"
    )
    for columns in (COSTS, SERVICE):
        print_metrics(report["policies"], columns)
        print()
    if report["reductions"]:
        print(BELIEF)
        names = {row["key"]: row["policy"] for row in report["policies"]}
        print_reductions(report["reductions"], names)
    missed = [row["policy"] for row in report["policies"] if row["reached"] < count]
    if missed:
        note(f"no rules tried reach the SLA on some sets: {', '.join(missed)}.")
    if count == 1:
        note("one set: intervals hold its lead times alone; give several sets of records.")
    if not 0.9 <= report["exposure"] <= 1.1:
        note(
            f"the records held out have {report['exposure']:.3g} times the exposure that the case"
            " states; the policies are made for the case's."
        )
