"""Crews of a vectorised twin: units are put in by people who serve in turn."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sparing.learn.twin_tables import TwinTables


def repaired(
    tables: TwinTables, free: jax.Array, begins: jax.Array, at: jax.Array, words: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Return when units whose repair `begins` [L, P, S] are back, and the crew then.

    `free` [L, S, C] is the hour from which each of a site's crew is free (Kiefer and Wolfowitz
    1955), `at` the hour at which the spare is there; the top bits of `words` draw the duration.
    """
    if tables.repair_quantile is None:
        return at, free
    place = (words >> np.uint32(32 - 12)).astype(jnp.int32)
    hours = jnp.asarray(tables.repair_quantile)[place]

    def one_part(free: jax.Array, row: Any) -> tuple[jax.Array, jax.Array]:
        begins, at, hours = row  # [L, S]
        who = jnp.arange(free.shape[-1]) == free.argmin(axis=-1)[..., None]
        back = jnp.maximum(at, free.min(axis=-1)) + hours
        return jnp.where(who & begins[..., None], back[..., None], free), back

    rows = tuple(jnp.moveaxis(x, 1, 0) for x in (begins, at, hours))
    free, back = jax.lax.scan(one_part, free, rows)
    return jnp.moveaxis(back, 0, 1), free
