"""Lowering of an epoch to the engine's flat program of tensor operations.

Names of axes become offsets here: every node turns into rows of (target offset, source offsets)
and into riders, the axes that it leaves alone. The engine knows neither axes nor nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing import _core
from sparing.epoch import Epoch, layout_after, resolve_to
from sparing.feasibility import may_forbid
from sparing.nodes import Branch, Chance, Cost, Decision, Layout, Node

Offsets: TypeAlias = NDArray[np.int64]
Real: TypeAlias = type[np.float64] | type[np.float32]

END, START = 0, 1  # the buffers of the value behind the last node and of that at the start
INNER_SCORES = 1 << 16
BLOCK_BYTES = 1 << 19  # of a tensor's block; a few of them fit into the second-level cache
LARGEST_DENSE, LEAST_LANES = 10, 8  # which small tables take the fast path of dense nodes


def strides_of(layout: Layout) -> dict[str, int]:
    """Return the C-order stride of each axis, by name."""
    strides, stride = {}, 1
    for axis in reversed(layout):
        strides[axis.name] = stride
        stride *= axis.size
    return strides


def size_of(layout: Layout) -> int:
    """Return the number of states of `layout`."""
    return prod(axis.size for axis in layout)


def offsets_of(names: Sequence[str], layout: Layout) -> Offsets:
    """Return the offset in `layout` of each combination of the states of axes `names`."""
    sizes, strides = {axis.name: axis.size for axis in layout}, strides_of(layout)
    offsets = np.zeros(1, dtype=np.int64)
    for name in names:
        offsets = np.add.outer(offsets, np.arange(sizes[name]) * strides[name]).ravel()
    return offsets


class Lowering:
    """The program of one epoch under given weights of the kinds of cost.

    Parameters
    ----------
    epoch
        What to lower.
    weights
        Weight per kind of cost; absent kinds weigh nothing (but +inf still forbids).
    dtype
        float64 or float32: the type of the value tensor.
    block_bytes
        Runs of operations that leave the leading axes alone are done in blocks of at most so many
        bytes; 0: all in one. It changes no number.

    Attributes
    ----------
    program
        The engine's `EpochProgram64` or `EpochProgram32`.
    """

    def __init__(
        self,
        epoch: Epoch,
        weights: Mapping[str, float],
        *,
        dtype: Real = np.float64,
        num_threads: int = 1,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self.weights = weights
        self._magnitude, self._roundings, self._unit = 0.0, 4, float(np.finfo(dtype).eps)
        self._operations: list[tuple[str, tuple[object, ...]]] = []
        self._sizes = [size_of(epoch.end_axes), epoch.num_states]
        self._free: list[int] = []
        self._held: set[int] = set()
        self._factor = epoch.discount
        self._is_last = False
        self._may_forbid = any(may_forbid(node) for node in epoch.nodes)
        buffer = self._nodes(epoch)
        if buffer != START:
            self._emit("add_scale", buffer, START, 1.0)
        make = _core.EpochProgram64 if dtype is np.float64 else _core.EpochProgram32
        self.program = make(self._sizes, num_threads)
        for name, arguments in self._operations:
            getattr(self.program, name)(*arguments)
        counts = np.cumprod([axis.size for axis in epoch.axes]).tolist()
        self.program.set_blocks(counts, block_bytes // np.dtype(dtype).itemsize)

    def rounding_error(self, largest_value: float) -> float:
        """Return a bound on the rounding error of one sweep of values up to `largest_value`.

        Every operation is non-expansive in the maximum norm and forms each output by at most
        (entries of a row + kinds of cost + 3) roundings of numbers within largest value + sum of
        largest costs (Higham 2002, sec. 3.1); the error of a sweep is at most their sum.
        """
        return self._roundings * self._unit * (largest_value + self._magnitude)

    def _nodes(self, epoch: Epoch) -> int:
        """Emit all nodes, last first, and return the buffer of the value at the start."""
        buffer, position = END, len(epoch.nodes)
        last_of_stage = {last: stage for stage, (_, last) in enumerate(epoch.stages)}
        first_of_stage = {first: stage for stage, (first, _) in enumerate(epoch.stages)}
        while position > 0:
            stage = last_of_stage.get(position)
            if stage is not None:
                buffer = self._scaled(buffer)
                self._emit("add_stage_end", buffer)
            position -= 1
            self._is_last = position == 0
            buffer = self._node(epoch.nodes[position], epoch.layouts[position], buffer)
            if position in first_of_stage:
                self._emit("add_stage_start", buffer, first_of_stage[position])
        return self._scaled(buffer)

    def _node(self, node: Node, layout: Layout, buffer: int) -> int:
        if isinstance(node, Cost):
            return self._cost(node, layout, buffer)
        if isinstance(node, Branch):
            return self._branch(node, layout, buffer)
        return self._product(node, layout, buffer)

    def _product(self, node: Decision | Chance, layout: Layout, buffer: int) -> int:
        behind, read = layout_after(node, layout), (*node.context, *node.axes)
        table, cost = node.table, node.table.weighted_cost(self.weights)
        minimise = isinstance(node, Decision) or node.is_move
        if minimise:
            buffer = self._scaled(buffer)
            weight, start = cost, np.full(table.num_rows, np.inf)
        else:
            assert table.probability is not None
            expected = np.bincount(table.rows(), table.probability * cost, table.num_rows)
            weight, start = table.probability * self._factor, expected
            self._factor = 1.0
        rows_per_context = table.num_rows // size_of_named(node.context, layout)
        context = offsets_of(node.context, behind)[table.rows() // rows_per_context]
        to = offsets_of([axis.name for axis in resolve_to(node, layout)], behind)
        count, out_stride, in_stride, lanes = _riders(read, layout, behind)
        out = self._output(size_of(layout))
        self._emit(
            "add_product",
            *(minimise, buffer, out),
            *(table.indptr, to[table.to] + context, weight, start, offsets_of(read, layout)),
            *(count, out_stride, in_stride, lanes),
            *self._dense(node, layout, lanes, minimise=minimise, weight=weight, start=start),
        )
        self._count(int(np.diff(table.indptr).max()) + 3, table.cost)
        self._release(buffer)
        return out

    def _dense(
        self,
        node: Decision | Chance,
        layout: Layout,
        lanes: int,
        *,
        minimise: bool,
        weight: NDArray[np.float64],
        start: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], int, int]:
        """Return the table of a small dense node on one axis as [states, states], or nothing.

        Such a node takes a fast path. A value that may be infinite never meets a dense average.
        """
        nothing, rows = (np.empty(0), 0, 0), node.table
        size = rows.num_rows
        square = len(node.axes) == 1 and not node.context and layout_after(node, layout) == layout
        if not square or size > LARGEST_DENSE or lanes < LEAST_LANES or node.is_move:
            return nothing
        if 2 * rows.to.size < size * size or (not minimise and (self._may_forbid or start.any())):
            return nothing
        dense = np.full((size, size), np.inf if minimise else 0.0)
        place = (rows.rows(), rows.to)
        if minimise:
            np.minimum.at(dense, place, weight)
        else:
            np.add.at(dense, place, weight)
        return dense.ravel(), size, size_of(layout) // (size * lanes)

    def _cost(self, node: Cost, layout: Layout, buffer: int) -> int:
        weight = self.weights.get(node.kind, 0.0)
        forbidden = np.isinf(node.values)
        if weight == 0.0 and not forbidden.any():
            return buffer
        buffer = self._scaled(buffer)
        values = np.where(forbidden, np.inf, weight * np.where(forbidden, 0.0, node.values))
        value_stride = dict(
            zip(node.axes, np.cumprod([1, *values.shape[:0:-1]])[::-1], strict=False)
        )
        scores = [
            np.zeros(axis.size, dtype=np.int64)
            if axis.name not in value_stride
            else value_stride[axis.name] * node.groups.get(axis.name, np.arange(axis.size))
            for axis in layout
        ]
        outer, inner = _split_scores(scores)
        out = buffer if self._is_scratch(buffer) and not self._is_last else None
        out = self._output(size_of(layout)) if out is None else out
        self._emit("add_cost", buffer, out, outer, inner, values.ravel())
        self._count(2, {node.kind: node.values[~forbidden]})
        if out != buffer:
            self._release(buffer)
        return out

    def _branch(self, branch: Branch, layout: Layout, buffer: int) -> int:
        buffer = self._scaled(buffer)
        is_last, self._is_last = self._is_last, False
        held_here = buffer not in self._held
        self._held.add(buffer)
        out = -1
        for position, alternative in enumerate(branch.alternatives):
            layouts = [layout]
            for node in alternative.nodes:
                layouts.append(layout_after(node, layouts[-1]))
            end = buffer
            for node, before in zip(
                reversed(alternative.nodes), reversed(layouts[:-1]), strict=True
            ):
                end = self._node(node, before, end)
            cost = sum(self.weights.get(k, 0.0) * v for k, v in alternative.cost.items())
            if position == 0:
                self._is_last = is_last
                out = self._output(size_of(layout))
                self._is_last = False
            self._emit("add_take_cheaper", end, out, cost, position == 0)
            self._count(1, alternative.cost)
            self._release(end)
        if held_here:
            self._held.discard(buffer)
            self._release(buffer)
        return out

    def _scaled(self, buffer: int) -> int:
        """Apply the discount now, unless a Chance has taken it into its weights."""
        if self._factor == 1.0:
            return buffer
        is_last, self._is_last = self._is_last, False
        out = self._output(self._sizes[buffer])
        self._is_last = is_last
        self._emit("add_scale", buffer, out, self._factor)
        self._factor = 1.0
        return out

    def _emit(self, name: str, *arguments: object) -> None:
        self._operations.append((name, arguments))

    def _count(self, roundings: int, costs: Mapping[str, ArrayLike]) -> None:
        """Count an operation; kinds that cancel each other count in full."""
        self._roundings += roundings + len(costs)
        for kind, values in costs.items():
            weight = abs(self.weights.get(kind, 0.0))
            self._magnitude += weight * float(np.abs(values).max(initial=0.0))

    def _is_scratch(self, buffer: int) -> bool:
        return buffer > START and buffer not in self._held

    def _output(self, size: int) -> int:
        """Return a buffer to write to: the start's for the first node, else a scratch one."""
        if self._is_last:
            return START
        for buffer in self._free:
            if self._sizes[buffer] == size:
                self._free.remove(buffer)
                return buffer
        self._sizes.append(size)
        return len(self._sizes) - 1

    def _release(self, buffer: int) -> None:
        if self._is_scratch(buffer) and buffer not in self._free:
            self._free.append(buffer)


