"""What a policy does in which states, in words of components and spares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy

# Per component the state after maintenance; where spares are stocked, then per spare the order.
Action: TypeAlias = tuple[int | str, ...]
Words: TypeAlias = dict[str, Any]
MAINTAIN = "maintain"  # where the result of maintenance is drawn


def actions_of(problem: MultiComponentProblem, policy: Policy, states: ArrayLike) -> list[Action]:
    """Return per state [B, axes] the state each component is brought to, and each spare's order.

    Where one only decides whether to maintain, a maintained component has ``"maintain"``.
    """
    found = np.atleast_2d(np.asarray(states))
    posts = np.asarray(policy.action(found))
    if problem.spares:
        num = len(problem.components)
        return [
            tuple(row)
            for row in np.column_stack([posts[:, :num], orders_of(problem, found, posts)]).tolist()
        ]
    if problem.result == "chosen":
        return [tuple(row) for row in posts.tolist()]
    sizes = [component.num_states for component in problem.components]
    return [
        tuple(MAINTAIN if post >= size else post for post, size in zip(row, sizes, strict=True))
        for row in posts.tolist()
    ]


def orders_of(
    problem: MultiComponentProblem, states: NDArray[Any], posts: NDArray[Any]
) -> NDArray[np.int64]:
    """Return the units ordered [B, spares] between states [B, axes] and what is decided in them."""
    num = len(problem.components)
    orders = np.zeros((len(states), len(problem.spares)), dtype=np.int64)
    for position, spare in enumerate(problem.spares):
        users = [problem.names.index(name) for name in spare.used_by]
        taken = ((states[:, users] > 0) & (posts[:, users] == 0)).sum(axis=1)
        found = np.array(spare.found)[states[:, num + position]]
        decided = np.array(spare.decided)[posts[:, num + position]]
        left = np.maximum(found[:, 0] - taken, 0)
        orders[:, position] = decided[:, :2].sum(axis=1) - left - found[:, 1]
    return orders


def all_states(problem: MultiComponentProblem) -> NDArray[np.int32]:
    """Return every state [states, axes], in the order of a table; only of small problems."""
    numbers = np.unravel_index(np.arange(problem.num_states), problem.epoch.shape)
    return np.stack(numbers, axis=1).astype(np.int32)


def first_decision(problem: MultiComponentProblem, policy: Policy) -> Words:
    """Return per component the state it is brought to when all are new.

    Where spares are stocked, that is the ``maintenance`` and the units bought are the ``orders``.
    """
    action = actions_of(problem, policy, problem.initial_state)[0]
    maintenance = dict(zip(problem.names, action, strict=False))
    if not problem.spares:
        return maintenance
    names = [spare.name for spare in problem.spares]
    orders = dict(zip(names, action[len(problem.components) :], strict=True))
    return {"maintenance": maintenance, "orders": orders}


def decision_text(decision: Words, state: Sequence[int]) -> str:
    """Return a decision in words: what is brought where and ordered, or that nothing is done."""
    orders: dict[str, int] = {}
    maintenance = decision
    if isinstance(decision.get("orders"), dict):  # and not the state of a component of that name
        maintenance, orders = decision["maintenance"], decision["orders"]
    parts = [
        f"{name} -> {to}"
        for (name, to), found in zip(maintenance.items(), state, strict=False)
        if to != found
    ]
    parts += [f"order {units} of {name}" for name, units in orders.items() if units]
    return ", ".join(parts) or "do nothing"
