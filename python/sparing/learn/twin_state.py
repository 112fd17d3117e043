"""The fleets of a vectorised twin as a tree of arrays, and as rows of integers."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sparing.learn.twin_tables import TwinTables

WAITS = float(1 << 20)  # hour from which "put in at" means: failed so much before, and waits


class Fleets(NamedTuple):
    """L fleets at a moment; P parts, N locations, S sites, U units, K orders of a location.

    Attributes
    ----------
    rate
        True failures per unit of exposure, float32 [L, P].
    period
        The period that is next or goes by, int32 [L].
    put_in
        Hour at which each unit was or will be put in [L, P, S, U]; `WAITS` and its hour of failure
        while it waits for a spare.
    waiting
        Units that wait for a spare [L, P, S].
    on_hand
        Units on the shelf [L, P, N].
    ordered, due, ticket
        Orders under way [L, P, N, K]: units (0: none), the hour of arrival (inf: not shipped yet)
        and, while it waits at the supplier, its number in the queue there. Where orders come at
        reviews, the ticket is the period in which the order was placed.
    issued, served
        Units ever ordered from each supplier, and shipped by it [L, P, N]: its queue in between.
    failures
        Failures that a belief of the exact model has counted [L, P].
    weather
        Deviation of the day from the season [L, S, 2].
    free
        Hour from which each of a site's crew is free [L, S, C].
    """

    rate: jax.Array
    period: jax.Array
    put_in: jax.Array
    waiting: jax.Array
    on_hand: jax.Array
    ordered: jax.Array
    due: jax.Array
    ticket: jax.Array
    issued: jax.Array
    served: jax.Array
    failures: jax.Array
    weather: jax.Array
    free: jax.Array


def shapes(tables: TwinTables, slots: int) -> dict[str, tuple[tuple[int, ...], type]]:
    """Return shape behind the lanes and kind of each array of `Fleets`."""
    parts, locations = tables.capacity.shape
    sites = len(tables.site_at)
    crew = tables.twin.crew.size if tables.twin.crew is not None else 1
    held = (parts, locations, slots)
    return {
        "rate": ((parts,), np.float32),
        "period": ((), np.int32),
        "put_in": ((parts, sites, int(tables.units.max())), np.float32),
        "waiting": ((parts, sites), np.int32),
        "on_hand": ((parts, locations), np.int32),
        "ordered": (held, np.int32),
        "due": (held, np.float32),
        "ticket": (held, np.int32),
        "issued": ((parts, locations), np.int32),
        "served": ((parts, locations), np.int32),
        "failures": ((parts,), np.int32),
        "weather": ((sites, 2), np.float32),
        "free": ((sites, crew), np.float32),
    }


def width(tables: TwinTables, slots: int) -> int:
    """Return the number of integers of a row."""
    return sum(prod(shape) for shape, _ in shapes(tables, slots).values())


def packed(fleets: Fleets) -> jax.Array:
    """Return fleets as rows int32 [L, W]; floats bit by bit."""
    lanes = fleets.period.shape[0]
    columns = []
    for array in fleets:
        if array.dtype == jnp.float32:
            array = jax.lax.bitcast_convert_type(array, jnp.int32)
        columns.append(array.reshape(lanes, -1))
    return jnp.concatenate(columns, axis=1)


def unpacked(rows: jax.Array, tables: TwinTables, slots: int) -> Fleets:
    """Return rows int32 [L, W] as fleets."""
    found, first = {}, 0
    for name, (shape, kind) in shapes(tables, slots).items():
        size = prod(shape)
        array = rows[:, first : first + size].reshape(-1, *shape)
        if kind is np.float32:
            array = jax.lax.bitcast_convert_type(array, jnp.float32)
        found[name], first = array, first + size
    return Fleets(**found)


def started(key: jax.Array, tables: TwinTables, lanes: int, slots: int) -> Fleets:
    """Return fleets [lanes] at hour 0, with true rates, ages and weather of their own."""
    twin, keys = tables.twin, jax.random.split(key, 3)
    like = shapes(tables, slots)
    fresh = {name: jnp.zeros((lanes, *shape), kind) for name, (shape, kind) in like.items()}
    priors = [part.prior for part in twin.network.parts]
    if twin.rate == "prior":
        shape = jnp.array([prior.shape for prior in priors], jnp.float32)
        drawn = jax.random.gamma(keys[0], shape, (lanes, len(priors)), jnp.float32)
        rate = drawn / jnp.array([prior.rate for prior in priors], jnp.float32)
    else:
        known = twin.rate
        names = [part.name for part in twin.network.parts]
        means = [prior.mean for prior in priors]
        fixed = means if isinstance(known, str) else [known[name] for name in names]
        rate = jnp.tile(jnp.array(fixed, jnp.float32), (lanes, 1))
    oldest = 0.0 if twin.ageing is None else twin.ageing.oldest_hours
    ages = jax.random.uniform(keys[1], fresh["put_in"].shape) * jnp.float32(oldest)
    return Fleets(
        **{
            **fresh,
            "rate": rate * jnp.float32(twin.rate_factor),
            "put_in": -ages,
            "on_hand": jnp.tile(jnp.asarray(tables.initial), (lanes, 1, 1)),
            "due": jnp.full(fresh["due"].shape, jnp.inf),
            "weather": jax.random.normal(keys[2], fresh["weather"].shape),
        }
    )
