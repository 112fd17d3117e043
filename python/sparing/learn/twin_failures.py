"""What happens at the sites of a vectorised twin in a step: units are put in, and units fail."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sparing.learn.twin_repairs import repaired
from sparing.learn.twin_state import WAITS, Fleets
from sparing.learn.twin_tables import TwinTables
from sparing.simulate.twin_environment import MEMORY

MOST = 2  # failures of a part at a site in a step
WORDS = 2 + 2 * MOST  # random words of a part at a site in a step


class Sites(NamedTuple):
    """What of `Fleets` changes at sites: `on_hand` is that of the sites [L, P, S]."""

    on_hand: jax.Array
    waiting: jax.Array
    put_in: jax.Array
    free: jax.Array


class Seen(NamedTuple):
    """What a step adds up at sites [L, P, S]; the first seven as in `Counts`."""

    held: jax.Array
    short: jax.Array
    backlog: jax.Array
    repair: jax.Array
    failures: jax.Array
    unfilled: jax.Array
    emergencies: jax.Array
    demand: jax.Array  # units that the stock gave or owes
    asked: jax.Array  # the hour of the last of them


class Step(NamedTuple):
    """A step's number in its period, its beginning [L] and end [L, 1, 1], in hours."""

    number: jax.Array
    begin: jax.Array
    end: jax.Array


def weathered(tables: TwinTables, key: jax.Array, fleets: Fleets, begin: jax.Array) -> Fleets:
    """Draw the weather of a day that begins, an autoregression."""
    if not np.any(tables.weather_effect):
        return fleets
    half = 0.5 * tables.step_hours
    day = jnp.floor((begin + half) / 24.0)
    before = jnp.floor((begin - half) / 24.0)
    shock = jax.random.normal(key, fleets.weather.shape)
    drawn = jnp.float32(MEMORY) * fleets.weather + jnp.float32(np.sqrt(1 - MEMORY**2)) * shock
    is_new = ((day > before) & (begin > 0.0))[:, None, None]
    return fleets._replace(weather=jnp.where(is_new, drawn, fleets.weather))


def at_sites(
    tables: TwinTables, fleets: Fleets, words: jax.Array, step: Step, delivered: jax.Array
) -> tuple[Fleets, Seen]:
    """Put units in that waited for what was `delivered` [L, P, S] (hours), and let units fail."""
    sites = tables.site_at
    state = Sites(fleets.on_hand[..., sites], fleets.waiting, fleets.put_in, fleets.free)
    state, seen = _put_in(tables, state, words[0], step, delivered)
    draw, mean = _uniform(words[1]), _expected(tables, fleets, step.number)
    none = jnp.exp(-mean)
    many = (draw >= none).astype(jnp.int32) + (draw >= none * (1.0 + mean))
    hours = jnp.stack([_uniform16(words[2 + 2 * k]) for k in range(MOST)])
    hours = jnp.where(many >= MOST, jnp.sort(hours, axis=0), hours)
    for k in range(MOST):
        at = step.begin[:, None, None] + jnp.float32(tables.step_hours) * hours[k]
        own = words[2 + 2 * k : 4 + 2 * k]
        state, seen = _failed(tables, state, seen, own, at, many > k, step.end)
    return fleets._replace(
        on_hand=fleets.on_hand.at[..., sites].set(state.on_hand),
        waiting=state.waiting,
        put_in=state.put_in,
        free=state.free,
    ), seen


