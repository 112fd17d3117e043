"""Spares networks as tables of a case file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparing._checks import check_number
from sparing.models.file_tables import Table, check_keys, section, text
from sparing.models.network_checks import checked_locations
from sparing.models.network_location import Location
from sparing.models.network_values import (
    GammaPrior,
    HyperScoreTargets,
    OutstandingOrder,
    UnitAge,
)
from sparing.models.spare import GammaLeadTime
from sparing.models.spares_network import Part, SparesNetwork

_SYSTEM = ("discount", "period_hours", "sla", "budget", "rolling")
_TREE = ("name", "supplier", "volume_limit")  # the same for every part
_STOCK = (
    *("capacity", "initial", "max_order", "holding_cost", "order_cost", "lead_time"),
    *("exposure", "backorders", "downtime_cost", "emergency_cost", "age", "outstanding"),
)
_PART = ("name", "prior", "truncate", "volume", "exposure_factor", "location")
_TABLES: dict[str, tuple[tuple[str, ...], type[Any]]] = {
    "age": (("multiplier", "initial"), UnitAge),
    "outstanding": (("quantity", "age"), OutstandingOrder),
    "lead_time": (("shape", "scale", "longest"), GammaLeadTime),
}
_NEEDED = {
    "age": ("multiplier",),
    "outstanding": ("quantity",),
    "lead_time": ("shape", "scale", "longest"),
}


def spares_network(table: Table, name: str) -> SparesNetwork:
    """Return the problem that a parsed case file of kind "spares-network" describes."""
    check_keys(table, {"system", "demand", "part", "location", "hyper_score", "twin"}, "the file")
    system = section(table, "system")
    check_keys(system, {"kind", "periods", *_SYSTEM}, "[system]")
    if "periods" not in system:
        raise ValueError("[system] periods is missing.")
    demand = section(table, "demand") if "demand" in table or "part" not in table else {}
    check_keys(demand, {"prior", "truncate", "belief_levels"}, "[demand]")
    bases = _location_tables(table)
    fields = {key: system[key] for key in _SYSTEM if key in system}
    if "hyper_score" in table:
        fields["hyper_score"] = _hyper_score(section(table, "hyper_score"))
    if "belief_levels" in demand:
        fields["belief_levels"] = demand["belief_levels"]
    return SparesNetwork(
        parts=_parts(table, demand, bases), periods=system["periods"], name=name, **fields
    )


def _location_tables(table: Table) -> list[Table]:
    entries = table.get("location")
    if not isinstance(entries, list) or not entries:
        raise ValueError("[[location]] is missing: a network needs at least one site.")
    for position, entry in enumerate(entries):
        place = f"[[location]] number {position + 1}"
        if not isinstance(entry, dict):
            raise ValueError(f"{place} must be a table.")
        place = f"location {text(entry, 'name', place)!r}"
        text(entry, "supplier", place)
        check_keys(entry, {*_TREE, *_STOCK}, place)
    return entries


def _parts(table: Table, demand: Table, bases: list[Table]) -> tuple[Part, ...]:
    if "part" not in table:
        for key in ("prior", "truncate"):
            if key not in demand:
                raise ValueError(f"[demand] {key} is missing.")
        locations = checked_locations([_location(entry, "") for entry in bases])
        prior = _prior(demand["prior"], "[demand]")
        return (Part(name="part", prior=prior, truncate=demand["truncate"], locations=locations),)
    entries = table["part"]
    if not isinstance(entries, list) or not entries:
        raise ValueError("[[part]] must be written with two brackets: a list of tables.")
    return tuple(_part(entry, i, demand, bases) for i, entry in enumerate(entries))


def _part(entry: Any, position: int, demand: Table, bases: list[Table]) -> Part:
    place = f"[[part]] number {position + 1}"
    if not isinstance(entry, dict):
        raise ValueError(f"{place} must be a table.")
    name = text(entry, "name", place)
    place = f"part {name!r}"
    check_keys(entry, {*_PART, *_STOCK}, place)
    given = {**demand, **entry}
    for key in ("prior", "truncate"):
        if key not in given:
            raise ValueError(f"{place}: {key} is missing.")
    factor = check_number(f"{place}: exposure_factor", entry.get("exposure_factor", 1.0))
    own = entry.get("location", {})
    if not isinstance(own, dict):
        raise ValueError(f"{place}: location must be a table of tables, one a location.")
    names = [base["name"] for base in bases]
    for other in own:
        if other not in names:
            raise ValueError(f"{place}: unknown location {other!r}; known: {', '.join(names)}.")
    locations = []
    for base in bases:
        special = own.get(base["name"], {})
        if not isinstance(special, dict):
            raise ValueError(f"{place}: location {base['name']!r} must be a table.")
        check_keys(special, {*_STOCK}, f"{place}: location {base['name']!r}")
        for_sites = ("exposure", "backorders", "downtime_cost", "emergency_cost", "age")
        is_site = "exposure" in {**base, **special}
        common = {k: entry[k] for k in _STOCK if k in entry and (is_site or k not in for_sites)}
        locations.append(_location({**base, **common, **special}, f"{place}: ", factor))
    return Part(
        name=name,
        prior=_prior(given["prior"], place),
        truncate=given["truncate"],
        locations=tuple(locations),
        volume=entry.get("volume", 1.0),
    )


def _location(entry: Table, prefix: str, factor: float = 1.0) -> Location:
    place = f"{prefix}location {entry['name']!r}"
    if "capacity" not in entry:
        raise ValueError(f"{place}: capacity is missing.")
    fields = {key: value for key, value in entry.items() if key not in ("order_cost", *_TABLES)}
    order = _table(entry, "order_cost", ("fixed", "unit"), place)
    fields |= {f"order_{key}": value for key, value in order.items()}
    for key, (known, make) in _TABLES.items():
        value = entry.get(key)
        if isinstance(value, list) and key == "outstanding":
            raise ValueError(
                f"{place}: outstanding must be one table, as at most one order is outstanding; got"
                f" {len(value)} of them."
            )
        if value is None or (key == "lead_time" and not isinstance(value, dict)):
            fields |= {} if value is None else {key: value}
            continue
        inner = _table(entry, key, known, place)
        for needed in _NEEDED[key]:
            if needed not in inner:
                raise ValueError(f"{place}: {key}.{needed} is missing.")
        try:
            fields[key] = make(**inner)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
    if factor != 1.0 and "exposure" in fields:
        fields["exposure"] = _scaled(fields["exposure"], factor)
    try:
        return Location(**fields)
    except ValueError as error:
        raise ValueError(f"{prefix}{error}") from None


def _scaled(exposure: Any, factor: float) -> Any:
    """Return `exposure` times `factor`; what is no number is left to the check behind."""
    if isinstance(exposure, list):
        return [_scaled(value, factor) for value in exposure]
    is_plain = isinstance(exposure, int | float) and not isinstance(exposure, bool)
    return exposure * factor if is_plain else exposure


def _prior(given: Any, place: str) -> GammaPrior:
    prior = _table({"prior": given}, "prior", ("shape", "rate"), place)
    for key in ("shape", "rate"):
        if key not in prior:
            raise ValueError(f"{place}: prior.{key} is missing.")
    try:
        return GammaPrior(**prior)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _hyper_score(table: Table) -> HyperScoreTargets:
    check_keys(table, {"target", "weight", "beta", "gamma", "kappa"}, "[hyper_score]")
    for key in ("target", "weight"):
        if not isinstance(table.get(key), dict):
            raise ValueError(f"[hyper_score] {key} must be a table, a number per metric.")
    return HyperScoreTargets(**table)


def _table(entry: Mapping[str, Any], key: str, known: tuple[str, ...], place: str) -> Table:
    """Return the table under `key`, or {} where there is none."""
    found = entry.get(key, {})
    if not isinstance(found, dict):
        example = ", ".join(f"{name} = …" for name in known)
        raise ValueError(f"{place}: {key} must be a table such as {{ {example} }}; got {found!r}.")
    check_keys(found, set(known), f"{place}: {key}")
    return found


def spares_network_table(problem: SparesNetwork) -> dict[str, Any]:
    """Return the content of the case file of `problem`: every part with all its numbers."""
    system: dict[str, Any] = {"kind": "spares-network", "periods": problem.periods}
    system |= {k: getattr(problem, k) for k in _SYSTEM if getattr(problem, k) is not None}
    content: dict[str, Any] = {"system": system}
    if problem.belief_levels is not None:
        content["demand"] = {"belief_levels": problem.belief_levels}
    content["part"] = [
        {
            "name": part.name,
            "prior": {"shape": part.prior.shape, "rate": part.prior.rate},
            "truncate": part.truncate,
            "volume": part.volume,
            "location": {x.name: _stock_table(x) for x in part.locations},
        }
        for part in problem.parts
    ]
    first = problem.locations
    content["location"] = [
        {key: getattr(x, key) for key in _TREE if getattr(x, key) is not None} for x in first
    ]
    score = problem.hyper_score
    if score is not None:
        content["hyper_score"] = {
            "target": dict(score.target),
            "weight": dict(score.weight),
            **{key: getattr(score, key) for key in ("beta", "gamma", "kappa")},
        }
    return content


def _stock_table(location: Location) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "capacity": location.capacity,
        "initial": location.initial,
        "max_order": location.largest_order,
        "holding_cost": location.holding_cost,
        "order_cost": {"fixed": location.order_fixed, "unit": location.order_unit},
        "lead_time": location.lead_time,
    }
    if isinstance(location.lead_time, GammaLeadTime):
        known = _TABLES["lead_time"][0]
        entry["lead_time"] = {key: getattr(location.lead_time, key) for key in known}
    if location.is_site:
        given = location.exposure
        entry["exposure"] = list(given) if isinstance(given, tuple) else given
        for key in ("backorders", "downtime_cost", "emergency_cost"):
            entry[key] = getattr(location, key)
    if location.age is not None:
        entry["age"] = {
            "multiplier": list(location.age.multiplier),
            "initial": location.age.initial,
        }
    if location.outstanding is not None:
        order = location.outstanding
        entry["outstanding"] = {"quantity": order.quantity, "age": order.age}
    return entry
