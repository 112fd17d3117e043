"""The three methods of the published study side by side: ARMA, with network, and all combined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.combined import CombinedFit, CombinedModel, fit_combined
from sparing.forecast.network import CHECK_EVERY, NetworkOptions
from sparing.forecast.progress import ForecastHook, Meter, Share
from sparing.forecast.windows import padded
from sparing.records.panel import DemandPanel

NAMES = ("ARMA", "ARMA + BP", "Fourier + ARMA + BP")
READING_A = "Fourier + ARMA + BP, reading A"
ORIGIN_STEP = 3  # periods between two origins of the rolling comparison
LONG_TRAINING = NetworkOptions(tolerance=1e-4, max_epochs=1000)


@dataclass(frozen=True, kw_only=True, eq=False)
class MethodComparison:
    """Fits over all periods, and errors in and out of sample.

    Parameters
    ----------
    fits
        Per method, fitted to everything; the study shows these.
    in_sample, out_of_sample
        Per method, root mean squared and mean absolute error per part: shapes (S, 2). In sample is
        one step ahead over the periods that were fitted; out of sample is `horizon` steps ahead
        from rolling origins in the last third, fitted to what lies before.
    difference
        Per method, shape (S, 2): mean over origins of its squared error out of sample less that of
        ARMA, and the half width of the 95 % interval (origins as independent, which is optimistic).
    share_at_or_above
        Per method, shape (S,): how often the fitted value was at least the demand.
    origins
        Of the rolling comparison.
    """

    panel: DemandPanel
    horizon: int
    fits: dict[str, CombinedFit]
    in_sample: dict[str, NDArray[np.float64]]
    out_of_sample: dict[str, NDArray[np.float64]]
    difference: dict[str, NDArray[np.float64]]
    share_at_or_above: dict[str, NDArray[np.float64]]
    origins: tuple[int, ...]


def compare_methods(
    panel: DemandPanel,
    *,
    season: int = 12,
    horizon: int = 12,
    num_harmonics: int | None = None,
    options: NetworkOptions | None = None,
    progress: ForecastHook | None = None,
) -> MethodComparison:
    """Fit the three methods, and reading A of the third, to `panel`, in and out of sample.

    `progress` is called with how far the work has come.

    Raises
    ------
    ValueError
        If the series are too short for a rolling comparison.
    """
    models = _models(season, num_harmonics, options or LONG_TRAINING)
    length = panel.num_periods
    first = 2 * length // 3
    origins = tuple(range(first, length - horizon + 1, ORIGIN_STEP))
    if first < 12 or len(origins) < 2:
        raise ValueError(
            f"comparing methods needs at least {3 * horizon + 3 * ORIGIN_STEP} periods for a"
            f" horizon of {horizon}; got {length}."
        )
    demand = panel.demand
    size, fits, out = len(demand), {}, {}
    meter = Meter(progress, len(models) * size * (1 + len(origins)))
    for name, model in models.items():
        report = meter.part(f"{name}, all periods", size)
        fits[name] = fit_combined(demand, horizon, model, progress=report)
        report = meter.part(f"{name}, {len(origins)} origins", size * len(origins))
        out[name] = _rolling(demand, horizon, model, origins, report)
    in_sample = {name: _errors(fit.fitted - demand) for name, fit in fits.items()}
    return MethodComparison(
        panel=panel,
        horizon=horizon,
        fits=fits,
        in_sample=in_sample,
        out_of_sample={name: _errors(errors) for name, errors in out.items()},
        difference={name: _difference(out[name], out[NAMES[0]]) for name in models},
        share_at_or_above={
            name: np.nanmean(np.where(np.isnan(demand), np.nan, fit.fitted >= demand), axis=1)
            for name, fit in fits.items()
        },
        origins=origins,
    )


def comparison_report(found: MethodComparison) -> dict[str, Any]:
    """Return `found` for JSON."""
    parts = []
    for row, part in enumerate(found.panel.parts):
        methods = []
        for name, fit in found.fits.items():
            p, q = (int(n) for n in fit.arma.order[row])
            rmse, mae = (float(x) for x in found.in_sample[name][row])
            rolling_rmse, rolling_mae = (float(x) for x in found.out_of_sample[name][row])
            difference, half_width = (float(x) for x in found.difference[name][row])
            entry = {
                "method": name,
                "p": p,
                "q": q,
                "aic": float(fit.arma.aic[row]),
                "differences": int(fit.differences[row]),
                "harmonics": None if fit.periodic is None else int(fit.periodic.num_harmonics[row]),
                "epochs": None if fit.network is None else int(fit.network.epochs[row]),
                "loss": None if fit.network is None else _last(fit.network.losses[row]),
                "in_sample": {"rmse": rmse, "mae": mae},
                "out_of_sample": {"rmse": rolling_rmse, "mae": rolling_mae},
                "squared_error_less_arma": {"mean": difference, "half_width": half_width},
                "share_at_or_above": float(found.share_at_or_above[name][row]),
            }
            methods.append(entry)
        parts.append({"part": part, "methods": methods})
    return {
        "periods": found.panel.num_periods,
        "horizon": found.horizon,
        "origins": list(found.origins),
        "epochs_a_look": CHECK_EVERY,
        "order": {
            "in_sample": {k: _order(found.in_sample, i) for i, k in enumerate(("rmse", "mae"))},
            "out_of_sample": {
                k: _order(found.out_of_sample, i) for i, k in enumerate(("rmse", "mae"))
            },
        },
        "parts": parts,
    }


def _models(
    season: int, num_harmonics: int | None, options: NetworkOptions
) -> dict[str, CombinedModel]:
    whole = CombinedModel(season=season, num_harmonics=num_harmonics, options=options)
    return {
        NAMES[0]: replace(whole, fourier=False, network=False),
        NAMES[1]: replace(whole, fourier=False),
        NAMES[2]: whole,
        READING_A: replace(whole, reading="A"),
    }


def _rolling(
    demand: NDArray[np.float64],
    horizon: int,
    model: CombinedModel,
    origins: Sequence[int],
    progress: Share,
) -> NDArray[np.float64]:
    """Return the errors from each origin: shape (S, origins x horizon)."""
    histories = [padded(demand[:, :origin], demand.shape[1]) for origin in origins]
    mean = fit_combined(np.concatenate(histories), horizon, model, progress=progress).mean
    came = [demand[:, origin : origin + horizon] for origin in origins]
    errors = mean - np.concatenate(came)
    return np.concatenate(np.split(errors, len(origins)), axis=1)


def _errors(error: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack(
        [np.sqrt(np.nanmean(error**2, axis=1)), np.nanmean(np.abs(error), axis=1)], axis=1
    )


def _difference(error: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    gap = error**2 - other**2
    count = np.maximum((~np.isnan(gap)).sum(axis=1), 1)
    return np.stack(
        [np.nanmean(gap, axis=1), 1.96 * np.nanstd(gap, axis=1) / np.sqrt(count)], axis=1
    )


def _order(errors: dict[str, NDArray[np.float64]], column: int) -> list[str]:
    """Return the three methods, best first, by the mean over parts of errors relative to ARMA's."""
    base = errors[NAMES[0]][:, column]
    return sorted(NAMES, key=lambda name: float((errors[name][:, column] / base).mean()))


def _last(losses: NDArray[np.float64]) -> float:
    return float(losses[np.flatnonzero(~np.isnan(losses))[-1]])
