"""A slow, obvious interpreter of an epoch: the reference for every other one.

Plain loops over states and entries, written from the definition of the nodes alone. Layouts and
stages are worked out here once more, so anything with `axes`, `nodes` and `discount` will do.

>>> from sparing.epoch import Axis, Decision, Epoch
>>> epoch = Epoch(axes=[Axis("x", 2)], nodes=[Decision("x", [[1.0, 3.0], [2.0, 0.0]])])
>>> swept = backup(epoch, [10.0, 0.0], {"cost": 1.0})
>>> swept.value.tolist(), swept.stages[0].post.tolist()
([3.0, 0.0], [1, 1])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from reference_layouts import (
    State,
    Weights,
    axes_to,
    draws,
    kinds_of,
    layout_behind,
    layouts_behind,
    layouts_of,
    shape_of,
    stages_of,
    states_of,
)
from sparing.epoch import Axis, Branch, Cost, Decision

INFEASIBLE = -1  # the post-decision state where nothing is allowed


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What is chosen in the nodes ``first <= position < last``."""

    first: int
    last: int
    post: NDArray[np.int64]  # flat state at the end per flat state at the start; -1: infeasible
    costs: dict[str, NDArray[np.float64]]  # per kind, unweighted, along the chosen path; inf: ditto


@dataclass(frozen=True, kw_only=True)
class Backup:
    """The value at the start [shape of the start axes] and the greedy policy, stage by stage."""

    value: NDArray[np.float64]
    stages: list[Stage]


@dataclass(frozen=True)
class _Swept:
    """Per state of one layout: what follows, and where the present stage leads at what costs."""

    value: NDArray[np.float64]
    post: NDArray[np.int64]
    costs: dict[State, dict[str, float]]


def backup(epoch: Any, value: ArrayLike, weights: Weights) -> Backup:
    """Sweep `epoch` backward once from `value` on its end axes.

    Ties go to the lowest alternative, then the lowest entry. A tie up to rounding may fall either
    way elsewhere, so compare policies where the sums are exact (`random_epochs.Recipe.exact`).
    """
    layouts = layouts_of(epoch)
    behind = np.asarray(value, dtype=np.float64).reshape(shape_of(layouts[-1]))
    swept = _stage_end(epoch.discount * behind)
    ends = {last: first for first, last in stages_of(epoch)}
    stages, first, last = [], -1, -1
    for position in reversed(range(len(epoch.nodes))):
        if position + 1 in ends:
            first, last = ends[position + 1], position + 1
            swept = _stage_end(swept.value)
        swept = _sweep(epoch.nodes[position], layouts[position], swept, weights)
        if position == first:
            stages.append(_stage(first, last, swept, kinds_of(epoch.nodes)))
    return Backup(value=swept.value, stages=stages[::-1])


def evaluate(
    epoch: Any, stages: Sequence[Stage], value: ArrayLike, weights: Weights
) -> NDArray[np.float64]:
    """Sweep backward with the policy fixed; other weights give a side measure."""
    layouts = layouts_of(epoch)
    behind = np.asarray(value, dtype=np.float64).reshape(shape_of(layouts[-1]))
    swept = _stage_end(epoch.discount * behind)
    ends = {stage.last: stage for stage in stages}
    position = len(epoch.nodes)
    while position > 0:
        if position in ends:
            stage = ends[position]
            flat = np.full(stage.post.size, np.inf)
            for state in np.flatnonzero(stage.post != INFEASIBLE):
                paid = {kind: costs[state] for kind, costs in stage.costs.items()}
                flat[state] = weighted(paid, weights) + swept.value.flat[stage.post[state]]
            position = stage.first
            swept = _stage_end(flat.reshape(shape_of(layouts[position])))
        else:
            position -= 1
            swept = _sweep(epoch.nodes[position], layouts[position], swept, weights)
    return swept.value


def weighted(costs: Mapping[str, float], weights: Weights) -> float:
    """Return the weighted sum; +inf forbids under every weight, an absent kind weighs 0."""
    if any(cost == np.inf for cost in costs.values()):
        return np.inf
    return sum(weights.get(kind, 0.0) * cost for kind, cost in costs.items())


