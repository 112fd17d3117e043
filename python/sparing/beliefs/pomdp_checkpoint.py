"""A search that is interrupted goes on from its vectors and points."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any, Self

import numpy as np

from sparing import _core
from sparing._files import write_atomically
from sparing.beliefs.pomdp_model import ExplicitPOMDP
from sparing.exact.checkpoint import default_seconds

RECORD = "search.json"


class SearchCheckpoint:
    """A directory that holds the last state of one search.

    ``search.json`` names the file of arrays that belongs to it and is renamed into place last, so
    that a kill at any moment leaves a whole checkpoint. One of another key is ignored.
    """

    def __init__(self, directory: Path, key: str) -> None:
        self._directory, self._key = directory, key
        self._every_s, self._saved_at = default_seconds(), time.monotonic()

    @classmethod
    def of(cls, directory: Path, model: ExplicitPOMDP, horizon: int | None) -> Self:
        """Return the checkpoint of a search, by all that determines its bounds."""
        return cls(directory, search_key(model, horizon))

    def is_due(self) -> bool:
        """Whether the last save is long enough ago."""
        return time.monotonic() - self._saved_at >= self._every_s

    def save(self, search: _core.PomdpSearch) -> None:
        """Write vectors and points and then, in one rename, the record that makes them valid."""
        self._directory.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {}
        for d in range(len(search.domains()[1])):
            arrays[f"action{d}"], arrays[f"vectors{d}"] = search.alphas(d)
            names = ("indptr", "place", "weight", "value")
            for name, array in zip(names, search.points(d), strict=True):
                arrays[f"{name}{d}"] = array
        name = f"state-{time.time_ns()}.npz"
        with (self._directory / name).open("wb") as file:
            np.savez(file, **arrays)
        record = {"key": self._key, "state": name}
        write_atomically(self._directory / RECORD, json.dumps(record))
        for old in self._directory.glob("state-*.npz"):
            if old.name != name:
                old.unlink()
        self._saved_at = time.monotonic()

    def restore(self, search: _core.PomdpSearch) -> bool:
        """Give a new search the vectors and points that were saved, if there are any."""
        try:
            record = json.loads((self._directory / RECORD).read_text(encoding="utf-8"))
            if not isinstance(record, dict) or record.get("key") != self._key:
                return False
            with np.load(self._directory / record["state"], allow_pickle=False) as saved:
                for d in range(len(search.domains()[1])):
                    search.add_alphas(d, saved[f"action{d}"], saved[f"vectors{d}"])
                    names = ("indptr", "place", "weight", "value")
                    search.add_points(d, *(saved[f"{name}{d}"] for name in names))
        except (OSError, ValueError, KeyError):
            return False
        return True

    def clear(self) -> None:
        """Remove the checkpoint, once the search is done."""
        for file in (self._directory / RECORD, *self._directory.glob("state-*.npz")):
            file.unlink(missing_ok=True)


def search_key(model: ExplicitPOMDP, horizon: int | None) -> str:
    """Return a SHA-256 of the model and the horizon."""
    digest = hashlib.sha256(repr((model.discount, horizon, model.cost.shape)).encode())
    for rows in (model.transition, model.observation):
        for array in (rows.indptr, rows.indices, rows.data):
            digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(model.cost.tobytes())
    digest.update(model.belief.tobytes())
    return digest.hexdigest()
