"""A spares network taken apart by location: each plans alone, with the shared belief as a state.

The exact plan of a large tree does not fit, as its state is all stocks at once. Here a location
sees its own stock, its order under way and all failures so far, which drive the belief; orders from
below are taken for the failures below, and what a warehouse cannot ship costs it a price that is
searched for. The plan of a single site below an outside supplier is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.models.location_orders import LocationOrders
from sparing.models.network_location import Location
from sparing.models.spares_network import Part, SparesNetwork

TAIL = 1e-3  # of failures up to the end of the horizon, beyond the belief states that are kept
WAITING = 4  # units that a warehouse may owe in its own problem
Told: TypeAlias = Callable[[int, NDArray[np.float64], NDArray[np.float64]], None]


@dataclass(frozen=True, kw_only=True)
class _Alone:
    """What one location's problem is made of."""

    capacity: int
    backorders: int
    orders: tuple[int, ...]  # quantities that are compared
    fixed: float
    unit: float
    holding: float
    downtime: float
    emergency: float
    arrival: tuple[float, ...]  # chance of arrival by age, if not arrived before
    share: float  # of all exposure that is at or below this location


class LocationPlanner:
    """Plans of the locations of one part; equal ones are solved once.

    Parameters
    ----------
    beyond
        Periods that plans look past the end of the horizon, so that no stock is run down at it.
    """

    def __init__(
        self, problem: SparesNetwork, part: Part, *, beyond: int = 0, num_threads: int = 1
    ) -> None:
        if any(site.age is not None for site in part.sites):
            raise ValueError(f"part {part.name!r}: plans by location know no ages of units.")
        self.problem, self.part, self.num_threads = problem, part, num_threads
        self.periods = problem.periods + beyond
        self.exposure = self._exposures()
        self._law = failure_law(part, self.exposure)
        self._solved: dict[_Alone, NDArray[np.int32]] = {}

    @property
    def num_beliefs(self) -> int:
        """Counts of failures so far that are told apart."""
        return int(self._law.shape[1])

    def orders(self, *, site_price: float, warehouse_price: dict[int, float]) -> LocationOrders:
        """Return the orders of all locations.

        Parameters
        ----------
        site_price
            Multiplies the downtime cost of the sites.
        warehouse_price
            By depth in the tree (0: below the outside supplier), price per period of a unit that a
            warehouse owes, as a multiple of the mean downtime cost of the sites below it.
        """
        part, own = self.part, self.problem.periods
        stocks = max(x.capacity + x.backorders for x in part.locations) + 1
        quantity = np.zeros((own, self.num_beliefs, len(part.locations), stocks), dtype=np.int32)
        for i, location in enumerate(part.locations):
            alone = self._alone(i, self.downtime_price(i, site_price, warehouse_price))
            table = self._plan(alone)[:own]  # [periods, stocks, beliefs]
            table = table[:, alone.backorders - location.backorders :]  # a warehouse owes nothing
            quantity[:, :, i, : table.shape[1]] = table.swapaxes(1, 2)
            quantity[:, :, i, table.shape[1] :] = table[:, -1, :, None]
        return LocationOrders(quantity=quantity)

    def downtime_price(
        self, i: int, site_price: float, warehouse_price: Mapping[int, float]
    ) -> float:
        """Return what location `i` pays per period for a unit that it owes."""
        location = self.part.locations[i]
        if location.is_site:
            return site_price * location.downtime_cost
        below = [self.part.locations[k].downtime_cost for k in self._sites_below(i)]
        return warehouse_price[self._depth(i)] * float(np.mean(below))

    def values(self, i: int, downtime: float, told: Told) -> tuple[int, tuple[int, ...]]:
        """Solve location `i` alone once more and tell the values; see `_solve_alone`.

        Return the units that it may owe in its own problem, and the quantities that it compares:
        rows of the values are nothing outstanding, then by quantity the ages 1 to the last but one.
        """
        alone = self._alone(i, downtime)
        _solve_alone(alone, self._law, self.problem.discount, self.num_threads, told)
        return alone.backorders, alone.orders

    def same(self, i: int, downtime: float) -> object:
        """Return what is equal of two locations whose problems are."""
        return self._alone(i, downtime)

    def _plan(self, alone: _Alone) -> NDArray[np.int32]:
        if alone not in self._solved:
            self._solved[alone] = _solve_alone(
                alone, self._law, self.problem.discount, self.num_threads
            )
        return self._solved[alone]

    def _alone(self, i: int, downtime: float) -> _Alone:
        location: Location = self.part.locations[i]
        sites = [self.part.names[k] for k in self._sites_below(i)]
        share = sum(
            float(site.exposures(self.problem.periods).mean())
            for site in self.part.sites
            if site.name in sites
        ) / float(self.exposure.mean())
        return _Alone(
            capacity=location.capacity,
            backorders=location.backorders if location.is_site else WAITING,
            orders=compared(location.largest_order),
            fixed=location.order_fixed,
            unit=location.order_unit,
            holding=location.holding_cost,
            downtime=downtime,
            emergency=(location.emergency_cost or 0.0) if location.is_site else downtime,
            arrival=tuple(float(h) for h in location.arrival),
            share=min(round(share, 9), 1.0),
        )

    def _sites_below(self, i: int) -> list[int]:
        found = []
        for k, location in enumerate(self.part.locations):
            above = k
            while above not in (i, -1):
                above = self.part.suppliers[above]
            if above == i and location.is_site:
                found.append(k)
        return found

    def _depth(self, i: int) -> int:
        depth = 0
        while self.part.suppliers[i] >= 0:
            i, depth = self.part.suppliers[i], depth + 1
        return depth

    def _exposures(self) -> NDArray[np.float64]:
        """All exposure [periods]; beyond the horizon it stays what it was last."""
        total = np.sum([s.exposures(self.problem.periods) for s in self.part.sites], axis=0)
        more = self.periods - total.size
        return np.concatenate([total, np.full(more, total[-1])])


