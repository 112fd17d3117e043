"""Training on exact spares networks: what the greedy orders cost, and the optimum, both exactly."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.network_plan import PartPlan, SolveOptions, largest_states, solve_part
from sparing.evaluate.network_rolling import valued_plan
from sparing.exact.policy_evaluation import Bounds
from sparing.learn.learners import Centre
from sparing.learn.network_environment import NetworkEnvironment
from sparing.learn.networks import Network, Parameters, cheapest
from sparing.learn.result import SeedResult, TrainingResult
from sparing.learn.run import TrainedSeed, TrainingHook, train_seeds
from sparing.learn.settings import Settings
from sparing.models.spares_network import SparesNetwork
from sparing.policies import TablePolicy

LARGEST = 1 << 20  # states of a period up to which policies are evaluated
BATCH = 1 << 14


def train_on_network(
    problem: SparesNetwork,
    settings: Settings,
    *,
    seeds: Sequence[int],
    device: str | None,
    folder: Path | None,
    resume: bool,
    checkpoint_s: float,
    progress: TrainingHook | None,
) -> TrainingResult:
    """Train on the one part of `problem`, evaluate the greedy orders exactly, solve beside it.

    Raises
    ------
    ValueError
        If the network is too large to be evaluated, has several parts or limits, or the settings
        do not fit; before anything is trained.
    """
    check_trainable(problem)
    if settings.penalty is not None or settings.discount is not None:
        raise ValueError(
            "spares networks have a mask and a discount of their own; leave penalty and discount"
            " (or the preset) out."
        )
    environment = NetworkEnvironment(problem)
    started = time.monotonic()
    network, found = train_seeds(
        environment,
        settings,
        centre=Centre.none,
        seeds=seeds,
        device=device,
        folder=folder,
        resume=resume,
        name=_name(problem),
        checkpoint_s=checkpoint_s,
        progress=progress,
    )
    seconds = time.monotonic() - started
    plan = solve_part(problem, environment.part, SolveOptions(num_threads=1))
    return TrainingResult(
        model=problem,
        network=network,
        settings=settings,
        view="sequential",
        seeds=tuple(_judged(environment, network, seed) for seed in found),
        optimum=Bounds(lower=plan.lower, upper=plan.upper),
        exact=True,
        seconds=seconds,
    )


def check_trainable(problem: SparesNetwork) -> None:
    """Raise unless `problem` is one part, without limits, that fits into tables."""
    if len(problem.parts) > 1:
        names = ", ".join(part.name for part in problem.parts)
        raise ValueError(f"{problem.name}: training takes one part at a time; got {names}.")
    limits = {"sla": problem.sla, "budget": problem.budget, "rolling": problem.rolling}
    for name, value in limits.items():
        if value is not None:
            raise ValueError(f"{problem.name}: training knows no {name}; leave it out.")
    states = largest_states(problem)
    if states > LARGEST:
        raise ValueError(
            f"{problem.name}: {states:,} states a period; a network's orders are evaluated up to"
            f" {LARGEST:,}."
        )


def plan_of(environment: NetworkEnvironment, network: Network, parameters: Parameters) -> PartPlan:
    """Return the greedy orders of a network as tables, one a period, with their exact cost."""
    nodes, part = environment.nodes, environment.part
    sizes = [stock.found.size for stock in nodes.stocks]
    tuples = np.stack([grid.ravel() for grid in np.indices(sizes)], axis=1)  # [stock states, L]
    columns = [
        np.stack([getattr(s.found, name)[tuples[:, i]] for i, s in enumerate(nodes.stocks)], axis=1)
        for name in ("stock", "ordered", "age")
    ]
    ordering = jax.jit(partial(_orders, environment, network, parameters))
    tables = []
    for period, epoch in enumerate(nodes.epochs()):
        beliefs = nodes.belief_states(period)
        row = np.repeat(np.arange(len(tuples)), beliefs)
        states = np.zeros((row.size, environment.state_width), np.int32)
        states[:, 1], states[:, 2] = period, np.tile(np.arange(beliefs), len(tuples))
        states[:, 3:] = np.concatenate(columns, axis=1)[row]
        behind = _in_batches(ordering, states)
        posts = np.ravel_multi_index(_decided(environment, behind), _decided_sizes(environment))
        table = posts * beliefs + states[:, 2]
        tables.append(TablePolicy(epoch, (table.astype(np.int64),)))
    return valued_plan(environment.problem, part, tables, num_threads=1)


def _orders(
    environment: NetworkEnvironment, network: Network, parameters: Parameters, states: jax.Array
) -> jax.Array:
    """Return the states [B, W] behind the orders of all locations."""
    for place in range(environment.count):
        states = states.at[:, 0].set(place)
        mask = environment.mask(states)
        values = network.apply(parameters, environment.features(states), mask)
        states, _ = environment.ordered(states, cheapest(values, mask))
    return states


def _in_batches(function: Any, states: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return ``function(states)``, so many at a time; a last batch is filled up."""
    size = min(BATCH, 1 << (len(states) - 1).bit_length())
    found = []
    for begin in range(0, len(states), size):
        rows = np.minimum(np.arange(begin, begin + size), len(states) - 1)
        found.append(np.asarray(function(jnp.asarray(states[rows]))))
    return np.concatenate(found)[: len(states)]


def _decided(
    environment: NetworkEnvironment, states: NDArray[np.int32]
) -> tuple[NDArray[np.int64], ...]:
    """Return per location the decided tuple [B] of states behind all orders."""
    stock, ordered, age = np.split(states[:, 3:].astype(np.int64), 3, axis=1)
    found = []
    for i, axis in enumerate(environment.nodes.stocks):
        if axis.merges:  # what arrives at once is in the stock already
            found.append(axis.decided.index(stock[:, i] + ordered[:, i], 0 * age[:, i], age[:, i]))
        else:
            found.append(axis.decided.index(stock[:, i], ordered[:, i], age[:, i]))
    return tuple(found)


def _decided_sizes(environment: NetworkEnvironment) -> tuple[int, ...]:
    return tuple(stock.decided.size for stock in environment.nodes.stocks)


def _judged(environment: NetworkEnvironment, network: Network, trained: TrainedSeed) -> SeedResult:
    leaves = jax.tree_util.tree_leaves(trained.parameters)
    if not all(np.isfinite(leaf).all() for leaf in leaves):
        raise FloatingPointError(f"seed {trained.seed}: the training diverged.")
    plan = plan_of(environment, network, trained.parameters)
    cost = Bounds(lower=plan.lower, upper=plan.upper)
    return SeedResult(trained=trained, policy=plan, objective=cost)


def _name(problem: SparesNetwork) -> str:
    """Return what tells runs on different problems apart: a digest of the case."""
    import json
    from hashlib import sha256

    from sparing.models.spares_network_files import spares_network_table

    named = replace(problem, name="spares-network")
    content = json.dumps(spares_network_table(named), sort_keys=True, default=str)
    return f"{problem.name} orders {sha256(content.encode()).hexdigest()[:16]}"
