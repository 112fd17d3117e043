"""Demand to come: what the failure rates say, and what a forecast of the series says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from sparing.planning.spares_estimates import SpareEstimates
from sparing.planning.spares_input import SparesInput
from sparing.records.panel import DemandPanel

Floats = NDArray[np.float64]
LEVELS = (0.5, 0.9, 0.95, 0.995)
DAYS_A_MONTH = 365.25 / 12.0
LEAST_MONTHS = 24  # of records, for a forecast of the series
SHORT_HORIZON, HORIZON = 6, 12  # months ahead


@dataclass(frozen=True, kw_only=True, eq=False)
class SpareDemand:
    """Demand by month, seen and to come, of the parts together at all locations.

    Parameters
    ----------
    months
        Names of the months seen.
    seen
        Shape (P, M).
    mean, quantiles
        Shapes (P, H) and (levels, P, H): by the failure rates and what is installed now, whose
        counts are negative binomial.
    method
        Of the forecast of the series; None: there is none.
    forecast, forecast_quantiles
        Shapes (P, H) and (levels, P, H), or None.
    factors
        Per part and review the forecast over what the rates say, 1 where there is none.
    reason
        Why there is no forecast, or nothing.
    """

    parts: tuple[str, ...]
    months: tuple[str, ...]
    seen: Floats
    mean: Floats
    quantiles: Floats
    method: str | None
    forecast: Floats | None
    forecast_quantiles: Floats | None
    factors: Mapping[str, Floats]
    reason: str


def spare_demand(source: SparesInput, estimates: SpareEstimates) -> SpareDemand | None:
    """Forecast demand by month; None where there are no records of failures.

    The series are forecast by the method ``auto`` where statsforecast is installed, else by
    ARMA; the months of the records' first and last day count as whole only if they are.
    """
    totals = estimates.totals
    if totals is None:
        return None
    parts = source.parts
    exposure = totals.exposure_per_day.sum(axis=1) * DAYS_A_MONTH
    beliefs = [estimates.rates[name].belief for name in parts]
    mean = np.array([b.mean * x for b, x in zip(beliefs, exposure, strict=True)])
    quantiles = np.array(
        [
            [b.predictive_quantile(q, x) for b, x in zip(beliefs, exposure, strict=True)]
            for q in LEVELS
        ],
        dtype=np.float64,
    )
    seen, months = _whole_months(source, totals.demand, totals.months)
    method, reason, found = None, "", None
    if seen.shape[1] < LEAST_MONTHS:
        reason = f"{seen.shape[1]} whole months are on record; a forecast needs {LEAST_MONTHS}"
    else:
        method = "auto" if find_spec("statsforecast") is not None else "arma"
        found = _forecast(parts, months, seen, method)
    factors = {}
    reviews = source.settings.periods + source.settings.beyond
    for row, name in enumerate(parts):
        ahead = np.ones(reviews)
        if found is not None and mean[row] > 0.0:
            at = (np.arange(reviews) + 0.5) * source.settings.period / DAYS_A_MONTH
            month = np.minimum(at.astype(np.int64), HORIZON - 1)
            ahead = np.maximum(found[0][row, month] / mean[row], 0.05)
        factors[name] = ahead
    return SpareDemand(
        parts=parts,
        months=months,
        seen=seen,
        mean=np.repeat(mean[:, None], HORIZON, axis=1),
        quantiles=np.repeat(quantiles[:, :, None], HORIZON, axis=2),
        method=method,
        forecast=None if found is None else found[0],
        forecast_quantiles=None if found is None else found[1],
        factors=factors,
        reason=reason,
    )


def _forecast(
    parts: tuple[str, ...], months: tuple[str, ...], seen: Floats, method: str
) -> tuple[Floats, Floats]:
    from sparing.forecast.forecasting import forecast

    panel = DemandPanel(parts=parts, periods=months, demand=seen)
    found = forecast(panel, HORIZON, method, coverage="part")
    return found.mean, np.asarray(found.quantiles(), dtype=np.float64)


def _whole_months(
    source: SparesInput, demand: Floats, months: tuple[str, ...]
) -> tuple[Floats, tuple[str, ...]]:
    """Leave out a first and a last month that were not watched to their ends."""
    from datetime import timedelta

    low, high = 0, len(months)
    if (source.today + timedelta(days=1)).day != 1 and high > 1:
        high -= 1
    if source.settings.first is not None:
        from sparing.records.failure_history import UNIX

        if (UNIX + timedelta(days=int(source.settings.first))).day != 1 and high - low > 1:
            low += 1
    return demand[:, low:high], months[low:high]
