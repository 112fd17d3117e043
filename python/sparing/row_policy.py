"""Policies that draw each Decision from a row of probabilities: random rules, control limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.epoch import (
    Branch,
    Chance,
    Decision,
    Epoch,
    Layout,
    Node,
    layout_after,
    resolve_to,
)
from sparing.forward import draw_thresholds, walk_nodes
from sparing.stages import check_states, stage_ends


@dataclass(frozen=True, eq=False)
class RowPolicy:
    """Each Decision draws on its own from a distribution over the entries of its row.

    The joint result is drawn first; which alternative of a Branch was taken follows from it as
    the cheapest path. So a Branch needs exactly one alternative with Decisions.

    Parameters
    ----------
    epoch
        The epoch it decides in.
    rows
        Per Decision, by its name, label or position among all Decisions, the probability
        [entries] of each entry of its table. Rows without entries are left out as they are.
    """

    epoch: Epoch
    rows: Mapping[str | int, ArrayLike]

    def __post_init__(self) -> None:
        for node in self.epoch.nodes:
            if isinstance(node, Branch):
                _check_branch(node)
        decisions = _decisions(self.epoch)
        found: dict[str | int, NDArray[np.float64]] = {}
        for key, values in self.rows.items():
            position = _position(key, decisions)
            if position in found:
                raise ValueError(f"{decisions[position].label}: given twice, again as {key!r}.")
            found[position] = _row_probabilities(decisions[position], values)
        for position, node in enumerate(decisions):
            if position not in found:
                raise ValueError(f"{node.label}: no probabilities given.")
        object.__setattr__(self, "rows", found)

    @classmethod
    def uniform(cls, epoch: Epoch) -> RowPolicy:
        """Make every allowed entry of a row equally likely."""
        rows: dict[str | int, ArrayLike] = {}
        for position, node in enumerate(_decisions(epoch)):
            counts = np.diff(node.table.indptr)
            rows[position] = 1.0 / np.repeat(counts, counts)
        return cls(epoch, rows)

    @classmethod
    def from_targets(cls, epoch: Epoch, targets: Mapping[str | int, ArrayLike]) -> RowPolicy:
        """Make a fixed rule, such as control limits: per Decision the state each row goes to.

        `targets` gives per Decision, by its name, label, position or the name of its one axis, a
        state [rows], flat over the axes it leads to. Of several such entries the first is taken.
        """
        decisions = _decisions(epoch)
        rows: dict[str | int, ArrayLike] = {}
        for key, values in targets.items():
            position = _position(key, decisions)
            rows[position] = _rows_to(decisions[position], np.asarray(values))
        return cls(epoch, rows)

    def thresholds(self) -> list[tuple[int, NDArray[np.uint32]]]:
        """Return per Decision its number among all nodes and the draw thresholds [entries]."""
        ids = [i for i, node in enumerate(walk_nodes(self.epoch)) if isinstance(node, Decision)]
        tables = [node.table for node in _decisions(self.epoch)]
        return [
            (ids[i], draw_thresholds(tables[i].indptr, np.asarray(self.rows[i])))
            for i in range(len(ids))
        ]

    def action(self, state: ArrayLike, *, stage: int = 0, seed: int = 0) -> NDArray[np.int32]:
        """Draw post-decision states with a generator of its own, seeded by `seed`."""
        start, _ = stage_ends(self.epoch, stage)
        states = check_states(state, start)
        drawn = self._draw(np.atleast_2d(states), stage, np.random.default_rng(seed))
        return drawn.reshape(*states.shape[:-1], drawn.shape[-1])

    def _draw(
        self, states: NDArray[np.int64], stage: int, rng: np.random.Generator
    ) -> NDArray[np.int32]:
        first, last = self.epoch.stages[stage]
        start, end = stage_ends(self.epoch, stage)
        place = {axis.name: states[:, i] for i, axis in enumerate(start)}
        position = len(_decisions_in(self.epoch.nodes[:first]))
        for node, layout in zip(
            self.epoch.nodes[first:last], self.epoch.layouts[first:], strict=False
        ):
            for inner in _deciding(node):
                if isinstance(inner, Decision):
                    _take_entries(inner, layout, place, np.asarray(self.rows[position]), rng)
                    position += 1
                elif isinstance(inner, Chance):
                    _take_entries(inner, layout, place, np.ones(inner.table.to.size), rng)
                layout = layout_after(inner, layout)
        return np.stack([place[axis.name] for axis in end], axis=1).astype(np.int32)


def _take_entries(
    node: Decision | Chance,
    layout: Layout,
    place: dict[str, NDArray[np.int64]],
    probability: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Draw an entry of each state's row and move the coordinates in `place` there."""
    sizes = {axis.name: axis.size for axis in layout}
    batch = next(iter(place.values())).size
    row = np.zeros(batch, dtype=np.int64)
    for name in (*node.context, *node.axes):
        row = row * sizes[name] + place[name]
    reached = np.concatenate([[0.0], np.cumsum(probability)])
    begin, end = node.table.indptr[row], node.table.indptr[row + 1]
    for state in np.flatnonzero(begin == end)[:1]:
        raise ValueError(f"{node.label}: row {row[state]} allows nothing.")
    draw = reached[begin] + rng.random(batch) * (reached[end] - reached[begin])
    draw = np.minimum(draw, np.nextafter(reached[end], -1.0))  # below it, however it was rounded
    entry = np.clip(np.searchsorted(reached, draw, side="right") - 1, begin, end - 1)
    to = resolve_to(node, layout)
    flat = node.table.to[entry]
    for axis in reversed(to):
        flat, place[axis.name] = flat // axis.size, flat % axis.size


