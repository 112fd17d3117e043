"""A training as two functions: where it starts, and a jitted scan of so many iterations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import optax

from sparing.learn.environment import Environment
from sparing.learn.learners import Centre, Learner, dqn
from sparing.learn.loop import Carry, Loop, Report
from sparing.learn.loop_start import start
from sparing.learn.networks import Network
from sparing.learn.rollout_learners import pqn, qv
from sparing.learn.settings import Settings
from sparing.learn.warm_start import WarmStart


class Training(NamedTuple):
    """``init(seed) -> carry``; ``chunk(carry) -> (carry, report [n])``, not yet jitted."""

    init: Callable[[jax.Array], Carry]
    chunk: Callable[[Carry], tuple[Carry, Report]]
    network: Network


def make_training(
    environment: Environment,
    settings: Settings,
    *,
    centre: Centre,
    chunk: int,
    warm_start: WarmStart | None = None,
) -> Training:
    """Return the functions of a training run; `chunk` is its number of iterations.

    With a `warm_start` the network is first fitted to its values.
    """
    network = Network(
        num_features=environment.num_features,
        num_actions=environment.num_actions,
        hidden=settings.hidden,
        dueling=settings.dueling,
        layer_norm=settings.layer_norm,
        dropout=settings.dropout,
    )
    learner = _learner(network, settings, centre)
    loop = Loop(environment=environment, settings=settings, network=network, learner=learner)

    def run(carry: Carry) -> tuple[Carry, Report]:
        return jax.lax.scan(loop.iteration, carry, None, length=chunk)

    return Training(partial(start, loop, centre, warm_start), run, network)


def _learner(network: Network, settings: Settings, centre: Centre) -> Learner:
    per_iteration = settings.passes * settings.parts if settings.uses_rollouts else settings.updates
    total = settings.num_iterations * per_iteration
    rate = optax.linear_schedule(
        settings.learning_rate, settings.learning_rate * settings.learning_rate_end, total
    )
    optimizer = {"adam": optax.adam, "radam": optax.radam}[settings.optimizer](rate)
    shared: dict[str, Any] = {"centre": centre, "rate_step": settings.rate_step}
    if settings.uses_rollouts:
        method = pqn if settings.learner == "pqn" else qv
        rounds: dict[str, Any] = {"num_passes": settings.passes, "num_batches": settings.parts}
        return method(network, optimizer, trace=settings.trace, **rounds, **shared)
    return dqn(
        network,
        optimizer,
        double=settings.double,
        target_step=settings.target_step,
        target_period=settings.target_period,
        **shared,
    )


def jitted(training: Training, width: int) -> tuple[Any, Any]:
    """Return `init` and `chunk` compiled for seeds [width] side by side.

    A width of one is not vectorised, which is the quicker way on a processor; the carry is the
    same tree with or without the leading axis.
    """
    init: Any = training.init
    chunk: Any = training.chunk
    if width > 1:
        init, chunk = jax.vmap(init), jax.vmap(chunk)
    return jax.jit(init), partial(jax.jit, donate_argnums=0)(chunk)
