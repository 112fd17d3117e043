"""What an order brings: served from own stock, or by the best supplier."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import check_number, frozen_array, read_only
from sparing.ration.orders import Orders


@dataclass(frozen=True, kw_only=True, eq=False)
class Supplier:
    """One who dropships: unit margins left to the e-tailer, and the risk of being late.

    An order that goes to this supplier is late with `delay_probability` and then costs
    `delay_penalty`: its margin is lowered by the product.

    Raises
    ------
    ValueError
        If a margin is not finite, the probability not in [0, 1], or the penalty negative.
    """

    name: str = "supplier"
    margin: NDArray[np.float64]  # [n] money a unit
    delay_probability: float = 0.0
    delay_penalty: float = 0.0  # money an order that is late

    def __post_init__(self) -> None:
        place = f"supplier {self.name!r}"
        object.__setattr__(self, "margin", unit_margins(f"{place}: margin", self.margin))
        for key in ("delay_probability", "delay_penalty"):
            value = check_number(f"{place}: {key}", getattr(self, key), at_least=0.0)
            object.__setattr__(self, key, value)
        if self.delay_probability > 1.0:
            raise ValueError(
                f"{place}: delay_probability must be at most 1; got {self.delay_probability:g}."
            )

    @property
    def expected_penalty(self) -> float:
        """Of one order [money]."""
        return self.delay_probability * self.delay_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class Margins:
    """Unit margins from own stock and at each supplier.

    Raises
    ------
    ValueError
        If there is no supplier, two have one name, or sizes do not fit together.
    """

    own: NDArray[np.float64]  # [n] money a unit
    suppliers: tuple[Supplier, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "own", unit_margins("margin_own", self.own))
        object.__setattr__(self, "suppliers", tuple(self.suppliers))
        if not self.suppliers:
            raise ValueError("at least one supplier is needed.")
        names = [supplier.name for supplier in self.suppliers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two suppliers are named {name!r}.")
        for supplier in self.suppliers:
            if supplier.margin.size != self.own.size:
                raise ValueError(
                    f"supplier {supplier.name!r}: margin has {supplier.margin.size} entries, but"
                    f" margin_own has {self.own.size}."
                )

    @property
    def num_skus(self) -> int:
        """Number of SKUs n."""
        return self.own.size

    @cached_property
    def unit_gain(self) -> NDArray[np.float64]:
        """What serving a unit from stock adds, delays left aside [n]."""
        return read_only(self.own - np.max([s.margin for s in self.suppliers], axis=0))

    def of_own(self, orders: Orders) -> NDArray[np.float64]:
        """Return the margin of each order served from stock [N]."""
        return orders.totals(self.own)

    def of_suppliers(self, orders: Orders) -> NDArray[np.float64]:
        """Return the margin of each order at each supplier, expected penalties taken off [S, N]."""
        return np.stack([orders.totals(s.margin) - s.expected_penalty for s in self.suppliers])

    def gain(self, orders: Orders) -> NDArray[np.float64]:
        """Return what serving each order from stock adds to its margin at the best supplier [N]."""
        dropped: NDArray[np.float64] = self.of_suppliers(orders).max(axis=0)
        return self.of_own(orders) - dropped


def unit_margins(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return finite margins `values` [n] as a read-only copy [n], or say what is wrong."""
    margins = frozen_array(name, values)
    if margins.ndim != 1:
        raise ValueError(f"{name} must be a list of numbers; got shape {margins.shape}.")
    for j in np.flatnonzero(~np.isfinite(margins))[:1]:
        raise ValueError(f"{name}[{j}] must be finite; got {margins[j]}.")
    return margins
