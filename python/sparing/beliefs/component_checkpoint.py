"""Checkpoints of a solve over belief points: written between two rounds, whole or not there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sparing._files import write_atomically
from sparing.beliefs.component_points import BeliefGrid
from sparing.beliefs.component_rollout import CostEstimate
from sparing.beliefs.component_selection import Candidates
from sparing.models.hidden import HiddenProblem


@dataclass(frozen=True, kw_only=True)
class Round:
    """The bounds of one round."""

    num_points: int
    lower: float
    upper: CostEstimate
    seconds: float


@dataclass
class SolveState:
    """Where a solve stands between two rounds."""

    grids: list[BeliefGrid]
    candidates: list[Candidates]
    rounds: list[Round] = field(default_factory=list)
    num_sweeps: int = 0


@dataclass(frozen=True)
class BeliefCheckpoint:
    """A directory with the state of one solve; one of another key is ignored.

    ``checkpoint.json`` names the file of arrays that belongs to it and is renamed into place last.
    """

    directory: Path
    key: str

    def save(self, state: SolveState) -> None:
        """Write the state, and then the record that makes it valid."""
        self.directory.mkdir(parents=True, exist_ok=True)
        name = f"round-{len(state.rounds)}.npz"
        arrays: dict[str, Any] = {}
        for i, (grid, found) in enumerate(zip(state.grids, state.candidates, strict=True)):
            arrays |= {f"points{i}": grid.working, f"beliefs{i}": found.beliefs}
            arrays[f"loss{i}"] = found.loss
        with (self.directory / name).open("wb") as file:
            np.savez(file, **arrays)
        rounds = [asdict(done) for done in state.rounds]
        record = {"key": self.key, "state": name, "rounds": rounds, "sweeps": state.num_sweeps}
        write_atomically(self.directory / "checkpoint.json", json.dumps(record))
        for old in self.directory.glob("round-*.npz"):
            if old.name != name:
                old.unlink()

    def load(self) -> SolveState | None:
        """Return the saved state, or None if there is none of this key."""
        try:
            record = json.loads((self.directory / "checkpoint.json").read_text())
            if record["key"] != self.key:
                return None
            with np.load(self.directory / record["state"], allow_pickle=False) as arrays:
                held = dict(arrays)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        count = sum(name.startswith("points") for name in held)
        rounds = [
            Round(**{**done, "upper": CostEstimate(**done["upper"])}) for done in record["rounds"]
        ]
        return SolveState(
            grids=[BeliefGrid(held[f"points{i}"]) for i in range(count)],
            candidates=[Candidates(held[f"beliefs{i}"], held[f"loss{i}"]) for i in range(count)],
            rounds=rounds,
            num_sweeps=record["sweeps"],
        )

    def clear(self) -> None:
        """Remove the checkpoint, once the solve is done."""
        for file in (self.directory / "checkpoint.json", *self.directory.glob("round-*.npz")):
            file.unlink(missing_ok=True)


def solve_key(problem: HiddenProblem, seed: int, episodes: int) -> str:
    """Return a SHA-256 of all that determines the rounds of a solve, but for its limits."""
    digest = hashlib.sha256()
    parts: list[object] = [problem.structure, problem.downtime_cost, problem.periods]
    parts += [problem.discount, seed, episodes]
    for c in problem.components:
        observation = None if c.observation is None else c.observation.tolist()
        parts += [c.name, c.transition.tolist(), c.repair_cost, c.repair_success]
        parts += [c.inspection_cost, observation]
    digest.update(repr(parts).encode())
    return digest.hexdigest()
