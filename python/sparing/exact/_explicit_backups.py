"""The arrays that sweeps over an explicit model need, and the kernels they go to."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from sparing import _core
from sparing.models._explicit_checks import require_memory
from sparing.models.explicit import ExplicitMDP

_UNIT = 2.0**-53  # rounding unit of float64


class ExplicitBackups:
    """Backups of one model from `value` [S] into `following` [S].

    `improve` applies the optimality operator and leaves its policy in `policy` [S]; `follow` then
    gathers that policy's rows once, and `evaluate` sweeps over them alone.
    """

    def __init__(self, mdp: ExplicitMDP, num_threads: int) -> None:
        self.mdp, self.num_threads = mdp, num_threads
        lengths = np.diff(mdp.transition.indptr)
        pair_lengths = lengths if mdp.row is None else lengths[mdp.row]
        longest = np.maximum.reduceat(pair_lengths, mdp.state_indptr[:-1]).astype(np.int64)
        num_states, nnz = mdp.num_states, int(longest.sum())
        num_products = 0 if mdp.row is None else mdp.transition.shape[0]
        num_bytes = 12 * nnz + 8 * (mdp.num_pairs + num_products + 6 * num_states)
        require_memory(num_bytes, "The solver's arrays")
        self._lengths = lengths
        self._row_length = int(longest.max())
        self._largest_cost = float(np.abs(mdp.cost).max())
        self._products = np.empty(num_products)
        self._gap = np.zeros(mdp.num_pairs)
        self._indptr = np.zeros(num_states + 1, dtype=np.int64)
        self._indices = np.empty(nnz, dtype=np.int32)
        self._probs = np.empty(nnz)
        self._cost = np.empty(num_states)
        self.value = np.zeros(num_states)
        self.following = np.empty(num_states)
        self.policy = np.zeros(num_states, dtype=np.int64)
        self._followed = np.full(num_states, -1)

    def improve(self, *, threshold: float) -> tuple[float, float]:
        """Set ``following = T value`` and `policy`; return the range of ``T value - value``.

        Pairs whose gap to the best was above `threshold` in the last call are dropped for good.
        """
        mdp, rows = self.mdp, self.mdp.transition
        result = self.value, threshold, self._gap, self.following, self.policy, self.num_threads
        if mdp.row is None and self.value.any():
            return _core.optimality_backup(
                rows.indptr,
                rows.indices,
                rows.data,
                mdp.state_indptr,
                mdp.cost,
                mdp.discount,
                *result,
            )
        products, row = self._products, np.zeros(0, np.int32)  # both empty: the future costs 0
        if self.value.any() and mdp.row is not None:
            row = mdp.row
            _core.row_products(
                rows.indptr, rows.indices, rows.data, self.value, products, self.num_threads
            )
        else:
            products = products[:0]
        return _core.best_pairs(mdp.state_indptr, mdp.cost, row, products, mdp.discount, *result)

    def follow(self) -> float:
        """Gather the rows and costs of `policy`; return the share of states where it is new."""
        mdp, rows = self.mdp, self.mdp.transition
        states = np.flatnonzero(self.policy != self._followed)
        share = states.size / mdp.num_states
        if states.size == 0:
            return share
        row = np.zeros(0, np.int32) if mdp.row is None else mdp.row
        indptr = np.zeros_like(self._indptr)
        np.cumsum(
            self._lengths[self.policy if mdp.row is None else row[self.policy]], out=indptr[1:]
        )
        if not np.array_equal(indptr, self._indptr):  # the rows move, gather all of them
            states = np.arange(mdp.num_states)
        self._indptr[:], self._followed[:] = indptr, self.policy
        np.take(mdp.cost, self.policy, out=self._cost)
        _core.gather_rows(
            rows.indptr,
            rows.indices,
            rows.data,
            row,
            self.policy,
            states,
            self._indptr,
            self._indices,
            self._probs,
            self.num_threads,
        )
        return share

    def evaluate(self, *, weight: float) -> tuple[float, float]:
        """Move `value` by ``weight * (T value - value)`` under the policy followed."""
        change = _core.policy_backup(
            self._indptr,
            self._indices,
            self._probs,
            self._cost,
            self.mdp.discount,
            weight,
            self.value,
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
        self.follow()
        nnz, size = self._indptr[-1], self.mdp.num_states
        possible = (self._probs[:nnz] > 0.0).astype(np.int8)
        graph = sp.csr_array((possible, self._indices[:nnz], self._indptr), shape=(size, size))
        graph.eliminate_zeros()
        count, label = connected_components(graph, connection="strong")
        start, end = np.repeat(label, np.diff(graph.indptr)), label[graph.indices]
        return int(count - np.unique(start[start != end]).size)
