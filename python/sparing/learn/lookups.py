"""Table lookups in JAX that run fast on processors as well: selects for small tables."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

LARGEST_CHAIN = 8  # entries up to which selects are faster than a gather

Condition = Any  # True where it holds for every lane and is known so, else bool [B]


def select(condition: Condition, yes: jax.Array, no: jax.Array) -> jax.Array:
    """Return `yes` where `condition` holds."""
    return yes if condition is True else jnp.where(condition, yes, no)


def both(a: Condition, b: Condition) -> Condition:
    """Return whether both conditions hold."""
    if a is True:
        return b
    return a if b is True else a & b


def lookup(table: NDArray[Any], index: jax.Array) -> jax.Array:
    """Return ``table[index]`` of a table [n]; an index out of range gives any entry."""
    if (table == table[0]).all():
        return jnp.full(index.shape, table[0])
    if table.size <= LARGEST_CHAIN:
        found = jnp.full(index.shape, table[0])
        for i in range(1, table.size):
            found = jnp.where(index == i, table[i], found)
        return found
    return jnp.asarray(table).at[index].get(mode="promise_in_bounds")


def lookup_each(tables: NDArray[Any], index: jax.Array) -> jax.Array:
    """Return ``tables[n, index[n]]`` of tables [N, n] for an index [N, B]."""
    num_tables, size = tables.shape
    if size <= LARGEST_CHAIN:
        found = jnp.broadcast_to(tables[:, :1], index.shape)
        for i in range(1, size):
            found = jnp.where(index == i, tables[:, i : i + 1], found)
        return found
    offset = (np.arange(num_tables, dtype=np.int32) * size)[:, None]
    return jnp.asarray(tables.ravel()).at[index + offset].get(mode="promise_in_bounds")


def float32(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return costs as the learners' numbers; what is not allowed is never met and becomes 0."""
    return np.where(np.isfinite(values), values, 0.0).astype(np.float32)


def int32(values: NDArray[Any]) -> NDArray[np.int32]:
    """Return whole numbers as the learners' integers."""
    return np.asarray(values).astype(np.int32)
