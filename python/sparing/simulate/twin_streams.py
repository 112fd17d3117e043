"""Random numbers of a twin: one stream for each (seed, replication, what, part, location).

So two rules meet the same rates, weather and candidate failures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WEATHER, AGES, FAILURES, DELIVERIES, REPAIRS, RATES = range(6)


@dataclass(frozen=True)
class Streams:
    """The streams of one replication."""

    seed: int
    replication: int

    def of(self, what: int, part: int = 0, location: int = 0) -> np.random.Generator:
        """Return a generator at the beginning of its stream."""
        return np.random.default_rng([self.seed, self.replication, what, part, location])
