"""What a user of today compares with: statsforecast's methods, the mean and zero."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Baseline: TypeAlias = Callable[[NDArray[np.float64], int, int], NDArray[np.float64]]

FROM_STATSFORECAST = ("tsb", "sba", "croston", "adida", "imapa")
TSB_SMOOTHING = 0.1  # of demand size and of its probability


def check_statsforecast() -> None:
    """Raise unless statsforecast can be imported.

    Raises
    ------
    ImportError
        Saying how to install it.
    """
    try:
        import statsforecast.models  # noqa: F401
    except ImportError:
        raise ImportError(
            f"the methods auto, pool and {', '.join(FROM_STATSFORECAST)} need statsforecast:"
            " pip install 'sparing[forecast]'. Without it there are combined, arma-bp, arma,"
            " mean, mean-all and zero."
        ) from None


def baseline(name: str) -> Baseline:
    """Return the method of that name: a function of demand [S, T], horizon, season -> [S, H].

    Missing values are left out. ``tsb`` is Teunter, Syntetos and Babai (2011), ``sba`` Syntetos
    and Boylan (2005), ``croston`` Croston (1972), ``adida`` Nikolopoulos and others (2011),
    ``imapa`` Petropoulos and Kourentzes (2015). ``mean`` is the mean of the last season,
    ``mean-all`` of all,
    ``recent`` of all with weights that halve every season, ``winsorised`` of all with the largest
    tenth cut down to the 90 % quantile.
    """
    if name in FROM_STATSFORECAST:
        return _statsforecast(name)
    own: dict[str, Baseline] = {
        "zero": _zero,
        "mean": _mean,
        "mean-all": _mean_all,
        "recent": _recent,
        "winsorised": _winsorised,
        "seasonal-naive": _naive,
    }
    return own[name]


def _zero(demand: NDArray[np.float64], horizon: int, season: int) -> NDArray[np.float64]:
    return np.zeros((len(demand), horizon))


def _mean(demand: NDArray[np.float64], horizon: int, season: int) -> NDArray[np.float64]:
    """Return the mean of the last `season` values that are known, or of as many as there are."""
    known = ~np.isnan(demand)
    recent = known & (np.cumsum(known[:, ::-1], axis=1)[:, ::-1] <= max(season, 1))
    total = np.where(recent, demand, 0.0).sum(axis=1)
    return np.repeat((total / np.maximum(recent.sum(axis=1), 1))[:, None], horizon, axis=1)


def _mean_all(demand: NDArray[np.float64], horizon: int, season: int) -> NDArray[np.float64]:
    return _mean(demand, horizon, demand.shape[1])


def _recent(demand: NDArray[np.float64], horizon: int, season: int) -> NDArray[np.float64]:
    known = ~np.isnan(demand)
    weight = known * 0.5 ** (np.arange(demand.shape[1])[::-1] / season)
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    found = (weight * np.where(known, demand, 0.0)).sum(axis=1)
    return np.repeat(found[:, None], horizon, axis=1)


def _winsorised(demand: NDArray[np.float64], horizon: int, season: int) -> NDArray[np.float64]:
    limit = np.nanquantile(demand, 0.9, axis=1, keepdims=True)
    found = np.nanmean(np.minimum(demand, limit), axis=1)
    return np.repeat(found[:, None], horizon, axis=1)


def _naive(demand: NDArray[np.float64], horizon: int, season: int) -> NDArray[np.float64]:
    """Return the value one season before; where that is missing, the mean of the last season."""
    length = demand.shape[1]
    mean = _mean(demand, horizon, season)
    at = length + np.arange(horizon) - season * (1 + np.arange(horizon) // season)
    found = demand[:, np.maximum(at, 0)]
    return np.where(np.isnan(found) | (at < 0), mean, found)


def _statsforecast(name: str) -> Baseline:
    check_statsforecast()
    from statsforecast import models

    made: dict[str, Callable[[], Any]] = {
        "tsb": lambda: models.TSB(TSB_SMOOTHING, TSB_SMOOTHING),
        "sba": models.CrostonSBA,
        "croston": models.CrostonClassic,
        "adida": models.ADIDA,
        "imapa": models.IMAPA,
    }
    model = made[name]()

    def forecast(demand: NDArray[np.float64], horizon: int, season: int) -> NDArray[np.float64]:
        out = np.zeros((len(demand), horizon))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a single demand, which has no interval
            for row, values in enumerate(demand):
                seen = values[~np.isnan(values)]
                if seen.any():
                    found = model.forecast(seen, 1)["mean"][0]
                    out[row] = found if np.isfinite(found) else seen.mean()
        return np.maximum(out, 0.0)

    return forecast
