"""Training and then judging each seed: what every kind of model has in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
from numpy.typing import NDArray

from sparing.exact.policy_evaluation import Bounds
from sparing.learn.environment import Environment
from sparing.learn.learners import Centre
from sparing.learn.networks import Network, Parameters
from sparing.learn.result import SeedResult
from sparing.learn.run import train_seeds
from sparing.learn.run_records import RunOptions, TrainedSeed, Watcher
from sparing.learn.settings import Settings
from sparing.learn.warm_start import WarmStart


class Verdict(NamedTuple):
    """A policy, what it costs, and that in each replication where C++ rollouts tell."""

    policy: Any
    objective: Bounds
    samples: NDArray[np.float64] | None = None


Judge: TypeAlias = Callable[[Network, Parameters], Verdict]


class Judged(NamedTuple):
    """The seeds of a run with what their greedy policies cost; seconds of training them all."""

    network: Network
    seeds: tuple[SeedResult, ...]
    seconds: float


def train_and_judge(
    environment: Environment,
    settings: Settings,
    judge: Judge,
    *,
    centre: Centre,
    name: str,
    options: RunOptions,
    warm_start: WarmStart | None = None,
    watch: Watcher | None = None,
) -> Judged:
    """Train all seeds, and judge each one's greedy policy.

    The parameters but `judge` are those of `train_seeds`.

    Raises
    ------
    FloatingPointError
        If a training diverged.
    """
    started = time.monotonic()
    network, found = train_seeds(
        environment,
        settings,
        centre=centre,
        options=options,
        name=name,
        warm_start=warm_start,
        watch=watch,
    )
    seconds = time.monotonic() - started
    return Judged(network, tuple(_judged(network, seed, judge) for seed in found), seconds)


def _judged(network: Network, trained: TrainedSeed, judge: Judge) -> SeedResult:
    leaves = jax.tree_util.tree_leaves(trained.parameters)
    if all(np.isfinite(leaf).all() for leaf in leaves):
        found = judge(network, trained.parameters)
        if np.isfinite(found.objective.value):
            return SeedResult(trained=trained, **found._asdict())
    raise FloatingPointError(f"seed {trained.seed}: the training diverged.")
