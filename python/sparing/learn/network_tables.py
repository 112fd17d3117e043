"""A network's orders in an exact spares network as tables, one a period, with their exact cost."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.network_plan import PartPlan
from sparing.evaluate.network_rolling import valued_plan
from sparing.learn.network_environment import NetworkEnvironment
from sparing.learn.networks import Network, Parameters, cheapest
from sparing.policies import TablePolicy

BATCH = 1 << 14


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
