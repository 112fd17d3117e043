"""A twin at work: reviews, failures and disruptions of one replication, on SimPy."""

from __future__ import annotations

from typing import Any

from sparing.simulate.twin import Twin
from sparing.simulate.twin_hazard import Candidates, Surroundings, candidates, surroundings
from sparing.simulate.twin_ledger import Ledger
from sparing.simulate.twin_records import failure_records
from sparing.simulate.twin_rules import OrderRule, Review
from sparing.simulate.twin_start import stores_of, true_rates
from sparing.simulate.twin_store import Store
from sparing.simulate.twin_streams import FAILURES, WEATHER, Streams
from sparing.simulate.twin_supply import Supply
from sparing.simulate.twin_workshop import Process, Workshop


def check_simpy() -> None:
    """Raise unless SimPy can be imported.

    Raises
    ------
    ImportError
        Saying how to install it.
    """
    try:
        import simpy  # noqa: F401
    except ImportError:
        raise ImportError("the twin needs SimPy: pip install 'sparing[twin]'.") from None


class Fleet:
    """One replication: build it, `run` it once, read its `ledger`."""

    def __init__(self, twin: Twin, rule: OrderRule, *, seed: int, replication: int) -> None:
        import simpy

        self.twin, self.rule = twin, rule
        self.env = simpy.Environment()
        self.streams = Streams(seed, replication)
        self.num_events = 0
        self.rates = true_rates(twin, self.streams)
        numbers = range(len(twin.network.parts))
        self.stores = [stores_of(twin, rule, number, self.streams) for number in numbers]
        self.by_name = {x.name: i for i, x in enumerate(twin.network.locations)}
        self.around: dict[str, Surroundings] = {
            site: surroundings(twin, site, self.streams.of(WEATHER, 0, self.by_name[site]))
            for site in twin.sites
        }
        self.ledger = Ledger(twin, self.stores, self.around, self.rates)
        self.workshop = Workshop(twin, self.env, self.by_name, self.streams)
        self.supply = Supply(
            twin, self.env, self.stores, self.ledger, self.streams, self.workshop.put_in
        )

    def run(self) -> Ledger:
        """Run to the end of the horizon, and return what was paid and seen."""
        self._start_disruptions()
        for store in self._all():
            if store.location.outstanding is not None and self.twin.initial_stock == "case":
                self.supply.take_up_order(store)
            if store.units is not None:
                self._start_failures(store)
        self.env.process(self._reviews())
        until = self.twin.hours * (1.0 + 1e-12)
        while self.env.peek() <= until:
            self.env.step()
            self.num_events += 1
        return self.ledger

    def _all(self) -> list[Store]:
        return [store for stores in self.stores for store in stores]

    # -- what happens at reviews

    def _reviews(self) -> Process:
        hours = self.twin.period_hours
        for period in range(self.twin.network.periods):
            self.ledger.open_period(period)
            self._order(period)
            if self.twin.clock == "review":
                self.supply.arrivals(period)
            yield self.env.timeout((period + 1) * hours - self.env.now)
            for store in self._all():
                store.settle(self.env.now)
            self.ledger.close_period(period)

    def _order(self, period: int) -> None:
        for number, stores in enumerate(self.stores):
            wanted = self.rule.orders(self._seen(number, period))
            for name in wanted:
                if name not in self.by_name:
                    known = ", ".join(self.by_name)
                    raise ValueError(f"the rule orders at {name!r}; known: {known}.")
            room = [store.location.capacity - store.on_hand for store in stores]
            for index in self.twin.network.parts[number].top_down:
                quantity = int(wanted.get(stores[index].location.name, 0))
                self.supply.order_at_review(stores[index], quantity, room[index], period)

    def _seen(self, number: int, period: int) -> Review:
        stores = self.stores[number]
        under_way = [store.on_order for store in stores]
        return Review(
            period=period,
            part=self.twin.network.parts[number].name,
            part_index=number,
            locations=tuple(self.by_name),
            net=tuple(store.net for store in stores),
            position=tuple(store.position for store in stores),
            available=tuple(0 if store.closed else store.on_hand for store in stores),
            ordered=tuple(under_way),
            age=tuple(
                period - store.placed if amount else 0
                for store, amount in zip(stores, under_way, strict=True)
            ),
            age_bins=tuple(store.age_bin for store in stores),
            failures=self.ledger.belief_failures[number],
            exposure=self.ledger.belief_exposure[number],
            seen_failures=int(self.ledger.failures[number].sum()),
            seen_exposure=float(self.ledger.exposure[number].sum()),
            records=lambda: failure_records(self.ledger, period),
        )

    # -- failures

    def _start_failures(self, store: Store) -> None:
        drawn = candidates(
            self.twin,
            store.location,
            self.around[store.location.name],
            self.rates[store.part_index],
            self.streams.of(FAILURES, store.part_index, store.index),
        )
        if drawn.hours:
            self.env.process(self._failures(store, drawn))

    def _failures(self, store: Store, drawn: Candidates) -> Process:
        env = self.env
        for hour, unit, chance in zip(drawn.hours, drawn.units, drawn.chances, strict=True):
            yield env.timeout(hour - env.now)
            if chance * drawn.bound < self._share(store, unit):
                self._fail(store, unit)

    def _share(self, store: Store, unit: int) -> float:
        """Return the factor of age on the hazard of a unit; 0 while it cannot fail."""
        assert store.units is not None
        if not (store.units.up[unit] or self.twin.down_units_fail):
            return 0.0
        if self.twin.clock == "review" and store.failures >= store.part.truncate:
            return 0.0
        if self.twin.ageing is not None:
            return self.twin.ageing.factor(self.env.now - store.units.installed[unit])
        age = store.location.age
        return 1.0 if age is None else float(age.multiplier[store.age_bin])

    def _fail(self, store: Store, unit: int) -> None:
        assert store.units is not None
        store.settle(self.env.now)
        store.failures += 1
        store.units.up[unit] = False
        self.ledger.failed(self.env.now, store, unit)
        if store.on_hand > 0:
            self.supply.change_hand(store, -1)
            self.workshop.put_in(store, unit)
        else:
            store.unfilled += 1
            if len(store.waiting) >= store.location.backorders:
                store.emergencies += 1  # what came from elsewhere is not ordered again
                self.workshop.put_in(store, unit)
                return
            store.waiting.append(unit)
            self.ledger.trace(self.env.now, store)
        self.supply.replace_used(store, 1)

    # -- disruptions

    def _start_disruptions(self) -> None:
        for disruption in self.twin.disruptions:
            if disruption.kind == "closed":
                self.env.process(self._closing(disruption))

    def _closing(self, closing: Any) -> Process:
        if closing.first_hour > 0.0:
            yield self.env.timeout(closing.first_hour)
        concerned = [s for s in self._all() if closing.concerns(s.location.name)]
        for store in concerned:
            store.closed = True
            if closing.stock_lost and store.on_hand:
                self.supply.change_hand(store, -store.on_hand)
        yield self.env.timeout(closing.last_hour - self.env.now)
        for store in concerned:
            store.closed = False
            self.supply.serve(store)