def size_of_named(names: Sequence[str], layout: Layout) -> int:
    """Return the number of combinations of the states of axes `names`."""
    return prod(axis.size for axis in layout if axis.name in names)


def _riders(
    read: Sequence[str], layout: Layout, behind: Layout
) -> tuple[Offsets, Offsets, Offsets, int]:
    """Return the loops over the axes that only ride along, merged, and the contiguous lanes."""
    out_strides, in_strides = strides_of(layout), strides_of(behind)
    runs: list[list[int]] = []
    for axis in layout:
        if axis.name in read or axis.size == 1:
            continue
        run = [axis.size, out_strides[axis.name], in_strides[axis.name]]
        if runs and runs[-1][1] == run[0] * run[1] and runs[-1][2] == run[0] * run[2]:
            run = [runs.pop()[0] * run[0], run[1], run[2]]
        runs.append(run)
    lanes = runs.pop()[0] if runs and runs[-1][1:] == [1, 1] else 1
    count, out_stride, in_stride = (
        np.array([run[column] for run in runs], dtype=np.int64) for column in range(3)
    )
    return count, out_stride, in_stride, lanes


def _split_scores(scores: list[Offsets]) -> tuple[Offsets, Offsets]:
    """Return the summed scores of the leading and of the trailing axes, the latter not too long."""
    inner, trailing = np.zeros(1, dtype=np.int64), len(scores)
    while trailing > 0 and (
        inner.size == 1 or inner.size * scores[trailing - 1].size <= INNER_SCORES
    ):
        trailing -= 1
        inner = np.add.outer(scores[trailing], inner).ravel()
    outer = np.zeros(1, dtype=np.int64)
    for score in scores[:trailing]:
        outer = np.add.outer(outer, score).ravel()
    return outer, inner
