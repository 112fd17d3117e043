"""What kind of demand a series has: how often, how unequal, how seasonal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLASSES = ("smooth", "erratic", "intermittent", "lumpy", "none")
ADI_LIMIT, CV2_LIMIT = 1.32, 0.49  # Syntetos, Boylan and Croston (2005)
SEASONAL = 0.3  # share of the variance explained by a season from which on a series is seasonal


@dataclass(frozen=True, kw_only=True, eq=False)
class DemandClasses:
    """Per series, shape (S,) each.

    Parameters
    ----------
    interval
        ADI, mean periods from one demand to the next: periods known / periods with demand.
    variation
        CV2, squared coefficient of variation of the demands that are not zero.
    number
        Position in `CLASSES`.
    seasonal
        Whether two harmonics of the season explain at least 30 % of the variance (adjusted for
        their four coefficients); never with less than two seasons.
    """

    interval: NDArray[np.float64]
    variation: NDArray[np.float64]
    number: NDArray[np.int64]
    seasonal: NDArray[np.bool_]


def classify(demand: NDArray[np.float64], season: int) -> DemandClasses:
    """Return the classes of the series of `demand`, shape (S, T) with NaN where missing."""
    known = ~np.isnan(demand)
    values = np.where(known, demand, 0.0)
    count = (values > 0.0).sum(axis=1)
    some = np.maximum(count, 1)
    mean = values.sum(axis=1) / some
    spread = np.where(values > 0.0, values - mean[:, None], 0.0)
    variation = (spread**2).sum(axis=1) / some / np.where(mean > 0.0, mean, 1.0) ** 2
    interval = known.sum(axis=1) / some
    number = 2 * (interval >= ADI_LIMIT) + (variation >= CV2_LIMIT)
    number = np.where(count == 0, CLASSES.index("none"), number)
    return DemandClasses(
        interval=np.where(count > 0, interval, np.inf),
        variation=variation,
        number=number.astype(np.int64),
        seasonal=_strength(demand, season) >= SEASONAL,
    )


def _strength(demand: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """Return the adjusted share of variance that two harmonics explain."""
    from sparing.forecast.fourier import fit_season

    if season < 5:
        return np.zeros(len(demand))
    part = fit_season(demand, season, 2)
    known = ~np.isnan(demand)
    count = known.sum(axis=1)
    wave = part.at(np.arange(1.0, demand.shape[1] + 1.0))
    left = np.where(known, demand - wave, 0.0)
    mean = np.where(known, demand, 0.0).sum(axis=1) / np.maximum(count, 1)
    total = (np.where(known, demand - mean[:, None], 0.0) ** 2).sum(axis=1)
    bounded = np.where(total > 0.0, total, 1.0)
    share = 1.0 - (left**2).sum(axis=1) / bounded * (count - 1) / np.maximum(count - 5, 1)
    return np.where((part.num_harmonics > 0) & (total > 0.0), share, 0.0)
