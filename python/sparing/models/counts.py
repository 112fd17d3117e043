"""Exchangeable components: a state is how many of them are in which condition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from sparing.models.transient import ForwardChain

MAX_STATES = 2_000_000


@dataclass(frozen=True)
class Counts:
    """All ways to spread `total` components over `num_conditions` conditions.

    They are numbered from all in condition 0 to all in the last, so that wear, which only goes
    to later conditions, only goes to higher numbers.

    >>> Counts(2, 2).vectors.tolist()
    [[2, 0], [1, 1], [0, 2]]
    """

    total: int
    num_conditions: int

    @property
    def size(self) -> int:
        """Number of count vectors."""
        return comb(self.total + self.num_conditions - 1, self.num_conditions - 1)

    @cached_property
    def vectors(self) -> NDArray[np.int64]:
        """Shape (size, conditions): the counts, falling in lexicographic order."""
        bars = self.num_conditions - 1
        places = np.array(list(combinations(range(self.total + bars), bars)), dtype=np.int64)
        places = places.reshape(self.size, bars)[::-1]
        edges = np.full((self.size, 1), -1), places, np.full((self.size, 1), self.total + bars)
        return np.diff(np.hstack(edges), axis=1) - 1

    @cached_property
    def _keys(self) -> NDArray[np.int64]:
        return self._key(self.vectors)[::-1].copy()

    def _key(self, vectors: NDArray[np.int64]) -> NDArray[np.int64]:
        digits = np.int64(self.total + 1) ** np.arange(self.num_conditions)[::-1]
        return np.asarray(vectors @ digits)

    def index(self, vectors: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the numbers of count vectors [B, conditions]."""
        keys = self._key(np.asarray(vectors, dtype=np.int64))
        return self.size - 1 - np.searchsorted(self._keys, keys)

    def wear(
        self, rates: NDArray[np.float64], speed: NDArray[np.float64], required: int
    ) -> ForwardChain:
        """Return the chain by which components move from condition i to j > i, one at a time.

        Parameters
        ----------
        rates
            Shape (conditions, conditions): per component and unit of time.
        speed
            Shape (total + 1,): factor of all rates by the number of components not failed.
        required
            With fewer components that work nothing moves.
        """
        counts = self.vectors
        working = self.total - counts[:, -1]
        start, to, rate = [], [], []
        for i, j in np.argwhere(rates > 0.0):
            moving = np.flatnonzero((counts[:, i] > 0) & (working >= required))
            after = counts[moving].copy()
            after[:, i] -= 1
            after[:, j] += 1
            start.append(moving)
            to.append(self.index(after))
            rate.append(counts[moving, i] * rates[i, j] * speed[working[moving]])
        from_, to_, rate_ = (np.concatenate(part) for part in (start, to, rate))
        order = np.lexsort((to_, from_))
        return ForwardChain(
            indptr=np.searchsorted(from_[order], np.arange(self.size + 1)).astype(np.int64),
            to=to_[order].astype(np.int32),
            rate=np.ascontiguousarray(rate_[order], dtype=np.float64),
        )
