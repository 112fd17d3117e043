"""What a training run is given, and what comes out of it on the way and at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.learn.networks import Network, Parameters

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
History: TypeAlias = list[list[list[float]]]  # per chunk and seed: steps, cost, loss, epsilon, rate


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


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a training is run; none of it changes what a seed comes to.

    Parameters
    ----------
    seeds
        Whole numbers of 32 bits; each is trained by itself.
    device
        Such as "cpu", "gpu" or "cpu:1"; default JAX's own.
    folder, resume, checkpoint_s
        Where the state is saved every so many seconds, and whether to go on from what is there.
    progress
        Called after each fiftieth of the training.
    """

    seeds: Sequence[int] = (0,)
    device: str | None = None
    folder: Path | None = None
    resume: bool = False
    checkpoint_s: float = CHECKPOINT_S
    progress: TrainingHook | None = None

    def __post_init__(self) -> None:
        if not self.seeds or any(not 0 <= seed < 1 << 32 for seed in self.seeds):
            raise ValueError(
                f"at least one seed is needed, whole numbers of 32 bits; got {[*self.seeds]}."
            )
        if self.resume and self.folder is None:
            raise ValueError("resume needs the folder of the run that it goes on with.")
