"""What every choice of an environment costs, exactly: the solver's values, carried back to it.

The solver knows the value at the start of an epoch. From there a backward walk over the code of
the environment gives the value at each instruction, and at each point the value of every choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.exact.checkpoint import fingerprint
from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.evaluation import Goal, goal_of, solution_of
from sparing.learn.flow import End, Flow, Fork, Pay, Place, Rows
from sparing.learn.same_choices import same_choices
from sparing.learn.steps import dense_entries
from sparing.learn.views import closed, environment_of
from sparing.learn.warm_start import WarmStart

LARGEST = 1 << 24  # values that are listed, over all points and choices

Grid = dict[int, NDArray[np.int64]]  # per slot the coordinate [states]


@dataclass(frozen=True, eq=False)
class ValueTable:
    """The value of every choice in every state of an environment.

    Attributes
    ----------
    table
        Shape (rows, A), in units of the objective with `rate` taken off; inf: not allowed.
    offset, strides
        The row of a state: ``offset[point] + strides[point] . coordinates``, in the order of the
        environment's slots.
    rate
        What is taken off per unit of duration.
    """

    table: NDArray[np.float32]
    offset: NDArray[np.int32]
    strides: NDArray[np.int32]
    rate: float

    def __call__(self, states: jax.Array) -> jax.Array:
        """Return Q [B, A] of states [B, W]."""
        point, coords = states[:, 0], states[:, states.shape[1] - self.strides.shape[1] :]
        row = jnp.asarray(self.offset)[point] + (jnp.asarray(self.strides)[point] * coords).sum(1)
        return jnp.asarray(self.table)[row]


def start_from(
    given: Any, environment: EpochEnvironment, *, features: str | None, discount: float | None
) -> WarmStart | None:
    """Return the values to start from: those given, or the exact ones of the model given.

    Raises
    ------
    ValueError, MemoryError
        As in `exact_warm_start`.
    """
    if given is None or isinstance(given, WarmStart):
        return given
    model = environment_of(closed(given), view=environment.view, features=features)
    return exact_warm_start(model, environment, discount=discount)


def exact_warm_start(
    model: EpochEnvironment, environment: EpochEnvironment, *, discount: float | None = None
) -> WarmStart:
    """Return the exact values of a simpler model as a start for training in `environment`.

    Parameters
    ----------
    model
        The simpler model in the same view: with the same choices on the same axes as
        `environment`, but other costs or chances, and maybe fewer options in a choice.
    discount
        Weight per epoch in place of the model's own; below 1.

    Raises
    ------
    ValueError
        If the two do not meet the same choices, naming the first that differs.
    MemoryError
        If the model has too many states to be solved, or choices to be listed.
    """
    columns = same_choices(model, environment)
    found = exact_values(model, discount=discount)
    goal = goal_of(model.process)
    digest = fingerprint(goal.epoch, goal.weights)
    name = f"{getattr(goal.model, 'name', type(goal.model).__name__)} {digest}"

    def values(states: jax.Array) -> jax.Array:
        column = jnp.asarray(columns)[states[:, 0]]
        known = jnp.take_along_axis(found(states), jnp.maximum(column, 0), axis=1)
        return jnp.where(column >= 0, known, jnp.inf)

    return WarmStart(values=values, rate=found.rate, name=name)


def exact_values(environment: EpochEnvironment, *, discount: float | None = None) -> ValueTable:
    """Solve the model of `environment` and return the value of every choice.

    Average costs: relative values, which average to zero over the states at the start of an epoch,
    and the gain as the rate. Discounted costs: a rate is taken off by which they do too.

    Raises
    ------
    MemoryError
        As in `exact_warm_start`.
    """
    goal = _discounted(goal_of(environment.process), discount)
    if not goal.fits:
        raise MemoryError(
            f"a start from exact values needs a model that is solved; {goal.epoch.num_states:,}"
            " states are too many. Give a smaller one."
        )
    solution = solution_of(goal, keep_value=True)
    assert solution.value is not None
    start = np.asarray(solution.value, dtype=np.float64)
    middle = float(start.mean())
    rate = solution.objective if goal.is_average else (1.0 - goal.discount) * middle
    return choice_values(environment, start - middle, rate=rate, discount=goal.discount)


def choice_values(
    environment: EpochEnvironment, start: NDArray[np.float64], *, rate: float, discount: float
) -> ValueTable:
    """Carry values [axes] at the start of an epoch back to every choice of the epoch before.

    Raises
    ------
    MemoryError
        If they are too many to list.
    """
    _check_size(environment)
    return _Backward(environment, start, rate, discount).table()


def _discounted(goal: Goal, discount: float | None) -> Goal:
    """Return the goal under another discount."""
    if discount in (None, goal.discount):
        return goal
    from sparing.epoch import Epoch

    epoch = Epoch(axes=goal.epoch.axes, nodes=goal.epoch.nodes, discount=discount)
    return goal._replace(epoch=epoch, discount=float(discount or 0.0))


class _Backward:
    """The walk: `values[pc]` over the coordinates that are live there."""

    def __init__(
        self,
        environment: EpochEnvironment,
        start: NDArray[np.float64],
        rate: float,
        discount: float,
    ) -> None:
        self.environment, self.rate, self.discount = environment, rate, discount
        self.flow: Flow = environment.interpreter.flow
        self.values: list[NDArray[np.float64]] = [start] * len(self.flow.code)
        self.choices: dict[int, NDArray[np.float64]] = {}
        self.start = start
        for pc in reversed(range(len(self.flow.code))):
            self.values[pc] = self._value(pc)

    def table(self) -> ValueTable:
        """Return the values of the choices, point after point."""
        environment = self.environment
        slots, points = environment.slots, environment.points
        strides = np.zeros((len(points), len(slots)), dtype=np.int32)
        offset = np.zeros(len(points), dtype=np.int32)
        blocks, rows = [], 0
        for number, point in enumerate(points):
            found = self.choices[point.pc]
            offset[number], stride = rows, 1
            for place in reversed(point.live):
                strides[number, slots.index(place.slot)] = stride
                stride *= place.size
            rows += stride
            wide = np.full((stride, environment.num_actions), np.inf)
            wide[:, : found.shape[1]] = found
            blocks.append(wide)
        table = np.concatenate(blocks).astype(np.float32)
        return ValueTable(table, offset, strides, self.rate)

    def _value(self, pc: int) -> NDArray[np.float64]:
        step, live = self.flow.code[pc], self.flow.live[pc]
        grid = _grid(live)
        if isinstance(step, End):
            found = self.discount * self.start.ravel()
            if not self.environment.process.has_duration:
                found = found - self.rate
        elif isinstance(step, Pay):
            row = np.zeros(prod(place.size for place in live), dtype=np.int64)
            for place, offsets in zip(step.reads, step.offsets, strict=True):
                row += offsets[grid[place.slot]]
            fee = step.cost - self.rate * step.duration
            found = fee[row] + self._after(step.next, grid)
        elif isinstance(step, Fork):
            fees = step.cost - self.rate * step.duration
            behind = [self._after(target, grid) for target in step.targets]
            self.choices[pc] = fees + np.stack(behind, axis=1)
            found = self.choices[pc].min(axis=1)
        elif step.choice is not None:
            entries = dense_entries(step)[_row(step.reads, grid)]
            self.choices[pc] = self._entries(step, entries, grid)
            found = self.choices[pc].min(axis=1)
        else:
            found = self._expected(step, grid)
        return np.broadcast_to(found, prod(p.size for p in live)).reshape([p.size for p in live])

    def _expected(self, step: Rows, grid: Grid) -> NDArray[np.float64]:
        """Return the mean over the entries of a draw, or the one entry of a move."""
        row = _row(step.reads, grid)
        width = int(np.diff(step.indptr).max())
        entries = step.indptr[row][:, None] + np.arange(width)
        entries = np.where(entries < step.indptr[row + 1][:, None], entries, -1)
        values = self._entries(step, entries, grid)
        if step.probability is None:
            return values[:, 0]
        weights = np.where(entries >= 0, step.probability[entries], 0.0)
        total: NDArray[np.float64] = (weights * np.where(entries >= 0, values, 0.0)).sum(axis=1)
        return total

    def _entries(self, step: Rows, entries: NDArray[np.int64], grid: Grid) -> NDArray[np.float64]:
        """Return the values [states, width] behind entries [states, width]; -1 is none: inf."""
        values = np.full(entries.shape, np.inf)
        for column in range(entries.shape[1]):
            entry = entries[:, column]
            there = np.flatnonzero(entry >= 0)
            entry = entry[there]
            moved = {slot: coordinate[there] for slot, coordinate in grid.items()}
            for place, to in zip(step.writes, step.to.T, strict=True):
                moved[place.slot] = to[entry]
            fee = step.cost[entry] - self.rate * step.duration[entry]
            values[there, column] = fee + self._after(step.next, moved)
        return values

    def _after(self, pc: int, grid: Grid) -> NDArray[np.float64]:
        """Return the values of the states of `grid` at `pc`."""
        found: NDArray[np.float64] = self.values[pc].ravel()[_row(self.flow.live[pc], grid)]
        return found


def _grid(live: tuple[Place, ...]) -> Grid:
    """Return the coordinates of all states."""
    shape = [place.size for place in live]
    parts = np.unravel_index(np.arange(prod(shape)), shape) if shape else ()
    return {place.slot: part for place, part in zip(live, parts, strict=True)}


def _row(places: tuple[Place, ...], grid: Grid) -> NDArray[np.int64]:
    """Return the row of each state, C order over `places`."""
    row = np.zeros(next((len(part) for part in grid.values()), 1), dtype=np.int64)
    for place in places:
        row = row * place.size + grid[place.slot]
    return row


def _check_size(environment: EpochEnvironment) -> None:
    flow = environment.interpreter.flow
    states = sum(prod(place.size for place in live) for live in flow.live)
    if states * environment.num_actions > LARGEST:
        raise MemoryError(
            f"exact values of {states:,} states times {environment.num_actions} choices are too"
            f" many to list, at most {LARGEST:,} are. Give a smaller model."
        )
