"""The e-tailer that is simulated: demand, stock, margins and suppliers (table 3 of the thesis)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing._checks import check_number, read_only
from sparing.ration.day import Day
from sparing.ration.margins import Margins, Supplier
from sparing.ration.orders import Orders

DAYS, SKUS = 0, 1  # streams of random numbers


@dataclass(frozen=True, kw_only=True)
class SupplierTerms:
    """What a supplier leaves of the margin, and its risk of being late."""

    name: str
    margin_share: float = 0.7  # of the unit margin, dropshipped
    margin_spread: float = 0.0  # SKU by SKU the share differs by up to this, uniformly
    delay_probability: float = 0.0
    delay_penalty: float = 0.0  # money an order that is late

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"name must be a text; got {self.name!r}.")
        for key in ("margin_spread", "delay_probability", "delay_penalty"):
            check_number(key, getattr(self, key), at_least=0.0)
        check_number("margin_share", self.margin_share)
        if self.delay_probability > 1.0:
            raise ValueError(f"delay_probability must be at most 1; got {self.delay_probability}.")


@dataclass(frozen=True, kw_only=True)
class DropshipCase:
    """An e-tailer's days, drawn at random.

    An order asks for a number of SKUs uniform on `lines`, each drawn by class and then evenly
    within the class, none twice; quantities are triangular and rounded, and so is the stock, normal
    and new every day. Unit margins are normal and stay.

    Raises
    ------
    ValueError
        If a number breaks its rule; the message names it.
    """

    num_skus: int = 350
    orders_per_day: int = 200
    class_probabilities: tuple[float, ...] = (0.1, 0.3, 0.6)  # of a line's class
    class_sizes: tuple[float, ...] = (0.2, 0.3, 0.5)  # shares of the SKUs
    lines: tuple[int, int] = (1, 7)  # SKUs an order
    quantity: tuple[float, float, float] = (1.0, 2.0, 6.0)  # least, most likely, greatest
    stock: tuple[float, float] = (15.0, 2.0)  # mean and standard deviation
    unit_margin: tuple[float, float] = (15.0, 3.0)  # mean and standard deviation
    suppliers: tuple[SupplierTerms, ...] = (SupplierTerms(name="supplier"),)
    name: str = "dropship"

    def __post_init__(self) -> None:
        for key in ("num_skus", "orders_per_day"):
            value = getattr(self, key)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{key} must be a whole number of at least 1; got {value!r}.")
        _check_shares("class_probabilities", self.class_probabilities)
        _check_shares("class_sizes", self.class_sizes)
        if len(self.class_sizes) != len(self.class_probabilities):
            raise ValueError("class_sizes and class_probabilities must have as many entries.")
        counts = self.class_counts
        for c in np.flatnonzero((counts == 0) & (np.array(self.class_probabilities) > 0.0))[:1]:
            raise ValueError(f"class {c} is asked for, but has none of the {self.num_skus} SKUs.")
        self._check_pair("lines", whole=True)
        asked = int(counts[np.array(self.class_probabilities) > 0.0].sum())
        if not 1 <= self.lines[0] <= self.lines[1] <= asked:
            raise ValueError(
                f"lines must be 1 <= least <= greatest <= {asked}, the SKUs asked for; got"
                f" {list(self.lines)}."
            )
        low, mode, high = self._numbers("quantity", 3)
        if not 1.0 <= low <= mode <= high:
            raise ValueError(
                "quantity must be 1 <= least <= most likely <= greatest; got"
                f" {list(self.quantity)}."
            )
        for key in ("stock", "unit_margin"):
            self._check_pair(key)
        if not self.suppliers:
            raise ValueError("a case needs at least one supplier.")

    def _numbers(self, key: str, count: int) -> list[float]:
        values = getattr(self, key)
        if not isinstance(values, tuple) or len(values) != count:
            raise ValueError(f"{key} must be {count} numbers; got {values!r}.")
        return [check_number(f"{key}[{i}]", v, at_least=0.0) for i, v in enumerate(values)]

    def _check_pair(self, key: str, *, whole: bool = False) -> None:
        for value in self._numbers(key, 2):
            if whole and not value.is_integer():
                raise ValueError(f"{key} must be whole numbers; got {value:g}.")

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """SKUs of each class."""
        ends = np.rint(np.cumsum(self.class_sizes) * self.num_skus)
        counts: NDArray[np.int64] = np.diff(ends, prepend=0.0).astype(np.int64)
        return counts

    def resized(self, *, num_skus: int, orders_per_day: int) -> DropshipCase:
        """Return the case with other sizes."""
        return replace(self, num_skus=num_skus, orders_per_day=orders_per_day)

    def catalogue(self, seed: int) -> Catalogue:
        """Return the SKUs of this case: they stay the same over the days of one seed."""
        rng = np.random.default_rng([seed, SKUS])
        mean, deviation = self.unit_margin
        own = np.maximum(rng.normal(mean, deviation, self.num_skus), 0.01 * mean)
        suppliers = []
        for terms in self.suppliers:
            spread = rng.uniform(-terms.margin_spread, terms.margin_spread, self.num_skus)
            suppliers.append(
                Supplier(
                    name=terms.name,
                    margin=own * (terms.margin_share + spread),
                    delay_probability=terms.delay_probability,
                    delay_penalty=terms.delay_penalty,
                )
            )
        return Catalogue(case=self, seed=seed, margins=Margins(own=own, suppliers=tuple(suppliers)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalogue:
    """The SKUs of a case; draws its days."""

    case: DropshipCase
    seed: int
    margins: Margins

    @cached_property
    def _likelihood(self) -> NDArray[np.float64]:
        """Cumulative probability of each SKU to be a line's [n]."""
        counts = self.case.class_counts
        shares = np.array(self.case.class_probabilities) / np.maximum(counts, 1)
        total = np.cumsum(np.repeat(shares, counts))
        return read_only(total / total[-1])

    def orders(self, rng: np.random.Generator, num_orders: int) -> Orders:
        """Draw so many orders."""
        least, greatest = self.case.lines
        sizes = rng.integers(least, greatest + 1, num_orders)
        sku = np.full((num_orders, greatest), -1, np.int32)
        for k in range(greatest):
            open_ = np.flatnonzero(sizes > k)
            while open_.size:  # what an order already has is drawn again
                drawn = np.searchsorted(self._likelihood, rng.random(open_.size), side="right")
                again = (sku[open_, :k] == drawn[:, None]).any(axis=1)
                sku[open_[~again], k] = drawn[~again]
                open_ = open_[again]
        asked = sku >= 0
        low, mode, high = self.case.quantity
        amount = np.full(sku.shape, low)
        if high > low:
            amount = rng.triangular(low, mode, high, sku.shape)
        return Orders(
            indptr=np.concatenate([[0], np.cumsum(sizes)]),
            sku=sku[asked],
            quantity=np.rint(amount[asked]).astype(np.int64),
            num_skus=self.case.num_skus,
        )

    def day(self, index: int) -> Day:
        """Draw day `index`: always the same for the same seed."""
        rng = np.random.default_rng([self.seed, DAYS, index])
        mean, deviation = self.case.stock
        stock = np.rint(rng.normal(mean, deviation, self.case.num_skus))
        return Day(
            stock=np.maximum(stock, 0.0).astype(np.int64),
            orders=self.orders(rng, self.case.orders_per_day),
            margins=self.margins,
        )

    def days(self, first: int, count: int) -> list[Day]:
        """Draw days `first` to `first` + `count` - 1."""
        return [self.day(first + index) for index in range(count)]


def _check_shares(name: str, values: Any) -> None:
    try:
        shares = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        shares = np.array([np.nan])
    if shares.ndim != 1 or not (shares >= 0.0).all() or not abs(shares.sum() - 1.0) <= 1e-9:
        raise ValueError(f"{name} must be shares that sum to 1; got {values!r}.")
