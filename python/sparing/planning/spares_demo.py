"""The spares of the example folder: four parts that fail, and the stores that replace them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from sparing.records.defects import FIELDS as DEFECT_FIELDS
from sparing.records.stocks import ORDER_FIELDS, STOCK_FIELDS

SITES = {"north": 14, "south": 10}  # storage units at each
LEAD_TIMES = {"central": (9.0, 38.0), "north": (4.0, 5.0), "south": (4.0, 7.0)}  # shape, mean days
SEASON = 0.4  # half swing of the failures over the year, highest in July
COUNTED_EVERY = 30  # days between stock counts
TODAY = {  # part: its min and max at the centre, and at a site
    "power module": ((2, 4), (0, 1)),
    "coolant pump": ((1, 4), (0, 2)),
    "control board": ((0, 2), (0, 1)),
    "fan": ((4, 20), (2, 8)),
}
INSTALLED = {"power module": 6, "coolant pump": 1, "control board": 1, "fan": 8}  # a unit
FAILURES = {
    "power module": 0.06,
    "coolant pump": 0.25,
    "control board": 0.08,
    "fan": 0.15,
}  # a year
MAKERS = ("Alder", "Birch")
SETTINGS = """
# Spares: a central store and two sites; what fails, lies on shelves and is ordered is on record.
[spares]
period = 30              # days between two reviews of the stocks
periods = 12             # reviews that the plan is judged over
first = {first}       # since when every failure is on record

[[spares.location]]
name = "central"
supplier = "external"
capacity = 5                                  # units of a part
order_cost = {{ fixed = 60.0, unit = 0.0 }}     # EUR

[[spares.location]]
name = "north"
supplier = "central"
capacity = 4
order_cost = {{ fixed = 25.0, unit = 0.0 }}

[[spares.location]]
name = "south"
supplier = "central"
capacity = 4
order_cost = {{ fixed = 25.0, unit = 0.0 }}
"""
PART = """
[[spares.part]]
name = "{name}"
holding_cost = {holding}      # EUR per unit on a shelf and review
downtime_cost = {downtime}    # EUR per unit that is missing and review
emergency_cost = {emergency}  # EUR for a unit flown in, where two are waited for already
"""
MORE_ROOM = """capacity = 10

[spares.part.location.central]
capacity = 24
"""  # for the last part, of which there are many
COSTS = {
    "power module": (63.0, 2400.0, 4200.0),
    "coolant pump": (15.0, 5400.0, 6500.0),
    "control board": (40.0, 5400.0, 6900.0),
    "fan": (2.0, 320.0, 400.0),
}
Rows = list[list[object]]


def spare_settings(first: date) -> str:
    """Return the [spares] tables of the example's plan.toml."""
    parts = (
        PART.format(name=name, holding=holding, downtime=downtime, emergency=emergency)
        for name, (holding, downtime, emergency) in COSTS.items()
    )
    return SETTINGS.format(first=first.isoformat()) + "".join(parts) + MORE_ROOM


@dataclass(eq=False)
class _Store:
    """One part at one location: its stock, what waits, what is under way."""

    low: int
    high: int
    on_hand: int
    owed: list[_Slot] = field(default_factory=list)
    under_way: list[tuple[int, int]] = field(default_factory=list)  # day of arrival, order row

    def position(self, orders: Rows) -> int:
        coming = sum(int(str(orders[row][2])) for _, row in self.under_way)
        return self.on_hand + coming - len(self.owed)


@dataclass(eq=False)
class _Slot:
    """One place of a part in a storage unit, and the record of what is in it."""

    part: str
    site: str
    label: str
    record: list[object] | None


