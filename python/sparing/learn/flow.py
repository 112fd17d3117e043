"""An epoch as a list of instructions with jumps: what is run forward, a choice at a time.

Names of axes become slots and rows become arrays of coordinates; costs are weighted. The code of
an alternative stands behind its fork, so that every jump leads onward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.epoch import (
    Branch,
    Chance,
    Cost,
    Decision,
    Epoch,
    Layout,
    Node,
    layout_after,
    resolve_to,
)
from sparing.learn.process import DURATION, Process

Floats: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Place:
    """A live coordinate: where it is held and how many values it has."""

    slot: int
    size: int


@dataclass(eq=False, kw_only=True)
class Pay:
    """A cost of the present state: `offsets` of the coordinates add up to a row of `cost`."""

    label: str
    reads: tuple[Place, ...]
    offsets: tuple[Whole, ...]  # per read [size]
    cost: Floats  # [rows]; inf: not allowed
    duration: Floats
    next: int = -1


@dataclass(eq=False, kw_only=True)
class Rows:
    """Rows of entries, C order over `reads`: a choice, a draw, or a move if one entry each."""

    label: str
    reads: tuple[Place, ...]
    writes: tuple[Place, ...]
    indptr: Whole  # [rows + 1]
    to: Whole  # [entries, writes] coordinates
    cost: Floats  # [entries]
    duration: Floats
    probability: Floats | None = None  # [entries] of a draw
    choice: Whole | None = None  # [entries] of a choice, 0.. without gaps
    choices: Whole | None = None  # [num_choices] their numbers in the model
    source: Whole | None = None  # [entries] of the node's own table, if some are left out
    always: bool = False  # shown even where a single entry is allowed
    next: int = -1

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self.indptr.size - 1

    @property
    def is_move(self) -> bool:
        """Whether nothing is drawn or chosen."""
        return not self.always and bool(np.all(np.diff(self.indptr) == 1))

    @property
    def num_choices(self) -> int:
        """Number of choices over all rows."""
        return 0 if self.choices is None else self.choices.size

    @property
    def sources(self) -> Whole:
        """The entry of the node's own table that each entry is."""
        return np.arange(self.to.shape[0]) if self.source is None else self.source

    def row_of_entries(self) -> Whole:
        """Return the row of each entry."""
        return np.repeat(np.arange(self.num_rows), np.diff(self.indptr))


@dataclass(eq=False, kw_only=True)
class Fork:
    """One of several alternatives, each with what it costs to enter and where its code begins."""

    label: str
    targets: tuple[int, ...]
    cost: Floats  # [alternatives]
    duration: Floats
    next: int = -1


@dataclass(eq=False, kw_only=True)
class End:
    """The end of an epoch."""

    discount: float
    next: int = -1
    label: str = "end"


Instruction: TypeAlias = Pay | Rows | Fork | End


@dataclass(eq=False)
class Segment:
    """The code of one epoch: [first, last), its nodes and the stages among them.

    Attributes
    ----------
    node_start
        Per node of the epoch, and behind the last, where its code begins.
    start_layout
        Places of the axes at the start.
    """

    epoch: Epoch
    first: int
    node_start: list[int]
    last: int
    start_layout: tuple[Place, ...]


@dataclass(eq=False)
class Flow:
    """The code of all epochs of a process, each distinct epoch once.

    Attributes
    ----------
    slots
        Where the coordinate of each axis name is held.
    segment_of
        Per period the number of its segment.
    live
        Per instruction the coordinates that are live before it.
    """

    process: Process
    code: list[Instruction] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    segment_of: list[int] = field(default_factory=list)
    slots: dict[str, int] = field(default_factory=dict)
    live: list[tuple[Place, ...]] = field(default_factory=list)

    def add(self, instruction: Instruction, layout: Layout) -> None:
        """Append an instruction that is met with the axes of `layout` live."""
        self.code.append(instruction)
        self.live.append(self.places(layout))
        instruction.next = len(self.code)

    def places(self, layout: Layout) -> tuple[Place, ...]:
        """Return where the axes of `layout` are held."""
        return tuple(
            Place(self.slots.setdefault(axis.name, len(self.slots)), axis.size) for axis in layout
        )


