"""Repeated events of units followed from new: repairs, replacements, actions with costs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.records.columns import read_columns
from sparing.records.gamma_rate import GammaRate
from sparing.records.problems import ProblemLog

Floats = NDArray[np.float64]
JEFFREYS = GammaRate(shape=0.5, rate=0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Recurrences:
    """When events happened to units, each followed from age 0 to an end of its own.

    Parameters
    ----------
    units
        Names.
    end
        Shape (units,): age at which each was seen last.
    owner
        Shape (n,): the index of the unit of each event.
    time
        Shape (n,): age of the unit at each event.
    amount
        Shape (n,): what each counts for: 1, how many at once, or its cost.
    """

    units: tuple[str, ...]
    end: Floats
    owner: NDArray[np.int64]
    time: Floats
    amount: Floats

    @property
    def exposure(self) -> float:
        """Time for which all units were followed, in all."""
        return float(self.end.sum())

    @property
    def rate(self) -> GammaRate:
        """The belief on one constant rate of single events per unit of time (Jeffreys' prior)."""
        self._check_single()
        return JEFFREYS.updated(float(self.amount.sum()), self.exposure)

    def rates_by_age(self, edges: Sequence[float]) -> tuple[GammaRate, ...]:
        """Return the belief on the rate between each two successive ages of `edges`.

        Raises
        ------
        ValueError
            If ages do not grow, no unit was seen between two of them, or events are not single.
        """
        self._check_single()
        ages = np.asarray(edges, dtype=np.float64)
        if ages.size < 2 or not (np.diff(ages) > 0.0).all() or ages[0] < 0.0:
            raise ValueError(f"edges must be two or more growing ages >= 0; got {list(edges)}.")
        count, _ = np.histogram(self.time, ages, weights=self.amount)
        held = np.clip(self.end[:, None], ages[:-1], ages[1:]).sum(axis=0)
        exposure = held - len(self.units) * ages[:-1]
        for low, high, time in zip(ages[:-1], ages[1:], exposure, strict=True):
            if not time > 0.0:
                raise ValueError(f"no unit was followed between ages {low:g} and {high:g}.")
        return tuple(
            JEFFREYS.updated(float(c), float(t)) for c, t in zip(count, exposure, strict=True)
        )

    def _check_single(self) -> None:
        for i in np.flatnonzero(self.amount != 1.0)[:1]:
            raise ValueError(
                f"event {i} of {self.units[self.owner[i]]!r} counts for {self.amount[i]:g}: a rate"
                " is one of single events; leave the amount out, or ask for `mean_cumulative`."
            )


def read_recurrences(
    path: str | Path,
    *,
    unit: str,
    time: str,
    event: str,
    end: str = "end",
    amount: str | None = None,
    ignored: Collection[str] = (),
) -> Recurrences:
    """Read events from CSV or Parquet, a line an event and one line for the end of each unit.

    Parameters
    ----------
    unit, time, event
        Columns: whose event it is, the age then, and what it is.
    end
        The event that stands for "seen last", in any case.
    amount
        Column of counts or costs; None: each event counts 1.
    ignored
        Events that are none, such as "start".

    Raises
    ------
    sparing.records.problems.RecordsError
        With all problems: a cell that is no number, a unit without an end or with two, an event
        behind the end of its unit.
    """
    path, log = Path(path), ProblemLog()
    names = [unit, time, event, *([amount] if amount else [])]
    columns = read_columns(path, names, log)
    log.finish()
    assert columns is not None
    owners, kinds = columns.text(unit), [cell.lower() for cell in columns.text(event)]
    ages = columns.number(time, low=0.0)
    weights = columns.number(amount, low=0.0) if amount else np.ones(len(columns))
    log.finish()
    found = dict.fromkeys(owners)
    ends = dict[str, float]()
    left = {name.lower() for name in ignored}
    rows = list[int]()
    for row, (owner, kind) in enumerate(zip(owners, kinds, strict=True)):
        if kind == end.lower():
            if owner in ends:
                log.add(path.name, columns.table.lines[row], unit, f"{owner!r} has ended before")
            ends[owner] = float(ages[row])
        elif kind not in left:
            rows.append(row)
    for owner in found:
        if owner not in ends:
            log.add(path.name, 0, unit, f"{owner!r} has no event {end!r}: how long was it seen?")
    log.finish()
    for row in rows:
        if ages[row] > ends[owners[row]]:
            what = f"{ages[row]:g} lies behind the end of {owners[row]!r}, {ends[owners[row]]:g}"
            log.add(path.name, columns.table.lines[row], time, what)
    log.finish()
    index = {name: i for i, name in enumerate(found)}
    return Recurrences(
        units=tuple(found),
        end=np.array([ends[name] for name in found]),
        owner=np.array([index[owners[row]] for row in rows], dtype=np.int64),
        time=ages[rows],
        amount=weights[rows],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class MeanCumulative:
    """Expected `amount` per unit up to an age.

    Parameters
    ----------
    age
        Shape (m,).
    mean, lower, upper
        Shape (m,): the estimate and an interval of 95 %; NaN where there is one unit alone.
    at_risk
        Shape (m,): units still followed at that age.
    """

    age: Floats
    mean: Floats
    lower: Floats
    upper: Floats
    at_risk: NDArray[np.int64]


def mean_cumulative(records: Recurrences, ages: ArrayLike) -> MeanCumulative:
    """Return the mean cumulative function at `ages` [m], whatever the events depend on.

    Estimate of Nelson (1988), variance of Lawless & Nadeau (1995), which asks only that units are
    alike and independent; the interval is normal on the logarithm, so it stays above 0.

    Raises
    ------
    ValueError
        If an age lies beyond the end of every unit.
    """
    asked = np.atleast_1d(np.asarray(ages, dtype=np.float64))
    for age in asked[~((asked >= 0.0) & (asked <= records.end.max()))]:
        raise ValueError(f"ages must be from 0 to {records.end.max():g}; got {age:g}.")
    times, at = np.unique(records.time, return_inverse=True)
    ends = np.sort(records.end)
    risk = ends.size - np.searchsorted(ends, times, side="left")  # seen at that time
    step = np.bincount(at, records.amount, minlength=times.size) / risk
    last = np.searchsorted(times, asked, side="right")
    mean = np.concatenate(([0.0], np.cumsum(step)))[last]
    variance = np.array([_variance(records, times, at, step, risk, n) for n in last])
    spread = 1.959963984540054 * np.sqrt(variance) / np.maximum(mean, 1e-300)
    if len(records.units) == 1:
        spread = np.full(mean.size, np.nan)  # what differs from unit to unit is not seen
    return MeanCumulative(
        age=asked,
        mean=mean,
        lower=mean * np.exp(-spread),
        upper=mean * np.exp(spread),
        at_risk=ends.size - np.searchsorted(ends, asked, side="left"),
    )


def _variance(
    records: Recurrences,
    times: Floats,
    at: NDArray[np.intp],
    step: Floats,
    risk: NDArray[np.intp],
    num_times: int,
) -> float:
    """Return sum over units of (sum over times of (own events - step) / units at risk) squared."""
    inside = at < num_times
    own = np.bincount(
        records.owner[inside],
        records.amount[inside] / risk[at[inside]],
        minlength=len(records.units),
    )
    expected = np.concatenate(([0.0], np.cumsum(step[:num_times] / risk[:num_times])))
    seen = np.searchsorted(times[:num_times], records.end, side="right")
    return float(((own - expected[seen]) ** 2).sum())


@dataclass(frozen=True, kw_only=True)
class PowerLawTrend:
    """Events at rate ``shape / scale * (age / scale) ** (shape - 1)`` per unit.

    Parameters
    ----------
    shape
        Above 1 units wear out, below 1 they mend; with its interval of 95 %.
    scale
        Age up to which a unit has one event on average.
    laplace
        Laplace's statistic: standard normal where the rate is constant, above 0 where it grows.
    """

    shape: float
    lower: float
    upper: float
    scale: float
    laplace: float


def power_law_trend(records: Recurrences) -> PowerLawTrend:
    """Fit a power-law process by maximum likelihood, and test whether there is any trend.

    The shape b solves n / b + sum log t = n sum T^b log T / sum T^b over events t and ends T (Crow
    1974); its interval is that of log b by the observed information. Laplace's test as in Cox &
    Lewis (1966), given the number of events of each unit.

    Raises
    ------
    ValueError
        If there are fewer than two events behind age 0, or events are not single.
    """
    from scipy.optimize import brentq

    records._check_single()
    after = records.time > 0.0
    weight, log_time = records.amount[after], np.log(records.time[after])
    count = float(weight.sum())
    if count < 2.0:
        raise ValueError(f"a trend needs two events behind age 0; got {count:g}.")
    top = float(records.end.max())
    log_end = np.log(records.end[records.end > 0.0] / top)
    total = float(weight @ (log_time - np.log(top)))

    def slope(log_shape: float) -> float:
        shape = np.exp(log_shape)
        power = np.exp(shape * log_end)
        return float(count / shape + total - count * (power @ log_end) / power.sum())

    log_shape = float(brentq(slope, -7.0, 7.0))
    shape = float(np.exp(log_shape))
    power = np.exp(shape * log_end)
    first = power @ log_end / power.sum()
    second = power @ log_end**2 / power.sum()
    information = count + shape**2 * count * (second - first**2)  # of log shape
    spread = 1.959963984540054 / np.sqrt(information)
    own = np.bincount(records.owner, records.amount, minlength=len(records.units))
    middle, square = own @ records.end / 2.0, own @ records.end**2 / 12.0
    return PowerLawTrend(
        shape=shape,
        lower=shape * float(np.exp(-spread)),
        upper=shape * float(np.exp(spread)),
        scale=top * float((power.sum() / count) ** (1.0 / shape)),
        laplace=float((records.amount @ records.time - middle) / np.sqrt(square)),
    )
