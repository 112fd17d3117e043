"""From estimates and stock to a spares network: the one that is planned, and drawn ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparing.evaluate.network_pipelines import base_stock_levels
from sparing.models.network_location import EXTERNAL
from sparing.models.spare import GammaLeadTime
from sparing.models.spares_network import Part, SparesNetwork
from sparing.models.spares_network_files import spares_network
from sparing.planning.spares_estimates import SpareEstimates
from sparing.planning.spares_flows import net_stock
from sparing.planning.spares_input import SparesInput
from sparing.planning.spares_settings import SETTINGS
from sparing.records.problems import ProblemLog

FOR_SITES = ("backorders", "downtime_cost", "emergency_cost", "age")
BACKORDERS = 2  # failures that may wait at a site, where plan.toml says nothing
LONGEST = 8  # reviews after which an order arrives for certain
TAIL = 1e-4  # of a period's failures that are lumped
BELIEF_TAIL = 1e-3  # of failures over all periods beyond which a belief saturates
ROOM = 3.0  # times the downtime cost: the base stocks that a capacity must hold
UNLIMITED = 1 << 20  # units


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a part stands at a location now.

    Parameters
    ----------
    net
        On hand less backordered.
    ordered, age
        Units under way, and the reviews since they were ordered (their mean).
    num_orders
        Orders under way; the exact model takes them as one.
    known
        Whether there is a stock record of it.
    """

    net: int
    ordered: int = 0
    age: int = 0
    num_orders: int = 0
    known: bool = True


def standings(source: SparesInput) -> dict[tuple[str, str], Standing]:
    """Return the stock of every part at every location, now."""
    last = net_stock(source)
    found = {}
    for part in source.parts:
        for location in source.locations:
            ordered, ages = list[int](), list[float]()
            if source.orders is not None:
                for i in np.flatnonzero(source.orders.under_way):
                    if (source.orders.part[i], source.orders.location[i]) == (part, location):
                        ordered.append(int(source.orders.quantity[i]))
                        ages.append(source.now - float(source.orders.ordered[i]))
            age = (
                round(float(np.average(ages, weights=ordered)) / source.settings.period)
                if ages
                else 0
            )
            found[part, location] = Standing(
                net=last.get((part, location), 0),
                ordered=sum(ordered),
                age=max(age, 1) if ages else 0,
                num_orders=len(ordered),
                known=(part, location) in last,
            )
    return found


def network_of(
    source: SparesInput,
    estimates: SpareEstimates,
    standing: Mapping[tuple[str, str], Standing],
    demand_factor: Mapping[str, np.ndarray[Any, Any]] | None = None,
    *,
    least_capacity: Mapping[tuple[str, str], int] | None = None,
) -> SparesNetwork:
    """Return the network whose prior is what the records leave to be believed.

    Its periods are those that the plan is judged over and those that it looks beyond. Capacities
    that plan.toml does not give are what base stocks of a much higher downtime cost need.

    Parameters
    ----------
    demand_factor
        Per part and period the factor on the exposure, where demand follows a forecast.
    least_capacity
        What capacities that are not given must hold, such as today's levels.

    Raises
    ------
    sparing.records.problems.RecordsError
        If plan.toml's tables make no network, naming the place.
    """
    settings = source.settings
    periods = settings.periods + settings.beyond
    tables = {
        (part, place): _table(source, estimates, part, place, periods, demand_factor)
        for part in source.parts
        for place in source.locations
    }
    provisional = _built(source, estimates, tables, periods, capacity={})
    levels = base_stock_levels(provisional, downtime_price=ROOM, method="thinning")
    capacity = {
        (part.name, name): int(level)
        for part in provisional.parts
        for name, level in zip(part.names, levels[part.name], strict=True)
    }
    for key, now in standing.items():
        room = max(now.net, 0) + now.ordered
        least = 1 if least_capacity is None else least_capacity.get(key, 1)
        capacity[key] = max(capacity.get(key, 1) + 1, room, least)
        given = tables[key].get("capacity")
        if given is not None and room > given:
            log = ProblemLog()
            what = (
                f"part {key[0]!r}: capacity {given} at {key[1]!r} is less than the {room} units on"
                " hand and on order by the records"
            )
            log.add(SETTINGS, 0, "spares", what)
            log.finish()
    return _built(source, estimates, tables, periods, capacity=capacity, standing=standing)


def _table(
    source: SparesInput,
    estimates: SpareEstimates,
    part: str,
    location: str,
    periods: int,
    demand_factor: Mapping[str, np.ndarray[Any, Any]] | None,
) -> dict[str, Any]:
    """Return the keys of a part at a location, with what the records say filled in."""
    entry = source.settings.table(part, location)
    per_day = estimates.exposure_per_day(source, part, location)
    if "exposure" not in entry and per_day > 0.0:
        entry["exposure"] = per_day * source.settings.period
    if "exposure" not in entry:
        entry = {key: value for key, value in entry.items() if key not in FOR_SITES}
    else:
        entry.setdefault("backorders", BACKORDERS)
        if demand_factor is not None and isinstance(entry["exposure"], int | float):
            factor = demand_factor[part]
            entry["exposure"] = [float(entry["exposure"] * f) for f in factor[:periods]]
    fit = estimates.lead_times[location].fit
    if "lead_time" not in entry and fit is not None:
        entry["lead_time"] = lead_time_table(fit.shape, fit.scale, source.settings.period)
    return entry


