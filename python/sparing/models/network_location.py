"""A location of a spares network: its stock, its supplier, its costs and what fails there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sparing._checks import Frozen, check_number, is_number
from sparing.models.network_values import OutstandingOrder, UnitAge, check_whole
from sparing.models.spare import GammaLeadTime, arrival_chances

EXTERNAL = "external"  # the supplier whose stock has no end
RESERVED = (EXTERNAL, "failures", "exposure")


@dataclass(frozen=True, kw_only=True, eq=False)
class Location(Frozen):
    """A central warehouse, a hub or a site; sites are the locations with an exposure.

    Parameters
    ----------
    supplier
        Name of the location that ships to this one, or "external".
    capacity
        Most units; an order fits beside the stock on hand at the review.
    initial
        Stock at the start, negative for backorders.
    max_order
        Largest order [units]; default the capacity.
    holding_cost
        Per unit on hand at the end of a period.
    order_fixed, order_unit
        Cost of an order, and of each unit of it.
    lead_time
        A `GammaLeadTime`, or the number of periods after which an order arrives (0: in the
        period in which it is placed).
    exposure
        Of installed units in a period (units x time x environment factor), > 0: a number, or one
        per period; None: nothing fails here.
    backorders
        Failures that may wait for a unit; each one beyond is served by emergency.
    downtime_cost
        Per unit that is backordered at the end of a period.
    emergency_cost
        Of a failure that finds no room among the backorders.
    age
        Bins of the oldest unit's age, which multiply the exposure.
    outstanding
        The order that is under way at the start.
    volume_limit
        Most volume on hand on average over the periods' ends; None: no limit.
    """

    name: str
    supplier: str = EXTERNAL
    capacity: int
    initial: int = 0
    max_order: int | None = None
    holding_cost: float = 0.0
    order_fixed: float = 0.0
    order_unit: float = 0.0
    lead_time: GammaLeadTime | int = 0
    exposure: float | tuple[float, ...] | None = None
    backorders: int = 0
    downtime_cost: float = 0.0
    emergency_cost: float | None = None
    age: UnitAge | None = None
    outstanding: OutstandingOrder | None = None
    volume_limit: float | None = None
    largest_order: int = field(init=False)  # max_order, or its default

    def __post_init__(self) -> None:
        for key in ("name", "supplier"):
            value = getattr(self, key)
            if not isinstance(value, str) or not value:
                raise ValueError(f"a location's {key} must be a text; got {value!r}.")
        try:
            self._check()
        except ValueError as error:
            raise ValueError(f"location {self.name!r}: {error}") from None

    def _check(self) -> None:
        if self.name in RESERVED:
            raise ValueError(f"must have another name; {', '.join(RESERVED)} are taken.")
        check_whole("capacity", self.capacity, 1)
        check_whole("backorders", self.backorders, 0)
        largest = self.capacity if self.max_order is None else self.max_order
        object.__setattr__(self, "largest_order", check_whole("max_order", largest, 0))
        if largest > self.capacity:
            raise ValueError(
                f"max_order must be at most the capacity, {self.capacity}; got {largest}."
            )
        for name in ("holding_cost", "order_fixed", "order_unit", "downtime_cost"):
            shown = name.replace("order_", "order_cost.")
            check_number(shown, getattr(self, name), at_least=0.0)
        if self.volume_limit is not None:
            check_number("volume_limit", self.volume_limit, at_least=0.0)
        if not isinstance(self.lead_time, GammaLeadTime):
            check_whole("lead_time", self.lead_time, 0)
        if self.exposure is None:
            self._check_nothing_fails()
        else:
            object.__setattr__(self, "exposure", _checked_exposure(self.exposure))
            if self.emergency_cost is None:
                raise ValueError("emergency_cost is missing: failures beyond backorders cost it.")
            check_number("emergency_cost", self.emergency_cost, at_least=0.0)
        self._check_start()

    def _check_nothing_fails(self) -> None:
        absent = {"backorders": 0, "downtime_cost": 0.0, "emergency_cost": None, "age": None}
        for name, value in absent.items():
            if getattr(self, name) != value:
                raise ValueError(f"{name} is for sites; this location has no exposure.")

    def _check_start(self) -> None:
        initial = self.initial
        if isinstance(initial, bool) or not isinstance(initial, int | np.integer):
            raise ValueError(f"initial must be a whole number; got {initial!r}.")
        if not -self.backorders <= initial <= self.capacity:
            raise ValueError(
                f"initial must be in {-self.backorders}..{self.capacity} (backorders, capacity);"
                f" got {initial}."
            )
        if self.outstanding is None:
            return
        order, longest = self.outstanding, len(self.arrival) - 1
        if not isinstance(order, OutstandingOrder):
            raise ValueError(f"at most one order can be outstanding; got {order!r}.")
        if order.quantity > self.largest_order or max(initial, 0) + order.quantity > self.capacity:
            raise ValueError(
                f"outstanding quantity must be at most max_order, {self.largest_order}, and fit"
                f" into the capacity, {self.capacity}, beside {initial}; got {order.quantity}."
            )
        if order.age > longest:
            raise ValueError(
                f"outstanding age must be at most {longest}, where it arrives for certain; got"
                f" {order.age}."
            )

    @property
    def is_site(self) -> bool:
        """Whether units fail here."""
        return self.exposure is not None

    @cached_property
    def arrival(self) -> NDArray[np.float64]:
        """Chance that an order of each age arrives in a period; 1 at the last age."""
        return arrival_chances(self.lead_time)

    def exposures(self, periods: int) -> NDArray[np.float64]:
        """Return the exposure [periods], before multipliers of age; 0 where nothing fails."""
        if self.exposure is None:
            return np.zeros(periods)
        return np.array(np.broadcast_to(self.exposure, (periods,)), dtype=np.float64)


def _checked_exposure(given: object) -> float | tuple[float, ...]:
    if is_number(given):
        values: Sequence[object] = [given]
    elif isinstance(given, Sequence | np.ndarray) and not isinstance(given, str) and len(given):
        values = list(given)
    else:
        raise ValueError(f"exposure must be a number, or one per period; got {given!r}.")
    numbers = []
    for position, value in enumerate(values):
        name = "exposure" if is_number(given) else f"exposure[{position}]"
        number = check_number(name, value)  # type: ignore[arg-type]  # it checks that
        if not number > 0.0:
            raise ValueError(f"{name} must be > 0; got {number:g}.")
        numbers.append(number)
    return numbers[0] if is_number(given) else tuple(numbers)
