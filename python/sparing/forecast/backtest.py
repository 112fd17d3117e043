"""Backtest: every method on the last periods, which none of them has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.calibration import Coverage
from sparing.forecast.forecasting import (
    Basis,
    Forecast,
    conclude,
    prepare,
    shortened,
)
from sparing.forecast.measures import (
    PointErrors,
    QuantileErrors,
    point_errors,
    quantile_errors,
    squared_difference,
)
from sparing.forecast.methods import BASELINES, CHOICES, Settings
from sparing.forecast.progress import ForecastHook, Meter
from sparing.forecast.stock import StockResult, factor_for, normal_levels, replay
from sparing.forecast.work import total_work
from sparing.records.panel import DemandPanel


@dataclass(frozen=True, kw_only=True)
class BacktestRow:
    """One method: errors of its mean, of its quantiles by level, and the stock it drives.

    `less_best` is its mean squared error less that of the best baseline of the last periods, and
    the half width of its 95 % interval; None if there is no baseline among the methods.
    """

    method: str
    point: PointErrors
    less_best: tuple[float, float] | None
    quantiles: Mapping[float, QuantileErrors]
    stock: StockResult


@dataclass(frozen=True, kw_only=True, eq=False)
class Backtest:
    """All methods on one hold-out.

    Parameters
    ----------
    rows
        By pooled root mean squared error.
    croston
        Per method name: Croston-driven stock with the safety factor that, with the hold-out
        known, reaches the fill rate this method realised; None where no factor does.
    croston_factor
        Those factors; infinite where none does.
    forecasts
        Per method, for plots.
    actual
        Shape (S, H).
    """

    horizon: int
    lead_time: int
    fill_rate: float
    rows: tuple[BacktestRow, ...]
    croston: Mapping[str, StockResult | None]
    croston_factor: Mapping[str, float]
    forecasts: Mapping[str, Forecast]
    actual: NDArray[np.float64]
    panel: DemandPanel


def backtest(
    panel: DemandPanel,
    horizon: int,
    *,
    methods: Sequence[str] = CHOICES,
    lead_time: int = 2,
    fill_rate: float = 0.99,
    coverage: Coverage = "set",
    settings: Settings | None = None,
    progress: ForecastHook | None = None,
) -> Backtest:
    """Hold out the last `horizon` periods, forecast them with every method, and compare.

    Parts of which nothing was known before the hold-out are left out. `progress` is called with how
    far the work has come.

    Raises
    ------
    ValueError
        If too few periods are left to learn from.
    """
    if not horizon >= 1:
        raise ValueError(f"horizon must be at least 1 period; got {horizon}.")
    origin = panel.num_periods - horizon
    if origin < 2:
        raise ValueError(
            f"a backtest over {horizon} periods leaves {max(origin, 0)} of {panel.num_periods} to"
            " learn from; give a shorter horizon."
        )
    before = panel.until(origin)
    kept = np.isin(panel.parts, before.parts)
    actual = panel.demand[kept, origin:]
    wanted = tuple(dict.fromkeys((*methods, "croston")))
    reach = max(horizon, lead_time + 1)
    meter = Meter(progress, total_work(before, reach, wanted, methods))
    basis = prepare(before, reach, wanted, settings=settings, meter=meter)
    price = np.ones(before.num_parts) if before.price is None else before.price
    rows, forecasts = [], {}
    best = _best_baseline(basis, methods, actual)
    for method in methods:
        whole = conclude(
            basis, method, lead_time=lead_time, fill_rate=fill_rate, coverage=coverage, meter=meter
        )
        found = shortened(whole, horizon)
        forecasts[method] = found
        level = np.zeros(before.num_parts) if method == "zero" else found.stock
        rows.append(
            BacktestRow(
                method=method,
                point=point_errors(found.mean, actual, before.demand),
                less_best=None if best is None else squared_difference(found.mean, best, actual),
                quantiles=quantile_errors(found.demand, actual),
                stock=replay(level, actual, price, lead_time),
            )
        )
    rows.sort(key=lambda row: row.point.rmse)
    croston, factors = _raised_croston(basis, rows, actual, price, lead_time)
    return Backtest(
        horizon=horizon,
        lead_time=lead_time,
        fill_rate=fill_rate,
        rows=tuple(rows),
        croston=croston,
        croston_factor=factors,
        forecasts=forecasts,
        actual=actual,
        panel=before,
    )


def _best_baseline(
    basis: Basis, methods: Sequence[str], actual: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return what the baseline of least squared error over `actual` says of it."""
    horizon = actual.shape[1]
    said = [basis.means[name][:, :horizon] for name in BASELINES if name in methods]
    return min(said, key=lambda mean: float(np.nansum((mean - actual) ** 2)), default=None)


def _raised_croston(
    basis: Basis,
    rows: Sequence[BacktestRow],
    actual: NDArray[np.float64],
    price: NDArray[np.float64],
    lead_time: int,
) -> tuple[dict[str, StockResult | None], dict[str, float]]:
    """Return Croston-driven stock raised to the service of each method."""
    mean, history = basis.means["croston"], basis.panel.demand
    results: dict[str, StockResult | None] = {}
    factors = {}
    for row in rows:
        factor = factor_for(mean, history, actual, price, lead_time, row.stock.fill_rate)
        factors[row.method] = factor
        results[row.method] = None
        if np.isfinite(factor):
            level = normal_levels(mean, history, lead_time, factor)
            results[row.method] = replay(level, actual, price, lead_time)
    return results, factors


def backtest_report(found: Backtest) -> dict[str, Any]:
    """Return `found` for JSON."""
    methods = []
    for row in found.rows:
        other = found.croston[row.method]
        methods.append(
            {
                "method": row.method,
                **asdict(row.point),
                "mse_less_best_baseline": _interval(row.less_best),
                "quantiles": {f"{level:g}": asdict(q) for level, q in row.quantiles.items()},
                "stock": asdict(row.stock),
                "croston_at_same_fill_rate": None if other is None else asdict(other),
                "croston_factor": found.croston_factor[row.method],
            }
        )
    return {
        "horizon": found.horizon,
        "lead_time": found.lead_time,
        "fill_rate_target": found.fill_rate,
        "parts": found.panel.num_parts,
        "periods_known": found.panel.num_periods,
        "methods": methods,
    }


def _interval(found: tuple[float, float] | None) -> dict[str, float] | None:
    return None if found is None else {"mean": found[0], "half_width": found[1]}
