"""Relaxed sweeps: steps beyond TV that cancel the slow parts of the error (Chebyshev, Richardson).

Near the solution a sweep multiplies the error by the transition matrix of the greedy policy. If its
eigenvalues but the first lie in [0, r], the two steps V <- V + w (TV - V) with

    w = 1 / (1 - x),  x = r / 2 (1 +- cos(pi / 4)),

multiply all of them by at most 1 / T_2(2 / r - 1), T_2 being the Chebyshev polynomial (Varga 2000,
Matrix Iterative Analysis, section 5.1): 1/17 for r = 1/2, where two plain sweeps give 1/4. Whether
that holds is not known beforehand, so it is watched: from a pair that does less follows the
eigenvalue above r that must have been there, and one that does no better than plain sweeps is
followed by a rest. Bounds and certificates do not depend on any of this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

STEADY = 0.1  # relative change of the rate of two plain sweeps that passes for none
FIRST_REST, LATER_REST = 2, 4  # plain sweeps before the first pair, and after one that failed
SLOWEST, FASTEST = 0.9, 0.05  # rates outside are no rates of an error that is to be cancelled


@dataclass(frozen=True)
class Relaxation:
    """What the next sweep does, and what is remembered of the last ones."""

    rate: float = 0.0  # of plain sweeps
    gap: float = float("inf")  # after the last sweep
    pair_gap: float = float("inf")  # at the start of the pair of relaxed sweeps
    step: int = 0  # 0: plain; 1, 2: which one of the pair comes next
    rest: int = FIRST_REST  # plain sweeps still to come

    @property
    def extra(self) -> float:
        """The part of the change that the next sweep adds once more."""
        if self.step == 0:
            return 0.0
        side = 1.0 if self.step == 1 else -1.0
        x = 0.5 * self.rate * (1.0 + side * float(np.sqrt(0.5)))
        return x / (1.0 - x)

    def after(self, gap: float) -> Relaxation:
        """Return what follows a sweep whose change had this gap."""
        if self.step == 1:  # shows what the pair before has done, and begins the next one
            if gap < self.pair_gap * self.rate**2:
                rate = max(self.rate, min(SLOWEST, self._slowest_rate(gap / self.pair_gap)))
                return replace(self, rate=rate, gap=gap, pair_gap=gap, step=2)
            return Relaxation(gap=gap, rest=LATER_REST)
        if self.step == 2:
            return replace(self, gap=gap, step=1)
        rate = gap / self.gap if 0.0 < self.gap < float("inf") else 0.0
        steady = abs(rate - self.rate) <= STEADY * rate
        ready = self.rest <= 0 and steady and FASTEST <= rate <= SLOWEST
        return replace(self, rate=rate, gap=gap, step=int(ready), rest=max(self.rest - 1, 0))

    def _slowest_rate(self, factor: float) -> float:
        """Return the eigenvalue that a pair of relaxed sweeps multiplies by `factor`."""
        y = 2.0 / self.rate - 1.0
        return 0.5 * self.rate * (1.0 + float(np.sqrt(0.5 * (factor * (2.0 * y * y - 1.0) + 1.0))))
