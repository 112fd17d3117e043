"""Randomised policies: a distribution over post-decision states per state of a stage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import ROW_SUM_TOLERANCE
from sparing.epoch import Epoch
from sparing.lowering import size_of
from sparing.stages import flat_states, stage_ends, unflatten_states


@dataclass(frozen=True, kw_only=True, eq=False)
class StageRows:
    """What a policy draws in one stage, in CSR form over the states at its start.

    Parameters
    ----------
    indptr
        Shape (stage states + 1,), int64.
    post
        Shape (entries,), int64: flat post-decision states.
    probability
        Shape (entries,), float64; rows sum to one.
    """

    indptr: NDArray[np.int64]
    post: NDArray[np.int64]
    probability: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RandomisedPolicy:
    """Draws the post-decision state of each stage from the row of a matrix.

    Parameters
    ----------
    epoch
        The epoch it decides in.
    stages
        Per stage a sparse matrix [states at its start, states behind it]; rows sum to one.
    """

    epoch: Epoch
    stages: tuple[Any, ...]

    def __post_init__(self) -> None:
        from scipy import sparse  # here, so that importing sparing stays quick

        matrices = tuple(sparse.csr_array(matrix) for matrix in self.stages)
        if len(matrices) != len(self.epoch.stages):
            raise ValueError(
                f"the epoch has {len(self.epoch.stages)} stages; got {len(matrices)} matrices."
            )
        for stage, (first, last) in enumerate(self.epoch.stages):
            shape = size_of(self.epoch.layouts[first]), size_of(self.epoch.layouts[last])
            matrix = matrices[stage]
            if matrix.shape != shape:
                raise ValueError(f"stage {stage}: needs shape {shape}; got {matrix.shape}.")
            sums = np.asarray(matrix.sum(axis=1)).ravel()
            wrong = np.flatnonzero(~(np.abs(sums - 1.0) <= ROW_SUM_TOLERANCE))
            if wrong.size or (matrix.data < 0.0).any():
                row = int(wrong[0]) if wrong.size else 0
                raise ValueError(
                    f"stage {stage}: rows must be distributions; row {row} sums to {sums[row]:.9g}."
                )
        object.__setattr__(self, "stages", matrices)

    def action(self, state: ArrayLike, *, stage: int = 0, seed: int = 0) -> NDArray[np.int32]:
        """Draw the post-decision state [axes] of one state [axes], or of each of a batch."""
        drawn = self.draw(state, np.random.default_rng(seed), stage=stage)
        return drawn if np.ndim(state) == 2 else drawn[0]

    def draw(
        self, states: ArrayLike, rng: np.random.Generator, *, stage: int = 0
    ) -> NDArray[np.int32]:
        """Draw the post-decision states [B, axes] of `states` by inverse distribution functions."""
        start, end = stage_ends(self.epoch, stage)
        flat = np.ravel(flat_states(states, start))
        rows, sums = self._cumulative[stage]
        first, last = rows.indptr[flat], rows.indptr[flat + 1]
        low = np.where(first > 0, sums[first - 1], 0.0)
        level = low + rng.random(flat.size) * (sums[last - 1] - low)
        entry = np.clip(np.searchsorted(sums, level, side="right"), first, last - 1)
        return unflatten_states(rows.post[entry], end)

    @cached_property
    def _cumulative(self) -> list[tuple[StageRows, NDArray[np.float64]]]:
        """Per stage its rows and the running sum of all their probabilities."""
        stages = [self.stage_rows(stage) for stage in range(len(self.stages))]
        return [(rows, np.cumsum(rows.probability)) for rows in stages]

    def stage_rows(self, stage: int) -> StageRows:
        """Return the distribution of the post-decision state per state."""
        matrix = self.stages[stage]
        matrix.eliminate_zeros()
        return StageRows(
            indptr=matrix.indptr.astype(np.int64),
            post=matrix.indices.astype(np.int64),
            probability=matrix.data,
        )
