"""Training runs: seeds, chunks, progress, checkpoints; nothing moves unasked once it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sparing.learn.checkpoints import FILE, load_checkpoint, save_checkpoint
from sparing.learn.environment import Environment
from sparing.learn.learners import Centre
from sparing.learn.loop import Carry
from sparing.learn.networks import Network, Parameters
from sparing.learn.run_records import (
    CHECKPOINT_S,
    History,
    RunOptions,
    Snapshot,
    TrainedSeed,
    TrainingHook,
    TrainingProgress,
    Watcher,
)
from sparing.learn.settings import Settings
from sparing.learn.training import Training, jitted, make_training
from sparing.learn.warm_start import WarmStart

__all__ = [
    "CHECKPOINT_S",
    "TrainedSeed",
    "TrainingHook",
    "TrainingProgress",
    "device_scope",
    "train_seeds",
]

CHUNKS = 50  # of a run; progress comes out in between


def train_seeds(
    environment: Environment,
    settings: Settings,
    *,
    centre: Centre,
    options: RunOptions,
    name: str = "",
    width: int | None = None,
    warm_start: WarmStart | None = None,
    watch: Watcher | None = None,
) -> tuple[Network, list[TrainedSeed]]:
    """Train each seed by itself; a seed's result does not depend on which others there are.

    Parameters
    ----------
    name
        Of the model; checkpoints of another one are refused.
    width
        Seeds that run side by side, vectorised; a last group is filled up, so that the same
        program runs for every seed. Default 1 on a processor, which is quickest there, else 8.
    warm_start
        Values that the network is fitted to first; exploration then begins at its `epsilon`.
    watch
        Called with the network after each fiftieth of the training.

    Raises
    ------
    ValueError
        If a checkpoint is of a run of another kind, or the device does not exist.
    """
    if warm_start is not None:
        if centre is Centre.none and warm_start.rate != 0.0:
            raise ValueError(
                f"a start for a horizon that ends has rate 0; got {warm_start.rate!r}."
            )
        settings = replace(settings, epsilon=max(settings.epsilon_end, warm_start.epsilon))
    with device_scope(options.device) as place:
        chunk = -(-settings.num_iterations // CHUNKS)
        run = _Run(
            training=make_training(
                environment, settings, centre=centre, chunk=chunk, warm_start=warm_start
            ),
            settings=settings,
            options=options,
            width=width or (1 if place.platform == "cpu" else 8),
            size=chunk,
            place=place,
            key={
                "model": name,
                "centre": centre.value,
                "settings": settings.as_json(),
                "warm_start": None if warm_start is None else warm_start.as_json(),
            },
            watch=watch,
        )
        if options.folder is not None:
            _prepare(options.folder, name, resume=options.resume)
        found: list[TrainedSeed] = []
        for begin in range(0, len(options.seeds), run.width):
            found += run.group(list(options.seeds[begin : begin + run.width]))
    return run.training.network, found


def _prepare(folder: Path, name: str, *, resume: bool) -> None:
    """Make the folder of a run; an earlier run's state is cleared, and nothing else."""
    from sparing.learn.saved import REPORT, prepare

    prepare(folder, name, resume=resume or not (folder / REPORT).exists())


