"""Values of a system at products of belief points, by value iteration: lower bounds of its cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.beliefs.component_filter import kernel_arrays
from sparing.beliefs.component_points import BeliefGrid
from sparing.beliefs.component_tables import OptionTable, option_table
from sparing.models.hidden import HiddenProblem

Numbers = NDArray[np.float64]
Rows: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int32], Numbers, Numbers]
LANES = _core.BELIEF_LANES


class BeliefTensor:
    """The axes of a value tensor: one a component, the longest last, where it is padded.

    Parameters
    ----------
    grids
        Belief points of each component.
    """

    def __init__(self, problem: HiddenProblem, grids: Sequence[BeliefGrid]) -> None:
        self.problem, self.grids = problem, tuple(grids)
        self.tables: list[OptionTable] = [
            option_table(component, grid)
            for component, grid in zip(problem.components, grids, strict=True)
        ]
        sizes = [grid.num_points for grid in grids]
        longest = int(np.argmax(sizes))
        leading = sorted((i for i in range(len(sizes)) if i != longest), key=lambda i: -sizes[i])
        self.order = (*leading, longest)
        padded = -(-sizes[longest] // LANES) * LANES
        self.shape = (*(sizes[i] for i in leading), padded)
        self.num_points = int(np.prod(sizes, dtype=object))
        self.size = int(np.prod(self.shape, dtype=object))

    @cached_property
    def down(self) -> NDArray[np.bool_]:
        """Where the system is down, of the tensor's shape."""
        up = self.problem.works.transpose(self.order)
        places = [np.minimum(np.arange(n), 1) for n in self.shape]  # point 0 is "failed"
        return np.asarray(~up[np.ix_(*places)])

    @property
    def start(self) -> int:
        """Place of "all new" in the flat tensor: the first corner of every grid."""
        return int(np.ravel_multi_index((1,) * len(self.shape), self.shape))

    @cached_property
    def slack(self) -> float:
        """Share of the largest value that rounding may add to a lower bound in one period."""
        weights = sum(table.error for table in self.tables)
        terms = sum(int(np.diff(table.indptr).max()) + 4 for table in self.tables)
        return weights + 1.2e-16 * terms

    def rows(self) -> list[Rows]:
        """Return the tables in the order of the axes; before a single one, a trivial axis."""
        found: list[Rows] = [
            (table.indptr, table.to, table.weight, np.array(table.cost))
            for table in (self.tables[i] for i in self.order)
        ]
        if len(found) == 1:
            ones, nothing = np.ones(1), np.zeros(1)
            zero = np.zeros(1, np.int32)
            found.insert(0, (np.array([0, 1], dtype=np.int64), zero, ones, nothing))
        return found

    def system(self, num_threads: int) -> _core.BeliefSystem:
        """Return the kernels' view of the system, its components in their own order."""
        count = len(self.grids)
        works = self.problem.works.transpose(range(count - 1, -1, -1))
        flags = np.ascontiguousarray(works.reshape(-1), dtype=np.uint8)
        problem = self.problem
        system = _core.BeliefSystem(flags, problem.downtime_cost, problem.discount, num_threads)
        strides = dict(zip(self.order, np.cumprod([1, *self.shape[:0:-1]])[::-1], strict=True))
        for i, (component, table) in enumerate(zip(problem.components, self.tables, strict=True)):
            grid = table.grid
            arrays = kernel_arrays(component)
            rows = (table.indptr, table.to, table.weight)
            system.add_axis(*arrays, grid.simplices, grid.inverse, int(strides[i]), *rows)
        return system


@dataclass(frozen=True, kw_only=True, eq=False)
class BeliefValues:
    """Lower bounds of the cost to go at belief points.

    Parameters
    ----------
    values
        Shape (periods + 1, tensor), or (1, tensor) for an infinite horizon; float32, for lookups.
    lower
        Lower bound of the cost from all new.
    num_sweeps
        Sweeps that were made.
    """

    tensor: BeliefTensor
    values: NDArray[np.float32]
    lower: float
    num_sweeps: int


