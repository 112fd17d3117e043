"""What a policy does in which states, in words of components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy

Action: TypeAlias = tuple[int | str, ...]  # per component the state after maintenance
MAINTAIN = "maintain"  # where the result of maintenance is drawn


def actions_of(problem: MultiComponentProblem, policy: Policy, states: ArrayLike) -> list[Action]:
    """Return per state [B, components] the state each component is brought to.

    Where one only decides whether to maintain, a maintained component has ``"maintain"``.
    """
    posts = np.asarray(policy.action(np.atleast_2d(np.asarray(states))))
    if problem.result == "chosen":
        return [tuple(row) for row in posts.tolist()]
    sizes = [component.num_states for component in problem.components]
    return [
        tuple(MAINTAIN if post >= size else post for post, size in zip(row, sizes, strict=True))
        for row in posts.tolist()
    ]


def first_decision(problem: MultiComponentProblem, policy: Policy) -> dict[str, int | str]:
    """Return per component the state it is brought to when all are new."""
    action = actions_of(problem, policy, problem.initial_state)[0]
    return dict(zip(problem.names, action, strict=True))


def decision_text(decision: dict[str, int | str], state: Sequence[int]) -> str:
    """Return a decision in words: what is brought where, or that nothing is done."""
    changed = [
        f"{name} -> {to}"
        for (name, to), found in zip(decision.items(), state, strict=True)
        if to != found
    ]
    return ", ".join(changed) or "do nothing"
