"""What is done today: the control limits that the maintenance records come closest to."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sparing.evaluate.policy_comparison import PolicyRow, policy_row
from sparing.models.maintenance_policies import control_limits
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.folder import PlanInput

USUAL = 0.5  # share of inspections behind which something was done that makes it the rule


def todays_row(
    source: PlanInput, problem: MultiComponentProblem, remarks: list[str], *, evaluated: bool
) -> PolicyRow | None:
    """Return the control limits that the maintenance records come closest to, evaluated exactly.

    What is worked on is taken to be as new behind it, as behind the renewals that the records name.
    Where the limits are not known, or cannot be evaluated, `remarks` takes why.
    """
    if source.maintenance is None:
        remarks.append("No maintenance records: today's policy is not known.")
        return None
    if not evaluated:
        remarks.append("Today's policy is not evaluated: too many states.")
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
    assert source.maintenance is not None
    return tuple(
        _observed_limit(source, component.name, component.num_states)
        for component in source.components
    )


def _observed_limit(source: PlanInput, name: str, num_states: int) -> int:
    times = _sorted_times(source, name)
    acted, asked = np.zeros(num_states), np.zeros(num_states)
    seen = source.inspections
    rows = [i for i, component in enumerate(seen.component) if component == name]
    for i, following in zip(rows, [*rows[1:], None], strict=True):
        unit, begin = seen.unit[i], seen.time[i]
        same = following is not None and seen.unit[following] == unit
        end = seen.time[following] if same and following is not None else np.inf
        found = times.get(unit, ())
        asked[seen.state[i]] += 1
        first = bisect_left(found, begin)  # the first action from this inspection on
        acted[seen.state[i]] += first < len(found) and found[first] < end
    usual = (asked > 0) & (acted >= USUAL * asked)
    usual[0] = False
    usual[-1] = True
    return int(np.argmax(usual))


def _sorted_times(source: PlanInput, name: str) -> dict[str, Sequence[float]]:
    times = dict[str, list[float]]()
    done = source.maintenance
    if done is not None:
        for unit, component, time in zip(done.unit, done.component, done.time, strict=True):
            if component == name:
                times.setdefault(unit, []).append(float(time))
    return {unit: sorted(found) for unit, found in times.items()}
