"""Lead times and storage of a vectorised twin, and orders at its reviews."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sparing.learn.twin_state import Fleets
from sparing.learn.twin_tables import QUANTILES, TwinTables


def review_hour(tables: TwinTables, fleets: Fleets) -> jax.Array:
    """Return the hour [L] at which the period of each fleet begins."""
    hours = jnp.float32(tables.twin.period_hours)
    return jnp.asarray(fleets.period.astype(jnp.float32) * hours)


def lead_times(
    tables: TwinTables, key: jax.Array, fleets: Fleets, number: jax.Array | int
) -> jax.Array:
    """Draw lead times [L, P, N], in hours, of orders shipped in step `number`."""
    shape = (len(fleets.period), *tables.capacity.shape)
    place = jax.random.randint(key, shape, 0, QUANTILES, dtype=jnp.int32)
    drawn = jnp.asarray(tables.quantile)[jnp.asarray(tables.quantile_of), place]
    if (tables.delay == 1.0).all():
        return drawn * tables.lead_hours
    step = jnp.minimum(fleets.period * tables.steps + number, len(tables.delay) - 1)
    return drawn * tables.lead_hours * jnp.asarray(tables.delay)[step][:, None]


def volume(tables: TwinTables, fleets: Fleets) -> jax.Array:
    """Return the volume on hand and on order by location [L, N]."""
    units = fleets.on_hand + fleets.ordered.sum(axis=-1)
    return jnp.einsum("lpn,p->ln", units.astype(jnp.float32), jnp.asarray(tables.volume))


def room(tables: TwinTables, fleets: Fleets) -> jax.Array:
    """Return the units of each part that the storage still holds [L, P, N]."""
    free = jnp.asarray(tables.storage) - volume(tables, fleets)
    units = free[:, None, :] / np.maximum(tables.volume, 1e-9)[:, None]
    return jnp.clip(jnp.floor(units + 1e-4), 0, 1 << 20).astype(jnp.int32)


def order_at_review(
    tables: TwinTables, key: jax.Array, fleets: Fleets, wanted: jax.Array
) -> tuple[Fleets, jax.Array]:
    """Order at a review what of `wanted` [L, P, N] fits; return also what was [L, P, N].

    Part by part and suppliers first; one order under way, of no more than the supplier has.
    """
    lead = lead_times(tables, key, fleets, 0)
    free = jnp.asarray(tables.storage) - volume(tables, fleets)  # [L, N]
    by_part = [jnp.moveaxis(x, 1, 0) for x in (wanted, fleets.on_hand)]
    under_way = jnp.moveaxis(fleets.ordered.sum(axis=-1), 1, 0)
    constants = (tables.capacity, tables.largest_order, tables.volume)
    rows = (*by_part, under_way, *(jnp.asarray(x) for x in constants))
    _, (quantity, held) = jax.lax.scan(lambda free, row: _one_part(tables, free, row), free, rows)
    quantity, held = jnp.moveaxis(quantity, 0, 1), jnp.moveaxis(held, 0, 1)
    now = review_hour(tables, fleets)[:, None, None]
    placed = quantity > 0
    fleets = fleets._replace(
        on_hand=held,
        ordered=fleets.ordered.at[..., 0].add(quantity),
        due=fleets.due.at[..., 0].set(jnp.where(placed, now + lead, fleets.due[..., 0])),
        ticket=jnp.where(placed[..., None], fleets.period[:, None, None, None], fleets.ticket),
    )
    return fleets, quantity


def _one_part(tables: TwinTables, free: jax.Array, row: Any) -> tuple[jax.Array, Any]:
    """Order one part; `free` [L, N] is the storage that is left to the parts behind it."""
    want, on_hand, under_way, capacity, largest, size = row
    num_locations = len(tables.supplier)
    held = [on_hand[:, i] for i in range(num_locations)]
    found: list[Any] = [None] * num_locations
    for i in tables.twin.network.parts[0].top_down:
        above = int(tables.supplier[i])
        most = jnp.minimum(capacity[i] - held[i], largest[i])
        if above >= 0:
            most = jnp.minimum(most, held[above])
        if np.isfinite(tables.storage[i]):
            fits = jnp.floor(jnp.maximum(free[:, i] / jnp.maximum(size, 1e-9), 0.0))
            most = jnp.minimum(most, jnp.where(size > 0.0, fits, 1e6).astype(jnp.int32))
        quantity = jnp.clip(want[:, i], 0, jnp.maximum(most, 0))
        quantity = jnp.where(under_way[:, i] > 0, 0, quantity)
        found[i] = quantity
        free = free.at[:, i].add(-size * quantity)
        if above >= 0:
            held[above] = held[above] - quantity
            free = free.at[:, above].add(size * quantity)
    return free, (jnp.stack(found, axis=1), jnp.stack(held, axis=1))
