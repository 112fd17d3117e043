"""What a search over sizes and intervals has finished, on disk: a search that is killed goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sparing._files import write_atomically
from sparing.exact.options import Options
from sparing.models.load_sharing import LoadSharingProblem
from sparing.models.load_sharing_files import load_sharing_table


@dataclass(frozen=True, kw_only=True)
class SizeAndInterval:
    """Bounds of the optimal cost per unit of time at one size and interval."""

    positions: int
    inspection_interval: float
    lower: float
    upper: float
    num_sweeps: int
    seconds: float
    converged: bool

    @property
    def gain(self) -> float:
        """The middle of the bounds."""
        return (self.lower + self.upper) / 2.0


def search_key(problem: LoadSharingProblem, options: Options) -> str:
    """Return a SHA-256 of everything that determines a search."""
    same = repr((load_sharing_table(problem), replace(options, num_threads=0)))
    return hashlib.sha256(same.encode()).hexdigest()


class SearchLog:
    """The choices that are solved, in the order in which the search asks for them.

    Parameters
    ----------
    folder
        Where ``search.json`` is kept, beside the checkpoint of the solve that is running; None:
        nowhere. A log of another problem or of other options is ignored.
    """

    def __init__(self, folder: Path | None, problem: LoadSharingProblem, options: Options) -> None:
        self.folder = folder
        self._key = search_key(problem, options)
        self._cells = self._load()

    @property
    def _file(self) -> Path | None:
        return None if self.folder is None else self.folder / "search.json"

    def _load(self) -> list[SizeAndInterval]:
        try:
            record = json.loads(self._file.read_text()) if self._file is not None else None
        except (OSError, ValueError):
            return []
        if not isinstance(record, dict) or record.get("key") != self._key:
            return []
        return [SizeAndInterval(**cell) for cell in record["cells"]]

    def get(self, position: int, size: int, interval: float) -> SizeAndInterval | None:
        """Return what was found for the choice asked for at this position, if it is known."""
        if position >= len(self._cells):
            return None
        cell = self._cells[position]
        if (cell.positions, cell.inspection_interval) == (size, interval):
            return cell
        del self._cells[position:]
        return None

    def add(self, cell: SizeAndInterval) -> None:
        """Save one more choice."""
        self._cells.append(cell)
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            record = {"key": self._key, "cells": [asdict(cell) for cell in self._cells]}
            write_atomically(self._file, json.dumps(record))

    def clear(self) -> None:
        """Remove the log, once the search is done."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)
