"""The augmented Dickey-Fuller test for a batch of series, and differencing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_LENGTH = 12  # a shorter series is taken as it is: the test has no power there
MAX_DIFFERENCES = 2

# Response surface of the p-value with a constant, MacKinnon (1994), as statsmodels uses it:
# Phi of a polynomial in the statistic, of one below `_TAU_STAR` and of another above.
_TAU_STAR, _TAU_MIN, _TAU_MAX = -1.61, -18.83, 2.74
_SMALL = (2.1659, 1.4412, 0.038269)
_LARGE = (1.7339, 0.93202, -0.12745, -0.010368)


def adf_pvalues(series: NDArray[np.float64], start: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the p-value of the unit-root hypothesis per series, with a constant, lags by AIC.

    Said and Dickey (1984); the number of lags is that of least AIC up to 12 (n / 100)^(1/4) on a
    common sample, and the test is then made on all it leaves, as statsmodels does.

    Parameters
    ----------
    series
        Shape (S, T) without missing values from `start` on.
    start
        Shape (S,), the first position that counts.

    Returns
    -------
    Shape (S,). Series of fewer than 12 values or without variance count as stationary: 0.
    """
    pvalues = np.zeros(len(series))
    for first in np.unique(start):
        rows = np.flatnonzero(start == first)
        batch = series[rows, first:]
        varies = np.ptp(batch, axis=1) > 1e-9 * (1.0 + np.abs(batch).max(axis=1, initial=0.0))
        rows, batch = rows[varies], batch[varies]
        if batch.shape[1] >= MIN_LENGTH and len(rows):
            pvalues[rows] = _mackinnon(_statistics(batch))
    return pvalues


def difference_until_stationary(
    series: NDArray[np.float64], start: NDArray[np.int64], level: float = 0.05
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Difference each series until the test rejects a unit root, at most twice.

    Returns
    -------
    The series (zero before they start) and how often each was differenced, d: shape (S,). The
    first d values of a differenced series are zero and do not count.
    """
    current, order = series.copy(), np.zeros(len(series), dtype=np.int64)
    for _ in range(MAX_DIFFERENCES):
        rough = adf_pvalues(current, start + order) > level
        rough &= series.shape[1] - start - order - 1 >= MIN_LENGTH
        if not rough.any():
            break
        stepped = np.diff(current, axis=1, prepend=0.0)
        order[rough] += 1
        counts = np.arange(series.shape[1]) >= (start + order)[:, None]
        current[rough] = np.where(counts, stepped, 0.0)[rough]
    return current, order


def integrate(
    forecast: NDArray[np.float64], history: NDArray[np.float64], order: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Undo the differencing of `forecast` [S, H] after `history` [S, T]."""
    out = forecast.copy()
    last, before = history[:, -1], history[:, -2] if history.shape[1] > 1 else history[:, -1]
    twice, once = order == 2, order >= 1
    out[twice] = np.cumsum(out[twice], axis=1) + (last - before)[twice, None]
    out[once] = np.cumsum(out[once], axis=1) + last[once, None]
    return out


def _statistics(batch: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the t statistics of the level: shape (S,)."""
    size, length = batch.shape
    most = min(int(np.ceil(12.0 * (length / 100.0) ** 0.25)), length // 2 - 2)
    scale = np.std(batch, axis=1, keepdims=True)
    batch = (batch - batch.mean(axis=1, keepdims=True)) / scale
    steps = np.diff(batch, axis=1)
    best, lags = np.full(size, np.inf), np.zeros(size, dtype=np.int64)
    columns, target = _regression(batch, steps, most, most)
    for used in range(most + 1):
        _, left, _ = _solve(columns[:, :, : 2 + used], target)
        count = target.shape[1]
        aic = count * np.log(np.maximum(left / count, 1e-300)) + 2.0 * (2 + used)
        lags[aic < best] = used
        best = np.minimum(best, aic)
    statistics = np.zeros(size)
    for used in np.unique(lags):
        rows = lags == used
        columns, target = _regression(batch[rows], steps[rows], int(used), int(used))
        found, left, inverse = _solve(columns, target)
        variance = left / max(target.shape[1] - columns.shape[2], 1)
        spread = np.sqrt(np.maximum(variance * inverse[:, 0, 0], 1e-300))
        statistics[rows] = found[:, 0] / spread
    return statistics


def _regression(
    batch: NDArray[np.float64], steps: NDArray[np.float64], lags: int, skipped: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return level, constant and lagged steps [S, n, 2 + lags], and the steps [S, n]."""
    n = steps.shape[1] - skipped
    level = batch[:, skipped : skipped + n]
    lagged = [steps[:, skipped - k : skipped - k + n] for k in range(1, lags + 1)]
    columns = np.stack([level, np.ones_like(level), *lagged], axis=-1)
    return columns, steps[:, skipped:]


def _solve(
    columns: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return coefficients, sum of squares left and the inverse Gram matrix, per series."""
    gram = np.einsum("snk,snl->skl", columns, columns, optimize=True)
    inverse = np.linalg.inv(gram + 1e-10 * np.eye(gram.shape[1]))
    found = np.einsum("skl,snl,sn->sk", inverse, columns, target, optimize=True)
    left = ((target - np.einsum("snk,sk->sn", columns, found)) ** 2).sum(axis=1)
    return found, left, inverse


def _mackinnon(statistics: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import ndtr

    small = np.polynomial.polynomial.polyval(statistics, _SMALL)
    large = np.polynomial.polynomial.polyval(statistics, _LARGE)
    found = ndtr(np.where(statistics <= _TAU_STAR, small, large))
    found = np.where(statistics > _TAU_MAX, 1.0, found)
    return np.asarray(np.where(statistics < _TAU_MIN, 0.0, found))
