"""From defect records (installed, damaged) to failures with exposure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from sparing.records.defects import DefectRecord
from sparing.records.demand_series import Period, period_name, period_names, period_starts
from sparing.records.failures import FailureRecord

DAYS_A_YEAR = 365.25


def exposure_of_defects(
    records: Sequence[DefectRecord],
    period: Period = "month",
    *,
    first: date,
    last: date,
    climate: Mapping[str, tuple[float, float]] | None = None,
) -> tuple[FailureRecord, ...]:
    """Return failures and exposure [unit-years] per component, location and period.

    A unit is exposed from the day it is installed to the day before its damage; nothing counts
    before `first` and behind `last`, so records that start late or end early bias nothing.

    Parameters
    ----------
    first, last
        The days between which every failure has been recorded.
    climate
        Per period (as `period_name` names it) mean temperature and humidity. The values in the
        records are those at damages, which are more often hot: they say nothing on the exposure
        without damage and are not used.

    Raises
    ------
    ValueError
        If `last` lies before `first`, or a period has no climate.
    """
    if last < first:
        raise ValueError(f"last must not lie before first; got {first} to {last}.")
    names = period_names(first, last, period)
    starts = period_starts(names, period)
    ends = [*starts[1:], date.max]
    if climate is not None:
        for name in names:
            if name not in climate:
                raise ValueError(f"climate: has nothing on {name}; give all {len(names)} periods.")
    spans = [
        (max(start, first), min(end - timedelta(days=1), last))
        for start, end in zip(starts, ends, strict=True)
    ]
    days = dict[tuple[str, str, int], int]()
    failures = dict[tuple[str, str, int], int]()
    number = {name: i for i, name in enumerate(names)}
    for record in records:
        key = (record.component, record.location)
        until = record.damage_date - timedelta(days=1) if record.damage_date else last
        for i, (start, end) in enumerate(spans):
            exposed = (min(until, end) - max(record.installation_date, start)).days + 1
            days[*key, i] = days.get((*key, i), 0) + max(exposed, 0)
        if record.damage_date is not None and first <= record.damage_date <= last:
            at = number[period_name(record.damage_date, period)]
            failures[*key, at] = failures.get((*key, at), 0) + 1
    return tuple(
        _record(key, days[key], failures.get(key, 0), names, spans, climate)
        for key in sorted(days)
        if days[key] > 0 or key in failures
    )


def _record(
    key: tuple[str, str, int],
    days: int,
    failures: int,
    names: Sequence[str],
    spans: Sequence[tuple[date, date]],
    climate: Mapping[str, tuple[float, float]] | None,
) -> FailureRecord:
    component, location, number = key
    temperature, humidity = (climate or {}).get(names[number], (float("nan"),) * 2)
    return FailureRecord(
        component=component,
        location=location,
        start=datetime.combine(spans[number][0], time()),
        failures=failures,
        exposure=max(days, 1 if failures else 0) / DAYS_A_YEAR,  # damaged on its first day: one day
        temperature=temperature,
        humidity=humidity,
    )
