"""The back-propagation network on residuals: one small network per series, trained together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.forecast._batches import CHUNK, run_in_chunks
from sparing.forecast.progress import Share, unheard, within

CHECK_EVERY = 20  # epochs between two looks at the loss
FIRST_LOOKS = 5  # of many series, most have stopped by then; a chunk lasts as long as its slowest


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """How the networks are trained.

    Parameters
    ----------
    learning_rate
        Of Adam (Kingma and Ba 2015), on residuals scaled to a standard deviation of 1.
    tolerance
        Training stops when the loss of a series changed by less between two looks, which are 20
        epochs apart; the loss is the root mean squared error without dropout, in the same scale.
    max_epochs
        And then at the latest; an epoch is one pass over the series.
    seed
        Of the initial weights and the dropout. Every series meets the same draws, so that what one
        of them gets does not depend on which others are trained beside it.
    """

    learning_rate: float = 0.01
    tolerance: float = 1e-3
    max_epochs: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (
            ("learning_rate", self.learning_rate, 1e-12),
            ("tolerance", self.tolerance, 0.0),
            ("max_epochs", self.max_epochs, 1),
        ):
            if not value >= least:
                raise ValueError(f"{name} must be at least {least:g}; got {value:g}.")


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkFit:
    """What the networks say of each series.

    Parameters
    ----------
    fitted
        Shape (S, T): of each residual, from the one before it; 0 where that is not known.
    forecast
        Shape (S, H): from the last residual, then each from the forecast before it.
    losses
        Shape (S, L): the loss at each look, after 20 i epochs; NaN once a series has stopped.
    epochs
        Shape (S,), how many were trained.
    """

    fitted: NDArray[np.float64]
    forecast: NDArray[np.float64]
    losses: NDArray[np.float64]
    epochs: NDArray[np.int64]


def fit_network(
    residuals: NDArray[np.float64],
    known: NDArray[np.bool_],
    horizon: int,
    *,
    covariates: NDArray[np.float64] | None = None,
    options: NetworkOptions | None = None,
    progress: Share = unheard,
) -> NetworkFit:
    """Train a network per series: residual (and covariates) in, next residual out.

    1 input, dense 10, dropout 20 %, dense 15, 1 output, ReLU, loss RMSE.

    Parameters
    ----------
    residuals, known
        Shape (S, T).
    covariates
        Shape (S, T + H, C), of the period that is predicted; scaled here.
    progress
        Called with the share of the work that is done.
    """
    options = options or NetworkOptions()
    size, length = residuals.shape
    residuals = np.where(known, residuals, 0.0)
    scale = np.sqrt((residuals**2).sum(axis=1) / np.maximum(known.sum(axis=1), 1))
    varies = scale > 1e-9 * (1.0 + np.abs(residuals).max(initial=0.0))
    looks = -(-options.max_epochs // CHECK_EVERY)
    fitted, forecast = np.zeros((size, length)), np.zeros((size, horizon))
    losses, epochs = np.full((size, looks + 1), np.nan), np.zeros(size, dtype=np.int64)
    losses[:, 0] = 0.0
    if varies.any():
        rows = np.flatnonzero(varies)
        single = np.float32
        scaled = (residuals[rows] / scale[rows, None]).astype(single)
        weights = np.zeros(scaled.shape, dtype=single)  # of predicting t from t - 1
        weights[:, 1:] = known[rows, 1:] & known[rows, :-1]
        extra = np.zeros((len(rows), length + horizon, 0), dtype=single)
        if covariates is not None:
            extra = _standardised(covariates[rows], length).astype(single)
        from sparing.forecast.network_fit import train_each  # here, as it imports jax

        train = partial(train_each, options)
        found = _trained(train, [scaled, weights, extra], looks, progress)
        fitted[rows] = np.where(weights > 0.0, found[0] * scale[rows, None], 0.0)
        forecast[rows] = found[1] * scale[rows, None]
        losses[rows], epochs[rows] = found[2], found[3]
    return NetworkFit(fitted=fitted, forecast=forecast, losses=losses, epochs=epochs)


def _trained(
    train: Any, arrays: list[NDArray[Any]], looks: int, progress: Share
) -> list[NDArray[Any]]:
    """Return the networks of all series; of many, those that last long are trained apart.

    They start anew, with the same draws: what a series gets is the same either way.
    """

    def run(rows: NDArray[np.int64], limit: int, report: Share) -> list[NDArray[Any]]:
        small = len(arrays[0]) <= CHUNK
        chosen = [array[rows] for array in arrays]
        if not small and len(rows) < CHUNK:  # filled up, so that no other size is compiled
            chosen = [np.resize(array, (CHUNK, *array.shape[1:])) for array in chosen]
        found = run_in_chunks(
            lambda *chunk: train(*chunk, np.int32(limit)), chosen, progress=report
        )
        return [part[: len(rows)] for part in found]

    every = np.arange(len(arrays[0]))
    if len(every) <= CHUNK or looks <= FIRST_LOOKS:
        return run(every, looks, progress)
    found = [part.copy() for part in run(every, FIRST_LOOKS, within(progress, 0.0, 0.5))]
    left = np.flatnonzero(found[3] >= FIRST_LOOKS * CHECK_EVERY)
    if len(left):
        for part, longer in zip(found, run(left, looks, within(progress, 0.5, 1.0)), strict=True):
            part[left] = longer
    return found


def _standardised(covariates: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Scale by what was known: mean 0 and standard deviation 1 over the first `length` periods."""
    past = covariates[:, :length]
    mean, spread = past.mean(axis=1, keepdims=True), past.std(axis=1, keepdims=True)
    return np.asarray((covariates - mean) / np.where(spread > 0.0, spread, 1.0))
