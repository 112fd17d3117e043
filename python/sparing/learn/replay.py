"""Replay in device memory: a ring of rows, one transition per lane in each.

It is carried through the training scan as a plain tree of arrays. A row is written in one piece,
states are the environment's compact integers, and features and masks are rebuilt from them when a
batch is drawn. The ring is full before training begins, so nothing depends on how full it is.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from sparing.learn.environment import Environment, Transition


class Replay(NamedTuple):
    """Rows [T, L] of transitions; `head` is the row that is written next, the oldest one."""

    states: jax.Array  # int32 [T, L, W]
    actions: jax.Array  # int32 [T, L]
    cost: jax.Array  # float32 [T, L]
    duration: jax.Array  # float32 [T, L]
    discount: jax.Array  # float32 [T, L]
    next_states: jax.Array  # int32 [T, L, W] before any restart
    cut: jax.Array  # bool [T, L] whether the lane was restarted behind this transition
    greedy: jax.Array  # bool [T, L] whether the choice was the cheapest when it was taken
    head: jax.Array  # int32 []


class Batch(NamedTuple):
    """What a learner is fed: B transitions of up to n steps each.

    `cost` and `duration` are discounted sums; `discount` is the weight of the next value: it is 0
    where an episode truly ended, and not where it was only cut off.
    """

    features: jax.Array  # [B, F]
    mask: jax.Array  # [B, A]
    actions: jax.Array  # [B]
    cost: jax.Array  # [B]
    duration: jax.Array  # [B]
    discount: jax.Array  # [B]
    next_features: jax.Array  # [B, F]
    next_mask: jax.Array  # [B, A]


def empty(environment: Environment, rows: int, lanes: int) -> Replay:
    """Return a ring of so many rows."""
    shape = rows, lanes
    states = jnp.zeros((*shape, environment.state_width), jnp.int32)
    return Replay(
        states=states,
        actions=jnp.zeros(shape, jnp.int32),
        cost=jnp.zeros(shape, jnp.float32),
        duration=jnp.zeros(shape, jnp.float32),
        discount=jnp.zeros(shape, jnp.float32),
        next_states=states,
        cut=jnp.zeros(shape, jnp.bool_),
        greedy=jnp.zeros(shape, jnp.bool_),
        head=jnp.int32(0),
    )


def write(
    replay: Replay,
    states: jax.Array,
    actions: jax.Array,
    found: Transition,
    cut: jax.Array,
    greedy: jax.Array,
) -> Replay:
    """Return the ring with its oldest row replaced by these transitions [L]."""
    start = replay.head

    def put(whole: jax.Array, part: jax.Array) -> jax.Array:
        row = part.astype(whole.dtype)
        return jnp.asarray(jax.lax.dynamic_update_index_in_dim(whole, row, start, 0))

    return Replay(
        states=put(replay.states, states),
        actions=put(replay.actions, actions),
        cost=put(replay.cost, found.cost),
        duration=put(replay.duration, found.duration),
        discount=put(replay.discount, found.discount),
        next_states=put(replay.next_states, found.states),
        cut=put(replay.cut, cut),
        greedy=put(replay.greedy, greedy),
        head=(start + 1) % replay.actions.shape[0],
    )


def draw(
    key: jax.Array,
    replay: Replay,
    environment: Environment,
    *,
    size: int,
    num_steps: int = 1,
    discount: float | None = None,
) -> Batch:
    """Draw `size` transitions of `num_steps` steps, uniformly with replacement.

    Steps add up until the lane was cut off, the episode ended, or the next choice was an
    exploratory one, which says nothing of the choice before it; no row that is being overwritten
    is read. `discount` stands in place of the environment's weight at the end of an epoch.
    """
    rows, lanes = replay.actions.shape
    drawn = jax.random.randint(key, (2, size), 0, jnp.array([[rows - num_steps + 1], [lanes]]))
    first, lane = (replay.head + drawn[0]) % rows, drawn[1]
    cost, duration = jnp.zeros(size), jnp.zeros(size)
    weight, going = jnp.ones(size), jnp.ones(size, jnp.bool_)
    next_states = replay.next_states[first, lane]
    for step in range(num_steps):
        place = (first + step) % rows, lane
        if step:
            going = going & replay.greedy[place]
            next_states = jnp.where(going[:, None], replay.next_states[place], next_states)
        length = replay.duration[place]
        cost += jnp.where(going, weight * replay.cost[place], 0.0)
        duration += jnp.where(going, weight * length, 0.0)
        factor = step_weight(replay.discount[place], length, discount)
        weight = jnp.where(going, weight * factor, weight)
        going = going & ~replay.cut[place] & (weight > 0.0)
    states = replay.states[first, lane]
    return Batch(
        features=environment.features(states),
        mask=environment.mask(states),
        actions=replay.actions[first, lane],
        cost=cost,
        duration=duration,
        discount=weight,
        next_features=environment.features(next_states),
        next_mask=environment.mask(next_states),
    )


def step_weight(weight: jax.Array, duration: jax.Array, discount: float | None) -> jax.Array:
    """Return the weight of what follows a step; `discount` replaces that at an epoch's end."""
    if discount is None:
        return weight
    return jnp.where((duration > 0.0) & (weight > 0.0), discount, weight)
