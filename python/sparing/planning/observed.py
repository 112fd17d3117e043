"""Today's rule, read from the records: the control limits that they come closest to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.policy_comparison import PolicyRow, policy_row
from sparing.models.maintenance_policies import control_limits
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.folder import PlanInput

USUAL = 0.5  # share of inspections behind which something was done that makes it the rule
Counts = tuple[NDArray[np.float64], NDArray[np.float64]]  # acted and asked, per state


def todays_row(
    source: PlanInput, problem: MultiComponentProblem, remarks: list[str]
) -> PolicyRow | None:
    """Return the control limits that the maintenance records come closest to, evaluated exactly.

    What is worked on is taken to be as new behind it, as behind the renewals that the records name.
    Where the limits are not known, or cannot be evaluated, `remarks` takes why.
    """
    if source.maintenance is None:
        remarks.append("No maintenance records: today's policy is not known.")
        return None
    limits = observed_limits(source)
    average = replace(problem, criterion="average", discount=1.0)
    try:
        policy = control_limits(average, limits, result="new")
        name = f"today: control limits {','.join(map(str, limits))}"
        return policy_row(average, policy, key="today", name=name)
    except ValueError as error:
        remarks.append(f"Today's policy is left out: {error}")
        return None


def observed_limits(source: PlanInput) -> tuple[int, ...]:
    """Return per component the lowest state behind which something was done in most cases.

    Actions count if they come behind the inspection and before the next one of the component.
    The failed state is the highest limit there is.
    """
    return tuple(
        usual_limit([observed_actions(source, component.name, component.num_states)])
        for component in source.components
    )


def observed_limits_by_kind(source: PlanInput) -> Mapping[str, int]:
    """Return the same per component, from the records of all components of its kind together."""
    found = {c.name: observed_actions(source, c.name, c.num_states) for c in source.components}
    alike = dict[str, list[Counts]]()
    for component in source.components:
        alike.setdefault(component.kind, []).append(found[component.name])
    limit = {kind: usual_limit(counts) for kind, counts in alike.items()}
    return {component.name: limit[component.kind] for component in source.components}


def usual_limit(counts: Iterable[Counts]) -> int:
    """Return the lowest state but 0 behind which something was done in `USUAL` of the cases."""
    acted, asked = (np.sum(part, axis=0) for part in zip(*counts, strict=True))
    usual = (asked > 0) & (acted >= USUAL * asked)
    usual[0] = False
    usual[-1] = True
    return int(np.argmax(usual))


def observed_actions(source: PlanInput, name: str, num_states: int) -> Counts:
    """Return per state behind how many inspections of a component something was done, and all."""
    assert source.maintenance is not None
    seen, done = source.inspections, source.maintenance
    looks, actions = _rows_of(seen.component, name), _rows_of(done.component, name)
    state = seen.state[looks]
    unit, worked = _numbered([seen.unit[i] for i in looks], [done.unit[i] for i in actions])
    times, rank = np.unique(
        np.concatenate((seen.time[looks], np.asarray(done.time)[actions])), return_inverse=True
    )
    # One number per unit and time, in the order of both.
    look = unit * (times.size + 1) + rank[: looks.size]
    action = np.sort(worked * (times.size + 1) + rank[looks.size :])
    end = unit * (times.size + 1) + times.size
    same = unit[1:] == unit[:-1]
    end[:-1][same] = look[1:][same]
    acted = np.searchsorted(action, look) < np.searchsorted(action, end)
    return (
        np.bincount(state, acted, minlength=num_states).astype(np.float64),
        np.bincount(state, minlength=num_states).astype(np.float64),
    )


def _rows_of(components: Sequence[str], name: str) -> NDArray[np.int64]:
    return np.array([i for i, found in enumerate(components) if found == name], dtype=np.int64)


def _numbered(
    first: Sequence[str], second: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a number per name, the same for the same name in both."""
    number = dict[str, int]()
    codes = [
        np.array([number.setdefault(name, len(number)) for name in names], dtype=np.int64)
        for names in (first, second)
    ]
    return codes[0], codes[1]
