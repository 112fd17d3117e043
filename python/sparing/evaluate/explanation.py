"""A policy in words: which states lead to which action, and how often in the long run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.actions import Action, actions_of
from sparing.evaluate.frequencies import state_frequencies
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import TablePolicy

Box: TypeAlias = tuple[tuple[int, ...], ...]  # per component the states it may be in
MAX_STATES = 1 << 16


@dataclass(frozen=True, kw_only=True)
class ActionCase:
    """Where an action is taken: boxes of states, each with its long-run frequency."""

    action: Action
    frequency: float
    boxes: tuple[tuple[Box, float], ...]


def explain_policy(problem: MultiComponentProblem, policy: TablePolicy) -> list[ActionCase]:
    """Return the actions of a policy, the most frequent first, each with all states it is for.

    The manner of table 8 of Jimenez Gonzalez (2021, sec. 4.5.2), but with exact frequencies and
    with lines that describe the states without exceptions.

    Raises
    ------
    ValueError
        If there are too many states to list.
    """
    if problem.num_states > MAX_STATES:
        raise ValueError(
            f"a policy of {problem.num_states:,} states is too large to explain; at most"
            f" {MAX_STATES:,}."
        )
    shape = problem.epoch.shape
    states = np.stack(np.unravel_index(np.arange(problem.num_states), shape), axis=1)
    share = state_frequencies(problem.epoch, policy)
    groups: dict[Action, list[int]] = {}
    for state, action in enumerate(actions_of(problem, policy, states)):
        groups.setdefault(action, []).append(state)
    cases = [_case(action, states[rows], share[rows]) for action, rows in groups.items()]
    return sorted(cases, key=lambda case: -case.frequency)


def _case(action: Action, states: NDArray[np.int64], share: NDArray[np.float64]) -> ActionCase:
    listed = [tuple(row) for row in states.tolist()]
    share_of = dict(zip(listed, share.tolist(), strict=True))
    boxes = [(box, _total(box, share_of)) for box in boxes_of(listed)]
    boxes.sort(key=lambda found: -found[1])
    return ActionCase(action=action, frequency=float(share.sum()), boxes=tuple(boxes))


def _total(box: Box, share_of: dict[tuple[int, ...], float]) -> float:
    inside = [set(states) for states in box]
    return sum(
        share
        for state, share in share_of.items()
        if all(s in allowed for s, allowed in zip(state, inside, strict=True))
    )


def boxes_of(states: list[tuple[int, ...]]) -> list[Box]:
    """Return boxes that together hold exactly `states`, none twice; few of them."""
    axes = range(len(states[0]))
    orders = permutations(axes) if len(axes) <= 4 else [tuple(axes)]
    return min((_merged(states, order) for order in orders), key=len)


def _merged(states: list[tuple[int, ...]], order: tuple[int, ...]) -> list[Box]:
    """Merge boxes that differ along one axis only, axis after axis."""
    boxes: list[Box] = [tuple((s,) for s in state) for state in states]
    for axis in order:
        along: dict[Box, list[int]] = {}
        for box in boxes:
            rest = (*box[:axis], *box[axis + 1 :])
            along.setdefault(rest, []).extend(box[axis])
        boxes = [(*r[:axis], tuple(sorted(found)), *r[axis:]) for r, found in along.items()]
    return boxes
