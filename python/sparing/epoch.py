"""One decision epoch as an ordered list of nodes on named state axes.

A `Cost` is paid, a `Decision` is taken, `Chance` draws, a `Branch` offers alternative lists: in
the order of time. The same list is swept backward by the solvers (a Decision minimises, a Chance
averages) and run forward by the simulators, so a model's dynamics are written once.

>>> from sparing.epoch import Axis, Chance, Cost, Decision, Epoch
>>> wear = [[0.8, 0.2], [0.0, 1.0]]  # working, failed
>>> epoch = Epoch(
...     axes=[Axis("unit", 2)],
...     nodes=[
...         Cost("unit", [0.0, 5.0], kind="downtime"),
...         Decision("unit", [[0.0, float("inf")], [10.0, 0.0]], kind="repair"),
...         Chance("unit", wear),
...     ],
... )
>>> epoch.num_states, epoch.kinds
(2, ('downtime', 'repair'))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from sparing._checks import is_number
from sparing.nodes import (
    Alternative,
    Axis,
    Branch,
    Chance,
    Cost,
    Decision,
    Layout,
    Node,
)

__all__ = [
    "Alternative",
    "Axis",
    "Branch",
    "Chance",
    "Cost",
    "Decision",
    "Epoch",
    "Layout",
    "Node",
]


@dataclass(frozen=True, eq=False, init=False)
class Epoch:
    """One period: `nodes` in the order of time on the state `axes`.

    Parameters
    ----------
    axes
        The axes of the state at which the epoch starts, in C order (the last runs fastest).
    nodes
        What happens, in order. Every node finds its axes among those that are live there. An
        axis that keeps its name keeps its place; a created axis takes the place of the first
        axis its node drops, or stands first.
    discount
        Weight of the value behind the last node, in (0, 1].

    Attributes
    ----------
    layouts
        The live axes before each node, and behind the last one.

    Raises
    ------
    ValueError
        If a node does not fit the axes that are live at its place, naming node, axis and row; or
        if some state allows no action, naming the state.
    """

    axes: Layout
    nodes: tuple[Node, ...]
    discount: float
    layouts: tuple[Layout, ...] = field(init=False)  # derived, so `replace` leaves it out

    def __init__(
        self, *, axes: Sequence[Axis], nodes: Sequence[Node], discount: float = 1.0
    ) -> None:
        for axis in axes:
            if not isinstance(axis, Axis):
                raise ValueError(f"axes must be Axis objects; got {axis!r}.")
            if [other.name for other in axes].count(axis.name) > 1:
                raise ValueError(f"axis {axis.name!r} is declared twice.")
        if not (is_number(discount) and 0.0 < discount <= 1.0):
            raise ValueError(f"discount must be a number in (0, 1]; got {discount!r}.")
        layouts = [tuple(axes)]
        for position, node in enumerate(nodes):
            if not isinstance(node, Cost | Decision | Chance | Branch):
                raise ValueError(
                    f"node {position} must be a Cost, Decision, Chance or Branch; got {node!r}."
                )
            layouts.append(layout_after(node, layouts[-1]))
        fields = {"axes": tuple(axes), "nodes": tuple(nodes), "discount": float(discount)}
        for name, value in {**fields, "layouts": tuple(layouts)}.items():
            object.__setattr__(self, name, value)
        from sparing.feasibility import check_every_state_has_an_action

        check_every_state_has_an_action(self)

    @property
    def end_axes(self) -> Layout:
        """The axes behind the last node; those of the next epoch's start."""
        return self.layouts[-1]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value tensor at the start."""
        return tuple(axis.size for axis in self.axes)

    @property
    def num_states(self) -> int:
        """Number of states possible at the start."""
        return prod(self.shape)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of cost that occur, in order of first appearance."""
        return tuple(dict.fromkeys(kind for node in self.nodes for kind in _kinds(node)))

    @property
    def stages(self) -> tuple[tuple[int, int], ...]:
        """Runs [first, last) of nodes without a draw that end behind their last choice.

        A greedy policy is one post-decision state per stage and state at its start. Moves that
        follow the last choice, such as wear that is certain, are no part of what is decided.
        """
        runs, start, last = [], 0, 0
        for position, node in enumerate((*self.nodes, None)):
            if isinstance(node, Decision | Branch):
                last = position + 1
            elif node is None or (isinstance(node, Chance) and not node.is_move):
                if last > start:
                    runs.append((start, last))
                start = position + 1
        return tuple(runs)


