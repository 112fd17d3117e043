"""New records: they are added to the folder, the plan moves with them, and what changed is told."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sparing._files import write_atomically
from sparing.evaluate.actions import all_states
from sparing.exact.solution import Solution
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.estimation import estimate
from sparing.planning.folder import PlanInput, read_plan_folder
from sparing.planning.keeping import kept_solution
from sparing.planning.large import LargeSolution
from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.method import choose_method
from sparing.planning.planning import (
    COMPARED_STATES,
    Progress,
    judged_plan,
    plan_by,
)
from sparing.planning.saved import load_planned
from sparing.planning.scoring import PeriodRecords, PeriodScore
from sparing.records.columns import RecordColumns, read_columns
from sparing.records.inspections import (
    INSPECTION_FIELDS,
    MAINTENANCE_FIELDS,
    joined,
    joined_maintenance,
    read_inspections,
    read_maintenance,
)
from sparing.records.paths import Array
from sparing.records.problems import ProblemLog
from sparing.records.tables import read_table


@dataclass(frozen=True, kw_only=True)
class PlanChange:
    """What new records changed.

    Parameters
    ----------
    num_records
        That were added.
    score
        How the periods of the new records did as a whole, against what the last policy was
        chosen for (or the targets set).
    resolved, reason
        Whether the policy was solved anew, and why or why not.
    objective
        Middle of the bounds before and now; now that of the kept policy if it was kept.
    units
        Units on which other work is to be done than before, or new ones.
    num_states_changed
        States in which the policy now does something else; None if the old one does not fit.
    largest_shift
        Per component the largest change of a transition probability (posterior mean).
    """

    num_records: int
    score: PeriodScore
    resolved: bool
    reason: str
    objective: tuple[float, float]
    units: tuple[str, ...]
    num_states_changed: int | None
    largest_shift: Mapping[str, float]


def update_plan(
    folder: str | Path,
    records: str | Path,
    *,
    out: str | Path | None = None,
    resolve: bool | None = None,
    memory: float | None = None,
    steps: int | None = None,
    progress: Progress | None = None,
) -> tuple[MaintenancePlan, PlanChange]:
    """Add inspection or maintenance records to `folder`, and move its plan with them.

    The estimates always move. The policy is kept and evaluated by the new estimates, unless the
    HyperScore of the periods of the new records is below `resolve_below` of plan.toml, or the
    policy does not fit what plan.toml now says: then it is solved anew.

    The records are checked and the plan is made together with those that are there; only then
    does the folder take them. If anything is wrong, nothing is written.

    Parameters
    ----------
    out
        Where the earlier plan is; default ``folder/plan``.
    resolve
        True: solve anew, False: keep the policy if it fits; default by the score.
    memory, steps, progress
        As of `sparing.planning.planning.make_plan`.

    Raises
    ------
    sparing.records.problems.RecordsError
        With everything that is wrong.
    ValueError
        If `folder` has no plan yet, or keeps its records as Parquet.
    """
    folder, records = Path(folder), Path(records)
    before = Path(out) if out is not None else folder / "plan"
    try:
        old = json.loads((before / "metrics.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{folder}: has no plan yet; make one with `sparing plan`.") from None
    source = read_plan_folder(folder)
    is_maintenance = _has_column(records, "Action")
    target = folder / ("maintenance.csv" if is_maintenance else "inspections.csv")
    if target.with_suffix(".parquet").exists():
        raise ValueError(f"{target.with_suffix('.parquet')}: records are added to CSV files only.")
    more, columns, times = _with_records(source, records, is_maintenance)
    estimates = estimate(more)
    problem = estimates.mean_problem()
    score = _score(more, problem, old, times)
    kept = kept_solution(before / "solution", problem)
    resolved, reason = _decided(kept, score, more.scoring.resolve_below, resolve)
    if resolved or isinstance(kept, str):
        plan = plan_by(more, estimates, memory=memory, steps=steps, progress=progress)
    else:
        method = replace(choose_method(problem, memory), reason=f"kept: {reason}")
        plan = judged_plan(
            more, estimates, problem, kept, method, expected=old["expected"], progress=progress
        )
    change = replace(
        _change(old, before, plan, len(columns), score), resolved=resolved, reason=reason
    )
    fields = MAINTENANCE_FIELDS if is_maintenance else INSPECTION_FIELDS
    _append(target, fields, [columns.cells(name) for name in fields])
    return plan, change


def _score(
    source: PlanInput, problem: MultiComponentProblem, old: dict[str, Any], times: Array
) -> PeriodScore:
    """Return the score of the periods that new records fall into."""
    found = PeriodRecords(source, problem)
    targets = source.scoring.targets(old["expected"])
    return found.score(targets, found.number(times.min()), found.number(times.max()))


def _decided(
    kept: Solution | LargeSolution | str,
    score: PeriodScore,
    resolve_below: float,
    resolve: bool | None,
) -> tuple[bool, str]:
    """Return whether to solve anew, and why or why not."""
    scored = f"the new records score {score.score:.2f}"
    if isinstance(kept, str):
        return True, f"solved anew: {kept}."
    if resolve is not None:
        return resolve, f"{'solved anew' if resolve else 'policy kept'} as asked; {scored}."
    if not score.num_looks:
        return False, "policy kept: the new records hold no inspection to score."
    if score.score < resolve_below:
        return True, f"solved anew: {scored}, below {resolve_below:g}."
    return False, f"policy kept: {scored}, not below {resolve_below:g}."


def _with_records(
    source: PlanInput, records: Path, is_maintenance: bool
) -> tuple[PlanInput, RecordColumns, Array]:
    """Return the input with more records, their table and times, or raise with all problems."""
    log = ProblemLog()
    sizes = {component.name: component.num_states for component in source.components}
    fields = MAINTENANCE_FIELDS if is_maintenance else INSPECTION_FIELDS
    columns = read_columns(records, fields, log)
    log.finish()
    assert columns is not None
    if is_maintenance:
        actions = sorted({a for c in source.components for a in (*c.renewals, *c.other_actions)})
        done = read_maintenance(records, sizes, actions, log)
        log.finish()
        assert done is not None
        joint = joined_maintenance(source.maintenance, done)
        return replace(source, maintenance=joint), columns, done.time
    seen, old = read_inspections(records, sizes, log), source.inspections
    known = set(zip(old.unit, old.component, old.time.tolist(), strict=True))
    if seen is not None:
        for unit, component, time in zip(
            seen.unit, seen.component, seen.time.tolist(), strict=True
        ):
            if (unit, component, time) in known:
                what = f"{component!r} of {unit!r} at {time:g} is on record already"
                log.add(records.name, 0, "Time", what)
    log.finish()
    assert seen is not None
    return replace(source, inspections=joined(old, seen)), columns, seen.time


def _has_column(path: Path, name: str) -> bool:
    try:
        return any(column.strip().lower() == name.lower() for column in read_table(path).header)
    except (OSError, ValueError):
        return False  # told when it is read for its records


def _append(path: Path, fields: tuple[str, ...], columns: list[list[str]]) -> None:
    """Write the file anew with more rows, in the order of its own columns."""
    rows = [list(row) for row in zip(*columns, strict=True)]
    header: tuple[str, ...] = fields
    old: tuple[tuple[str, ...], ...] = ()
    if path.exists():
        table = read_table(path)
        header, old = table.header, table.rows
    place = {name.strip().lower(): i for i, name in enumerate(fields)}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(old)
    for row in rows:
        at = [place.get(name.strip().lower()) for name in header]
        writer.writerow(["" if i is None else row[i] for i in at])
    write_atomically(path, text.getvalue())


def _change(
    old: dict[str, Any], before: Path, plan: MaintenancePlan, added: int, score: PeriodScore
) -> PlanChange:
    bounds = old["objective"]
    now = (plan.solution.lower + plan.solution.upper) / 2.0
    work = {a["unit"]: _work(a["states"].values(), a["action"].values()) for a in old["advice"]}
    units = tuple(a.unit for a in plan.advice if work.get(a.unit) != _work(a.states, a.action))
    shifts = {}
    for name, found in plan.estimates.components.items():
        mean = np.array(old["estimates"].get(name, {}).get("mean", []))
        if mean.shape == found.posterior.mean.shape:
            shifts[name] = float(np.abs(found.posterior.mean - mean).max())
    return PlanChange(
        num_records=added,
        score=score,
        resolved=False,
        reason="",
        objective=((bounds["lower"] + bounds["upper"]) / 2.0, now),
        units=units,
        num_states_changed=_num_changed(before, plan),
        largest_shift=shifts,
    )


def _work(states: Iterable[int | None], action: Iterable[int | str]) -> list[int | str | None]:
    """Return per component what it is brought to, None where nothing is done."""
    pairs = zip(states, action, strict=False)
    return [target if target != (state or 0) else None for state, target in pairs]


def _num_changed(before: Path, plan: MaintenancePlan) -> int | None:
    problem = plan.problem
    try:
        last, old = load_planned(before / "solution")
    except (OSError, ValueError):
        return None
    if last.epoch.shape != problem.epoch.shape or problem.num_states > COMPARED_STATES:
        return None
    states = all_states(problem)
    new = plan.solution.policy.action(states)
    return int(np.any(np.asarray(old.action(states)) != np.asarray(new), axis=1).sum())
