"""Markov decision processes given by explicit sparse rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.epoch import Axis, Chance, Decision, Epoch
from sparing.models import _explicit_checks as checks
from sparing.table import Table


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplicitMDP:
    """A Markov decision process as a list of (state, action) pairs and probability rows.

    The pairs of a state stand together. Pair k costs ``cost[k]`` and leads to the post-decision
    row ``row[k]``, from which nature draws the next state; several pairs may share a row.

    Parameters
    ----------
    transition
        scipy CSR matrix or array, shape (R, S), float64, indices of 32 or 64 bits: row r holds the
        probabilities of the next state. Its arrays are taken without a copy; do not change them.
        A row that no pair uses is not looked at.
    cost
        Shape (K,): expected cost of each pair [money], finite.
    state_indptr
        Shape (S + 1,): state s owns the pairs ``state_indptr[s]`` to ``state_indptr[s + 1] - 1``.
    row
        Shape (K,): the row each pair leads to. None: pair k leads to row k, and R = K.
    action
        Shape (K,): label of each pair's action, stable across states. None: the pairs of a state
        are numbered from 0.
    discount
        Weight of the next period's cost, in (0, 1]; 1 asks for the average cost a period.

    Notes
    -----
    Rows must sum to one within 1e-9; `row_sum_error` is the largest deviation found. The model
    meant is the one whose rows sum to one exactly, and the bounds of the solvers allow for it.

    Examples
    --------
    A unit fails with chance 0.2 a period; its replacement costs 10.

    >>> mdp = ExplicitMDP.from_dense([[[0.8, 0.2]], [[1, 0]]], [[0], [10]], discount=0.95)
    >>> mdp.num_states, mdp.num_pairs
    (2, 2)
    """

    transition: Any  # [R, S] CSR
    cost: NDArray[np.float64]  # [K]
    state_indptr: NDArray[np.int64]  # [S + 1]
    row: NDArray[Any] | None = None  # [K] int32
    action: NDArray[Any] | None = None  # [K]
    discount: float
    row_sum_error: float = field(init=False)

    def __post_init__(self) -> None:
        if not 0.0 < self.discount <= 1.0:  # written so that NaN fails too
            raise ValueError(f"discount must be in (0, 1]; got {self.discount}.")
        num_rows, num_states = checks.csr("transition", self.transition)
        cost = checks.costs(self.cost)
        indptr = checks.state_indptr(self.state_indptr, num_states, cost.size)
        row = checks.pair_rows(self.row, num_rows, cost.size)
        error = checks.probabilities("transition", self.transition, row)
        for name, value in (("cost", cost), ("state_indptr", indptr), ("row", row)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "action", checks.labels(self.action, cost.size))
        object.__setattr__(self, "row_sum_error", error)

    @property
    def num_states(self) -> int:
        """S, the number of states."""
        return self.state_indptr.size - 1

    @property
    def num_pairs(self) -> int:
        """K, the number of (state, action) pairs."""
        return self.cost.size

    @property
    def criterion(self) -> str:
        """What is minimised: ``"discounted"`` or ``"average"`` cost."""
        return "average" if self.discount == 1.0 else "discounted"

    @property
    def pair_state(self) -> NDArray[np.int64]:
        """Shape (K,): the state of each pair."""
        return np.repeat(np.arange(self.num_states), np.diff(self.state_indptr))

    @cached_property
    def epoch(self) -> Epoch:
        """The model as nodes: a Decision from state to pair, a Chance from pair to state.

        Here the rows are copied; large models are solved as they are.
        """
        states, pairs = Axis("state", self.num_states), Axis("pair", self.num_pairs)
        rows = np.arange(self.num_pairs) if self.row is None else self.row
        used = self.transition[rows]
        labels = self.actions_of_pairs()
        choose = Table(
            indptr=self.state_indptr,
            to=np.arange(self.num_pairs),
            choice=labels,
            cost={"cost": self.cost},
        )
        draw = Table(indptr=used.indptr, to=used.indices, probability=used.data)
        pick = Decision("state", choose, to=pairs, name="action")
        move = Chance("pair", draw, to=states, name="next state")
        return Epoch(axes=[states], nodes=[pick, move], discount=self.discount)

    def actions_of_pairs(self) -> NDArray[Any]:
        """Labels [K] of the pairs; 0, 1, ... within each state where none were given."""
        if self.action is None:
            first = np.repeat(self.state_indptr[:-1], np.diff(self.state_indptr))
            return np.arange(self.num_pairs) - first
        return self.action

    def actions_of(self, policy: NDArray[np.int64]) -> NDArray[Any]:
        """Labels [S] of the pairs in `policy` [S]."""
        if self.action is None:
            return policy - self.state_indptr[:-1]
        return np.asarray(self.action[policy])

    @classmethod
    def from_dense(
        cls, transition: ArrayLike, cost: ArrayLike, *, discount: float, action: Any = None
    ) -> Self:
        """Build from `transition` [S, A, S] and `cost` [S, A]; a cost of inf forbids the action.

        `action` [A] labels the actions; 0 to A - 1 if None.
        """
        import scipy.sparse as sp  # here, so that importing sparing stays quick

        probs = np.asarray(transition, dtype=np.float64)
        if probs.ndim != 3 or probs.shape[0] != probs.shape[2]:
            raise ValueError(f"transition must have shape (S, A, S); got {probs.shape}.")
        num_states, num_actions, _ = probs.shape
        checks.require_memory(12 * int(np.count_nonzero(probs)), "The sparse rows")
        rows = sp.csr_array(probs.reshape(num_states * num_actions, num_states))
        return cls.from_scipy(rows, cost, discount=discount, action=action)

    @classmethod
    def from_scipy(
        cls, transition: Any, cost: ArrayLike, *, discount: float, action: Any = None
    ) -> Self:
        """Build from a scipy CSR matrix of S * A rows and `cost` [S, A].

        Row s * A + a belongs to action a of state s; its arrays are taken without a copy. A cost
        of inf forbids the action: its pair is dropped and its row is never read. `action` [A]
        labels the actions; 0 to A - 1 if None.
        """
        costs = np.asarray(cost, dtype=np.float64)
        num_rows, num_states = checks.csr("transition", transition)
        if costs.ndim != 2 or (costs.shape[0], costs.size) != (num_states, num_rows):
            raise ValueError(
                f"cost must have shape (S, A), one entry a row of transition {transition.shape}; "
                f"got {costs.shape}."
            )
        names = np.arange(costs.shape[1]) if action is None else np.asarray(action)
        if names.shape != costs.shape[1:]:
            raise ValueError(f"action must have shape {costs.shape[1:]}; got {names.shape}.")
        allowed = costs != np.inf
        return cls(
            transition=transition,
            cost=costs[allowed],
            state_indptr=np.append(0, np.cumsum(allowed.sum(axis=1))),
            row=None if allowed.all() else np.flatnonzero(allowed),
            action=np.broadcast_to(names, costs.shape)[allowed],
            discount=discount,
        )

    @classmethod
    def from_sparse_pairs(
        cls,
        transition: Any,
        cost: ArrayLike,
        pair_state: ArrayLike,
        *,
        discount: float,
        row: Any = None,
        action: Any = None,
    ) -> Self:
        """Build from rows [R, S], and for each pair its `cost` [K] and `pair_state` [K].

        The pairs of a state must stand together, states in rising order.
        """
        num_states = checks.csr("transition", transition)[1]
        costs = np.asarray(cost, dtype=np.float64)
        states = checks.pair_states(pair_state, num_states, costs.size)
        return cls(
            transition=transition,
            cost=costs,
            state_indptr=np.searchsorted(states, np.arange(num_states + 1)),
            row=row,
            action=action,
            discount=discount,
        )
