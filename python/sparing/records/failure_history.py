"""Failures of parts at locations: units one by one (ten fields), or counts with their exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparing.records.columns import RecordColumns, has_columns, read_any_columns
from sparing.records.defects import FIELDS as DEFECT_FIELDS
from sparing.records.problems import ProblemLog
from sparing.records.stocks import check_unique, read_places, whole_numbers

COUNT_FIELDS = ("Component Name", "Location", "Start", "Failures", "Exposure")
DAYS_A_YEAR = 365.25
UNIX = date(1970, 1, 1)
Floats = NDArray[np.float64]
Places = tuple[NDArray[np.int64], NDArray[np.int64]]  # rows of parts and columns of locations


@dataclass(frozen=True, kw_only=True, eq=False)
class UnitRecords:
    """Units one by one; days since 1970, `damaged` [n] is NaN while a unit is in service."""

    part: tuple[str, ...]
    location: tuple[str, ...]
    place: tuple[tuple[str, str], ...]  # manufacturer and interval, which tell units apart
    installed: Floats
    damaged: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """The parts there are, in the order of the records."""
        return tuple(dict.fromkeys(self.part))

    @property
    def last_day(self) -> float:
        """The last day that is named."""
        return float(np.nanmax(np.concatenate((self.installed, self.damaged))))


@dataclass(frozen=True, kw_only=True, eq=False)
class CountRecords:
    """Failures and exposure by part, location and period; `start` [n] in days since 1970."""

    part: tuple[str, ...]
    location: tuple[str, ...]
    start: Floats
    failures: NDArray[np.int64]
    exposure: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """The parts there are, in the order of the records."""
        return tuple(dict.fromkeys(self.part))

    @property
    def gap(self) -> float:
        """Days from one start to the next, the middle of all; NaN if there is one start."""
        starts = np.unique(self.start)
        return float(np.median(np.diff(starts))) if starts.size > 1 else float("nan")

    @property
    def last_day(self) -> float:
        """The day behind the last period."""
        return float(self.start.max()) + (0.0 if np.isnan(self.gap) else self.gap)


FailureHistory = UnitRecords | CountRecords


def read_failure_history(
    path: Path, parts: Sequence[str] | None, locations: Sequence[str], log: ProblemLog
) -> FailureHistory | None:
    """Read records of `parts` (None: any) at `locations`; the columns say which kind they are."""
    columns = read_any_columns(path, log)
    if columns is None:
        return None
    counts = columns.has("Failures") and columns.has("Exposure")
    if not has_columns(columns, COUNT_FIELDS if counts else DEFECT_FIELDS):
        return None
    if len(columns) == 0:
        log.add(path.name, 0, "", "has no record")
        return None
    if counts:
        return _counts(columns, parts, locations)
    return _units(columns, parts, locations)


def _units(
    columns: RecordColumns, parts: Sequence[str] | None, locations: Sequence[str]
) -> UnitRecords:
    part, location = read_places(
        columns, "Component Name", "Installation Location", parts, locations
    )
    installed = columns.date("Installation Date")
    damaged = columns.date("Damage Date", missing=True)
    for i in np.flatnonzero(damaged < installed):
        what = f"lies before Installation Date, {columns.cells('Installation Date')[i]}"
        got = columns.cells("Damage Date")[i]
        columns.log.add(columns.file, columns.table.lines[i], "Damage Date", f"{got!r} {what}")
    _check_range(columns, "Design Life", 0.0, 200.0)
    _check_range(columns, "Temperature", -90.0, 150.0)
    _check_range(columns, "Humidity", 0.0, 100.0)
    check_unique(columns, columns.table.rows, "")
    return UnitRecords(
        part=tuple(part),
        location=tuple(location),
        place=tuple(zip(columns.cells("Manufacturer"), columns.cells("Interval"), strict=True)),
        installed=installed,
        damaged=damaged,
    )


def _counts(
    columns: RecordColumns, parts: Sequence[str] | None, locations: Sequence[str]
) -> CountRecords:
    part, location = read_places(columns, "Component Name", "Location", parts, locations)
    start = columns.date("Start")
    failures, exposure = whole_numbers(columns, "Failures", 0), columns.number("Exposure", low=0.0)
    check_unique(columns, list(zip(part, location, start.tolist(), strict=True)), "Start")
    for i in np.flatnonzero((failures > 0) & ~(exposure > 0.0)):
        what = f"{failures[i]} failures need an exposure above 0"
        columns.log.add(columns.file, columns.table.lines[i], "Exposure", what)
    return CountRecords(
        part=tuple(part),
        location=tuple(location),
        start=start,
        failures=failures,
        exposure=exposure,
    )


def _check_range(columns: RecordColumns, name: str, low: float, high: float) -> None:
    values = columns.number(name, missing=True)
    for i in np.flatnonzero((values < low) | (values > high)):
        what = f"must be from {low:g} to {high:g}; got {values[i]:g}"
        columns.log.add(columns.file, columns.table.lines[i], name, what)


@dataclass(frozen=True, kw_only=True, eq=False)
class FailureTotals:
    """What the records come to, by part and location.

    Parameters
    ----------
    failures, exposure
        Shape (P, L): within the time that was watched; exposure in unit-years where units are on
        record one by one, else in the unit of the records.
    exposure_per_day
        Shape (P, L): of what is installed now; of counts their mean, 0 if they have one start.
    months
        Names of the months of `demand` and `exposed`.
    demand, exposed
        Shape (P, M): failures and exposure by month.
    """

    failures: Floats
    exposure: Floats
    exposure_per_day: Floats
    months: tuple[str, ...]
    demand: Floats
    exposed: Floats


def failure_totals(
    history: FailureHistory,
    parts: Sequence[str],
    locations: Sequence[str],
    *,
    first: float,
    last: float,
) -> FailureTotals:
    """Add up failures and exposure between two days [since 1970], both included.

    A unit is exposed from the day it is installed to the day before its damage; what is before
    `first` or behind `last` does not count.
    """
    row = {name: i for i, name in enumerate(parts)}
    column = {name: i for i, name in enumerate(locations)}
    part = np.array([row[name] for name in history.part], dtype=np.int64)
    places = part, np.array([column[name] for name in history.location], dtype=np.int64)
    starts, months = _months(first, last)
    shape = (len(parts), len(locations))
    totals = FailureTotals(
        failures=np.zeros(shape),
        exposure=np.zeros(shape),
        exposure_per_day=np.zeros(shape),
        months=months,
        demand=np.zeros((len(parts), len(months))),
        exposed=np.zeros((len(parts), len(months))),
    )
    if isinstance(history, UnitRecords):
        _add_units(totals, history, places, starts, first, last)
    else:
        _add_counts(totals, history, places, starts, first, last)
    return totals


def _add_units(
    totals: FailureTotals,
    history: UnitRecords,
    places: Places,
    starts: Floats,
    first: float,
    last: float,
) -> None:
    """Add up units one by one; `starts` are the first days of the months."""
    part, location = places
    until = np.where(np.isnan(history.damaged), last + 1.0, history.damaged)
    seen = (history.damaged >= first) & (history.damaged <= last)
    np.add.at(totals.failures, (part[seen], location[seen]), 1.0)
    span = _overlap(history.installed, until, first, last + 1.0)
    span = np.where(seen, np.maximum(span, 1.0), span)  # damaged on its first day: one day
    np.add.at(totals.exposure, (part, location), span / DAYS_A_YEAR)
    running = np.isnan(history.damaged) | (history.damaged > last)
    np.add.at(totals.exposure_per_day, (part[running], location[running]), 1.0 / DAYS_A_YEAR)
    month = np.searchsorted(starts, history.damaged[seen], side="right") - 1
    np.add.at(totals.demand, (part[seen], month), 1.0)
    for m, (low, high) in enumerate(zip(starts, [*starts[1:], np.inf], strict=True)):
        days = _overlap(history.installed, until, max(low, first), min(high, last + 1.0))
        totals.exposed[:, m] = np.bincount(part, days, len(totals.exposed)) / DAYS_A_YEAR


def _add_counts(
    totals: FailureTotals,
    history: CountRecords,
    places: Places,
    starts: Floats,
    first: float,
    last: float,
) -> None:
    """Add up counts by period; a period belongs to the month in which it starts."""
    kept = (history.start >= first) & (history.start <= last)
    part, location = (rows[kept] for rows in places)
    failures = history.failures[kept].astype(np.float64)
    np.add.at(totals.failures, (part, location), failures)
    np.add.at(totals.exposure, (part, location), history.exposure[kept])
    watched = np.unique(history.start[kept]).size * history.gap  # [days], NaN if one start
    totals.exposure_per_day[...] = np.nan_to_num(totals.exposure / watched)
    month = np.searchsorted(starts, history.start[kept], side="right") - 1
    np.add.at(totals.demand, (part, month), failures)
    np.add.at(totals.exposed, (part, month), history.exposure[kept])


def _overlap(start: Floats, end: Floats, low: float, high: float) -> Floats:
    """Return the days [n] of start..end (excluded) that lie in low..high (excluded)."""
    return np.asarray(np.maximum(np.minimum(end, high) - np.maximum(start, low), 0.0))


def _months(first: float, last: float) -> tuple[Floats, tuple[str, ...]]:
    """Return the first days [since 1970] and the names of all months from `first` to `last`."""
    day, final = (UNIX + timedelta(days=int(d)) for d in (first, last))
    day = day.replace(day=1)
    starts, names = list[float](), list[str]()
    while day <= final:
        starts.append(float((day - UNIX).days))
        names.append(f"{day.year}-{day.month:02d}")
        day = (day + timedelta(days=32)).replace(day=1)
    return np.array(starts), tuple(names)
