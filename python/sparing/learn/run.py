"""Training runs: seeds, chunks, progress, checkpoints; nothing moves unasked once it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.learn.checkpoints import FILE, load_checkpoint, require_safetensors, save_checkpoint
from sparing.learn.environment import Environment
from sparing.learn.learners import Centre
from sparing.learn.networks import Network, Parameters
from sparing.learn.settings import Settings
from sparing.learn.training import Carry, jitted, make_training
from sparing.learn.warm_start import WarmStart

CHUNKS = 50  # of a run; progress comes out in between
CHECKPOINT_S = 20.0


@dataclass(frozen=True, kw_only=True)
class TrainingProgress:
    """One report of a running training; `cost` is that of the policy that explores."""

    seed: int
    env_steps: int
    total_steps: int
    seconds: float
    cost: float
    rate: float
    epsilon: float
    loss: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """The network of a running training, on the host, and how much it explores."""

    seed: int
    env_steps: int
    epsilon: float
    parameters: Parameters


Watcher: TypeAlias = Callable[[Snapshot, Network], None]
TrainingHook: TypeAlias = Callable[[TrainingProgress], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedSeed:
    """What one seed came to.

    Attributes
    ----------
    parameters
        Of the network, on the host.
    history
        Per column (env_steps, cost, rate, epsilon, loss) its values [chunks]: means over a chunk.
        `cost` is per epoch or unit of time, of the policy that explores and restarts; `rate` is
        the learner's estimate of the gain, where there is one.
    seconds
        Of training alone, compilation included.
    """

    seed: int
    parameters: Parameters
    history: dict[str, NDArray[np.float64]]
    env_steps: int
    seconds: float


def train_seeds(
    environment: Environment,
    settings: Settings,
    *,
    centre: Centre,
    seeds: Sequence[int] = (0,),
    width: int | None = None,
    device: str | None = None,
    folder: Path | None = None,
    resume: bool = False,
    name: str = "",
    checkpoint_s: float = CHECKPOINT_S,
    progress: TrainingHook | None = None,
    warm_start: WarmStart | None = None,
    watch: Watcher | None = None,
) -> tuple[Network, list[TrainedSeed]]:
    """Train each seed by itself; a seed's result does not depend on which others there are.

    Parameters
    ----------
    width
        Seeds that run side by side, vectorised; a last group is filled up, so that the same
        program runs for every seed. Default 1 on a processor, which is quickest there, else 8.
    device
        Such as "cpu", "gpu" or "cpu:1"; default JAX's own.
    folder, resume, checkpoint_s
        Where the state is saved every so many seconds, and whether to go on from what is there.
    name
        Of the model; checkpoints of another one are refused.
    warm_start
        Values that the network is fitted to first; exploration then begins at its `epsilon`.
    watch
        Called with the network after each fiftieth of the training.

    Raises
    ------
    ValueError
        If a checkpoint is of a run of another kind, or the device does not exist.
    """
    if folder is not None:
        require_safetensors()
    if not seeds or any(not 0 <= seed < 1 << 32 for seed in seeds):
        raise ValueError(f"seeds must be one or more whole numbers of 32 bits; got {[*seeds]}.")
    if warm_start is not None:
        if centre is Centre.none and warm_start.rate != 0.0:
            raise ValueError(
                f"a start for a horizon that ends has rate 0; got {warm_start.rate!r}."
            )
        settings = replace(settings, epsilon=max(settings.epsilon_end, warm_start.epsilon))
    with device_scope(device) as place:
        wide = width or (1 if place.platform == "cpu" else 8)
        chunk = -(-settings.num_iterations // CHUNKS)
        training = make_training(
            environment, settings, centre=centre, chunk=chunk, warm_start=warm_start
        )
        run = _Run(training, settings, wide, -(-settings.num_iterations // chunk), chunk, place)
        run.folder, run.resume, run.every = folder, resume, checkpoint_s
        run.key = {"model": name, "centre": centre.value, "settings": settings.as_json()}
        run.key["warm_start"] = None if warm_start is None else warm_start.as_json()
        run.progress, run.watch, run.network = progress, watch, training.network
        found: list[TrainedSeed] = []
        for begin in range(0, len(seeds), wide):
            found += run.group(list(seeds[begin : begin + wide]))
    return training.network, found


class _Run:
    """The compiled functions of a run and what its groups of seeds share."""

    folder: Path | None = None
    resume = False
    every = CHECKPOINT_S
    key: dict[str, Any]
    progress: TrainingHook | None = None
    watch: Watcher | None = None
    network: Network

    def __init__(
        self, training: Any, settings: Settings, width: int, chunks: int, size: int, place: Any
    ) -> None:
        self.settings, self.width, self.place = settings, width, place
        self.num_chunks, self.size = chunks, size
        self.init, self.chunk = jitted(training, width)
        self.compiled: Any = None

    def group(self, seeds: list[int]) -> list[TrainedSeed]:
        """Train up to `width` seeds side by side."""
        started = time.monotonic()
        filled = seeds + [seeds[-1]] * (self.width - len(seeds))
        given = jax.device_put(np.array(filled, np.uint32), self.place)
        start = given if self.width > 1 else given[0]
        folder = None if self.folder is None else self.folder / f"seed-{seeds[0]}"
        key = {**self.key, "seeds": filled}
        history: list[list[list[float]]] = []
        carry, done, before = None, 0, 0.0
        if folder is not None and self.resume and (folder / FILE).exists():
            like = jax.eval_shape(self.init, start)
            state, record = load_checkpoint(folder, like, key)
            carry = jax.device_put(state, self.place)
            done, before, history = record["chunks"], record["seconds"], record["history"]
        if carry is None:
            carry = self.init(start)
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
            last = done == self.num_chunks
            if folder is not None and (last or time.monotonic() - saved >= self.every):
                content = {"chunks": done, "iteration": done * self.size, "seconds": seconds}
                save_checkpoint(folder, carry, {**key, **content, "history": history})
                saved = time.monotonic()
        seconds = before + time.monotonic() - started
        return [self._result(carry, history, seeds, n, seconds) for n in range(len(seeds))]

    def _row(self, done: int, means: Any) -> list[list[float]]:
        """Return per seed the row of the history."""
        steps = done * self.size * self.settings.lanes * self.settings.choices
        columns = [np.atleast_1d(x).astype(float).tolist() for x in means]
        return [[float(steps), *row] for row in zip(*columns, strict=True)]

    def _tell(self, seeds: list[int], rows: list[list[float]], seconds: float) -> None:
        if self.progress is None:
            return
        settings = self.settings
        total = self.num_chunks * self.size * settings.lanes * settings.choices
        steps, cost, loss, epsilon, rate = rows[0]
        self.progress(
            TrainingProgress(
                seed=seeds[0],
                env_steps=int(steps),
                total_steps=total,
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
        parameters = jax.device_get(carry.learner.parameters)
        for number, seed in enumerate(seeds):
            own = parameters
            if self.width > 1:
                own = jax.tree_util.tree_map(lambda x, n=number: x[n], parameters)
            steps, _, _, epsilon, _ = rows[number]
            shown = Snapshot(seed=seed, env_steps=int(steps), epsilon=epsilon, parameters=own)
            self.watch(shown, self.network)

    def _result(
        self, carry: Carry, history: list[Any], seeds: list[int], number: int, seconds: float
    ) -> TrainedSeed:
        parameters = jax.device_get(carry.learner.parameters)
        if self.width > 1:
            parameters = jax.tree_util.tree_map(lambda x: x[number], parameters)
        rows = np.array([rows[number] for rows in history])
        names = ("env_steps", "cost", "loss", "epsilon", "rate")
        return TrainedSeed(
            seed=seeds[number],
            parameters=parameters,
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
