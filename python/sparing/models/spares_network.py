"""System 3: spare parts on a tree of locations, under a failure rate that is learned on the way.

The rate of a part is Gamma distributed a priori and shared by its sites; failures are Poisson, so
what is believed is told by failures and exposure so far: the belief is one more axis of the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from sparing._checks import Frozen, check_number
from sparing.models.network_checks import checked_locations, checked_parts
from sparing.models.network_location import EXTERNAL, Location
from sparing.models.network_values import (
    GammaPrior,
    HyperScoreTargets,
    OutstandingOrder,
    UnitAge,
    check_whole,
)

if TYPE_CHECKING:
    from sparing.epoch import Epoch

__all__ = [
    "EXTERNAL",
    "GammaPrior",
    "HyperScoreTargets",
    "Location",
    "OutstandingOrder",
    "Part",
    "SparesNetwork",
    "UnitAge",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part(Frozen):
    """One part type: what is believed about its failures, and its stocks at every location.

    Parameters
    ----------
    prior
        Belief about the failure rate at the start, shared by all its sites.
    truncate
        Failures of a site in a period are counted up to this number; the rest of the predictive
        distribution is lumped there.
    locations
        Its own costs, capacities and lead times; the tree is the same for all parts.
    volume
        Of one unit, against the `volume_limit` of a location.
    """

    name: str
    prior: GammaPrior
    truncate: int
    locations: tuple[Location, ...]
    volume: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"a part's name must be a text; got {self.name!r}.")
        try:
            if not isinstance(self.prior, GammaPrior):
                raise ValueError(f"prior must be a GammaPrior; got {self.prior!r}.")
            check_whole("truncate", self.truncate, 1)
            check_number("volume", self.volume, at_least=0.0)
            object.__setattr__(self, "locations", checked_locations(self.locations))
        except ValueError as error:
            raise ValueError(f"part {self.name!r}: {error}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the locations, in file order."""
        return tuple(location.name for location in self.locations)

    @property
    def sites(self) -> tuple[Location, ...]:
        """The locations at which units fail, in file order."""
        return tuple(location for location in self.locations if location.is_site)

    @cached_property
    def suppliers(self) -> tuple[int, ...]:
        """Position of each location's supplier; -1 for external."""
        return tuple(
            -1 if location.supplier == EXTERNAL else self.names.index(location.supplier)
            for location in self.locations
        )

    @cached_property
    def top_down(self) -> tuple[int, ...]:
        """Positions of the locations, each behind its supplier, else in file order."""
        placed: list[int] = []
        while len(placed) < len(self.locations):
            placed += [
                i
                for i, supplier in enumerate(self.suppliers)
                if i not in placed and (supplier < 0 or supplier in placed)
            ]
        return tuple(placed)


@dataclass(frozen=True, kw_only=True, eq=False)
class SparesNetwork(Frozen):
    """Where to stock how many spares over some review periods.

    Parameters
    ----------
    parts
        One part type or more; they share nothing but the limits.
    periods
        Review periods of the horizon.
    discount
        Weight of the next period's cost, in (0, 1].
    period_hours
        Length of a period [h]; None: results are per period.
    sla
        Wanted share of site time without backorder, met by the price of downtime; None: none.
    budget
        Most that orders may cost over the horizon, in expectation; None: no limit.
    belief_levels
        Most values of the failures-so-far axis. Counts beyond the last are taken as the last, so
        the belief saturates; None: it never does, and the solution is exact.
    rolling
        Periods that a rolling horizon looks ahead; None: plan to the end.
    hyper_score
        Targets and weights of the HyperScore; None: there is none.
    """

    parts: tuple[Part, ...]
    periods: int
    discount: float = 1.0
    period_hours: float | None = None
    sla: float | None = None
    budget: float | None = None
    belief_levels: int | None = None
    rolling: int | None = None
    hyper_score: HyperScoreTargets | None = None
    name: str = "spares-network"
    weights: Mapping[str, float] = field(init=False)  # of the kinds of cost

    def __post_init__(self) -> None:
        check_whole("periods", self.periods, 1)
        if not 0.0 < check_number("discount", self.discount) <= 1.0:
            raise ValueError(f"discount must be in (0, 1]; got {self.discount:g}.")
        for name in ("period_hours", "budget"):
            value = getattr(self, name)
            if value is not None and not check_number(name, value) > 0.0:
                raise ValueError(f"{name} must be > 0; got {value:g}.")
        if self.sla is not None and not 0.0 < check_number("sla", self.sla) < 1.0:
            raise ValueError(f"sla must be above 0 and below 1; got {self.sla:g}.")
        for name in ("belief_levels", "rolling"):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name), 1)
        if not isinstance(self.hyper_score, HyperScoreTargets | None):
            raise ValueError(f"hyper_score must be HyperScoreTargets; got {self.hyper_score!r}.")
        object.__setattr__(self, "parts", checked_parts(self.parts, self.periods))
        kinds = ("order", "holding", "downtime", "emergency")
        object.__setattr__(self, "weights", dict.fromkeys(kinds, 1.0))
        if self.budget is not None and any(x.volume_limit is not None for x in self.locations):
            raise ValueError("give a budget or a volume_limit, not both: one limit is priced.")
        if sum(location.volume_limit is not None for location in self.locations) > 1:
            raise ValueError("volume_limit: one location can have one, as one limit is priced.")

    @property
    def locations(self) -> tuple[Location, ...]:
        """The locations of the first part; names and suppliers are those of every part."""
        return self.parts[0].locations

    def only(self, part: Part) -> SparesNetwork:
        """Return the network of one part, without limits."""
        freed = [replace(location, volume_limit=None) for location in part.locations]
        alone = replace(part, locations=tuple(freed))
        return replace(self, parts=(alone,), budget=None)

    def epochs(self, part: Part | None = None) -> list[Epoch]:
        """Return one list of nodes per period, of `part` (default: the only one)."""
        from sparing.models.network_nodes import network_epochs

        return network_epochs(self, self.one(part))

    def initial_state(self, part: Part | None = None) -> tuple[int, ...]:
        """Return where `part` stands at the start, along the axes of its first epoch."""
        from sparing.models.network_nodes import initial_state

        return initial_state(self.one(part))

    def one(self, part: Part | None = None) -> Part:
        """Return `part`, or the only part there is."""
        if part is None and len(self.parts) > 1:
            raise ValueError(f"part must be one of {[p.name for p in self.parts]}; none given.")
        return self.parts[0] if part is None else part
