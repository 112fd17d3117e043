"""Failure records with exposure: how many failed, where, since when, in how much exposure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np

from sparing._files import write_atomically
from sparing.records.cells import check_component, field_places, number_of
from sparing.records.tables import TextTable, column_key, is_missing, read_table

FIELDS = (
    "Component Name",
    "Location",
    "Start",
    "Failures",
    "Exposure",
    "Temperature",
    "Humidity",
)


@dataclass(frozen=True, kw_only=True)
class FailureRecord:
    """Failures of one type of component at one location in one period.

    Parameters
    ----------
    start
        When the period began.
    failures
        Units that failed in it.
    exposure
        Installed units times time in service, in the units in which rates are wanted.
    temperature, humidity
        Means over the period [degrees Celsius, percent]; NaN where unknown.
    """

    component: str
    location: str
    start: datetime
    failures: int
    exposure: float
    temperature: float = float("nan")
    humidity: float = float("nan")


def is_failure_table(header: Sequence[str]) -> bool:
    """Return whether a table with this header holds failure records with exposure."""
    return {"failures", "exposure"} <= {column_key(name) for name in header}


def read_failures(
    path: str | Path, *, components: Sequence[str] | None = None
) -> tuple[FailureRecord, ...]:
    """Read failure records from CSV or Parquet.

    Parameters
    ----------
    components
        The names there may be; None: any.

    Raises
    ------
    ValueError
        If a column is absent, a cell is no possible value, failures come without exposure, a
        component is unknown, or two lines are about the same component, location and start.
        Temperature and Humidity may be left out. The message names file, line and field.
    """
    return failures_of(read_table(path), str(path), components=components)


def failures_of(
    table: TextTable, name: str, *, components: Sequence[str] | None = None
) -> tuple[FailureRecord, ...]:
    """Return the records of a table read from `name`."""
    columns = field_places(table, name, FIELDS, needed=5, kind="failure")
    found, seen = [], dict[tuple[str, str, datetime], int]()
    for row, line in zip(table.rows, table.lines, strict=True):
        place = f"{name}, line {line}"
        record = _record({field: row[at] for field, at in columns.items()}, place)
        _check(record, place, components)
        key = (record.component, record.location, record.start)
        if key in seen:
            raise ValueError(
                f"{place}: {record.component} at {record.location or 'no location'} from"
                f" {record.start.isoformat()} is in line {seen[key]} already; add the two lines up."
            )
        seen[key] = line
        found.append(record)
    if not found:
        raise ValueError(f"{name}: has no record.")
    return tuple(found)


def write_failures(records: Sequence[FailureRecord], path: str | Path) -> None:
    """Write records as a CSV file that reads back to the same."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for record in records:
        start = record.start.isoformat(timespec="minutes").removesuffix("T00:00")
        numbers = (record.exposure, record.temperature, record.humidity)
        cells = ["" if np.isnan(value) else repr(float(value)) for value in numbers]
        writer.writerow([record.component, record.location, start, record.failures, *cells])
    write_atomically(Path(path), text.getvalue())


def _record(cells: dict[str, str], place: str) -> FailureRecord:
    if is_missing(cells["Component Name"]):
        raise ValueError(f"{place}, Component Name: must not be empty.")
    failures = number_of(cells.get("Failures", ""), f"{place}, Failures", 0.0, 1e9)
    exposure = number_of(cells.get("Exposure", ""), f"{place}, Exposure", 0.0, 1e15)
    for field, value in (("Failures", failures), ("Exposure", exposure)):
        if np.isnan(value):
            raise ValueError(f"{place}, {field}: must not be empty.")
    if failures != np.floor(failures):
        raise ValueError(f"{place}, Failures: must be a whole number; got {failures:g}.")
    return FailureRecord(
        component=cells["Component Name"],
        location=cells["Location"],
        start=_start_of(cells["Start"], place),
        failures=int(failures),
        exposure=exposure,
        temperature=number_of(cells.get("Temperature", ""), f"{place}, Temperature", -90.0, 150.0),
        humidity=number_of(cells.get("Humidity", ""), f"{place}, Humidity", 0.0, 100.0),
    )


def _check(record: FailureRecord, place: str, components: Sequence[str] | None) -> None:
    check_component(record.component, place, components)
    if record.failures > 0 and not record.exposure > 0.0:
        raise ValueError(
            f"{place}: {record.failures} failures need an Exposure above 0; got"
            f" {record.exposure:g}."
        )


def _start_of(cell: str, place: str) -> datetime:
    try:
        return _parsed(cell)
    except ValueError:
        raise ValueError(
            f"{place}, Start: must be a day or time of the calendar as YYYY-MM-DD or"
            f" YYYY-MM-DDTHH:MM; got {cell!r}."
        ) from None


@lru_cache(maxsize=4096)  # periods repeat from component to component
def _parsed(cell: str) -> datetime:
    return datetime.fromisoformat(cell).replace(tzinfo=None)
