"""Defect elimination records: ten fields a record, read strictly."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from sparing._files import write_atomically
from sparing.records.cells import check_component, field_places, number_of
from sparing.records.tables import TextTable, column_key, is_missing, read_table

FIELDS = (
    "Component Name",
    "Installation Date",
    "Manufacturer",
    "Damage Date",
    "Design Life",
    "Temperature",
    "Humidity",
    "Installation Location",
    "Interval",
    "O&M Shift",
)


@dataclass(frozen=True, kw_only=True)
class DefectRecord:
    """One component that was put in, and perhaps failed and was replaced.

    Parameters
    ----------
    damage_date
        None while it is in service: no demand, but part of the installed base.
    design_life
        Years; NaN where unknown.
    temperature, humidity
        At the damage [degrees Celsius, percent]; NaN where unknown.
    interval
        The bay or unit it belongs to.
    shift
        Of operation and maintenance.
    """

    component: str
    installation_date: date
    manufacturer: str
    damage_date: date | None
    design_life: float
    temperature: float
    humidity: float
    location: str
    interval: str
    shift: str


def is_defect_table(header: Sequence[str]) -> bool:
    """Return whether a table with this header holds defect records rather than demand."""
    names = {column_key(name) for name in header}
    return {column_key("Component Name"), column_key("Damage Date")} <= names


def read_defects(
    path: str | Path, *, components: Sequence[str] | None = None
) -> tuple[DefectRecord, ...]:
    """Read defect records from CSV or Parquet.

    Parameters
    ----------
    components
        The names there may be; None: any.

    Raises
    ------
    ValueError
        If a field is absent, a date is impossible (not in the calendar, or damage before
        installation), a component is unknown, a number is out of range, or a record is there
        twice; the message names file, line and field.
    """
    return defects_of(read_table(path), str(path), components=components)


def defects_of(
    table: TextTable, name: str, *, components: Sequence[str] | None = None
) -> tuple[DefectRecord, ...]:
    """Return the records of a table read from `name`."""
    columns = field_places(table, name, FIELDS, needed=10, kind="defect")
    found, seen = [], dict[tuple[str, ...], int]()
    for row, line in zip(table.rows, table.lines, strict=True):
        place = f"{name}, line {line}"
        cells = {field: row[columns[field]] for field in FIELDS}
        record = _record(cells, place)
        _check(record, place, components)
        if (key := tuple(cells.values())) in seen:
            raise ValueError(
                f"{place}: is the same record as line {seen[key]}; remove one, or tell them apart"
                " by location or interval."
            )
        seen[key] = line
        found.append(record)
    if not found:
        raise ValueError(f"{name}: has no record.")
    return tuple(found)


def write_defects(records: Sequence[DefectRecord], path: str | Path) -> None:
    """Write records as a CSV file that reads back to the same."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    names = [field.name for field in fields(DefectRecord)]
    for record in records:
        writer.writerow([_cell(getattr(record, name)) for name in names])
    write_atomically(Path(path), text.getvalue())


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _record(cells: dict[str, str], place: str) -> DefectRecord:
    if is_missing(cells["Component Name"]):
        raise ValueError(f"{place}, Component Name: must not be empty.")
    damage = cells["Damage Date"]
    return DefectRecord(
        component=cells["Component Name"],
        installation_date=_date(cells["Installation Date"], f"{place}, Installation Date"),
        manufacturer=cells["Manufacturer"],
        damage_date=None if is_missing(damage) else _date(damage, f"{place}, Damage Date"),
        design_life=number_of(cells["Design Life"], f"{place}, Design Life", 0.0, 200.0),
        temperature=number_of(cells["Temperature"], f"{place}, Temperature", -90.0, 150.0),
        humidity=number_of(cells["Humidity"], f"{place}, Humidity", 0.0, 100.0),
        location=cells["Installation Location"],
        interval=cells["Interval"],
        shift=cells["O&M Shift"],
    )


def _check(record: DefectRecord, place: str, components: Sequence[str] | None) -> None:
    check_component(record.component, place, components)
    if record.damage_date is not None and record.damage_date < record.installation_date:
        raise ValueError(
            f"{place}: Damage Date {record.damage_date} lies before Installation Date"
            f" {record.installation_date}."
        )


def _date(cell: str, place: str) -> date:
    try:
        return date.fromisoformat(cell.split("T")[0].split(" ")[0])
    except ValueError:
        raise ValueError(
            f"{place}: must be a day of the calendar as YYYY-MM-DD; got {cell!r}."
        ) from None