def _deciding(node: Node) -> Sequence[Node]:
    """Return the node, or those of a Branch's one alternative with Decisions."""
    if not isinstance(node, Branch):
        return (node,)
    lists = [a.nodes for a in node.alternatives]
    return next((nodes for nodes in lists if _decisions_in(nodes)), lists[0])


def _decisions(epoch: Epoch) -> list[Decision]:
    return [node for node in walk_nodes(epoch) if isinstance(node, Decision)]


def _decisions_in(nodes: Sequence[Node]) -> list[Decision]:
    return [n for node in nodes for n in _deciding(node) if isinstance(n, Decision)]


def _check_branch(branch: Branch) -> None:
    deciding = sum(any(isinstance(n, Decision) for n in a.nodes) for a in branch.alternatives)
    if deciding != 1 and len(branch.alternatives) > 1:
        raise ValueError(
            f"{branch.label}: a RowPolicy needs exactly one alternative with Decisions;"
            f" got {deciding}."
        )


def _position(key: str | int, decisions: Sequence[Decision]) -> int:
    if isinstance(key, int) and 0 <= key < len(decisions):
        return key
    named = [i for i, node in enumerate(decisions) if key in (node.name, node.label)]
    named = named or [i for i, node in enumerate(decisions) if tuple(node.axes) == (key,)]
    if len(named) != 1:
        known = [node.name or node.label for node in decisions]
        raise ValueError(f"{key!r} must be one of the Decisions {known} or a position of theirs.")
    return named[0]


def _row_probabilities(node: Decision, values: ArrayLike) -> NDArray[np.float64]:
    table = node.table
    rows = np.array(values, dtype=np.float64)
    if rows.shape != table.to.shape:
        raise ValueError(
            f"{node.label}: probabilities must have shape {table.to.shape}; got {rows.shape}."
        )
    for entry in np.flatnonzero(~(rows >= 0.0))[:1]:
        raise ValueError(
            f"{node.label}: row {table.row_of_entry(entry)} has a probability of {rows[entry]:g};"
            " it must be at least 0."
        )
    sums = np.bincount(table.rows(), weights=rows, minlength=table.num_rows)
    wrong = (np.diff(table.indptr) > 0) & ~(np.abs(sums - 1.0) <= 1e-9)
    for row in np.flatnonzero(wrong)[:1]:
        raise ValueError(f"{node.label}: row {row} sums to {sums[row]:.9g}, not 1.")
    rows.setflags(write=False)
    return rows


def _rows_to(node: Decision, targets: NDArray[np.integer]) -> NDArray[np.float64]:
    table = node.table
    if targets.shape != (table.num_rows,):
        raise ValueError(
            f"{node.label}: targets must have shape ({table.num_rows},); got {targets.shape}."
        )
    rows = np.zeros(table.to.size)
    for row, (begin, end) in enumerate(zip(table.indptr[:-1], table.indptr[1:], strict=True)):
        hits = np.flatnonzero(table.to[begin:end] == targets[row])
        if not hits.size and end > begin:
            raise ValueError(f"{node.label}: row {row} has no entry that leads to {targets[row]}.")
        rows[begin + hits[:1]] = 1.0
    return rows
