"""Bid prices: dual prices of expected remaining demand, re-solved through the day."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.ration.margins import Margins
from sparing.ration.orders import Orders, joined
from sparing.ration.outlook import Outlook

MAX_HISTORY = 1000  # earlier orders in the linear program; more change nothing but its time


class BidPrice:
    """Serve an order that fits if its gain is at least the value of the stock it takes.

    The value of a unit is the dual price of the fluid linear program of what is still expected
    (Talluri and van Ryzin 2004, sec. 3.3.1): earlier orders and those of the day so far, scaled to
    the number still to come. It is solved `num_solves` times, evenly over the orders expected.
    """

    key = "bid_price"

    def __init__(self, *, num_solves: int = 10) -> None:
        if num_solves < 1:
            raise ValueError(f"num_solves must be at least 1; got {num_solves}.")
        self._num_solves = num_solves

    def open(self, margins: Margins, outlook: Outlook) -> OpenBidPrice:
        """Begin a day."""
        every = max(int(np.ceil(outlook.num_orders / self._num_solves)), 1)
        return OpenBidPrice(margins, outlook.thinned(MAX_HISTORY), every)


class OpenBidPrice:
    """Bid prices in the course of a day."""

    def __init__(self, margins: Margins, outlook: Outlook, every: int) -> None:
        self._margins, self._every, self._expected = margins, every, outlook.num_orders
        self._known = [outlook.history]
        self._arrived, self._solved_at = 0, -1
        self._price = np.zeros(margins.num_skus)

    def answer(self, orders: Orders, stock: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Decide the orders that arrive now; solves the program anew where it is due."""
        own = np.zeros(len(orders), np.bool_)
        gain = self._margins.gain(orders)
        first = 0
        while first < len(orders):
            self.prepare(stock)
            last = min(first + self._every - self._arrived % self._every, len(orders))
            _core.ration_priced(*orders.parts, gain, self._price, first, last, stock, own)
            self._known.append(orders.rows(np.arange(first, last)))
            self._arrived += last - first
            first = last
        return own

    def prepare(self, stock: NDArray[np.int64]) -> None:
        """Solve the program anew if the next order is one at which that is due."""
        if self._arrived % self._every == 0 and self._solved_at != self._arrived:
            self._price = self._solve(stock)
            self._solved_at = self._arrived

    def _solve(self, stock: NDArray[np.int64]) -> NDArray[np.float64]:
        self._known = [joined(self._known)]
        known, left = self._known[0], self._expected - self._arrived
        if not len(known) or left <= 0:
            return np.zeros(stock.size)
        return dual_prices(known, self._margins.gain(known), left / len(known), stock)


def dual_prices(
    known: Orders, gains: NDArray[np.float64], weight: float, stock: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the value of one more unit of each SKU [n].

    The program is max sum gain_i y_i with sum_i d_ij y_i <= q_j and 0 <= y_i <= weight over the
    orders known. SKUs whose stock covers all of their expected demand have no price and are left
    out.
    """
    from scipy.optimize import linprog

    price = np.zeros(stock.size)
    expected = weight * np.bincount(known.sku, known.quantity, minlength=stock.size)
    scarce = expected > stock
    demand = known.matrix()[:, scarce]
    asking = (np.diff(demand.indptr) > 0) & (gains > 0.0)
    if not asking.any():
        return price
    found: Any = linprog(
        -gains[asking],
        A_ub=demand[asking].T.tocsr(),
        b_ub=stock[scarce],
        bounds=(0.0, weight),
        method="highs",
    )
    if found.status == 0:
        price[scarce] = np.maximum(-found.ineqlin.marginals, 0.0)
    return price
