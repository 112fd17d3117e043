"""One-for-one orders of a vectorised twin, with queues at the suppliers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sparing.learn.twin_counts import Counts
from sparing.learn.twin_state import Fleets
from sparing.learn.twin_supply import lead_times, room
from sparing.learn.twin_tables import TwinTables


def requested(
    tables: TwinTables,
    base_stock: Any,
    key: jax.Array,
    fleets: Fleets,
    counts: Counts,
    demand: jax.Array,
    asked: jax.Array,
    end: jax.Array,
    number: jax.Array | int,
) -> tuple[Fleets, jax.Array, Counts]:
    """Order what demand [L, P, N] at the hours `asked` used, from the tree's leaves to its root.

    Positions are brought up to `base_stock` [P, N] at most. Return also what is ordered
    [L, P, N], which is still to be paid.
    """
    keys, above = jax.random.split(key), jnp.asarray(tables.above)
    supplier = np.maximum(tables.supplier, 0)
    ordered, asked = _wanted(tables, base_stock, fleets, demand, asked)
    before = fleets.issued
    issued = before + jnp.round(ordered @ above).astype(jnp.int32)
    ahead = jnp.round(ordered @ jnp.asarray(tables.behind.T)).astype(jnp.int32)
    first = before[..., supplier] + ahead  # ticket of the first unit
    external = tables.supplier < 0
    empty = fleets.ordered == 0
    rank = jnp.cumsum(empty, axis=-1) - 1
    slots_used = jnp.where(external, jnp.minimum(ordered, 1), ordered)[..., None]
    taken = empty & (rank < slots_used)
    units = jnp.where(external, ordered, 1)[..., None]
    due = asked + lead_times(tables, keys[0], fleets, number)
    due = jnp.where(external, due, jnp.inf)[..., None]
    placed = jnp.where(taken, units, 0)
    fleets = fleets._replace(
        ordered=fleets.ordered + placed,
        due=jnp.where(taken, due, fleets.due),
        ticket=jnp.where(taken, first[..., None] + rank, fleets.ticket),
        issued=issued,
    )
    counts = counts._replace(lost=counts.lost + ordered - placed.sum(axis=-1))
    # what the supplier has is shipped at the hour at which it was asked for
    end = jnp.broadcast_to(end, ordered.shape)
    at = jnp.where(issued > before, _hour_above(tables, ordered, asked), end)
    fleets, counts = shipped(tables, keys[1], fleets, counts, at, end, number)
    return fleets, ordered, counts


def _wanted(
    tables: TwinTables, base_stock: Any, fleets: Fleets, demand: jax.Array, asked: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Return what every location orders [L, P, N], and the hour at which it does."""
    above = jnp.asarray(tables.above)
    own = jnp.where(tables.is_site, fleets.waiting[..., np.maximum(tables.site_of, 0)], 0)
    fixed = fleets.on_hand - own + fleets.ordered.sum(axis=-1) + fleets.served - fleets.issued
    most = room(tables, fleets)
    ordered = jnp.zeros_like(fleets.on_hand)
    for depth in reversed(tables.depths):
        here = np.isin(np.arange(len(tables.supplier)), depth)
        passed = jnp.round(ordered @ above).astype(jnp.int32)
        missing = jnp.asarray(base_stock) - (fixed - passed)
        want = jnp.clip(jnp.minimum(demand + passed, missing), 0, jnp.maximum(most, 0))
        ordered = jnp.where(here, want, ordered)
        here_passed = jnp.round(jnp.where(here, ordered, 0) @ above).astype(jnp.int32)
        asked = jnp.where(here_passed > 0, _hour_above(tables, ordered, asked), asked)
    return ordered, asked


def shipped(
    tables: TwinTables,
    key: jax.Array,
    fleets: Fleets,
    counts: Counts,
    at: jax.Array,
    end: jax.Array,
    number: jax.Array | int,
) -> tuple[Fleets, Counts]:
    """Ship from stock to locations below that wait, in turn; `at` is when [L, P, N]."""
    above = jnp.asarray(tables.above)
    supplier = np.maximum(tables.supplier, 0)
    queue = fleets.issued - fleets.served
    sent = jnp.minimum(fleets.on_hand, queue)
    served = fleets.served + sent
    waits = (fleets.ordered > 0) & jnp.isinf(fleets.due)
    goes = waits & (fleets.ticket < served[..., supplier][..., None])
    goes &= (tables.supplier >= 0)[:, None]
    hour = jnp.maximum(at[..., supplier], 0.0)
    due = hour + lead_times(tables, key, fleets, number)
    units = jnp.where(goes, fleets.ordered, 0).sum(axis=-1)
    held = (units * (end - hour)) @ above
    fleets = fleets._replace(
        on_hand=fleets.on_hand - sent,
        served=served,
        due=jnp.where(goes, due[..., None], fleets.due),
    )
    return fleets, counts._replace(held=counts.held - held)


def _hour_above(tables: TwinTables, ordered: jax.Array, asked: jax.Array) -> jax.Array:
    """Return the mean hour [L, P, N] at which the locations below asked for what they order."""
    above = jnp.asarray(tables.above)
    return (ordered * asked) @ above / jnp.maximum(ordered @ above, 1.0)
