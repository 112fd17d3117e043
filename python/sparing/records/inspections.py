"""Inspection and maintenance records: who was seen in which state when, and what was done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparing.records.columns import RecordColumns, read_columns
from sparing.records.paths import Spans
from sparing.records.problems import ProblemLog
from sparing.records.times import time_text

INSPECTION_FIELDS = ("Unit", "Component", "Time", "State")
MAINTENANCE_FIELDS = ("Unit", "Component", "Time", "Action", "Cost")


@dataclass(frozen=True, kw_only=True, eq=False)
class Inspections:
    """What was seen, one entry per record, in the order of unit, component and time.

    Parameters
    ----------
    unit, component
        Names.
    time
        Shape (n,).
    state
        Shape (n,): 0 is as good as new.
    """

    unit: tuple[str, ...]
    component: tuple[str, ...]
    time: NDArray[np.float64]
    state: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Maintenance:
    """What was done, one entry per record; `time` [n], `cost` [n]: NaN where it is not known."""

    unit: tuple[str, ...]
    component: tuple[str, ...]
    time: NDArray[np.float64]
    action: tuple[str, ...]
    cost: NDArray[np.float64]


def read_inspections(path: Path, num_states: dict[str, int], log: ProblemLog) -> Inspections | None:
    """Read inspection records; `num_states` are those of each component there may be."""
    columns = read_columns(path, INSPECTION_FIELDS, log)
    if columns is None:
        return None
    unit, component, time = _places(columns, num_states)
    state = columns.number("State", low=0.0)
    seen = dict[tuple[str, str, float], int]()
    for i, line in enumerate(columns.table.lines):
        size = num_states.get(component[i])
        if np.isfinite(state[i]) and (state[i] % 1.0 or (size and state[i] >= size)):
            most = f"from 0 to {size - 1}" if size else "of 0, 1, 2, ..."
            log.add(columns.file, line, "State", f"must be a whole number {most}; got {state[i]:g}")
        key = (unit[i], component[i], float(time[i]))
        if key in seen:
            log.add(columns.file, line, "Time", f"is that of line {seen[key]} already")
        seen[key] = line
    order = _order(unit, component, time)
    return Inspections(
        unit=tuple(unit[i] for i in order),
        component=tuple(component[i] for i in order),
        time=time[order],
        state=np.nan_to_num(state[order]).astype(np.int64),
    )


def read_maintenance(
    path: Path, num_states: dict[str, int], actions: Sequence[str], log: ProblemLog
) -> Maintenance | None:
    """Read maintenance records; `actions` are those there may be."""
    columns = read_columns(path, MAINTENANCE_FIELDS, log)
    if columns is None:
        return None
    unit, component, time = _places(columns, num_states)
    action = columns.text("Action")
    for line, name in zip(columns.table.lines, action, strict=True):
        if name and name not in actions:
            log.add(columns.file, line, "Action", f"must be one of {list(actions)}; got {name!r}")
    cost = columns.number("Cost", low=0.0, missing=True)
    order = _order(unit, component, time)
    return Maintenance(
        unit=tuple(unit[i] for i in order),
        component=tuple(component[i] for i in order),
        time=time[order],
        action=tuple(action[i] for i in order),
        cost=cost[order],
    )


def spans_of(
    inspections: Inspections,
    maintenance: Maintenance | None,
    component: str,
    *,
    renewals: Collection[str] = (),
) -> tuple[Spans, int]:
    """Return the spans of a component between inspections, and how many inspections begin none.

    The state is known at an inspection and, as 0, behind an action of `renewals`; behind any other
    action it is not until the next inspection. An action at the time of an inspection comes
    behind it.
    """
    events = [  # unit, time, whether it is an action, what is known then (-1: nothing)
        (unit, float(time), False, int(state))
        for unit, name, time, state in zip(
            inspections.unit,
            inspections.component,
            inspections.time,
            inspections.state,
            strict=True,
        )
        if name == component
    ]
    if maintenance is not None:
        events += [
            (unit, float(time), True, 0 if action in renewals else -1)
            for unit, name, time, action in zip(
                maintenance.unit,
                maintenance.component,
                maintenance.time,
                maintenance.action,
                strict=True,
            )
            if name == component
        ]
    found, labels, num_cut = list[tuple[int, int, float]](), list[str](), 0
    last = ("", 0.0, -1)  # unit, time and state that was last known
    for unit, time, is_action, state in sorted(events):
        same = unit == last[0]
        if same and not is_action:
            if last[2] < 0:
                num_cut += 1
            elif time > last[1]:
                found.append((last[2], state, time - last[1]))
                labels.append(f"unit {unit!r}, inspected at {time_text(time)},")
        last = (unit, time, state)
    start, end, duration = zip(*found, strict=True) if found else ((), (), ())
    spans = Spans(
        start=np.array(start, dtype=np.int64),
        end=np.array(end, dtype=np.int64),
        duration=np.array(duration, dtype=np.float64),
        labels=labels,
    )
    return spans, num_cut


def _places(
    columns: RecordColumns, num_states: dict[str, int]
) -> tuple[list[str], list[str], NDArray[np.float64]]:
    unit, component, time = columns.text("Unit"), columns.text("Component"), columns.time("Time")
    for line, name in zip(columns.table.lines, component, strict=True):
        if name and name not in num_states:
            known = ", ".join(num_states)
            columns.log.add(
                columns.file, line, "Component", f"{name!r} is no component; there are {known}"
            )
    return unit, component, time


def _order(
    unit: Sequence[str], component: Sequence[str], time: NDArray[np.float64]
) -> NDArray[np.intp]:
    return np.lexsort((time, np.array(component), np.array(unit)))


def joined(first: Inspections, second: Inspections) -> Inspections:
    """Return the inspections of both, in order."""
    unit, component = first.unit + second.unit, first.component + second.component
    time = np.concatenate((first.time, second.time))
    order = _order(unit, component, time)
    return Inspections(
        unit=tuple(unit[i] for i in order),
        component=tuple(component[i] for i in order),
        time=time[order],
        state=np.concatenate((first.state, second.state))[order],
    )


def joined_maintenance(first: Maintenance | None, second: Maintenance) -> Maintenance:
    """Return the maintenance of both, in order."""
    if first is None:
        return second
    unit, component = first.unit + second.unit, first.component + second.component
    action, time = first.action + second.action, np.concatenate((first.time, second.time))
    order = _order(unit, component, time)
    return Maintenance(
        unit=tuple(unit[i] for i in order),
        component=tuple(component[i] for i in order),
        time=time[order],
        action=tuple(action[i] for i in order),
        cost=np.concatenate((first.cost, second.cost))[order],
    )


def no_inspections() -> Inspections:
    """Return inspection records without any."""
    nothing = np.empty(0)
    return Inspections(unit=(), component=(), time=nothing, state=nothing.astype(np.int64))
