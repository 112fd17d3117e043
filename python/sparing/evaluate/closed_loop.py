"""The closed loop: records in, belief updated, what to order looked up or solved anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from sparing._checks import check_number
from sparing.evaluate.network_plan import NetworkSolution, PartPlan
from sparing.evaluate.network_solution import solve_network
from sparing.models.network_failures import exposure_levels
from sparing.models.network_values import check_whole
from sparing.models.spares_network import Part, SparesNetwork
from sparing.records.failures import FailureRecord

TOLERANCE = 0.01  # relative difference of exposures up to which a plan is looked up


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where one part stands at a review: stocks by location in file order, and what was seen.

    Attributes
    ----------
    net
        On hand less failures that wait.
    ordered, age
        The order under way, and the reviews since it was placed; 0 where there is none.
    age_bins
        Of the oldest unit, at sites that count them; else 0.
    failures, exposure
        Seen since the prior was stated.
    """

    period: int
    net: tuple[int, ...]
    ordered: tuple[int, ...]
    age: tuple[int, ...]
    age_bins: tuple[int, ...]
    failures: int
    exposure: float


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What to order of one part now.

    Attributes
    ----------
    orders
        Location -> quantity.
    source
        "looked up" in the plan that was solved at the start, or "re-solved" with the belief as
        prior, where the exposure was not that of the plan.
    shape, rate
        Of the Gamma belief now.
    """

    part: str
    orders: Mapping[str, int]
    source: Literal["looked up", "re-solved"]
    shape: float
    rate: float


@dataclass(eq=False)
class ClosedLoop:
    """Decides at each review by the optimal plan for what is believed by then.

    Parameters
    ----------
    solution
        The plan that was solved at the start, whose belief axis holds the failures so far. It is
        looked up as long as the exposure is that of the case; else the rest of the horizon is
        solved anew, once per period and belief, for the exposure to three digits.
    tolerance
        Relative difference up to which two exposures are one.
    """

    solution: NetworkSolution
    tolerance: float = TOLERANCE
    _solved: dict[tuple[str, int, int, float], PartPlan] = field(default_factory=dict, repr=False)

    def advise(self, part: Part, standing: Standing) -> Advice:
        """Return what to order of `part`.

        Raises
        ------
        ValueError
            If the period is not of the horizon, or the standing is of other locations.
        """
        network = self.solution.problem
        check_standing(network, part, standing)
        belief = part.prior.posterior(standing.failures, standing.exposure)
        plan = next(plan for plan in self.solution.plans if plan.part.name == part.name)
        looked_up = is_planned(network, plan, standing, self.tolerance)
        if looked_up:
            state = state_of(network, plan, standing)
            quantities = plan.orders(standing.period, state)
        else:
            plan = self._resolved(part, standing)
            quantities = plan.orders(0, self._state_anew(plan, standing))
        orders = dict(zip(part.names, quantities.tolist(), strict=True))
        return Advice(
            part=part.name,
            orders={name: int(quantity) for name, quantity in orders.items()},
            source="looked up" if looked_up else "re-solved",
            shape=belief.shape,
            rate=belief.rate,
        )

    def _resolved(self, part: Part, standing: Standing) -> PartPlan:
        near = float(f"{standing.exposure:.3g}")
        key = (part.name, standing.period, standing.failures, near)
        if key not in self._solved:
            rest = remaining_network(self.solution.problem, part, replace(standing, exposure=near))
            self._solved[key] = solve_network(rest).plans[0]
        return self._solved[key]

    def _state_anew(self, plan: PartPlan, standing: Standing) -> tuple[int, ...]:
        fresh = replace(standing, period=0, failures=0, exposure=0.0)
        rest = SparesNetwork(parts=(plan.part,), periods=len(plan.policies))
        return state_of(rest, plan, fresh)


def seen_in(records: Sequence[FailureRecord], part: Part) -> tuple[int, float]:
    """Return failures and exposure of `part` in records, over its sites.

    Raises
    ------
    ValueError
        If a record of the part is of a location that is no site of it.
    """
    sites = [site.name for site in part.sites]
    failures, exposure = 0, 0.0
    for record in records:
        if record.component != part.name:
            continue
        if record.location not in sites:
            raise ValueError(
                f"{part.name}: records are of {record.location!r}, which is no site of the case;"
                f" sites: {', '.join(sites)}."
            )
        failures += record.failures
        exposure += record.exposure
    return failures, exposure


def check_standing(network: SparesNetwork, part: Part, standing: Standing) -> None:
    """Raise unless `standing` is one of `part` within the horizon."""
    if not 0 <= standing.period < network.periods:
        raise ValueError(
            f"period must be one of 0..{network.periods - 1}, the horizon; got {standing.period}."
        )
    check_whole("failures", standing.failures, 0)
    check_number("exposure", standing.exposure, at_least=0.0)
    for name in ("net", "ordered", "age", "age_bins"):
        given = getattr(standing, name)
        if len(given) != len(part.locations):
            raise ValueError(
                f"{name} must have one number per location, {len(part.locations)}; got"
                f" {len(given)}."
            )
    for location, net, ordered in zip(part.locations, standing.net, standing.ordered, strict=True):
        if not -location.backorders <= net <= location.capacity:
            raise ValueError(
                f"stock at {location.name!r} must be in {-location.backorders}.."
                f"{location.capacity} (backorders, capacity); got {net}."
            )
        most = min(location.largest_order, location.capacity - max(net, 0))
        if not 0 <= ordered <= most:
            raise ValueError(
                f"the order under way to {location.name!r} must be 0..{most}; got {ordered}."
            )


def is_planned(
    network: SparesNetwork, plan: PartPlan, standing: Standing, tolerance: float
) -> bool:
    """Whether the plan's belief axis holds what was seen: its exposure, and no more failures."""
    levels = exposure_levels(network, plan.part)[standing.period][0]
    near = min(abs(float(level) - standing.exposure) for level in levels)
    most = plan.policies[standing.period].epoch.axes[-1].size - 1
    return near <= max(tolerance * standing.exposure, 1e-9) and standing.failures <= most


