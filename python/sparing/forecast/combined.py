"""The combined model: Fourier, ARMA and a back-propagation network, each stage on its own too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.arma import MAX_ORDER, ArmaFit, fit_arma
from sparing.forecast.fourier import PeriodicPart, fit_season, project
from sparing.forecast.network import NetworkFit, NetworkOptions, fit_network
from sparing.forecast.progress import Share, unheard, within
from sparing.forecast.stationarity import difference_until_stationary, integrate

Reading: TypeAlias = Literal["A", "B"]
ARMA_SHARE = 0.4  # of the time a series takes; the network takes the rest


@dataclass(frozen=True, kw_only=True)
class CombinedModel:
    """Which stages there are, and how they are put together.

    Parameters
    ----------
    fourier, network
        Whether these stages are there. Both: the combined model; the network alone: ARMA with
        back-propagation; neither: ARMA.
    season
        The period whose harmonics are kept [periods]; None: harmonics of the series' own length.
    num_harmonics
        K; None: by AIC, at most 3 (with a season only).
    reading
        What ARMA is fitted to. "B": what the periodic part leaves, z = y - periodic; its forecast
        L, the network's N on e = z - L, and the periodic part are added up. "A": the periodic part
        x itself; the network's residual is e = y - L and the forecast L + N: the periodic part is
        inside L and is not added once more.
    max_order, order
        ARMA orders tried, or the one (p, q) to use.
    level
        Of the Dickey-Fuller test: a series is differenced while its p-value is above.
    options
        Of the network.

    Raises
    ------
    ValueError
        If an option is out of range.
    """

    fourier: bool = True
    network: bool = True
    season: int | None = 12
    num_harmonics: int | None = None
    reading: Reading = "B"
    max_order: int = MAX_ORDER
    order: tuple[int, int] | None = None
    level: float = 0.05
    options: NetworkOptions = field(default_factory=NetworkOptions)

    def __post_init__(self) -> None:
        if self.season is not None and not self.season >= 1:
            raise ValueError(f"season must be at least 1 period; got {self.season}.")
        if self.season is None and self.fourier and self.num_harmonics is None:
            raise ValueError("num_harmonics must be given where there is no season.")
        if self.num_harmonics is not None and not self.num_harmonics >= 0:
            raise ValueError(f"num_harmonics must be >= 0; got {self.num_harmonics}.")
        if self.reading not in ("A", "B"):
            raise ValueError(f"reading must be 'A' or 'B'; got {self.reading!r}.")
        if not 0.0 <= self.level <= 1.0:
            raise ValueError(f"level must be from 0 to 1; got {self.level}.")


@dataclass(frozen=True, kw_only=True, eq=False)
class CombinedFit:
    """A fit and its forecast, with every stage to look into.

    Parameters
    ----------
    mean, linear
        Shape (S, H), from 0 to the largest demand seen; `linear` is without the network's part.
    fitted
        Shape (S, T), one step ahead within the data, never negative; NaN before the first value.
    periodic, arma, network
        The stages; `periodic` and `network` are None where there is no such stage.
    differences
        Shape (S,): how often the series was differenced for ARMA.
    """

    mean: NDArray[np.float64]
    linear: NDArray[np.float64]
    fitted: NDArray[np.float64]
    periodic: PeriodicPart | None
    arma: ArmaFit
    network: NetworkFit | None
    differences: NDArray[np.int64]


def fit_combined(
    demand: NDArray[np.float64],
    horizon: int,
    model: CombinedModel | None = None,
    *,
    covariates: NDArray[np.float64] | None = None,
    progress: Share = unheard,
) -> CombinedFit:
    """Fit `model` to each series and forecast it.

    Parameters
    ----------
    demand
        Shape (S, T), NaN where missing. Values missing inside a series count for nothing; the
        expectation given the values before stands in for them.
    horizon
        Periods to forecast after the last one.
    covariates
        Shape (S, T + H, C), known in every period and over the horizon, e.g. temperature, humidity,
        installed base and its mean age: further inputs of the network.
    progress
        Called with the share of the work that is done.

    Raises
    ------
    ValueError
        If `horizon` or the shape of `covariates` does not fit, or a series is missing wholly.
    """
    model = model or CombinedModel()
    known = ~np.isnan(demand)
    _check(demand, known, horizon, covariates)
    length = demand.shape[1]
    start = known.argmax(axis=1)
    periodic = _periodic(demand, model) if model.fourier else None
    wave = _wave(periodic, known, demand, length + horizon)
    if model.reading == "A" and periodic is not None:
        target, counted, offset = wave[:, :length], known, 0.0 * wave
    else:
        target, counted, offset = np.where(known, demand - wave[:, :length], 0.0), known, wave
    since = np.arange(length) >= start[:, None]
    target = np.where(since, target, 0.0)
    stationary, order = difference_until_stationary(target, start, model.level)
    if not (model.reading == "A" and periodic is not None):
        counted = _differenced_known(known, order)
    counted = counted & (np.arange(length) >= (start + order)[:, None])
    arma = fit_arma(
        stationary,
        counted,
        horizon,
        max_order=model.max_order,
        order=model.order,
        progress=within(progress, 0.0, ARMA_SHARE if model.network else 1.0),
    )
    predicted = arma.fitted + _undone(target, order)
    residual = np.where(counted, demand - offset[:, :length] - predicted, 0.0)
    mean = linear = integrate(arma.forecast, target, order) + offset[:, length:]
    fitted = np.where(counted, predicted + offset[:, :length], wave[:, :length])
    network = None
    if model.network:
        network = fit_network(
            residual,
            counted,
            horizon,
            covariates=covariates,
            options=model.options,
            progress=within(progress, ARMA_SHARE, 1.0),
        )
        mean, fitted = mean + network.forecast, fitted + network.fitted
    most = np.max(demand, axis=1, initial=0.0, where=known)[:, None]
    return CombinedFit(
        mean=np.clip(mean, 0.0, most),
        linear=np.clip(linear, 0.0, most),
        fitted=np.where(since, np.maximum(fitted, 0.0), np.nan),
        periodic=periodic,
        arma=arma,
        network=network,
        differences=order,
    )


def _check(
    demand: NDArray[np.float64],
    known: NDArray[np.bool_],
    horizon: int,
    covariates: NDArray[np.float64] | None,
) -> None:
    if not horizon >= 1:
        raise ValueError(f"horizon must be at least 1 period; got {horizon}.")
    for row in np.flatnonzero(~known.any(axis=1))[:1]:
        raise ValueError(f"demand[{row}] has no value; give at least one.")
    if covariates is None:
        return
    wanted = len(demand), demand.shape[1] + horizon
    if covariates.ndim != 3 or covariates.shape[:2] != wanted:
        raise ValueError(
            f"covariates must have shape {wanted} and one axis more, as they must be known over the"
            f" horizon too; got {covariates.shape}."
        )
    if not np.isfinite(covariates).all():
        raise ValueError("covariates must be finite in every period; fill what is missing.")


def _periodic(demand: NDArray[np.float64], model: CombinedModel) -> PeriodicPart:
    if model.season is not None:
        return fit_season(demand, model.season, model.num_harmonics)
    assert model.num_harmonics is not None
    return project(demand, model.num_harmonics)


def _wave(
    periodic: PeriodicPart | None,
    known: NDArray[np.bool_],
    demand: NDArray[np.float64],
    length: int,
) -> NDArray[np.float64]:
    """Return the periodic part, or the mean where there is none: shape (S, T + H)."""
    if periodic is not None:
        return periodic.at(np.arange(1.0, length + 1.0))
    mean = np.where(known, demand, 0.0).sum(axis=1) / known.sum(axis=1)
    return np.repeat(mean[:, None], length, axis=1)


def _differenced_known(known: NDArray[np.bool_], order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which values remain known: a difference needs all the values it is made of."""
    out = known.copy()
    for steps in (1, 2):
        shifted = np.zeros_like(known)
        shifted[:, steps:] = known[:, :-steps]
        out[order >= steps] &= shifted[order >= steps]
    return out


def _undone(target: NDArray[np.float64], order: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what to add to a fitted difference to get the fitted value: the values before."""
    one, two = np.zeros_like(target), np.zeros_like(target)
    one[:, 1:] = target[:, :-1]
    two[:, 2:] = target[:, :-2]
    return np.where(
        (order == 0)[:, None], 0.0, np.where((order == 1)[:, None], one, 2.0 * one - two)
    )
