"""Lead times from orders on record: a Gamma distribution and how far off it may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

NUM_RESAMPLES = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class LeadTimeFit:
    """A Gamma distribution of lead times by maximum likelihood.

    Parameters
    ----------
    shape, scale
        Of the Gamma distribution; the scale in the unit of the lead times.
    draws
        Shape (resamples, 2): shape and scale fitted to resampled records (Efron 1979).
    num_orders
        Lead times that were seen.
    """

    shape: float
    scale: float
    draws: NDArray[np.float64]
    num_orders: int

    @property
    def mean(self) -> float:
        """The mean lead time."""
        return self.shape * self.scale

    def mean_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the bootstrap interval of the mean lead time."""
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(self.draws.prod(axis=1), [tail, 1.0 - tail])
        return float(low), float(high)


def fit_lead_times(
    times: ArrayLike, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> LeadTimeFit:
    """Fit a Gamma distribution to lead times > 0.

    The likelihood equation log(shape) - digamma(shape) = log(mean) - mean(log) is solved by
    Newton's method from the start of Minka (2002), for all resamples at once.

    Raises
    ------
    ValueError
        If there are fewer than three, one is not > 0, or all are equal.
    """
    seen = np.asarray(times, dtype=np.float64)
    for i in np.flatnonzero(~(np.isfinite(seen) & (seen > 0.0))):
        raise ValueError(f"lead time {i} must be > 0 and finite; got {seen[i]}.")
    if seen.size < 3 or np.ptp(seen) == 0.0:
        raise ValueError(
            f"a distribution needs three lead times that are not all equal; got {seen.size} from"
            f" {seen.min(initial=np.inf):g} to {seen.max(initial=-np.inf):g}."
        )
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, seen.size, (num_resamples, seen.size))
    samples = np.concatenate((seen[None], seen[chosen[np.ptp(seen[chosen], axis=1) > 0.0]]))
    shape = _gamma_shapes(samples)
    draws = np.stack((shape, samples.mean(axis=1) / shape), axis=1)
    return LeadTimeFit(
        shape=float(draws[0, 0]), scale=float(draws[0, 1]), draws=draws[1:], num_orders=seen.size
    )


def goodness_of_fit(fit: LeadTimeFit, times: ArrayLike) -> float:
    """Return the Kolmogorov-Smirnov distance of `times` [n] from the fitted distribution."""
    law = stats.gamma(fit.shape, scale=fit.scale)
    return float(stats.kstest(np.asarray(times, dtype=np.float64), law.cdf).statistic)


def _gamma_shapes(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = np.log(samples.mean(axis=1)) - np.log(samples).mean(axis=1)
    shape = (3.0 - spread + np.sqrt((spread - 3.0) ** 2 + 24.0 * spread)) / (12.0 * spread)
    for _ in range(20):
        off = np.log(shape) - special.digamma(shape) - spread
        shape = shape - off / (1.0 / shape - special.polygamma(1, shape))
    return np.asarray(shape, dtype=np.float64)
