"""Partially observable Markov decision processes given by explicit sparse rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import ROW_SUM_TOLERANCE, frozen_array, read_only

Values = Literal["reward", "cost"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplicitPOMDP:
    """A decision process whose state is not seen; only observations of it are.

    A period: an action is taken and its cost paid, the state changes, and an observation of the new
    state is made.

    Parameters
    ----------
    transition
        scipy CSR, shape (A * S, S), float64: row a * S + s holds the chances of the next state.
    observation
        scipy CSR, shape (A * S, O), float64: row a * S + s holds the chances of the observation
        when action a has led to state s.
    cost
        Shape (A, S): expected cost of the action in the state [money]; a reward is a negative cost.
    start
        Shape (S,): the belief at the start. None: all states are equally likely.
    discount
        Weight of the next period's cost, in [0, 1]; 1 is for finite horizons only.
    values
        In which sense results are reported: "cost" (minimised) or "reward" (maximised).
    states, actions, observations
        Names; None: they are numbered from 0.

    Notes
    -----
    Rows must sum to one within 1e-9; the model meant is the one whose rows do so exactly.

    Examples
    --------
    >>> from sparing.beliefs.pomdp_problems import tiger
    >>> tiger().num_states, tiger().actions
    (2, ('listen', 'open-left', 'open-right'))
    """

    transition: Any  # [A * S, S] CSR
    observation: Any  # [A * S, O] CSR
    cost: NDArray[np.float64]  # [A, S]
    start: NDArray[np.float64] | None = None  # [S]
    discount: float
    values: Values = "reward"
    states: tuple[str, ...] | None = None
    actions: tuple[str, ...] | None = None
    observations: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.discount <= 1.0:  # written so that NaN fails too
            raise ValueError(f"discount must be in [0, 1]; got {self.discount}.")
        if self.values not in ("reward", "cost"):
            raise ValueError(f"values must be 'reward' or 'cost'; got {self.values!r}.")
        cost = frozen_array("cost", self.cost)
        if cost.ndim != 2 or cost.size == 0:
            raise ValueError(f"cost must have shape (A, S); got {cost.shape}.")
        for a, s in np.argwhere(~np.isfinite(cost))[:1]:
            raise ValueError(f"cost[{a}, {s}] must be finite; got {cost[a, s]}.")
        num_states = cost.shape[1]
        transition = _checked_rows("transition", self.transition, (cost.size, num_states))
        observation = _checked_rows("observation", self.observation, (cost.size, None))
        start = np.full(num_states, 1.0 / num_states) if self.start is None else self.start
        start = _checked_start(start, num_states)
        fields = {"cost": cost, "transition": transition, "observation": observation}
        for name, value in {**fields, "start": start}.items():
            object.__setattr__(self, name, value)
        sizes = {"states": num_states, "actions": len(cost), "observations": observation.shape[1]}
        for name, size in sizes.items():
            object.__setattr__(self, name, _checked_names(name, getattr(self, name), size))

    @property
    def num_states(self) -> int:
        """S, the number of states."""
        return int(self.cost.shape[1])

    @property
    def num_actions(self) -> int:
        """A, the number of actions."""
        return int(self.cost.shape[0])

    @property
    def num_observations(self) -> int:
        """O, the number of observations."""
        return int(self.observation.shape[1])

    @property
    def belief(self) -> NDArray[np.float64]:
        """The belief [S] at the start."""
        assert self.start is not None
        return self.start

    def next_beliefs(
        self, belief: ArrayLike, action: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the chances [O] of the observations and the beliefs [O, S] behind them.

        The belief behind an observation that cannot be made is zero.
        """
        rows = slice(action * self.num_states, (action + 1) * self.num_states)
        predicted = np.asarray(belief, dtype=np.float64) @ self.transition[rows]
        joint = np.asarray(self.observation[rows].multiply(predicted[:, None]).todense()).T
        chance = joint.sum(axis=1)
        return chance, joint / np.where(chance > 0.0, chance, 1.0)[:, None]

    def unrolled(self, horizon: int) -> Self:
        """Return the process over `horizon` periods, as one whose state holds the period, too.

        State t * S + s is state s in period t, the last state is the end, which costs nothing.
        Names are left out. Solved, it gives the total cost of a finite horizon, at any discount.
        """
        import scipy.sparse as sp

        if not horizon >= 1:
            raise ValueError(f"horizon must be at least 1; got {horizon}.")
        size, count = self.num_states, self.num_actions
        end = horizon * size
        later = sp.eye_array(horizon - 1, horizon, k=1, format="csr")
        cost = np.zeros((count, end + 1))
        cost[:, :end] = np.tile(self.cost, horizon)
        seen_at_end = sp.csr_array(([1.0], ([0], [0])), shape=(1, self.num_observations))
        transitions, observations = [], []
        for a in range(count):
            rows = slice(a * size, (a + 1) * size)
            moves = sp.kron(later, self.transition[rows], format="csr")
            stay = sp.csr_array((moves.shape[0], 1))
            last = sp.csr_array(
                (np.ones(size + 1), (np.arange(size + 1), np.full(size + 1, end))),
                shape=(size + 1, end + 1),
            )
            transitions.append(sp.vstack([sp.hstack([moves, stay]), last]))
            looks = [self.observation[rows]] * horizon
            observations.append(sp.vstack([*looks, seen_at_end]))
        start = np.zeros(end + 1)
        start[:size] = self.belief
        return replace(
            self,
            transition=sp.csr_array(sp.vstack(transitions)),
            observation=sp.csr_array(sp.vstack(observations)),
            cost=cost,
            start=start,
            states=None,
        )

    @classmethod
    def from_dense(
        cls,
        transition: ArrayLike,
        observation: ArrayLike,
        cost: ArrayLike,
        *,
        discount: float,
        start: ArrayLike | None = None,
        values: Values = "reward",
        states: Sequence[str] | None = None,
        actions: Sequence[str] | None = None,
        observations: Sequence[str] | None = None,
    ) -> Self:
        """Build from `transition` [A, S, S], `observation` [A, S, O] and `cost` [A, S]."""
        import scipy.sparse as sp

        tables = {}
        for name, given in (("transition", transition), ("observation", observation)):
            table = np.asarray(given, dtype=np.float64)
            if table.ndim != 3:
                raise ValueError(f"{name} must have three axes; got shape {table.shape}.")
            tables[name] = sp.csr_array(table.reshape(-1, table.shape[2]))
        return cls(
            **tables,
            cost=np.asarray(cost, dtype=np.float64),
            discount=discount,
            start=None if start is None else np.asarray(start, dtype=np.float64),
            values=values,
            states=None if states is None else tuple(states),
            actions=None if actions is None else tuple(actions),
            observations=None if observations is None else tuple(observations),
        )


