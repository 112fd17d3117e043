"""Lower an epoch to the flat program that the forward kernels run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.epoch import (
    Axis,
    Branch,
    Chance,
    Cost,
    Decision,
    Epoch,
    Node,
    layout_after,
    resolve_to,
)
from sparing.table import Table

NEVER = 0xFFFFFFFF  # a threshold above every draw
_Reads = list[tuple[int, int, NDArray[np.int64]]]
_Costs = list[tuple[int, NDArray[np.float64]]]


@dataclass(frozen=True, eq=False)
class ForwardProgram:
    """An epoch as the kernels see it.

    Attributes
    ----------
    slots
        Where the coordinate of each axis name is held.
    nodes
        All nodes by id: in the order of the list, those of alternatives behind their Branch.
    """

    epoch: Epoch
    core: _core.ForwardProgram
    slots: Mapping[str, int]
    nodes: tuple[Node, ...]


_lowered: WeakKeyDictionary[Epoch, ForwardProgram] = WeakKeyDictionary()


def lower(epoch: Epoch) -> ForwardProgram:
    """Return the program of `epoch`, made once."""
    if epoch not in _lowered:
        _lowered[epoch] = _Lowering(epoch).program()
    return _lowered[epoch]


def walk_nodes(epoch: Epoch) -> Iterator[Node]:
    """Yield all nodes in the order of their ids."""
    for node in epoch.nodes:
        yield node
        if isinstance(node, Branch):
            for alternative in node.alternatives:
                yield from alternative.nodes


def draw_thresholds(
    indptr: NDArray[np.int64], probability: NDArray[np.float64]
) -> NDArray[np.uint32]:
    """Return per entry the 32-bit draw below which it, or an entry before it, is drawn.

    That is the cumulative probability of its row times 2^32, rounded; from the last entry of
    positive probability on it is `NEVER`, the bound that no draw reaches.
    """
    rows = np.repeat(np.arange(indptr.size - 1), np.diff(indptr))
    thresholds = np.empty(probability.size, dtype=np.uint32)
    for width in np.unique(np.diff(indptr)):
        starts = indptr[:-1][np.diff(indptr) == width]
        entries = starts[:, None] + np.arange(width)  # [rows of that width, width]
        reached = np.cumsum(probability[entries], axis=1) * 2.0**32
        thresholds[entries] = np.minimum(np.rint(reached), NEVER).astype(np.uint32)
    last = np.full(indptr.size - 1, -1, dtype=np.int64)
    positive = np.flatnonzero(probability > 0.0)
    np.maximum.at(last, rows[positive], positive)
    thresholds[np.arange(probability.size) >= last[rows]] = NEVER
    return thresholds


@dataclass(eq=False)
class _Lowering:
    epoch: Epoch
    slots: dict[str, int] = field(default_factory=dict)

    def program(self) -> ForwardProgram:
        epoch = self.epoch
        layouts = [*epoch.layouts, *self._inner_layouts()]
        for layout in layouts:
            for axis in layout:
                self.slots.setdefault(axis.name, len(self.slots))
        core = _core.ForwardProgram(len(self.slots), len(epoch.kinds))
        for layout in epoch.layouts:
            core.add_layout([(self.slots[axis.name], axis.size) for axis in layout])
        for node, layout in zip(epoch.nodes, epoch.layouts, strict=False):
            self._add(core, node, layout)
        for first, last in epoch.stages:
            core.add_stage(first, last)
        return ForwardProgram(epoch, core, self.slots, tuple(walk_nodes(epoch)))

    def _inner_layouts(self) -> Iterator[tuple[Axis, ...]]:
        for node, before in zip(self.epoch.nodes, self.epoch.layouts, strict=False):
            for alternative in node.alternatives if isinstance(node, Branch) else ():
                layout = before
                for inner in alternative.nodes:
                    layout = layout_after(inner, layout)
                    yield layout

    def _add(self, core: _core.ForwardProgram, node: Node, layout: tuple[Axis, ...]) -> None:
        if isinstance(node, Branch):
            self._add_branch(core, node, layout)
        elif isinstance(node, Cost):
            core.add_cost(self._cost_reads(node), self._costs({node.kind: node.values}))
        else:
            self._add_rows(core, node, layout)

    def _add_branch(
        self, core: _core.ForwardProgram, branch: Branch, layout: tuple[Axis, ...]
    ) -> None:
        kinds = dict.fromkeys(kind for a in branch.alternatives for kind in a.cost)
        core.add_branch(
            self._costs({k: [a.cost.get(k, 0.0) for a in branch.alternatives] for k in kinds})
        )
        for alternative in branch.alternatives:
            core.open_alternative()
            inner = layout
            for node in alternative.nodes:
                self._add(core, node, inner)
                inner = layout_after(node, inner)
        core.close_branch()

    def _add_rows(
        self, core: _core.ForwardProgram, node: Decision | Chance, layout: tuple[Axis, ...]
    ) -> None:
        table: Table = node.table
        to = resolve_to(node, layout)
        coordinates = (
            np.stack(
                np.unravel_index(table.to, [axis.size for axis in to]) if to else [table.to][:0],
                axis=1,
            )
            if to
            else np.empty((table.to.size, 0))
        )
        thresholds = np.empty(0, dtype=np.uint32)
        if isinstance(node, Chance) and not node.is_move:
            assert table.probability is not None
            thresholds = draw_thresholds(table.indptr, table.probability)
        core.add_rows(
            isinstance(node, Decision),
            self._row_reads((*node.context, *node.axes), layout),
            self._costs(table.cost),
            [self.slots[axis.name] for axis in to],
            table.indptr,
            coordinates.astype(np.int32, order="C"),
            thresholds,
        )

    def _costs(self, costs: Mapping[str, object]) -> _Costs:
        return [
            (self.epoch.kinds.index(kind), np.ascontiguousarray(values, dtype=np.float64).ravel())
            for kind, values in costs.items()
        ]

    def _cost_reads(self, node: Cost) -> _Reads:
        strides = _strides(np.shape(node.values))
        none = np.empty(0, dtype=np.int64)
        return [
            (self.slots[name], stride, np.asarray(node.groups.get(name, none)))
            for name, stride in zip(node.axes, strides, strict=True)
        ]

    def _row_reads(self, names: Sequence[str], layout: tuple[Axis, ...]) -> _Reads:
        sizes = {axis.name: axis.size for axis in layout}
        strides = _strides([sizes[name] for name in names])
        none = np.empty(0, dtype=np.int64)
        return [(self.slots[n], stride, none) for n, stride in zip(names, strides, strict=True)]


def _strides(shape: Sequence[int]) -> list[int]:
    return [prod(shape[position + 1 :]) for position in range(len(shape))]
