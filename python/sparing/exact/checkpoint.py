"""Checkpoints: a solve that is killed goes on to the identical result."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing._files import write_atomically
from sparing.epoch import Epoch
from sparing.exact.relaxation import Relaxation
from sparing.nodes import Branch, Cost, Node


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a solve stands, next to the state of its sweep."""

    num_sweeps: int = 0
    shift: float = 0.0
    gap: float = float("inf")  # of the objective's bounds, after the last sweep
    expected_gap: float = float("inf")  # after one sweep more, if it closes as the last one did
    aim: float = 0.9  # share of the wanted gap that the sweeps go for
    best_gap: float = float("inf")
    best_at: int = 0
    damped: bool = False
    relaxation: Relaxation = field(default_factory=Relaxation)
    dtype: str = "float64"

    def __post_init__(self) -> None:
        if isinstance(self.relaxation, dict):  # as it is read from a file
            object.__setattr__(self, "relaxation", Relaxation(**self.relaxation))


def default_seconds() -> float:
    """Return the least time between two saves [s] that the environment asks for."""
    text = os.environ.get("SPARING_CHECKPOINT_SECONDS", "20")
    try:
        return float(text)
    except ValueError:
        raise ValueError(
            f"SPARING_CHECKPOINT_SECONDS must be a number of seconds; got {text!r}."
        ) from None


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A directory that holds the last saved state of one solve.

    Parameters
    ----------
    directory
        Made if need be. ``checkpoint.json`` names the state file that belongs to it and is
        renamed into place last, so a kill at any moment leaves a whole checkpoint.
    key
        Fingerprint of the problem and the options; a checkpoint of another key is ignored.
    every_s
        Least time between two saves [s]; default SPARING_CHECKPOINT_SECONDS of the environment,
        or 20.
    position_type
        The dataclass of the position, of plain numbers.
    """

    directory: Path
    key: str
    every_s: float = field(default_factory=default_seconds)
    position_type: type[Any] = Position

    def load(self) -> tuple[Any, NDArray[Any]] | None:
        """Return the saved position and state, or None if there is none of this key."""
        try:
            record = json.loads((self.directory / "checkpoint.json").read_text())
        except (OSError, ValueError):
            return None
        if not isinstance(record, dict) or record.get("key") != self.key:
            return None
        state = np.load(self.directory / record["state"], mmap_mode="r", allow_pickle=False)
        return self.position_type(**record["position"]), state

    def save(self, position: Any, state: NDArray[Any]) -> None:
        """Write the state and then, in one rename, the record that makes it valid."""
        self.directory.mkdir(parents=True, exist_ok=True)
        name = f"state-{position.num_sweeps}.npy"
        with (self.directory / name).open("wb") as file:
            np.save(file, state, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        record = {"key": self.key, "state": name, "position": asdict(position)}
        write_atomically(self.directory / "checkpoint.json", json.dumps(record))
        for old in self.directory.glob("state-*.npy"):
            if old.name != name:
                old.unlink()

    def clear(self) -> None:
        """Remove the checkpoint, once the solve is done."""
        for file in (self.directory / "checkpoint.json", *self.directory.glob("state-*.npy")):
            file.unlink(missing_ok=True)


def fingerprint(epoch: Epoch, weights: Mapping[str, float], **options: object) -> str:
    """Return a SHA-256 of everything that determines the sweeps of a solve."""
    digest = hashlib.sha256()

    def add(*values: object) -> None:
        for value in values:
            if isinstance(value, np.ndarray):
                add(value.dtype.str, value.shape)
                digest.update(np.ascontiguousarray(value).tobytes())
            else:
                digest.update(repr(value).encode() + b"\0")

    def add_node(node: Node) -> None:
        add(type(node).__name__)
        if isinstance(node, Branch):
            for alternative in node.alternatives:
                add("alternative", sorted(alternative.cost.items()))
                for inner in alternative.nodes:
                    add_node(inner)
        elif isinstance(node, Cost):
            add(node.axes, node.kind, node.values)
            for name, groups in sorted(node.groups.items()):
                add(name, groups)
        else:
            table = node.table
            add(node.axes, node.to, node.context, table.indptr, table.to)
            add(table.probability, table.choice)
            for kind, values in sorted(table.cost.items()):
                add(kind, values)

    add(epoch.axes, epoch.discount, sorted(weights.items()), sorted(options.items()))
    for node in epoch.nodes:
        add_node(node)
    return digest.hexdigest()
