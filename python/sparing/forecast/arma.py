"""ARMA(p, q) models of a batch of series, all orders at once, p and q by AIC."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.forecast._batches import run_in_chunks
from sparing.forecast.progress import Share, unheard

MAX_ORDER = 3
ITERATIONS = 20
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

            with jax.enable_x64(True):
                return _program()(x, used, masks, 2.0 * masks.sum(axis=1))

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


@cache
def _program() -> Any:
    """Return the compiled fit of one chunk; jax is imported here and not before."""
    import jax
    import jax.numpy as jnp

    def solved(matrix: Any, right: Any) -> Any:
        """Return the solution of a small definite system (Gauss, Jordan; no pivots are needed).

        A call of LAPACK in its place stops for ever when two threads run this program at once.
        """
        rows = jnp.concatenate([matrix, right[:, None]], axis=1)
        for k in range(len(right)):
            pivot = rows[k] / rows[k, k]
            rows = (rows - jnp.outer(rows[:, k], pivot)).at[k].set(pivot)
        return rows[:, -1]

    def coefficients(partial: Any, sign: float) -> Any:
        """Return the coefficients of partial autocorrelations (Durbin, Levinson)."""
        a, b, c = partial
        a1, a2, a3 = a, b, c
        a1, a2 = a1 - a2 * a1, a2  # second step: phi_1 (1 - phi_22), phi_22
        a1, a2 = a1 - a3 * a2, a2 - a3 * a1
        return sign * jnp.stack([a1, a2, a3])

    def unpacked(raw: Any, mask: Any) -> Any:
        partial = jnp.tanh(raw[1:]) * mask[1:]
        return raw[0], coefficients(partial[:3], 1.0), coefficients(partial[3:], -1.0)

    def predictions(raw: Any, mask: Any, x: Any, counts: Any) -> Any:
        """Return the expectations one step ahead; they stand in for values that do not count."""
        mean, ar, ma = unpacked(raw, mask)

        def step(carry: Any, now: Any) -> Any:
            deviations, innovations = carry
            value, counted = now
            ahead = ar @ deviations + ma @ innovations
            deviation = jnp.where(counted > 0, value - mean, ahead)
            innovation = deviation - ahead
            deviations = jnp.concatenate([deviation[None], deviations[:-1]])
            innovations = jnp.concatenate([innovation[None], innovations[:-1]])
            return (deviations, innovations), ahead + mean

        zero = jnp.zeros(3)
        return jax.lax.scan(step, (zero, zero), (x, counts))[1]

    def residuals(raw: Any, mask: Any, x: Any, counts: Any) -> Any:
        return (x - predictions(raw, mask, x, counts)) * counts

    def fit(mask: Any, x: Any, counts: Any) -> Any:
        both = jax.jacfwd(lambda raw: (residuals(raw, mask, x, counts),) * 2, has_aux=True)

        def iterate(_: int, state: Any) -> Any:
            raw, damping, squares, gradient, gram = state
            lhs = gram + jnp.diag(damping * jnp.diag(gram) + 1e-9) + jnp.diag(1.0 - mask)
            step = -solved(lhs, gradient)
            tried = raw + jnp.clip(step, -1.0, 1.0)
            jacobian, left = both(tried)
            found = left @ left
            better = found < squares
            jacobian = jacobian * mask

            def keep(new: Any, old: Any) -> Any:
                return jnp.where(better, new, old)

            return (
                keep(tried, raw),
                jnp.where(better, damping * 0.2, damping * 6.0),
                keep(found, squares),
                keep(jacobian.T @ left, gradient),
                keep(jacobian.T @ jacobian, gram),
            )

        start = jnp.array([0.0, 0.1, 0.05, 0.02, -0.1, -0.05, -0.02]) * mask
        jacobian, left = both(start)
        jacobian = jacobian * mask
        state = (start, 0.01, left @ left, jacobian.T @ left, jacobian.T @ jacobian)
        state = jax.lax.fori_loop(0, ITERATIONS, iterate, state)
        return state[0], state[2]

    def best(x: Any, counts: Any, masks: Any, penalty: Any) -> Any:
        raws, squares = jax.vmap(fit, (0, None, None))(masks, x, counts)
        n = jnp.maximum(counts.sum(), 1.0)
        aic = n * jnp.log(jnp.maximum(squares / n, 1e-12)) + penalty
        chosen = jnp.argmin(aic)
        raw, mask = raws[chosen], masks[chosen]
        mean, ar, ma = unpacked(raw, mask)
        ahead = predictions(raw, mask, x, counts)
        parameters = jnp.concatenate([mean[None], ar, ma])
        return chosen, parameters, ahead, squares[chosen], aic[chosen]

    return jax.jit(jax.vmap(best, (0, 0, None, None)))
