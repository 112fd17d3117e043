"""What the options of a component lead to from each of its belief points, as sparse rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.beliefs.component_filter import successors
from sparing.beliefs.component_points import BeliefGrid
from sparing.models.hidden import HiddenComponent

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OptionTable:
    """Rows of interpolation weights: row ``point * options + option``, empty where left out.

    `error` is how far the points of a row are at most from the exact beliefs they stand for, summed
    over its outcomes.
    """

    grid: BeliefGrid
    num_options: int
    indptr: NDArray[np.int64]
    to: NDArray[np.int32]
    weight: Numbers
    cost: Numbers
    error: float


def option_table(component: HiddenComponent, grid: BeliefGrid) -> OptionTable:
    """Return the rows of `component` on `grid`.

    An option that leads to the same as a cheaper one (to inspect what has failed) is left out.
    """
    size, options = grid.num_points, len(component.options)
    dense = np.zeros((size, options, size))
    error = 0.0
    for option in range(options):
        beliefs, chance = successors(component, grid.full, option)
        for seen in range(chance.shape[1]):
            error = max(error, _spread(dense[:, option], grid, beliefs[:, seen], chance[:, seen]))
    kept = np.ones((size, options), dtype=bool)
    for option in range(options):
        for other in range(option):
            same = (np.abs(dense[:, option] - dense[:, other]) <= 1e-15).all(axis=1)
            cheaper = component.option_cost[other] <= component.option_cost[option]
            kept[:, option] &= ~(same & cheaper & kept[:, other])
    rows = np.where(kept[..., None], dense, 0.0).reshape(size * options, size)
    row, to = np.nonzero(rows)
    counts = np.bincount(row, minlength=size * options)
    return OptionTable(
        grid=grid,
        num_options=options,
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        to=to.astype(np.int32),
        weight=rows[row, to],
        cost=component.option_cost,
        error=error * component.channel.shape[2],
    )


def _spread(rows: Numbers, grid: BeliefGrid, beliefs: Numbers, chance: Numbers) -> float:
    """Add the outcomes of one observation to `rows` [points, points]; return the largest error."""
    failed = (chance > 0.0) & (beliefs[:, -1] > 0.5)
    rows[failed, 0] += chance[failed]
    works = np.flatnonzero((chance > 0.0) & ~failed)
    if not works.size:
        return 0.0
    to, weight = grid.interpolate(beliefs[works, :-1])
    np.add.at(rows, (works[:, None], to), weight * chance[works, None])
    meant = np.einsum("bk,bkj->bj", weight, grid.full[to][..., :-1])
    gap = np.abs(meant - beliefs[works, :-1]).sum(axis=1) * chance[works]
    return float(gap.max())
