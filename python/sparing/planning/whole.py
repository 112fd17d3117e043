"""The plan of any folder: maintenance, spares, or both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sparing.planning.folder import read_plan_folder
from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.planning import Progress, plan_from, plan_of_spares

if TYPE_CHECKING:
    from sparing.planning.spares_plan import SparesPlan

FolderPlan: TypeAlias = "MaintenancePlan | SparesPlan"


def plan_folder(
    folder: str | Path,
    *,
    settings: str | Path | None = None,
    memory: float | None = None,
    steps: int | None = None,
    progress: Progress | None = None,
) -> FolderPlan:
    """Return the plan of a folder of records; where it has no components, that of its stocks.

    Parameters
    ----------
    settings
        A file in place of the folder's own plan.toml.
    memory, steps, progress
        As of `sparing.planning.planning.make_plan`.

    Raises
    ------
    sparing.records.problems.RecordsError
        With everything that is wrong in the folder.
    ValueError
        If plan.toml makes no problem.
    """
    source = read_plan_folder(folder, settings_file=None if settings is None else Path(settings))
    if not source.components and (spares := plan_of_spares(source, progress)) is not None:
        return spares
    return plan_from(source, memory=memory, steps=steps, progress=progress)