def lead_time_table(shape: float, scale: float, period: float) -> dict[str, float]:
    """Return the lead-time table of a case file, in reviews, of a Gamma fit in days."""
    from scipy.stats import gamma

    longest = int(np.ceil(gamma.ppf(0.99, shape, scale=scale / period)))
    return {"shape": shape, "scale": scale / period, "longest": min(max(longest, 1), LONGEST)}


def _built(
    source: SparesInput,
    estimates: SpareEstimates,
    tables: Mapping[tuple[str, str], Mapping[str, Any]],
    periods: int,
    *,
    capacity: Mapping[tuple[str, str], int],
    standing: Mapping[tuple[str, str], Standing] | None = None,
) -> SparesNetwork:
    settings, log = source.settings, ProblemLog()
    system: dict[str, Any] = {"kind": "spares-network", "periods": periods}
    system |= {"discount": settings.discount, "period_hours": settings.period * 24.0}
    if settings.sla is not None:
        system["sla"] = settings.sla
    parts = []
    for part in source.parts:
        belief = estimates.rates[part].belief
        places, exposed = {}, 0.0
        for name in source.locations:
            entry = dict(tables[part, name])
            entry.setdefault("capacity", capacity.get((part, name), UNLIMITED))
            entry.setdefault("max_order", entry["capacity"])
            if standing is not None:
                entry |= _standing_keys(standing[part, name], entry)
            places[name] = entry
            exposed = max(exposed, float(np.max(entry.get("exposure", 0.0))))
        if exposed == 0.0:
            what = "no unit of it is in service by the records, and it has no exposure"
            log.add(SETTINGS, 0, f"spares.part {part}", what)
            continue
        truncate = settings.of_part(part, "truncate")
        parts.append(
            {
                "name": part,
                "prior": {"shape": belief.shape, "rate": belief.rate},
                "truncate": truncate or max(1, belief.predictive_quantile(1.0 - TAIL, exposed)),
                "volume": settings.of_part(part, "volume") or 1.0,
                "location": places,
            }
        )
    log.finish()
    locations = [
        {
            "name": name,
            "supplier": entry.get("supplier", EXTERNAL),
            **{key: entry[key] for key in ("volume_limit",) if key in entry},
        }
        for name, entry in settings.locations.items()
    ]
    table = {"system": system, "part": parts, "location": locations}
    try:
        return spares_network(table, "plan")
    except (TypeError, ValueError) as error:
        log.add(SETTINGS, 0, "spares", str(error))
        log.finish()
        raise


def _standing_keys(now: Standing, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the start of a location, within what its model can hold."""
    least = -int(entry.get("backorders", 0))
    found: dict[str, Any] = {"initial": max(now.net, least)}
    lead = entry.get("lead_time", 0)
    longest = int(lead["longest"]) if isinstance(lead, dict) else int(lead)
    quantity = min(now.ordered, int(entry["max_order"]))
    if quantity > 0 and longest > 0:
        found["outstanding"] = {"quantity": quantity, "age": min(now.age, longest)}
    elif quantity > 0:  # an order that arrives at once is there
        found["initial"] += quantity
    return found


def belief_levels(network: SparesNetwork, part: Part) -> int:
    """Return so many levels of a part's failures to come that its belief hardly ever saturates."""
    from scipy.stats import nbinom

    total = sum(float(site.exposures(network.periods).sum()) for site in part.sites)
    rate = part.prior.rate
    return int(nbinom.isf(BELIEF_TAIL, part.prior.shape, rate / (rate + total))) + 2


def judged(network: SparesNetwork, periods: int) -> SparesNetwork:
    """Return the network over the periods that a plan is judged over."""
    parts = []
    for part in network.parts:
        locations = [
            replace(x, exposure=x.exposure[:periods]) if isinstance(x.exposure, tuple) else x
            for x in part.locations
        ]
        parts.append(replace(part, locations=tuple(locations)))
    return replace(network, parts=tuple(parts), periods=periods)


def with_lead_times(
    network: SparesNetwork, drawn: Mapping[str, tuple[float, float]], period: float
) -> SparesNetwork:
    """Return the network with other lead times (shape, scale in days) at some locations.

    The age at which an order arrives for certain stays, so plans remain plans of it.
    """
    parts = []
    for part in network.parts:
        locations = []
        for place in part.locations:
            lead = place.lead_time
            if place.name in drawn and isinstance(lead, GammaLeadTime):
                shape, scale = drawn[place.name]
                lead = GammaLeadTime(shape=shape, scale=scale / period, longest=lead.longest)
            locations.append(replace(place, lead_time=lead))
        parts.append(replace(part, locations=tuple(locations)))
    return replace(network, parts=tuple(parts))


def with_downtime(network: SparesNetwork, factor: float) -> SparesNetwork:
    """Return the network with all prices of downtime times a factor."""
    parts = []
    for part in network.parts:
        locations = [
            replace(x, downtime_cost=factor * x.downtime_cost) if x.is_site else x
            for x in part.locations
        ]
        parts.append(replace(part, locations=tuple(locations)))
    return replace(network, parts=tuple(parts), sla=None)
