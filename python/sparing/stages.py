"""Stages: what a post-decision state costs, and which choices lead to it.

A stage is a run of nodes without draws. A policy that names the state behind it has said
everything: the cheapest path from the state before to the state behind gives costs and choices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing import _core
from sparing._threads import default_num_threads
from sparing.epoch import Branch, Cost, Decision, Epoch, Layout
from sparing.forward import ForwardProgram, lower


@dataclass(frozen=True, kw_only=True)
class Path:
    """The cheapest path through a stage.

    Attributes
    ----------
    choices
        Per Decision passed, by its label, the choice number taken.
    alternatives
        Per Branch passed, by its label, the position of the alternative taken.
    cost
        Per kind, Cost nodes inside the stage included.
    """

    choices: Mapping[str, int]
    alternatives: Mapping[str, int]
    cost: Mapping[str, float]


def stage_costs(
    epoch: Epoch,
    stage: int,
    policy_table: ArrayLike,
    weights: Mapping[str, float] | None = None,
    *,
    num_threads: int = 0,
) -> dict[str, NDArray[np.float64]]:
    """Return per kind the cost [stage states] of a stage under a table of post-decision states.

    Parameters
    ----------
    policy_table
        Shape (stage states,), uint32 or int64: the flat state behind the stage.
    weights
        Per kind, to tell which path is cheapest; default 1 each.

    Raises
    ------
    ValueError
        If some state has no path to its post-decision state, naming both.
    """
    check_stage(epoch, stage)
    start = epoch.layouts[epoch.stages[stage][0]]
    table = stage_table(policy_table, prod(axis.size for axis in start), f"stage {stage}")
    return pair_costs(epoch, stage, None, table, weights, num_threads=num_threads)


def pair_costs(
    epoch: Epoch,
    stage: int,
    states: NDArray[np.int64] | None,
    posts: NDArray[np.uint32 | np.int64],
    weights: Mapping[str, float] | None = None,
    *,
    num_threads: int = 0,
) -> dict[str, NDArray[np.float64]]:
    """Return per kind the cost [pairs] of the cheapest path from a state to a post-decision state.

    Parameters
    ----------
    states
        Shape (pairs,): flat states at the start of the stage; None for all of them in order.
    posts
        Shape (pairs,), uint32 or int64: the flat state behind the stage.
    weights
        As in `stage_costs`.

    Raises
    ------
    ValueError
        If some pair has no path, naming both states.
    """
    costs = np.empty((len(epoch.kinds), posts.size))
    from_states = np.empty(0, dtype=np.int64) if states is None else states
    plan = make_plan(epoch, weights)
    plan.pair_costs(stage, from_states, posts, costs, thread_count(num_threads))
    for pair in np.flatnonzero(np.isnan(costs[:1]).any(axis=0))[:1]:
        start, end = stage_ends(epoch, stage)
        state, goal = int(pair if states is None else states[pair]), int(posts[pair])
        raise_no_path(start, unflatten_states(state, start), end, unflatten_states(goal, end), goal)
    return dict(zip(epoch.kinds, costs, strict=True))


def explain(
    epoch: Epoch,
    stage: int,
    state: ArrayLike,
    goal: ArrayLike,
    weights: Mapping[str, float] | None = None,
) -> Path:
    """Return the cheapest path of `stage` from one state to a post-decision state.

    Both are coordinates along the axes live there.
    """
    check_stage(epoch, stage)
    first, last = epoch.stages[stage]
    start, end = epoch.layouts[first], epoch.layouts[last]
    x, y = check_states(state, start), check_states(goal, end)
    taken = make_plan(epoch, weights).explain(stage, x.tolist(), y.tolist())
    if taken is None:
        raise_no_path(start, x, end, y)
    return _path(lower(epoch), taken)


def _path(program: ForwardProgram, taken: list[int]) -> Path:
    choices: dict[str, int] = {}
    alternatives: dict[str, int] = {}
    cost = dict.fromkeys(program.epoch.kinds, 0.0)
    for node, at in zip(program.nodes, taken, strict=True):
        if at < 0:
            continue
        if isinstance(node, Cost):
            cost[node.kind] += float(np.ravel(node.values)[at])
        elif isinstance(node, Branch):
            alternatives[node.label] = at
            for kind, value in node.alternatives[at].cost.items():
                cost[kind] += value
        else:
            if isinstance(node, Decision):
                assert node.table.choice is not None
                choices[node.label] = int(node.table.choice[at])
            for kind, values in node.table.cost.items():
                cost[kind] += float(values[at])
    return Path(choices=choices, alternatives=alternatives, cost=cost)


def make_plan(epoch: Epoch, weights: Mapping[str, float] | None) -> _core.RolloutPlan:
    """Return the kernels' plan of `epoch`; `weights` per kind, 1 each by default."""
    return _core.RolloutPlan(lower(epoch).core, list(kind_weights(epoch.kinds, weights).values()))


