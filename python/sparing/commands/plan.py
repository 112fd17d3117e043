"""sparing plan, demo, update and policy: from a folder of records to what to do now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from sparing.commands.memory import MemoryOption, parsed_memory
from sparing.commands.output import check_new_folder, note, one_line_errors, print_json, print_table
from sparing.commands.plan_fleet import plan_fleet
from sparing.commands.plan_spares import answer, answer_words, print_stock_change, print_stocks
from sparing.commands.plan_text import (
    is_simulated,
    print_candidates,
    print_simulated,
    print_worth,
)
from sparing.commands.problems import JsonOption
from sparing.commands.progress import shown_counts

SHOWN_UNITS = 30  # --json and report.html hold all
SHOWN_COMPONENTS = 8  # of more, the table has no room for the states
WORDS = 70  # characters of the advice that there is room for then
OutOption = Annotated[
    Path | None, typer.Option(help="Where to write the plan.", show_default="FOLDER/plan")
]
StepsOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Choices in training, where it takes one; 0: none.",
        show_default="by size",
    ),
]


def demo(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Write an example folder of records that `sparing plan` reads."""
    with one_line_errors():
        from sparing.planning.demo import write_demo

        write_demo(folder, seed=seed)
    names = "inspections.csv, maintenance.csv, failures.csv, stock.csv, orders.csv"
    print(f"wrote {folder}: plan.toml, {names}")
    print(f"next: sparing plan {folder}")


def plan(
    folder: Annotated[Path, typer.Argument(help="With plan.toml and the records.")],
    out: OutOption = None,
    memory: MemoryOption = None,
    steps: StepsOption = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes for a folder of sites; 0: one per processor.")
    ] = 0,
    sort: Annotated[
        str,
        typer.Option(help="Sites by saves (over today's rule), to-do, orders, cost, units, name."),
    ] = "saves",
    json: JsonOption = False,
) -> None:
    """Make a plan from a folder of records: what to do now, what it costs, how sure that is.

    Reads plan.toml, inspections.csv and maintenance.csv, and for spares failures.csv, stock.csv and
    orders.csv (or .parquet); writes report.html, metrics.json, policy.parquet and the solution.
    All problems of the records are listed at once. Maintenance that does not fit into --memory is
    planned by searched rules or a learned policy. A folder of site folders is a fleet: every site
    is planned, and sites already done are kept.
    """
    out = folder / "plan" if out is None else out
    with one_line_errors(), _listed_problems():
        from sparing.fleet.planning import is_fleet

        if is_fleet(folder):
            room = parsed_memory(memory)
            plan_fleet(
                folder,
                out,
                num_workers=workers,
                memory=room,
                steps=steps,
                sort=sort,
                json=json,
            )
            return
        check_new_folder(out, "metrics.json")
        metrics = _planned(folder, out, memory=parsed_memory(memory), steps=steps)
    if json:
        print_json(metrics)
        return
    _print_plan(metrics, out)


def update(
    folder: Annotated[Path, typer.Argument(help="Of an earlier plan.")],
    records: Annotated[
        list[Path],
        typer.Argument(help="New records, CSV or Parquet; a file of each kind there is."),
    ],
    out: OutOption = None,
    resolve: Annotated[
        bool | None,
        typer.Option(
            "--resolve/--keep",
            help="Solve the policy anew, or keep it.",
            show_default="by the HyperScore of the new records",
        ),
    ] = None,
    memory: MemoryOption = None,
    steps: StepsOption = None,
    json: JsonOption = False,
) -> None:
    """Add new records to a folder, move its plan with them, and tell what changed.

    Inspections, maintenance, failures, stock or orders: the columns tell. The estimates always
    move. A policy is kept and evaluated anew, or solved anew where the HyperScore of the new
    records is below resolve_below of [hyper_score], for stocks [spares.hyper_score], in plan.toml.
    """
    out = folder / "plan" if out is None else out
    with one_line_errors(), _listed_problems():
        options = {"resolve": resolve, "memory": parsed_memory(memory), "steps": steps}
        metrics = _planned(folder, out, records, **options)
    if json:
        print_json(metrics)
        return
    if (change := metrics.get("change")) is not None:
        _print_change(change)
    if (stocks := metrics.get("spares", {}).get("change")) is not None:
        print_stock_change(stocks)
    print()
    _print_plan(metrics, out)


def _print_change(change: dict[str, Any]) -> None:
    units = ", ".join(change["units"][:SHOWN_UNITS]) or "none"
    before, now = change["objective"]["before"], change["objective"]["now"]
    print(change["reason"])
    print(f"{change['num_records']} records added; objective {before:.6g} before, {now:.6g} now")
    print(f"the policy differs in {change['num_states_changed']} states; other advice for: {units}")


