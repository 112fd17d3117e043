"""Stock records (what lay where when) and order records (what was ordered when and came when)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparing.records.columns import RecordColumns, read_columns
from sparing.records.problems import ProblemLog

STOCK_FIELDS = ("Part", "Location", "Time", "On Hand")
BACKORDERED = "Backordered"  # a further column of stock records, which may be left out
ORDER_FIELDS = ("Part", "Location", "Quantity", "Ordered", "Received")
MOST_UNITS = 1e6


@dataclass(frozen=True, kw_only=True, eq=False)
class StockRecords:
    """Stock counts, one entry per record.

    Parameters
    ----------
    part, location
        Names.
    time
        Shape (n,): days since 1970.
    on_hand, backordered
        Shape (n,): units on the shelf, and units asked for that are not there yet.
    """

    part: tuple[str, ...]
    location: tuple[str, ...]
    time: NDArray[np.float64]
    on_hand: NDArray[np.int64]
    backordered: NDArray[np.int64]

    def last(self) -> dict[tuple[str, str], tuple[int, float]]:
        """Return by part and location the last net stock (on hand less backordered), and when."""
        return {
            (self.part[i], self.location[i]): (
                int(self.on_hand[i] - self.backordered[i]),
                float(self.time[i]),
            )
            for i in np.argsort(self.time, kind="stable").tolist()
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderRecords:
    """Orders, one entry per record; `received` [n] is NaN while an order is under way."""

    part: tuple[str, ...]
    location: tuple[str, ...]
    quantity: NDArray[np.int64]
    ordered: NDArray[np.float64]  # [n] days since 1970
    received: NDArray[np.float64]

    @property
    def under_way(self) -> NDArray[np.bool_]:
        """Whether an order has not come yet [n]."""
        return np.isnan(self.received)

    def lead_times(self, location: str) -> NDArray[np.float64]:
        """Return the lead times [days] of the orders of a location that have come."""
        own = np.array([name == location for name in self.location], dtype=bool)
        return np.asarray((self.received - self.ordered)[own & ~self.under_way])


def read_stock(
    path: Path, parts: Sequence[str] | None, locations: Sequence[str], log: ProblemLog
) -> StockRecords | None:
    """Read stock records of `parts` (None: any) at `locations`; problems go to `log`."""
    columns = read_columns(path, STOCK_FIELDS, log)
    if columns is None:
        return None
    part, location = read_places(columns, "Part", "Location", parts, locations)
    time = columns.date("Time")
    on_hand = whole_numbers(columns, "On Hand", 0)
    backordered = np.zeros(len(columns), dtype=np.int64)
    if columns.has(BACKORDERED):
        backordered = whole_numbers(columns, BACKORDERED, 0, missing=True)
    check_unique(columns, list(zip(part, location, time.tolist(), strict=True)), "Time")
    return StockRecords(
        part=tuple(part),
        location=tuple(location),
        time=time,
        on_hand=on_hand,
        backordered=backordered,
    )


def read_orders(
    path: Path, parts: Sequence[str] | None, locations: Sequence[str], log: ProblemLog
) -> OrderRecords | None:
    """Read order records of `parts` (None: any) at `locations`; problems go to `log`."""
    columns = read_columns(path, ORDER_FIELDS, log)
    if columns is None:
        return None
    part, location = read_places(columns, "Part", "Location", parts, locations)
    quantity = whole_numbers(columns, "Quantity", 1)
    ordered, received = columns.date("Ordered"), columns.date("Received", missing=True)
    for i in np.flatnonzero(received <= ordered):
        what = f"must lie behind Ordered, {columns.cells('Ordered')[i]}"
        got = columns.cells("Received")[i]
        log.add(columns.file, columns.table.lines[i], "Received", f"{what}; got {got!r}")
    return OrderRecords(
        part=tuple(part),
        location=tuple(location),
        quantity=quantity,
        ordered=ordered,
        received=received,
    )


def joined_stock(first: StockRecords | None, second: StockRecords) -> StockRecords:
    """Return the stock records of both."""
    if first is None:
        return second
    return StockRecords(
        part=first.part + second.part,
        location=first.location + second.location,
        time=np.concatenate((first.time, second.time)),
        on_hand=np.concatenate((first.on_hand, second.on_hand)),
        backordered=np.concatenate((first.backordered, second.backordered)),
    )


def joined_orders(
    first: OrderRecords | None, second: OrderRecords
) -> tuple[OrderRecords, NDArray[np.int64]]:
    """Return the orders of both, and which of the first [n] are under way no more.

    A record of the second that has come takes the place of one of the first under way, if part,
    location, quantity and day of the order are the same.
    """
    if first is None:
        return second, np.empty(0, dtype=np.int64)
    waiting = dict[tuple[str, str, int, float], list[int]]()
    for i in np.flatnonzero(first.under_way):
        waiting.setdefault(_order_key(first, int(i)), []).append(int(i))
    came = [
        waiting[key].pop(0)
        for i in range(len(second.part))
        if not second.under_way[i] and waiting.get(key := _order_key(second, i))
    ]
    kept = np.setdiff1d(np.arange(len(first.part)), came)
    merged = OrderRecords(
        part=tuple(first.part[i] for i in kept) + second.part,
        location=tuple(first.location[i] for i in kept) + second.location,
        quantity=np.concatenate((first.quantity[kept], second.quantity)),
        ordered=np.concatenate((first.ordered[kept], second.ordered)),
        received=np.concatenate((first.received[kept], second.received)),
    )
    return merged, np.array(sorted(came), dtype=np.int64)


def no_orders() -> OrderRecords:
    """Return order records without any."""
    nothing = np.empty(0)
    return OrderRecords(
        part=(), location=(), quantity=nothing.astype(np.int64), ordered=nothing, received=nothing
    )


def without(found: OrderRecords, part: str) -> OrderRecords:
    """Return the orders of all parts but one."""
    kept = np.array([name != part for name in found.part], dtype=bool)
    return replace(
        found,
        part=tuple(name for name in found.part if name != part),
        location=tuple(name for name, k in zip(found.location, kept, strict=True) if k),
        quantity=found.quantity[kept],
        ordered=found.ordered[kept],
        received=found.received[kept],
    )


def _order_key(found: OrderRecords, i: int) -> tuple[str, str, int, float]:
    return found.part[i], found.location[i], int(found.quantity[i]), float(found.ordered[i])


def read_places(
    columns: RecordColumns,
    part_column: str,
    location_column: str,
    parts: Sequence[str] | None,
    locations: Sequence[str],
) -> tuple[list[str], list[str]]:
    """Return the columns of parts and locations, unknown names noted."""
    part, location = columns.text(part_column), columns.text(location_column)
    known: list[tuple[str, list[str], Sequence[str] | None]] = [
        (part_column, part, parts),
        (location_column, location, locations),
    ]
    for column, names, allowed in known:
        if allowed is None:
            continue
        listed, kind = set(allowed), "location" if column == location_column else "part"
        for line, name in zip(columns.table.lines, names, strict=True):
            if name and name not in listed:
                shown = ", ".join(list(allowed)[:12])
                what = f"{name!r} is no {kind} of [spares]; there are {shown}"
                columns.log.add(columns.file, line, column, what)
    return part, location


def whole_numbers(
    columns: RecordColumns, name: str, least: int, *, missing: bool = False
) -> NDArray[np.int64]:
    """Return a column of whole numbers from `least` on, what is none noted.

    Where `missing` ones may be they are 0.
    """
    found = columns.number(name, low=least, missing=missing)
    for i in np.flatnonzero((found % 1.0 != 0.0) & np.isfinite(found) | (found > MOST_UNITS)):
        what = f"must be a whole number from {least} to {MOST_UNITS:g}; got {found[i]:g}"
        columns.log.add(columns.file, columns.table.lines[i], name, what)
    return np.nan_to_num(found).astype(np.int64)


def check_unique(columns: RecordColumns, keys: Sequence[tuple[object, ...]], column: str) -> None:
    """Note records whose key was there before."""
    seen = dict[tuple[object, ...], int]()
    for line, key in zip(columns.table.lines, keys, strict=True):
        if key in seen:
            columns.log.add(columns.file, line, column, f"is that of line {seen[key]} already")
        else:
            seen[key] = line
