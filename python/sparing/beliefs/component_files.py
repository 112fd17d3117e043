"""Solutions over belief points on disk: open formats, whole or not there, mapped when read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sparing._files import replaced_folder, write_atomically
from sparing.beliefs.component_points import BeliefGrid
from sparing.beliefs.component_result import BeliefSolution
from sparing.beliefs.component_rollout import GreedyBeliefPolicy
from sparing.beliefs.component_values import BeliefTensor, BeliefValues
from sparing.models.case_files import load_case, save_case

FORMAT = "sparing-hidden-1"


def save_belief_solution(
    solution: BeliefSolution, directory: str | Path, record: dict[str, Any]
) -> None:
    """Write solution.json, case.toml, the belief points and the values at them as a folder."""
    found = solution.policy.found
    grids = {f"points{i}": grid.working for i, grid in enumerate(found.tensor.grids)}
    with replaced_folder(Path(directory)) as part:
        np.savez(part / "points.npz", **grids)  # type: ignore[arg-type]
        np.save(part / "values.npy", found.values, allow_pickle=False)
        save_case(solution.problem, part / "case.toml")
        write_atomically(
            part / "solution.json", json.dumps({"format": FORMAT, **record}, indent=1) + "\n"
        )


def load_belief_policy(directory: str | Path, *, num_threads: int = 1) -> GreedyBeliefPolicy:
    """Read the policy of a saved solution; its values are mapped into memory.

    Raises
    ------
    ValueError
        If the folder holds no such solution.
    """
    folder = Path(directory)
    try:
        record = json.loads((folder / "solution.json").read_text(encoding="utf-8"))
        with np.load(folder / "points.npz", allow_pickle=False) as arrays:
            points = dict(arrays)
        values = np.load(folder / "values.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: holds no saved solution: {error}") from None
    if record.get("format") != FORMAT:
        raise ValueError(f"{folder}: format must be {FORMAT!r}; got {record.get('format')!r}.")
    problem = load_case(folder / "case.toml")
    tensor = BeliefTensor(problem, [BeliefGrid(points[f"points{i}"]) for i in range(len(points))])
    lower, sweeps = record["objective"]["lower"], record["sweeps"]
    found = BeliefValues(tensor=tensor, values=values, lower=lower, num_sweeps=sweeps)
    return GreedyBeliefPolicy(found, num_threads)
