"""A failure rate that is Gamma distributed, and what failures with their exposure do to it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from sparing._checks import check_number


@dataclass(frozen=True, kw_only=True)
class GammaRate:
    """Belief on a failure rate [failures per unit of exposure]: Gamma(shape, rate).

    Conjugate to Poisson counts (Gelman et al., Bayesian Data Analysis, 3rd ed., sec. 2.6).

    Parameters
    ----------
    shape
        > 0; like so many failures seen before.
    rate
        >= 0; like so much exposure seen before. With 0 and shape 1/2 it is Jeffreys' prior,
        which is no distribution until there is exposure.
    """

    shape: float
    rate: float

    def __post_init__(self) -> None:
        if not check_number("shape", self.shape) > 0.0:
            raise ValueError(f"shape must be > 0; got {self.shape:g}.")
        check_number("rate", self.rate, at_least=0.0)

    @property
    def mean(self) -> float:
        """Expected failures per unit of exposure; inf before any exposure."""
        return self.shape / self.rate if self.rate > 0.0 else float("inf")

    @property
    def standard_deviation(self) -> float:
        """Of the rate; inf before any exposure."""
        return sqrt(self.shape) / self.rate if self.rate > 0.0 else float("inf")

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the equal-tailed interval that holds the rate with that probability."""
        from scipy.special import gammaincinv

        tail = 0.5 * (1.0 - check_number("confidence", confidence, at_least=0.0, below=1.0))
        self._check_proper()
        low, high = gammaincinv(self.shape, [tail, 1.0 - tail]) / self.rate
        return float(low), float(high)

    def updated(self, failures: float, exposure: float) -> GammaRate:
        """Return the belief after so many failures in so much exposure."""
        check_number("failures", failures, at_least=0.0)
        check_number("exposure", exposure, at_least=0.0)
        if failures > 0 and not exposure > 0.0:
            raise ValueError(f"{failures:g} failures need an exposure > 0; got {exposure:g}.")
        return GammaRate(shape=self.shape + failures, rate=self.rate + exposure)

    def predictive(self, exposure: float, most: int) -> NDArray[np.float64]:
        """Return the chance of 0..most-1 failures in `exposure`, and of `most` or more: [most + 1].

        Negative binomial with `shape` and success probability rate / (rate + exposure).
        """
        from scipy.special import betainc, gammaln

        check_number("exposure", exposure, at_least=0.0)
        self._check_proper()
        found = np.zeros(most + 1)
        if exposure == 0.0 or most == 0:
            found[0] = 1.0
            return found
        counts = np.arange(most)
        success = self.rate / (self.rate + exposure)
        found[:most] = np.exp(
            gammaln(self.shape + counts)
            - gammaln(self.shape)
            - gammaln(counts + 1.0)
            + self.shape * np.log(success)
            + counts * np.log1p(-success)
        )
        found[most] = betainc(most, self.shape, 1.0 - success)
        return found

    def predictive_quantile(self, level: float, exposure: float) -> int:
        """Return the least count that `exposure` does not exceed with probability `level`."""
        from scipy.stats import nbinom

        check_number("level", level, at_least=0.0, below=1.0)
        self._check_proper()
        if exposure == 0.0:
            return 0
        return int(nbinom.ppf(level, self.shape, self.rate / (self.rate + exposure)))

    def sample(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Return draws [size] of the rate."""
        self._check_proper()
        return generator.gamma(self.shape, 1.0 / self.rate, size)

    def _check_proper(self) -> None:
        if not self.rate > 0.0:
            raise ValueError("a Gamma belief with rate 0 is no distribution: it needs exposure.")


def gamma_of_draws(draws: NDArray[np.float64]) -> GammaRate:
    """Return the Gamma belief with mean and variance of `draws` [any shape] of a rate."""
    mean, variance = float(draws.mean()), float(draws.var())
    if not (mean > 0.0 and variance > 0.0):
        raise ValueError(f"draws must be positive and differ; mean {mean:g}, variance {variance:g}")
    return GammaRate(shape=mean * mean / variance, rate=mean / variance)