# --- one node ---------------------------------------------------------------------------------


def steps(node: Any, layout: Sequence[Axis], state: State) -> list[tuple[State, float, dict]]:
    """Return what a Cost, Decision or Chance offers: (next state, probability, costs by kind)."""
    at = {axis.name: index for axis, index in zip(layout, state, strict=True)}
    if isinstance(node, Cost):
        index = tuple(
            int(node.groups[name][at[name]]) if name in node.groups else at[name]
            for name in node.axes
        )
        return [(state, 1.0, {node.kind: float(node.values[index])})]
    sizes = {axis.name: axis.size for axis in layout}
    row = 0
    for name in (*node.context, *node.axes):
        row = row * sizes[name] + at[name]
    behind = layout_behind(node, layout)
    found = []
    for entry in range(node.table.indptr[row], node.table.indptr[row + 1]):
        rest = int(node.table.to[entry])
        then = {name: index for name, index in at.items() if name not in node.axes}
        for axis in reversed(axes_to(node, layout)):
            rest, then[axis.name] = divmod(rest, axis.size)
        probability = 1.0 if isinstance(node, Decision) else float(node.table.probability[entry])
        costs = {kind: float(values[entry]) for kind, values in node.table.cost.items()}
        found.append((tuple(then[axis.name] for axis in behind), probability, costs))
    return found


def _sweep(node: Any, layout: Sequence[Axis], after: _Swept, weights: Weights) -> _Swept:
    """Carry `after`, given behind `node`, to the states before it."""
    if isinstance(node, Branch):
        return _sweep_branch(node, layout, after, weights)
    before = _nothing(layout)
    for state in states_of(layout):
        offered = steps(node, layout, state)
        if draws(node):
            expected = 0.0
            for then, probability, costs in offered:
                expected += probability * (weighted(costs, weights) + after.value[then])
            before.value[state] = expected
            continue
        for then, _, costs in offered:
            total = weighted(costs, weights) + after.value[then]
            if total < before.value[state]:
                before.value[state], before.post[state] = total, after.post[then]
                before.costs[state] = _added(costs, after.costs[then])
    return _stage_end(before.value) if draws(node) else before


def _sweep_branch(node: Branch, layout: Sequence[Axis], after: _Swept, weights: Weights) -> _Swept:
    best = _nothing(layout)
    for alternative in node.alternatives:
        layouts = layouts_behind(alternative.nodes, layout)
        swept = after
        for position in reversed(range(len(alternative.nodes))):
            swept = _sweep(alternative.nodes[position], layouts[position], swept, weights)
        for state in states_of(layout):
            total = weighted(alternative.cost, weights) + swept.value[state]
            if total < best.value[state]:
                best.value[state], best.post[state] = total, swept.post[state]
                best.costs[state] = _added(alternative.cost, swept.costs[state])
    return best


def _nothing(layout: Sequence[Axis]) -> _Swept:
    shape = shape_of(layout)
    return _Swept(np.full(shape, np.inf), np.full(shape, INFEASIBLE, dtype=np.int64), {})


def _stage_end(value: NDArray[np.float64]) -> _Swept:
    post = np.arange(value.size).reshape(value.shape)
    return _Swept(value, post, {state: {} for state in np.ndindex(value.shape)})


def _stage(first: int, last: int, swept: _Swept, kinds: Sequence[str]) -> Stage:
    costs = {kind: np.full(swept.value.size, np.inf) for kind in kinds}
    for flat, state in enumerate(np.ndindex(swept.value.shape)):
        if swept.post[state] != INFEASIBLE:
            for kind in kinds:
                costs[kind][flat] = swept.costs[state].get(kind, 0.0)
    return Stage(first=first, last=last, post=swept.post.ravel(), costs=costs)


def _added(some: Mapping[str, float], more: Mapping[str, float]) -> dict[str, float]:
    return {kind: some.get(kind, 0.0) + more.get(kind, 0.0) for kind in {**some, **more}}
