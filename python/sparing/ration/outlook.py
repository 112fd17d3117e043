"""What is known before the day begins: earlier orders, and how many to expect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparing._checks import check_number
from sparing.ration.day import Day
from sparing.ration.orders import Orders


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlook:
    """Earlier orders over the same SKUs, and the number of orders expected of the day.

    Raises
    ------
    ValueError
        If the number of orders is negative.
    """

    history: Orders
    num_orders: float

    def __post_init__(self) -> None:
        check_number("num_orders", self.num_orders, at_least=0.0)

    @classmethod
    def unknown(cls, day: Day) -> Outlook:
        """Return the outlook of one who knows how many orders will come, and nothing else."""
        none = Orders.from_lines([], num_skus=day.stock.size)
        return cls(history=none, num_orders=len(day.orders))

    def thinned(self, size: int) -> Outlook:
        """Return the outlook with at most `size` of the earlier orders, evenly spread."""
        held = len(self.history)
        if held <= size:
            return self
        chosen = np.arange(size) * held // size
        return Outlook(history=self.history.rows(chosen), num_orders=self.num_orders)
