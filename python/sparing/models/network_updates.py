"""A spares network some periods later: what was seen is the prior, what stands is the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sparing.models.network_location import Location
from sparing.models.network_values import OutstandingOrder, UnitAge
from sparing.models.spares_network import Part, SparesNetwork


@dataclass(frozen=True, kw_only=True)
class PartStatus:
    """How a part stands at a review.

    Parameters
    ----------
    failures, exposure
        Seen since the start, all sites together (the exposure with its multipliers of age).
    stock
        Location -> stock, negative for backorders; those left out stand as at the start.
    outstanding
        Location -> order under way; those left out have none.
    age
        Site -> age bin; those left out are in their first bin.
    """

    failures: float
    exposure: float
    stock: Mapping[str, int] = field(default_factory=dict)
    outstanding: Mapping[str, OutstandingOrder] = field(default_factory=dict)
    age: Mapping[str, int] = field(default_factory=dict)


def network_after(
    problem: SparesNetwork, period: int, statuses: Sequence[PartStatus]
) -> SparesNetwork:
    """Return what is left of `problem` at the review of `period`, one status per part.

    The belief is conjugate, so the Gamma posterior takes the prior's place and nothing is lost:
    solved anew, the rest has the value that the table of the whole holds for this state.

    Raises
    ------
    ValueError
        If the period is out of range, or a status does not fit.
    """
    if not 0 <= period < problem.periods:
        raise ValueError(f"period must be in 0..{problem.periods - 1}; got {period}.")
    if len(statuses) != len(problem.parts):
        raise ValueError(f"a status per part is needed, {len(problem.parts)}; got {len(statuses)}.")
    parts = [
        _part_after(part, period, status)
        for part, status in zip(problem.parts, statuses, strict=True)
    ]
    return replace(problem, parts=tuple(parts), periods=problem.periods - period)


def _part_after(part: Part, period: int, status: PartStatus) -> Part:
    for given in (status.stock, status.outstanding, status.age):
        for name in given:
            if name not in part.names:
                raise ValueError(f"unknown location {name!r}; known: {', '.join(part.names)}.")
    return replace(
        part,
        prior=part.prior.posterior(status.failures, status.exposure),
        locations=tuple(_location_after(x, period, status) for x in part.locations),
    )


def _location_after(location: Location, period: int, status: PartStatus) -> Location:
    exposure, age = location.exposure, location.age
    if age is not None:
        age = UnitAge(multiplier=age.multiplier, initial=status.age.get(location.name, 0))
    return replace(
        location,
        initial=status.stock.get(location.name, location.initial),
        outstanding=status.outstanding.get(location.name),
        exposure=exposure[period:] if isinstance(exposure, tuple) else exposure,
        age=age,
    )
