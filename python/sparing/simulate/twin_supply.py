"""Orders of a twin and what becomes of them: requests, shipments, deliveries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparing.models.spare import GammaLeadTime
from sparing.simulate.twin import Twin
from sparing.simulate.twin_ledger import Ledger
from sparing.simulate.twin_store import Request, Store
from sparing.simulate.twin_streams import DELIVERIES, Streams


class Supply:
    """What moves between the stores of one replication.

    Parameters
    ----------
    put_in
        Called with a store and a unit for which a spare has come.
    """

    def __init__(
        self,
        twin: Twin,
        env: Any,
        stores: Sequence[Sequence[Store]],
        ledger: Ledger,
        streams: Streams,
        put_in: Callable[[Store, int | None], None],
    ) -> None:
        self.twin, self.env, self.stores, self.ledger = twin, env, stores, ledger
        self.streams, self.put_in = streams, put_in
        self._deliveries: dict[Store, np.random.Generator] = {}

    def order_at_review(self, store: Store, quantity: int, room: int, period: int) -> None:
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

    def replace_used(self, store: Store, used: int) -> None:
        """Order what was `used`, where demand is ordered at once and the position allows it."""
        if store.base_stock is None:
            return
        quantity = self._fitting(store, min(used, store.base_stock - store.position))
        if quantity > 0:
            self._request(store, quantity)

    def serve(self, store: Store) -> None:
        """Ship what stores below wait for, in turn, as far as the stock goes."""
        while store.requests and store.on_hand > 0 and not store.closed:
            request = store.requests[0]
            quantity = min(request.missing, store.on_hand)
            self.change_hand(store, -quantity)
            request.missing -= quantity
            if request.missing == 0:
                store.requests.popleft()
            self._ship(request.below, quantity)

    def arrivals(self, period: int) -> None:
        """Let arrive what is due in this period, of the review clock."""
        for of_part in self.stores:
            for store in of_part:
                arriving = sum(quantity for due, quantity in store.due if due <= period)
                store.due = [entry for entry in store.due if entry[0] > period]
                if arriving:
                    self._receive(store, arriving)

    def change_hand(self, store: Store, quantity: int) -> None:
        """Change what is on hand now."""
        store.settle(self.env.now)
        store.on_hand += quantity
        self.ledger.trace(self.env.now, store)

    def take_up_order(self, store: Store) -> None:
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

    def _fitting(self, store: Store, quantity: int) -> int:
        """Return how much of `quantity` the storage of the location still holds."""
        limit = self.twin.storage.get(store.location.name)
        if limit is None or store.part.volume <= 0.0:
            return quantity
        here = [of_part[store.index] for of_part in self.stores]
        taken = sum(x.part.volume * (x.on_hand + x.on_order) for x in here)
        return min(quantity, max(int((limit - taken) / store.part.volume + 1e-9), 0))

    def _request(self, store: Store, quantity: int) -> None:
        store.on_order += quantity
        self.ledger.paid_order(store, quantity)
        above = store.supplier
        if above is None:
            self._ship(store, quantity)
            return
        above.requests.append(Request(below=store, missing=quantity))
        self.serve(above)
        self.replace_used(above, quantity)

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
            stream = self.streams.of(DELIVERIES, store.part_index, store.index)
            self._deliveries[store] = stream
        return float(self._deliveries[store].gamma(lead.shape, lead.scale))

    def _beyond(self, store: Store, lead: GammaLeadTime) -> float:
        """Draw a lead time that is longer than the age of the order under way."""
        from scipy.special import gammaincc, gammainccinv

        assert store.location.outstanding is not None
        left = float(gammaincc(lead.shape, store.location.outstanding.age / lead.scale))
        stream = self.streams.of(DELIVERIES, store.part_index, store.index)
        self._deliveries[store] = stream
        return float(gammainccinv(lead.shape, left * stream.random()) * lead.scale)

    def _receive(self, store: Store, quantity: int) -> None:
        store.on_order -= quantity
        self.change_hand(store, quantity)
        while store.waiting and store.on_hand > 0:
            self.change_hand(store, -1)
            self.put_in(store, store.waiting.popleft())
        self.serve(store)

    def _after(self, hours: float, action: Callable[[], None]) -> None:
        """Do something later; lighter than a process of its own."""
        event = self.env.timeout(hours)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: action())
