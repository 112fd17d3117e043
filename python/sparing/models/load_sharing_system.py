"""One size and inspection interval of a load-sharing problem, as an epoch of unequal length."""

from __future__ import annotations

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
    the stock (spares on hand and on order, numbered by `stocks`).
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
        capacity = self.problem.capacity
        pairs = [(s, o) for s in range(capacity + 1) for o in range(capacity + 1 - s)]
        return np.array(pairs, dtype=np.int64)

    def stock_index(
        self, on_hand: NDArray[np.int64] | int, on_order: NDArray[np.int64] | int
    ) -> NDArray[np.int64]:
        """Return the numbers of pairs (on hand, on order)."""
        hand, order = np.asarray(on_hand), np.asarray(on_order)
        number = hand * (self.problem.capacity + 1) - hand * (hand - 1) // 2 + order
        return np.asarray(number, dtype=np.int64)

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
        return transient_rows(chain, self.interval, self.problem.delivery_rate or 0.0)

    @cached_property
    def error(self) -> ModelError:
        """What truncation and rounding of the kernel can do to one epoch."""
        found, capacity = self.kernel.error, self.problem.capacity
        time = found.missing_time + self.interval * found.rounding
        cost = {"on hand": capacity * time, "positions": self.size * time, "duration": time}
        return ModelError(probability=found.row, cost={**cost, "failures": found.row})

    @property
    def num_states(self) -> int:
        """Number of states at an epoch."""
        return self.counts.size * len(self.stocks)

    @property
    def initial_state(self) -> tuple[int, int]:
        """All components new, no spares."""
        return (0, 0)

    def state(
        self, counts: NDArray[np.int64] | list[int], on_hand: int, on_order: int
    ) -> tuple[int, int]:
        """Return the state of `counts` [conditions] with spares on hand and on order.

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
        return number, int(self.stock_index(on_hand, on_order))

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
    def axes(self) -> tuple[Axis, Axis]:
        """Counts and stock."""
        return Axis("counts", self.counts.size), Axis("stock", len(self.stocks))

    @cached_property
    def epoch(self) -> Epoch:
        """The system as a list of nodes: replace, order, pay, wear, deliver."""
        from sparing.models.load_sharing_nodes import load_sharing_nodes

        return Epoch(axes=self.axes, nodes=load_sharing_nodes(self))
