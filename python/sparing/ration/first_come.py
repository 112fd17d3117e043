"""First come, first served."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.ration.margins import Margins
from sparing.ration.orders import Orders
from sparing.ration.outlook import Outlook


class FifoStrict:
    """Serve in order of arrival up to the first order that does not fit, dropship all that follow.

    The rule Jiménez González (2021, sec. 3.5.2) compares with: one order that cannot be served
    closes the stock to everybody behind it.
    """

    key = "fifo_strict"

    def open(self, margins: Margins, outlook: Outlook) -> FirstCome:
        """Begin a day; nothing needs to be known."""
        return FirstCome(strict=True)


class FifoSkip:
    """Serve every order that fits when it arrives."""

    key = "fifo_skip"

    def open(self, margins: Margins, outlook: Outlook) -> FirstCome:
        """Begin a day; nothing needs to be known."""
        return FirstCome(strict=False)


class FirstCome:
    """First come, first served, in the course of a day."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._closed = False

    def answer(self, orders: Orders, stock: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Decide the orders that arrive now."""
        own = np.zeros(len(orders), np.bool_)
        if not self._closed:
            _core.ration_first_come(*orders.parts, self._strict, stock, own)
        self._closed |= self._strict and not own.all()
        return own

    def prepare(self, stock: NDArray[np.int64]) -> None:
        """Nothing is to be done between orders."""
