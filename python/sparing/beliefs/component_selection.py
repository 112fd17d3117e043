"""Which beliefs become points: those whose interpolation costs the lower bound most.

The distance of the two bounds is the expected sum of what interpolation loses at the beliefs that
the policy visits. It is measured one component at a time (the others at points) and a point is
worth what it would take away from the losses around it, for its share in the size of the tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.beliefs.component_points import CLOSEST, BeliefGrid
from sparing.beliefs.component_rollout import Visits
from sparing.models.hidden import HiddenComponent

Numbers = NDArray[np.float64]
CANDIDATES = 600  # beliefs of a component that are considered at a time
MEMORY = 0.5  # of a loss measured one round earlier


@dataclass(frozen=True, eq=False)
class Candidates:
    """Beliefs of one component that were visited, with the loss of the bound at each."""

    beliefs: Numbers  # [candidates, working states]
    loss: Numbers  # [candidates]


def no_candidates(component: HiddenComponent) -> Candidates:
    """Return none."""
    return Candidates(np.zeros((0, component.num_states - 1)), np.zeros(0))


def gathered(
    earlier: Sequence[Candidates], visits: Visits, num_episodes: int, least: float
) -> list[Candidates]:
    """Add what a round of rollouts has seen to the losses of earlier rounds.

    Losses up to `least` are rounding.
    """
    found, offset = [], 0
    for i, old in enumerate(earlier):
        corners = old.beliefs.shape[1]
        seen = visits.loss[:, i] != 0.0
        beliefs = visits.beliefs[seen, offset : offset + corners]
        offset += corners + 1
        together = np.concatenate([old.beliefs, beliefs])
        weights = np.concatenate([old.loss * MEMORY, visits.loss[seen, i] / num_episodes])
        if not len(together):
            found.append(old)
            continue
        _, first, group = np.unique(
            together.round(9), axis=0, return_index=True, return_inverse=True
        )
        total = np.bincount(group.reshape(-1), weights=weights).astype(np.float64)
        order = np.argsort(-total, kind="stable")[: 4 * CANDIDATES]
        order = order[total[order] > least]
        found.append(Candidates(together[first[order]], total[order]))
    return found


class _Axis:
    """Greedy choice of the points of one component: each takes away losses around it."""

    def __init__(self, grid: BeliefGrid, candidates: Candidates) -> None:
        to_points = np.abs(candidates.beliefs[:, None] - grid.working[None]).sum(axis=2)
        nearest = to_points.min(axis=1, initial=np.inf)
        new = np.flatnonzero(nearest > 2.0 * CLOSEST)[:CANDIDATES]
        self.grid, self.beliefs, nearest = grid, candidates.beliefs[new], nearest[new]
        self.loss = candidates.loss[new]
        between = np.abs(self.beliefs[:, None] - self.beliefs[None]).sum(axis=2)
        self.left = np.minimum(1.0, between / nearest[:, None])  # of the loss of a row
        self.chosen: list[int] = []
        self._count = grid.num_points

    def best(self) -> tuple[float, int]:
        """Return the gain of the best candidate for each factor by which the tensor grows."""
        if not len(self.loss):
            return 0.0, -1
        gain = self.loss @ (1.0 - self.left)
        at = int(np.argmax(gain))
        return float(gain[at]) * self._count, at

    def take(self, at: int) -> None:
        """Make a candidate a point."""
        self.chosen.append(at)
        self.loss = self.loss * self.left[:, at]
        self._count += 1

    @property
    def num_points(self) -> int:
        """Points so far."""
        return self._count

    def grown(self) -> BeliefGrid:
        """Return the grid with the points taken."""
        return self.grid.with_points(self.beliefs[self.chosen]) if self.chosen else self.grid


def grown_grids(
    grids: Sequence[BeliefGrid], candidates: Sequence[Candidates], most: float
) -> list[BeliefGrid]:
    """Return the grids with the most useful points, at most `most` of them in the product."""
    axes = [_Axis(grid, found) for grid, found in zip(grids, candidates, strict=True)]
    size = float(np.prod([axis.num_points for axis in axes], dtype=float))
    while True:
        offers = [axis.best() for axis in axes]
        order = sorted(range(len(axes)), key=lambda i: -offers[i][0])
        for i in order:
            grows = size * (axes[i].num_points + 1) / axes[i].num_points
            if offers[i][0] > 0.0 and grows <= most:
                axes[i].take(offers[i][1])
                size = grows
                break
        else:
            return [axis.grown() for axis in axes]


def first_grid(component: HiddenComponent, ages: Sequence[int]) -> BeliefGrid:
    """Return the corners and what is believed after so many periods without a sign of failure."""
    corners = component.num_states - 1
    wear = component.transition[:corners, :corners]
    belief, points = np.eye(corners)[0], []
    for age in range(1, max(ages, default=0) + 1):
        belief = belief @ wear
        if not belief.sum() > 0.0:
            break
        belief = belief / belief.sum()
        if age in ages:
            points.append(belief)
    grid = BeliefGrid(np.eye(corners))
    return grid.with_points(np.array(points)) if points else grid
