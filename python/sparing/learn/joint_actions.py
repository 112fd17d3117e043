"""A stage as one choice among joint actions: all its Decisions at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from sparing.epoch import Branch, Decision, Epoch, Layout, Node, layout_after
from sparing.learn.flow import Flow, Pay, Rows, instruction_of, weighted
from sparing.learn.process import DURATION

LARGEST = 1 << 23  # paths through a stage, over all its states


@dataclass(frozen=True, eq=False)
class _Paths:
    """Paths from the states at the start of a stage to where they are now."""

    start: NDArray[np.int64]  # [paths]
    coords: NDArray[np.int64]  # [slots, paths]
    choices: NDArray[np.int64]  # [labels, paths]: choice + 1, 0 where none was met
    cost: NDArray[np.float64]
    duration: NDArray[np.float64]

    def picked(self, keep: NDArray[np.intp] | NDArray[np.bool_]) -> _Paths:
        return _Paths(
            self.start[keep],
            self.coords[:, keep],
            self.choices[:, keep],
            self.cost[keep],
            self.duration[keep],
        )


def joint_rows(flow: Flow, epoch: Epoch, first: int, last: int) -> Rows:
    """Return nodes [first, last) of `epoch` as a choice of where to go.

    Of the paths between the same two states the cheapest is kept (ties: the earlier one). An
    action is a combination of choice numbers, one per Decision label met; combinations that are
    nowhere needed have no number.

    Raises
    ------
    MemoryError
        If there are too many paths to list.
    """
    layout, end = epoch.layouts[first], epoch.layouts[last]
    for live in epoch.layouts[first : last + 1]:
        flow.places(live)
    labels = list(dict.fromkeys(_labels(epoch.nodes[first:last])))
    size = prod(axis.size for axis in layout)
    _check_size(size)
    places = flow.places(layout)
    _place_inner_axes(flow, epoch, first, last)
    coords = np.zeros((len(flow.slots), size), dtype=np.int64)
    grid = np.unravel_index(np.arange(size), tuple(axis.size for axis in layout))
    for place, values in zip(places, grid, strict=True):
        coords[place.slot] = values
    zero = np.zeros(size)
    paths = _Paths(
        np.arange(size), coords, np.zeros((len(labels), size), dtype=np.int64), zero, zero
    )
    for node, live in zip(epoch.nodes[first:last], epoch.layouts[first:last], strict=True):
        paths = _through(flow, node, live, paths, labels)
    return _as_rows(flow, epoch, first, layout, end, paths)


def _as_rows(
    flow: Flow, epoch: Epoch, first: int, layout: Layout, end: Layout, paths: _Paths
) -> Rows:
    ends = flow.places(end)
    post = np.zeros(paths.start.size, dtype=np.int64)
    for place in ends:
        post = post * place.size + paths.coords[place.slot]
    order = np.lexsort((np.arange(post.size), paths.cost, post, paths.start))
    start, post = paths.start[order], post[order]
    is_first = np.ones(post.size, dtype=bool)
    is_first[1:] = (np.diff(start) != 0) | (np.diff(post) != 0)
    kept = paths.picked(order[is_first])
    radix = [int(column.max(initial=0)) + 1 for column in kept.choices]
    key = np.zeros(kept.start.size, dtype=np.int64)
    for column, base in zip(kept.choices, radix, strict=True):
        key = key * base + column
    choices, choice = np.unique(key, return_inverse=True)
    by_row = np.lexsort((choice, kept.start))
    kept, choice = kept.picked(by_row), choice[by_row]
    size = prod(axis.size for axis in layout)
    return Rows(
        label=f"joint choice from {epoch.nodes[first].label} on",
        reads=flow.places(layout),
        writes=ends,
        indptr=np.searchsorted(kept.start, np.arange(size + 1)),
        to=np.stack([kept.coords[place.slot] for place in ends], axis=1),
        cost=kept.cost,
        duration=kept.duration,
        choice=choice,
        choices=choices,
        always=True,
    )


def _through(flow: Flow, node: Node, layout: Layout, paths: _Paths, labels: list[str]) -> _Paths:
    if isinstance(node, Branch):
        found = []
        for alternative in node.alternatives:
            fee = weighted(alternative.cost, flow.process.weights)
            time = float(alternative.cost.get(DURATION, 0.0))
            inner = replace(paths, cost=paths.cost + fee, duration=paths.duration + time)
            live = layout
            for part in alternative.nodes:
                inner = _through(flow, part, live, inner, labels)
                live = layout_after(part, live)
            found.append(inner)
        _check_size(sum(inner.start.size for inner in found))
        return _Paths(
            np.concatenate([p.start for p in found]),
            np.concatenate([p.coords for p in found], axis=1),
            np.concatenate([p.choices for p in found], axis=1),
            np.concatenate([p.cost for p in found]),
            np.concatenate([p.duration for p in found]),
        )
    step = instruction_of(flow, node, layout)
    if isinstance(step, Pay):
        return _pay(step, paths)
    row = np.zeros(paths.start.size, dtype=np.int64)
    for place in step.reads:
        row = row * place.size + paths.coords[place.slot]
    counts = np.diff(step.indptr)[row]
    _check_size(int(counts.sum()))
    source = np.repeat(np.arange(row.size), counts)
    entry = np.arange(source.size) - np.repeat(np.cumsum(counts) - counts, counts)
    entry += np.repeat(step.indptr[row], counts)
    after = paths.picked(source)
    coords, choices = after.coords.copy(), after.choices.copy()
    for column, place in enumerate(step.writes):
        coords[place.slot] = step.to[entry, column]
    if isinstance(node, Decision):
        choices[labels.index(node.label)] = np.asarray(node.table.choice)[entry] + 1
    return _Paths(
        after.start,
        coords,
        choices,
        after.cost + step.cost[entry],
        after.duration + step.duration[entry],
    )


def _pay(step: Pay, paths: _Paths) -> _Paths:
    row = np.zeros(paths.start.size, dtype=np.int64)
    for place, offsets in zip(step.reads, step.offsets, strict=True):
        row = row + offsets[paths.coords[place.slot]]
    cost = step.cost[row]
    paid = replace(paths, cost=paths.cost + cost, duration=paths.duration + step.duration[row])
    return paid if np.isfinite(cost).all() else paid.picked(np.isfinite(cost))


def _labels(nodes: tuple[Node, ...]) -> list[str]:
    found = []
    for node in nodes:
        inner = [n for a in node.alternatives for n in a.nodes] if isinstance(node, Branch) else []
        found += [n.label for n in (node, *inner) if isinstance(n, Decision)]
    return found


def _place_inner_axes(flow: Flow, epoch: Epoch, first: int, last: int) -> None:
    """Give slots to axes that live inside alternatives only."""
    for node, layout in zip(epoch.nodes[first:last], epoch.layouts[first:last], strict=True):
        for alternative in node.alternatives if isinstance(node, Branch) else ():
            live = layout
            for part in alternative.nodes:
                live = layout_after(part, live)
                flow.places(live)


def _check_size(paths: int) -> None:
    if paths > LARGEST:
        raise MemoryError(
            f"the flat view would list {paths:,} joint actions over all states, at most"
            f" {LARGEST:,} are; use the sequential view."
        )
