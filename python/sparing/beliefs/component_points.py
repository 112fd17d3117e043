"""Belief points of one component, and interpolation between them.

Point 0 is "failed", which shows. The others lie on the simplex of the states that work; simplices
with points as corners fill it (Delaunay), and a belief is written as the mean of the corners of the
one it lies in. The cost is concave in the belief of each component while those of the others are
held, so interpolated values are lower bounds (Lovejoy 1991, Operations Research 39, sec. 3, for one
belief).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing._checks import read_only

Numbers = NDArray[np.float64]
CLOSEST = 1e-7  # points nearer to one another than this are one
FLAT = 1e-13  # simplices of a smaller volume are left out


@dataclass(frozen=True, eq=False)
class BeliefGrid:
    """Points of one component with the simplices between them.

    Parameters
    ----------
    working
        Shape (points - 1, working states): the points but "failed"; rows sum to one and the
        corners of the simplex are among them.
    """

    working: Numbers

    @property
    def num_points(self) -> int:
        """Points, "failed" included."""
        return len(self.working) + 1

    @cached_property
    def full(self) -> Numbers:
        """All points as beliefs over all states, shape (points, states)."""
        count, corners = self.working.shape
        beliefs = np.zeros((count + 1, corners + 1))
        beliefs[0, -1] = 1.0
        beliefs[1:, :-1] = self.working
        return beliefs

    @cached_property
    def simplices(self) -> NDArray[np.int32]:
        """Points of each simplex, shape (simplices, working states)."""
        corners = self.working.shape[1]
        found: NDArray[Any]
        if corners == 1:
            found = np.zeros((1, 1), dtype=np.int32)
        elif corners == 2:
            order = np.argsort(self.working[:, 0])
            found = np.stack([order[:-1], order[1:]], axis=1)
        elif len(self.working) == corners:
            found = np.arange(corners)[None]
        else:
            from scipy.spatial import Delaunay

            found = Delaunay(self.working[:, :-1]).simplices
        volume = np.abs(np.linalg.det(self.working[found]))
        return read_only(np.ascontiguousarray(found[volume > FLAT] + 1, dtype=np.int32))

    @cached_property
    def inverse(self) -> Numbers:
        """Inverse of the matrix of corners of each simplex: belief @ inverse are its weights."""
        return read_only(np.ascontiguousarray(np.linalg.inv(self.full[self.simplices, :-1])))

    def interpolate(self, beliefs: Numbers) -> tuple[NDArray[np.int32], Numbers]:
        """Return points and weights, each (batch, working states), of such beliefs."""
        to = np.empty(beliefs.shape, dtype=np.int32)
        weight = np.empty(beliefs.shape)
        given = np.ascontiguousarray(beliefs)
        _core.locate_beliefs(self.simplices, self.inverse, given, to, weight)
        return to, weight

    def with_points(self, more: Numbers) -> BeliefGrid:
        """Return the grid with further points, but for those that it has already."""
        kept = list(self.working)
        for point in more:
            if np.abs(np.array(kept) - point).sum(axis=1).min() > CLOSEST:
                kept.append(point)
        return BeliefGrid(np.array(kept))


def corner_grid(num_working: int) -> BeliefGrid:
    """Return the grid of the corners alone: values on it are those of states that are revealed."""
    return BeliefGrid(np.eye(num_working))