class Sweeper:
    """Makes sweeps over one tensor, with the memory they need."""

    def __init__(self, tensor: BeliefTensor, num_threads: int) -> None:
        self.tensor, self.num_threads = tensor, num_threads
        self._rows = tensor.rows()
        self._work = np.empty(tensor.size)

    def sweep(self, following: Numbers, value: Numbers) -> None:
        """Write the values of a period into `value` from those of the next one; both flat."""
        problem = self.tensor.problem
        _core.belief_sweep(
            self._rows, problem.discount, following, value, self._work, self.num_threads
        )
        if problem.downtime_cost > 0.0:
            down = self.tensor.down.reshape(-1)
            np.add(value, problem.downtime_cost, out=value, where=down)


def finite_values(
    tensor: BeliefTensor, *, num_threads: int, between: Callable[[], None] | None = None
) -> BeliefValues:
    """Sweep backward from the last period; `between` is called between sweeps."""
    periods = tensor.problem.periods
    assert periods is not None
    sweeper = Sweeper(tensor, num_threads)
    values = np.zeros((periods + 1, tensor.size), dtype=np.float32)
    following, value = np.zeros((2, tensor.size))
    slack = 0.0
    for period in range(periods - 1, -1, -1):
        sweeper.sweep(following, value)
        largest = float(value.max())
        slack = slack * tensor.problem.discount + tensor.slack * largest
        values[period] = value
        following, value = value, following
        if between is not None:
            between()
    lower = float(following[tensor.start]) - slack
    return BeliefValues(tensor=tensor, values=values, lower=lower, num_sweeps=periods)


def carried_over(found: BeliefValues, tensor: BeliefTensor) -> Numbers:
    """Return the values of an infinite horizon, interpolated at the points of another tensor."""
    old = found.tensor
    last = old.grids[old.order[-1]].num_points
    shaped = found.values[0].reshape(old.shape)[..., :last].astype(np.float64)
    value = shaped.transpose(np.argsort(old.order))
    for axis, (before, after) in enumerate(zip(old.grids, tensor.grids, strict=True)):
        weights = np.zeros((after.num_points, before.num_points))
        weights[0, 0] = 1.0
        to, weight = before.interpolate(after.working)
        np.add.at(weights, (np.arange(1, after.num_points)[:, None], to), weight)
        value = np.moveaxis(np.tensordot(weights, value, axes=(1, axis)), 0, axis)
    padded = np.zeros(tensor.shape)
    padded[..., : tensor.grids[tensor.order[-1]].num_points] = value.transpose(tensor.order)
    return padded.reshape(-1)


def stationary_values(
    tensor: BeliefTensor,
    *,
    relative_tol: float,
    start: Numbers | None = None,
    num_threads: int,
    max_sweeps: int = 100_000,
    between: Callable[[], None] | None = None,
) -> BeliefValues:
    """Sweep to the fixed point of an infinite discounted horizon.

    Its value from all new is known to within a share of `relative_tol` then.

    On the points alone this is a Markov decision process, so the bounds of MacQueen (1966) hold for
    its value; the lower one of them bounds the cost of the system.
    """
    discount = tensor.problem.discount
    sweeper = Sweeper(tensor, num_threads)
    following, value = np.zeros((2, tensor.size))
    if start is not None:
        following[:] = start
    scale = discount / (1.0 - discount)
    real = np.zeros(tensor.shape, dtype=bool)
    real[..., : tensor.grids[tensor.order[-1]].num_points] = True
    used = real.reshape(-1)
    num_sweeps = 0
    while num_sweeps < max_sweeps:
        num_sweeps += 1
        sweeper.sweep(following, value)
        np.subtract(value, following, out=following, where=used)
        least = scale * float(np.min(following, where=used, initial=np.inf))
        most = scale * float(np.max(following, where=used, initial=-np.inf))
        following, value = value, following
        if between is not None:
            between()
        if most - least <= relative_tol * abs(float(following[tensor.start]) + least):
            break
    slack = tensor.slack * float(following.max()) / (1.0 - discount)
    following += (least + most) / 2.0
    lower = float(following[tensor.start]) - (most - least) / 2.0 - slack
    values = following.astype(np.float32)[None]
    return BeliefValues(tensor=tensor, values=values, lower=lower, num_sweeps=num_sweeps)
