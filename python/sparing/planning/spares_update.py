"""New records of failures, stock or orders: they move what is believed, and the orders."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing._files import write_atomically
from sparing.planning.folder import read_plan_folder
from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.planning import Progress, plan_from, plan_of_spares
from sparing.planning.spares_change import SparesChange, spares_change
from sparing.planning.spares_input import (
    FAILURES,
    ORDERS,
    STOCK,
    SparesInput,
    check_together,
    records_file,
)
from sparing.planning.spares_plan import SparesPlan
from sparing.records.failure_history import (
    CountRecords,
    FailureHistory,
    UnitRecords,
    read_failure_history,
)
from sparing.records.problems import ProblemLog
from sparing.records.stocks import (
    joined_orders,
    joined_stock,
    read_orders,
    read_stock,
)
from sparing.records.tables import column_key, read_table

Rows = NDArray[np.int64]
MARKS = {  # columns that tell what records a file holds
    FAILURES: ({"componentname", "damagedate"}, {"componentname", "exposure"}),
    STOCK: ({"part", "onhand"},),
    ORDERS: ({"part", "ordered"},),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Joined:
    """The input with new records, and what that does to the file that takes them."""

    spares: SparesInput
    replaced: Rows  # rows of the old file that the new ones take the place of
    num_new: int


def kind_of_spares(records: str | Path) -> str | None:
    """Return which records of spares a file holds by its columns, or None."""
    try:
        header = {column_key(name) for name in read_table(records).header}
    except (OSError, ValueError):
        return None
    return next(
        (kind for kind, marks in MARKS.items() if any(mark <= header for mark in marks)), None
    )


def update_spares(
    folder: str | Path,
    records: str | Path,
    *,
    out: str | Path | None = None,
    memory: float | None = None,
    steps: int | None = None,
    progress: Progress | None = None,
) -> tuple[MaintenancePlan | SparesPlan, SparesChange]:
    """Add records of failures, stock or orders to `folder` and make its plan anew.

    A unit that has failed takes the place of the same unit in service; an order that has come,
    that of the same order under way. If anything is wrong, nothing is written.

    Parameters
    ----------
    memory, steps
        For the maintenance of the folder, as of `sparing.planning.planning.make_plan`.

    Raises
    ------
    sparing.records.problems.RecordsError
        With everything that is wrong.
    ValueError
        If `folder` has no plan of stocks yet, or keeps such records as Parquet.
    """
    folder, records = Path(folder), Path(records)
    before = Path(out) if out is not None else folder / "plan"
    try:
        old = json.loads((before / "metrics.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{folder}: has no plan yet; make one with `sparing plan`.") from None
    kind = kind_of_spares(records)
    if kind is None:
        raise ValueError(f"{records}: holds no records of failures, stock or orders.")
    target = records_file(folder, kind) or folder / f"{kind}.csv"
    if target.suffix == ".parquet":
        raise ValueError(f"{target}: records are added to CSV files only.")
    source = read_plan_folder(folder)
    if source.spares is None or "spares" not in old:
        raise ValueError(f"{folder}: its plan has no stocks; add [spares] and `sparing plan` it.")
    found = _joined(source.spares, kind, records)
    moved = replace(source, spares=found.spares)
    made: MaintenancePlan | SparesPlan | None = None
    if not source.components:
        made = plan_of_spares(moved, progress)
    if made is None:
        made = plan_from(moved, memory=memory, steps=steps, progress=progress)
    spares = made if isinstance(made, SparesPlan) else made.spares
    assert spares is not None
    change = spares_change(old["spares"], spares, file=target.name, num_records=found.num_new)
    add_rows(target, records, found.replaced)
    return made, change


def updated_spares(
    folder: str | Path, records: str | Path, out: Path, **options: Any
) -> tuple[MaintenancePlan | SparesPlan, SparesChange]:
    """Add records as `update_spares` does, and write the plan into `out`."""
    made, change = update_spares(folder, records, out=out, **options)
    if isinstance(made, SparesPlan):
        made.save(out, change=change)
    else:
        from sparing.report.plan_files import save_plan

        save_plan(made, out, spares_change=change)
    return made, change


def _joined(spares: SparesInput, kind: str, records: Path) -> _Joined:
    log, nothing = ProblemLog(), np.empty(0, dtype=np.int64)
    names = None if spares.settings.parts is None else tuple(spares.settings.parts)
    replaced, count, merged = nothing, 0, spares
    if kind == FAILURES:
        more = read_failure_history(records, names, spares.locations, log)
        if more is not None:
            history, replaced = joined_failures(spares.failures, more, records.name, log)
            count, merged = len(more.part), replace(spares, failures=history)
    elif kind == STOCK:
        counted = read_stock(records, names, spares.locations, log)
        if counted is not None:
            count, merged = (
                len(counted.part),
                replace(spares, stock=joined_stock(spares.stock, counted)),
            )
    else:
        ordered = read_orders(records, names, spares.locations, log)
        if ordered is not None:
            orders, replaced = joined_orders(spares.orders, ordered)
            count, merged = len(ordered.part), replace(spares, orders=orders)
    if not log.problems:
        check_together(merged, log)
    log.finish()
    return _Joined(spares=merged, replaced=replaced, num_new=count)


def joined_failures(
    first: FailureHistory | None, second: FailureHistory, name: str, log: ProblemLog
) -> tuple[FailureHistory, Rows]:
    """Return the failures of both, and which of the first [n] the second takes the place of."""
    if first is None:
        return second, np.empty(0, dtype=np.int64)
    if isinstance(first, UnitRecords) and isinstance(second, UnitRecords):
        return _joined_units(first, second, name, log)
    if isinstance(first, CountRecords) and isinstance(second, CountRecords):
        known = set(zip(first.part, first.location, first.start.tolist(), strict=True))
        for key in zip(second.part, second.location, second.start.tolist(), strict=True):
            if key in known:
                log.add(name, 0, "Start", f"{key[0]!r} at {key[1]!r} is on record for that time")
        both = CountRecords(
            part=first.part + second.part,
            location=first.location + second.location,
            start=np.concatenate((first.start, second.start)),
            failures=np.concatenate((first.failures, second.failures)),
            exposure=np.concatenate((first.exposure, second.exposure)),
        )
        return both, np.empty(0, dtype=np.int64)
    log.add(name, 0, "", "has units one by one where the folder has counts, or the reverse")
    return first, np.empty(0, dtype=np.int64)


def _joined_units(
    first: UnitRecords, second: UnitRecords, name: str, log: ProblemLog
) -> tuple[UnitRecords, Rows]:
    def key(found: UnitRecords, i: int) -> tuple[object, ...]:
        return found.part[i], found.location[i], found.place[i], float(found.installed[i])

    in_service = dict[tuple[object, ...], list[int]]()
    for i in np.flatnonzero(np.isnan(first.damaged)).tolist():
        in_service.setdefault(key(first, i), []).append(i)
    failed = {
        (*key(first, i), float(first.damaged[i]))
        for i in np.flatnonzero(~np.isnan(first.damaged)).tolist()
    }
    replaced = list[int]()
    for i, damaged in enumerate(second.damaged.tolist()):
        own = key(second, i)
        what = f"{second.part[i]!r} at {second.location[i]!r}, {'/'.join(second.place[i])}"
        if np.isnan(damaged):
            if in_service.get(own):
                log.add(name, 0, "", f"{what}: is on record as in service already")
        elif (*own, damaged) in failed:
            log.add(name, 0, "", f"{what}: its failure is on record already")
        elif waiting := in_service.get(own):
            replaced.append(waiting.pop(0))
    kept = np.setdiff1d(np.arange(len(first.part)), replaced)
    both = UnitRecords(
        part=tuple(first.part[i] for i in kept) + second.part,
        location=tuple(first.location[i] for i in kept) + second.location,
        place=tuple(first.place[i] for i in kept) + second.place,
        installed=np.concatenate((first.installed[kept], second.installed)),
        damaged=np.concatenate((first.damaged[kept], second.damaged)),
    )
    return both, np.array(sorted(replaced), dtype=np.int64)


def add_rows(path: Path, records: Path, replaced: Sequence[int] | Rows) -> None:
    """Write a CSV file anew without the rows `replaced` and with those of `records`.

    The order of its own columns stays; columns that only the new records have are left out of it
    if it knows none of that name.
    """
    new = read_table(records)
    place = {column_key(name): i for i, name in enumerate(new.header)}
    header, kept = new.header, list[tuple[str, ...]]()
    if path.exists():
        table, gone = read_table(path), {int(i) for i in replaced}
        header = table.header
        kept = [row for i, row in enumerate(table.rows) if i not in gone]
    at = [place.get(column_key(name)) for name in header]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(kept)
    writer.writerows([["" if i is None else row[i] for i in at] for row in new.rows])
    write_atomically(path, text.getvalue())
