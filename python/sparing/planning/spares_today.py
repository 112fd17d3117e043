"""Today's ordering policy, read from the records: where stock stood when it was ordered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork
from sparing.planning.spares_flows import orders_placed, units_since, units_taken
from sparing.planning.spares_input import SparesInput
from sparing.planning.spares_problem import Standing

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
    """Return today's levels by part and location; None where no stock, or no orders, tell them.

    The inventory position (on hand, less backordered, and on order) of a day in the past follows
    from that of now: failures at a site, or orders of the locations below a warehouse, lowered it
    since, and its own orders raised it.
    """
    if source.stock is None:
        return None
    taken, placed = units_taken(source), orders_placed(source)
    found = {}
    for key, now in standing.items():
        position = now.net + now.ordered
        before, behind = list[int](), list[int]()
        own = placed.get(key, np.empty((0, 2)))
        for day, size in own.tolist():
            then = position + units_since(taken, key, day) - int(own[own[:, 0] >= day, 1].sum())
            before.append(then)
            behind.append(then + int(size))
        if len(before) >= LEAST_ORDERS:
            reorder = int(np.median(before))
            upto = max(int(np.median(behind)), reorder + 1)
            found[key] = TodayLevels(reorder_at=reorder, order_up_to=upto, num_orders=len(before))
        else:
            found[key] = TodayLevels(
                reorder_at=position - 1, order_up_to=position, num_orders=len(before)
            )
    return found if any(level.num_orders >= LEAST_ORDERS for level in found.values()) else None


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