def state_of(network: SparesNetwork, plan: PartPlan, standing: Standing) -> tuple[int, ...]:
    """Return the exact model's state in which a part stands, or the nearest there is.

    An order older than the longest lead time counts as of that age; exposure and failures that the
    belief cannot hold count as the nearest that it can.
    """
    state = []
    for i, stock in enumerate(plan.nodes.stocks):
        oldest, ordered = len(stock.location.arrival) - 1, standing.ordered[i]
        net = min(max(standing.net[i], -stock.location.backorders), stock.location.capacity)
        waits = ordered > 0 and oldest > 0
        age = min(max(standing.age[i], 1), oldest) if waits else 0
        tuples = (np.array(v) for v in (net, ordered if waits else 0, age))
        state.append(int(stock.found.index(*tuples)))
    part = plan.part
    ages = [b for b, x in zip(standing.age_bins, part.locations, strict=True) if x.age is not None]
    exposures = []
    if ages:
        levels = exposure_levels(network, part)[standing.period][0]
        exposures = [int(np.argmin([abs(float(x) - standing.exposure) for x in levels]))]
    most = plan.policies[standing.period].epoch.axes[-1].size - 1
    return (*state, *ages, *exposures, min(standing.failures, most))


def remaining_network(network: SparesNetwork, part: Part, standing: Standing) -> SparesNetwork:
    """Return the rest of the horizon of one part, with what is believed by now as its prior.

    Stocks at the start are those of the case: a plan covers every stock.
    """
    locations = []
    for location in part.locations:
        rest = location.exposure
        if isinstance(rest, tuple):
            rest = rest[standing.period :]
        locations.append(replace(location, exposure=rest, outstanding=None, volume_limit=None))
    return replace(
        network.only(part),
        parts=(
            replace(
                part,
                prior=part.prior.posterior(standing.failures, standing.exposure),
                locations=tuple(locations),
            ),
        ),
        periods=network.periods - standing.period,
    )
