"""The ``[twin]`` tables of a case file of kind "spares-network"."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from importlib import resources
from pathlib import Path
from typing import Any

from sparing.models.case_files import CaseError, built_in_cases, load_case
from sparing.models.file_tables import Table, check_keys
from sparing.models.spares_network import SparesNetwork
from sparing.simulate.twin import Ageing, Crew, Twin
from sparing.simulate.twin_disruptions import Disruption
from sparing.simulate.twin_environment import Climate, LoadProfile, Wave

_PLAIN = (
    "clock",
    "orders",
    "rate",
    "rate_factor",
    "units",
    "down_units_fail",
    "initial_stock",
    "warm_up",
)
_TABLES = ("climate", "load", "effects", "ageing", "crew", "storage", "disruption", "start")
_WAVE = {"mean", "season", "day", "weather", "peak_month"}


def load_twin(path_or_name: str | Path) -> Twin:
    """Return the twin of a built-in case or a case file, which need not have ``[twin]`` tables.

    Raises
    ------
    CaseError
        If it cannot be read, is of another kind, or a table breaks a rule.
    """
    network, name = load_case(path_or_name), str(path_or_name)
    if not isinstance(network, SparesNetwork):
        raise CaseError(f"{name}: a twin needs a case of kind 'spares-network'.")
    if name in built_in_cases():
        text = (resources.files("sparing") / "cases" / f"{name}.toml").read_text(encoding="utf-8")
    else:
        text = Path(name).read_text(encoding="utf-8-sig")
    try:
        return twin_of_table(tomllib.loads(text), network)
    except ValueError as error:
        raise CaseError(f"{name}: {error}") from None


def twin_of_table(content: Table, network: SparesNetwork) -> Twin:
    """Return the twin of `network` that the ``[twin]`` tables of a parsed case file describe."""
    table = _table(content, "twin", {*_PLAIN, *_TABLES}, "the file")
    fields: dict[str, Any] = {key: table[key] for key in _PLAIN if key in table}
    if "down_units_fail" in fields and not isinstance(fields["down_units_fail"], bool):
        got = fields["down_units_fail"]
        raise ValueError(f"[twin] down_units_fail must be true or false; got {got!r}.")
    for key, kind in (("rate", (str, dict)), ("units", (int, dict)), ("rate_factor", (int, float))):
        if key in fields and (isinstance(fields[key], bool) or not isinstance(fields[key], kind)):
            raise ValueError(f"[twin] {key}: {fields[key]!r} is no possible value.")
    if "start" in table:
        fields["start"] = _start(table["start"])
    for key in ("effects", "storage"):
        if key in table:
            fields[key] = _table(table, key, None, "[twin]")
    if "climate" in table:
        fields["climate"] = _climate(table)
    for key, make, known in (
        ("load", LoadProfile, {"profile", "weekend"}),
        ("ageing", Ageing, {"shape", "life_hours", "largest", "oldest_hours"}),
        ("crew", Crew, {"size", "hours", "shape"}),
    ):
        if key in table:
            fields[key] = _made(make, _table(table, key, known, "[twin]"), f"[twin.{key}]")
    if "disruption" in table:
        fields["disruptions"] = _disruptions(table["disruption"])
    try:
        return Twin(network=network, **fields)
    except ValueError as error:
        raise ValueError(f"[twin] {error}") from None


def _climate(table: Table) -> Climate:
    found = _table(table, "climate", {"temperature", "humidity", "offset"}, "[twin]")
    if "temperature" not in found:
        raise ValueError("[twin.climate] temperature is missing.")
    waves: dict[str, Any] = {
        key: _made(Wave, _table(found, key, _WAVE, "[twin.climate]"), f"[twin.climate] {key}")
        for key in ("temperature", "humidity")
        if key in found
    }
    offset = _table(found, "offset", None, "[twin.climate]")
    for site, values in offset.items():
        if not isinstance(values, dict):
            raise ValueError(f"[twin.climate.offset] {site} must be a table; got {values!r}.")
    climate: Climate = _made(Climate, {**waves, "offset": offset}, "[twin.climate]")
    return climate


def _disruptions(given: Any) -> tuple[Disruption, ...]:
    if not isinstance(given, list):
        raise ValueError("[[twin.disruption]] must be written with two brackets.")
    known = {"kind", "first_hour", "last_hour", "factor", "locations", "stock_lost"}
    found = []
    for number, entry in enumerate(given):
        place = f"[[twin.disruption]] number {number + 1}"
        check_keys(entry, known, place)
        found.append(_made(Disruption, entry, place))
    return tuple(found)


def _made(make: Any, fields: Mapping[str, Any], place: str) -> Any:
    """Return ``make(**fields)``, with the place before what is wrong or missing."""
    try:
        return make(**fields)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    except TypeError as error:  # says which field is missing
        missing = str(error).split("argument")[-1].lstrip("s: ")
        raise ValueError(f"{place}: {missing} is missing.") from None


def _start(given: Any) -> datetime:
    if isinstance(given, datetime):
        return given.replace(tzinfo=None)
    if isinstance(given, date):
        return datetime.combine(given, time())
    raise ValueError(f"[twin] start must be a date such as 2024-01-01; got {given!r}.")


def _table(table: Table, key: str, known: set[str] | None, place: str) -> dict[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise ValueError(f"{place}: {key} must be a table; got {found!r}.")
    if known is not None:
        check_keys(found, known, f"{place}: {key}")
    return found
