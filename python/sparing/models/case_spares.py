"""The [[spare]] tables of a case file, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparing._checks import check_number
from sparing.models.file_tables import check_keys
from sparing.models.spare import GammaLeadTime, SparePart

REQUIRED = ("name", "used_by", "capacity")
OPTIONAL = (
    *("initial", "max_order", "holding_cost", "order_cost", "lead_time"),
    "emergency_cost",
)


def spares_of_table(table: Mapping[str, Any]) -> tuple[SparePart, ...]:
    """Return the spares that a parsed case file describes; none where it has no [[spare]]."""
    entries = table.get("spare", [])
    if not isinstance(entries, list):
        raise ValueError("[[spare]] must be written with two brackets: a list of tables.")
    return tuple(_spare(entry, position) for position, entry in enumerate(entries))


def table_of_spare(spare: SparePart) -> dict[str, Any]:
    """Return the [[spare]] table of `spare`, defaults left out."""
    entry: dict[str, Any] = {
        "name": spare.name,
        "used_by": list(spare.used_by),
        "capacity": spare.capacity,
        "initial": spare.initial,
    }
    if spare.max_order is not None:
        entry["max_order"] = spare.max_order
    lead_time = spare.lead_time
    if isinstance(lead_time, GammaLeadTime):
        entry["lead_time"] = {
            "shape": lead_time.shape,
            "scale": lead_time.scale,
            "longest": lead_time.longest,
        }
    else:
        entry["lead_time"] = lead_time
    entry["holding_cost"] = spare.holding_cost
    entry["order_cost"] = {"fixed": spare.order_fixed, "unit": spare.order_unit}
    if spare.emergency_cost is not None:
        entry["emergency_cost"] = spare.emergency_cost
    return entry


def _spare(entry: Any, position: int) -> SparePart:
    place = f"[[spare]] number {position + 1}"
    if not isinstance(entry, dict):
        raise ValueError(f"{place} must be a table.")
    if isinstance(entry.get("name"), str) and entry["name"]:
        place = f"spare {entry['name']!r}"
    check_keys(entry, (*REQUIRED, *OPTIONAL), place)
    for key in REQUIRED:
        if key not in entry:
            raise ValueError(f"{place}: {key} is missing.")
    fields = {key: entry[key] for key in entry if key not in ("order_cost", "lead_time")}
    order = _table(entry, "order_cost", ("fixed", "unit"), place)
    fields |= {f"order_{key}": value for key, value in order.items()}
    if isinstance(entry.get("lead_time"), dict):
        lead_time = _table(entry, "lead_time", ("shape", "scale", "longest"), place)
        for key in ("shape", "scale", "longest"):
            if key not in lead_time:
                raise ValueError(f"{place}: lead_time.{key} is missing.")
        try:
            fields["lead_time"] = GammaLeadTime(**lead_time)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
    elif "lead_time" in entry:
        fields["lead_time"] = entry["lead_time"]
    for key in ("holding_cost", "order_fixed", "order_unit", "emergency_cost"):
        if key in fields:
            name = key.replace("order_", "order_cost.")
            fields[key] = check_number(f"{place}: {name}", fields[key], at_least=0.0)
    return SparePart(**fields)


def _table(
    entry: Mapping[str, Any], key: str, known: tuple[str, ...], place: str
) -> dict[str, Any]:
    """Return the table under `key`, or {} where there is none."""
    found = entry.get(key, {})
    if not isinstance(found, dict):
        example = ", ".join(f"{name} = …" for name in known)
        raise ValueError(f"{place}: {key} must be a table such as {{ {example} }}; got {found!r}.")
    check_keys(found, known, f"{place}: {key}")
    return found
