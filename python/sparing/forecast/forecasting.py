"""From demand to forecasts: the point forecast, its distribution, and stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.calibration import LEVELS, Calibrated, Coverage, calibrate, past_of, totals
from sparing.forecast.demand_classes import DemandClasses, classify
from sparing.forecast.methods import LEARNT, Settings, needed_by, point_means, work_of
from sparing.forecast.progress import ForecastHook, Meter
from sparing.forecast.selection import Selection, select
from sparing.forecast.stock import order_up_to, price_weights, shortage_for
from sparing.forecast.windows import NUM_WINDOWS, Window, rolling_windows
from sparing.forecast.work import CONCLUSION_WORK, SELECTION_WORK, total_work
from sparing.records.panel import DemandPanel


@dataclass(frozen=True, kw_only=True, eq=False)
class Basis:
    """What several methods share: forecasts of the single ones, now and from past windows.

    Parameters
    ----------
    panel
        Everything known.
    means
        Per single method, shape (S, H).
    windows
        Rolling origins, latest first.
    classes
        Of each series.
    selection
        What the windows say of the pool and the choice per series; None if not asked for or if
        the series are too short for windows.
    """

    panel: DemandPanel
    means: dict[str, NDArray[np.float64]]
    windows: Sequence[Window]
    classes: DemandClasses
    selection: Selection | None

    def mean(self, method: str) -> NDArray[np.float64]:
        """Return the forecast [S, H] of any method."""
        if method not in LEARNT:
            return self.means[method]
        if self.selection is None:  # too short for windows
            return self.means["mean-all"]
        return self.selection.apply(method, self.means)

    def window_means(self, method: str) -> list[NDArray[np.float64]]:
        """Return what `method` says in each window: shapes (R, H).

        The pool's weights and the choices are those of all windows.
        """
        if method not in LEARNT:
            return [window.means[method] for window in self.windows]
        assert self.selection is not None or not self.windows
        return [
            self.selection.take(window.rows).apply(method, window.means)
            for window in self.windows
            if self.selection is not None
        ]


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """The forecast of one method.

    Parameters
    ----------
    method
        Its name.
    parts
        Names of the series.
    mean
        Shape (S, H).
    demand
        Distributions of the coming periods.
    totals
        Distributions of the total over the first lead_time + 1 coming periods.
    stock
        Shape (S,): order-up-to levels for the fill rate.
    lead_time
        Periods.
    basis
        The single methods and windows behind it.
    """

    method: str
    parts: tuple[str, ...]
    mean: NDArray[np.float64]
    demand: Calibrated
    totals: Calibrated
    stock: NDArray[np.float64]
    lead_time: int
    basis: Basis

    def quantiles(self) -> NDArray[np.float64]:
        """Return the quantiles of `LEVELS`: shape (levels, S, H)."""
        return np.stack([self.demand.quantile(level) for level in LEVELS])

    def total_mean(self) -> NDArray[np.float64]:
        """Return the expected demand over lead_time + 1 periods: shape (S,)."""
        return np.asarray(self.basis.mean(self.method)[:, : self.lead_time + 1].sum(axis=1))

    def total_quantiles(self) -> NDArray[np.float64]:
        """Return the quantiles of `LEVELS` of that total: shape (levels, S)."""
        return np.stack([self.totals.quantile(level)[:, 0] for level in LEVELS])


def prepare(
    panel: DemandPanel,
    horizon: int,
    methods: Sequence[str],
    *,
    settings: Settings | None = None,
    covariates: NDArray[np.float64] | None = None,
    num_windows: int = NUM_WINDOWS,
    meter: Meter | None = None,
) -> Basis:
    """Compute what `methods` need: single forecasts, past windows and, if asked for, the selection.

    Raises
    ------
    ValueError
        If the horizon or a method does not fit.
    ImportError
        If a method needs statsforecast, which is not installed.
    """
    if not horizon >= 1:
        raise ValueError(f"horizon must be at least 1 period; got {horizon}.")
    settings, meter = settings or Settings(), meter or Meter()
    names = tuple(dict.fromkeys(name for method in methods for name in needed_by(method)))
    demand = panel.demand
    windows = rolling_windows(
        demand,
        horizon,
        names,
        settings,
        covariates=covariates,
        num_windows=num_windows,
        meter=meter,
    )
    report = meter.part("forecast", work_of(names, len(demand)))
    means = point_means(names, demand, horizon, settings, covariates, report)
    classes = classify(demand, settings.season)
    learnt = any(method in LEARNT for method in methods)
    selection = None
    if learnt and windows:
        meter.part("pool and choice", SELECTION_WORK * len(demand))
        selection = select(windows, classes)
    return Basis(panel=panel, means=means, windows=windows, classes=classes, selection=selection)


def conclude(
    basis: Basis,
    method: str,
    *,
    lead_time: int = 2,
    fill_rate: float = 0.99,
    coverage: Coverage = "set",
    meter: Meter | None = None,
) -> Forecast:
    """Return the forecast of one method, its distributions and the stock they call for."""
    panel, mean = basis.panel, basis.mean(method)
    if meter is not None:
        meter.part(f"distributions and stock of {method}", CONCLUSION_WORK * panel.num_parts)
    said, periods = basis.window_means(method), lead_time + 1
    demand = calibrate(panel.demand, mean, past_of(basis.windows, said), coverage=coverage)
    history = totals(panel.demand, periods)
    unknown = np.all(np.isnan(history), axis=1, keepdims=True)
    history = np.where(unknown, _spread(panel, periods), history)
    over = calibrate(
        history,
        mean[:, :periods].sum(axis=1, keepdims=True),
        past_of(basis.windows, said, periods),
        coverage=coverage,
    )
    weight = price_weights(panel.price, panel.num_parts)
    shortage = shortage_for(over.past, basis.windows, weight, lead_time, fill_rate=fill_rate)
    if not over.past:  # nothing to learn from: the fill rate as a level
        shortage, weight = 1.0 - fill_rate, np.ones(panel.num_parts)
    return Forecast(
        method=method,
        parts=panel.parts,
        mean=mean,
        demand=demand,
        totals=over,
        stock=order_up_to(over.predictive, weight, shortage, fill_rate),
        lead_time=lead_time,
        basis=basis,
    )


def forecast(
    panel: DemandPanel,
    horizon: int,
    method: str = "auto",
    *,
    season: int = 12,
    lead_time: int = 2,
    fill_rate: float = 0.99,
    coverage: Coverage = "set",
    settings: Settings | None = None,
    covariates: NDArray[np.float64] | None = None,
    progress: ForecastHook | None = None,
) -> Forecast:
    """Forecast the demand of every part: distributions of counts, and stock for a fill rate.

    Parameters
    ----------
    panel
        Demand so far; see `sparing.records.read_demand`.
    horizon
        Periods to forecast.
    method
        One of `sparing.forecast.methods.CHOICES`.
    season
        Periods a year, or whatever repeats.
    lead_time, fill_rate
        Periods from an order to its arrival, and the share of units to have on the shelf.
    coverage
        What the quantiles promise: see `Calibrated`.
    settings
        In place of `season`, with the options of the networks.
    covariates
        Shape (S, T + H, C), what is known of every period, e.g. temperature and humidity.
    progress
        Called with how far the work has come.

    Raises
    ------
    ValueError
        If an option does not fit.
    ImportError
        If the method needs statsforecast, which is not installed.
    """
    if not lead_time >= 0:
        raise ValueError(f"lead_time must be >= 0 periods; got {lead_time}.")
    if not 0.0 < fill_rate < 1.0:
        raise ValueError(f"fill_rate must be above 0 and below 1; got {fill_rate}.")
    if not horizon >= 1:
        raise ValueError(f"horizon must be at least 1 period; got {horizon}.")
    if covariates is None:
        reach = max(horizon, lead_time + 1)
    elif horizon < lead_time + 1:
        raise ValueError(
            f"covariates must reach over the lead time and one period more, {lead_time + 1}: give"
            f" a horizon of that; got {horizon}."
        )
    else:
        reach = horizon
    meter = Meter(progress, total_work(panel, reach, [method], [method]))
    basis = prepare(
        panel,
        reach,
        [method],
        settings=settings or Settings(season=season),
        covariates=covariates,
        meter=meter,
    )
    found = conclude(
        basis, method, lead_time=lead_time, fill_rate=fill_rate, coverage=coverage, meter=meter
    )
    return shortened(found, horizon)


def shortened(found: Forecast, horizon: int) -> Forecast:
    """Return `found` for the first `horizon` periods."""
    predictive = replace(found.demand.predictive, scale=found.demand.predictive.scale[:, :horizon])
    demand = replace(found.demand, predictive=predictive)
    return replace(found, mean=found.mean[:, :horizon], demand=demand)


def _spread(panel: DemandPanel, periods: int) -> NDArray[np.float64]:
    """Return a history of totals for series too short or too broken to have one: mean x periods."""
    mean = np.nanmean(panel.demand, axis=1) * periods
    width = max(panel.num_periods - periods + 1, 1)
    return np.repeat(mean[:, None], width, axis=1)
