"""The periodic part of a demand series: projection on trigonometric functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_HARMONICS = 3  # of a season, where their number is chosen by the data
MIN_SEASONS = 2.0  # so many seasons must be seen before any harmonic of it is kept


@dataclass(frozen=True, kw_only=True, eq=False)
class PeriodicPart:
    """A mean and harmonics per series, at any time.

    Parameters
    ----------
    frequencies
        Shape (S, K), cycles a period; unused ones have coefficients of zero.
    coefficients
        Shape (S, 1 + 2 K): the mean a_0 / 2, then a_k and b_k by turns.
    num_harmonics
        Shape (S,), how many are kept.
    """

    frequencies: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    num_harmonics: NDArray[np.int64]

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the periodic part at `times` [n], counted from 1: shape (S, n)."""
        basis = _basis(self.frequencies, times)  # [S, n, 1 + 2 K]
        return np.asarray(np.einsum("snk,sk->sn", basis, self.coefficients))


def project(demand: NDArray[np.float64], num_harmonics: int) -> PeriodicPart:
    """Project each series on the first harmonics of its own length N.

    y_t ~ a_0/2 + sum over k = 1..K of a_k cos(2 pi k t / N) + b_k sin(2 pi k t / N) with
    a_k = 2/N sum y_t cos(2 pi k t / N), b_k likewise; at k = N/2 half of that. The functions are
    orthogonal on t = 1..N, so these sums are the least-squares fit.

    Parameters
    ----------
    demand
        Shape (S, N) without missing values.
    num_harmonics
        K, at most N/2.

    Raises
    ------
    ValueError
        If K does not fit N, or a value is missing.
    """
    num_series, length = demand.shape
    if not 0 <= num_harmonics <= length // 2:
        raise ValueError(
            f"num_harmonics must be from 0 to {length // 2}, half the length; got {num_harmonics}."
        )
    if np.isnan(demand).any():
        raise ValueError("project needs every value; use fit_season where some are missing.")
    frequencies = np.tile(np.arange(1, num_harmonics + 1) / length, (num_series, 1))
    basis = _basis(frequencies[:1], np.arange(1.0, length + 1.0))[0]  # [N, 1 + 2 K]
    norms = np.full(basis.shape[1], length / 2.0)
    norms[0] = length
    if 2 * num_harmonics == length:  # the last cosine is +-1, the last sine is 0
        norms[-2:] = length, np.inf
    return PeriodicPart(
        frequencies=frequencies,
        coefficients=demand @ basis / norms,
        num_harmonics=np.full(num_series, num_harmonics),
    )


def fit_season(
    demand: NDArray[np.float64], season: int, num_harmonics: int | None = None
) -> PeriodicPart:
    """Fit the mean and the first harmonics of a known period `season` by least squares.

    Where the length is a multiple of the season this is the projection of `project` on the
    frequencies k / season alone; elsewhere the functions are not orthogonal and least squares is
    what projecting means.

    Parameters
    ----------
    demand
        Shape (S, T); NaN where missing.
    season
        Length of the period, e.g. 12 months.
    num_harmonics
        K, or None: per series the one of 0..3 with the least AIC n ln(sigma^2) + 2 (1 + 2 K).
        Series of fewer than two seasons keep none, and none is kept that the length cannot bear.
    """
    known = ~np.isnan(demand)
    most = min(MAX_HARMONICS if num_harmonics is None else num_harmonics, (season - 1) // 2)
    times = np.arange(1.0, demand.shape[1] + 1.0)
    frequencies = np.tile(np.arange(1, most + 1) / season, (len(demand), 1))
    basis = _basis(frequencies[:1], times)[0] if len(demand) else np.ones((len(times), 1))
    count = known.sum(axis=1)
    span = np.where(known.any(axis=1), demand.shape[1] - known.argmax(axis=1), 0)
    seasonal = (span >= MIN_SEASONS * season) & (count > 4 * most + 2)
    values = np.where(known, demand, 0.0)
    best = np.full(len(demand), np.inf)
    kept = np.zeros(len(demand), dtype=np.int64)
    coefficients = np.zeros((len(demand), 1 + 2 * most))
    tried = range(most + 1) if num_harmonics is None else sorted({0, most})
    for k in tried:
        columns = basis[:, : 1 + 2 * k]
        found = _least_squares(columns, values, known)
        left = np.where(known, values - found @ columns.T, 0.0)
        variance = (left**2).sum(axis=1) / np.maximum(count, 1)
        scale = (values**2).sum(axis=1) / np.maximum(count, 1)
        aic = count * np.log(np.maximum(variance, 1e-12 * scale + 1e-300)) + 2.0 * (1 + 2 * k)
        taken = (aic < best) if num_harmonics is None else np.ones(len(demand), dtype=bool)
        taken &= seasonal | (k == 0)
        best[taken], kept[taken] = aic[taken], k
        coefficients[taken] = 0.0
        coefficients[taken, : 1 + 2 * k] = found[taken]
    return PeriodicPart(frequencies=frequencies, coefficients=coefficients, num_harmonics=kept)


def _basis(frequencies: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1, cos, sin, cos, sin, …: shape (S, n, 1 + 2 K)."""
    angle = 2.0 * np.pi * times[None, :, None] * frequencies[:, None, :]
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    ones = np.ones((*angle.shape[:2], 1))
    return np.concatenate([ones, waves.reshape(*angle.shape[:2], -1)], axis=-1)


def _least_squares(
    columns: NDArray[np.float64], values: NDArray[np.float64], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the coefficients per series over its known values: shape (S, columns)."""
    gram = np.einsum("nk,sn,nl->skl", columns, known.astype(float), columns, optimize=True)
    gram += 1e-9 * np.eye(columns.shape[1])  # too few values leave a harmonic at zero
    return np.asarray(np.linalg.solve(gram, (values @ columns)[..., None])[..., 0])
