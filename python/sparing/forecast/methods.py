"""All methods by name: demand in, mean of the next periods out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.baselines import FROM_STATSFORECAST, baseline, check_statsforecast
from sparing.forecast.combined import CombinedModel, Reading, fit_combined
from sparing.forecast.network import NetworkOptions
from sparing.forecast.progress import Share, unheard, within

MODELS = ("combined", "arma-bp", "arma")
BASELINES = ("tsb", "sba", "adida", "imapa", "mean", "zero")  # what `auto` must not fall behind
EXTRAS = ("croston", "mean-all", "recent", "winsorised", "seasonal-naive")
SINGLE = (*MODELS, *BASELINES, *EXTRAS)
LEARNT = ("auto", "pool", "select")  # from the windows of others
CHOICES = (*LEARNT, *SINGLE)
POOLED = ("combined", "sba", "adida", "imapa", "mean", "mean-all", "recent", "winsorised")
NEEDED = (*POOLED, "tsb", "zero")  # by the learnt ones
BASELINE_WORK = 0.02  # of a baseline on a series, when that of a model is 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the methods have in common.

    Parameters
    ----------
    season
        Periods a year, or whatever repeats.
    reading, num_harmonics, options
        Of the combined model; see `CombinedModel`.
    """

    season: int = 12
    reading: Reading = "B"
    num_harmonics: int | None = None
    options: NetworkOptions = field(default_factory=NetworkOptions)

    def model(self, name: str) -> CombinedModel:
        """Return the model of that name."""
        return CombinedModel(
            fourier=name == "combined",
            network=name != "arma",
            season=self.season,
            num_harmonics=self.num_harmonics,
            reading=self.reading,
            options=self.options,
        )


def needed_by(method: str) -> tuple[str, ...]:
    """Return the single methods that `method` is made of.

    Raises
    ------
    ValueError
        If there is no such method.
    ImportError
        If it needs statsforecast, which is not installed.
    """
    if method not in CHOICES:
        raise ValueError(f"method must be one of {', '.join(CHOICES)}; got {method!r}.")
    names = NEEDED if method in LEARNT else (method,)
    if any(name in FROM_STATSFORECAST for name in names):
        check_statsforecast()
    return names


def work_of(names: Sequence[str], num_series: int) -> float:
    """Return how much work `point_means` is, in fits of a model to a series."""
    return num_series * sum(1.0 if name in MODELS else BASELINE_WORK for name in names)


def point_means(
    names: Sequence[str],
    demand: NDArray[np.float64],
    horizon: int,
    settings: Settings,
    covariates: NDArray[np.float64] | None = None,
    progress: Share = unheard,
) -> dict[str, NDArray[np.float64]]:
    """Return the forecast [S, H] of each method after `demand` [S, T].

    Parameters
    ----------
    covariates
        Shape (S, T + H, C), for the networks.
    progress
        Called with the share of the work that is done.
    """
    means: dict[str, NDArray[np.float64]] = {}
    total = work_of(names, 1)
    for i, name in enumerate(names):
        report = within(progress, work_of(names[:i], 1) / total, work_of(names[: i + 1], 1) / total)
        if name in means:
            continue
        if name in MODELS:
            fit = fit_combined(
                demand, horizon, settings.model(name), covariates=covariates, progress=report
            )
            means[name] = fit.mean
            if name == "arma-bp" and "arma" in names:
                means["arma"] = fit.linear
        else:
            means[name] = baseline(name)(demand, horizon, settings.season)
        report(1.0)
    return {name: means[name] for name in names}
