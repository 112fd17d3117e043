"""What moved stock by the records: units taken, orders placed and received."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.planning.spares_input import SparesInput
from sparing.records.failure_history import UnitRecords

Key: TypeAlias = tuple[str, str]  # part, location
Moves: TypeAlias = NDArray[np.float64]  # [n, 2]: day since 1970, units


def units_taken(source: SparesInput) -> dict[Key, Moves]:
    """Return by part and location when units were taken: by failures, or by locations below.

    A period of counted failures stands at its start.
    """
    rows = dict[Key, list[tuple[float, float]]]()
    history = source.failures
    if isinstance(history, UnitRecords):
        for i in np.flatnonzero(~np.isnan(history.damaged)).tolist():
            rows.setdefault((history.part[i], history.location[i]), []).append(
                (float(history.damaged[i]), 1.0)
            )
    elif history is not None:
        for i in np.flatnonzero(history.failures > 0).tolist():
            rows.setdefault((history.part[i], history.location[i]), []).append(
                (float(history.start[i]), float(history.failures[i]))
            )
    suppliers = {name: table.get("supplier") for name, table in source.settings.locations.items()}
    for (part, name), made in orders_placed(source).items():
        above = suppliers[name]
        if above in suppliers and above is not None:
            rows.setdefault((part, above), []).extend((day, size) for day, size in made.tolist())
    return {key: np.array(own, dtype=np.float64) for key, own in rows.items()}


def orders_placed(source: SparesInput, *, received: bool = False) -> dict[Key, Moves]:
    """Return by part and location the days and sizes of orders, or those of their arrival."""
    rows, orders = dict[Key, list[tuple[float, float]]](), source.orders
    if orders is not None:
        days = orders.received if received else orders.ordered
        for part, location, day, size in zip(
            orders.part, orders.location, days.tolist(), orders.quantity.tolist(), strict=True
        ):
            if not np.isnan(day):
                rows.setdefault((part, location), []).append((day, float(size)))
    return {key: np.array(own, dtype=np.float64) for key, own in rows.items()}


def units_since(moves: dict[Key, Moves], key: Key, day: float) -> int:
    """Return the units that moved behind a day."""
    own = moves.get(key)
    return 0 if own is None else int(own[own[:, 0] > day, 1].sum())


def net_stock(source: SparesInput) -> dict[Key, int]:
    """Return the net stock of now where one was counted: the last count, carried forward.

    Failures and orders from below that came behind the count are taken off, arrivals are added.
    """
    return {key: int(net[0]) for key, net in net_stock_on(source, np.array([np.inf])).items()}


def net_stock_on(source: SparesInput, days: NDArray[np.float64]) -> dict[Key, NDArray[np.int64]]:
    """Return the net stock at the ends of `days` [n], where one was ever counted.

    It is the last count up to then, carried forward by what moved stock since, or the first count
    behind it, carried back.
    """
    if source.stock is None:
        return {}
    taken, came = units_taken(source), orders_placed(source, received=True)
    counts = dict[Key, list[tuple[float, float]]]()
    for part, location, day, on_hand, waiting in zip(
        source.stock.part,
        source.stock.location,
        source.stock.time.tolist(),
        source.stock.on_hand.tolist(),
        source.stock.backordered.tolist(),
        strict=True,
    ):
        counts.setdefault((part, location), []).append((day, on_hand - waiting))
    found = {}
    for key, own in counts.items():
        counted, net = np.array(sorted(own)).T
        last = np.maximum(np.searchsorted(counted, days, side="right") - 1, 0)
        moved = _moved_until(came, key, days) - _moved_until(came, key, counted[last])
        moved -= _moved_until(taken, key, days) - _moved_until(taken, key, counted[last])
        found[key] = np.rint(net[last] + moved).astype(np.int64)
    return found


def _moved_until(moves: dict[Key, Moves], key: Key, days: NDArray[np.float64]) -> Moves:
    """Return the units that moved up to the ends of `days` [n]."""
    if key not in moves:
        return np.zeros(len(days))
    own = moves[key][np.argsort(moves[key][:, 0], kind="stable")]
    total = np.concatenate([[0.0], np.cumsum(own[:, 1])])
    return np.asarray(total[np.searchsorted(own[:, 0], days, side="right")])
