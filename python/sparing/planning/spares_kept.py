"""Going on by the stock policy in force: read at what is believed and what stands where now."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import floor
from pathlib import Path
from typing import Any

import numpy as np

from sparing.evaluate.network_plan import PartPlan
from sparing.models.network_location import Location
from sparing.models.network_nodes import NetworkNodes
from sparing.models.spare import GammaLeadTime
from sparing.models.spares_network import Part, SparesNetwork
from sparing.planning.scoring import PeriodScore
from sparing.planning.spares_in_force import SolvedStock, decided, plan_of_tables
from sparing.planning.spares_input import SparesInput
from sparing.planning.spares_methods import StockPolicy
from sparing.planning.spares_problem import judged
from sparing.planning.spares_scoring import ReviewRecords
from sparing.simulate.spares_network import PartPolicy

MOST_LATE = 0.05  # of orders that may take longer than a kept policy knows, which has them come


@dataclass(frozen=True, kw_only=True, eq=False)
class GoingOn:
    """The policy in force from now on.

    Parameters
    ----------
    network
        Over the reviews that are left, with what is believed and what stands where now.
    """

    network: SparesNetwork
    policy: StockPolicy


@dataclass(frozen=True, kw_only=True, eq=False)
class StockDecision:
    """Whether the stocks were planned anew, and why or why not.

    Parameters
    ----------
    score
        Of the reviews that ended since the last plan, as a whole; None: none did, or no stock is
        on record.
    going_on
        Where the policy is kept.
    """

    resolved: bool
    reason: str
    score: PeriodScore | None
    going_on: GoingOn | None


@dataclass(frozen=True, kw_only=True, eq=False)
class StockInForce:
    """The last plan of the stocks, to be kept or not.

    Parameters
    ----------
    solved
        The policy in force, or why there is none to keep.
    last_day
        Of the last plan, since 1970: reviews that ended since are new.
    resolve
        True: plan anew, False: keep if it fits; None: by the score.
    unmoved
        Why nothing about the stocks is new, so that they are kept without a score; empty: it is.
    """

    solved: SolvedStock | str
    last_day: float
    resolve: bool | None = None
    unmoved: str = ""

    def decide(self, source: SparesInput, longer: SparesNetwork) -> StockDecision:
        """Return whether to go on by the policy, in the network that is estimated now."""
        if isinstance(self.solved, str):
            return StockDecision(
                resolved=True, reason=f"planned anew: {self.solved}.", score=None, going_on=None
            )
        score = self._score(source, longer, self.solved)
        found = going_on(self.solved, source, longer)
        if isinstance(found, str):
            resolved, reason = True, f"planned anew: {found}."
        else:
            resolved, reason = self._by_score(score, source)
        kept = None if resolved or isinstance(found, str) else found
        return StockDecision(resolved=resolved, reason=reason, score=score, going_on=kept)

    def _score(
        self, source: SparesInput, network: SparesNetwork, solved: SolvedStock
    ) -> PeriodScore | None:
        records = ReviewRecords(source, network, solved.day)
        first, last = records.number(self.last_day), records.last - 1
        if self.unmoved or source.stock is None or last < max(first, records.first):
            return None
        return records.score(source.settings.scoring.targets(solved.expected), first, last)

    def _by_score(self, score: PeriodScore | None, source: SparesInput) -> tuple[bool, str]:
        threshold = source.settings.scoring.resolve_below
        scored = "no review has ended since the last plan"
        if source.stock is None:
            scored = "no stock is on record to score"
        elif score is not None:
            count = round((score.end - score.start) / source.settings.period)
            reviews = (
                "review that ended scores" if count == 1 else f"{count} reviews that ended score"
            )
            scored = f"the {reviews} {score.score:.2f}"
        if self.unmoved:
            return False, f"policy kept: {self.unmoved}."
        if self.resolve is not None:
            return (
                self.resolve,
                f"{'planned anew' if self.resolve else 'policy kept'} as asked; {scored}.",
            )
        if score is None:
            return False, f"policy kept: {scored}."
        if score.score < threshold:
            return True, f"planned anew: {scored}, below {threshold:g}."
        return False, f"policy kept: {scored}, not below {threshold:g}."


def stock_in_force(folder: Path, last_day: float, **options: Any) -> StockInForce:
    """Return the policy in force that a plan saved in its folder `spares`."""
    solved: SolvedStock | str
    try:
        solved = SolvedStock.load(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        solved = f"the earlier policy cannot be read ({error})"
    return StockInForce(solved=solved, last_day=last_day, **options)


def going_on(solved: SolvedStock, source: SparesInput, longer: SparesNetwork) -> GoingOn | str:
    """Return the policy in force from now on, or why it does not fit any more.

    An exact plan is read at the review that is nearest, behind its own day at the second one, as
    the first knows of no failures since; and at the number of failures at which its belief has the
    mean rate that is believed now: that is what was seen where exposure and records are as planned,
    and the nearest otherwise.

    Parameters
    ----------
    longer
        The network that is estimated now.
    """
    if json.loads(json.dumps(source.settings.planned_for)) != solved.planned_for:
        return "plan.toml has other parts, locations, costs or reviews than before"
    old, names = solved.network, [part.name for part in longer.parts]
    if names != [part.name for part in old.parts]:
        return f"the parts on record are others than before: {', '.join(names)}"
    exact = [name for name, policy in solved.policies.items() if isinstance(policy, PartPlan)]
    since = (source.now - solved.day) / source.settings.period
    over = max(floor(since + 0.5), 1) if exact and since > 0.0 else 0
    if over >= old.periods:
        return f"the {old.periods} reviews of its exact plans are over"
    try:
        parts = [
            _as_planned(part, before, exact=part.name in exact)
            for part, before in zip(longer.parts, old.parts, strict=True)
        ]
        network = judged(
            replace(longer, parts=tuple(parts), belief_levels=old.belief_levels),
            old.periods - over,
        )
        policies = dict[str, PartPolicy](solved.policies)
        for part, before in zip(network.parts, old.parts, strict=True):
            plan = policies[part.name]
            if isinstance(plan, PartPlan):
                policies[part.name] = _rest(plan, before, NetworkNodes(network, part), over)
    except ValueError as error:
        return str(error).rstrip(".")
    return GoingOn(
        network=network,
        policy=StockPolicy(
            choices=solved.choices, solution=None, policies=policies, price=solved.price
        ),
    )


def _as_planned(part: Part, old: Part, *, exact: bool) -> Part:
    """Return a part as it is now, with the axes of the model that its policy was made in.

    Raises
    ------
    ValueError
        If what stands where now, or how long orders take, does not fit.
    """
    if not exact:
        places = [
            replace(place, capacity=max(place.capacity, before.capacity))
            for place, before in zip(part.locations, old.locations, strict=True)
        ]
        return replace(part, locations=tuple(places))
    if any(place.age for place in old.locations):
        raise ValueError(f"{part.name}: plans that follow the ages of units are not kept")
    places = [
        _place_as_planned(part.name, place, before)
        for place, before in zip(part.locations, old.locations, strict=True)
    ]
    return replace(part, truncate=old.truncate, locations=tuple(places))


def _place_as_planned(name: str, place: Location, old: Location) -> Location:
    from scipy.stats import gamma  # here, so that importing sparing stays quick

    what, lead = f"{name} at {place.name}", place.lead_time
    if isinstance(old.lead_time, GammaLeadTime) and isinstance(lead, GammaLeadTime):
        longest = old.lead_time.longest
        late = float(gamma.sf(longest, lead.shape, scale=lead.scale))
        if late > MOST_LATE:
            raise ValueError(
                f"{what}: {late:.0%} of orders take longer now than {longest} reviews, the most"
                " that the policy knows"
            )
        lead = replace(lead, longest=longest)
    elif lead != old.lead_time:
        raise ValueError(f"{what}: its lead time is of another kind than before")
    if place.is_site != old.is_site:
        raise ValueError(f"{what}: units are installed where none were, or the reverse")
    try:
        return replace(
            place,
            capacity=old.capacity,
            max_order=old.largest_order,
            backorders=old.backorders,
            lead_time=lead,
        )
    except ValueError as error:
        raise ValueError(f"{what}: the stock of now does not fit its policy ({error})") from None


def _rest(plan: PartPlan, old: Part, nodes: NetworkNodes, over: int) -> PartPlan:
    """Return the tables of a plan from review `over` on, at what is believed now.

    Raises
    ------
    ValueError
        If more failures are believed in than the plan can hold.
    """
    exposure = sum(float(site.exposures(len(plan.policies))[:over].sum()) for site in old.sites)
    seen = max(round(nodes.part.prior.mean * (old.prior.rate + exposure) - old.prior.shape), 0)
    if seen >= plan.nodes.belief_states(over) and over > 0:
        raise ValueError(
            f"{nodes.part.name}: it fails more often than the policy was made to believe"
        )
    tables = []
    for review in range(len(plan.policies) - over):
        table = decided(plan, over + review)
        beliefs = seen + np.arange(nodes.belief_states(review))
        tables.append(table[np.minimum(beliefs, len(table) - 1)])
    return plan_of_tables(nodes, tables)