def layout_after(node: Node, layout: Layout) -> Layout:
    """Return the live axes behind `node`, or raise if it does not fit `layout`."""
    if isinstance(node, Branch):
        return _layout_after_branch(node, layout)
    sizes = {axis.name: axis.size for axis in layout}
    for name in (*node.axes, *getattr(node, "context", ())):
        if name not in sizes:
            raise ValueError(f"{node.label}: axis {name!r} is not live here; live: {[*sizes]}.")
    if isinstance(node, Cost):
        _check_cost(node, sizes)
        return layout
    _check_rows(node, layout, sizes)
    return _replaced(layout, node.axes, resolve_to(node, layout))


def resolve_to(node: Decision | Chance, layout: Layout) -> Layout:
    """Return the axes that `node` leads to as `Axis` objects."""
    live = {axis.name: axis for axis in layout}
    resolved = []
    for axis in node.to:
        if isinstance(axis, Axis):
            resolved.append(axis)
        elif axis in node.axes:
            resolved.append(live[axis])
        else:
            raise ValueError(f"{node.label}: leads to {axis!r}, which is not among its axes.")
    return tuple(resolved)


def _layout_after_branch(branch: Branch, layout: Layout) -> Layout:
    ends = []
    for position, alternative in enumerate(branch.alternatives):
        end = layout
        for node in alternative.nodes:
            try:
                end = layout_after(node, end)
            except ValueError as error:
                raise ValueError(f"{branch.place(position)}: {error}") from None
        ends.append(end)
    shapes = [[(axis.name, axis.size) for axis in end] for end in ends]
    for position, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{branch.label}: alternative {position} ends on {shape}, alternative 0 on"
                f" {shapes[0]}; all must end on the same axes."
            )
    return ends[0]


def _check_cost(node: Cost, sizes: Mapping[str, int]) -> None:
    if len(set(node.axes)) != len(node.axes):
        raise ValueError(f"{node.label}: an axis is named twice in {node.axes}.")
    wanted = []
    for name in node.axes:
        group = node.groups.get(name)
        if group is not None and (group.shape != (sizes[name],) or group.min() < 0):
            raise ValueError(
                f"{node.label}: groups of axis {name!r} must be {sizes[name]} numbers >= 0."
            )
        wanted.append(sizes[name] if group is None else int(group.max()) + 1)
    fits = len(node.values.shape) == len(wanted) and all(
        have >= want if name in node.groups else have == want
        for name, have, want in zip(node.axes, node.values.shape, wanted, strict=True)
    )
    if not fits:
        raise ValueError(
            f"{node.label}: values must have shape {tuple(wanted)}; got {node.values.shape}."
        )


def _check_rows(node: Decision | Chance, layout: Layout, sizes: Mapping[str, int]) -> None:
    read = (*node.context, *node.axes)
    if len(set(read)) != len(read):
        raise ValueError(f"{node.label}: an axis is named twice in {read}.")
    to = resolve_to(node, layout)
    staying = {axis.name for axis in layout} - set(node.axes)
    for axis in to:
        if axis.name in staying or [t.name for t in to].count(axis.name) > 1:
            raise ValueError(f"{node.label}: leads to axis {axis.name!r}, which is live already.")
    num_rows, num_to = prod(sizes[name] for name in read), prod(axis.size for axis in to)
    if node.table.num_rows != num_rows:
        raise ValueError(
            f"{node.label}: has {node.table.num_rows} rows; the states of"
            f" {read or '()'} are {num_rows}."
        )
    outside = np.flatnonzero((node.table.to < 0) | (node.table.to >= num_to))
    if outside.size:
        row = node.table.row_of_entry(int(outside[0]))
        raise ValueError(
            f"{node.label}: row {row} leads to state {node.table.to[outside[0]]} of"
            f" {num_to} states of {tuple(a.name for a in to)}."
        )


def _replaced(layout: Layout, dropped: Sequence[str], to: Layout) -> Layout:
    """Return `layout` with axes `dropped` replaced by `to`."""
    kept = {axis.name: axis for axis in to if axis.name in dropped}
    created = [axis for axis in to if axis.name not in dropped]
    result: list[Axis] = []
    for axis in layout:
        if axis.name in kept:
            result.append(kept[axis.name])
        elif axis.name not in dropped:
            result.append(axis)
        else:
            result += created
            created = []
    return (*created, *result)


def _kinds(node: Node) -> tuple[str, ...]:
    if isinstance(node, Cost):
        return (node.kind,)
    if isinstance(node, Branch):
        inner = [
            kind
            for alternative in node.alternatives
            for kind in (*alternative.cost, *(k for n in alternative.nodes for k in _kinds(n)))
        ]
        return tuple(inner)
    return tuple(node.table.cost)
