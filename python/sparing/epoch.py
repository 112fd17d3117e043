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
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import frozen_array
from sparing.table import Table

Layout: TypeAlias = "tuple[Axis, ...]"
Names: TypeAlias = "str | Sequence[str]"


@dataclass(frozen=True)
class Axis:
    """One coordinate of the state: `size` states 0..size-1, with optional `labels`."""

    name: str
    size: int
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.size >= 1:
            raise ValueError(f"axis {self.name!r}: size must be at least 1; got {self.size}.")
        if self.labels and len(self.labels) != self.size:
            raise ValueError(
                f"axis {self.name!r}: {self.size} states need as many labels;"
                f" got {len(self.labels)}."
            )


@dataclass(frozen=True, eq=False)
class Cost:
    """`values` is paid in the present state.

    Parameters
    ----------
    axes
        Names of the axes it depends on; ``()`` for a constant.
    values
        One number per combination of states, or of groups where `groups` is given. +inf forbids
        the state.
    kind
        The named kind of cost it counts as.
    groups
        Per axis name the group 0..G-1 of each state, e.g. up or down; other axes count in full.
    """

    axes: Names
    values: ArrayLike
    kind: str = "cost"
    groups: Mapping[str, ArrayLike] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", _names(self.axes))
        object.__setattr__(self, "values", frozen_array(self.label, self.values))
        maps = {
            a: frozen_array(f"{self.label} groups", g, np.int64) for a, g in self.groups.items()
        }
        object.__setattr__(self, "groups", maps)
        if np.isnan(self.values).any() or (self.values == -np.inf).any():
            raise ValueError(f"{self.label}: values must not be NaN or -inf.")

    @property
    def label(self) -> str:
        """How errors name this node."""
        return f"Cost {self.name or self.kind!r} on {_names(self.axes)}"


@dataclass(frozen=True, eq=False)
class _Rows:
    """What Decision and Chance share: rows of a table from `axes` to axes `to`.

    Parameters
    ----------
    axes
        Names of the axes that a row is read from and that are replaced.
    table
        A `Table` with one row per combination of (context, axes) states in C order, or a dense
        array [rows, to states] that becomes one.
    to
        The axes a row leads to: names of axes kept as they are, or new `Axis` objects (created,
        or resized where the name stays). Default: `axes` unchanged.
    context
        Names of axes that are read but pass through unchanged.
    kind
        The kind of a dense Decision's costs.
    """

    axes: Names
    table: Table | ArrayLike
    to: Axis | str | Sequence[Axis | str] | None = None
    context: Names = ()
    kind: str = "cost"
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", _names(self.axes))
        object.__setattr__(self, "context", _names(self.context))
        to = self.axes if self.to is None else self.to
        object.__setattr__(self, "to", (to,) if isinstance(to, Axis | str) else tuple(to))
        if not isinstance(self.table, Table):
            table = self._from_dense(frozen_array(self.label, self.table))
            object.__setattr__(self, "table", table)
        self._check_rows()

    def _from_dense(self, values: NDArray[np.float64]) -> Table:
        raise NotImplementedError

    def _check_rows(self) -> None:
        raise NotImplementedError

    @property
    def label(self) -> str:
        """How errors name this node."""
        named = f" {self.name!r}" if self.name else ""
        return f"{type(self).__name__}{named} on {', '.join(_names(self.axes)) or '()'}"


class Decision(_Rows):
    """Someone picks one entry of a row: (choice, next state, costs); +inf is not allowed."""

    def _from_dense(self, values: NDArray[np.float64]) -> Table:
        return Table.from_costs(values, kind=self.kind, label=self.label)

    def _check_rows(self) -> None:
        if self.table.choice is None:
            raise ValueError(f"{self.label}: a Decision needs a choice number per entry.")


class Chance(_Rows):
    """Nature draws one entry of a row: (probability, next state, costs)."""

    def _from_dense(self, values: NDArray[np.float64]) -> Table:
        return Table.from_probabilities(values, label=self.label)

    def _check_rows(self) -> None:
        self.table.check_probabilities(self.label)

    @property
    def is_move(self) -> bool:
        """Whether every row has a single entry, so that nothing is drawn."""
        return bool(np.all(np.diff(self.table.indptr) == 1))


@dataclass(frozen=True, eq=False)
class Alternative:
    """One sub-list of a Branch, entered at a `cost` per kind."""

    nodes: Sequence[Node]
    cost: Mapping[str, float] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        object.__setattr__(self, "cost", dict(self.cost))


@dataclass(frozen=True, eq=False)
class Branch:
    """One of several lists without draws is chosen; all end on the same axes."""

    alternatives: Sequence[Alternative]
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "alternatives", tuple(self.alternatives))
        if not self.alternatives:
            raise ValueError(f"{self.label} needs at least one alternative.")
        for position, alternative in enumerate(self.alternatives):
            for node in alternative.nodes:
                if isinstance(node, Branch) or (isinstance(node, Chance) and not node.is_move):
                    raise ValueError(
                        f"{self.label}, alternative {position}: a {type(node).__name__} inside a "
                        "Branch is not supported; choose an option axis by a Decision instead."
                    )

    @property
    def label(self) -> str:
        """How errors name this node."""
        return f"Branch {self.name!r}" if self.name else "Branch"


Node: TypeAlias = Cost | Decision | Chance | Branch


@dataclass(frozen=True, eq=False, kw_only=True)
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

    Raises
    ------
    ValueError
        If a node does not fit the axes that are live at its place, naming node, axis and row; or
        if some state allows no action, naming the state.
    """

    axes: Sequence[Axis]
    nodes: Sequence[Node]
    discount: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", tuple(self.axes))
        object.__setattr__(self, "nodes", tuple(self.nodes))
        names = [axis.name for axis in self.axes]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"axis {name!r} is declared twice.")
        if not 0.0 < self.discount <= 1.0:
            raise ValueError(f"discount must be in (0, 1]; got {self.discount}.")
        layouts = [self.axes]
        for node in self.nodes:
            layouts.append(layout_after(node, layouts[-1]))
        object.__setattr__(self, "_layouts", tuple(layouts))
        from sparing.feasibility import check_every_state_has_an_action

        check_every_state_has_an_action(self)

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The live axes before each node, and behind the last one."""
        layouts: tuple[Layout, ...] = self._layouts  # type: ignore[attr-defined]
        return layouts

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
        """Runs [first, last) of nodes that hold a choice and no draw.

        A greedy policy is one post-decision state per stage and state at its start.
        """
        runs, start = [], 0
        for position, node in enumerate((*self.nodes, None)):
            if node is None or (isinstance(node, Chance) and not node.is_move):
                if any(isinstance(n, Decision | Branch) for n in self.nodes[start:position]):
                    runs.append((start, position))
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
    for alternative in branch.alternatives:
        end = layout
        for node in alternative.nodes:
            end = layout_after(node, end)
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


def _names(axes: Names) -> tuple[str, ...]:
    return (axes,) if isinstance(axes, str) else tuple(axes)
