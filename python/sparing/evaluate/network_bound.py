"""A lower bound of what any policy of a spares network costs, however large its tree.

Costs are dealt out to the echelons, each location's with all below it. Every echelon's problem
alone (`echelon_bound`) costs at least its minimum, and a sum of minima is at most the minimum of
the sum, whatever the shares; the best of several are taken, part by part (the idea of Clark and
Scarf 1960; cost shares are the multipliers of a Lagrangian decomposition, Guignard and Kim 1987).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.echelon_bound import Echelon, least_cost
from sparing.evaluate.location_plan import failure_law
from sparing.models.network_location import Location
from sparing.models.spares_network import Part, SparesNetwork

TAIL = 1e-6  # of failures, beyond which counts are the last one


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of the costs that are paid in pools, by depth below the outside supplier.

    Attributes
    ----------
    holding, downtime
        Of the pools of depth 0, 1, ...; what is left to 1 is paid at the sites. Emergencies go
        with downtime.
    """

    holding: tuple[float, ...]
    downtime: tuple[float, ...]


SHARES = (
    Shares(holding=(0.95, 0.03), downtime=(0.2, 0.1)),
    Shares(holding=(0.85, 0.1), downtime=(0.3, 0.2)),
    Shares(holding=(0.6, 0.2), downtime=(0.4, 0.2)),
)


@dataclass(frozen=True, kw_only=True)
class PartBound:
    """The bound of one part, and the shares at which it was found."""

    part: str
    lower: float
    shares: Shares


@dataclass(frozen=True, kw_only=True)
class NetworkBound:
    """No policy has an expected (discounted) cost over the horizon below `lower`."""

    lower: float
    parts: tuple[PartBound, ...]


def lower_bound(
    problem: SparesNetwork,
    *,
    shares: Sequence[Shares] = SHARES,
    num_threads: int = 1,
    told: Callable[[str], object] = lambda _: None,
) -> NetworkBound:
    """Return a lower bound of the cost of every policy, from the stocks at the start.

    It is one of the optimum without an SLA or a limit, and so of any with. Failures beyond a
    probability of `TAIL` count as the last that is not, and `truncate` cuts the sum over the sites:
    of one site that is the exact model, of several the one without `truncate` unless that is near.

    Raises
    ------
    ValueError
        If ages of units are tracked.
    """
    found = []
    for part in problem.parts:
        if any(site.age is not None for site in part.sites):
            raise ValueError(f"part {part.name!r}: the bound knows no ages of units; drop age.")
        told(part.name)
        found.append(_part_bound(problem, part, shares, num_threads))
    return NetworkBound(lower=sum(bound.lower for bound in found), parts=tuple(found))


def _part_bound(
    problem: SparesNetwork, part: Part, shares: Sequence[Shares], num_threads: int
) -> PartBound:
    exposure = np.sum([site.exposures(problem.periods) for site in part.sites], axis=0)
    law = _counted(failure_law(part, exposure, TAIL), part.truncate * len(part.sites))
    solved: dict[Echelon, float] = {}

    def value(echelon: Echelon) -> float:
        if echelon not in solved:
            solved[echelon] = least_cost(echelon, law, problem.discount, num_threads)
        return solved[echelon]

    found = []
    for dealt in shares:
        echelons, credit = _echelons(problem, part, dealt)
        found.append(sum(map(value, echelons)) - credit)
    best = int(np.argmax(found))
    return PartBound(part=part.name, lower=found[best], shares=shares[best])


def _counted(law: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return the law with failures of a period beyond `most` taken for `most`."""
    if law.shape[2] <= most + 1:
        return law
    counted = law[:, :, : most + 1].copy()
    counted[:, :, most] += law[:, :, most + 1 :].sum(axis=2)
    return counted


def _echelons(problem: SparesNetwork, part: Part, shares: Shares) -> tuple[list[Echelon], float]:
    """Return the echelons of all locations, and the credit for orders within at the start.

    A unit that is on its way within an echelon is in its stock and costs no holding. So a unit
    ordered earns its mean time on the way, times the holding cost paid in the pools above.
    """
    tree = _Tree(part)
    total = np.sum([site.exposures(problem.periods) for site in part.sites], axis=0)
    pooled = {i: tree.pooled(i, shares) for i in range(len(part.locations))}
    echelons, credit = [], 0.0
    for i, location in enumerate(part.locations):
        above = tree.above(i)
        holding, downtime, emergency = pooled[i]
        if location.is_site and not tree.below(i):
            holding = location.holding_cost - sum(pooled[k][0] for k in above)
            downtime = location.downtime_cost - sum(pooled[k][1] for k in above)
            emergency = (location.emergency_cost or 0.0) - sum(pooled[k][2] for k in above)
        waiting = np.cumprod(1.0 - np.asarray(location.arrival))  # P(lead time > j)
        earned = sum(pooled[k][0] for k in above)
        order = location.outstanding
        if order is not None:
            credit += earned * order.quantity * (len(location.arrival) - 1)
        inside = tree.below(i)
        places = [part.locations[k] for k in (i, *inside)]
        sites = [place for place in places if place.is_site]
        on_way = [part.locations[k].outstanding for k in inside]
        echelons.append(
            Echelon(
                pool=bool(inside),
                start=sum(x.initial for x in places) + sum(o.quantity for o in on_way if o),
                capacity=sum(x.capacity for x in places),
                backorders=sum(x.backorders for x in places),
                under_way=(order.quantity, order.age) if order else (0, 0),
                largest=location.largest_order,
                fixed=location.order_fixed,
                unit=location.order_unit - earned * float(waiting.sum()),
                holding=max(holding, 0.0),
                downtime=max(downtime, 0.0),
                emergency=max(emergency, 0.0),
                arrival=tuple(float(h) for h in location.arrival),
                share=_share(sites, total),
            )
        )
    return [echelon for echelon in echelons if any(echelon.share)], credit


def _share(sites: Sequence[Location], total: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the share [periods] of all exposure that these sites have."""
    own = np.sum([site.exposures(total.size) for site in sites], axis=0) + np.zeros_like(total)
    return tuple(np.minimum(np.round(own / total, 12), 1.0).tolist())


class _Tree:
    """Who is above and below whom."""

    def __init__(self, part: Part) -> None:
        self.part = part

    def above(self, i: int) -> list[int]:
        """Return the suppliers of `i`, the nearest first."""
        found = []
        while self.part.suppliers[i] >= 0:
            i = self.part.suppliers[i]
            found.append(i)
        return found

    def below(self, i: int) -> list[int]:
        """Return all locations that `i` supplies, directly or not."""
        return [k for k in range(len(self.part.locations)) if i in self.above(k)]

    def pooled(self, i: int, shares: Shares) -> tuple[float, float, float]:
        """Return holding, downtime and emergency cost that are paid in the pool of `i`."""
        inside = [self.part.locations[k] for k in (i, *self.below(i))]
        depth = len(self.above(i))
        if len(inside) == 1 or depth >= len(shares.holding):
            return 0.0, 0.0, 0.0
        sites = [x for x in inside if x.is_site]
        if not sites:
            return 0.0, 0.0, 0.0
        held, short = shares.holding[depth], shares.downtime[depth]
        return (
            held * min(x.holding_cost for x in inside),
            short * min(x.downtime_cost for x in sites),
            short * min(x.emergency_cost or 0.0 for x in sites),
        )
