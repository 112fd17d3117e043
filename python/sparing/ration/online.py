"""The common interface of the rules that answer at once, order by order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sparing.ration.day import Day, Rationing
from sparing.ration.margins import Margins
from sparing.ration.orders import Orders
from sparing.ration.outlook import Outlook


class OpenRule(Protocol):
    """A rule in the course of a day."""

    def answer(self, orders: Orders, stock: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Decide the orders that arrive now, one or many, one after the other.

        Takes what is served from `stock` [n]; True where served. No order is decided by what comes
        after it, so a day in one call and order by order give the same.
        """
        ...

    def prepare(self, stock: NDArray[np.int64]) -> None:
        """Do now what would keep the next order waiting; changes no answer."""
        ...


class OnlineRule(Protocol):
    """A rule that decides an order when it arrives."""

    @property
    def key(self) -> str:
        """By which it is called on the command line and in JSON."""
        ...

    def open(self, margins: Margins, outlook: Outlook) -> OpenRule:
        """Begin a day."""
        ...


def run_online(rule: OnlineRule, day: Day, outlook: Outlook | None = None) -> Rationing:
    """Let `rule` decide a day; without an outlook it learns of demand from the day's orders."""
    begun = rule.open(day.margins, outlook or Outlook.unknown(day))
    return Rationing(rule=rule.key, day=day, own=begun.answer(day.orders, day.stock.copy()))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Who serves an order: the e-tailer, or the supplier named."""

    own: bool
    supplier: str | None
    margin: float  # expected


class Desk:
    """Takes orders as they come, and keeps the stock.

    >>> desk = Desk(FifoSkip(), stock=[3, 5], margins=margins, outlook=outlook)  # doctest: +SKIP
    >>> desk.arrive({0: 2, 1: 1})  # doctest: +SKIP
    Answer(own=True, supplier=None, margin=31.0)
    """

    def __init__(
        self, rule: OnlineRule, *, stock: NDArray[np.int64], margins: Margins, outlook: Outlook
    ) -> None:
        empty = Orders.from_lines([], num_skus=margins.num_skus)
        self._day = Day(stock=stock, orders=empty, margins=margins)  # checks
        self._stock = self._day.stock.copy()
        self._rule = rule.open(margins, outlook)

    @property
    def stock(self) -> NDArray[np.int64]:
        """Units left of each SKU [n]."""
        return self._stock.copy()

    def prepare(self) -> None:
        """Use the time between two orders: bid prices are solved anew where that is due."""
        self._rule.prepare(self._stock)

    def arrive(self, order: Mapping[int, int]) -> Answer:
        """Decide an order, given as SKU -> quantity, at once."""
        margins = self._day.margins
        lines = Orders.from_lines([order], num_skus=margins.num_skus)
        if self._rule.answer(lines, self._stock)[0]:
            return Answer(own=True, supplier=None, margin=float(margins.of_own(lines)[0]))
        dropped = margins.of_suppliers(lines)[:, 0]
        best = int(dropped.argmax())
        name = margins.suppliers[best].name
        return Answer(own=False, supplier=name, margin=float(dropped[best]))
