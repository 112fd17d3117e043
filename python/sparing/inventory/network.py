"""Networks of stocks with one-for-one replenishment: the problem of METRIC and its kin."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import frozen_array, read_only

EXTERNAL = -1
TAIL = 1e-14  # probability of more units outstanding than are kept, and a fifth more are kept
LEVEL_TAIL = 1e-7  # of more units outstanding than the highest base stock that is looked at


@dataclass(frozen=True, kw_only=True, eq=False)
class BaseStockNetwork:
    """A tree of locations that replace each unit used, for P kinds of parts.

    Units fail at the sites (the locations that supply nobody) as a Poisson process. A failed unit
    is replaced from the site's stock, or waits; a part of the failures is repaired on site, for the
    others a unit is ordered from the supplier at once, which ships in the order of arrival.

    Parameters
    ----------
    locations
        Names.
    supplier
        Shape (L,): the supplier of each location, which stands before it, or -1 for an outside
        source that never runs short.
    demand_rate
        Shape (P, L) or (L,): failures per unit of time; 0 at all locations but the sites.
    lead_time
        Shape (P, L) or (L,): time from the supplier's shipment to arrival, and below -1 from the
        order (a repair or a purchase). Constant below a location; below -1 the mean of any
        distribution, as of independent lead times only the mean counts (Palm 1938).
    local_repair_share, local_repair_time
        Shape (P, L) or (L,): share of failures repaired on site, and the mean time this takes.
    unit_cost
        Shape (P,): money per unit of stock.
    weight
        Shape (P, L) or (L,): weight of a site's backorders in what is minimised.
    installed
        Shape (P, L) or (L,): units in operation at each site; needed for the availability alone.
    parts
        Names; part 1, part 2, ... if empty.
    """

    locations: tuple[str, ...]
    supplier: NDArray[np.int32]
    demand_rate: NDArray[np.float64]
    lead_time: NDArray[np.float64]
    local_repair_share: Any = 0.0
    local_repair_time: Any = 0.0
    unit_cost: Any = 1.0
    weight: Any = 1.0
    installed: Any = None
    parts: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        num = len(self.locations)
        set_field = object.__setattr__
        set_field(self, "locations", tuple(str(name) for name in self.locations))
        set_field(self, "supplier", _suppliers(self.supplier, self.locations))
        rates = np.atleast_2d(frozen_array("demand_rate", self.demand_rate))
        if rates.ndim != 2 or rates.shape[1] != num or not rates.size:
            raise ValueError(f"demand_rate must have shape (parts, {num}); got {rates.shape}.")
        shape = rates.shape
        for name in ("demand_rate", "lead_time", "local_repair_share", "local_repair_time"):
            set_field(self, name, self._matrix(name, getattr(self, name), shape))
        set_field(self, "weight", self._matrix("weight", self.weight, shape))
        if self.installed is not None:
            set_field(self, "installed", self._matrix("installed", self.installed, shape))
        costs = np.broadcast_to(frozen_array("unit_cost", self.unit_cost), shape[:1])
        if not np.all(costs > 0.0):
            raise ValueError(f"unit_cost must be > 0; got {costs[~(costs > 0.0)][0]:g}.")
        set_field(self, "unit_cost", read_only(np.array(costs)))
        names = self.parts or tuple(f"part {k + 1}" for k in range(shape[0]))
        if len(names) != shape[0]:
            raise ValueError(f"parts must name {shape[0]} parts; got {len(names)}.")
        set_field(self, "parts", tuple(names))
        self._check_values()

    @property
    def num_parts(self) -> int:
        """P, the number of kinds of parts."""
        return len(self.demand_rate)

    @property
    def num_locations(self) -> int:
        """L, the number of locations."""
        return len(self.locations)

    @cached_property
    def is_site(self) -> NDArray[np.bool_]:
        """Shape (L,): whether a location supplies nobody."""
        found = np.ones(self.num_locations, dtype=bool)
        found[self.supplier[self.supplier >= 0]] = False
        return found

    @cached_property
    def order_rate(self) -> NDArray[np.float64]:
        """Shape (P, L): orders that each location places, per unit of time."""
        rate = self.demand_rate * (1.0 - self.local_repair_share)
        for location in range(self.num_locations - 1, -1, -1):
            above = self.supplier[location]
            if above >= 0:
                rate[:, above] += rate[:, location]
        return read_only(rate)

    @cached_property
    def own_pipeline(self) -> NDArray[np.float64]:
        """Shape (P, L): mean units outstanding while the supplier has stock."""
        on_site = self.demand_rate * self.local_repair_share * self.local_repair_time
        return read_only(self.order_rate * self.lead_time + on_site)

    @cached_property
    def share(self) -> NDArray[np.float64]:
        """Shape (P, L): share of its supplier's orders that come from each location."""
        found = np.zeros_like(self.order_rate)
        inner = self.supplier >= 0
        total = self.order_rate[:, self.supplier[inner]]
        found[:, inner] = self.order_rate[:, inner] / np.where(total > 0.0, total, 1.0)
        return read_only(np.minimum(found, 1.0))

    @cached_property
    def longest_pipeline(self) -> NDArray[np.float64]:
        """Shape (P, L): mean units outstanding where nothing is kept above a location."""
        total = self.own_pipeline.copy()
        for location, above in enumerate(self.supplier):
            if above >= 0:
                total[:, location] += self.share[:, location] * total[:, above]
        return total

    @cached_property
    def max_level(self) -> NDArray[np.int32]:
        """Shape (P, L): highest base stock worth looking at; beyond it 1e-7 of time is short."""
        return _quantile(self.longest_pipeline, LEVEL_TAIL)

    def only(self, chosen: NDArray[np.bool_]) -> BaseStockNetwork:
        """Return the network of the parts that are `chosen` [P]."""
        names = ("demand_rate", "lead_time", "local_repair_share", "local_repair_time", "weight")
        fields = {name: getattr(self, name)[chosen] for name in (*names, "unit_cost")}
        if self.installed is not None:
            fields["installed"] = self.installed[chosen]
        parts = tuple(np.array(self.parts, dtype=object)[chosen])
        return replace(self, parts=parts, **fields)

    def lengths(self, heavy_tails: bool) -> NDArray[np.int32]:
        """Return the number [P, L] of units outstanding to keep probabilities of."""
        found = 1.2 * _quantile(self.longest_pipeline, TAIL) + 5.0
        return np.asarray(2.0 * found if heavy_tails else found, dtype=np.int32)

    def _matrix(self, name: str, given: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
        array = frozen_array(name, given)
        try:
            return read_only(np.array(np.broadcast_to(array, shape)))
        except ValueError:
            raise ValueError(
                f"{name} must have shape {shape} or {shape[1:]}; got {array.shape}."
            ) from None

    def _check_values(self) -> None:
        for name in ("demand_rate", "lead_time", "local_repair_share", "local_repair_time"):
            self._check_each(name, getattr(self, name), 0.0, np.inf)
        self._check_each("local_repair_share", self.local_repair_share, 0.0, 1.0)
        self._check_each("weight", self.weight, 0.0, np.inf)
        if self.installed is not None:
            self._check_each("installed", self.installed, 0.0, np.inf)
        wrong = (self.demand_rate > 0.0) & ~self.is_site
        for part, location in np.argwhere(wrong)[:1]:
            raise ValueError(
                f"demand_rate[{part}, {location}]: {self.locations[location]!r} supplies others,"
                f" so no unit fails there; got {self.demand_rate[part, location]:g}. Add a site"
                " below it."
            )

    def _check_each(
        self, name: str, values: NDArray[np.float64], least: float, most: float
    ) -> None:
        wrong = ~((values >= least) & (values <= most) & np.isfinite(values))
        for part, location in np.argwhere(wrong)[:1]:
            rule = (
                f"at least {least:g} and finite" if most == np.inf else f"in [{least:g}, {most:g}]"
            )
            raise ValueError(
                f"{name} of {self.parts[part]!r} at {self.locations[location]!r} must be {rule};"
                f" got {values[part, location]:g}."
            )


def _suppliers(given: ArrayLike, locations: tuple[str, ...]) -> NDArray[np.int32]:
    if not locations or len(set(locations)) != len(locations):
        raise ValueError(f"locations must be different names; got {list(locations)}.")
    supplier = frozen_array("supplier", given, np.int32, shape=(len(locations),))
    for location, above in enumerate(supplier):
        if not EXTERNAL <= above < location:
            raise ValueError(
                f"supplier[{location}] must be -1 or a location before {location}, as a supplier"
                f" stands before those it supplies; got {above}."
            )
    return supplier


def _quantile(mean: NDArray[np.float64], tail: float) -> NDArray[np.int32]:
    from scipy.stats import poisson

    found = poisson.isf(tail, np.maximum(mean, 1e-300))
    return np.where(mean > 0.0, np.maximum(found, 0.0), 0.0).astype(np.int32)
