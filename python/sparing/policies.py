"""Policies: whatever decides, by a table, by rows of probabilities or by a function.

A policy answers with the post-decision state of a stage: the state behind its last node, before
nature draws again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from os import PathLike
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.epoch import Epoch, Layout
from sparing.row_policy import RowPolicy
from sparing.stages import (
    flat_states,
    stage_ends,
    stage_signature,
    stage_table,
    unflatten_states,
)

__all__ = ["CallbackPolicy", "Policy", "RowPolicy", "StageFunction", "TablePolicy"]

StageFunction: TypeAlias = Callable[[int, NDArray[np.int32]], NDArray[np.integer]]
_FORMAT = "sparing-table-policy-1"


@runtime_checkable
class Policy(Protocol):
    """Decides: from states at the start of a stage to post-decision states behind it."""

    def action(self, state: ArrayLike, *, stage: int = 0) -> NDArray[np.integer]:
        """Return the post-decision state of `state` [axes], or those of states [B, axes].

        Raises
        ------
        ValueError
            If a coordinate is out of range, naming the axis and the value.
        """


@dataclass(frozen=True, eq=False)
class TablePolicy:
    """One post-decision state per state at the start of each stage.

    Parameters
    ----------
    epoch
        The epoch it decides in.
    stages
        Per stage an array [stage states], uint32 or int64: the flat post-decision state, C order
        over the axes behind the stage. Arrays are not copied, so they may be memory maps.
    """

    epoch: Epoch
    stages: tuple[NDArray[np.uint32 | np.int64], ...]

    def __post_init__(self) -> None:
        runs = self.epoch.stages
        if len(self.stages) != len(runs):
            raise ValueError(f"a table per stage is needed, {len(runs)}; got {len(self.stages)}.")
        tables = tuple(
            stage_table(table, _num_states(self.epoch.layouts[first]), f"stage {number}")
            for number, (table, (first, _)) in enumerate(zip(self.stages, runs, strict=True))
        )
        object.__setattr__(self, "stages", tables)

    def action(self, state: ArrayLike, *, stage: int = 0) -> NDArray[np.int32]:
        """Look the post-decision state up: one load per state."""
        start, end = stage_ends(self.epoch, stage)
        goals = self.stages[stage][flat_states(state, start)]
        for goal in np.ravel(goals)[np.ravel(goals) >= _num_states(end)][:1]:
            raise ValueError(
                f"stage {stage}: the table holds {goal} for {_num_states(end)} states."
            )
        return unflatten_states(goals, end)

    def save(self, path: str | PathLike[str]) -> None:
        """Write a folder: stage0.npy, stage1.npy, … and policy.json with the axes."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        for number, table in enumerate(self.stages):
            np.save(folder / f"stage{number}.npy", table, allow_pickle=False)
        text = json.dumps({"format": _FORMAT, "stages": stage_signature(self.epoch)}, indent=1)
        (folder / "policy.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | PathLike[str], epoch: Epoch) -> TablePolicy:
        """Map a saved policy into memory; an action then reads one page.

        Raises
        ------
        ValueError
            If it was saved for other axes.
        """
        folder = Path(path)
        found = json.loads((folder / "policy.json").read_text(encoding="utf-8"))
        if found.get("format") != _FORMAT:
            raise ValueError(f"{folder}: format must be {_FORMAT!r}; got {found.get('format')!r}.")
        if found["stages"] != stage_signature(epoch):
            raise ValueError(
                f"{folder}: saved for the stages {found['stages']}; the epoch has"
                f" {stage_signature(epoch)}."
            )
        files = [folder / f"stage{number}.npy" for number in range(len(epoch.stages))]
        return cls(epoch, tuple(np.load(file, mmap_mode="r") for file in files))


@dataclass(frozen=True, eq=False)
class CallbackPolicy:
    """A function decides for a batch of states, such as a network or a rule in NumPy.

    Parameters
    ----------
    function
        ``function(stage, states)`` gets int32 [B, axes] and returns post-decision states: flat
        [B], or coordinates [B, axes behind the stage] where a flat number would be too large.
    """

    function: StageFunction

    def action(self, state: ArrayLike, *, stage: int = 0) -> NDArray[np.integer]:
        """Return the function's answer as it is, for one state or a batch."""
        states = np.asarray(state)
        if states.dtype.kind not in "iu" or states.ndim not in (1, 2):
            raise ValueError(
                "states must be whole numbers [axes] or [B, axes]; got"
                f" {states.dtype} {states.shape}."
            )
        answer = np.asarray(self.function(stage, np.atleast_2d(states).astype(np.int32)))
        return answer if states.ndim == 2 else answer[0]

    def post_states(self, epoch: Epoch, stage: int, states: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the answer in `epoch` as coordinates [B, axes]; -1 where out of range."""
        _, end = stage_ends(epoch, stage)
        answer = np.asarray(self.function(stage, states))
        shapes = (len(states),), (len(states), len(end))
        if answer.dtype.kind not in "iu" or answer.shape not in shapes:
            raise ValueError(
                f"stage {stage}: the function must return whole numbers of shape {shapes[0]} or"
                f" {shapes[1]}; got {answer.dtype} {answer.shape}."
            )
        if answer.ndim == 1:
            return unflatten_states(answer, end)
        return np.ascontiguousarray(answer, dtype=np.int32)


def _num_states(layout: Layout) -> int:
    return prod(axis.size for axis in layout)
