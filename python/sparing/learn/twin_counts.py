"""What a period of a vectorised twin adds up, and what that costs."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from sparing.learn.twin_tables import TwinTables


class Counts(NamedTuple):
    """What a period adds up [L, P, N]: hours of units and numbers of events."""

    held: jax.Array  # unit-hours on hand
    short: jax.Array  # unit-hours of waiting for a spare
    repair: jax.Array  # unit-hours in the crew's hands, from the spare on
    backlog: jax.Array  # hours with a unit waiting
    failures: jax.Array
    unfilled: jax.Array
    emergencies: jax.Array
    orders: jax.Array
    order_cost: jax.Array
    lost: jax.Array  # orders that found no slot in the arrays: any is an error


def nothing(tables: TwinTables, lanes: int) -> Counts:
    """Return counts of nothing."""
    zero = jnp.zeros((lanes, *tables.capacity.shape), jnp.float32)
    return Counts(*(zero for _ in Counts._fields))


def paid(tables: TwinTables, counts: Counts, quantity: jax.Array) -> Counts:
    """Return counts with the orders of a review, one a location and part [L, P, N]."""
    placed = quantity > 0
    cost = placed * tables.order_fixed + quantity * tables.order_unit
    return counts._replace(orders=counts.orders + placed, order_cost=counts.order_cost + cost)


def paid_singly(tables: TwinTables, counts: Counts, quantity: jax.Array) -> Counts:
    """Return counts with orders of one unit each."""
    price = tables.order_fixed + tables.order_unit
    return counts._replace(
        orders=counts.orders + quantity, order_cost=counts.order_cost + quantity * price
    )


def costs(tables: TwinTables, counts: Counts) -> tuple[jax.Array, ...]:
    """Return costs of orders, holding, downtime and emergencies [L, P, N] each."""
    hours = tables.twin.period_hours
    return (
        counts.order_cost,
        jnp.asarray(tables.holding) * counts.held / hours,
        jnp.asarray(tables.downtime) * (counts.short + counts.repair) / hours,
        jnp.asarray(tables.emergency) * counts.emergencies,
    )
