"""Today's ordering policy, read from the records: where stock stood when it was ordered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork
from sparing.planning.spares_input import SparesInput
from sparing.planning.spares_problem import Standing
from sparing.records.failure_history import UnitRecords

LEAST_ORDERS = 2  # of a part to a location, to read a level from


@dataclass(frozen=True, kw_only=True)
class TodayLevels:
    """The min-max levels that a part's orders to a location come closest to.

    Parameters
    ----------
    reorder_at, order_up_to
        The inventory position before and behind an order, the middle of all orders.
    num_orders
        They were read from; 0: the position of today is taken for the level, nothing else is known.
    """

    reorder_at: int
    order_up_to: int
    num_orders: int


def todays_levels(
    source: SparesInput, standing: Mapping[tuple[str, str], Standing]
) -> dict[tuple[str, str], TodayLevels] | None:
    """Return today's levels by part and location; None where no stock is on record.

    The inventory position (on hand, less backordered, and on order) of a day in the past follows
    from that of now: failures at a site, or orders of the locations below a warehouse, lowered it
    since, and its own orders raised it.
    """
    if source.stock is None:
        return None
    used, ordered = _uses(source), _orders(source)
    found = {}
    for key, now in standing.items():
        position = now.net + now.ordered
        own, taken = ordered.get(key, []), used.get(key)
        before, behind = list[int](), list[int]()
        if taken is not None:
            days = np.array([day for day, _ in own])
            sizes = np.array([size for _, size in own])
            for day, size in own:
                since = int(taken[:, 1][taken[:, 0] > day].sum())
                then = position + since - int(sizes[days >= day].sum())
                before.append(then)
                behind.append(then + size)
        if len(before) >= LEAST_ORDERS:
            reorder = int(np.median(before))
            upto = max(int(np.median(behind)), reorder + 1)
            found[key] = TodayLevels(reorder_at=reorder, order_up_to=upto, num_orders=len(before))
        else:
            found[key] = TodayLevels(
                reorder_at=position - 1, order_up_to=position, num_orders=len(before)
            )
    return found


def todays_rules(
    network: SparesNetwork, levels: Mapping[tuple[str, str], TodayLevels]
) -> dict[str, StockRules]:
    """Return today's levels as rules of each part, within the capacities."""
    found = {}
    for part in network.parts:
        own = [levels[part.name, name] for name in part.names]
        capacity = np.array([location.capacity for location in part.locations])
        upto = np.clip([level.order_up_to for level in own], 0, capacity)
        reorder = np.minimum([level.reorder_at for level in own], upto - 1)
        found[part.name] = StockRules.min_max(reorder, upto)
    return found


def _uses(
    source: SparesInput,
) -> dict[tuple[str, str], np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Return by part and location the days and units that were taken; absent where not known."""
    rows = dict[tuple[str, str], list[tuple[float, float]]]()
    supplier = {name: table.get("supplier") for name, table in source.settings.locations.items()}
    warehouses = {above for above in supplier.values() if above in supplier}
    if isinstance(source.failures, UnitRecords):
        for part in source.parts:
            for name in source.locations:
                rows.setdefault((part, name), [])
        history = source.failures
        for i in np.flatnonzero(~np.isnan(history.damaged)):
            rows[history.part[i], history.location[i]].append((float(history.damaged[i]), 1.0))
    if source.orders is not None:
        for (part, name), made in _orders(source).items():
            above = supplier.get(name)
            if above in warehouses and above is not None:
                rows.setdefault((part, above), []).extend((day, float(n)) for day, n in made)
    return {key: np.array(own, dtype=np.float64).reshape(-1, 2) for key, own in rows.items()}


def _orders(source: SparesInput) -> dict[tuple[str, str], list[tuple[float, int]]]:
    """Return by part and location the days and sizes of all orders."""
    found = dict[tuple[str, str], list[tuple[float, int]]]()
    orders = source.orders
    if orders is not None:
        for part, location, day, size in zip(
            orders.part, orders.location, orders.ordered, orders.quantity, strict=True
        ):
            found.setdefault((part, location), []).append((float(day), int(size)))
    return found
