"""The nodes of an epoch: axes, costs, decisions, chance and branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import Frozen, check_number, frozen_array
from sparing.table import Table

Names: TypeAlias = str | Sequence[str]


@dataclass(frozen=True)
class Axis:
    """One coordinate of the state: `size` states 0..size-1, with optional `labels`."""

    name: str
    size: int
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ValueError(f"an axis needs a text as its name; got {self.name!r}.")
        if isinstance(self.size, bool) or not isinstance(self.size, int | np.integer):
            raise ValueError(f"axis {self.name!r}: size must be a whole number; got {self.size!r}.")
        if not self.size >= 1:
            raise ValueError(f"axis {self.name!r}: size must be at least 1; got {self.size}.")
        _set(self, size=int(self.size), labels=tuple(self.labels))
        if self.labels and len(self.labels) != self.size:
            raise ValueError(
                f"axis {self.name!r}: {self.size} states need as many labels;"
                f" got {len(self.labels)}."
            )


Layout: TypeAlias = tuple[Axis, ...]


@dataclass(frozen=True, eq=False, init=False)
class Cost(Frozen):
    """`values` is paid in the present state.

    Parameters
    ----------
    axes
        Names of the axes it depends on; ``()`` for a constant.
    values
        Shape (sizes of the axes): one number per combination of states, or of groups where
        `groups` is given. +inf forbids the state.
    kind
        The named kind of cost it counts as.
    groups
        Per axis name the group 0..G-1 of each of its states [S], e.g. up or down; other axes count
        in full.
    """

    axes: tuple[str, ...]
    values: NDArray[np.float64]
    kind: str
    groups: Mapping[str, NDArray[np.int64]]
    name: str

    def __init__(
        self,
        axes: Names,
        values: ArrayLike,
        kind: str = "cost",
        *,
        groups: Mapping[str, ArrayLike] | None = None,
        name: str = "",
    ) -> None:
        _set(self, axes=names_of(axes), kind=kind, name=name)
        array = frozen_array(self.label, values)
        if np.isnan(array).any() or (array == -np.inf).any():
            raise ValueError(f"{self.label}: values must not be NaN or -inf.")
        maps = {
            a: frozen_array(f"{self.label} groups", g, np.int64) for a, g in (groups or {}).items()
        }
        for axis, map_ in maps.items():
            if axis not in self.axes or map_.ndim != 1 or (map_ < 0).any():
                raise ValueError(
                    f"{self.label}: groups of axis {axis!r} must be numbers >= 0, one per state"
                    " of an axis it depends on."
                )
        _set(self, values=array, groups=MappingProxyType(maps))

    @property
    def label(self) -> str:
        """How errors name this node."""
        return f"Cost {self.name or self.kind!r} on {', '.join(self.axes) or '()'}"


@dataclass(frozen=True, eq=False, init=False)
class _Rows:
    axes: tuple[str, ...]
    table: Table
    to: tuple[Axis | str, ...]
    context: tuple[str, ...]
    name: str

    def _place(
        self, axes: Names, to: Axis | str | Sequence[Axis | str] | None, context: Names, name: str
    ) -> None:
        ends = names_of(axes) if to is None else to
        ends = (ends,) if isinstance(ends, Axis | str) else tuple(ends)
        _set(self, axes=names_of(axes), to=ends, context=names_of(context), name=name)

    @property
    def label(self) -> str:
        """How errors name this node."""
        named = f" {self.name!r}" if self.name else ""
        return f"{type(self).__name__}{named} on {', '.join(self.axes) or '()'}"

    @property
    def is_move(self) -> bool:
        """Whether every row has a single entry, so that nothing is drawn or chosen."""
        return bool(np.all(np.diff(self.table.indptr) == 1))


@dataclass(frozen=True, eq=False, init=False)
class Decision(_Rows):
    """Someone picks one entry of a row: (choice, next state, costs).

    Parameters
    ----------
    axes
        Names of the axes that a row is read from and that are replaced.
    table
        A `Table` with one row per combination of (context, axes) states in C order, or dense
        costs [rows, to states] in which +inf is not allowed and the column is the choice.
    kind
        The kind of dense costs.
    to
        The axes a row leads to: names of axes kept as they are, or new `Axis` objects (created,
        or resized where the name stays). Default: `axes` unchanged.
    context
        Names of axes that are read but pass through unchanged.
    """

    def __init__(
        self,
        axes: Names,
        table: Table | ArrayLike,
        kind: str = "cost",
        *,
        to: Axis | str | Sequence[Axis | str] | None = None,
        context: Names = (),
        name: str = "",
    ) -> None:
        self._place(axes, to, context, name)
        rows = (
            table
            if isinstance(table, Table)
            else Table.from_costs(table, kind=kind, label=self.label)
        )
        if rows.choice is None:
            raise ValueError(f"{self.label}: a Decision needs a choice number per entry.")
        _set(self, table=rows)


@dataclass(frozen=True, eq=False, init=False)
class Chance(_Rows):
    """Nature draws one entry of a row: (probability, next state, costs).

    Parameters
    ----------
    axes, to, context
        As for a `Decision`.
    table
        A `Table` with one row per combination of (context, axes) states in C order, or dense
        probabilities [rows, to states]; every row sums to one.
    """

    def __init__(
        self,
        axes: Names,
        table: Table | ArrayLike,
        *,
        to: Axis | str | Sequence[Axis | str] | None = None,
        context: Names = (),
        name: str = "",
    ) -> None:
        self._place(axes, to, context, name)
        rows = (
            table if isinstance(table, Table) else Table.from_probabilities(table, label=self.label)
        )
        rows.check_probabilities(self.label)
        _set(self, table=rows)


@dataclass(frozen=True, eq=False, init=False)
class Alternative(Frozen):
    """One sub-list of a Branch, entered at a `cost` per kind."""

    nodes: tuple[PlainNode, ...]
    cost: Mapping[str, float]
    name: str

    def __init__(
        self,
        nodes: Sequence[PlainNode] = (),
        *,
        cost: Mapping[str, float] | None = None,
        name: str = "",
    ) -> None:
        place = f"Alternative {name!r}" if name else "Alternative"
        entry = {k: check_number(f"{place}: cost {k!r}", v) for k, v in (cost or {}).items()}
        _set(self, nodes=tuple(nodes), cost=MappingProxyType(entry), name=name)


@dataclass(frozen=True, eq=False, init=False)
class Branch:
    """One of several lists without draws is chosen; all end on the same axes."""

    alternatives: tuple[Alternative, ...]
    name: str

    def __init__(self, alternatives: Sequence[Alternative], *, name: str = "") -> None:
        _set(self, alternatives=tuple(alternatives), name=name)
        if not self.alternatives:
            raise ValueError(f"{self.label} needs at least one alternative.")
        for position, alternative in enumerate(self.alternatives):
            if not isinstance(alternative, Alternative):
                raise ValueError(
                    f"{self.label}: alternative {position} must be an Alternative;"
                    f" got {alternative!r}."
                )
            for node in alternative.nodes:
                self._check_inside(self.place(position), node)

    def place(self, position: int) -> str:
        """How errors name an alternative."""
        name = self.alternatives[position].name
        return f"{self.label}, alternative {position}" + (f" {name!r}" if name else "")

    @staticmethod
    def _check_inside(place: str, node: object) -> None:
        if isinstance(node, Branch) or (isinstance(node, Chance) and not node.is_move):
            raise ValueError(
                f"{place}: a {type(node).__name__} inside a Branch is not supported; choose an"
                " option axis by a Decision instead."
            )
        if not isinstance(node, Cost | Decision | Chance):
            raise ValueError(f"{place}: a node must be a Cost, Decision or Chance; got {node!r}.")

    @property
    def label(self) -> str:
        """How errors name this node."""
        return f"Branch {self.name!r}" if self.name else "Branch"


PlainNode: TypeAlias = Cost | Decision | Chance
Node: TypeAlias = PlainNode | Branch


def names_of(axes: Names) -> tuple[str, ...]:
    """Return axis names as a tuple; a single name counts as one axis."""
    names = (axes,) if isinstance(axes, str) or not isinstance(axes, Iterable) else tuple(axes)
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"axes must be given by their names; got {axes!r}.")
    return names


def _set(node: object, **values: object) -> None:
    """Set fields of a frozen node while it is being made."""
    for name, value in values.items():
        object.__setattr__(node, name, value)
