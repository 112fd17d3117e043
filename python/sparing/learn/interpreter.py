"""The code of a process as steps in JAX, and the points at which a learner chooses."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.learn.feasible import Factors, prune
from sparing.learn.flow import End, Flow, Fork, Instruction, Pay, Place, Rows, make_flow
from sparing.learn.lanes import Lanes
from sparing.learn.lookups import int32
from sparing.learn.process import Process
from sparing.learn.step_groups import ChooseGroup, CountGroup, DrawGroup
from sparing.learn.steps import (
    ChooseStep,
    DrawStep,
    EndStep,
    ForkStep,
    MoveStep,
    PayStep,
    Step,
    dense_entries,
)

GROUPS = (DrawGroup, ChooseGroup, CountGroup)
LARGEST_MASK = 1 << 26  # entries of the table of masks


@dataclass(frozen=True, eq=False)
class Point:
    """A place where a learner chooses.

    Attributes
    ----------
    pc
        Where it is in the code.
    live
        The coordinates that are live there.
    """

    pc: int
    label: str
    num_actions: int
    live: tuple[Place, ...]


class Interpreter:
    """Runs a process forward from choice to choice.

    Attributes
    ----------
    points
        Where a learner may have to choose, in the order of the code.
    checks
        Per fork, by its place in the code, what its alternatives need.
    """

    def __init__(self, process: Process, *, joint: bool) -> None:
        self.process = process
        self.flow = make_flow(process, joint=joint)
        self.checks = prune(self.flow)
        self.points = tuple(
            Point(pc, step.label, _width(step), self.flow.live[pc])
            for pc, step in enumerate(self.flow.code)
            if _is_point(self.flow, pc)
        )
        self.num_actions = max((point.num_actions for point in self.points), default=0)
        self.last_points = self._last_points()
        self.steps = self._steps()
        self.is_uniform = (
            len(self.points) == 1
            and len(self.flow.segments) == 1
            and not process.finite
            and not any(isinstance(step, Fork) for step in self.flow.code)
        )
        first = self.points[0].pc
        self._onward = [step for step in self.steps if step.pc + _length(step) > first]
        again = max(self.last_points)
        self._again = [step for step in self.steps if step.pc <= again]

    def _last_points(self) -> set[int]:
        """Return per segment the last choice that every path meets."""
        found = set()
        for segment in self.flow.segments:
            tops = {*segment.node_start}
            met = [point.pc for point in self.points if point.pc in tops]
            met = [pc for pc in met if segment.first <= pc < segment.last]
            if not met:
                raise ValueError("there is nothing to decide in an epoch, so nothing to learn.")
            found.add(met[-1])
        return found

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        pc, code = 0, self.flow.code
        while pc < len(code):
            group = self._group(pc)
            if group:
                make = next(sort for sort in GROUPS if sort.fits(group[0]))
                steps.append(make(pc, group))
                pc += len(group)
                continue
            steps.append(self._step(pc, code[pc]))
            pc += 1
        return steps

    def _group(self, pc: int) -> list[Rows]:
        """Return the run of instructions that are done together from `pc` on."""
        code, group = self.flow.code, list[Rows]()
        for place in range(pc, len(code)):
            step = code[place]
            if not isinstance(step, Rows) or place in self.last_points:
                break
            fits = next((sort for sort in GROUPS if sort.fits(step)), None)
            if fits is None or (group and not fits.fits(group[0])):
                break
            if group and code[place - 1].next != place:
                break
            if any(step.reads[0].slot == rows.reads[0].slot for rows in group):
                break
            if group and fits is CountGroup and step.writes != group[0].writes:
                break
            group.append(step)
        return group

    def _step(self, pc: int, step: Instruction) -> Step:
        if isinstance(step, Pay):
            return PayStep(pc, step)
        if isinstance(step, End):
            return EndStep(
                pc, step, self.flow, [p.slot for p in self.flow.segments[0].start_layout]
            )
        if isinstance(step, Fork):
            return ForkStep(pc, step, self.checks[pc], pc in self.last_points)
        if step.choice is not None:
            return ChooseStep(pc, step, pc in self.last_points)
        return MoveStep(pc, step) if step.is_move else DrawStep(pc, step)

    @property
    def num_words(self) -> int:
        """Random words that `run` takes per lane."""
        return sum(step.num_words for step in (*self._onward, *self._again))

    @property
    def num_first_words(self) -> int:
        """Random words that `begin` takes per lane."""
        return sum(step.num_words for step in self._again)

    def run(self, lanes: Lanes) -> None:
        """Take the choice of every lane and run on to the next one."""
        for step in (*self._onward, *self._again):
            step.run(lanes)

    def begin(self, lanes: Lanes) -> None:
        """Run lanes at the start of the code on to their first choice."""
        lanes.ended = True
        for step in self._again:
            step.run(lanes)

    def steps_between(self, first: int, last: int) -> list[Step]:
        """Return the steps of the code [first, last)."""
        return [step for step in self.steps if first <= step.pc < last]


class Masks:
    """Which choices are allowed: a table for rows, factors for forks.

    The row of a point is a constant plus strides times coordinates, so one gather finds it.
    """

    def __init__(self, interpreter: Interpreter, slots: list[int]) -> None:
        code, points = interpreter.flow.code, interpreter.points
        self.num_actions, self.slots = interpreter.num_actions, slots
        self.forks: list[tuple[int, ForkStep]] = []
        blocks: list[NDArray[np.bool_]] = []
        self.offset = np.zeros(len(points), dtype=np.int32)
        self.strides = np.zeros((len(points), len(slots)), dtype=np.int32)
        rows = 0
        for number, point in enumerate(points):
            step = code[point.pc]
            if isinstance(step, Fork):
                checks: list[Factors] = interpreter.checks[point.pc]
                self.forks.append((number, ForkStep(point.pc, step, checks, last=False)))
                continue
            assert isinstance(step, Rows)
            self.offset[number], stride = rows, 1
            for place in reversed(step.reads):
                self.strides[number, slots.index(place.slot)] = stride
                stride *= place.size
            rows += step.num_rows
            _check_size(rows * self.num_actions)
            block = np.zeros((step.num_rows, self.num_actions), dtype=bool)
            block[:, : step.num_choices] = dense_entries(step) >= 0
            blocks.append(block)
        self.table = np.concatenate(blocks) if blocks else np.zeros((1, self.num_actions), bool)

    def __call__(self, point: jax.Array, coords: list[jax.Array]) -> jax.Array:
        """Return the mask [B, A] of lanes at `point` [B] with coordinates by slot."""
        if len(self.offset) == 1:
            index = jnp.full_like(point, self.offset[0])
            for column, slot in enumerate(self.slots):
                if self.strides[0, column]:
                    index = index + self.strides[0, column] * coords[slot]
        else:
            strides = jnp.asarray(self.strides)[point]  # [B, slots]
            here = jnp.stack([coords[slot] for slot in self.slots], axis=1)
            index = jnp.asarray(self.offset)[point] + jnp.sum(strides * here, axis=1)
        mask = jnp.asarray(self.table).at[index].get(mode="promise_in_bounds")
        for number, fork in self.forks:
            allowed = jnp.stack(fork.allowed(coords), axis=1)
            allowed = jnp.pad(allowed, ((0, 0), (0, self.num_actions - allowed.shape[1])))
            mask = jnp.where((point == number)[:, None], allowed, mask)
        return mask


def point_codes(points: tuple[Point, ...]) -> NDArray[np.int32]:
    """Return where each point is in the code."""
    return int32(np.array([point.pc for point in points]))


def _width(step: Instruction) -> int:
    if isinstance(step, Fork):
        return len(step.targets)
    return step.num_choices if isinstance(step, Rows) else 0


def _is_point(flow: Flow, pc: int) -> bool:
    step = flow.code[pc]
    if isinstance(step, Fork):
        if len(step.targets) > 1:
            return True
        return any(_is_point(flow, inner) for inner in range(step.targets[0], step.next))
    if not isinstance(step, Rows) or step.choice is None:
        return False
    return step.always or bool((np.diff(step.indptr) > 1).any())


def _length(step: Step) -> int:
    return len(step.slots) if isinstance(step, GROUPS) else 1


def _check_size(entries: int) -> None:
    if entries > LARGEST_MASK:
        raise MemoryError(
            f"the masks would take {entries:,} entries, at most {LARGEST_MASK:,} are held; use the"
            " sequential view, or fewer states."
        )
