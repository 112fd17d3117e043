"""Layouts, stages and kinds of an epoch, worked out once more from the definition of the nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
from sparing.epoch import Axis, Branch, Chance, Cost, Decision

State = tuple[int, ...]
Weights = Mapping[str, float]


def layout_behind(node: Any, layout: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return the live axes behind `node`.

    Kept names keep their place; created axes take that of the first axis dropped, or stand first.
    """
    if isinstance(node, Cost):
        return tuple(layout)
    if isinstance(node, Branch):
        return layouts_behind(node.alternatives[0].nodes, layout)[-1]
    to = axes_to(node, layout)
    created = [axis for axis in to if axis.name not in node.axes]
    kept = {axis.name: axis for axis in to if axis.name in node.axes}
    dropped = [axis for axis in layout if axis.name in node.axes and axis.name not in kept]
    place = layout.index(dropped[0]) if dropped else 0
    before, behind = layout[:place], layout[place:]
    merged = (*before, *created, *behind)
    return tuple(kept.get(axis.name, axis) for axis in merged if axis not in dropped)


def layouts_of(epoch: Any) -> list[tuple[Axis, ...]]:
    """Return the live axes before each node and behind the last one."""
    return layouts_behind(epoch.nodes, tuple(epoch.axes))


def stages_of(epoch: Any) -> list[tuple[int, int]]:
    """Return the runs of nodes between draws that hold a choice, each up to its last choice."""
    edges = [-1, *(i for i, node in enumerate(epoch.nodes) if draws(node)), len(epoch.nodes)]
    stages = []
    for a, b in pairwise(edges):
        choices = [i for i in range(a + 1, b) if isinstance(epoch.nodes[i], Decision | Branch)]
        if choices:
            stages.append((a + 1, max(choices) + 1))
    return stages


def kinds_of(nodes: Sequence[Any]) -> list[str]:
    """Return the kinds of cost that occur, in order of first appearance."""
    kinds: list[str] = []
    for node in nodes:
        if isinstance(node, Cost):
            kinds.append(node.kind)
        elif isinstance(node, Branch):
            for alternative in node.alternatives:
                kinds += [*alternative.cost, *kinds_of(alternative.nodes)]
        else:
            kinds += node.table.cost
    return list(dict.fromkeys(kinds))


def layouts_behind(nodes: Sequence[Any], layout: Sequence[Axis]) -> list[tuple[Axis, ...]]:
    layouts = [tuple(layout)]
    for node in nodes:
        layouts.append(layout_behind(node, layouts[-1]))
    return layouts


def axes_to(node: Any, layout: Sequence[Axis]) -> list[Axis]:
    live = {axis.name: axis for axis in layout}
    return [live[axis] if isinstance(axis, str) else axis for axis in node.to]


def draws(node: Any) -> bool:
    return isinstance(node, Chance) and max(np.diff(node.table.indptr)) > 1


def shape_of(layout: Sequence[Axis]) -> tuple[int, ...]:
    return tuple(axis.size for axis in layout)


def states_of(layout: Sequence[Axis]) -> Iterator[State]:
    return product(*(range(axis.size) for axis in layout))
