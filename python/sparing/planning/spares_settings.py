"""The [spares] tables of plan.toml: locations, parts, costs, and what is asked of the stocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from sparing.models.network_location import EXTERNAL
from sparing.models.spares_network_files import _STOCK as STOCK_KEYS
from sparing.planning.score_settings import (
    STOCK_MEASURES,
    STOCK_WEIGHT,
    ScoreSettings,
    score_settings,
)
from sparing.records.failure_history import UNIX
from sparing.records.problems import ProblemLog

SETTINGS = "plan.toml"
NUMBERS = {  # key: default, least
    "period": (None, 1e-9),
    "discount": (1.0, 1e-9),
    "sla": (None, 1e-9),
}
COUNTS = {  # key: default, least, most
    "periods": (12, 1, 520),
    "beyond": (4, 0, 520),
    "exact_states": (2_000_000, 1, 2**32),
    "draws": (200, 20, 100_000),
}
CHOICES = {"method": ("auto", "exact", "base-stock"), "demand": ("rate", "forecast")}
DATES = ("first", "last")
OF_PARTS = ("prior", "truncate", "volume")
OWN = (*NUMBERS, *COUNTS, *CHOICES, *DATES, "seed", "location", "part", "hyper_score")


@dataclass(frozen=True, kw_only=True, eq=False)
class SpareSettings:
    """What plan.toml says of spares.

    Parameters
    ----------
    period
        Days between two reviews.
    periods, beyond
        Reviews that a plan is judged over, and those it looks further.
    exact_states
        Most states of a part that is solved exactly.
    first, last
        Days since 1970 between which every failure is on record; None: read from the records.
    locations, parts
        Their tables by name; parts are None where plan.toml lists none, and then those of the
        records.
    common
        Keys of every part and location.
    scoring
        How reviews are scored, and when the stocks are planned anew.
    """

    period: float
    periods: int
    beyond: int
    discount: float
    sla: float | None
    exact_states: int
    draws: int
    seed: int
    method: str
    demand: str
    first: float | None
    last: float | None
    locations: Mapping[str, Mapping[str, Any]]
    parts: Mapping[str, Mapping[str, Any]] | None
    common: Mapping[str, Any]
    scoring: ScoreSettings

    @property
    def planned_for(self) -> dict[str, Any]:
        """What a policy is made for: two policies of the same are two answers to one question.

        Days, draws, seeds and scores are not part of it.
        """
        names = ("period", "periods", "beyond", "discount", "sla", "method", "demand")
        return {
            **{name: getattr(self, name) for name in names},
            "locations": {name: dict(own) for name, own in self.locations.items()},
            "parts": None if self.parts is None else {k: dict(v) for k, v in self.parts.items()},
            "common": dict(self.common),
        }

    def table(self, part: str, location: str) -> dict[str, Any]:
        """Return the keys of a part at a location: the more special ones win.

        An exposure that is said for all locations is meant for those that supply no other.
        """
        own = dict((self.parts or {}).get(part, {}))
        special = own.pop("location", {})
        place = {k: v for k, v in self.locations[location].items() if k in STOCK_KEYS}
        shared = {k: v for k, v in self.common.items() if k in STOCK_KEYS}
        of_part = {k: v for k, v in own.items() if k in STOCK_KEYS}
        if any(other.get("supplier") == location for other in self.locations.values()):
            for keys in (shared, of_part):
                keys.pop("exposure", None)
        return {**shared, **place, **of_part, **special.get(location, {})}

    def of_part(self, part: str, key: str) -> Any:
        """Return a key of a part, or the common one, or None."""
        return (self.parts or {}).get(part, {}).get(key, self.common.get(key))


def read_spare_settings(table: Mapping[str, Any], log: ProblemLog) -> SpareSettings | None:
    """Return the settings of a parsed plan.toml, or None: there are none, or problems were noted.

    What only the model itself can check (costs, capacities) is checked when it is built.
    """
    given = table.get("spares")
    if given is None:
        return None
    if not isinstance(given, dict):
        log.add(SETTINGS, 0, "spares", f"must be a table; got {given!r}")
        return None
    reader, before = _Reader(given, log), len(log.problems)
    plan = table.get("plan")
    default = plan if isinstance(plan, dict) else {}
    for key in sorted(set(given) - {*OWN, *STOCK_KEYS, *OF_PARTS}):
        log.add(SETTINGS, 0, f"spares.{key}", "is no key of [spares]")
    numbers = {key: reader.number(key, default.get(key), *rule) for key, rule in NUMBERS.items()}
    counts = {key: reader.whole(key, *rule) for key, rule in COUNTS.items()}
    choices = {key: reader.choice(key, names) for key, names in CHOICES.items()}
    dates = {key: reader.day(key) for key in DATES}
    seed = given.get("seed", default.get("seed", 0))
    if not (isinstance(seed, int) and seed >= 0):
        reader.bad("seed", f"must be a whole number >= 0; got {seed!r}")
    for key, least in (("discount", 1.0), ("sla", 1.0)):
        value = numbers[key]
        if value is not None and not (value < least or (key == "discount" and value == 1.0)):
            reader.bad(key, f"must be below 1; got {value:g}")
    locations = reader.tables("location", ("name", "supplier", "volume_limit", *STOCK_KEYS))
    if not locations:
        reader.bad("location", "[[spares.location]] is missing: spares need at least one location")
    for name, entry in locations.items():
        supplier = entry.get("supplier", EXTERNAL)
        if supplier != EXTERNAL and supplier not in locations:
            shown = ", ".join((EXTERNAL, *locations))
            reader.bad(f"location {name}", f"unknown supplier {supplier!r}; there are {shown}")
    parts = None
    if "part" in given:
        parts = reader.tables("part", ("name", "location", *OF_PARTS, *STOCK_KEYS))
        for name, own in parts.items():
            reader.check_special(name, own, locations)
    scoring = score_settings(
        given.get("hyper_score", {}),
        lambda place, reason: log.add(SETTINGS, 0, place, reason),
        place="spares.hyper_score",
        measures=STOCK_MEASURES,
        expected=STOCK_MEASURES,
        default_weight=STOCK_WEIGHT,
    )
    if len(log.problems) > before:
        return None
    common = {key: given[key] for key in (*STOCK_KEYS, *OF_PARTS) if key in given}
    period, discount = numbers["period"], numbers["discount"]
    assert period is not None  # else a problem was noted
    assert discount is not None
    assert isinstance(seed, int)
    return SpareSettings(
        period=period,
        periods=counts["periods"],
        beyond=counts["beyond"],
        discount=discount,
        sla=numbers["sla"],
        exact_states=counts["exact_states"],
        draws=counts["draws"],
        seed=seed,
        method=choices["method"],
        demand=choices["demand"],
        first=dates["first"],
        last=dates["last"],
        locations=locations,
        parts=parts,
        common=common,
        scoring=scoring,
    )


class _Reader:
    """The [spares] table while it is checked."""

    def __init__(self, given: Mapping[str, Any], log: ProblemLog) -> None:
        self.given, self.log = given, log

    def bad(self, key: str, reason: str) -> None:
        self.log.add(SETTINGS, 0, f"spares.{key}", reason)

    def number(self, key: str, shared: Any, default: float | None, least: float) -> float | None:
        value = self.given.get(key, default if shared is None else shared)
        if value is None and key != "period":
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and least <= value < np.inf):
            self.bad(key, f"must be a number > 0; got {value!r}")
            return None
        return float(value)

    def whole(self, key: str, default: int, least: int, most: int) -> int:
        value = self.given.get(key, default)
        if isinstance(value, bool) or not (isinstance(value, int) and least <= value <= most):
            self.bad(key, f"must be a whole number from {least} to {most}; got {value!r}")
            return default
        return value

    def choice(self, key: str, names: tuple[str, ...]) -> str:
        value = self.given.get(key, names[0])
        if value not in names:
            self.bad(key, f"must be one of {', '.join(names)}; got {value!r}")
        return str(value)

    def day(self, key: str) -> float | None:
        value = self.given.get(key)
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                value = None
        elif value is None:
            return None
        if isinstance(value, datetime):
            value = value.date()
        if not isinstance(value, date):
            self.bad(key, f"must be a day like 2026-03-31; got {self.given[key]!r}")
            return None
        return float((value - UNIX).days)

    def tables(self, key: str, known: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        entries, found = self.given.get(key, []), dict[str, dict[str, Any]]()
        if not isinstance(entries, list):
            self.bad(key, f"must be written [[spares.{key}]]: a list of tables")
            return {}
        for number, entry in enumerate(entries, 1):
            name = entry.get("name") if isinstance(entry, dict) else None
            if not isinstance(name, str) or not name:
                self.bad(f"{key} {number}", "must be a table with a name")
                continue
            if name in found:
                self.bad(key, f"{name!r} is there twice")
            for other in sorted(set(entry) - set(known)):
                self.bad(f"{key} {name}", f"{other!r} is no key of it")
            found[name] = entry
        return found

    def check_special(
        self, part: str, own: Mapping[str, Any], locations: Mapping[str, Any]
    ) -> None:
        special = own.get("location", {})
        if not isinstance(special, dict) or not all(isinstance(x, dict) for x in special.values()):
            self.bad(f"part {part}", "location must be a table of tables, one a location")
            return
        for name, keys in special.items():
            if name not in locations:
                shown = ", ".join(locations)
                self.bad(f"part {part}", f"unknown location {name!r}; there are {shown}")
            for other in sorted(set(keys) - set(STOCK_KEYS)):
                self.bad(f"part {part}", f"location {name}: {other!r} is no key of it")
