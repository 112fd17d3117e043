"""What choices of the belief plan by location are worth, for learners that start from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.location_plan import LocationPlanner

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, eq=False)
class LocationSamples:
    """States of locations of one part, with the exact values of their choices there.

    Attributes
    ----------
    location, period, stock, failures, ordered, age
        Shape (samples,): file position, review, net stock, failures so far, order under way
        (0: none) and the reviews since.
    values
        Shape (samples, choices): cost to go to the end of the plan, of ordering nothing and then
        of each of the location's `quantities`; inf where it does not fit or an order is under way.
    quantities
        By location what it compares.
    """

    location: Integers
    period: Integers
    stock: Integers
    failures: Integers
    ordered: Integers
    age: Integers
    values: Floats
    quantities: Mapping[int, tuple[int, ...]]


def sample_values(
    planner: LocationPlanner,
    *,
    site_price: float,
    warehouse_price: Mapping[int, float],
    per_period: int,
    generator: np.random.Generator,
) -> LocationSamples:
    """Return random states of all locations and periods with the exact values of their choices.

    Low stocks are likelier than high ones (the square of a uniform share), failures are those of a
    rate drawn from the prior, and two of five have an order under way. Locations with equal
    problems share what was solved, not the states.
    """
    part, solved = planner.part, dict[object, list[int]]()
    for i in range(len(part.locations)):
        price = planner.downtime_price(i, site_price, warehouse_price)
        solved.setdefault(planner.same(i, price), []).append(i)
    rows: dict[str, list[NDArray[np.generic]]] = {}
    quantities: dict[int, tuple[int, ...]] = {}
    for equal in solved.values():
        price = planner.downtime_price(equal[0], site_price, warehouse_price)
        sampler = _Sampler(planner, equal, per_period, generator)
        owed, orders = planner.values(equal[0], price, sampler)
        sampler.finish(owed, orders, rows)
        quantities |= dict.fromkeys(equal, orders)
    width = 1 + max(len(orders) for orders in quantities.values())
    padded = [
        np.pad(values, ((0, 0), (0, width - values.shape[1])), constant_values=np.inf)
        for values in rows.pop("values")
    ]
    columns = {name: np.concatenate(values).astype(np.int32) for name, values in rows.items()}
    return LocationSamples(values=np.concatenate(padded), quantities=quantities, **columns)


class _Sampler:
    """Notes values of random states while a location is solved."""

    def __init__(
        self,
        planner: LocationPlanner,
        equal: list[int],
        per_period: int,
        generator: np.random.Generator,
    ) -> None:
        self.planner, self.equal, self.count = planner, equal, per_period * len(equal)
        self.generator = generator
        self.last = planner.problem.periods  # the review at the horizon's end is met as well
        self.found: list[tuple[int, Floats, Floats]] = []

    def __call__(self, period: int, behind: Floats, at: Floats) -> None:
        if period <= min(self.last, self.planner.periods - 1):
            self.found.append((period, *self._noted(period, behind, at)))

    def _noted(self, period: int, behind: Floats, at: Floats) -> tuple[Floats, Floats]:
        location, rng = self.planner.part.locations[self.equal[0]], self.generator
        orders, ages = self._orders(), len(location.arrival)
        low = at.shape[1] - 1 - location.capacity
        first = 0 if location.is_site else low  # in the twin a warehouse owes nothing
        shelf = (at.shape[1] - first) * rng.random(self.count) ** 2
        stock = first + np.floor(shelf).astype(np.int64)
        failures = self._failures(period, at.shape[2])
        on_hand = np.maximum(stock - low, 0)
        k = rng.integers(0, max(len(orders), 1), self.count)
        age = rng.integers(1, max(ages, 2), self.count)
        under_way = (rng.random(self.count) < 0.4) & (ages > 1) & bool(orders)
        quantity = np.array([*orders, 0])[k]
        under_way &= on_hand + quantity <= location.capacity
        values = np.full((self.count, 1 + len(orders)), np.inf)
        row = np.where(under_way, 1 + k * (ages - 1) + age - 1, 0)
        # at an order's ages its value at the review is that of doing nothing
        values[:, 0] = np.where(
            under_way, at[np.minimum(row, len(at) - 1), stock, failures], behind[0, stock, failures]
        )
        arrives = location.arrival[0]
        for j, units in enumerate(orders):
            there = behind[0, np.minimum(stock + units, at.shape[1] - 1), failures]
            waits = behind[1 + j * (ages - 1), stock, failures] if ages > 1 else 0.0
            cost = arrives * there + (1.0 - arrives) * waits
            cost = cost + location.order_fixed + location.order_unit * units
            fits = ~under_way & (on_hand + units <= location.capacity)
            values[fits, 1 + j] = cost[fits]
        state = np.stack(
            [
                np.resize(self.equal, self.count),
                np.full(self.count, period),
                stock - low,
                failures,
                np.where(under_way, quantity, 0),
                np.where(under_way, age, 0),
            ],
            axis=1,
        )
        return state.astype(np.float64), values

    def _orders(self) -> tuple[int, ...]:
        from sparing.evaluate.location_plan import compared

        return compared(self.planner.part.locations[self.equal[0]].largest_order)

    def _failures(self, period: int, most: int) -> NDArray[np.int64]:
        part = self.planner.part
        rate = self.generator.gamma(part.prior.shape, 1.0 / part.prior.rate, self.count)
        seen = self.planner.exposure[:period].sum()
        return np.asarray(np.minimum(self.generator.poisson(rate * seen), most - 1), np.int64)

    def finish(
        self, owed: int, orders: tuple[int, ...], rows: dict[str, list[NDArray[np.generic]]]
    ) -> None:
        """Add what was noted to `rows`."""
        states = np.concatenate([state for _, state, _ in self.found])
        names = ("location", "period", "stock", "failures", "ordered", "age")
        for column, name in enumerate(names):
            rows.setdefault(name, []).append(states[:, column])
        rows.setdefault("values", []).append(np.concatenate([v for _, _, v in self.found]))
