"""System 2: size, replacement and spares of a k-out-of-n system whose components share a load.

A model consistent with the abstract of Zhao, Wei, Cheng and Li (2025), Reliability Engineering and
System Safety 257(B) 110855; no parameter of theirs is public, so the numbers here are our own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sparing._checks import Frozen, check_number
from sparing.models._load_sharing_checks import (
    check_whole,
    checked_intervals,
    checked_positions,
    checked_rates,
)
from sparing.models.counts import MAX_STATES, Counts
from sparing.models.load_sharing_values import IntervalRange, LoadSharingCosts

if TYPE_CHECKING:
    from sparing.epoch import Epoch
    from sparing.models.load_sharing_system import LoadSharingSystem

__all__ = ["IntervalRange", "LoadSharingCosts", "LoadSharingProblem"]

LoadLaw = Literal["power", "log-linear"]
Replacement = Literal["worst-first", "any"]
Clock = Literal["restarts", "fixed"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadSharingProblem(Frozen):
    """How many components to install, when to inspect, what to replace and what to order.

    Parameters
    ----------
    required
        Components that must work.
    positions
        Numbers of components to choose from (a number: one choice).
    inspection_interval
        Intervals to choose from [time] (a number: one choice), or an `IntervalRange`.
    rates
        Shape (conditions, conditions): a component goes from condition i to j > i at
        ``rates[i, j]`` per unit of time at rated load. The last condition is failed.
    load_law, load_exponent
        With w of them working, rates are multiplied by ``(required / w) ** load_exponent``
        ("power"), or ``exp(load_exponent * (required / w - 1))`` ("log-linear").
    replacement
        "worst-first": one decides how many; "any": how many of each condition.
    capacity
        Most spares on hand and on order together.
    delivery_rate
        A regular order arrives after an exponential time of this rate; this or `lead_time` is
        needed if capacity > 0.
    lead_time
        Instead: every order arrives after this time.
    clock
        "restarts": the next inspection comes an interval after every epoch; "fixed": inspections
        come at multiples of the interval, whatever fails in between.
    time_step
        With a `lead_time` or a fixed clock: the grid of time on which remaining times are
        followed; interval and lead time must be multiples of it. A failure inside a step is put
        at its ends by weights that keep the mean, so the model is exact up to the step.
    cost
        What is paid.
    """

    required: int
    positions: tuple[int, ...]
    inspection_interval: tuple[float, ...] | IntervalRange
    rates: NDArray[np.float64]
    load_exponent: float = 0.0
    load_law: LoadLaw = "power"
    replacement: Replacement = "worst-first"
    capacity: int = 0
    delivery_rate: float | None = None
    lead_time: float | None = None
    clock: Clock = "restarts"
    time_step: float | None = None
    cost: LoadSharingCosts = field(default_factory=LoadSharingCosts)
    name: str = "load-sharing"

    def __post_init__(self) -> None:
        check_whole("required", self.required, 1)
        check_whole("capacity", self.capacity, 0)
        object.__setattr__(self, "positions", checked_positions(self.positions, self.required))
        if not isinstance(self.inspection_interval, IntervalRange):
            intervals = checked_intervals(self.inspection_interval)
            object.__setattr__(self, "inspection_interval", intervals)
        object.__setattr__(self, "rates", checked_rates(self.rates))
        check_number("load_exponent", self.load_exponent, at_least=0.0)
        for name, known in (
            ("load_law", ("power", "log-linear")),
            ("replacement", ("worst-first", "any")),
            ("clock", ("restarts", "fixed")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} must be {known[0]!r} or {known[1]!r}; got {getattr(self, name)!r}."
                )
        self._check_supply()
        self._check_steps()
        for size in self.positions:
            states = self.num_states(size)
            if states > MAX_STATES * 64:
                raise ValueError(
                    f"positions {size}: {states:,} states are too many; take fewer positions,"
                    " conditions or spares."
                )

    def _check_supply(self) -> None:
        if self.delivery_rate is not None:
            check_number("delivery_rate", self.delivery_rate)
            if not self.delivery_rate > 0.0:
                raise ValueError(f"delivery_rate must be above 0; got {self.delivery_rate:g}.")
            if self.lead_time is not None:
                raise ValueError("give a delivery_rate or a lead_time, not both.")
        elif self.lead_time is None and self.capacity > 0:
            raise ValueError(f"delivery_rate is missing: capacity is {self.capacity}.")
        if self.capacity == 0 and not self.cost.has_emergency_supply:
            raise ValueError(
                "cost emergency_unit must be finite where capacity is 0, as nothing else supplies"
                " spares; got inf."
            )

    def _check_steps(self) -> None:
        for name in ("lead_time", "time_step"):
            value = getattr(self, name)
            if value is not None:
                check_number(name, value)
                if not value > 0.0:
                    raise ValueError(f"{name} must be above 0; got {value:g}.")
        if self.is_stepped != (self.time_step is not None):
            needs = "a lead_time or a fixed clock" if self.is_stepped else "only a lead_time or"
            rest = "needs a time_step" if self.is_stepped else "a fixed clock takes a time_step"
            raise ValueError(f"{needs} {rest}; got time_step {self.time_step!r}.")
        if self.time_step is None:
            return
        if isinstance(self.inspection_interval, IntervalRange):
            raise ValueError(
                "a time_step needs a list of inspection intervals, which are multiples of it; got"
                " a range."
            )
        for interval in self.inspection_interval:
            self._whole_steps("inspection_interval", interval)
        if self.lead_time is not None:
            self._whole_steps("lead_time", self.lead_time)

    def _whole_steps(self, name: str, time: float) -> int:
        assert self.time_step is not None
        steps = round(time / self.time_step)
        if steps < 1 or abs(steps * self.time_step - time) > 1e-9 * time:
            raise ValueError(
                f"{name} must be a multiple of time_step = {self.time_step:g}; got {time:g}."
            )
        return steps

    @property
    def is_stepped(self) -> bool:
        """Whether remaining times are followed on a grid of time steps."""
        return self.lead_time is not None or self.clock == "fixed"

    @property
    def lead_steps(self) -> int:
        """Steps of the lead time that the state follows; 1 where it is exponential."""
        return 1 if self.lead_time is None else self._whole_steps("lead_time", self.lead_time)

    def clock_steps(self, interval: float) -> int:
        """Return the steps of a fixed clock that the state follows; 1 where it restarts."""
        if self.clock == "restarts":
            return 1
        return self._whole_steps("inspection_interval", interval)

    @property
    def num_conditions(self) -> int:
        """Conditions of a component, from new to failed."""
        return len(self.rates)

    @property
    def num_stocks(self) -> int:
        """Spares on hand and on order, no more than `capacity` in all, and time to delivery."""
        none, some = self.capacity + 1, self.capacity * (self.capacity + 1) // 2
        return none + some * self.lead_steps

    def num_states(self, size: int, interval: float | None = None) -> int:
        """Return the number of states at an epoch with `size` positions.

        `interval` is by default the longest, which counts if the clock is fixed.
        """
        clocks = 1
        if not isinstance(self.inspection_interval, IntervalRange):
            clocks = self.clock_steps(interval or max(self.inspection_interval))
        return clocks * Counts(size, self.num_conditions).size * self.num_stocks

    @property
    def epoch(self) -> Epoch:
        """The list of nodes, if there is one size and one interval."""
        return self.system().epoch

    def speed(self, size: int) -> NDArray[np.float64]:
        """Return the factor of all rates [size + 1] by the number of working components.

        Unity at rated load; nothing moves while fewer than required work, so those are 0.
        """
        working = np.arange(size + 1)
        factor = np.zeros(size + 1)
        up = working >= self.required
        share = self.required / working[up]
        if self.load_law == "power":
            factor[up] = share**self.load_exponent
        else:
            factor[up] = np.exp(self.load_exponent * (share - 1.0))
        return factor

    def system(
        self, positions: int | None = None, inspection_interval: float | None = None
    ) -> LoadSharingSystem:
        """Return the problem at one size and interval; default those given, if there is one each.

        Raises
        ------
        ValueError
            If the problem leaves a choice that is not made, or one is out of range.
        """
        from sparing.models.load_sharing_system import LoadSharingSystem

        given = self.inspection_interval
        if positions is None:
            if len(self.positions) > 1:
                raise ValueError(f"positions must be one of {list(self.positions)}; none given.")
            positions = self.positions[0]
        if inspection_interval is None:
            if isinstance(given, IntervalRange) or len(given) > 1:
                raise ValueError("inspection_interval must be chosen: the problem leaves it open.")
            inspection_interval = given[0]
        size = checked_positions(positions, self.required)[0]
        return LoadSharingSystem(self, size, checked_intervals(inspection_interval)[0])

    @cached_property
    def weights(self) -> dict[str, float]:
        """Prices of the kinds of cost, which are counted in units, spares and time."""
        cost = self.cost
        emergency = cost.emergency_unit if cost.has_emergency_supply else 0.0
        return {
            "inspections": cost.inspection,
            "failures": cost.failure,
            "down": cost.downtime,
            "set-ups": cost.setup,
            "replaced": cost.replacement,
            "failed replaced": cost.corrective,
            "orders": cost.order,
            "ordered": cost.unit,
            "emergency": emergency,
            "on hand": cost.holding,
            "positions": cost.position,
        }
