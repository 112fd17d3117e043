"""A vectorised twin: what the SimPy twin does by events, done in steps for thousands of fleets.

Within a step everything keeps its own hour: failures, deliveries and repairs are charged to the
minute, and a crew serves in turn. What a step merges is the order of events: deliveries come
first, then units that waited (one a part and site), then failures (two at most), then what is
ordered one for one. So its error is that of two events of the same stock in one step, of second
order in its length.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sparing.learn.twin_counts import Counts, costs, nothing, paid, paid_singly
from sparing.learn.twin_failures import WORDS, Seen, Step, at_sites, weathered
from sparing.learn.twin_one_for_one import requested, shipped
from sparing.learn.twin_state import Fleets
from sparing.learn.twin_supply import order_at_review, review_hour
from sparing.learn.twin_tables import TwinTables

# Slots for orders under way, by the largest base stock: more failures than were planned for, as
# true rates may be, put more orders under way than the base stock (21 at 8 on `ess-fleet`).
SLOTS_PER_UNIT, SPARE_SLOTS = 3, 8


class Dynamics:
    """The functions of a twin on `Fleets`.

    Parameters
    ----------
    base_stock
        Base stocks [P, N] of one-for-one orders; None: orders come at reviews, one under way.
    slots
        Orders of a part and location that may be under way, or wait at the supplier; one for one,
        what finds no slot is counted as lost, which `FleetRunner` refuses to go on with. Default
        1 at reviews, else thrice the largest base stock and 8.
    """

    def __init__(
        self, tables: TwinTables, base_stock: Any = None, *, slots: int | None = None
    ) -> None:
        self.tables, self.base_stock = tables, base_stock
        usual = 1
        if base_stock is not None:
            usual = SLOTS_PER_UNIT * int(np.max(base_stock)) + SPARE_SLOTS
        self.slots = usual if slots is None else slots
        if self.slots < 1:
            raise ValueError(f"slots must be at least 1; got {slots}.")
        self.shape = tables.capacity.shape

    def order(
        self, key: jax.Array, fleets: Fleets, wanted: jax.Array
    ) -> tuple[Fleets, Counts, jax.Array]:
        """Order at a review what of `wanted` [L, P, N] fits; return also what was [L, P, N].

        Part by part and suppliers first; one order under way, of no more than the supplier has.
        """
        fleets, quantity = order_at_review(self.tables, key, fleets, wanted)
        counts = nothing(self.tables, len(wanted))
        return fleets, paid(self.tables, counts, quantity), quantity

    def position_review(self, key: jax.Array, fleets: Fleets) -> tuple[Fleets, Counts]:
        """Order one for one what positions lack at a review."""
        missing = jnp.full((len(fleets.period), *self.shape), 1 << 20)
        now = review_hour(self.tables, fleets)[:, None, None]
        now = jnp.broadcast_to(now, missing.shape)
        counts = nothing(self.tables, len(missing))
        given = fleets, counts, missing, now, now, 0
        fleets, quantity, counts = requested(self.tables, self.base_stock, key, *given)
        return fleets, paid(self.tables, counts, quantity)

    def run_period(
        self, key: jax.Array, fleets: Fleets, counts: Counts
    ) -> tuple[Fleets, Counts, jax.Array]:
        """Let a period go by; return also its cost by location [L, P, N], undiscounted."""

        def advance(carry: Any, row: Any) -> tuple[Any, None]:
            number, key = row
            fleets, counts = carry
            return self._step(key, fleets, counts, number), None

        keys = jax.random.split(key, self.tables.steps)
        rows = jnp.arange(self.tables.steps), keys
        (fleets, counts), _ = jax.lax.scan(advance, (fleets, counts), rows)
        truncate = jnp.array([part.truncate for part in self.tables.twin.network.parts])
        counted = jnp.minimum(counts.failures, truncate[:, None]).sum(axis=-1)
        fleets = fleets._replace(
            period=fleets.period + 1, failures=fleets.failures + counted.astype(jnp.int32)
        )
        return fleets, counts, jnp.stack(self.costs(counts)).sum(axis=0)

    def costs(self, counts: Counts) -> tuple[jax.Array, ...]:
        """Return costs of orders, holding, downtime and emergencies [L, P, N] each."""
        return costs(self.tables, counts)

    def _step(
        self, key: jax.Array, fleets: Fleets, counts: Counts, number: jax.Array
    ) -> tuple[Fleets, Counts]:
        tables, keys = self.tables, jax.random.split(key, 4)
        length = jnp.float32(tables.step_hours)
        begin = review_hour(tables, fleets) + number * length  # [L]
        step = Step(number, begin, (begin + length)[:, None, None])
        shape = WORDS, len(begin), self.shape[0], len(tables.site_at)
        words = jax.random.bits(keys[0], shape, jnp.uint32)
        fleets = weathered(tables, keys[1], fleets, begin)
        fleets, held, at = self._delivered(fleets, step)
        counts = counts._replace(held=counts.held + held)
        fleets, seen = at_sites(tables, fleets, words, step, at[..., tables.site_at])
        counts, demand, asked = self._added(counts, seen)
        if self.base_stock is not None:
            fleets, counts = shipped(tables, keys[2], fleets, counts, at, step.end, number)
            given = fleets, counts, demand, asked, step.end, number
            fleets, quantity, counts = requested(tables, self.base_stock, keys[3], *given)
            counts = paid_singly(tables, counts, quantity)
        return fleets, counts

    def _delivered(self, fleets: Fleets, step: Step) -> tuple[Fleets, jax.Array, jax.Array]:
        """Put on the shelves what arrives in a step.

        Return also the unit-hours on hand [L, P, N], if nothing else happened, and the hour of
        the first delivery, or the step's first where there is none.
        """
        arrived = fleets.due < step.end[..., None]
        late = jnp.where(arrived, step.end[..., None] - fleets.due, 0.0)
        quantity = jnp.where(arrived, fleets.ordered, 0)
        gained = quantity.sum(axis=-1)
        at = step.end - late.max(axis=-1)
        at = jnp.where(gained > 0, at, step.begin[:, None, None])
        length = jnp.float32(self.tables.step_hours)
        held = fleets.on_hand * length + (quantity * late).sum(axis=-1)
        fleets = fleets._replace(
            on_hand=fleets.on_hand + gained,
            ordered=fleets.ordered - quantity,
            due=jnp.where(arrived, jnp.inf, fleets.due),
        )
        return fleets, held, at

    def _added(self, counts: Counts, seen: Seen) -> tuple[Counts, jax.Array, jax.Array]:
        """Return counts with what sites saw, and the demand and its hour by location [L, P, N]."""
        tables = self.tables
        spread = {
            name: jnp.where(tables.is_site, value[..., np.maximum(tables.site_of, 0)], 0)
            for name, value in seen._asdict().items()
        }
        demand, asked = spread.pop("demand").astype(jnp.int32), spread.pop("asked")
        added = {name: getattr(counts, name) + value for name, value in spread.items()}
        return counts._replace(**added), demand, asked
