"""The arrays that sweeps over an explicit model need, and the kernels they go to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.models._explicit_checks import require_memory
from sparing.models.explicit import ExplicitMDP

_UNIT = 2.0**-53  # rounding unit of float64
_NO_ROW = np.zeros(0, dtype=np.int32)


class ExplicitBackups:
    """Backups of one model from `value` [S] into `following` [S].

    `improve` applies the optimality operator and leaves its policy in `policy` [S]; `follow` then
    gathers that policy's rows once, and `evaluate` sweeps over them alone.
    """

    def __init__(self, mdp: ExplicitMDP, num_threads: int) -> None:
        self.mdp, self.num_threads = mdp, num_threads
        rows = mdp.transition
        parts = {"indptr": rows.indptr, "indices": rows.indices, "probs": rows.data}
        self._rows: dict[str, Any] = {**parts, "num_threads": num_threads}
        self._row = _NO_ROW if mdp.row is None else mdp.row
        self._used = np.zeros(rows.shape[0] if self._row.size else 0, dtype=bool)
        self._used[self._row] = True
        # Each row belongs to one pair: then its product and the choice are made in one go.
        self._own_rows = mdp.row is None or np.count_nonzero(self._used) == mdp.num_pairs
        self._allocate(np.diff(rows.indptr))

    def _allocate(self, lengths: NDArray[Any]) -> None:
        mdp, num_states = self.mdp, self.mdp.num_states
        pair_lengths = lengths[self._row] if self._row.size else lengths
        longest = np.maximum.reduceat(pair_lengths, mdp.state_indptr[:-1])
        nnz = int(min(longest.sum(dtype=np.int64), lengths.sum(dtype=np.int64)))
        num_products = 0 if self._own_rows else lengths.size
        num_bytes = 12 * nnz + 8 * (mdp.num_pairs + num_products + 8 * num_states)
        require_memory(num_bytes, "The solver's arrays")
        self._lengths, self._row_length = lengths, int(longest.max())
        self._largest_cost = float(np.abs(mdp.cost).max())
        self._products = np.empty(num_products)
        self._gap = np.zeros(mdp.num_pairs)
        self._source = np.zeros(0, dtype=np.int64)  # the rows gathered
        self._indptr = np.zeros(1, dtype=np.int64)
        self._indices = np.empty(nnz, dtype=np.int32)
        self._probs = np.empty(nnz)
        self._row_of_state = _NO_ROW  # among the rows gathered; empty: row s
        self.value = np.zeros(num_states)
        self.following = np.empty(num_states)
        self.policy = np.zeros(num_states, dtype=np.int64)
        self._followed = np.full(num_states, -1)
        self._cost = np.empty(num_states)

    def improve(self, *, threshold: float) -> tuple[float, float]:
        """Set ``following = T value`` and `policy`; return the range of ``T value - value``.

        Pairs whose gap to the best was above `threshold` in the last call are dropped for good.
        """
        backup: dict[str, Any] = {
            "state_indptr": self.mdp.state_indptr,
            "cost": self.mdp.cost,
            "row": self._row,
            "discount": self.mdp.discount,
            "value": self.value,
            "threshold": threshold,
            "gap": self._gap,
            "next": self.following,
            "policy": self.policy,
        }
        if self.value.any() and self._own_rows:
            return _core.optimality_backup(**self._rows, **backup)
        products = self._products
        if self.value.any():
            _core.row_products(**self._rows, used=self._used, value=self.value, products=products)
        else:  # without products the future costs nothing
            products = np.zeros(0)
        return _core.best_pairs(**backup, products=products, num_threads=self.num_threads)

    def follow(self) -> float:
        """Gather the rows and costs of `policy`; return the share of states where it is new."""
        share = float(np.mean(self.policy != self._followed))
        if share == 0.0:
            return share
        self._followed[:] = self.policy
        np.take(self.mdp.cost, self.policy, out=self._cost)
        source = self._row[self.policy].astype(np.int64) if self._row.size else self.policy.copy()
        if not self._own_rows:  # states may share rows: gather each once
            used = np.zeros(self._lengths.size, dtype=bool)
            used[source] = True
            self._row_of_state = (np.cumsum(used) - 1)[source].astype(np.int32)
            source = np.flatnonzero(used)
        indptr = np.zeros(source.size + 1, dtype=np.int64)
        np.cumsum(self._lengths[source], out=indptr[1:])
        if np.array_equal(indptr, self._indptr):
            slots = np.flatnonzero(source != self._source)
        else:  # rows move: gather all
            slots = np.arange(source.size)
        self._source, self._indptr = source, indptr
        _core.gather_rows(
            **self._rows,
            source=source,
            slots=slots,
            policy_indptr=indptr,
            policy_indices=self._indices,
            policy_probs=self._probs,
        )
        return share

    def evaluate(self, *, weight: float) -> tuple[float, float]:
        """Move `value` by ``weight * (T value - value)`` under the policy followed."""
        change = _core.policy_backup(
            self._indptr,
            self._indices,
            self._probs,
            self._row_of_state,
            self._cost,
            self.mdp.discount,
            weight,
            self.value,
            self._products,
            self.following,
            self.num_threads,
        )
        self.value, self.following = self.following, self.value
        return change

    def centre(self) -> float:
        """Shift `value` to have its range about 0; return a bound of the error of its backup.

        A constant changes neither policy nor bounds, only rounding. Sums of n products in four
        parts err by at most ``n / 4`` units of their size, and a few (Higham 2002, sec. 4.2); the
        sums of the rows were checked with as much; `row_sum_error` is what they leave.
        """
        low, high = float(self.value.min()), float(self.value.max())
        self.value -= 0.5 * (low + high)
        size = 0.5 * (high - low)
        rounding = (self._row_length / 2 + 14) * _UNIT * (self._largest_cost + 2.0 * size)
        return rounding + self.mdp.row_sum_error * size

    def num_closed_classes(self) -> int:
        """Count the recurrent classes of `policy`; more than one: the gain depends on the state."""
        row = self._row[self.policy] if self._row.size else self.policy
        import scipy.sparse as sp  # here, so that importing sparing stays quick
        from scipy.sparse.csgraph import connected_components

        graph = sp.csr_array(self.mdp.transition[row] > 0.0, dtype=np.int8)
        count, label = connected_components(graph, connection="strong")
        start, end = np.repeat(label, np.diff(graph.indptr)), label[graph.indices]
        return int(count - np.unique(start[start != end]).size)
