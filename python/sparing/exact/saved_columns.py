"""The policies that a search over multipliers has found so far, so that a killed one goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sparing.epoch import Epoch
from sparing.exact.checkpoint import default_seconds
from sparing.exact.solution import Solution

FIELDS = (
    *("criterion", "lower", "upper", "value_slack", "num_sweeps", "seconds", "converged"),
    *("message", "dtype", "path"),
)


class SavedColumns:
    """One file a policy, named by all that determines it, in `directory` (None: nothing is kept).

    A file is written beside its name and renamed into place: it is whole or not there. Files are
    written as often as checkpoints are, so that a short search leaves the disk alone.
    """

    def __init__(self, directory: Path | None, epoch: Epoch, initial: tuple[int, ...]) -> None:
        self.directory, self.epoch, self.initial = directory, epoch, initial
        self._pending: list[tuple[str, Solution, Mapping[str, float]]] = []
        self._every_s, self._saved_at = default_seconds(), time.monotonic()

    def load(self, key: str) -> tuple[Solution, dict[str, float]] | None:
        """Return the solution and its measures, or None if they were not saved."""
        if self.directory is None or not (file := self._file(key)).exists():
            return None
        with np.load(file, allow_pickle=False) as saved:
            record = json.loads(str(saved["record"]))
            posts = tuple(saved[f"posts{stage}"] for stage in range(record["stages"]))
        solution = Solution(
            epoch=self.epoch, initial=self.initial, posts=posts, value=None, **record["solution"]
        )
        return solution, record["measures"]

    def save(self, key: str, solution: Solution, measures: Mapping[str, float]) -> None:
        """Keep a solution and its measures."""
        self._pending.append((key, solution, measures))
        if time.monotonic() - self._saved_at >= self._every_s:
            self.flush()

    def flush(self) -> None:
        """Write what is not written yet."""
        if self.directory is not None:
            for key, solution, measures in self._pending:
                self._write(self.directory, key, solution, measures)
        self._pending.clear()
        self._saved_at = time.monotonic()

    def _write(
        self, directory: Path, key: str, solution: Solution, measures: Mapping[str, float]
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        record = {
            "stages": len(solution.posts),
            "solution": {name: getattr(solution, name) for name in FIELDS},
            "measures": dict(measures),
        }
        part = self._file(key).with_suffix(".part")
        with part.open("wb") as file:
            arrays: dict[str, Any] = {
                f"posts{stage}": array for stage, array in enumerate(solution.posts)
            }
            np.savez(file, record=np.array(json.dumps(record)), **arrays)
        part.replace(self._file(key))

    def clear(self) -> None:
        """Remove all of them, once the search is done."""
        if self.directory is not None:
            for file in self.directory.glob("column-*"):
                file.unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        assert self.directory is not None
        return self.directory / f"column-{key[:32]}.npz"