def policy(
    folder: Annotated[Path, typer.Argument(help="With a plan, or a saved solution.")],
    state: Annotated[str, typer.Option(help="As rack=2,inverter=0; what is not named is 0.")] = "",
    stock: Annotated[
        str | None,
        typer.Option(help='As central=1,north=0: what to order. "": for the stock on record.'),
    ] = None,
    ordered: Annotated[
        str, typer.Option(help="With --stock: units on order and reviews since, as north=2@1.")
    ] = "",
    part: Annotated[
        str | None, typer.Option(help="With --stock: which, if there are several.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say what the plan does in one state, or what it orders for one stock."""
    asks_stock = stock is not None or part is not None or bool(ordered)
    with one_line_errors():
        if asks_stock and state:
            raise ValueError("give --state or --stock, not both.")
        found = (
            answer(folder, part, stock or "", ordered) if asks_stock else _decision(folder, state)
        )
    if json:
        print_json(found)
        return
    if asks_stock:
        print(answer_words(found))
        return
    words = [
        f"{n}: {a} to {b}"
        for (n, a), b in zip(found["state"].items(), found["action"].values(), strict=False)
        if a != b
    ]
    print(", ".join(words) or "do nothing")


def _decision(folder: Path, text: str) -> dict[str, Any]:
    from sparing.evaluate.actions import actions_of
    from sparing.planning.saved import load_planned

    places = [folder / "plan" / "solution", folder / "solution", folder]
    place = next((p for p in places if (p / "solution.json").exists()), None)
    if place is None:
        if (folder / "plan" / "spares").is_dir():
            raise ValueError(f"{folder}: its plan is one of spares alone; ask it with --stock.")
        raise ValueError(f"{folder}: has no plan; make one with `sparing plan {folder}`.")
    problem, decides = load_planned(place)
    axes = {axis.name: axis.size for axis in problem.epoch.axes}
    state = dict.fromkeys(axes, 0)
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = pair.partition("=")
        if name not in axes or not value.isdecimal() or int(value) >= axes.get(name, 0):
            ranges = ", ".join(f"{n}=0..{size - 1}" for n, size in axes.items())
            raise ValueError(f"--state {pair!r}: must be one of {ranges}.")
        state[name] = int(value)
    action = actions_of(problem, decides, [tuple(state.values())])[0]
    return {"state": state, "action": dict(zip(problem.names, action, strict=False))}


@contextmanager
def _listed_problems() -> Iterator[None]:
    """Print all that is wrong with the records, a line each."""
    from sparing.records.problems import RecordsError

    try:
        yield
    except RecordsError as error:
        for line in str(error).splitlines():
            typer.echo(f"sparing: {line}", err=True)
        raise typer.Exit(2) from None


def _planned(
    folder: Path, out: Path, records: list[Path] | None = None, **options: Any
) -> dict[str, Any]:
    from sparing._locks import locked
    from sparing.planning.updating import update_plan
    from sparing.planning.whole import plan_folder

    if folder.is_file():
        raise ValueError(f"{folder}: is a file; give the folder of records that it is in.")
    with ExitStack() as locks, shown_counts() as show:
        if records is None:
            locks.enter_context(locked(out))
            return plan_folder(folder, progress=show, **options).save(out)
        locks.enter_context(locked(folder, inside=True))  # takes the records
        locks.enter_context(locked(out))
        made, change = update_plan(folder, records, out=out, progress=show, **options)
        return made.save(out, change=change)


def _print_plan(metrics: dict[str, Any], out: Path) -> None:
    if "advice" in metrics:
        _print_maintenance(metrics, out)
    if "spares" in metrics:
        if "advice" in metrics:
            print()
        print_stocks(metrics["spares"], out)
    tables = [name for name in ("policy.parquet", "stock_policy.parquet") if (out / name).exists()]
    print(f"\nwrote {out}: report.html, metrics.json, {', '.join(tables)}")
    for remark in (*metrics.get("remarks", ()), *metrics.get("spares", {}).get("remarks", ())):
        note(remark)


def _print_maintenance(metrics: dict[str, Any], out: Path) -> None:
    names = list(metrics["advice"][0]["states"]) if metrics["advice"] else []
    many = len(names) > SHOWN_COMPONENTS
    names = [] if many else names
    rows = [
        [
            a["unit"],
            *["?" if a["states"][n] is None else str(a["states"][n]) for n in names],
            words[:WORDS] + "..." if many and len(words) > WORDS else words,
        ]
        for a in metrics["advice"]
        if (words := a["work"])
    ]
    total = len(metrics["advice"])
    print_table(
        ["unit", *names, "do now"],
        rows[:SHOWN_UNITS],
        title=f"{len(rows)} of {total} units need work",
    )
    if len(rows) > SHOWN_UNITS:
        print(f"... {len(rows) - SHOWN_UNITS} more in {out / 'report.html'}")
    print()
    policies = [
        [p["name"], f"{p['cost']:.2f}", f"{p['reliability']:.4f}"] for p in metrics["policies"]
    ]
    if is_simulated(metrics):
        print_simulated(metrics)
    elif policies:
        print_table(["policy", "cost", "reliability"], policies, title="long run, per period")
    if not metrics["method"]["is_exact"]:
        print_candidates(metrics)
    if "robustness" in metrics:
        found = metrics["robustness"]
        interval, value = found["interval"], found["value_of_information"]
        worth = (
            ""
            if value is None
            else (
                f"; better data is worth at most {value['mean']:.2f} +-"
                f" {value['standard_error']:.2f} per period"
            )
        )
        print(
            f"\ncost of the plan: {interval['lower']:.2f} to {interval['upper']:.2f} (95 %, wear"
            f" uncertain){worth}"
        )
        print_worth(found)
