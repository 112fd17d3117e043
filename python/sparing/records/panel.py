"""Demand per part and period: what every forecast starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class DemandPanel:
    """Demand of several parts over the same periods, oldest first.

    Parameters
    ----------
    parts
        Names of the parts, no two alike.
    periods
        Names of the periods, no two alike.
    demand
        Shape (S, T), units asked for in each period; NaN where it is not known. Never negative.
    price
        Shape (S,), price [money] of one unit; None where no prices are known.

    Raises
    ------
    ValueError
        If shapes, names or values break these rules; the message names part and period.
    """

    parts: tuple[str, ...]
    periods: tuple[str, ...]
    demand: NDArray[np.float64]
    price: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        demand = np.array(self.demand, dtype=np.float64, order="C")
        shape = len(self.parts), len(self.periods)
        if demand.shape != shape or 0 in shape:
            raise ValueError(
                f"demand must have one row a part and one column a period, at least one of each:"
                f" shape {shape}; got {demand.shape}."
            )
        _check_names("part", self.parts)
        _check_names("period", self.periods)
        self._check_demand(demand)
        demand.setflags(write=False)
        object.__setattr__(self, "demand", demand)
        if self.price is not None:
            object.__setattr__(self, "price", _checked_prices(self.parts, self.price))

    def _check_demand(self, demand: NDArray[np.float64]) -> None:
        for row, column in np.argwhere((demand < 0.0) | np.isinf(demand))[:1]:
            value = demand[row, column]
            advice = (
                "; a return is no demand: set it against the demand it undoes, or write 0"
                if value < 0.0
                else ""
            )
            raise ValueError(
                f"part {self.parts[row]!r}, period {self.periods[column]!r}: demand must be"
                f" finite and >= 0{advice}; got {value:g}."
            )
        for row in np.flatnonzero(np.isnan(demand).all(axis=1))[:1]:
            raise ValueError(
                f"part {self.parts[row]!r}: every period is missing; give at least one, or leave"
                " the part out."
            )

    @property
    def num_parts(self) -> int:
        """How many parts there are."""
        return len(self.parts)

    @property
    def num_periods(self) -> int:
        """How many periods there are."""
        return len(self.periods)

    def until(self, origin: int) -> DemandPanel:
        """Return what was known when `origin` periods had passed.

        Parts of which nothing was known yet are left out.
        """
        demand = self.demand[:, :origin]
        kept = np.flatnonzero(~np.isnan(demand).all(axis=1))
        return self._rows(kept, demand)

    def take(self, rows: NDArray[np.int64]) -> DemandPanel:
        """Return the panel of some of the parts."""
        return self._rows(rows, self.demand)

    def _rows(self, rows: NDArray[np.int64], demand: NDArray[np.float64]) -> DemandPanel:
        return DemandPanel(
            parts=tuple(self.parts[i] for i in rows),
            periods=self.periods[: demand.shape[1]],
            demand=demand[rows],
            price=None if self.price is None else self.price[rows],
        )


def _check_names(what: str, names: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name!r} is there twice; each must have a name of its own.")
        seen.add(name)


def _checked_prices(parts: tuple[str, ...], price: NDArray[np.float64]) -> NDArray[np.float64]:
    price = np.array(price, dtype=np.float64)
    if price.shape != (len(parts),):
        raise ValueError(f"price must have one value a part, {len(parts)}; got {price.shape}.")
    for row in np.flatnonzero(~((price >= 0.0) & np.isfinite(price)))[:1]:
        raise ValueError(
            f"part {parts[row]!r}: the price must be finite and >= 0; got {price[row]:g}."
        )
    price.setflags(write=False)
    return price