def _put_in(
    tables: TwinTables, state: Sites, words: jax.Array, step: Step, delivered: jax.Array
) -> tuple[Sites, Seen]:
    """Put in one unit that waited, from a delivery or what is left of one."""
    on_hand, waiting, put_in = state.on_hand, state.waiting, state.put_in
    length, units = jnp.float32(tables.step_hours), jnp.arange(put_in.shape[-1])
    goes, left = (waiting > 0) & (on_hand > 0), step.end - delivered
    first = jnp.where(put_in >= WAITS, put_in, jnp.inf).argmin(axis=-1)
    back, free = repaired(tables, state.free, goes, delivered, words)
    chosen = (units == first[..., None]) & goes[..., None] & (put_in >= WAITS)
    zero, horizon = jnp.zeros(waiting.shape), jnp.float32(tables.twin.hours)
    seen = Seen(
        held=zero - goes * left,
        short=waiting * length - goes * left,
        backlog=(waiting > 0) * length - (goes & (waiting == 1)) * left,
        repair=goes * (jnp.minimum(back, horizon) - delivered),
        failures=zero,
        unfilled=zero,
        emergencies=zero,
        demand=zero,
        asked=jnp.broadcast_to(step.end, waiting.shape),
    )
    put_in = jnp.where(chosen, back[..., None], put_in)
    return Sites(on_hand - goes, waiting - goes, put_in, free), seen


def _expected(tables: TwinTables, fleets: Fleets, number: jax.Array) -> jax.Array:
    """Return the mean number of failures in a step [L, P, S] of units of the largest ageing."""
    step = jnp.minimum(fleets.period, tables.twin.network.periods - 1) * tables.steps + number
    hazard = jnp.moveaxis(jnp.asarray(tables.hazard), -1, 0)[step]
    weather = jnp.clip(fleets.weather, -3.0, 3.0) @ jnp.asarray(tables.weather_effect)
    return jnp.asarray(hazard * fleets.rate[..., None] * jnp.exp(weather)[:, None])


def _failed(
    tables: TwinTables,
    state: Sites,
    seen: Seen,
    words: jax.Array,
    at: jax.Array,
    may: jax.Array,
    end: jax.Array,
) -> tuple[Sites, Seen]:
    """Let a unit fail at the hours `at` [L, P, S] where one `may`, its age allows it, and it is up.

    It takes a unit from the shelf, or waits, or is flown in where as many wait as may.
    """
    on_hand, waiting, put_in, free = state
    units, horizon = jnp.arange(put_in.shape[-1]), jnp.float32(tables.twin.hours)
    unit = (_uniform16(words[0] >> 16) * tables.units).astype(jnp.int32)
    hot = units == unit[..., None]
    age = at - jnp.where(hot, put_in, 0.0).sum(axis=-1)
    up = (age >= 0.0) | tables.twin.down_units_fail
    fails = may & up & (_uniform16(words[1]) * tables.bound < _ageing(tables, age))
    filled = fails & (on_hand > 0)
    waits = fails & ~filled & (waiting < tables.backorders[:, tables.site_at])
    flown = fails & ~filled & ~waits
    left = end - at
    back, free = repaired(tables, free, filled | flown, at, words[1] >> 16 << 16)
    later = jnp.where(waits, WAITS + at, back)
    seen = Seen(
        held=seen.held - filled * left,
        short=seen.short + waits * left,
        backlog=seen.backlog + (waits & (waiting == 0)) * left,
        repair=seen.repair + (filled | flown) * (jnp.minimum(back, horizon) - at),
        failures=seen.failures + fails,
        unfilled=seen.unfilled + (fails & ~filled),
        emergencies=seen.emergencies + flown,
        demand=seen.demand + (filled | waits),
        asked=jnp.where(filled | waits, at, seen.asked),
    )
    put_in = jnp.where(hot & fails[..., None], later[..., None], put_in)
    return Sites(on_hand - filled, waiting + waits, put_in, free), seen


def _ageing(tables: TwinTables, age: jax.Array) -> jax.Array:
    ageing = tables.twin.ageing
    if ageing is None:
        return jnp.ones_like(age)
    share = jnp.maximum(age, 0.0) / jnp.float32(ageing.life_hours)
    return jnp.minimum(share ** jnp.float32(ageing.shape - 1.0), jnp.float32(ageing.largest))


def _uniform(words: jax.Array) -> jax.Array:
    return jnp.asarray((words >> 8).astype(jnp.float32) * jnp.float32(2.0**-24))


def _uniform16(words: jax.Array) -> jax.Array:
    share = (words & 0xFFFF).astype(jnp.float32) * jnp.float32(2.0**-16)
    return jnp.asarray(share + jnp.float32(2.0**-17))
