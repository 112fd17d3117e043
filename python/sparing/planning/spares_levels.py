"""Stock levels of a plan, and what to order now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.network_plan import PartPlan
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork
from sparing.planning.spares_methods import StockPolicy
from sparing.planning.spares_problem import Standing
from sparing.planning.spares_saved import rule_order
from sparing.planning.spares_today import TodayLevels

Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class StockLevel:
    """What to keep of a part at a location.

    Parameters
    ----------
    reorder_at, order_up_to
        Order if the stock is at most the first, up to the second; None: never. Of an exact plan
        they hold now, for what is believed now, with nothing under way and the supplier full.
    order_now
        Units to order now.
    """

    part: str
    location: str
    reorder_at: int | None
    order_up_to: int | None
    standing: Standing
    order_now: int
    today: TodayLevels | None


def stock_levels(
    network: SparesNetwork,
    policy: StockPolicy,
    standing: Mapping[tuple[str, str], Standing],
    today: Mapping[tuple[str, str], TodayLevels] | None,
) -> tuple[StockLevel, ...]:
    """Return the levels of all parts and locations, and what to order by the stock of now."""
    found = []
    for part in network.parts:
        chosen = policy.policies[part.name]
        if isinstance(chosen, PartPlan):
            bounds = exact_levels(chosen)
            now = [chosen.first_decision[name] for name in part.names]
        else:
            assert isinstance(chosen, StockRules)
            reorders, tops = chosen.reorder_at[0].tolist(), chosen.order_up_to[0].tolist()
            bounds = list(zip(reorders, tops, strict=True))
            own = [standing[part.name, name] for name in part.names]
            now = [
                rule_order(x.net + x.ordered, reorder, upto)
                for x, reorder, upto in zip(own, reorders, tops, strict=True)
            ]
        for name, (reorder, upto), order in zip(part.names, bounds, now, strict=True):
            key = part.name, name
            found.append(
                StockLevel(
                    part=part.name,
                    location=name,
                    reorder_at=reorder,
                    order_up_to=upto,
                    standing=standing[key],
                    order_now=order,
                    today=None if today is None else today[key],
                )
            )
    return tuple(found)


def exact_levels(plan: PartPlan) -> list[tuple[int | None, int | None]]:
    """Return per location the levels of an exact plan at its first review.

    Nothing is under way, suppliers are full and the other locations stand as they do: the stock at
    or below which it orders, and up to where from there.
    """
    found: list[tuple[int | None, int | None]] = []
    for position, stock in enumerate(plan.nodes.stocks):
        location = stock.location
        stocks = np.arange(-location.backorders, location.capacity + 1)
        orders = plan.orders(0, _states(plan, position, stocks))[:, position]
        asked = np.flatnonzero(orders > 0)
        if asked.size == 0:
            found.append((None, None))
            continue
        last = int(asked[-1])
        found.append((int(stocks[last]), int(stocks[last] + orders[last])))
    return found


def order_map(plan: PartPlan, position: int) -> tuple[Integers, Integers, Integers] | None:
    """Return what a location orders by its own stock and by that of its supplier.

    The stocks of the supplier, those of the location, and the units ordered [supplier, own]; None
    where its supplier is outside.
    """
    supplier = plan.part.suppliers[position]
    if supplier < 0:
        return None
    own, above = plan.nodes.stocks[position].location, plan.nodes.stocks[supplier].location
    stocks = np.arange(-own.backorders, own.capacity + 1)
    shelves = np.arange(above.capacity + 1)
    rows = []
    for shelf in shelves:
        states = _states(plan, position, stocks, shelf=int(shelf))
        rows.append(plan.orders(0, states)[:, position])
    return shelves, stocks, np.array(rows)


def _states(
    plan: PartPlan, position: int, stocks: Integers, *, shelf: int | None = None
) -> NDArray[np.int32]:
    """Return states [stocks, axes] of the first review with these stocks at a location."""
    start = np.array(plan.nodes.initial_state(), dtype=np.int64)
    states = np.repeat(start[None], stocks.size, axis=0)
    nothing = np.zeros_like(stocks)
    states[:, position] = plan.nodes.stocks[position].found.index(stocks, nothing, nothing)
    supplier = plan.part.suppliers[position]
    if supplier >= 0:
        above = plan.nodes.stocks[supplier]
        level = np.array(above.location.capacity if shelf is None else shelf)
        states[:, supplier] = above.found.index(level, np.zeros_like(level), np.zeros_like(level))
    return states.astype(np.int32)
