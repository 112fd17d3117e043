"""One seed's learning on a twin: rounds, progress, checkpoints; nothing moves unasked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from sparing.learn.checkpoints import FILE, load_checkpoint, save_checkpoint
from sparing.learn.location_learning import Lived, Report, location_learner
from sparing.learn.location_start import LocationSettings, PlanData, Start
from sparing.learn.networks import Parameters
from sparing.learn.run import TrainedSeed, TrainingHook, TrainingProgress

COLUMNS = ("env_steps", "cost", "loss", "epsilon", "rate")


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """Where a seed's learning is saved every so many seconds, and whether it goes on from there.

    `key` is what the run must have been started with.
    """

    folder: Path | None
    resume: bool
    every: float
    key: dict[str, Any]


def learned(
    start: Start,
    data: PlanData,
    settings: LocationSettings,
    *,
    marks: Sequence[int],
    seed: int,
    saved: RunFolder,
    progress: TrainingHook | None = None,
) -> tuple[TrainedSeed, list[Parameters]]:
    """Learn for as many rollouts as the last of `marks`; return the network at each of them.

    The history has a row for each review: the mean cost of a fleet in it, exploration included,
    and the loss of what its rollout was learned from.
    """
    began = time.monotonic()
    learner = location_learner(start, settings, seed=seed)
    lived = jax.jit(learner.init)()
    kept = jax.tree_util.tree_map(
        lambda x: np.zeros((len(marks), *x.shape), x.dtype), start.parameters
    )
    history: list[list[float]] = []
    before, folder = 0.0, saved.folder
    if folder is not None and saved.resume and (folder / FILE).exists():
        like = jax.eval_shape(lambda: lived), kept
        (state, kept), record = load_checkpoint(folder, like, saved.key)
        kept = jax.tree_util.tree_map(np.array, kept)  # a file's arrays cannot be written to
        lived, before, history = jax.device_put(state), record["seconds"], record["history"]
    done, written = int(lived.rounds), time.monotonic()
    step: Any = None
    while done < marks[-1]:
        if step is None:
            data = jax.device_put(data)
            step = jax.jit(learner.step).lower(lived, data).compile()
        with jax.transfer_guard("disallow"):
            lived, report = step(lived, data)
            shown = jax.device_get(report)
        done += 1
        history += _rows(done, shown, start, settings)
        seconds = before + time.monotonic() - began
        if done in marks:
            _keep(kept, marks.index(done), lived)
        _tell(progress, history[-1], marks[-1], seed, seconds, start, settings)
        last = done == marks[-1]
        if folder is not None and (last or time.monotonic() - written >= saved.every):
            content = {"iteration": done, "seconds": seconds, "history": history}
            save_checkpoint(folder, (lived, kept), {**saved.key, **content})
            written = time.monotonic()
    rows = np.array(history)
    trained = TrainedSeed(
        seed=seed,
        parameters=jax.device_get(lived.parameters),
        history={name: rows[:, column] for column, name in enumerate(COLUMNS)},
        env_steps=int(rows[-1, 0]),
        seconds=before + time.monotonic() - began,
    )
    at = [jax.tree_util.tree_map(lambda x, n=n: x[n], kept) for n in range(len(marks))]
    return trained, at


def _choices(start: Start, settings: LocationSettings) -> int:
    """Return how many choices all locations of all fleets make at a review."""
    return settings.fleets * int(np.prod(start.agents.dynamics.shape))


def _rows(done: int, report: Report, start: Start, settings: LocationSettings) -> list[list[float]]:
    """Return the rows of a rollout, one per review."""
    first = (done - 1) * settings.reviews
    choices, loss = _choices(start, settings), float(report.loss)
    return [
        [float((first + k + 1) * choices), float(cost), loss, settings.epsilon, 0.0]
        for k, cost in enumerate(report.cost)
    ]


def _keep(kept: Any, place: int, lived: Lived) -> None:
    """Write the network of this moment into its place of `kept`."""

    def write(into: Any, parameters: Any) -> None:
        into[place] = parameters

    jax.tree_util.tree_map(write, kept, jax.device_get(lived.parameters))


def _tell(
    progress: TrainingHook | None,
    row: list[float],
    rounds: int,
    seed: int,
    seconds: float,
    start: Start,
    settings: LocationSettings,
) -> None:
    if progress is None:
        return
    steps, cost, loss, epsilon, rate = row
    progress(
        TrainingProgress(
            seed=seed,
            env_steps=int(steps),
            total_steps=rounds * settings.reviews * _choices(start, settings),
            seconds=seconds,
            cost=cost,
            rate=rate,
            epsilon=epsilon,
            loss=loss,
        )
    )
