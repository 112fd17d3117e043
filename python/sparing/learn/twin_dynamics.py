"""A vectorised twin: what the SimPy twin does by events, done in steps for thousands of fleets.

Within a step everything keeps its own hour: failures, deliveries and repairs are charged to the
minute, and a crew serves in turn (the hours at which each of its people is free; Kiefer and
Wolfowitz 1955). What a step merges is the order of events: deliveries come first, then units that
waited (one a part and site), then failures (two at most), then what is ordered one for one. So
its error is that of two events of the same stock in one step, of second order in its length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sparing.learn.twin_state import WAITS, Fleets
from sparing.learn.twin_tables import QUANTILES, TwinTables
from sparing.simulate.twin_environment import MEMORY

_MOST = 2  # failures of a part at a site in a step
_WORDS = 2 + 2 * _MOST  # random words of a part at a site in a step


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
    lost: jax.Array  # orders that found no room in the arrays: to be 0


class Dynamics:
    """The functions of a twin on `Fleets`.

    Parameters
    ----------
    base_stock
        Base stocks [P, N] of one-for-one orders; None: orders come at reviews, one under way.
    """

    def __init__(self, tables: TwinTables, base_stock: Any = None) -> None:
        self.tables, self.base_stock = tables, base_stock
        self.slots = 1 if base_stock is None else int(np.max(base_stock)) + 8
        self.shape = tables.capacity.shape
        self._is_site = tables.site_of >= 0
        self._above = np.zeros((self.shape[1],) * 2, np.float32)  # [N, N]: j supplies i
        for i, j in enumerate(tables.supplier):
            if j >= 0:
                self._above[i, j] = 1.0
        same = (tables.supplier[:, None] == tables.supplier) & (tables.supplier >= 0)
        order = np.arange(self.shape[1])
        self._earlier = (same & (order[:, None] > order)).astype(np.float32)  # i behind j

    # -- reviews

    def nothing(self, lanes: int) -> Counts:
        """Return counts of nothing."""
        zero = jnp.zeros((lanes, *self.shape), jnp.float32)
        return Counts(*(zero for _ in Counts._fields))

    def order(
        self, key: jax.Array, fleets: Fleets, wanted: jax.Array
    ) -> tuple[Fleets, Counts, jax.Array]:
        """Order at a review what of `wanted` [L, P, N] fits; return also what was [L, P, N].

        Part by part and suppliers first; one order under way, of no more than the supplier has.
        """
        tables = self.tables
        lead = self._lead(key, fleets, 0)  # [L, P, N] hours
        free = jnp.asarray(tables.storage) - self._volume(fleets)  # [L, N]
        top_down = tables.twin.network.parts[0].top_down

        def one_part(free: jax.Array, row: Any) -> tuple[jax.Array, Any]:
            want, on_hand, under_way, capacity, largest, volume = row
            held = [on_hand[:, i] for i in range(self.shape[1])]
            found: list[Any] = [None] * self.shape[1]
            for i in top_down:
                above = int(tables.supplier[i])
                most = jnp.minimum(capacity[i] - held[i], largest[i])
                if above >= 0:
                    most = jnp.minimum(most, held[above])
                if np.isfinite(tables.storage[i]):
                    fits = jnp.floor(jnp.maximum(free[:, i] / jnp.maximum(volume, 1e-9), 0.0))
                    most = jnp.minimum(most, jnp.where(volume > 0.0, fits, 1e6).astype(jnp.int32))
                quantity = jnp.clip(want[:, i], 0, jnp.maximum(most, 0))
                quantity = jnp.where(under_way[:, i] > 0, 0, quantity)
                found[i] = quantity
                free = free.at[:, i].add(-volume * quantity)
                if above >= 0:
                    held[above] = held[above] - quantity
                    free = free.at[:, above].add(volume * quantity)
            return free, (jnp.stack(found, axis=1), jnp.stack(held, axis=1))

        by_part = [jnp.moveaxis(x, 1, 0) for x in (wanted, fleets.on_hand)]
        under_way = jnp.moveaxis(fleets.ordered.sum(axis=-1), 1, 0)
        constants = (tables.capacity, tables.largest_order, tables.volume)
        rows = (*by_part, under_way, *(jnp.asarray(x) for x in constants))
        _, (quantity, held) = jax.lax.scan(one_part, free, rows)
        quantity, held = jnp.moveaxis(quantity, 0, 1), jnp.moveaxis(held, 0, 1)
        now = self._review_hour(fleets)[:, None, None]
        placed = quantity > 0
        fleets = fleets._replace(
            on_hand=held,
            ordered=fleets.ordered.at[..., 0].add(quantity),
            due=fleets.due.at[..., 0].set(jnp.where(placed, now + lead, fleets.due[..., 0])),
            ticket=jnp.where(placed[..., None], fleets.period[:, None, None, None], fleets.ticket),
        )
        counts = self.nothing(len(wanted))
        return fleets, self._paid(counts, quantity), quantity

    def position_review(self, key: jax.Array, fleets: Fleets) -> tuple[Fleets, Counts]:
        """Order one for one what positions lack at a review."""
        missing = jnp.full((len(fleets.period), *self.shape), 1 << 20)
        now = jnp.broadcast_to(self._review_hour(fleets)[:, None, None], missing.shape)
        counts = self.nothing(len(missing))
        fleets, quantity, counts = self._requested(key, fleets, counts, missing, now, now, 0)
        return fleets, self._paid(counts, quantity)

    # -- time

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
        return fleets, counts, self.cost(counts)

    def cost(self, counts: Counts) -> jax.Array:
        """Return what counts cost [L, P, N]."""
        return jnp.stack(self.costs(counts)).sum(axis=0)

    def costs(self, counts: Counts) -> tuple[jax.Array, ...]:
        """Return costs of orders, holding, downtime and emergencies [L, P, N] each."""
        tables, hours = self.tables, self.tables.twin.period_hours
        return (
            counts.order_cost,
            jnp.asarray(tables.holding) * counts.held / hours,
            jnp.asarray(tables.downtime) * (counts.short + counts.repair) / hours,
            jnp.asarray(tables.emergency) * counts.emergencies,
        )

    def _review_hour(self, fleets: Fleets) -> jax.Array:
        hours = jnp.float32(self.tables.twin.period_hours)
        return jnp.asarray(fleets.period.astype(jnp.float32) * hours)

    def _step(
        self, key: jax.Array, fleets: Fleets, counts: Counts, number: jax.Array
    ) -> tuple[Fleets, Counts]:
        tables, keys = self.tables, jax.random.split(key, 4)
        length = jnp.float32(tables.step_hours)
        begin = self._review_hour(fleets) + number * length  # [L]
        end = (begin + length)[:, None, None]
        sites = tables.site_at
        lanes, (parts, _) = len(begin), self.shape
        words = jax.random.bits(keys[0], (_WORDS, lanes, parts, len(sites)), jnp.uint32)
        fleets = self._weathered(keys[1], fleets, begin, number)
        # deliveries
        arrived = fleets.due < end[..., None]
        late = jnp.where(arrived, end[..., None] - fleets.due, 0.0)
        quantity = jnp.where(arrived, fleets.ordered, 0)
        gained = quantity.sum(axis=-1)
        at = end - late.max(axis=-1)  # [L, P, N] the first delivery's hour
        at = jnp.where(gained > 0, at, begin[:, None, None])
        held = fleets.on_hand * length + (quantity * late).sum(axis=-1)
        fleets = fleets._replace(
            on_hand=fleets.on_hand + gained,
            ordered=fleets.ordered - quantity,
            due=jnp.where(arrived, jnp.inf, fleets.due),
        )
        counts = counts._replace(held=counts.held + held)
        fleets, seen = self._at_sites(fleets, words, begin, end, number, at[..., sites])
        counts, demand, asked = self._added(counts, seen)
        if self.base_stock is not None:
            fleets, counts = self._shipped(keys[2], fleets, counts, at, end, number)
            fleets, quantity, counts = self._requested(
                keys[3], fleets, counts, demand, asked, end, number
            )
            price = tables.order_fixed + tables.order_unit  # each unit is an order of its own
            counts = counts._replace(
                orders=counts.orders + quantity, order_cost=counts.order_cost + quantity * price
            )
        return fleets, counts

    def _weathered(
        self, key: jax.Array, fleets: Fleets, begin: jax.Array, number: jax.Array
    ) -> Fleets:
        """Draw the weather of a day that begins, an autoregression."""
        if not np.any(self.tables.weather_effect):
            return fleets
        half = 0.5 * self.tables.step_hours
        day = jnp.floor((begin + half) / 24.0)
        before = jnp.floor((begin - half) / 24.0)
        shock = jax.random.normal(key, fleets.weather.shape)
        drawn = jnp.float32(MEMORY) * fleets.weather + jnp.float32(np.sqrt(1 - MEMORY**2)) * shock
        is_new = ((day > before) & (begin > 0.0))[:, None, None]
        return fleets._replace(weather=jnp.where(is_new, drawn, fleets.weather))

    def _at_sites(
        self,
        fleets: Fleets,
        words: jax.Array,
        begin: jax.Array,
        end: jax.Array,
        number: jax.Array,
        delivered: jax.Array,
    ) -> tuple[Fleets, dict[str, jax.Array]]:
        """Put units in that waited, and let units fail; return what happened [L, P, S]."""
        tables, sites = self.tables, self.tables.site_at
        on_hand, waiting, put_in = fleets.on_hand[..., sites], fleets.waiting, fleets.put_in
        length, units = jnp.float32(tables.step_hours), jnp.arange(put_in.shape[-1])
        seen = {
            "held": jnp.zeros(waiting.shape),
            "short": waiting * length,
            "backlog": (waiting > 0) * length,
        }
        # one that waited, from a delivery or what is left of one
        goes = (waiting > 0) & (on_hand > 0)
        left = end - delivered
        seen["short"] -= goes * left
        seen["backlog"] -= (goes & (waiting == 1)) * left
        seen["held"] -= goes * left
        first = jnp.where(put_in >= WAITS, put_in, jnp.inf).argmin(axis=-1)
        back, free = self._repaired(fleets.free, goes, delivered, words[0])
        chosen = (units == first[..., None]) & goes[..., None] & (put_in >= WAITS)
        put_in = jnp.where(chosen, back[..., None], put_in)
        on_hand, waiting = on_hand - goes, waiting - goes
        horizon = jnp.float32(tables.twin.hours)
        seen["repair"] = goes * (jnp.minimum(back, horizon) - delivered)
        # failures
        step = jnp.minimum(fleets.period, tables.twin.network.periods - 1) * tables.steps + number
        hazard = jnp.moveaxis(jnp.asarray(tables.hazard), -1, 0)[step]  # [L, P, S]
        weather = jnp.clip(fleets.weather, -3.0, 3.0) @ jnp.asarray(tables.weather_effect)
        mean = hazard * fleets.rate[..., None] * jnp.exp(weather)[:, None]
        none = jnp.exp(-mean)
        draw = _uniform(words[1])
        many = (draw >= none).astype(jnp.int32) + (draw >= none * (1.0 + mean))
        hours = jnp.stack([_uniform16(words[2 + 2 * k]) for k in range(_MOST)])
        hours = jnp.where(many >= _MOST, jnp.sort(hours, axis=0), hours)
        zero = jnp.zeros(waiting.shape)
        seen |= {"failures": zero, "unfilled": zero, "emergencies": zero, "demand": zero}
        seen["asked"] = jnp.broadcast_to(end, waiting.shape)
        for k in range(_MOST):
            at = begin[:, None, None] + length * hours[k]
            unit = (_uniform16(words[2 + 2 * k] >> 16) * tables.units).astype(jnp.int32)
            hot = units == unit[..., None]
            age = at - jnp.where(hot, put_in, 0.0).sum(axis=-1)
            up = (age >= 0.0) | self.tables.twin.down_units_fail
            fails = (
                (many > k) & up & (_uniform16(words[3 + 2 * k]) * tables.bound < self._ageing(age))
            )
            filled = fails & (on_hand > 0)
            waits = fails & ~filled & (waiting < tables.backorders[:, sites])
            flown = fails & ~filled & ~waits
            left = end - at
            seen["held"] -= filled * left
            seen["short"] += waits * left
            seen["backlog"] += (waits & (waiting == 0)) * left
            back, free = self._repaired(free, filled | flown, at, words[3 + 2 * k] >> 16 << 16)
            seen["repair"] += (filled | flown) * (jnp.minimum(back, horizon) - at)
            later = jnp.where(waits, WAITS + at, back)
            put_in = jnp.where(hot & fails[..., None], later[..., None], put_in)
            on_hand, waiting = on_hand - filled, waiting + waits
            seen["failures"] += fails
            seen["unfilled"] += fails & ~filled
            seen["emergencies"] += flown
            seen["demand"] += filled | waits
            seen["asked"] = jnp.where(filled | waits, at, seen["asked"])
        fleets = fleets._replace(
            on_hand=fleets.on_hand.at[..., sites].set(on_hand),
            waiting=waiting,
            put_in=put_in,
            free=free,
        )
        return fleets, seen

    def _ageing(self, age: jax.Array) -> jax.Array:
        ageing = self.tables.twin.ageing
        if ageing is None:
            return jnp.ones_like(age)
        share = jnp.maximum(age, 0.0) / jnp.float32(ageing.life_hours)
        return jnp.minimum(share ** jnp.float32(ageing.shape - 1.0), jnp.float32(ageing.largest))

    def _repaired(
        self, free: jax.Array, begins: jax.Array, at: jax.Array, words: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Return when units whose repair `begins` [L, P, S] are back, and the crew then."""
        if self.tables.repair_quantile is None:
            return at, free
        place = (words >> np.uint32(32 - 12)).astype(jnp.int32)
        hours = jnp.asarray(self.tables.repair_quantile)[place]

        def one_part(free: jax.Array, row: Any) -> tuple[jax.Array, jax.Array]:
            begins, at, hours = row  # [L, S]
            who = jnp.arange(free.shape[-1]) == free.argmin(axis=-1)[..., None]
            back = jnp.maximum(at, free.min(axis=-1)) + hours
            return jnp.where(who & begins[..., None], back[..., None], free), back

        rows = tuple(jnp.moveaxis(x, 1, 0) for x in (begins, at, hours))
        free, back = jax.lax.scan(one_part, free, rows)
        return jnp.moveaxis(back, 0, 1), free

    def _added(
        self, counts: Counts, seen: dict[str, jax.Array]
    ) -> tuple[Counts, jax.Array, jax.Array]:
        """Return counts with what sites saw, and the demand and its hour by location [L, P, N]."""
        spread = {
            name: jnp.where(self._is_site, value[..., np.maximum(self.tables.site_of, 0)], 0)
            for name, value in seen.items()
        }
        demand, asked = spread.pop("demand").astype(jnp.int32), spread.pop("asked")
        added = {name: getattr(counts, name) + value for name, value in spread.items()}
        return counts._replace(**added), demand, asked

    # -- one for one

    def _shipped(
        self,
        key: jax.Array,
        fleets: Fleets,
        counts: Counts,
        at: jax.Array,
        end: jax.Array,
        number: jax.Array | int,
    ) -> tuple[Fleets, Counts]:
        """Ship from stock to locations below that wait, in turn; `at` is when [L, P, N]."""
        above = jnp.asarray(self._above)
        supplier = np.maximum(self.tables.supplier, 0)
        queue = fleets.issued - fleets.served
        sent = jnp.minimum(fleets.on_hand, queue)
        served = fleets.served + sent
        waits = (fleets.ordered > 0) & jnp.isinf(fleets.due)
        goes = waits & (fleets.ticket < served[..., supplier][..., None])
        goes &= (self.tables.supplier >= 0)[:, None]
        hour = jnp.maximum(at[..., supplier], 0.0)
        due = hour + self._lead(key, fleets, number)
        units = jnp.where(goes, fleets.ordered, 0).sum(axis=-1)
        held = (units * (end - hour)) @ above
        fleets = fleets._replace(
            on_hand=fleets.on_hand - sent,
            served=served,
            due=jnp.where(goes, due[..., None], fleets.due),
        )
        return fleets, counts._replace(held=counts.held - held)

    def _requested(
        self,
        key: jax.Array,
        fleets: Fleets,
        counts: Counts,
        demand: jax.Array,
        asked: jax.Array,
        end: jax.Array,
        number: jax.Array | int,
    ) -> tuple[Fleets, jax.Array, Counts]:
        """Order one for one what demand [L, P, N] used, from the leaves of the tree to its root.

        Return also what is ordered [L, P, N], which is still to be paid.
        """
        tables, keys = self.tables, jax.random.split(key)
        above, supplier = jnp.asarray(self._above), np.maximum(tables.supplier, 0)
        own = jnp.where(self._is_site, fleets.waiting[..., np.maximum(tables.site_of, 0)], 0)
        fixed = fleets.on_hand - own + fleets.ordered.sum(axis=-1) + fleets.served - fleets.issued
        room = self._room(fleets)
        ordered = jnp.zeros_like(fleets.on_hand)
        for depth in reversed(tables.depths):
            here = np.isin(np.arange(self.shape[1]), depth)
            passed = jnp.round(ordered @ above).astype(jnp.int32)
            missing = jnp.asarray(self.base_stock) - (fixed - passed)
            want = jnp.clip(jnp.minimum(demand + passed, missing), 0, jnp.maximum(room, 0))
            ordered = jnp.where(here, want, ordered)
            here_passed = jnp.round(jnp.where(here, ordered, 0) @ above).astype(jnp.int32)
            asked = jnp.where(here_passed > 0, self._hour_above(ordered, asked), asked)
        before = fleets.issued
        issued = before + jnp.round(ordered @ above).astype(jnp.int32)
        ahead = jnp.round(ordered @ jnp.asarray(self._earlier.T)).astype(jnp.int32)
        first = before[..., supplier] + ahead  # ticket of the first unit
        external = tables.supplier < 0
        empty = fleets.ordered == 0
        rank = jnp.cumsum(empty, axis=-1) - 1
        slots_used = jnp.where(external, jnp.minimum(ordered, 1), ordered)[..., None]
        taken = empty & (rank < slots_used)
        units = jnp.where(external, ordered, 1)[..., None]
        due = asked + self._lead(keys[0], fleets, number)
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
        at = jnp.where(issued > before, self._hour_above(ordered, asked), end)
        fleets, counts = self._shipped(keys[1], fleets, counts, at, end, number)
        return fleets, ordered, counts

    def _hour_above(self, ordered: jax.Array, asked: jax.Array) -> jax.Array:
        """Return the mean hour [L, P, N] at which the locations below asked for what they order."""
        above = jnp.asarray(self._above)
        return (ordered * asked) @ above / jnp.maximum(ordered @ above, 1.0)

    def _paid(self, counts: Counts, quantity: jax.Array) -> Counts:
        placed = quantity > 0
        cost = placed * self.tables.order_fixed + quantity * self.tables.order_unit
        return counts._replace(orders=counts.orders + placed, order_cost=counts.order_cost + cost)

    def _volume(self, fleets: Fleets) -> jax.Array:
        """Return the volume on hand and on order by location [L, N]."""
        units = fleets.on_hand + fleets.ordered.sum(axis=-1)
        return jnp.einsum("lpn,p->ln", units.astype(jnp.float32), jnp.asarray(self.tables.volume))

    def _room(self, fleets: Fleets) -> jax.Array:
        """Return the units of each part that the storage still holds [L, P, N]."""
        free = jnp.asarray(self.tables.storage) - self._volume(fleets)
        units = free[:, None, :] / np.maximum(self.tables.volume, 1e-9)[:, None]
        return jnp.clip(jnp.floor(units + 1e-4), 0, 1 << 20).astype(jnp.int32)

    def _lead(self, key: jax.Array, fleets: Fleets, number: jax.Array | int) -> jax.Array:
        """Draw lead times [L, P, N], in hours, of orders shipped in step `number`."""
        tables = self.tables
        shape = (len(fleets.period), *self.shape)
        place = jax.random.randint(key, shape, 0, QUANTILES, dtype=jnp.int32)
        drawn = jnp.asarray(tables.quantile)[jnp.asarray(tables.quantile_of), place]
        if (tables.delay == 1.0).all():
            return drawn * tables.lead_hours
        step = jnp.minimum(fleets.period * tables.steps + number, len(tables.delay) - 1)
        return drawn * tables.lead_hours * jnp.asarray(tables.delay)[step][:, None]


def _uniform(words: jax.Array) -> jax.Array:
    return jnp.asarray((words >> 8).astype(jnp.float32) * jnp.float32(2.0**-24))


def _uniform16(words: jax.Array) -> jax.Array:
    share = (words & 0xFFFF).astype(jnp.float32) * jnp.float32(2.0**-16)
    return jnp.asarray(share + jnp.float32(2.0**-17))
