"""The least cost of an echelon: a location and all below it, as if they were one stock.

Part of the lower bound in `network_bound`. What is left out makes the problem cheaper, never
dearer: the location's supplier never runs short, stock moves freely within the echelon (but what
has arrived at its top is of use below from the next review on only), and a failure may be served by
emergency at any time. Of a site alone nothing is left out but the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.evaluate.location_plan import thinned

Floats = NDArray[np.float64]
LIFTED_AT = 10  # units short beyond which a pool without credits gets units for nothing
ABOVE = 8  # units above the start up to which its stock is told apart


@dataclass(frozen=True, kw_only=True)
class Echelon:
    """One echelon's problem.

    Attributes
    ----------
    pool
        Whether there is more below than the location's own stock.
    start
        Stock at the start of all locations, orders under way within, less backorders.
    capacity, backorders
        Of all locations together.
    under_way
        Quantity and age of the location's own order at the start; (0, 0): none.
    largest
        Largest order.
    unit
        Cost of a unit ordered, less what is credited for its time between two locations.
    holding, downtime, emergency
        The shares of these costs that are paid here.
    arrival
        Chance of arrival by age, if not arrived before.
    share
        Of all exposure, per period.
    """

    pool: bool
    start: int
    capacity: int
    backorders: int
    under_way: tuple[int, int]
    largest: int
    fixed: float
    unit: float
    holding: float
    downtime: float
    emergency: float
    arrival: tuple[float, ...]
    share: tuple[float, ...]

    @property
    def steps(self) -> int:
        """Reviews at which an order can be under way, or has just arrived and is of no use yet."""
        return len(self.arrival) - 1 + self.pool

    @property
    def lifted(self) -> bool:
        """Whether stocks far below nought are lifted, which needs orders that cost something."""
        return self.pool and self.unit >= 0.0 and self.backorders > LIFTED_AT

    @property
    def lowest(self) -> int:
        """Lowest stock that is told apart."""
        return -LIFTED_AT if self.lifted else -self.backorders

    @property
    def highest(self) -> int:
        """Highest stock that is told apart; above it only holding cost without orders counts."""
        if not self.lifted:
            return self.capacity
        return min(self.capacity, max(self.start, 0) + ABOVE)


def least_cost(echelon: Echelon, law: Floats, discount: float, num_threads: int = 1) -> float:
    """Return the least expected cost from the start, by dynamic programming.

    The state is the echelon's net stock, the location's order under way with its age, and all
    failures so far. Stocks below `lowest` count as it: whoever gets units for nothing while short
    can cancel as many of the orders to come, so that costs only fall. Stocks above `highest` cost
    what holding them costs if nothing more is ordered, which is less than what they can cost.

    Parameters
    ----------
    law
        Shape (periods, failures so far, failures): of all sites.
    """
    periods, beliefs, counts = law.shape
    low, high = echelon.lowest, echelon.highest
    stock = np.arange(low, high + 1)
    paid = echelon.holding * np.maximum(stock, 0) + echelon.downtime * np.maximum(-stock, 0)
    split = {share: thinned(counts - 1, share).T[:, :, None] for share in {*echelon.share}}
    value = np.zeros((1 + echelon.largest * echelon.steps, stock.size, beliefs))
    after = np.empty_like(value)
    above = np.zeros((high + echelon.largest + 1, beliefs))  # stocks 0, 1, ... without orders
    for period in range(periods - 1, -1, -1):
        chance = np.ascontiguousarray(split[echelon.share[period]] * law[period].T)
        behind = paid[None, :, None] + discount * value
        if echelon.pool:
            _offer_emergencies(behind, echelon.emergency)
        _core.expect_failures(
            chance=chance,
            value=behind,
            paid=np.zeros(stock.size),
            emergency=0.0 if echelon.lifted else echelon.emergency,
            result=after,
            num_threads=num_threads,
        )
        above = _held(above, chance, echelon.holding, discount)
        value = _review(echelon, after, above[high + 1 :])
    quantity, age = echelon.under_way
    row = 1 + (quantity - 1) * echelon.steps + age - 1 if quantity else 0
    return float(value[row, min(max(echelon.start, low), high) - low, 0])


def _offer_emergencies(behind: Floats, price: float) -> None:
    """Let any failures be served by emergency where that is cheaper than a lower stock."""
    for x in range(behind.shape[1] - 2, -1, -1):
        np.minimum(behind[:, x], price + behind[:, x + 1], out=behind[:, x])


def _held(above: Floats, chance: Floats, holding: float, discount: float) -> Floats:
    """Return one period more of what holding stocks costs if nothing is ordered [stocks, N]."""
    paid = holding * np.arange(len(above), dtype=np.float64)
    result = np.empty((1, *above.shape))
    _core.expect_failures(
        chance=chance,
        value=np.ascontiguousarray(discount * above[None]),
        paid=paid,
        emergency=0.0,
        result=result,
        num_threads=1,
    )
    return np.asarray(result[0])


def _review(echelon: Echelon, after: Floats, above: Floats) -> Floats:
    """Return the value before arrivals and orders [rows, stocks, N].

    Rows: nothing under way; then by quantity under way since 1, 2, ... reviews, and in a pool the
    quantity that arrived at the last review's period.
    """
    ages, steps, stocks = len(echelon.arrival), echelon.steps, after.shape[1]
    arrival = np.array(echelon.arrival)[:, None, None]
    value = np.empty_like(after)
    best = after[0].copy()
    reached = np.concatenate([after[0], above])  # [stocks + largest, N]
    on_hand = np.maximum(np.arange(stocks) + echelon.lowest, 0)
    for quantity in range(1, echelon.largest + 1):
        first = 1 + (quantity - 1) * steps
        own = slice(first, first + ages - 1)  # ages 1 to ages - 1
        arrived = reached[quantity : quantity + stocks]
        if echelon.pool:
            arrived = after[first + steps - 1] + echelon.holding * quantity
        value[own] = arrival[1:] * arrived
        value[own][:-1] += (1.0 - arrival[1:-1]) * after[own][1:]
        waits = after[first] if ages > 1 else 0.0
        cost = arrival[0] * arrived + (1.0 - arrival[0]) * waits
        cost = cost + echelon.fixed + echelon.unit * quantity
        cost[on_hand + quantity > echelon.capacity] = np.inf
        np.minimum(best, cost, out=best)
    value[0] = best
    if echelon.pool:
        reached = np.concatenate([best, above])
        for quantity in range(1, echelon.largest + 1):
            value[quantity * steps] = reached[quantity : quantity + stocks]
    return value
