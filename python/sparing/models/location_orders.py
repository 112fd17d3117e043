"""Orders that each location decides for itself, knowing its own stock and all failures so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing._checks import Frozen, frozen_array
from sparing.models.spares_network import Part, SparesNetwork


@dataclass(frozen=True, kw_only=True, eq=False)
class LocationOrders(Frozen):
    """What a location orders while nothing is outstanding, for one part.

    Parameters
    ----------
    quantity
        Shape (periods, failures, locations, stocks): by period, failures at all sites so far, and
        stock + backorders of the location. Counts beyond the last are taken as the last. What does
        not fit or is not on the supplier's shelf is left out, in file order.
    """

    quantity: NDArray[np.int32]

    def __post_init__(self) -> None:
        quantity = frozen_array("quantity", self.quantity, np.int32)
        if quantity.ndim != 4 or not quantity.size:
            raise ValueError(
                "quantity must have shape (periods, failures, locations, stocks); got"
                f" {quantity.shape}."
            )
        for place in np.argwhere(quantity < 0)[:1]:
            raise ValueError(f"quantity must be at least 0; got one at {place.tolist()}.")
        object.__setattr__(self, "quantity", quantity)

    def check(self, problem: SparesNetwork, part: Part) -> None:
        """Raise unless these orders are for `part` of `problem`.

        Raises
        ------
        ValueError
            If a size differs, or ages of units are tracked: then the belief is more than a count.
        """
        periods, _, locations, _ = self.quantity.shape
        if (periods, locations) != (problem.periods, len(part.locations)):
            raise ValueError(
                f"quantity must be for {problem.periods} periods and {len(part.locations)}"
                f" locations; got {periods} and {locations}."
            )
        if any(site.age is not None for site in part.sites):
            raise ValueError(f"part {part.name!r}: orders by location know no ages of units.")