class _Spares:
    """Four years of failures, replacements and orders, day by day."""

    def __init__(self, rng: np.random.Generator, first: date, num_days: int) -> None:
        self.rng, self.first, self.num_days = rng, first, num_days
        self.defects, self.stock, self.orders = Rows(), Rows(), Rows()
        self.waiting = list[tuple[int, str, str, int]]()  # at the centre: row of the order, site
        self.stores = {
            (part, place): _Store(
                *levels[place != "central"], on_hand=levels[place != "central"][1]
            )
            for part, levels in TODAY.items()
            for place in LEAD_TIMES
        }
        self.slots = list(self._slots())

    def _slots(self) -> Iterator[_Slot]:
        number = 0
        for site, units in SITES.items():
            for _ in range(units):
                number += 1
                for part, count in INSTALLED.items():
                    for position in range(1, count + 1):
                        slot = _Slot(part, site, f"ESS-{number:02}/{position}", None)
                        age = int(self.rng.integers(0, 900))
                        self._install(slot, self.first - timedelta(days=age))
                        yield slot

    def run(self) -> None:
        rates = np.array([FAILURES[slot.part] for slot in self.slots]) / 365.25
        for day in range(self.num_days):
            today = self.first + timedelta(days=day)
            for (part, place), store in self.stores.items():
                for due, row in [entry for entry in store.under_way if entry[0] == day]:
                    store.under_way.remove((due, row))
                    self._arrived(part, place, store, row, today)
            month = 2.0 * np.pi * (today.timetuple().tm_yday - 196) / 365.25
            failed = self.rng.random(len(self.slots)) < rates * (1.0 + SEASON * np.cos(month))
            for i in np.flatnonzero(failed):
                self._fail(self.slots[i], today)
            for (part, place), store in self.stores.items():
                if store.position(self.orders) - self._owed_to(part, place) <= store.low:
                    self._order(part, place, store, today, day)
            if (self.num_days - 1 - day) % COUNTED_EVERY == 0:
                self._count(today)

    def _fail(self, slot: _Slot, today: date) -> None:
        if slot.record is None:
            return  # empty: it waits for a spare
        slot.record[3] = today.isoformat()
        slot.record[5] = f"{self.rng.normal(24.0, 6.0):.1f}"
        slot.record[6] = f"{np.clip(self.rng.normal(55.0, 12.0), 10.0, 95.0):.0f}"
        slot.record[9] = "ABCD"[self.rng.integers(0, 4)]
        slot.record = None
        store = self.stores[slot.part, slot.site]
        if store.on_hand > 0:
            store.on_hand -= 1
            self._install(slot, today)
        else:
            store.owed.append(slot)

    def _install(self, slot: _Slot, day: date) -> None:
        maker = MAKERS[self.rng.integers(0, len(MAKERS))]
        slot.record = [slot.part, day.isoformat(), maker, "", 15, "", "", slot.site, slot.label, ""]
        self.defects.append(slot.record)

    def _owed_to(self, part: str, place: str) -> int:
        """Return the units the centre still has to ship to the sites (they lower its position)."""
        if place != "central":
            return 0
        return sum(int(str(self.orders[row][2])) for row, p, _, _ in self.waiting if p == part)

    def _order(self, part: str, place: str, store: _Store, today: date, day: int) -> None:
        missing = store.high - store.position(self.orders) + self._owed_to(part, place)
        row = len(self.orders)
        self.orders.append([part, place, missing, today.isoformat(), ""])
        if place == "central":
            store.under_way.append((day + self._lead_days(place), row))
            return
        store.under_way.append((-1, row))  # not shipped yet
        self.waiting.append((row, part, place, day))
        self._ship(part, day)

    def _ship(self, part: str, day: int) -> None:
        """Ship what waits, in the order in which it came, whole orders only."""
        centre = self.stores[part, "central"]
        for entry in [e for e in self.waiting if e[1] == part]:
            row, _, place, _ = entry
            quantity = int(str(self.orders[row][2]))
            if quantity > centre.on_hand:
                return
            centre.on_hand -= quantity
            self.waiting.remove(entry)
            site = self.stores[part, place]
            site.under_way.remove((-1, row))
            site.under_way.append((day + self._lead_days(place), row))

    def _arrived(self, part: str, place: str, store: _Store, row: int, today: date) -> None:
        self.orders[row][4] = today.isoformat()
        store.on_hand += int(str(self.orders[row][2]))
        while store.owed and store.on_hand > 0:
            store.on_hand -= 1
            slot = store.owed.pop(0)
            self._install(slot, today)
        if place == "central":
            self._ship(part, (today - self.first).days)

    def _lead_days(self, place: str) -> int:
        shape, mean = LEAD_TIMES[place]
        return max(round(float(self.rng.gamma(shape, mean / shape))), 1)

    def _count(self, today: date) -> None:
        for (part, place), store in self.stores.items():
            owed = len(store.owed) + self._owed_to(part, place)
            self.stock.append([part, place, today.isoformat(), store.on_hand, owed])


def simulate_spares(
    first: date, num_days: int, *, seed: int
) -> dict[str, tuple[tuple[str, ...], Rows]]:
    """Return header and rows of failures.csv, stock.csv and orders.csv."""
    found = _Spares(np.random.default_rng([seed, 0x53504152]), first, num_days)
    found.run()
    defects = sorted(
        found.defects, key=lambda row: (str(row[3]) or "9999", str(row[1]), str(row[8]))
    )
    return {
        "failures.csv": (DEFECT_FIELDS, defects),
        "stock.csv": ((*STOCK_FIELDS, "Backordered"), found.stock),
        "orders.csv": (ORDER_FIELDS, found.orders),
    }
