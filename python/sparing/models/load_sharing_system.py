"""One size and inspection interval of a load-sharing problem, as an epoch of unequal length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparing.epoch import Axis, Epoch
from sparing.model_error import ModelError
from sparing.models.counts import Counts
from sparing.models.transient import TransientRows, transient_rows

if TYPE_CHECKING:
    from sparing.models.load_sharing import LoadSharingProblem


@dataclass(frozen=True, eq=False)
class LoadSharingSystem:
    """A `LoadSharingProblem` with `size` positions, inspected every `interval`.

    Its axes are the counts (how many components are in which condition, numbered by `counts`) and
    the stock (spares on hand and on order, numbered by `stocks`). A fixed clock stands before
    them: the steps since the last inspection was due.
    """

    problem: LoadSharingProblem
    size: int
    interval: float

    @property
    def chosen(self) -> LoadSharingProblem:
        """The problem with this size and interval as its only choices."""
        return replace(self.problem, positions=(self.size,), inspection_interval=(self.interval,))

    @cached_property
    def counts(self) -> Counts:
        """The count vectors."""
        return Counts(self.size, self.problem.num_conditions)

    @cached_property
    def stocks(self) -> NDArray[np.int64]:
        """Shape (stocks, 2): spares on hand and on order; nothing of either is number 0."""
        return self._stocks_and_leads[:, :2]

    @property
    def leads(self) -> NDArray[np.int64]:
        """Shape (stocks,): steps until the order comes; 0 if there is none, 1 if unknown."""
        return self._stocks_and_leads[:, 2]

    @cached_property
    def _stocks_and_leads(self) -> NDArray[np.int64]:
        capacity, steps = self.problem.capacity, self.problem.lead_steps
        rows = [
            (s, o, lead)
            for s in range(capacity + 1)
            for o in range(capacity + 1 - s)
            for lead in (range(1, steps + 1) if o else (0,))
        ]
        return np.array(rows, dtype=np.int64)

    @cached_property
    def stock_of(self) -> NDArray[np.int64]:
        """Shape (capacity + 1, capacity + 1, lead steps + 1): the number of a stock, or -1."""
        capacity = self.problem.capacity
        table = np.full((capacity + 1, capacity + 1, self.problem.lead_steps + 1), -1)
        table[tuple(self._stocks_and_leads.T)] = np.arange(len(self._stocks_and_leads))
        return table

    def stock_index(
        self,
        on_hand: NDArray[np.int64] | int,
        on_order: NDArray[np.int64] | int,
        lead: NDArray[np.int64] | int | None = None,
    ) -> NDArray[np.int64]:
        """Return the numbers of stocks; `lead` is by default that of a new order."""
        order = np.asarray(on_order)
        steps = self.problem.lead_steps if lead is None else np.asarray(lead)
        return np.asarray(self.stock_of[np.asarray(on_hand), order, np.where(order > 0, steps, 0)])

    @cached_property
    def working(self) -> NDArray[np.int64]:
        """Shape (counts,): components that work."""
        return np.asarray(self.size - self.counts.vectors[:, -1])

    @cached_property
    def is_up(self) -> NDArray[np.bool_]:
        """Shape (counts,): whether enough components work."""
        return self.working >= self.problem.required

    @cached_property
    def kernel(self) -> TransientRows:
        """Counts at the next epoch from those left behind; "marked" is delivered.

        Counts that are left down are absorbing rows: they end by a delivery, not here.
        """
        chain = self.counts.wear(
            self.problem.rates, self.problem.speed(self.size), self.problem.required
        )
        return transient_rows(chain, self.kernel_time, self.problem.delivery_rate or 0.0)

    @property
    def kernel_time(self) -> float:
        """The time that `kernel` spans: the interval, or one step of it."""
        return self.interval if self.problem.time_step is None else self.problem.time_step

    @property
    def num_clocks(self) -> int:
        """States of the clock; 1 where it restarts."""
        return self.problem.clock_steps(self.interval)

    @cached_property
    def error(self) -> ModelError:
        """What truncation and rounding of the kernel can do to one epoch."""
        found, capacity = self.kernel.error, self.problem.capacity
        steps = round(self.interval / self.kernel_time)  # whose errors add up
        time = steps * (found.missing_time + self.interval * found.rounding)
        cost = {"on hand": capacity * time, "positions": self.size * time, "duration": time}
        row = steps * found.row
        return ModelError(probability=row, cost={**cost, "failures": row})

    @property
    def num_states(self) -> int:
        """Number of states at an epoch."""
        return self.num_clocks * self.counts.size * len(self.stocks)

    @property
    def initial_state(self) -> tuple[int, ...]:
        """All components new, no spares, just inspected."""
        return (0,) * len(self.axes)

    def state(
        self, counts: Sequence[int] | NDArray[np.integer], on_hand: int, on_order: int
    ) -> tuple[int, ...]:
        """Return the state of `counts` [conditions] with spares on hand and on order.

        If need be the order is a new one and the system just inspected.

        Raises
        ------
        ValueError
            If the counts do not add up to the size, or the spares exceed the capacity.
        """
        vector = np.asarray(counts)
        if vector.shape != (self.problem.num_conditions,) or (vector < 0).any():
            raise ValueError(
                f"counts must be {self.problem.num_conditions} numbers of at least 0; got"
                f" {vector.tolist()}."
            )
        if vector.sum() != self.size:
            raise ValueError(f"counts must add up to {self.size}; got {vector.tolist()}.")
        if on_hand < 0 or on_order < 0 or on_hand + on_order > self.problem.capacity:
            raise ValueError(
                f"spares on hand and on order must be at least 0 and at most"
                f" {self.problem.capacity} in all; got {on_hand} and {on_order}."
            )
        number = int(self.counts.index(vector[None])[0])
        clock = (0,) * (len(self.axes) - 2)
        return *clock, number, int(self.stock_index(on_hand, on_order))

    @property
    def weights(self) -> dict[str, float]:
        """Prices of the kinds of cost."""
        return self.problem.weights

    @property
    def measures(self) -> dict[str, dict[str, float]]:
        """The rates that results state, each as weights of kinds of cost."""
        kinds = {
            "failure_rate": "failures",
            "unavailability": "down",
            "replacement_rate": "replaced",
            "emergency_rate": "emergency",
            "order_rate": "orders",
            "mean_on_hand": "on hand",
        }
        return {measure: {kind: 1.0} for measure, kind in kinds.items()}

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Clock (if it is fixed), counts and stock."""
        clock = (Axis("clock", self.num_clocks),) if self.problem.clock == "fixed" else ()
        return *clock, Axis("counts", self.counts.size), Axis("stock", len(self.stocks))

    @cached_property
    def epoch(self) -> Epoch:
        """The system as a list of nodes: replace, order, pay, wear, deliver."""
        from sparing.models.load_sharing_nodes import load_sharing_nodes

        return Epoch(axes=self.axes, nodes=load_sharing_nodes(self))
