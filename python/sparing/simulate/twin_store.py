"""One part at one location of a twin: what is on hand, owed and under way, summed over time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sparing.models.network_location import Location
from sparing.models.spares_network import Part


@dataclass(kw_only=True, eq=False)
class Units:
    """The installed units of one part at a site."""

    installed: list[float]  # [units] hour at which each was put in, negative for before the start
    up: list[bool]  # [units]


@dataclass(kw_only=True, eq=False)
class Request:
    """An order of a store below that waits at its supplier: the units still missing."""

    below: Store
    missing: int


@dataclass(kw_only=True, eq=False)
class Store:
    """Stock of one part at one location.

    Attributes
    ----------
    waiting
        Units that failed and wait for a spare, in turn; None for one without a number.
    in_repair
        Units that have a spare and wait for the crew, or are in its hands.
    requests
        Orders of stores below that wait for stock here, in turn.
    on_order
        Units ordered and not arrived, those that wait at the supplier included.
    base_stock
        Position up to which each demand is ordered at once; None: orders come at reviews.
    due
        In the review clock: [period, units] of what is under way.
    ordered, placed
        The latest order, and its period; its age is the reviews since.
    """

    part: Part
    location: Location
    part_index: int
    index: int
    supplier: Store | None
    on_hand: int
    units: Units | None = None
    waiting: deque[int | None] = field(default_factory=deque)
    in_repair: int = 0
    requests: deque[Request] = field(default_factory=deque)
    on_order: int = 0
    due: list[list[int]] = field(default_factory=list)
    ordered: int = 0
    placed: int = 0
    closed: bool = False
    age_bin: int = 0
    base_stock: int | None = None
    # what a period has seen so far
    since: float = 0.0
    hand_hours: float = 0.0
    short_hours: float = 0.0  # unit-hours of waiting for a spare
    down_hours: float = 0.0  # unit-hours down, repairs included
    backlog_hours: float = 0.0  # hours with a unit waiting
    failures: int = 0
    unfilled: int = 0
    emergencies: int = 0

    @property
    def net(self) -> int:
        """Stock on hand less failures that wait, as the exact model counts."""
        return self.on_hand - len(self.waiting)

    @property
    def position(self) -> int:
        """Stock on hand and on order, less what is owed to units and to stores below."""
        return self.net + self.on_order - sum(request.missing for request in self.requests)

    def settle(self, now: float) -> None:
        """Add up what has stood since the last change."""
        elapsed = now - self.since
        if elapsed <= 0.0:
            return
        self.since = now
        short = len(self.waiting)
        if self.on_hand:
            self.hand_hours += elapsed * self.on_hand
        if short or self.in_repair:
            self.short_hours += elapsed * short
            self.down_hours += elapsed * (short + self.in_repair)
            if short:
                self.backlog_hours += elapsed

    def clear(self) -> None:
        """Begin a new period."""
        self.hand_hours = self.short_hours = self.down_hours = self.backlog_hours = 0.0
        self.failures = self.unfilled = self.emergencies = 0