@dataclass(kw_only=True, eq=False)
class _Run:
    """What the groups of seeds of a run share.

    Attributes
    ----------
    width, size
        Seeds side by side, and iterations of a chunk.
    key
        What a checkpoint must have been started with.
    """

    training: Training
    settings: Settings
    options: RunOptions
    width: int
    size: int
    place: Any
    key: dict[str, Any]
    watch: Watcher | None

    def __post_init__(self) -> None:
        self.num_chunks = -(-self.settings.num_iterations // self.size)
        self.init, self.chunk = jitted(self.training, self.width)
        self.compiled: Any = None

    def group(self, seeds: list[int]) -> list[TrainedSeed]:
        """Train up to `width` seeds side by side."""
        started = time.monotonic()
        filled = seeds + [seeds[-1]] * (self.width - len(seeds))
        folder = None
        if self.options.folder is not None:
            folder = self.options.folder / f"seed-{seeds[0]}"
        key = {**self.key, "seeds": filled}
        carry, done, before, history = self._start(filled, folder, key)
        if self.compiled is None and done < self.num_chunks:
            self.compiled = self.chunk.lower(carry).compile()
        saved = time.monotonic()
        while done < self.num_chunks:
            with jax.transfer_guard("disallow"):
                carry, report = self.compiled(carry)
                means = jax.device_get(jax.tree_util.tree_map(_chunk_mean, report))
            done += 1
            history.append(self._row(done, means))
            seconds = before + time.monotonic() - started
            self._tell(seeds, history[-1], seconds)
            self._show(seeds, history[-1], carry)
            is_due = time.monotonic() - saved >= self.options.checkpoint_s
            if folder is not None and (is_due or done == self.num_chunks):
                content = {"chunks": done, "iteration": done * self.size, "seconds": seconds}
                save_checkpoint(folder, carry, {**key, **content, "history": history})
                saved = time.monotonic()
        seconds = before + time.monotonic() - started
        return [self._result(carry, history, seeds, n, seconds) for n in range(len(seeds))]

    def _start(
        self, seeds: list[int], folder: Path | None, key: dict[str, Any]
    ) -> tuple[Carry, int, float, History]:
        """Return where a group goes on: its state, chunks and seconds done, and their history."""
        given = jax.device_put(np.array(seeds, np.uint32), self.place)
        start = given if self.width > 1 else given[0]
        if folder is None or not self.options.resume or not (folder / FILE).exists():
            return self.init(start), 0, 0.0, []
        state, record = load_checkpoint(folder, jax.eval_shape(self.init, start), key)
        carry: Carry = jax.device_put(state, self.place)
        return carry, record["chunks"], record["seconds"], record["history"]

    def _row(self, done: int, means: Any) -> list[list[float]]:
        """Return per seed the row of the history."""
        steps = done * self.size * self.settings.lanes * self.settings.choices
        columns = [np.atleast_1d(x).astype(float).tolist() for x in means]
        return [[float(steps), *row] for row in zip(*columns, strict=True)]

    def _tell(self, seeds: list[int], rows: list[list[float]], seconds: float) -> None:
        if self.options.progress is None:
            return
        settings = self.settings
        steps, cost, loss, epsilon, rate = rows[0]
        self.options.progress(
            TrainingProgress(
                seed=seeds[0],
                env_steps=int(steps),
                total_steps=self.num_chunks * self.size * settings.lanes * settings.choices,
                seconds=seconds,
                cost=cost,
                rate=rate,
                epsilon=epsilon,
                loss=loss,
            )
        )

    def _show(self, seeds: list[int], rows: list[list[float]], carry: Carry) -> None:
        if self.watch is None:
            return
        for number, seed in enumerate(seeds):
            steps, _, _, epsilon, _ = rows[number]
            shown = Snapshot(
                seed=seed,
                env_steps=int(steps),
                epsilon=epsilon,
                parameters=self._parameters(carry, number),
            )
            self.watch(shown, self.training.network)

    def _parameters(self, carry: Carry, number: int) -> Parameters:
        """Return the network of one seed of a group, on the host."""
        parameters = jax.device_get(carry.learner.parameters)
        if self.width == 1:
            return parameters
        return jax.tree_util.tree_map(lambda x: x[number], parameters)

    def _result(
        self, carry: Carry, history: History, seeds: list[int], number: int, seconds: float
    ) -> TrainedSeed:
        rows = np.array([rows[number] for rows in history])
        names = ("env_steps", "cost", "loss", "epsilon", "rate")
        return TrainedSeed(
            seed=seeds[number],
            parameters=self._parameters(carry, number),
            history={name: rows[:, column] for column, name in enumerate(names)},
            env_steps=int(rows[-1, 0]),
            seconds=seconds / len(seeds),
        )


@jax.jit
def _chunk_mean(values: jax.Array) -> jax.Array:
    """Return the mean over the iterations of a chunk, the last axis."""
    return jnp.mean(values, axis=-1)


@contextmanager
def device_scope(device: str | None) -> Iterator[Any]:
    """Make the device of that name JAX's default, and yield it.

    Raises
    ------
    ValueError
        If there is none of that name, listing those there are.
    """
    if device is None:
        yield jax.devices()[0]
        return
    platform, _, number = device.partition(":")
    try:
        found = jax.devices(platform)
        chosen = found[int(number or 0)]
    except (RuntimeError, ValueError, IndexError):
        there = ", ".join(f"{d.platform}:{d.id}" for d in jax.devices())
        raise ValueError(f"device {device!r}: there is none; there are {there}.") from None
    with jax.default_device(chosen):
        yield chosen
