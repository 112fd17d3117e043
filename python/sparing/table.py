"""Sparse rows: what a Decision offers and a Chance draws from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import ROW_SUM_TOLERANCE, frozen_array, read_only


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """Rows in CSR form; row r holds the entries ``indptr[r]:indptr[r + 1]``.

    Parameters
    ----------
    indptr
        Shape (rows + 1,), int64.
    to
        Shape (entries,), int64: the state an entry leads to, flat over the axes behind the node.
    probability
        Shape (entries,), float64: for a Chance; zero entries are dropped, rows sum to one.
    choice
        Shape (entries,), int32: for a Decision; a number that means the same in every row and
        occurs once in each.
    cost
        Per kind of cost shape (entries,), float64. +inf on a Decision entry removes the entry.
    """

    indptr: NDArray[np.int64]
    to: NDArray[np.int64]
    probability: NDArray[np.float64] | None = None
    choice: NDArray[np.int32] | None = None
    cost: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        indptr = frozen_array("indptr", self.indptr, np.int64)
        if indptr.ndim != 1 or indptr.size < 2 or indptr[0] != 0 or (np.diff(indptr) < 0).any():
            raise ValueError("indptr must start at 0, never fall and have one number per row + 1.")
        if (self.probability is None) == (self.choice is None):
            raise ValueError("a Table has either probabilities (Chance) or choices (Decision).")
        size = (int(indptr[-1]),)
        object.__setattr__(self, "indptr", indptr)
        object.__setattr__(self, "to", frozen_array("to", self.to, np.int64, shape=size))
        cost = {k: frozen_array(f"cost {k!r}", v, shape=size) for k, v in self.cost.items()}
        object.__setattr__(self, "cost", MappingProxyType(cost))
        keep = np.ones(size, dtype=bool)
        if self.probability is not None:
            probability = frozen_array("probability", self.probability, shape=size)
            keep = probability != 0.0
            object.__setattr__(self, "probability", probability)
        if self.choice is not None:
            choice = frozen_array("choice", self.choice, np.int32, shape=size)
            self._check_choices(choice)
            keep = ~np.any([values == np.inf for values in (*cost.values(), keep)], axis=0)
            object.__setattr__(self, "choice", choice)
        for kind, values in cost.items():
            for entry in np.flatnonzero(keep & ~np.isfinite(values))[:1]:
                raise ValueError(
                    f"cost {kind!r} must be finite; got {values[entry]} at entry {entry}, row"
                    f" {self.row_of_entry(entry)}."
                )
        if not keep.all():
            self._keep(keep)

    def _check_choices(self, choice: NDArray[np.int32]) -> None:
        for entry in np.flatnonzero(choice < 0)[:1]:
            raise ValueError(
                f"choice must be at least 0; got {choice[entry]} at entry {entry}, row"
                f" {self.row_of_entry(entry)}."
            )
        rows = self.rows()
        ordered = choice[np.lexsort((choice, rows))]
        for entry in np.flatnonzero((np.diff(rows) == 0) & (np.diff(ordered) == 0))[:1]:
            raise ValueError(f"row {rows[entry]} has choice {ordered[entry]} twice.")

    def _keep(self, keep: NDArray[np.bool_]) -> None:
        """Drop the entries that are not to be kept."""
        counts = np.concatenate([[0], np.cumsum(keep)])
        object.__setattr__(self, "indptr", read_only(counts[self.indptr]))
        for name in ("to", "probability", "choice"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, read_only(getattr(self, name)[keep]))
        cost = {kind: read_only(values[keep]) for kind, values in self.cost.items()}
        object.__setattr__(self, "cost", MappingProxyType(cost))

    @classmethod
    def from_probabilities(
        cls,
        matrix: ArrayLike,
        *,
        cost: Mapping[str, ArrayLike] | None = None,
        label: str = "matrix",
    ) -> Table:
        """Make the rows of a Chance from dense [rows, to states] probabilities (and costs)."""
        dense = _two_dimensional(label, matrix)
        rows, to = np.nonzero(dense)  # NaN counts as non-zero and is refused by the check
        costs = {
            kind: frozen_array(f"{label}: cost {kind!r}", values, shape=dense.shape)[rows, to]
            for kind, values in (cost or {}).items()
        }
        return cls(indptr=_indptr(rows, len(dense)), to=to, probability=dense[rows, to], cost=costs)

    @classmethod
    def from_costs(cls, matrix: ArrayLike, *, kind: str = "cost", label: str = "matrix") -> Table:
        """Make the rows of a Decision from dense [rows, to states] costs; inf is not allowed.

        The choice number of an entry is its column.
        """
        dense = _two_dimensional(label, matrix)
        for i, j in np.argwhere(np.isnan(dense) | (dense == -np.inf))[:1]:
            raise ValueError(f"{label}: entry [{i}, {j}] must be a cost; got {dense[i, j]}.")
        rows, to = np.nonzero(dense != np.inf)
        return cls(
            indptr=_indptr(rows, len(dense)),
            to=to,
            choice=to.astype(np.int32),
            cost={kind: dense[rows, to]},
        )

    @classmethod
    def moves(cls, to: ArrayLike, *, cost: Mapping[str, ArrayLike] | None = None) -> Table:
        """Make single-entry rows of a Chance: state r moves to ``to[r]``."""
        size = np.size(np.asarray(to))
        return cls(
            indptr=np.arange(size + 1),
            to=frozen_array("to", to, np.int64, shape=(size,)),
            probability=np.ones(size),
            cost=cost or {},  # type: ignore[arg-type]  # checked and frozen like any other
        )

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self.indptr.size - 1

    def row_of_entry(self, entry: int) -> int:
        """Return the row that holds `entry`."""
        return int(np.searchsorted(self.indptr, entry, side="right")) - 1

    def rows(self) -> NDArray[np.int64]:
        """Return the row of each entry."""
        return np.repeat(np.arange(self.num_rows), np.diff(self.indptr))

    def check_probabilities(self, label: str) -> None:
        """Raise unless every row is a probability distribution."""
        if self.probability is None:
            raise ValueError(f"{label}: a Chance needs a probability per entry.")
        for entry in np.flatnonzero(~(self.probability > 0.0))[:1]:
            raise ValueError(
                f"{label}: row {self.row_of_entry(entry)} has a probability of"
                f" {self.probability[entry]:g}; it must be at least 0."
            )
        sums = np.bincount(self.rows(), weights=self.probability, minlength=self.num_rows)
        for row in np.flatnonzero(~(np.abs(sums - 1.0) <= ROW_SUM_TOLERANCE))[:1]:
            raise ValueError(f"{label}: row {row} sums to {sums[row]:.9g}, not 1.")

    def weighted_cost(self, weights: Mapping[str, float]) -> NDArray[np.float64]:
        """Return the sum over kinds of weight times cost [entries]; absent kinds weigh 0."""
        total = np.zeros(self.to.size)
        for kind, values in self.cost.items():
            if weights.get(kind, 0.0) != 0.0:
                total += weights[kind] * values
        return total


def _two_dimensional(label: str, matrix: ArrayLike) -> NDArray[np.float64]:
    dense: NDArray[np.float64] = frozen_array(f"{label}: a dense table", matrix)
    if dense.ndim != 2 or dense.size == 0:
        raise ValueError(
            f"{label}: a dense table needs [rows, to states], one of each or more; got shape"
            f" {dense.shape}."
        )
    return dense


def _indptr(rows: NDArray[np.int64], num_rows: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=num_rows))])