def _checked_rows(name: str, rows: Any, shape: tuple[int, int | None]) -> Any:
    """Return rows of probabilities as a CSR array of its own: no zeros, int64 and int32 indices."""
    import scipy.sparse as sp

    is_sparse = bool(sp.issparse(rows))
    if not is_sparse:
        raise ValueError(f"{name} must be a scipy sparse array; got {type(rows).__name__}.")
    if rows.shape[0] != shape[0] or (shape[1] is not None and rows.shape[1] != shape[1]):
        wanted = f"({shape[0]}, {shape[1] or 'O'})"
        raise ValueError(f"{name} must have shape {wanted}; got {rows.shape}.")
    out = sp.csr_array(rows, dtype=np.float64, copy=True)
    wrong = np.flatnonzero(~(out.data >= 0.0))
    if wrong.size:
        row = int(np.searchsorted(out.indptr, wrong[0], side="right")) - 1
        raise ValueError(
            f"{name}: row {row} holds {out.data[wrong[0]]:g}, which is no probability."
        )
    out.sum_duplicates()
    out.eliminate_zeros()
    sums = out.sum(axis=1)
    for row in np.flatnonzero(~(np.abs(sums - 1.0) <= ROW_SUM_TOLERANCE))[:1]:
        raise ValueError(f"{name}: row {row} sums to {sums[row]:.9g}, not 1.")
    out.indptr = read_only(out.indptr.astype(np.int64))
    out.indices = read_only(out.indices.astype(np.int32))
    read_only(out.data)
    return out


def _checked_start(start: ArrayLike, num_states: int) -> NDArray[np.float64]:
    belief = frozen_array("start", start, shape=(num_states,))
    for s in np.flatnonzero(~(belief >= 0.0))[:1]:
        raise ValueError(f"start[{s}] must be a probability; got {belief[s]:g}.")
    if not abs(belief.sum() - 1.0) <= ROW_SUM_TOLERANCE:
        raise ValueError(f"start must sum to 1; got {belief.sum():.9g}.")
    return belief


def _checked_names(name: str, names: Sequence[str] | None, size: int) -> tuple[str, ...] | None:
    if names is None:
        return None
    if len(names) != size or len(set(names)) != size:
        raise ValueError(f"{name} must be {size} different names; got {len(names)}.")
    return tuple(names)
