"""Policies that draw each Decision from a row of probabilities: random rules, control limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.epoch import Branch, Chance, Decision, Epoch, Layout, Node, layout_after, resolve_to
from sparing.forward import draw_thresholds, walk_nodes
from sparing.stages import check_states, stage_ends

Probabilities = NDArray[np.float64]


@dataclass(frozen=True, eq=False, init=False)
class RowPolicy:
    """Each Decision draws on its own from a distribution over the entries of its row.

    The joint result is drawn first; which alternative of a Branch was taken follows from it as
    the cheapest path. So probabilities are given for the Decisions of exactly one alternative.

    Parameters
    ----------
    epoch
        The epoch it decides in.
    rows
        Per Decision the probability [entries] of each entry of its table. A Decision is meant by
        its name, its label, its one axis, or its position among all Decisions (those of
        alternatives included). Of several so named, the one that offers a choice is meant.

    Attributes
    ----------
    rows
        The probabilities by position.
    """

    epoch: Epoch
    rows: Mapping[int, Probabilities]

    def __init__(self, epoch: Epoch, rows: Mapping[str | int, ArrayLike]) -> None:
        decisions = _decisions(epoch)
        found: dict[int, Probabilities] = {}
        for key, values in rows.items():
            position = _position(key, decisions)
            if position in found:
                raise ValueError(f"{decisions[position].label}: given twice, again as {key!r}.")
            found[position] = _row_probabilities(decisions[position], values)
        object.__setattr__(self, "epoch", epoch)
        object.__setattr__(self, "rows", found)
        self._deciding_nodes()

    @classmethod
    def uniform(cls, epoch: Epoch) -> RowPolicy:
        """Make every allowed entry of a row equally likely."""
        rows: dict[str | int, ArrayLike] = {}
        for position, node in _choosing(epoch):
            counts = np.diff(node.table.indptr)
            rows[position] = 1.0 / np.repeat(counts, counts)
        return cls(epoch, rows)

    @classmethod
    def from_targets(cls, epoch: Epoch, targets: Mapping[str | int, ArrayLike]) -> RowPolicy:
        """Make a fixed rule, such as control limits: per Decision the state each row goes to.

        `targets` gives per Decision a state [rows], flat over the axes it leads to. Of several
        entries that lead there the first is taken.
        """
        decisions = _decisions(epoch)
        rows: dict[str | int, ArrayLike] = {}
        for key, values in targets.items():
            position = _position(key, decisions)
            rows[position] = _rows_to(decisions[position], np.asarray(values))
        return cls(epoch, rows)

    def thresholds(self) -> list[tuple[int, NDArray[np.uint32]]]:
        """Return per Decision its number among all nodes and the draw thresholds [entries]."""
        nodes = [n for n in enumerate(walk_nodes(self.epoch)) if isinstance(n[1], Decision)]
        tables = [(id_, node.table) for id_, node in nodes if isinstance(node, Decision)]
        return [
            (tables[position][0], draw_thresholds(tables[position][1].indptr, probability))
            for position, probability in self.rows.items()
        ]

    def action(self, state: ArrayLike, *, stage: int = 0, seed: int = 0) -> NDArray[np.int32]:
        """Draw post-decision states with a generator of its own, seeded by `seed`."""
        start, end = stage_ends(self.epoch, stage)
        states = check_states(state, start)
        batch, rng = np.atleast_2d(states), np.random.default_rng(seed)
        place = {axis.name: batch[:, i] for i, axis in enumerate(start)}
        first, last = self.epoch.stages[stage]
        for nodes, layout in zip(
            self._deciding_nodes()[first:last], self.epoch.layouts[first:last], strict=True
        ):
            live = layout
            for node, position in nodes:
                if isinstance(node, Decision | Chance):
                    rows = self.rows.get(position, np.ones(node.table.to.size))
                    _take_entries(node, live, place, rows, rng)
                live = layout_after(node, live)
        post = np.stack([place[axis.name] for axis in end], axis=1)
        return post.astype(np.int32).reshape(*states.shape[:-1], len(end))

    def _deciding_nodes(self) -> list[list[tuple[Node, int]]]:
        """Return per node of the epoch those passed, with their positions; or raise."""
        passed, position = [], 0
        for node in self.epoch.nodes:
            numbered: list[list[tuple[Node, int]]] = []
            for nodes in _lists(node):
                numbered.append([])
                for inner in nodes:
                    decides = isinstance(inner, Decision)
                    numbered[-1].append((inner, position if decides else -1))
                    position += decides
            given = [pairs for pairs in numbered if any(p in self.rows for _, p in pairs)]
            if len(given) != 1 and len(numbered) > 1:
                raise ValueError(
                    f"{node.label}: probabilities must be given for the Decisions of exactly one"
                    f" alternative; got {len(given)}."
                )
            passed.append((given or numbered)[0])
            for inner, p in passed[-1]:
                if isinstance(inner, Decision) and p not in self.rows:
                    raise ValueError(f"{inner.label}: no probabilities given.")
        return passed


def _take_entries(
    node: Decision | Chance,
    layout: Layout,
    place: dict[str, NDArray[np.int64]],
    probability: Probabilities,
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
    flat = node.table.to[entry]
    for axis in reversed(resolve_to(node, layout)):
        flat, place[axis.name] = flat // axis.size, flat % axis.size


def _decisions(epoch: Epoch) -> list[Decision]:
    return [node for node in walk_nodes(epoch) if isinstance(node, Decision)]


def _lists(node: Node) -> list[tuple[Node, ...]]:
    return [a.nodes for a in node.alternatives] if isinstance(node, Branch) else [(node,)]


def _is_forced(node: Decision) -> bool:
    return bool((np.diff(node.table.indptr) <= 1).all())


def _choosing(epoch: Epoch) -> list[tuple[int, Decision]]:
    """Return the Decisions, with positions, that a rule covers: the choosing alternatives."""
    found: list[tuple[int, Decision]] = []
    position = 0
    for node in epoch.nodes:
        offered = []
        for nodes in _lists(node):
            decisions = [n for n in nodes if isinstance(n, Decision)]
            offered.append(list(enumerate(decisions, start=position)))
            position += len(decisions)
        offered = [pairs for pairs in offered if pairs]
        if len(offered) > 1:
            offered = [pairs for pairs in offered if not all(_is_forced(n) for _, n in pairs)]
        found += [pair for pairs in offered for pair in pairs]
    return found


def _position(key: str | int, decisions: Sequence[Decision]) -> int:
    if isinstance(key, int) and 0 <= key < len(decisions):
        return key
    named = [i for i, node in enumerate(decisions) if key in (node.name, node.label)]
    named = named or [i for i, node in enumerate(decisions) if node.axes == (key,)]
    if len(named) > 1:
        named = [i for i in named if not _is_forced(decisions[i])]
    if len(named) != 1:
        known = [node.name or node.label for node in decisions]
        raise ValueError(f"{key!r} must mean one of the Decisions {known}; it means {len(named)}.")
    return named[0]


def _row_probabilities(node: Decision, values: ArrayLike) -> Probabilities:
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


def _rows_to(node: Decision, targets: NDArray[np.integer]) -> Probabilities:
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
