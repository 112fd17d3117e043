"""A day's problem, and who serves its orders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import frozen_array, read_only
from sparing.ration.margins import Margins, Supplier
from sparing.ration.orders import Orders


@dataclass(frozen=True, kw_only=True, eq=False)
class Day:
    """Orders in order of arrival, each served whole from own stock or by one supplier.

    Raises
    ------
    ValueError
        If sizes do not fit together or a stock is negative.
    """

    stock: NDArray[np.int64]  # [n] units
    orders: Orders
    margins: Margins

    def __post_init__(self) -> None:
        stock = frozen_array("stock", self.stock, np.int64)
        if stock.ndim != 1:
            raise ValueError(f"stock must be a list of numbers; got shape {stock.shape}.")
        for j in np.flatnonzero(stock < 0)[:1]:
            raise ValueError(f"stock[{j}] must not be negative; got {stock[j]}.")
        object.__setattr__(self, "stock", stock)
        sizes = {"margin_own": self.margins.num_skus, "orders": self.orders.num_skus}
        for name, size in sizes.items():
            if size != stock.size:
                raise ValueError(f"{name} is over {size} SKUs, but stock has {stock.size}.")

    @classmethod
    def from_arrays(
        cls, stock: ArrayLike, orders: ArrayLike, margin_own: ArrayLike, margin_drop: ArrayLike
    ) -> Day:
        """Return the day of quantities in full [N, n] and one supplier."""
        supplier = Supplier(margin=np.asarray(margin_drop))
        return cls(
            stock=np.asarray(stock),
            orders=Orders.from_dense(orders, num_skus=np.size(stock)),
            margins=Margins(own=np.asarray(margin_own), suppliers=(supplier,)),
        )

    @cached_property
    def own_margin(self) -> NDArray[np.float64]:
        """Margin p_i of each order served from stock [N]."""
        return read_only(self.margins.of_own(self.orders))

    @cached_property
    def supplier_margins(self) -> NDArray[np.float64]:
        """Margin of each order at each supplier, expected penalties taken off [S, N]."""
        return read_only(self.margins.of_suppliers(self.orders))

    @cached_property
    def supplier(self) -> NDArray[np.int64]:
        """The best supplier of each order [N]; ties go to the first."""
        return read_only(self.supplier_margins.argmax(axis=0))

    @cached_property
    def drop_margin(self) -> NDArray[np.float64]:
        """Margin of each order at its best supplier [N]."""
        return read_only(self.supplier_margins.max(axis=0))

    @cached_property
    def gain(self) -> NDArray[np.float64]:
        """What serving each order from stock adds to its margin [N]."""
        return read_only(self.own_margin - self.drop_margin)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rationing:
    """Who serves each order of a day, by one rule."""

    rule: str
    day: Day
    own: NDArray[np.bool_]  # [N] served from stock
    sequence: NDArray[np.int32] | None = None  # [N] in which a batch rule decided
    upper: float | None = None  # bound of the margin of every rule, where this one proves it

    def __post_init__(self) -> None:
        object.__setattr__(self, "own", read_only(self.own))

    @property
    def ofr(self) -> float:
        """Order fulfilment rate: share of the orders served from stock (eq. 11)."""
        return float(self.own.mean()) if self.own.size else 1.0

    @property
    def margin(self) -> float:
        """Total margin of the day, expected penalties taken off (eq. 12-14)."""
        return float(np.where(self.own, self.day.own_margin, self.day.drop_margin).sum())

    @property
    def gap(self) -> float | None:
        """Distance of the margin to `upper`, relative to `upper`."""
        if self.upper is None:
            return None
        distance = self.upper - self.margin
        return distance / max(abs(self.upper), 1e-12) if distance > 0.0 else 0.0

    @property
    def stock_left(self) -> NDArray[np.int64]:
        """Stock at the end of the day [n]."""
        orders, left = self.day.orders, self.day.stock.copy()
        lines = self.own[orders.order]
        np.subtract.at(left, orders.sku[lines], orders.quantity[lines])
        return left
