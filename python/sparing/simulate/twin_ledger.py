"""What a replication of a twin costs and shows, period by period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sparing.simulate.twin import Twin
from sparing.simulate.twin_hazard import Surroundings
from sparing.simulate.twin_store import Store

COSTS = ("order", "holding", "downtime", "emergency")


class Ledger:
    """Costs, service and records of one replication.

    Attributes
    ----------
    costs
        Shape (kinds, periods): of `COSTS`, discounted; 0 in the warm-up.
    stock
        Shape (periods + 1, locations): on hand less failures that wait, all parts together, at
        the reviews and at the end.
    failures, exposure
        Shape (parts, locations, periods): failures, and exposure in service.
    belief_failures, belief_exposure
        Per part what a belief of the exact model has seen: counts up to `truncate` of each site
        and period, and the exposure that the case states.
    path
        Of the traced replication: hour, location and its stock after each change.
    damages
        Of the same: hour, store, unit, and the hour at which it had been put in.
    """

    def __init__(
        self,
        twin: Twin,
        stores: Sequence[Sequence[Store]],
        around: Mapping[str, Surroundings],
        rates: Sequence[float],
    ) -> None:
        periods, locations = twin.network.periods, len(twin.network.locations)
        self.twin, self.stores, self.around, self.rates = twin, stores, around, rates
        self.period, self.weight, self.counts = 0, 1.0, True
        self.costs = np.zeros((len(COSTS), periods))
        self.stock = np.zeros((periods + 1, locations))
        self.failures = np.zeros((len(stores), locations, periods), dtype=np.int64)
        self.exposure = np.zeros((len(stores), locations, periods))
        self.belief_failures = [0] * len(stores)
        self.belief_exposure = [0.0] * len(stores)
        self.num_orders = self.num_failures = self.num_unfilled = 0
        self.short_hours = self.down_hours = self.backlog_hours = 0.0
        self.path: list[tuple[float, int, int]] | None = None
        self.damages: list[tuple[float, Store, int, float]] | None = None
        self.exposures = [
            [store.location.exposures(periods) for store in of_part] for of_part in stores
        ]

    def open_period(self, period: int) -> None:
        """Begin a period: its number, and the weight of its costs."""
        self.period = period
        since = period - self.twin.warm_up
        self.counts = since >= 0
        self.weight = self.twin.network.discount**since if self.counts else 0.0
        self._note_stock(period)

    def paid_order(self, store: Store, quantity: int) -> None:
        """Pay for an order."""
        location = store.location
        self.num_orders += self.counts
        price = location.order_fixed + location.order_unit * quantity
        self.costs[0, self.period] += self.weight * price

    def failed(self, hour: float, store: Store, unit: int) -> None:
        """Note which unit failed, where damages are asked for."""
        if self.damages is not None and store.units is not None:
            self.damages.append((hour, store, unit, store.units.installed[unit]))

    def trace(self, hour: float, store: Store) -> None:
        """Note a change of stock, where a path is asked for."""
        if self.path is not None:
            net = sum(of_part[store.index].net for of_part in self.stores)
            self.path.append((hour, store.index, net))

    def close_period(self, period: int) -> None:
        """Pay for a period and learn from it; every store is settled at its end."""
        for number, of_part in enumerate(self.stores):
            for store in of_part:
                self._pay(store, period)
                if store.units is not None:
                    self._learn(number, store, period)
                store.clear()
        if period + 1 == self.twin.network.periods:
            self._note_stock(period + 1)

    def _pay(self, store: Store, period: int) -> None:
        location, hours = store.location, self.twin.period_hours
        if self.twin.clock == "review":  # on the stock at the period's end
            short = len(store.waiting)
            store.hand_hours = hours * store.on_hand
            store.short_hours = store.down_hours = hours * short
            store.backlog_hours = hours if short else 0.0
        paid = (
            location.holding_cost * store.hand_hours / hours,
            location.downtime_cost * store.down_hours / hours,
            (location.emergency_cost or 0.0) * store.emergencies,
        )
        if not self.counts:
            return
        self.costs[1:, period] += self.weight * np.array(paid)
        self.short_hours += store.short_hours
        self.down_hours += store.down_hours
        self.backlog_hours += store.backlog_hours
        self.num_failures += store.failures
        self.num_unfilled += store.unfilled

    def _learn(self, number: int, store: Store, period: int) -> None:
        assert store.units is not None
        stated = float(self.exposures[number][store.index][period])
        age = store.location.age
        if age is not None and self.twin.ageing is None:
            stated *= age.multiplier[store.age_bin]
            last = len(age.multiplier) - 1
            store.age_bin = 0 if store.failures else min(store.age_bin + 1, last)
        share = 1.0
        if not self.twin.down_units_fail:
            share -= store.down_hours / (len(store.units.up) * self.twin.period_hours)
        self.failures[number, store.index, period] = store.failures
        self.exposure[number, store.index, period] = stated * max(share, 0.0)
        self.belief_failures[number] += min(store.failures, store.part.truncate)
        self.belief_exposure[number] += stated

    def _note_stock(self, row: int) -> None:
        for of_part in self.stores:
            for store in of_part:
                self.stock[row, store.index] += store.net
