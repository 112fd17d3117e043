"""What to do with each unit now, by the states that are last on record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparing.evaluate.actions import Action, actions_of
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.folder import PlanInput, PlannedComponent


@dataclass(frozen=True, kw_only=True)
class UnitAdvice:
    """What to do with a unit now.

    Parameters
    ----------
    states
        Per component the last state on record; None where there is none (taken as 0 then).
    seen
        Per component when that was.
    action
        Per component the state it is brought to.
    """

    unit: str
    states: tuple[int | None, ...]
    seen: tuple[float | None, ...]
    action: Action

    @property
    def needs_work(self) -> bool:
        """Whether anything is to be done."""
        pairs = zip(self.states, self.action, strict=False)
        return any(target != (state or 0) for state, target in pairs)


def work_words(
    components: Sequence[PlannedComponent], states: Sequence[int | None], action: Action
) -> str:
    """Return what is to be done in the words of the maintenance records, empty if nothing.

    A component that is made as new gets the name of its renewals; where plan.toml names none, or
    another state is the aim, the states are told.
    """
    words = []
    for component, known, target in zip(components, states, action, strict=False):
        state, name = known or 0, component.name
        if target == "maintain":
            words.append(f"{name}: maintain")
        elif target == 0 and state != 0 and component.renewals:
            words.append(f"{name}: {' or '.join(component.renewals)}")
        elif target != state:
            words.append(f"{name}: from {state} to {target}")
    return ", ".join(words)


def natural_order(name: str) -> list[tuple[int, str]]:
    """Return a key by which "unit 2" comes before "unit 10"."""
    pieces = re.split(r"(\d+)", name)
    return [(int(x), "") if x.isdecimal() else (-1, x) for x in pieces]


def current_states(
    source: PlanInput,
) -> dict[str, tuple[tuple[int | None, ...], tuple[float | None, ...]]]:
    """Return per unit the last state on record of each component, and when that was."""
    position = {component.name: i for i, component in enumerate(source.components)}
    renewals = {component.name: component.renewals for component in source.components}
    events = [
        (float(time), 0, unit, name, int(state))
        for unit, name, time, state in zip(
            source.inspections.unit,
            source.inspections.component,
            source.inspections.time,
            source.inspections.state,
            strict=True,
        )
    ]
    if source.maintenance is not None:
        done = source.maintenance
        events += [
            (float(time), 1, unit, name, 0)
            for unit, name, time, action in zip(
                done.unit, done.component, done.time, done.action, strict=True
            )
            if action in renewals[name]
        ]
    nothing = (None,) * len(position)
    states = dict[str, list[int | None]]()
    seen = dict[str, list[float | None]]()
    for time, _, unit, name, state in sorted(events):
        states.setdefault(unit, list(nothing))[position[name]] = state
        seen.setdefault(unit, list(nothing))[position[name]] = time
    return {
        unit: (tuple(states[unit]), tuple(seen[unit])) for unit in sorted(states, key=natural_order)
    }


def advice_of(
    source: PlanInput, problem: MultiComponentProblem, policy: object
) -> tuple[UnitAdvice, ...]:
    """Return what a policy does with each unit on record, in the order of their names."""
    current = current_states(source)
    if not current:
        return ()
    known = np.array([[s or 0 for s in states] for states, _ in current.values()], dtype=np.int32)
    actions = actions_of(problem, policy, known)  # type: ignore[arg-type]
    return tuple(
        UnitAdvice(unit=unit, states=states, seen=seen, action=action)
        for (unit, (states, seen)), action in zip(current.items(), actions, strict=True)
    )
