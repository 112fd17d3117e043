"""Solutions on disk: open formats, whole or not there, looked up by memory map."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing._files import replaced_folder, write_atomically
from sparing.epoch import Epoch
from sparing.exact.solution import Solution
from sparing.models.case_files import Problem, load_case, save_case
from sparing.policies import TablePolicy

FORMAT = "sparing-solution-1"


@dataclass(frozen=True, kw_only=True, eq=False)
class SavedSolution:
    """A solution read back: `record` is what the solve reported, `policy` a memory map."""

    record: dict[str, Any]
    policy: TablePolicy
    value: NDArray[Any] | None
    problem: Problem | None


def save_solution(
    solution: Solution,
    directory: str | Path,
    *,
    problem: Problem | None = None,
    record: dict[str, Any] | None = None,
) -> Path:
    """Write a solution as a folder: solution.json, the policy and, if kept, the value.

    The folder is written beside its place and renamed, so that it is whole or not there.
    """
    content = {"format": FORMAT, **(record or record_of(solution))}
    with replaced_folder(Path(directory)) as part:
        solution.policy.save(part / "policy")
        if solution.value is not None:
            np.save(part / "value.npy", solution.value, allow_pickle=False)
        if problem is not None:
            save_case(problem, part / "case.toml")
        write_atomically(part / "solution.json", json.dumps(content, indent=1) + "\n")
    return Path(directory)


def load_solution(directory: str | Path, *, epoch: Epoch | None = None) -> SavedSolution:
    """Read a saved solution; its policy is mapped, so one action reads one page.

    Parameters
    ----------
    epoch
        What was solved; needed only where no case file was saved along.

    Raises
    ------
    ValueError
        If the folder holds no solution, or one of other axes than `epoch`.
    """
    folder = Path(directory)
    try:
        record = json.loads((folder / "solution.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: holds no saved solution: {error}") from None
    if record.get("format") != FORMAT:
        raise ValueError(f"{folder}: format must be {FORMAT!r}; got {record.get('format')!r}.")
    problem = load_case(folder / "case.toml") if (folder / "case.toml").exists() else None
    if epoch is None and problem is None:
        raise ValueError(f"{folder}: was saved without its case; give the epoch.")
    value_file = folder / "value.npy"
    value = np.load(value_file, mmap_mode="r") if value_file.exists() else None
    solved = epoch if epoch is not None or problem is None else problem.epoch
    assert solved is not None
    return SavedSolution(
        record=record,
        policy=TablePolicy.load(folder / "policy", solved),
        value=value,
        problem=problem,
    )


def record_of(solution: Solution) -> dict[str, Any]:
    """Return what a solve reports, ready for JSON."""
    return {
        "criterion": solution.criterion,
        "discount": solution.epoch.discount,
        "states": solution.epoch.num_states,
        "sweeps": solution.num_sweeps,
        "seconds": round(solution.seconds, 6),
        "objective": {"lower": solution.lower, "upper": solution.upper},
        "converged": solution.converged,
        "message": solution.message,
        "dtype": solution.dtype,
        "path": solution.path,
    }
