"""How a replication of a twin begins: true rates, stocks, installed units and their ages."""

from __future__ import annotations

import numpy as np

from sparing.models.network_location import Location
from sparing.simulate.twin import Twin
from sparing.simulate.twin_rules import OrderRule, full_stock
from sparing.simulate.twin_store import Store, Units
from sparing.simulate.twin_streams import AGES, RATES, Streams


def true_rates(twin: Twin, streams: Streams) -> list[float]:
    """Return the failures per unit of exposure of each part, drawn where they are not known."""
    found = []
    for number, part in enumerate(twin.network.parts):
        if twin.rate == "prior":
            drawn = streams.of(RATES, number).gamma(part.prior.shape)
            found.append(float(drawn) / part.prior.rate * twin.rate_factor)
        else:
            known = part.prior.mean if isinstance(twin.rate, str) else twin.rate[part.name]
            found.append(known * twin.rate_factor)
    return found


def stores_of(twin: Twin, rule: OrderRule, number: int, streams: Streams) -> list[Store]:
    """Return the stores of one part, in file order."""
    part = twin.network.parts[number]
    found: list[Store | None] = [None] * len(part.locations)
    for index in part.top_down:
        location, supplier = part.locations[index], part.suppliers[index]
        store = Store(
            part=part,
            location=location,
            part_index=number,
            index=index,
            supplier=None if supplier < 0 else found[supplier],
            on_hand=max(_first_stock(twin, rule, part.name, location), 0),
            base_stock=rule.base_stock(part.name, location.name),
            age_bin=location.age.initial if location.age else 0,
        )
        if location.is_site:
            _install(twin, store, streams)
        found[index] = store
    return [store for store in found if store is not None]


def _first_stock(twin: Twin, rule: OrderRule, part: str, location: Location) -> int:
    """Return the stock at the start: the case's, or what the rule fills up to."""
    if twin.initial_stock == "case":
        return location.initial
    level = full_stock(rule, part, location.name)
    if level is None:
        raise ValueError(
            f"initial_stock = 'levels' needs a policy with a level for {part!r} at"
            f" {location.name!r}, such as one-for-one or min-max; this one has none."
        )
    return min(level, location.capacity)


def _install(twin: Twin, store: Store, streams: Streams) -> None:
    """Put the units of a site in; those that the case's backorders wait for are down."""
    location = store.location
    count = twin.units_at(location.name, float(location.exposures(twin.network.periods).mean()))
    ages = np.zeros(count)
    if twin.ageing is not None:
        stream = streams.of(AGES, store.part_index, store.index)
        ages = stream.random(count) * twin.ageing.oldest_hours
    store.units = Units(installed=(-ages).tolist(), up=[True] * count)
    missing = -location.initial if twin.initial_stock == "case" else 0
    for unit in range(missing):
        inside = unit < count
        store.waiting.append(unit if inside else None)
        if inside:
            store.units.up[unit] = False