def make_flow(process: Process, *, joint: bool) -> Flow:
    """Return the code of `process`; with `joint` each stage is one choice among joint actions."""
    flow = Flow(process)
    known: dict[int, int] = {}
    for epoch in process.epochs:
        if id(epoch) not in known:
            known[id(epoch)] = len(flow.segments)
            flow.segments.append(_segment(flow, epoch, joint))
        flow.segment_of.append(known[id(epoch)])
    return flow


def _segment(flow: Flow, epoch: Epoch, joint: bool) -> Segment:
    first, code = len(flow.code), flow.code
    start = flow.places(epoch.axes)
    starts, stages = [], dict(epoch.stages) if joint else {}
    position = 0
    while position < len(epoch.nodes):
        starts.append(len(code))
        if position in stages:
            from sparing.learn.joint_actions import joint_rows

            end = stages[position]
            flow.add(joint_rows(flow, epoch, position, end), epoch.layouts[position])
            starts += [len(code)] * (end - position - 1)
            position = end
        else:
            _add_node(flow, epoch.nodes[position], epoch.layouts[position])
            position += 1
    starts.append(len(code))
    flow.add(End(discount=epoch.discount), epoch.end_axes)
    return Segment(epoch, first, starts, len(code), start)


def _add_node(flow: Flow, node: Node, layout: Layout) -> None:
    weights, code = flow.process.weights, flow.code
    if not isinstance(node, Branch):
        flow.add(instruction_of(flow, node, layout), layout)
        return
    fork = Fork(
        label=node.label,
        targets=(),
        cost=np.array([weighted(a.cost, weights) for a in node.alternatives]),
        duration=np.array([float(a.cost.get(DURATION, 0.0)) for a in node.alternatives]),
    )
    flow.add(fork, layout)
    targets, ends = [], []
    for alternative in node.alternatives:
        targets.append(len(code))
        inner = layout
        for part in alternative.nodes:
            flow.add(instruction_of(flow, part, inner), inner)
            inner = layout_after(part, inner)
        ends.append(len(code) - 1 if alternative.nodes else -1)
    join = len(code)
    fork.targets = tuple(
        target if end >= 0 else join for target, end in zip(targets, ends, strict=True)
    )
    for end in ends:
        if end >= 0:
            code[end].next = join
    fork.next = join


def weighted(cost: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Return the sum over kinds of weight times cost."""
    return float(sum(weights.get(kind, 0.0) * value for kind, value in cost.items()))


def instruction_of(flow: Flow, node: Node, layout: Layout) -> Pay | Rows:
    """Return the code of a node that is no Branch."""
    weights = flow.process.weights
    sizes = {axis.name: axis.size for axis in layout}
    if isinstance(node, Cost):
        strides = [prod(node.values.shape[i + 1 :]) for i in range(node.values.ndim)]
        offsets = tuple(
            np.asarray(node.groups.get(name, np.arange(sizes[name]))) * stride
            for name, stride in zip(node.axes, strides, strict=True)
        )
        values = node.values.ravel()
        forbidden, finite = np.isinf(values), np.where(np.isinf(values), 0.0, values)
        weight = weights.get(node.kind, 0.0)
        return Pay(
            label=node.label,
            reads=flow.places(tuple(a for n in node.axes for a in layout if a.name == n)),
            offsets=offsets,
            cost=np.where(forbidden, np.inf, weight * finite),
            duration=finite * (node.kind == DURATION),
        )
    assert isinstance(node, Decision | Chance)
    by_name, table = {axis.name: axis for axis in layout}, node.table
    to = resolve_to(node, layout)
    shape = tuple(axis.size for axis in to)
    coordinates = (
        np.stack(np.unravel_index(table.to, shape), axis=1) if to else np.zeros((table.to.size, 0))
    )
    choices, choice = None, None
    if isinstance(node, Decision):
        choices, choice = np.unique(np.asarray(table.choice), return_inverse=True)
    return Rows(
        label=node.label,
        reads=flow.places(tuple(by_name[name] for name in (*node.context, *node.axes))),
        writes=flow.places(to),
        indptr=table.indptr,
        to=coordinates.astype(np.int64),
        cost=table.weighted_cost(weights),
        duration=np.asarray(table.cost.get(DURATION, np.zeros(table.to.size))),
        probability=table.probability if isinstance(node, Chance) else None,
        choice=choice,
        choices=choices,
    )
