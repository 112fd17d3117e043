"""The public functions of plans: plan, update_plan, plan_many."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparing.fleet.planning import FleetPlan
    from sparing.planning.plan_change import PlanChange
    from sparing.planning.spares_change import SparesChange
    from sparing.planning.whole import FolderPlan


def plan(folder: str | Path, *, out: str | Path | None = None, **options: Any) -> FolderPlan:
    """Make the plan for a folder of records: what to do now, what it costs, how sure that is.

    It is a `MaintenancePlan`, with the plan of the stocks as its `spares`, or a `SparesPlan` where
    plan.toml has no components.

    Parameters
    ----------
    folder
        With plan.toml and records; see docs/plan.md.
    out
        Where to write report.html, metrics.json, policy.parquet and the solution; default nowhere
        (the plan's own ``save`` writes them later).
    options
        Those of `sparing.planning.whole.plan_folder`: settings, memory, steps, progress.

    Raises
    ------
    sparing.records.problems.RecordsError
        Once, with everything that is wrong in the folder.
    ValueError
        If plan.toml makes no problem, an option does not fit, or another process writes to `out`.

    Examples
    --------
    >>> import sparing
    >>> found = sparing.plan("ess")  # doctest: +SKIP
    >>> print(found.advice[0].unit, found.advice[0].action)  # doctest: +SKIP
    ESS-01 (0, 0, 0)
    """
    from sparing._locks import locked
    from sparing.planning.whole import plan_folder

    if out is None:
        return plan_folder(folder, **options)
    with locked(Path(out)):
        found = plan_folder(folder, **options)
        found.save(out)
    return found


def update_plan(
    folder: str | Path,
    records: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    **options: Any,
) -> tuple[FolderPlan, PlanChange | SparesChange]:
    """Add new records to a folder that has a plan, and return the plan by them and what changed.

    `records` is a file, or several of different kinds. The folder takes the records and its plan
    (`out`, default ``folder/plan``) is written anew. The options are those of
    `sparing.planning.updating.update_plan`: resolve, memory, steps, progress. What changed is a
    `PlanChange`, or a `SparesChange` where all new records are of stocks.

    Raises
    ------
    sparing.records.problems.RecordsError
        With everything that is wrong; then nothing is written.
    ValueError
        If the folder has no plan yet, or another process is at it.
    """
    from sparing._locks import locked
    from sparing.planning.updating import update_plan as updated

    place = Path(folder) / "plan" if out is None else Path(out)
    with locked(Path(folder), inside=True), locked(place):
        found, change = updated(folder, records, out=place, **options)
        found.save(place, change=change)
    return found, change


def plan_many(folders: Any, **options: Any) -> FleetPlan:
    """Make the plans of many sites, each a folder of records, on any executor.

    See `sparing.fleet.planning.plan_many`: settings, executor, num_workers, out, progress.
    """
    from sparing._locks import locked
    from sparing.fleet.planning import plan_many as many

    out = options.get("out")
    with nullcontext() if out is None else locked(Path(out)):
        return many(folders, **options)