def compared(largest: int) -> tuple[int, ...]:
    """Quantities to compare: all up to 6, then in steps that grow by a quarter."""
    found = list(range(1, min(largest, 6) + 1))
    while found and found[-1] < largest:
        found.append(min(max(found[-1] + 1, int(1.25 * found[-1])), largest))
    return tuple(found)


def failure_law(
    part: Part, exposure: NDArray[np.float64], tail: float = TAIL
) -> NDArray[np.float64]:
    """Return P(failures of all sites in a period | period, failures so far) [T, N, D].

    Counts that are less likely than `tail` to be exceeded are the last ones.
    """
    from scipy.stats import nbinom

    shape, rate = part.prior.shape, part.prior.rate
    whole = float(exposure.sum())
    most = int(nbinom.isf(tail, shape, rate / (rate + whole))) + 1
    before = rate + np.concatenate([[0.0], np.cumsum(exposure)[:-1]])
    peak = float(exposure.max())
    last = 1 + int(nbinom.isf(tail, shape, rate / (rate + peak)))
    seen = np.arange(most + 1)[:, None]
    counts = np.arange(last + 1)
    law = np.empty((exposure.size, most + 1, last + 1))
    for period, so_far in enumerate(before):
        chance = so_far / (so_far + exposure[period])
        law[period] = nbinom.pmf(counts, shape + seen, chance)
        law[period, :, -1] += np.maximum(1.0 - law[period].sum(axis=1), 0.0)
    return law


def _solve_alone(
    alone: _Alone,
    law: NDArray[np.float64],
    discount: float,
    num_threads: int,
    told: Told | None = None,
) -> NDArray[np.int32]:
    """Return the quantity [T, stocks, N] to order where nothing is outstanding.

    `told` is called with each period and the values [rows, stocks, N] behind and at its review.
    """
    periods, beliefs, _ = law.shape
    stocks = alone.capacity + alone.backorders + 1
    stock = np.arange(stocks) - alone.backorders
    paid = alone.holding * np.maximum(stock, 0.0) + alone.downtime * np.maximum(-stock, 0.0)
    split = thinned(law.shape[2] - 1, alone.share).T[:, :, None]  # [own, all, 1]
    # Value at a review: row 0 nothing outstanding, then by quantity and age 1 to the last but one.
    rows = 1 + len(alone.orders) * (len(alone.arrival) - 1)
    value = np.zeros((rows, stocks, beliefs))
    after = np.empty_like(value)
    policy = np.zeros((periods, stocks, beliefs), dtype=np.int32)
    for period in range(periods - 1, -1, -1):
        _core.expect_failures(
            chance=np.ascontiguousarray(split * law[period].T),
            value=discount * value,
            paid=paid,
            emergency=alone.emergency,
            result=after,
            num_threads=num_threads,
        )
        value, policy[period] = _review(alone, after)
        if told is not None:
            told(period, after, value)
    return policy


def _review(
    alone: _Alone, after: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the value before arrivals and decisions, and the best quantity [stocks, N]."""
    arrival = np.array(alone.arrival)[:, None, None]
    ages, stocks = len(alone.arrival), after.shape[1]
    value = np.empty_like(after)
    best, chosen = after[0].copy(), np.zeros(after.shape[1:], dtype=np.int32)
    on_hand = np.maximum(np.arange(stocks) - alone.backorders, 0)
    for k, quantity in enumerate(alone.orders):
        own = slice(1 + k * (ages - 1), 1 + (k + 1) * (ages - 1))  # ages 1 to ages - 1
        arrived = after[0][np.minimum(np.arange(stocks) + quantity, stocks - 1)]
        value[own] = arrival[1:] * arrived
        value[own][:-1] += (1.0 - arrival[1:-1]) * after[own][1:]
        waits = after[own.start] if ages > 1 else 0.0
        cost = arrival[0] * arrived + (1.0 - arrival[0]) * waits
        cost = cost + alone.fixed + alone.unit * quantity
        cost[on_hand + quantity > alone.capacity] = np.inf
        better = cost < best
        best[better], chosen[better] = cost[better], quantity
    value[0] = best
    return value, chosen


def thinned(most: int, share: float) -> NDArray[np.float64]:
    """P(own failures | failures of all) [all, own]; the tail below 1e-7 is cut off."""
    from scipy.stats import binom

    totals = np.arange(most + 1)
    table = np.asarray(binom.pmf(totals, totals[:, None], share))
    keep = int(np.count_nonzero(table.max(axis=0) > 1e-7))
    table = table[:, :keep]
    table[:, -1] += np.maximum(1.0 - table.sum(axis=1), 0.0)
    return table
