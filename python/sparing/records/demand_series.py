"""From defect records to demand per component and period, and to covariates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from sparing.records.defects import DefectRecord
from sparing.records.panel import DemandPanel

Period: TypeAlias = Literal["week", "month", "quarter", "year"]
DAYS_A_YEAR = 365.25
SEASONS: dict[str, int] = {"week": 52, "month": 12, "quarter": 4, "year": 1}
COVARIATES = ("temperature", "humidity", "installed base", "mean age", "share of frailest make")


def demand_of_records(
    records: Sequence[DefectRecord],
    period: Period = "month",
    *,
    first: date | None = None,
    last: date | None = None,
) -> DemandPanel:
    """Count damage dates per component and period.

    Parameters
    ----------
    period
        week (of ISO 8601), month, quarter or year.
    first, last
        Days in the first and the last period; default those of the earliest and latest damage
        of any component. The first and last period count as whole.

    Raises
    ------
    ValueError
        If nothing was damaged, or a damage lies outside `first` and `last`.
    """
    if period not in get_args(Period):
        raise ValueError(f"period must be one of {', '.join(get_args(Period))}; got {period!r}.")
    damages = [(r.component, r.damage_date) for r in records if r.damage_date is not None]
    if not damages:
        raise ValueError("no record has a damage date, so there is no demand to count.")
    start = first or min(day for _, day in damages)
    end = last or max(day for _, day in damages)
    for component, day in damages:
        if not start <= day <= end:
            raise ValueError(f"{component}: damage on {day} lies outside {start} to {end}.")
    names = period_names(start, end, period)
    column = {name: i for i, name in enumerate(names)}
    parts = tuple(dict.fromkeys(r.component for r in records))
    row = {part: i for i, part in enumerate(parts)}
    demand = np.zeros((len(parts), len(names)))
    for component, day in damages:
        demand[row[component], column[period_name(day, period)]] += 1.0
    return DemandPanel(parts=parts, periods=names, demand=demand)


def covariates_of_records(
    records: Sequence[DefectRecord], panel: DemandPanel, period: Period, horizon: int
) -> NDArray[np.float64]:
    """Return what may help the networks: shape (S, T + horizon, 5), in the order of `COVARIATES`.

    Only what a planner can know `horizon` periods ahead: of temperature and humidity the normals
    for the time of the year, from the records of the first half of the periods; installed base
    [units], mean age [years] and make as they were `horizon` periods before. Records name no batch
    of manufacture; the manufacturer stands for it: counted is the share of the installed base that
    comes from the one with most damages a unit and year in the first half of the periods.
    """
    season, total = SEASONS[period], panel.num_periods + horizon
    found = np.zeros((panel.num_parts, total, len(COVARIATES)))
    column = {name: i for i, name in enumerate(panel.periods)}
    half = max(panel.num_periods // 2, 1)
    climate = np.full((2, total), np.nan)
    for i, field in enumerate(("temperature", "humidity")):
        sums, counts = np.zeros(season), np.zeros(season)
        for record in records:
            value = getattr(record, field)
            if record.damage_date is None or np.isnan(value):
                continue
            at = column[period_name(record.damage_date, period)]
            if at < half:
                sums[at % season] += value
                counts[at % season] += 1.0
        overall = sums.sum() / max(counts.sum(), 1.0)
        normals = np.where(counts > 0.0, sums / np.maximum(counts, 1.0), overall)
        climate[i] = normals[np.arange(total) % season]
    found[:, :, :2] = climate.T
    starts = period_starts(panel.periods, period)
    for row, part in enumerate(panel.parts):
        own = [record for record in records if record.component == part]
        for i, known in enumerate(_installed(own, starts, starts[half - 1]), start=2):
            found[row, :, i] = np.concatenate([np.full(horizon, known[0]), known])[:total]
    return found


def period_name(day: date, period: Period) -> str:
    """Return the name of the period of a day, e.g. 2021-07."""
    if period == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    if period == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return f"{day.year}-{day.month:02d}" if period == "month" else str(day.year)


def period_names(first: date, last: date, period: Period) -> tuple[str, ...]:
    """Return the names of all periods from that of `first` to that of `last`."""
    days = (first + timedelta(days=i) for i in range((last - first).days + 1))
    return tuple(dict.fromkeys(period_name(day, period) for day in days))


def period_starts(names: Sequence[str], period: Period) -> list[date]:
    """Return the first day of each period."""
    if period == "week":
        return [date.fromisocalendar(int(n[:4]), int(n[6:]), 1) for n in names]
    if period == "quarter":
        return [date(int(n[:4]), 3 * int(n[6:]) - 2, 1) for n in names]
    return [date(int(n[:4]), int(n[5:7]) if period == "month" else 1, 1) for n in names]


def _installed(
    records: Sequence[DefectRecord], starts: Sequence[date], learnt_until: date
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return units in service at each day, their mean age [years], and share of frailest make."""
    put_in = np.array([r.installation_date.toordinal() for r in records])
    out = np.array([(r.damage_date or date.max).toordinal() for r in records])
    days = np.array([day.toordinal() for day in starts])
    inside = (put_in[None] <= days[:, None]) & (days[:, None] < out[None])
    base = inside.sum(axis=1).astype(float)
    ages = np.where(inside, days[:, None] - put_in[None], 0).sum(axis=1) / np.maximum(base, 1.0)
    frail = _of_frailest_make(records, put_in, out, learnt_until.toordinal())
    share = (inside & frail).sum(axis=1) / np.maximum(base, 1.0)
    return base, ages / DAYS_A_YEAR, share


def _of_frailest_make(
    records: Sequence[DefectRecord],
    put_in: NDArray[np.int64],
    out: NDArray[np.int64],
    until: int,
) -> NDArray[np.bool_]:
    """Return which records are of the manufacturer with most damages a unit and year so far.

    One year more is counted for each, so that a make of few units is not taken for frail.
    """
    makes = np.array([record.manufacturer for record in records])
    years = np.clip(np.minimum(out, until) - put_in, 0, None) / DAYS_A_YEAR
    names = np.unique(makes)
    rates = [(out[makes == m] < until).sum() / (years[makes == m].sum() + 1.0) for m in names]
    return np.asarray(makes == names[int(np.argmax(rates))])
