"""A spare part type: what is stocked of it, what that costs, and when orders arrive.

At most one order is outstanding. The stock of a type is one axis of legal tuples (on hand,
ordered, age), the age counting the inspections since the order was placed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparing._checks import Frozen, check_number
from sparing.nodes import Axis


@dataclass(frozen=True, kw_only=True)
class GammaLeadTime:
    """A lead time that is Gamma distributed, seen once a period.

    Parameters
    ----------
    shape, scale
        Of the Gamma distribution; the scale in periods.
    longest
        Age in periods at which an order that is still outstanding arrives for certain.
    """

    shape: float
    scale: float
    longest: int

    def __post_init__(self) -> None:
        for name in ("shape", "scale"):
            if not check_number(f"lead_time {name}", getattr(self, name)) > 0.0:
                raise ValueError(f"lead_time {name} must be > 0; got {getattr(self, name):g}.")
        _check_whole("lead_time longest", self.longest, 0)

    def arrival(self) -> NDArray[np.float64]:
        """Return the chance [ages 0..longest] that an order of that age arrives in this period.

        h(j) = (F(j + 1) - F(j)) / (1 - F(j)) with F the distribution function; h(longest) = 1.
        """
        from scipy.special import gammaincc  # here, so that importing sparing stays quick

        waiting = gammaincc(self.shape, np.arange(self.longest + 1) / self.scale)  # 1 - F(j)
        chance = np.ones(self.longest + 1)
        alive = waiting[:-1] > 0.0
        chance[:-1][alive] = 1.0 - waiting[1:][alive] / waiting[:-1][alive]
        return chance


def arrival_chances(lead_time: int | GammaLeadTime) -> NDArray[np.float64]:
    """Return the chance [ages] that an order of each age arrives in a period; 1 at the last age."""
    if isinstance(lead_time, GammaLeadTime):
        return lead_time.arrival()
    chance: NDArray[np.float64] = np.zeros(lead_time + 1)
    chance[-1] = 1.0
    return chance


class StockState(NamedTuple):
    """Units on hand, units on order (0: none), and the age of that order."""

    on_hand: int
    ordered: int
    age: int

    def __str__(self) -> str:
        """Return e.g. ``1`` or ``0+2@1``: none on hand, 2 ordered 1 inspection ago."""
        return f"{self.on_hand}+{self.ordered}@{self.age}" if self.ordered else f"{self.on_hand}"


@dataclass(frozen=True, kw_only=True, eq=False)
class SparePart(Frozen):
    """One type of spare part, stocked for the components that use it.

    Parameters
    ----------
    name
        Its name in the state; no component may have it.
    used_by
        Names of the components whose replacement (from any state to state 0) takes one unit.
    capacity
        Largest stock; an order must fit beside what is left on hand when it is placed.
    initial
        Stock on hand at the start.
    max_order
        Largest order [units]; default the capacity.
    holding_cost
        Per unit on hand behind the arrivals of a period, and per period between inspections.
    order_fixed, order_unit
        Cost of an order, and of each unit of it.
    lead_time
        A `GammaLeadTime`, or the number of periods after which an order arrives (0: in the
        period in which it is placed, behind the maintenance of its inspection).
    emergency_cost
        Price of a unit bought at once where the stock lacks it; None: it cannot be had.
    """

    name: str
    used_by: tuple[str, ...]
    capacity: int
    initial: int = 0
    max_order: int | None = None
    holding_cost: float = 0.0
    order_fixed: float = 0.0
    order_unit: float = 0.0
    lead_time: GammaLeadTime | int = 0
    emergency_cost: float | None = None
    largest_order: int = field(init=False)  # max_order, or its default

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"a spare's name must be a text; got {self.name!r}.")
        try:
            self._check()
        except ValueError as error:
            raise ValueError(f"spare {self.name!r}: {error}") from None

    def _check(self) -> None:
        users = self.used_by
        if isinstance(users, str) or not isinstance(users, Sequence) or not users:
            raise ValueError(f"used_by must be a list of one component or more; got {users!r}.")
        for user in users:
            if not isinstance(user, str) or not user:
                raise ValueError(f"used_by must hold names of components; got {user!r}.")
            if list(users).count(user) > 1:
                raise ValueError(f"used_by names component {user!r} twice.")
        object.__setattr__(self, "used_by", tuple(users))
        _check_whole("capacity", self.capacity, 1)
        _check_whole("initial", self.initial, 0)
        if self.initial > self.capacity:
            raise ValueError(
                f"initial must be at most the capacity, {self.capacity}; got {self.initial}."
            )
        largest = self.capacity if self.max_order is None else self.max_order
        _check_whole("max_order", largest, 1)
        if largest > self.capacity:
            raise ValueError(
                f"max_order must be at most the capacity, {self.capacity}; got {largest}."
            )
        object.__setattr__(self, "largest_order", int(largest))
        for name in ("holding_cost", "order_fixed", "order_unit"):
            check_number(name.replace("order_", "order_cost."), getattr(self, name), at_least=0.0)
        if self.emergency_cost is not None:
            check_number("emergency_cost", self.emergency_cost, at_least=0.0)
        if not isinstance(self.lead_time, GammaLeadTime):
            _check_whole("lead_time", self.lead_time, 0)

    @cached_property
    def arrival(self) -> NDArray[np.float64]:
        """Chance that an order of each age arrives in a period; 1 at the last age."""
        return arrival_chances(self.lead_time)

    @property
    def arrives_at_once(self) -> bool:
        """Whether an order always arrives in the period in which it is placed."""
        return self.arrival.size == 1

    @cached_property
    def found(self) -> tuple[StockState, ...]:
        """The stock states that an inspection can find, those without an order first."""
        return tuple(self._states(first_age=1))

    @cached_property
    def decided(self) -> tuple[StockState, ...]:
        """The stock states behind the decision to order, before arrivals."""
        return self.found if self.arrives_at_once else tuple(self._states(first_age=0))

    def _states(self, first_age: int) -> list[StockState]:
        states = [StockState(x, 0, 0) for x in range(self.capacity + 1)]
        ages = range(first_age, self.arrival.size)
        return states + [
            StockState(x, q, age)
            for x in range(self.capacity)
            for q in range(1, min(self.largest_order, self.capacity - x) + 1)
            for age in ages
        ]

    @property
    def axis(self) -> Axis:
        """The axis of what an inspection finds."""
        return Axis(self.name, len(self.found), tuple(map(str, self.found)))

    @property
    def decided_axis(self) -> Axis:
        """The axis behind the decision to order."""
        if self.arrives_at_once:
            return self.axis
        return Axis(f"{self.name} ordered", len(self.decided), tuple(map(str, self.decided)))

    @property
    def on_hand(self) -> NDArray[np.float64]:
        """Units on hand [stock states found]."""
        return np.array([state.on_hand for state in self.found], dtype=np.float64)

    @property
    def count_kinds(self) -> tuple[str, ...]:
        """The counts that results state, each a kind that no objective weighs by itself."""
        kinds = [f"order_rate_{self.name}", f"mean_on_hand_{self.name}"]
        if self.emergency_cost is not None:
            kinds.insert(1, f"emergency_rate_{self.name}")
        return tuple(kinds)


def _check_whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be a whole number, at least {least}; got {value!r}.")
