"""The nodes by which a load-sharing system is replaced, supplied and worn.

Components wear on without regard to the stock, so the kernel between epochs is a table of counts
alone, which the stock rides along; what the next epoch finds in stock is a move that knows
whether the order came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparing.models.replacements import replacements
from sparing.nodes import Axis, Chance, Cost, Decision, Node
from sparing.table import Table

if TYPE_CHECKING:
    from sparing.models.load_sharing_system import LoadSharingSystem


def load_sharing_nodes(system: LoadSharingSystem) -> list[Node]:
    """Return replace, order, what the time to the next epoch costs, wear and delivery."""
    if system.problem.is_stepped:
        from sparing.models.load_sharing_steps import nodes_until_next

        return [_replace(system), _order(system), *nodes_until_next(system)]
    return [
        _replace(system),
        _order(system),
        *_costs_until_next(system),
        _wear(system),
        _deliver(system),
    ]


def _replace(system: LoadSharingSystem) -> Decision:
    """Choose what to replace: spares on hand first, then emergency units while down."""
    offers = replacements(system)
    hand, order = system.stocks.T
    problem = system.problem
    most = np.where(
        (~system.is_up & problem.cost.has_emergency_supply)[:, None], system.size, hand
    )  # [counts, stock]
    # An entry per (counts, offer, stock) that is allowed, in the order of the rows (counts, stock).
    allowed = offers.num_replaced[:, None] <= most[offers.before]
    offer, stock = np.nonzero(allowed)
    row = offers.before[offer] * hand.size + stock
    by_row = np.lexsort((offers.choice[offer], row))
    offer, stock, row = offer[by_row], stock[by_row], row[by_row]
    replaced = offers.num_replaced[offer]
    emergency = np.maximum(replaced - hand[stock], 0)
    left = system.stock_index(hand[stock] - replaced + emergency, order[stock], system.leads[stock])
    table = Table(
        indptr=np.searchsorted(row, np.arange(system.counts.size * hand.size + 1)),
        to=offers.after[offer] * hand.size + left,
        choice=offers.choice[offer],
        cost={
            "set-ups": (replaced > 0).astype(float),
            "replaced": replaced.astype(float),
            "failed replaced": offers.num_failed[offer].astype(float),
            "emergency": emergency.astype(float),
        },
    )
    return Decision(("counts", "stock"), table, name="replace")


def _order(system: LoadSharingSystem) -> Decision:
    """Order up to the capacity, if nothing is on order yet."""
    hand, order = system.stocks.T
    most = np.where(order == 0, system.problem.capacity - hand, 0)
    row = np.repeat(np.arange(hand.size), most + 1)
    quantity = np.arange(row.size) - np.searchsorted(row, row)
    new = system.problem.lead_steps
    table = Table(
        indptr=np.concatenate([[0], np.cumsum(most + 1)]),
        to=system.stock_index(
            hand[row], order[row] + quantity, np.where(quantity > 0, new, system.leads[row])
        ),
        choice=quantity.astype(np.int32),
        cost={"orders": (quantity > 0).astype(float), "ordered": quantity.astype(float)},
    )
    return Decision("stock", table, name="order")


def _costs_until_next(system: LoadSharingSystem) -> list[Node]:
    """Return what is expected until the next epoch, by the counts and stock left behind."""
    hand, order = system.stocks.T
    up, kernel = system.is_up, system.kernel
    rate = system.problem.delivery_rate or np.inf  # unused where nothing can be ordered
    time = np.where(up, kernel.time_early + kernel.time_marked, 1.0 / rate)
    delivered = np.where(up, kernel.time_marked, 0.0)
    on_hand = np.outer(time, hand) + np.outer(delivered, order)
    waiting = np.where(np.logical_or.outer(up, order > 0), 0.0, np.inf)
    kinds = {
        "inspections": up.astype(float),
        "failures": np.where(up, chance_of_failure(system), 0.0),
        "down": np.where(up, 0.0, time),
        "positions": system.size * time,
        "duration": time,
    }
    both = ("counts", "stock")
    return [
        Cost(both, waiting, "down", name="left down, nothing on order"),
        Cost(both, on_hand, "on hand", name="on hand"),
        *(Cost("counts", values, kind, name=kind) for kind, values in kinds.items()),
        Cost((), 1.0, "epochs", name="epochs"),
    ]


def chance_of_failure(system: LoadSharingSystem) -> NDArray[np.float64]:
    """Return the chance [counts] that the system fails before the next inspection."""
    kernel = system.kernel
    fails = ~system.is_up[kernel.to]
    weight = np.where(fails, kernel.early + kernel.marked, 0.0)
    return np.asarray(np.bincount(kernel.rows, weight, system.counts.size), dtype=np.float64)


def _wear(system: LoadSharingSystem) -> Chance:
    """Draw the counts found next and whether an order has come; left down, it has."""
    kernel, delivered = system.kernel, Axis("delivered", 2)
    down = ~system.is_up[kernel.rows]
    early = np.where(down, 0.0, kernel.early)
    marked = np.where(down, 1.0, kernel.marked)
    table = Table(
        indptr=2 * kernel.indptr,
        to=np.add.outer(2 * kernel.to.astype(np.int64), np.arange(2)).ravel(),
        probability=np.stack([early, marked], axis=1).ravel(),
    )
    return Chance("counts", table, to=("counts", delivered), name="wear")


def _deliver(system: LoadSharingSystem) -> Chance:
    hand, order = system.stocks.T
    to = np.concatenate([np.arange(hand.size), system.stock_index(hand + order, 0 * order)])
    return Chance(("delivered", "stock"), Table.moves(to), to="stock", name="deliver")
