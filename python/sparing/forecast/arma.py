"""ARMA(p, q) models of a batch of series, all orders at once, p and q by AIC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.forecast._batches import run_in_chunks
from sparing.forecast.progress import Share, unheard

MAX_ORDER = 3
CHUNK = 32  # series a call; what all orders of so many work on stays in the cache


@dataclass(frozen=True, kw_only=True, eq=False)
class ArmaFit:
    """One ARMA model per series.

    Parameters
    ----------
    order
        Shape (S, 2): p and q.
    mean, ar, ma
        Shapes (S,), (S, 3), (S, 3): x_t - mean is the sum of
        ar_i (x_{t-i} - mean), e_t and ma_j e_{t-j}.
    variance, aic
        Shape (S,): of the innovations, sum of squares / n; n ln(variance) + 2 (p + q + 1).
    fitted
        Shape (S, T): one step ahead, given the values before.
    forecast
        Shape (S, H).
    """

    order: NDArray[np.int64]
    mean: NDArray[np.float64]
    ar: NDArray[np.float64]
    ma: NDArray[np.float64]
    variance: NDArray[np.float64]
    aic: NDArray[np.float64]
    fitted: NDArray[np.float64]
    forecast: NDArray[np.float64]


def fit_arma(
    series: NDArray[np.float64],
    known: NDArray[np.bool_],
    horizon: int,
    *,
    max_order: int = MAX_ORDER,
    order: tuple[int, int] | None = None,
    progress: Share = unheard,
) -> ArmaFit:
    """Fit every order up to `max_order` to each series and keep the one of least AIC.

    Fitted by conditional least squares (Box, Jenkins, Reinsel, Ljung 2015, section 7.1.2;
    deviations and innovations before the first value are zero), with Levenberg-Marquardt steps on
    partial autocorrelations (Monahan 1984), so that every model is stationary and invertible.

    Parameters
    ----------
    series, known
        Shape (S, T). Where `known` is false the value does not count and the model's own
        expectation stands in for it.
    horizon
        Steps to forecast, H.
    order
        Fit this order alone.
    progress
        Called with the share of the series that is done.

    Raises
    ------
    ValueError
        If an order is not from 0 to 3.

    A series without variance gets (0, 0), its mean and an AIC of minus infinity.
    """
    orders = [order] if order is not None else _grid(max_order)
    if not all(0 <= p <= MAX_ORDER and 0 <= q <= MAX_ORDER for p, q in orders):
        raise ValueError(f"ARMA orders must be from 0 to {MAX_ORDER}; got {orders[-1]}.")
    count = np.maximum(known.sum(axis=1), 1)
    shift = np.where(known, series, 0.0).sum(axis=1) / count
    centred = np.where(known, series - shift[:, None], 0.0)
    scale = np.sqrt((centred**2).sum(axis=1) / count)
    varies = scale > 1e-9 * (1.0 + np.abs(shift))
    size, width = len(series), series.shape[1] + horizon
    best, parameters = np.zeros(size, dtype=np.int64), np.zeros((size, 7))
    predicted, squares = np.zeros((size, width)), np.zeros(size)
    aic = np.where(varies, 0.0, -np.inf)
    if varies.any():
        rows = np.flatnonzero(varies)
        values, counts = np.zeros((2, len(rows), width))
        values[:, : series.shape[1]] = centred[rows] / scale[rows, None]
        counts[:, : series.shape[1]] = known[rows]
        masks = _masks(orders)

        def program(x: NDArray[np.float64], used: NDArray[np.float64]) -> Any:
            import jax

            from sparing.forecast.arma_fit import fit_orders

            with jax.enable_x64(True):
                return fit_orders(x, used, masks, 2.0 * masks.sum(axis=1))

        found = run_in_chunks(program, [values, counts], CHUNK, progress)
        best[rows], parameters[rows], predicted[rows], squares[rows], aic[rows] = found
    scale = np.where(varies, scale, 1.0)
    predicted = shift[:, None] + scale[:, None] * predicted
    return ArmaFit(
        order=np.array(orders)[best],
        mean=shift + scale * parameters[:, 0],
        ar=parameters[:, 1:4],
        ma=parameters[:, 4:],
        variance=scale**2 * squares / count,
        aic=aic + count * 2.0 * np.log(scale),
        fitted=predicted[:, : series.shape[1]],
        forecast=predicted[:, series.shape[1] :],
    )


def _grid(max_order: int) -> list[tuple[int, int]]:
    sizes = range(max_order + 1)
    return sorted(((p, q) for p in sizes for q in sizes), key=lambda order: (sum(order), order))


def _masks(orders: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Return which of mean, 3 AR and 3 MA parameters each order has: shape (orders, 7)."""
    rows = [[1] + [i < p for i in range(3)] + [j < q for j in range(3)] for p, q in orders]
    return np.array(rows, dtype=np.float64)
