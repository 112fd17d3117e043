"""Measures of forecasts: errors of the mean, coverage and cost of the quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.calibration import LEVELS, Calibrated

STOCKING = LEVELS[1:]


@dataclass(frozen=True, kw_only=True)
class PointErrors:
    """Errors of a point forecast, over all parts and periods that are known.

    Parameters
    ----------
    rmse, mae, bias
        Pooled: root mean square, mean absolute, and mean of forecast less demand [units].
    rmsse
        Mean over parts of the root mean squared error relative to that of the naive forecast one
        step ahead over the history (Hyndman and Koehler 2006); parts whose history never
        changes are left out.
    """

    rmse: float
    mae: float
    bias: float
    rmsse: float


@dataclass(frozen=True, kw_only=True)
class QuantileErrors:
    """What quantiles of one level came to.

    Parameters
    ----------
    coverage
        Share of demands that were at most the quantile.
    randomised
        The share that the quantiles of coverage "part" cover when a demand on the edge counts in
        part, so that a level can be met exactly; see `sparing.forecast.calibration.Calibrated`.
    pinball
        Mean pinball loss [units].
    excess
        Mean of what the quantile is above the demand [units a part and period].
    half_width
        Of the 95 % confidence interval of `coverage`, parts being drawn, not demands.
    """

    coverage: float
    randomised: float
    pinball: float
    excess: float
    half_width: float


def point_errors(
    mean: NDArray[np.float64], actual: NDArray[np.float64], history: NDArray[np.float64]
) -> PointErrors:
    """Return the errors of `mean` [S, H] for `actual` [S, H] after `history` [S, T]."""
    came = ~np.isnan(actual)
    error = np.where(came, mean - np.where(came, actual, 0.0), 0.0)
    count = max(int(came.sum()), 1)
    steps = np.diff(history, axis=1)
    moved = ~np.isnan(steps)
    naive = (np.where(moved, steps, 0.0) ** 2).sum(axis=1) / np.maximum(moved.sum(axis=1), 1)
    own = (error**2).sum(axis=1) / np.maximum(came.sum(axis=1), 1)
    usable = (naive > 0.0) & came.any(axis=1)
    return PointErrors(
        rmse=float(np.sqrt((error**2).sum() / count)),
        mae=float(np.abs(error).sum() / count),
        bias=float(error.sum() / count),
        rmsse=float(np.sqrt(own[usable] / naive[usable]).mean()) if usable.any() else np.nan,
    )


def squared_difference(
    mean: NDArray[np.float64], other: NDArray[np.float64], actual: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the pooled mean squared error of `mean` less that of `other`, and a half width.

    That of the 95 % confidence interval, parts being drawn, not periods. Shapes (S, H).
    """
    came = ~np.isnan(actual)
    counts = np.where(came, actual, 0.0)
    gap = np.where(came, (mean - counts) ** 2 - (other - counts) ** 2, 0.0).sum(axis=1)
    count = came.sum(axis=1)
    average = float(gap.sum() / max(count.sum(), 1))
    spread = np.sqrt(((gap - average * count) ** 2).sum()) / max(count.sum(), 1)
    return average, float(1.96 * spread)


def quantile_errors(
    demand: Calibrated, actual: NDArray[np.float64]
) -> Mapping[float, QuantileErrors]:
    """Return per stocking level what its quantiles came to, for `actual` [S, H]."""
    came = ~np.isnan(actual)
    counts = np.where(came, actual, 0.0)
    below, upto = demand.predictive.below(counts), demand.predictive.upto(counts)
    found = {}
    for level in STOCKING:
        quantile = demand.quantile(level)
        short = counts - quantile
        loss = np.where(short > 0.0, level * short, (level - 1.0) * short)
        read = demand.levels["part"][level]
        share = np.clip((read - below) / np.maximum(upto - below, 1e-12), 0.0, 1.0)
        per_part = np.where(came, short <= 0.0, False).sum(axis=1)
        coverage = float(per_part.sum() / max(came.sum(), 1))
        spread = per_part - coverage * came.sum(axis=1)
        found[level] = QuantileErrors(
            coverage=coverage,
            randomised=float(share[came].mean()),
            pinball=float(loss[came].mean()),
            excess=float(np.maximum(-short[came], 0.0).mean()),
            half_width=float(1.96 * np.sqrt((spread**2).sum()) / max(came.sum(), 1)),
        )
    return found
