"""A network as a policy of the project: a table of all states, for exact evaluation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.epoch import Epoch
from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.flow import Place, Segment
from sparing.learn.interpreter import point_codes
from sparing.learn.lanes import Lanes
from sparing.learn.lookups import int32, lookup
from sparing.policies import TablePolicy

Apply: TypeAlias = Callable[[Any, jax.Array, jax.Array], jax.Array]

LARGEST = 1 << 26  # states at the start of a stage
BATCH = 1 << 14


def table_policy(
    environment: EpochEnvironment,
    apply: Apply,
    parameters: Any,
    *,
    period: int = 0,
    batch: int = BATCH,
) -> TablePolicy:
    """Return what a network does in every state, as a table of post-decision states.

    In the sequential view the choices of a stage are met one after another until they make a
    joint decision. The table holds where that leads; what it costs is the cheapest path there, so
    a network that sends a crew for nothing is spared the set-up cost.

    Parameters
    ----------
    environment
        A view of the model.
    apply
        ``apply(parameters, features [B, F], mask [B, A])`` returns a value [B, A] per choice, of
        which the lowest allowed one is taken (ties: the first).
    parameters
        Of the network.
    period
        Of a finite horizon.
    batch
        States that are decided at a time.

    Raises
    ------
    MemoryError
        If there are too many states for a table.
    """
    flow = environment.interpreter.flow
    segment = flow.segments[flow.segment_of[period]]
    tables = tuple(
        _stage_table(environment, apply, parameters, segment, stage, period, batch)
        for stage in segment.epoch.stages
    )
    return TablePolicy(segment.epoch, tables)


def post_states(
    environment: EpochEnvironment,
    apply: Apply,
    parameters: Any,
    states: NDArray[np.int64],
    *,
    stage: int = 0,
    period: int = 0,
) -> NDArray[np.int32]:
    """Return the post-decision states [B, axes] of states [B, axes] at the start of a stage."""
    flow = environment.interpreter.flow
    segment = flow.segments[flow.segment_of[period]]
    ends = segment.epoch.stages[stage]
    decide = jax.jit(partial(_decide, environment, apply, segment, ends, period))
    begin = np.full(len(states), segment.node_start[ends[0]], dtype=np.int32)
    found = decide(parameters, begin, [int32(column) for column in np.transpose(states)])
    return np.stack([np.asarray(values) for values in found], axis=1).astype(np.int32)


def greedy(values: jax.Array, mask: jax.Array) -> jax.Array:
    """Return the allowed choice [B] of the lowest value [B, A]; ties go to the first."""
    return jnp.where(mask, values, jnp.inf).argmin(axis=-1).astype(jnp.int32)


def _stage_table(
    environment: EpochEnvironment,
    apply: Apply,
    parameters: Any,
    segment: Segment,
    stage: tuple[int, int],
    period: int,
    batch: int,
) -> NDArray[np.uint32 | np.int64]:
    epoch, (first, last) = segment.epoch, stage
    size, ends = (_num_states(epoch, position) for position in (first, last))
    if size > LARGEST:
        raise MemoryError(
            f"a table of {size:,} states is too large, at most {LARGEST:,} are listed; roll the"
            " network out instead."
        )
    decide = jax.jit(partial(_decide, environment, apply, segment, stage, period))
    table: NDArray[Any] = np.empty(size, dtype=np.uint32 if ends <= 1 << 32 else np.int64)
    batch = min(batch, size)
    at_start = np.full(batch, segment.node_start[first], dtype=np.int32)
    for begin in range(0, size, batch):
        states = np.minimum(np.arange(begin, begin + batch), size - 1)
        coords = np.unravel_index(states, tuple(a.size for a in epoch.layouts[first]))
        found = decide(parameters, at_start, [int32(values) for values in coords])
        post = np.zeros(states.size, dtype=np.int64)
        for axis, values in zip(epoch.layouts[last], found, strict=True):
            post = post * axis.size + np.asarray(values)
        stop = min(begin + batch, size)
        table[begin:stop] = post[: stop - begin]
    return table


def _num_states(epoch: Epoch, position: int) -> int:
    return prod(axis.size for axis in epoch.layouts[position])


def _decide(
    environment: EpochEnvironment,
    apply: Apply,
    segment: Segment,
    stage: tuple[int, int],
    period: int,
    parameters: Any,
    at_start: jax.Array,
    values: list[jax.Array],
) -> list[jax.Array]:
    """Return the coordinates behind a stage from those before it, both by axis.

    `at_start` holds the start of the stage [B]: as an argument, so that nothing is worked out for
    it while compiling.
    """
    interpreter, flow = environment.interpreter, environment.interpreter.flow
    end = segment.node_start[stage[1]]
    start, behind = (_places(environment, segment.epoch, position) for position in stage)
    codes = point_codes(environment.points)
    numbers = np.zeros(len(flow.code) + 1, dtype=np.int32)
    numbers[codes] = np.arange(len(codes))
    steps = interpreter.steps_between(segment.node_start[stage[0]], end)
    size = at_start.shape[0]
    coords = [jnp.zeros(size, dtype=jnp.int32)] * len(flow.slots)
    for place, column in zip(start, values, strict=True):
        coords[place.slot] = jnp.asarray(column)

    def advance(
        pc: jax.Array, coords: list[jax.Array], action: jax.Array | None
    ) -> tuple[jax.Array, list[jax.Array]]:
        fresh = False if action is None else jnp.ones(size, dtype=bool)
        lanes = Lanes(
            pc=pc, coords=[*coords], period=period, action=action, fresh=fresh, words=None
        )
        for step in steps:
            step.run(lanes)
        return jnp.asarray(lanes.pc), lanes.coords

    def choose(
        carry: tuple[jax.Array, list[jax.Array]],
    ) -> tuple[jax.Array, list[jax.Array]]:
        pc, coords = carry
        point = lookup(numbers, pc)
        states = environment.states_at(point, period, coords)
        mask = environment.mask(states)
        action = greedy(apply(parameters, environment.features(states), mask), mask)
        return advance(pc, coords, action)

    found = jax.lax.while_loop(
        lambda carry: (carry[0] < end).any(), choose, advance(at_start, coords, None)
    )
    return [found[1][place.slot] for place in behind]


def _places(environment: EpochEnvironment, epoch: Epoch, position: int) -> tuple[Place, ...]:
    return environment.interpreter.flow.places(epoch.layouts[position])
