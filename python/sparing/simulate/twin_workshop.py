"""The crews of a twin's sites, who put spares in for units that failed."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, TypeAlias

from sparing.simulate.twin import Twin
from sparing.simulate.twin_store import Store
from sparing.simulate.twin_streams import REPAIRS, Streams

Process: TypeAlias = Generator[Any, Any, None]


class Workshop:
    """Repairs of one replication; without a crew they take no time.

    Parameters
    ----------
    places
        Location name -> number.
    """

    def __init__(self, twin: Twin, env: Any, places: Mapping[str, int], streams: Streams) -> None:
        self.env, self.crew = env, twin.crew
        self._durations = streams.of(REPAIRS)
        self._crews: dict[int, Any] = {}
        if twin.crew is not None:
            import simpy

            self._crews = {places[site]: simpy.Resource(env, twin.crew.size) for site in twin.sites}

    def put_in(self, store: Store, unit: int | None) -> None:
        """Put a spare in for `unit`; None is one without a number."""
        if self.crew is None:
            self._renew(store, unit)
            return
        store.in_repair += 1
        self.env.process(self._repair(store, unit))

    def _repair(self, store: Store, unit: int | None) -> Process:
        crew = self.crew
        assert crew is not None
        with self._crews[store.index].request() as turn:
            yield turn
            yield self.env.timeout(self._durations.gamma(crew.shape, crew.hours / crew.shape))
        store.settle(self.env.now)
        store.in_repair -= 1
        self._renew(store, unit)

    def _renew(self, store: Store, unit: int | None) -> None:
        if unit is not None and store.units is not None:
            store.units.installed[unit] = self.env.now
            store.units.up[unit] = True
