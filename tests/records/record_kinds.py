"""Small good files of every kind of record, and how each is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from plan_folders import PUMP
from sparing.planning.folder import read_plan_folder
from sparing.ration.day_files import read_orders
from sparing.records import stocks
from sparing.records.defects import read_defects
from sparing.records.demand_tables import read_demand
from sparing.records.failure_history import read_failure_history
from sparing.records.failures import read_failures
from sparing.records.problems import ProblemLog
from sparing.records.stocks import read_stock

SEEN = "Unit,Component,Time,State\na,pump,2026-01-01,0\na,pump,2026-01-02,1\nb,pump,2026-01-03,2\n"
DONE = (
    "Unit,Component,Time,Action,Cost\na,pump,2026-01-02,replace,9.5\nb,pump,2026-01-04,replace,8\n"
)
FAILED = (
    "Component Name,Location,Start,Failures,Exposure,Temperature,Humidity\n"
    "fan,north,2026-01-01,2,100.5,20,50\nfan,south,2026-01-01,0,80,25,60\n"
)
DEFECTS = (
    "Component Name,Installation Date,Manufacturer,Damage Date,Design Life,Temperature,Humidity,"
    "Installation Location,Interval,O&M Shift\n"
    "LCD,2020-01-01,X,2021-05-06,8,21,70,north,bay 1,A\n"
    "LCD,2020-01-02,X,,8,,,north,bay 2,B\n"
)
DEMAND = "part,Price,2026-01,2026-02,2026-03\nbolt,1.5,0,3,1\nnut,2,4,0,0\n"
ORDERS = "order,sku,quantity\n1,bolt,2\n1,nut,1\n2,bolt,3\n"
STOCK = "Part,Location,Time,On Hand\nfan,north,2026-01-01,3\nfan,south,2026-01-01,0\n"
BOUGHT = (
    "Part,Location,Quantity,Ordered,Received\n"
    "fan,north,2,2026-01-01,2026-01-15\nfan,south,1,2026-02-01,2026-02-11\n"
)
COUNTED = FAILED.replace(",Temperature,Humidity", "").replace(",20,50", "").replace(",25,60", "")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of record: a good file, the name it must have, and how its content is read."""

    name: str
    text: str
    file: str
    read: Callable[[Path], Any]
    number: str  # a column of numbers
    day: str = ""  # a column of dates, if there is one

    def cells(self) -> list[list[str]]:
        """Header and rows."""
        return [line.split(",") for line in self.text.splitlines()]


def in_a_plan(path: Path) -> Any:
    """Read the folder of `path`, completed where it lacks what a plan needs."""
    folder = path.parent
    (folder / "plan.toml").write_text(PUMP)
    seen = folder / "inspections.csv"
    if path.stem != "inspections":
        seen.write_text(SEEN)
    found = read_plan_folder(folder)
    records = found.maintenance if path.stem == "maintenance" else found.inspections
    return {key: list(value) for key, value in vars(records).items()}


def with_log(reader: Callable[..., Any], path: Path) -> Any:
    """Read records of a plan's stocks, raising what was noted."""
    log = ProblemLog()
    found = reader(path, None, ("north", "south"), log)
    log.finish()
    return {"unit" if key == "part" else key: list(value) for key, value in vars(found).items()}


def demand_of(path: Path) -> Any:
    """Read a table of demand as lists."""
    found = read_demand(path)
    return found.parts, found.periods, found.demand.tolist(), found.price.tolist()


def orders_of(path: Path) -> Any:
    """Read orders as lists."""
    found, names = read_orders(path, ["bolt", "nut"])
    return names, found.dense().tolist()


KINDS = [
    Kind(
        name="inspections",
        text=SEEN,
        file="inspections",
        read=in_a_plan,
        number="State",
        day="Time",
    ),
    Kind(
        name="maintenance", text=DONE, file="maintenance", read=in_a_plan, number="Cost", day="Time"
    ),
    Kind(
        name="failures",
        text=FAILED,
        file="failures",
        read=read_failures,
        number="Exposure",
        day="Start",
    ),
    Kind(
        name="defects",
        text=DEFECTS,
        file="defects",
        read=read_defects,
        number="Design Life",
        day="Installation Date",
    ),
    Kind(name="demand", text=DEMAND, file="demand", read=demand_of, number="2026-02"),
    Kind(
        name="stock",
        text=STOCK,
        file="stock",
        read=partial(with_log, read_stock),
        number="On Hand",
        day="Time",
    ),
    Kind(
        name="purchases",
        text=BOUGHT,
        file="orders",
        read=partial(with_log, stocks.read_orders),
        number="Quantity",
        day="Ordered",
    ),
    Kind(
        name="failures of a plan",
        text=COUNTED,
        file="failures",
        read=partial(with_log, read_failure_history),
        number="Exposure",
        day="Start",
    ),
    Kind(
        name="defects of a plan",
        text=DEFECTS,
        file="defects",
        read=partial(with_log, read_failure_history),
        number="Design Life",
        day="Installation Date",
    ),
    Kind(name="orders", text=ORDERS, file="orders", read=orders_of, number="quantity"),
]
