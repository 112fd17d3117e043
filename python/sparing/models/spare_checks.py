"""Checks of the spare parts of a multi-component system: who uses what, and what runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparing.models.spare import SparePart

if TYPE_CHECKING:
    from sparing.models.component import Component
    from sparing.models.multi_component import MultiComponentProblem


def check_spares(problem: MultiComponentProblem) -> None:
    """Raise unless the spares of `problem` fit its components and no state is without an action.

    Raises
    ------
    ValueError
        Naming the spare and the rule, or the state that allows no action.
    """
    if problem.result != "chosen":
        raise ValueError("spares need result = 'chosen'; got 'uniform'.")
    names, users = problem.names, dict[str, str]()
    for position, spare in enumerate(problem.spares):
        if not isinstance(spare, SparePart):
            raise ValueError(f"spares must be SparePart objects; got {spare!r}.")
        taken = [*names, *(other.name for other in problem.spares[:position])]
        if spare.name in taken:
            raise ValueError(
                f"spare {spare.name!r} must have a name of its own; a component or another spare"
                " has it."
            )
        for user in spare.used_by:
            if user not in names:
                raise ValueError(
                    f"spare {spare.name!r}: unknown component {user!r} in used_by; components:"
                    f" {', '.join(names)}."
                )
            if user in users:
                raise ValueError(
                    f"component {user!r} uses two spares, {users[user]!r} and {spare.name!r}; it"
                    " can use one."
                )
            users[user] = spare.name
    for kind in problem.own_kinds:
        if kind in problem.count_kinds:
            raise ValueError(f"criteria.{kind} must have another name; {kind!r} is taken.")
    for component in problem.components:
        _check_not_stuck(problem, component)


def _check_not_stuck(problem: MultiComponentProblem, component: Component) -> None:
    """Raise if an empty stock leaves some state of `component` without an action."""
    spare = problem.spare_of(component)
    if spare is None or spare.emergency_cost is not None:
        return
    for state in range(1, component.num_states):
        goals = np.flatnonzero(np.isfinite(component.maintenance_cost[state, : state + 1]))
        if not (goals > 0).any():
            raise ValueError(_stuck(problem, component, spare, state, all_failed=False))
        failed = problem.restore_when_down and state == component.failed
        if failed and not ((goals > 0) & (goals < state)).any():  # nor may it be left while down
            raise ValueError(_stuck(problem, component, spare, state, all_failed=True))


def _stuck(
    problem: MultiComponentProblem,
    component: Component,
    spare: SparePart,
    state: int,
    *,
    all_failed: bool,
) -> str:
    """Say in which state nothing can be done, and why."""
    parts = []
    for other in problem.components:
        found = other.failed if all_failed else 0
        parts.append(f"{other.name}={state if other is component else found}")
    parts += [f"{other.name}=0" for other in problem.spares]
    return (
        f"state ({', '.join(parts)}) allows no action: {component.name} can only be replaced there,"
        f" no {spare.name} is on hand, and spare {spare.name!r} has no emergency_cost."
    )
