"""One component of a multi-component system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sparing._checks import Frozen, check_stochastic, frozen_array

COST_KINDS = ("maintenance", "set-up", "downtime")  # what the measure "cost" adds up
SPARE_KINDS = ("holding", "order", "emergency")  # and these too, where spares are stocked
RESERVED = (
    *COST_KINDS,
    *SPARE_KINDS,
    "goal",
    "reliability",
    "cost",
    "cost_rate",
    "unavailability",
    "objective",
)
RESERVED_KEYS = ("criterion", "discount")  # of the section that names goals in a case file


@dataclass(frozen=True, kw_only=True, eq=False)
class Component(Frozen):
    """One component with states 0 (as good as new) to m (failed).

    Parameters
    ----------
    name
        Its name in the structure and in the state.
    transition
        Shape (m + 1, m + 1): chance to degrade from state i to j between two inspections.
    maintenance_cost
        Shape (m + 1, m + 1): cost of bringing it from state i to state j <= i; inf: cannot be
        done. Entries above the diagonal are never used.
    criteria
        Further kinds of cost of the same shape, e.g. the exposure of workers.
    """

    name: str
    transition: NDArray[np.float64]
    maintenance_cost: NDArray[np.float64]
    criteria: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"a component's name must be a text; got {self.name!r}.")
        place = f"component {self.name!r}"
        for kind in self.criteria:
            if kind in (*RESERVED, *RESERVED_KEYS):
                raise ValueError(
                    f"{place}: criteria.{kind} must have another name; {kind!r} is taken."
                )
        transition = frozen_array(f"{place}: transition", self.transition)
        size = len(transition) if transition.ndim else 0
        if transition.shape != (size, size) or size < 2:
            raise ValueError(
                f"{place}: transition must be square with 2 states or more; got shape"
                f" {transition.shape}."
            )
        check_stochastic(f"{place}: transition", transition)
        cost = frozen_array(f"{place}: maintenance_cost", self.maintenance_cost, shape=(size, size))
        extra = {
            kind: frozen_array(f"{place}: criteria.{kind}", matrix, shape=(size, size))
            for kind, matrix in self.criteria.items()
        }
        for i in range(size):
            for j in range(i + 1):
                if not cost[i, j] >= 0.0:
                    raise ValueError(
                        f"{place}: maintenance_cost[{i}, {j}] must be at least 0 (or inf);"
                        f" got {cost[i, j]:g}."
                    )
                for kind, matrix in extra.items():
                    if not np.isfinite(matrix[i, j]):
                        raise ValueError(
                            f"{place}: criteria.{kind}[{i}, {j}] must be finite;"
                            f" got {matrix[i, j]:g}."
                        )
            if np.isinf(cost[i, : i + 1]).all():
                raise ValueError(
                    f"{place}: state {i} allows no action: row {i} of maintenance_cost is inf."
                )
        for name, value in (("transition", transition), ("maintenance_cost", cost)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "criteria", MappingProxyType(extra))

    @property
    def num_states(self) -> int:
        """Number of states m + 1."""
        return len(self.transition)

    @property
    def failed(self) -> int:
        """The failed state m."""
        return self.num_states - 1

    def entries(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the allowed maintenance (from state, to state), row by row."""
        allowed = np.tril(np.isfinite(self.maintenance_cost))
        rows, to = np.nonzero(allowed)
        return rows, to
