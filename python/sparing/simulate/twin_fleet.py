"""A twin at work: the processes of one replication, on SimPy."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

import numpy as np

from sparing.models.spare import GammaLeadTime
from sparing.simulate.twin import Twin
from sparing.simulate.twin_hazard import Candidates, Surroundings, candidates, surroundings
from sparing.simulate.twin_ledger import Ledger
from sparing.simulate.twin_rules import OrderRule, Review
from sparing.simulate.twin_store import Request, Store, Units

Process: TypeAlias = Generator[Any, Any, None]
WEATHER, AGES, FAILURES, DELIVERIES, REPAIRS, RATES = range(6)  # streams of random numbers


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
    """One replication: build it, `run` it once, read its `ledger`.

    Random numbers come from streams of their own for (seed, replication, what, part, location), so
    that two rules meet the same rates, weather and candidate failures.
    """

    def __init__(self, twin: Twin, rule: OrderRule, *, seed: int, replication: int) -> None:
        import simpy

        self.twin, self.rule = twin, rule
        self.env = simpy.Environment()
        self.seed, self.replication = seed, replication
        self.num_events = 0
        self.rates = self._true_rates()
        self.stores = [self._stores(number) for number in range(len(twin.network.parts))]
        self.by_name = {x.name: i for i, x in enumerate(twin.network.locations)}
        self.around: dict[str, Surroundings] = {
            site: surroundings(twin, site, self._stream(WEATHER, 0, self.by_name[site]))
            for site in twin.sites
        }
        self.ledger = Ledger(twin, self.stores, self.around, self.rates)
        self.crews: dict[int, Any] = {}
        if twin.crew is not None:
            self.crews = {
                self.by_name[site]: simpy.Resource(self.env, twin.crew.size) for site in twin.sites
            }
        self._deliveries: dict[Store, np.random.Generator] = {}
        self._repairs = self._stream(REPAIRS, 0, 0)

    def run(self) -> Ledger:
        """Run to the end of the horizon, and return what was paid and seen."""
        self._start_disruptions()
        for store in self._all():
            if store.location.outstanding is not None:
                self._take_up_order(store)
            if store.units is not None:
                self._start_failures(store)
        self.env.process(self._reviews())
        until = self.twin.hours * (1.0 + 1e-12)
        while self.env.peek() <= until:
            self.env.step()
            self.num_events += 1
        return self.ledger

    # -- what happens at reviews

    def _reviews(self) -> Process:
        hours = self.twin.period_hours
        for period in range(self.twin.network.periods):
            self.ledger.open_period(period)
            self._order(period)
            if self.twin.clock == "review":
                self._arrivals(period)
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
                self._order_at_review(stores[index], quantity, room[index], period)

    def _order_at_review(self, store: Store, quantity: int, room: int, period: int) -> None:
        """Order what of `quantity` the rules of the twin leave."""
        if quantity <= 0:
            return
        if self.twin.orders == "single":
            if store.on_order > 0:
                return
            above = store.supplier
            if above is not None:
                quantity = min(quantity, 0 if above.closed else above.on_hand)
            quantity = min(quantity, store.location.largest_order)
        else:
            room -= store.on_order
        quantity = self._fitting(store, min(quantity, room))
        if quantity > 0:
            store.ordered, store.placed = quantity, period
            self._request(store, quantity)

    def _fitting(self, store: Store, quantity: int) -> int:
        """Return how much of `quantity` the storage of the location still holds."""
        limit = self.twin.storage.get(store.location.name)
        if limit is None or store.part.volume <= 0.0:
            return quantity
        here = [stores[store.index] for stores in self.stores]
        taken = sum(x.part.volume * (x.on_hand + x.on_order) for x in here)
        return min(quantity, max(int((limit - taken) / store.part.volume + 1e-9), 0))

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
        )

    def _arrivals(self, period: int) -> None:
        """Let arrive what is due in this period, of the review clock."""
        for store in self._all():
            arriving = sum(quantity for due, quantity in store.due if due <= period)
            store.due = [entry for entry in store.due if entry[0] > period]
            if arriving:
                self._receive(store, arriving)

    # -- orders and deliveries

    def _request(self, store: Store, quantity: int) -> None:
        store.on_order += quantity
        self.ledger.paid_order(store, quantity)
        above = store.supplier
        if above is None:
            self._ship(store, quantity)
            return
        above.requests.append(Request(below=store, missing=quantity))
        self._serve(above)
        self._replace_used(above, quantity)

    def _replace_used(self, store: Store, used: int) -> None:
        """Order what was `used`, where demand is ordered at once and the position allows it."""
        if store.base_stock is None:
            return
        quantity = self._fitting(store, min(used, store.base_stock - store.position))
        if quantity > 0:
            self._request(store, quantity)

    def _serve(self, store: Store) -> None:
        """Ship what stores below wait for, in turn, as far as the stock goes."""
        while store.requests and store.on_hand > 0 and not store.closed:
            request = store.requests[0]
            quantity = min(request.missing, store.on_hand)
            self._change_hand(store, -quantity)
            request.missing -= quantity
            if request.missing == 0:
                store.requests.popleft()
            self._ship(request.below, quantity)

    def _ship(self, store: Store, quantity: int) -> None:
        lead = store.location.lead_time
        periods = float(lead) if not isinstance(lead, GammaLeadTime) else self._drawn(store, lead)
        for delay in self.twin.disruptions:
            if delay.kind == "delay" and delay.lasts(self.env.now):
                periods *= delay.factor if delay.concerns(store.location.name) else 1.0
        if self.twin.clock == "review":
            store.due.append([self.ledger.period + self._whole(store, periods), quantity])
        else:
            self._after(periods * self.twin.period_hours, lambda: self._receive(store, quantity))

    def _whole(self, store: Store, periods: float) -> int:
        """Return the age at which an order arrives: the periods begun, at most the longest."""
        calm = not any(d.kind == "delay" for d in self.twin.disruptions)
        longest = len(store.location.arrival) - 1
        return min(int(periods), longest) if calm else int(periods)

    def _drawn(self, store: Store, lead: GammaLeadTime) -> float:
        if store not in self._deliveries:
            self._deliveries[store] = self._stream(DELIVERIES, store.part_index, store.index)
        return float(self._deliveries[store].gamma(lead.shape, lead.scale))

    def _take_up_order(self, store: Store) -> None:
        """Take up the order that is under way at the start; it has not arrived at its age."""
        order, lead = store.location.outstanding, store.location.lead_time
        assert order is not None
        store.on_order, store.ordered, store.placed = order.quantity, order.quantity, -order.age
        periods = float(lead) if not isinstance(lead, GammaLeadTime) else self._beyond(store, lead)
        if self.twin.clock == "review":
            store.due.append([self._whole(store, periods) - order.age, order.quantity])
            return
        left = max(periods - order.age, 0.0) * self.twin.period_hours
        self._after(left, lambda: self._receive(store, order.quantity))

    def _beyond(self, store: Store, lead: GammaLeadTime) -> float:
        """Draw a lead time that is longer than the age of the order under way."""
        from scipy.special import gammaincc, gammainccinv

        assert store.location.outstanding is not None
        left = float(gammaincc(lead.shape, store.location.outstanding.age / lead.scale))
        stream = self._stream(DELIVERIES, store.part_index, store.index)
        self._deliveries[store] = stream
        return float(gammainccinv(lead.shape, left * stream.random()) * lead.scale)

    def _receive(self, store: Store, quantity: int) -> None:
        store.on_order -= quantity
        self._change_hand(store, quantity)
        while store.waiting and store.on_hand > 0:
            self._change_hand(store, -1)
            self._put_in(store, store.waiting.popleft())
        self._serve(store)

    def _change_hand(self, store: Store, quantity: int) -> None:
        store.settle(self.env.now)
        store.on_hand += quantity
        self.ledger.trace(self.env.now, store)

    # -- failures and repairs

    def _start_failures(self, store: Store) -> None:
        drawn = candidates(
            self.twin,
            store.location,
            self.around[store.location.name],
            self.rates[store.part_index],
            self._stream(FAILURES, store.part_index, store.index),
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
            self._change_hand(store, -1)
            self._put_in(store, unit)
        else:
            store.unfilled += 1
            if len(store.waiting) >= store.location.backorders:
                store.emergencies += 1  # what came from elsewhere is not ordered again
                self._put_in(store, unit)
                return
            store.waiting.append(unit)
            self.ledger.trace(self.env.now, store)
        self._replace_used(store, 1)

    def _put_in(self, store: Store, unit: int | None) -> None:
        """Let the crew put a spare in; without one it is done at once."""
        if self.twin.crew is None:
            self._renew(store, unit)
            return
        store.in_repair += 1
        self.env.process(self._repair(store, unit))

    def _repair(self, store: Store, unit: int | None) -> Process:
        crew = self.twin.crew
        assert crew is not None
        with self.crews[store.index].request() as turn:
            yield turn
            yield self.env.timeout(self._repairs.gamma(crew.shape, crew.hours / crew.shape))
        store.settle(self.env.now)
        store.in_repair -= 1
        self._renew(store, unit)

    def _renew(self, store: Store, unit: int | None) -> None:
        if unit is not None and store.units is not None:
            store.units.installed[unit] = self.env.now
            store.units.up[unit] = True

    # -- the beginning

    def _stores(self, number: int) -> list[Store]:
        part = self.twin.network.parts[number]
        found: list[Store | None] = [None] * len(part.locations)
        for index in part.top_down:
            location, supplier = part.locations[index], part.suppliers[index]
            store = Store(
                part=part,
                location=location,
                part_index=number,
                index=index,
                supplier=None if supplier < 0 else found[supplier],
                on_hand=max(location.initial, 0),
                base_stock=self.rule.base_stock(part.name, location.name),
                age_bin=location.age.initial if location.age else 0,
            )
            if location.is_site:
                self._install(store)
            found[index] = store
        return [store for store in found if store is not None]

    def _install(self, store: Store) -> None:
        twin, location = self.twin, store.location
        count = twin.units_at(location.name, float(location.exposures(twin.network.periods).mean()))
        ages = np.zeros(count)
        if twin.ageing is not None:
            stream = self._stream(AGES, store.part_index, store.index)
            ages = stream.random(count) * twin.ageing.oldest_hours
        store.units = Units(installed=(-ages).tolist(), up=[True] * count)
        for unit in range(-location.initial):
            inside = unit < count
            store.waiting.append(unit if inside else None)
            if inside:
                store.units.up[unit] = False

    def _true_rates(self) -> list[float]:
        twin = self.twin
        found = []
        for number, part in enumerate(twin.network.parts):
            if twin.rate == "prior":
                drawn = self._stream(RATES, number, 0).gamma(part.prior.shape)
                found.append(float(drawn) / part.prior.rate * twin.rate_factor)
            else:
                known = part.prior.mean if isinstance(twin.rate, str) else twin.rate[part.name]
                found.append(known * twin.rate_factor)
        return found

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
                self._change_hand(store, -store.on_hand)
        yield self.env.timeout(closing.last_hour - self.env.now)
        for store in concerned:
            store.closed = False
            self._serve(store)

    # -- small things

    def _all(self) -> list[Store]:
        return [store for stores in self.stores for store in stores]

    def _after(self, hours: float, action: Callable[[], None]) -> None:
        """Do something later; lighter than a process of its own."""
        event = self.env.timeout(hours)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: action())

    def _stream(self, what: int, part: int, location: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.replication, what, part, location])
