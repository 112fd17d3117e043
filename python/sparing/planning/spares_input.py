"""What the stocks of a plan are made from: failures, stock and orders, read as a whole."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from sparing.planning.spares_settings import SETTINGS, SpareSettings, read_spare_settings
from sparing.records.failure_history import (
    UNIX,
    FailureHistory,
    UnitRecords,
    read_failure_history,
)
from sparing.records.problems import ProblemLog
from sparing.records.stocks import OrderRecords, StockRecords, read_orders, read_stock

FAILURES, STOCK, ORDERS = "failures", "stock", "orders"  # the files, as .csv or .parquet
Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True, eq=False)
class SparesInput:
    """What the stocks of a plan are made from.

    Parameters
    ----------
    failures, stock, orders
        None where there are no such records.
    """

    settings: SpareSettings
    failures: FailureHistory | None
    stock: StockRecords | None
    orders: OrderRecords | None

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts: those of plan.toml, else those that failed or are stocked."""
        if self.settings.parts is not None:
            return tuple(self.settings.parts)
        names = [*(self.failures.names if self.failures is not None else ())]
        names += self.stock.part if self.stock is not None else ()
        return tuple(dict.fromkeys(names))

    @property
    def locations(self) -> tuple[str, ...]:
        """Names of the locations, in the order of plan.toml."""
        return tuple(self.settings.locations)

    @property
    def now(self) -> float:
        """The day [since 1970] of the plan: that of plan.toml, else the last day on record."""
        if self.settings.last is not None:
            return self.settings.last
        days = [0.0]
        if self.failures is not None:
            days.append(self.failures.last_day)
        if self.stock is not None:
            days += self.stock.time.tolist()
        if self.orders is not None:
            days += np.nan_to_num(self.orders.ordered).tolist()
            days += np.nan_to_num(self.orders.received).tolist()
        return float(np.floor(max(days)))

    @property
    def today(self) -> date:
        """The day of the plan."""
        return UNIX + timedelta(days=int(self.now))


def read_spares(folder: Path, table: Mapping[str, Any], log: ProblemLog) -> SparesInput | None:
    """Read the records that a parsed plan.toml with [spares] is about; problems go to `log`.

    None where plan.toml has no [spares], or it is wrong itself. Without [spares], records of
    failures, stock or orders are a problem: nothing is left out silently.
    """
    before = len(log.problems)
    settings = read_spare_settings(table, log)
    if settings is None:
        if len(log.problems) == before:
            for name in (FAILURES, STOCK, ORDERS):
                if (path := records_file(folder, name)) is not None:
                    what = f"[spares] is missing, which {path.name} is for"
                    log.add(SETTINGS, 0, "spares", what)
        return None
    names = None if settings.parts is None else tuple(settings.parts)
    locations = tuple(settings.locations)

    def read(name: str, reader: Callable[[Path, Any, Any, ProblemLog], Read | None]) -> Read | None:
        path = records_file(folder, name)
        return None if path is None else reader(path, names, locations, log)

    found = SparesInput(
        settings=settings,
        failures=_failures(folder, names, locations, log),
        stock=read(STOCK, read_stock),
        orders=read(ORDERS, read_orders),
    )
    if len(log.problems) == before:
        check_together(found, log)
    return found


def _failures(
    folder: Path, names: tuple[str, ...] | None, locations: tuple[str, ...], log: ProblemLog
) -> FailureHistory | None:
    path = records_file(folder, FAILURES)
    return None if path is None else read_failure_history(path, names, locations, log)


def check_together(found: SparesInput, log: ProblemLog) -> None:
    """Note what is wrong between the files."""
    if not found.parts:
        log.add(SETTINGS, 0, "spares.part", "there is no part: list them, or give failures.csv")
    if found.stock is not None:  # new records may count what those on file counted already
        times = Counter(
            zip(found.stock.part, found.stock.location, found.stock.time.tolist(), strict=True)
        )
        for (part, location, time), count in times.items():
            if count > 1:
                day = (UNIX + timedelta(days=int(time))).isoformat()
                what = f"{part!r} at {location!r} is counted for that time already, on {day}"
                log.add(f"{STOCK}.csv", 0, "Time", what)
    last = found.settings.last
    if last is None:
        return
    day = (UNIX + timedelta(days=int(last))).isoformat()
    later = {
        FAILURES: None if found.failures is None else _latest_failure(found.failures),
        STOCK: None if found.stock is None else float(found.stock.time.max(initial=0.0)),
        ORDERS: None if found.orders is None else float(found.orders.ordered.max(initial=0.0)),
    }
    for name, latest in later.items():
        if latest is not None and np.floor(latest) > last:
            what = f"goes to {UNIX + timedelta(days=int(latest))}, behind spares.last, {day}"
            log.add(f"{name}.csv", 0, "", what)


def _latest_failure(found: FailureHistory) -> float:
    return found.last_day if isinstance(found, UnitRecords) else float(found.start.max())


def records_file(folder: Path, name: str) -> Path | None:
    """Return the file of some records, or None: Parquet before CSV; defects.csv serves, too."""
    names = (name, "defects") if name == FAILURES else (name,)
    paths = [folder / f"{n}{ending}" for n in names for ending in (".parquet", ".csv")]
    return next((path for path in paths if os.path.lexists(path)), None)
