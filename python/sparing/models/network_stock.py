"""The stock of one location as an axis: legal tuples (stock, ordered, age of the order).

An order fits beside the stock on hand when it is placed, and from then on until it arrives the
stock only falls; so the tuples with an order hold at most ``capacity - ordered`` units.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sparing.models.network_location import Location
from sparing.nodes import Axis

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StockTuples:
    """Tuples of one axis, those without an order first.

    Attributes
    ----------
    stock, ordered, age
        Shape (tuples,) each; stock is negative for backorders, ordered 0 where there is no order.
    """

    stock: Integers
    ordered: Integers
    age: Integers
    lookup: Integers  # [stock + backorders, ordered, age]
    _backorders: int

    @classmethod
    def of(cls, location: Location, first_age: int) -> StockTuples:
        """Return all tuples whose orders are of age `first_age` or more."""
        low, top = -location.backorders, location.capacity
        stocks = np.arange(low, top + 1)
        rows = [np.stack([stocks, np.zeros_like(stocks), np.zeros_like(stocks)], axis=1)]
        ages = np.arange(first_age, len(location.arrival))
        for stock in range(low, top):
            most = min(location.largest_order, top - max(stock, 0))
            quantities = np.arange(1, most + 1)
            q, age = (grid.ravel() for grid in np.meshgrid(quantities, ages, indexing="ij"))
            rows.append(np.stack([np.full_like(q, stock), q, age], axis=1))
        stock, ordered, age = np.concatenate(rows).T
        lookup = np.full((top - low + 1, location.largest_order + 1, len(location.arrival)), -1)
        lookup[stock - low, ordered, age] = np.arange(len(stock))
        return cls(stock.copy(), ordered.copy(), age.copy(), lookup, -low)

    @property
    def size(self) -> int:
        """Number of tuples."""
        return self.stock.size

    @property
    def on_hand(self) -> Integers:
        """Units on hand [tuples]."""
        return np.maximum(self.stock, 0)

    def index(self, stock: Integers, ordered: Integers, age: Integers) -> Integers:
        """Return the numbers of the tuples (-1: no such tuple); the stock must be in range."""
        return self.lookup[stock + self._backorders, ordered, age]


class StockAxis:
    """The axes of one location: what a review finds, and what stands behind the decisions.

    Parameters
    ----------
    supplies_others
        Whether shipments leave between the decision and the arrivals. If not, an order that
        arrives at once is put into the stock with the decision.
    """

    def __init__(self, location: Location, *, supplies_others: bool) -> None:
        self.location = location
        self.merges = len(location.arrival) == 1 and not supplies_others

    @cached_property
    def found(self) -> StockTuples:
        """What a review finds."""
        return StockTuples.of(self.location, 1)

    @cached_property
    def decided(self) -> StockTuples:
        """What stands behind the decisions, before arrivals."""
        return self.found if self.merges else StockTuples.of(self.location, 0)

    @cached_property
    def axis(self) -> Axis:
        """The axis of what a review finds."""
        return Axis(self.location.name, self.found.size, _labels(self.found))

    @cached_property
    def decided_axis(self) -> Axis:
        """The axis behind the decisions."""
        if self.merges:
            return self.axis
        name = f"{self.location.name} ordered"
        return Axis(name, self.decided.size, _labels(self.decided))

    def orders(self, stock_tuple: int) -> int:
        """Return the most that may be ordered in a found tuple, the supplier's stock left aside."""
        if self.found.ordered[stock_tuple]:
            return 0
        room = self.location.capacity - int(self.found.on_hand[stock_tuple])
        return min(self.location.largest_order, room)

    def ordered_from(self, tuples: Integers, quantity: Integers) -> Integers:
        """Return the decided tuples behind orders of `quantity` in found `tuples`."""
        found = self.found
        stock, ordered, age = found.stock[tuples], found.ordered[tuples], found.age[tuples]
        if self.merges:
            return self.decided.index(stock + quantity, ordered, age)
        return self.decided.index(stock, ordered + quantity, age)


def _labels(tuples: StockTuples) -> tuple[str, ...]:
    """Return e.g. ``1`` or ``0+2@1``: none on hand, 2 ordered 1 review ago."""
    rows = zip(tuples.stock.tolist(), tuples.ordered.tolist(), tuples.age.tolist(), strict=True)
    return tuple(f"{x}+{q}@{age}" if q else f"{x}" for x, q, age in rows)