def kind_weights(kinds: Sequence[str], weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return the weight of each of `kinds`: 1 each if None; kinds left out weigh 0."""
    if weights is None:
        return dict.fromkeys(kinds, 1.0)
    for kind, weight in weights.items():
        if kind not in kinds:
            raise ValueError(f"weights: there is no kind {kind!r}; kinds: {[*kinds]}.")
        if not np.isfinite(weight):
            raise ValueError(f"weights: that of {kind!r} must be finite; got {weight}.")
    return {kind: float(weights.get(kind, 0.0)) for kind in kinds}


def check_stage(epoch: Epoch, stage: int) -> None:
    """Raise unless `epoch` has that stage."""
    if not 0 <= stage < len(epoch.stages):
        raise ValueError(f"stage must be in 0..{len(epoch.stages) - 1}; got {stage}.")


def stage_ends(epoch: Epoch, stage: int) -> tuple[Layout, Layout]:
    """Return the axes before and behind a stage."""
    check_stage(epoch, stage)
    first, last = epoch.stages[stage]
    return epoch.layouts[first], epoch.layouts[last]


def stage_signature(epoch: Epoch) -> list[list[list[list[str | int]]]]:
    """Return per stage [name, size] of the axes before and behind it."""
    ends = (stage_ends(epoch, stage) for stage in range(len(epoch.stages)))
    return [[[[a.name, a.size] for a in layout] for layout in pair] for pair in ends]


def stage_table(table: ArrayLike, num_states: int, name: str) -> NDArray[np.uint32 | np.int64]:
    """Return `table` as a C-ordered uint32 or int64 array of `num_states` numbers, not copied."""
    array = np.asarray(table)
    if array.dtype not in (np.uint32, np.int64):
        raise ValueError(f"{name}: the table must be uint32 or int64; got {array.dtype}.")
    if array.shape != (num_states,):
        raise ValueError(f"{name}: the table must have shape ({num_states},); got {array.shape}.")
    return np.ascontiguousarray(array)


def check_states(states: ArrayLike, axes: Layout) -> NDArray[np.int64]:
    """Return `states` [axes] or [B, axes] as int64, or raise naming the axis and the value."""
    array = np.asarray(states)
    if array.ndim not in (1, 2) or array.shape[-1] != len(axes):
        raise ValueError(
            f"states must have shape ({len(axes)},) or (B, {len(axes)}) for the axes"
            f" {[axis.name for axis in axes]}; got {array.shape}."
        )
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"states must be whole numbers; got {array.dtype}.")
    for position, axis in enumerate(axes):
        column = array[..., position]
        for value in column[(column < 0) | (column >= axis.size)].ravel()[:1]:
            raise ValueError(f"axis {axis.name!r} must be in 0..{axis.size - 1}; got {value}.")
    return array.astype(np.int64)


def flat_states(states: ArrayLike, axes: Layout) -> NDArray[np.int64]:
    """Return the flat indices [] or [B], in C order, of `states` [axes] or [B, axes]."""
    flat = np.zeros(np.shape(states)[:-1], dtype=np.int64)
    array = check_states(states, axes)
    for position, axis in enumerate(axes):
        flat = flat * axis.size + array[..., position]
    return flat


def unflatten_states(flat: ArrayLike, axes: Layout) -> NDArray[np.int32]:
    """Return coordinates [axes] or [B, axes] of flat states; -1 each where out of range."""
    left = np.asarray(flat).astype(np.int64)
    inside = (left >= 0) & (left < prod(axis.size for axis in axes))
    states = np.empty((*left.shape, len(axes)), dtype=np.int32)
    for position in reversed(range(len(axes))):
        left, states[..., position] = np.divmod(left, axes[position].size)
    states[~inside] = -1
    return states


def thread_count(num_threads: int) -> int:
    """Return `num_threads`, or one per processor for 0."""
    if num_threads < 0:
        raise ValueError(f"num_threads must be at least 0; got {num_threads}.")
    return num_threads or default_num_threads()


def raise_no_path(
    start: Layout, state: ArrayLike, end: Layout, goal: ArrayLike, flat_goal: int = -1
) -> NoReturn:
    """Raise that nothing leads from `state` to `goal`, or to a `flat_goal` that is not a state."""
    names = describe(goal, end)
    if np.size(goal) != len(end) or np.any(np.asarray(goal) < 0):
        names = f"{flat_goal}, as it must be one of 0..{prod(a.size for a in end) - 1}"
    raise ValueError(f"no path leads from state {describe(state, start)} to state {names}.")


def describe(state: ArrayLike, axes: Layout) -> str:
    """Return a state as ``(pump=2, stock=0)``, the form of error messages."""
    values = np.asarray(state).tolist()
    return f"({', '.join(f'{a.name}={v}' for a, v in zip(axes, values, strict=True))})"
