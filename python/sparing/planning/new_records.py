"""New records, each file told by its columns, joined to those of a folder; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sparing.planning.folder import PlanInput, records_table
from sparing.planning.joined_failures import Rows, joined_failures
from sparing.planning.spares_input import (
    FAILURES,
    ORDERS,
    STOCK,
    SparesInput,
    check_together,
    records_file,
)
from sparing.records.failure_history import read_failure_history
from sparing.records.inspections import (
    INSPECTION_FIELDS,
    MAINTENANCE_FIELDS,
    joined,
    joined_maintenance,
    read_inspections,
    read_maintenance,
)
from sparing.records.paths import Array
from sparing.records.problems import ProblemLog
from sparing.records.stocks import joined_orders, joined_stock, read_orders, read_stock
from sparing.records.tables import column_key, read_table
from sparing.records.times import time_text

INSPECTIONS, MAINTENANCE = "inspections", "maintenance"
OF_UNITS, OF_STOCKS = (INSPECTIONS, MAINTENANCE), (FAILURES, STOCK, ORDERS)
MARKS = {  # columns that tell what records a file holds
    MAINTENANCE: ({"unit", "action"},),
    INSPECTIONS: ({"unit", "state"},),
    FAILURES: ({"componentname", "damagedate"}, {"componentname", "exposure"}),
    STOCK: ({"part", "onhand"},),
    ORDERS: ({"part", "ordered"},),
}
COLUMNS = {  # what a file of each kind has, for messages
    INSPECTIONS: ", ".join(INSPECTION_FIELDS),
    MAINTENANCE: ", ".join(MAINTENANCE_FIELDS),
    FAILURES: "Component Name with Damage Date or Exposure",
    STOCK: "Part, Location, Time, On Hand",
    ORDERS: "Part, Location, Quantity, Ordered, Received",
}
NOTHING: Rows = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class NewFile:
    """A file of new records, and where they go.

    Parameters
    ----------
    target
        The file of the folder that takes them.
    replaced
        Its rows that the new ones take the place of.
    """

    records: Path
    kind: str
    target: Path
    num_records: int
    replaced: Rows


@dataclass(frozen=True, kw_only=True, eq=False)
class NewRecords:
    """What a folder holds with the new records.

    Parameters
    ----------
    units, stocks
        The files of each.
    times
        Of the records of units [n].
    """

    source: PlanInput
    units: tuple[NewFile, ...]
    stocks: tuple[NewFile, ...]
    times: Array


def kind_of(records: Path) -> str | None:
    """Return what records a file holds by its columns, or None."""
    try:
        header = {column_key(name) for name in read_table(records).header}
    except (OSError, ValueError):
        return None  # told when it is read for its records
    return next(
        (kind for kind, marks in MARKS.items() if any(mark <= header for mark in marks)), None
    )


def joined_with(source: PlanInput, files: Sequence[Path]) -> NewRecords:
    """Join new records to those of a folder, and check all of them together.

    Raises
    ------
    sparing.records.problems.RecordsError
        With everything that is wrong.
    ValueError
        If files are not of different kinds, or of none that the folder plans by.
    """
    kinds = [_known_kind(source, path) for path in files]
    for kind in kinds:
        if kinds.count(kind) > 1:
            same = ", ".join(str(f) for f, k in zip(files, kinds, strict=True) if k == kind)
            raise ValueError(f"{same}: are all {kind}; put them into one file.")
    log, found, times = ProblemLog(), dict[str, list[NewFile]](), [np.empty(0)]
    for path, kind in zip(files, kinds, strict=True):
        replaced: Rows = NOTHING
        if kind in OF_UNITS:
            source, count, own = _with_units(source, path, kind, log)
            times.append(own)
        else:
            assert source.spares is not None
            spares, count, replaced = _with_stocks(source.spares, path, kind, log)
            source = replace(source, spares=spares)
        file = NewFile(
            records=path,
            kind=kind,
            target=_target(source.folder, kind),
            num_records=count,
            replaced=replaced,
        )
        found.setdefault("units" if kind in OF_UNITS else "stocks", []).append(file)
    if "stocks" in found and not log.problems:
        assert source.spares is not None
        check_together(source.spares, log)
    log.finish()
    return NewRecords(
        source=source,
        units=tuple(found.get("units", ())),
        stocks=tuple(found.get("stocks", ())),
        times=np.concatenate(times),
    )


def _known_kind(source: PlanInput, path: Path) -> str:
    """Return the kind of a file, one that the folder plans by; what is unclear may be told later.

    In a folder of units a file without a kind is read as inspections, which says what is wrong.
    """
    kind = kind_of(path)
    if kind in OF_UNITS and not source.components:
        raise ValueError(f"{path}: holds {kind}, and plan.toml has no [[component]].")
    if kind in OF_STOCKS and source.spares is None:
        raise ValueError(f"{path}: holds {kind}, and plan.toml has no [spares].")
    if kind is not None:
        return kind
    if not path.exists():
        raise FileNotFoundError(f"{path}: is not there.")
    if source.components and source.spares is None:
        return INSPECTIONS
    read_table(path)  # tells what is wrong with the file itself
    kinds = (*(OF_UNITS if source.components else ()), *(OF_STOCKS if source.spares else ()))
    shown = "; ".join(f"{kind}: {COLUMNS[kind]}" for kind in kinds)
    raise ValueError(f"{path}: holds no records of {' or '.join(kinds)}, by its columns ({shown}).")


def _target(folder: Path, kind: str) -> Path:
    if kind in OF_UNITS:
        return records_table(folder, kind)
    return records_file(folder, kind) or folder / f"{kind}.csv"


def _with_units(
    source: PlanInput, path: Path, kind: str, log: ProblemLog
) -> tuple[PlanInput, int, Array]:
    """Return the input with more records of units, how many, and their times."""
    sizes = {component.name: component.num_states for component in source.components}
    if kind == MAINTENANCE:
        actions = sorted({a for c in source.components for a in (*c.renewals, *c.other_actions)})
        done = read_maintenance(path, sizes, actions, log)
        if done is None:
            return source, 0, np.empty(0)
        joint = joined_maintenance(source.maintenance, done)
        return replace(source, maintenance=joint), len(done.unit), done.time
    seen, old = read_inspections(path, sizes, log), source.inspections
    if seen is None:
        return source, 0, np.empty(0)
    known = set(zip(old.unit, old.component, old.time.tolist(), strict=True))
    for unit, component, time in zip(seen.unit, seen.component, seen.time.tolist(), strict=True):
        if (unit, component, time) in known:
            what = f"{component!r} of {unit!r} at {time_text(time)} is on record already"
            log.add(path.name, 0, "Time", what)
    return replace(source, inspections=joined(old, seen)), len(seen.unit), seen.time


def _with_stocks(
    spares: SparesInput, path: Path, kind: str, log: ProblemLog
) -> tuple[SparesInput, int, Rows]:
    """Return the input with more records of stocks, how many, and which old rows they replace."""
    names = None if spares.settings.parts is None else tuple(spares.settings.parts)
    if kind == FAILURES:
        failed = read_failure_history(path, names, spares.locations, log)
        if failed is not None:
            history, replaced = joined_failures(spares.failures, failed, path.name, log)
            return replace(spares, failures=history), len(failed.part), replaced
    elif kind == STOCK:
        counted = read_stock(path, names, spares.locations, log)
        if counted is not None:
            stock = joined_stock(spares.stock, counted)
            return replace(spares, stock=stock), len(counted.part), NOTHING
    else:
        ordered = read_orders(path, names, spares.locations, log)
        if ordered is not None:
            orders, replaced = joined_orders(spares.orders, ordered)
            return replace(spares, orders=orders), len(ordered.part), replaced
    return spares, 0, NOTHING
