"""Service levels and limits: the price of downtime, of money or of room that makes a plan fit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

from sparing.evaluate.network_measures import evaluate_plans
from sparing.evaluate.network_plan import (
    NetworkSolution,
    PartPlan,
    SolveOptions,
    largest_states,
    solve_part,
)
from sparing.exact.progress import Parts, ProgressHook
from sparing.models.network_nodes import NetworkNodes
from sparing.models.spares_network import Part, SparesNetwork

DOUBLINGS = 24  # of a price, up or down, before it is given up
CLOSE = 1e-4  # relative distance of two prices of downtime that are one
MOST_PRICES = 60
GAP = 1e-9  # relative duality gap below which a multiplier is found


def solve_for_sla(
    problem: SparesNetwork, options: SolveOptions, progress: ProgressHook | None
) -> NetworkSolution:
    """Scale all prices of downtime by the least factor whose plan meets ``problem.sla``.

    Bisection on the factor, up to 0.01 %. The service is that of the plan, evaluated exactly; the
    objective is at the scaled prices.

    Raises
    ------
    ValueError
        If no factor up to 2^24 meets it, or there is no price of downtime to scale.
    """
    started = time.monotonic()
    if not any(x.downtime_cost > 0.0 for part in problem.parts for x in part.sites):
        raise ValueError("sla needs a downtime_cost above 0, which it scales.")
    assert problem.sla is not None
    search, parts = _Downtime(problem, options), Parts(progress)
    low, high = 0.0, inf
    factor = 1.0
    while len(search.tried) < MOST_PRICES and high > low * (1.0 + CLOSE):
        if search.service(factor, parts.named(f"downtime x {factor:.6g}")) >= problem.sla:
            high = factor
        else:
            low = factor
        factor = _next(low, high)
        if not 2.0**-DOUBLINGS <= factor <= 2.0**DOUBLINGS:
            break
    if high == inf:
        raise ValueError(
            f"sla {problem.sla} cannot be met: with downtime at {low:g} times its price the"
            f" plan reaches {search.tried[low]:.6f}. Raise stocks, capacities or backorders."
        )
    plans = tuple(
        replace(plan, part=part, nodes=NetworkNodes(problem, part))
        for plan, part in zip(search.plans[high], problem.parts, strict=True)
    )
    remark = (
        f"sla {problem.sla}: met with {search.tried[high]:.6f} by downtime at {high:.6g} times"
        " its price; the objective is at that price, the metrics at the price given."
    )
    return NetworkSolution(
        problem=problem,
        plans=plans,
        lower=sum(plan.lower for plan in plans),
        upper=sum(plan.upper for plan in plans),
        states=largest_states(problem),
        num_sweeps=problem.periods * len(plans) * len(search.tried),
        seconds=time.monotonic() - started,
        remarks=(remark,),
        details={"downtime_factor": high, "sla": search.tried[high]},
    )


def _next(low: float, high: float) -> float:
    """Return the price to try between one that is too low and one that is high enough."""
    if high == inf:
        return 2.0 * low
    return high / 2.0 if low == 0.0 else float((low * high) ** 0.5)


class _Downtime:
    """Plans by the factor on the price of downtime."""

    def __init__(self, problem: SparesNetwork, options: SolveOptions) -> None:
        self.problem, self.options = problem, options
        self.tried: dict[float, float] = {}
        self.plans: dict[float, tuple[PartPlan, ...]] = {}

    def service(self, factor: float, progress: ProgressHook | None) -> float:
        """Return the share of site time without backorder of the plan at `factor`."""
        priced = replace(
            self.problem, parts=tuple(_priced(part, factor) for part in self.problem.parts)
        )
        plans = tuple(
            solve_part(priced, part, _in_memory(self.options), progress=progress)
            for part in priced.parts
        )
        plain = replace(priced, discount=1.0)
        found = evaluate_plans(
            plain, plans, {"short": {"sites short": 1.0}}, num_threads=self.options.num_threads
        )
        sites = sum(len(part.sites) for part in priced.parts)
        self.tried[factor] = 1.0 - found["short"].value / (sites * priced.periods)
        self.plans[factor] = plans
        return self.tried[factor]


def _priced(part: Part, factor: float) -> Part:
    locations = [
        replace(x, downtime_cost=factor * x.downtime_cost) if x.is_site else x
        for x in part.locations
    ]
    return replace(part, locations=tuple(locations))


def _in_memory(options: SolveOptions) -> SolveOptions:
    """Return the options for one solve of many: nothing goes to disk."""
    return replace(options, policy_dir=None, checkpoint_dir=None)


@dataclass(frozen=True, eq=False)
class _Priced:
    """The plans at one multiplier: their cost and use at its true price, and a lower bound."""

    multiplier: float
    plans: tuple[PartPlan, ...]
    cost: float
    slack: float  # what rounding can hide in the cost
    use: float
    bound: float


def solve_with_limit(
    problem: SparesNetwork, options: SolveOptions, progress: ProgressHook | None
) -> NetworkSolution:
    """Plan all parts under one limit in expectation: a `budget`, or a `volume_limit`.

    A multiplier prices what is limited, so that parts are solved one by one (Everett 1963). Every
    multiplier gives a lower bound of the optimum; bisection, at the multiplier where the two
    plans around the limit cost the same, finds the highest. The plan is the cheapest found that
    keeps the limit, and the distance of its cost to the bound is the duality gap. With a discount
    below 1, expectations count periods by their discounts.

    Raises
    ------
    ValueError
        If no plan keeps the limit.
    """
    started, parts = time.monotonic(), Parts(progress)
    search = _Limit(problem, options)
    found = [search.at(0.0, parts.named("no price"))]
    multiplier = max(found[0].cost, 1.0) / max(found[0].use, 1.0)
    while found[-1].use > search.limit and len(found) <= DOUBLINGS:
        found.append(search.at(multiplier, parts.named(f"price {multiplier:.6g}")))
        multiplier *= 2.0
    if found[-1].use > search.limit:
        raise ValueError(
            f"{search.name} {search.limit:g} cannot be kept: no plan found needs less than"
            f" {min(plan.use for plan in found):g} in expectation."
        )
    while len(found) < MOST_PRICES:
        above = min((p for p in found if p.use > search.limit), key=lambda p: p.use, default=None)
        below = min((p for p in found if p.use <= search.limit), key=lambda p: p.cost)
        if above is None or not below.use < above.use:
            break
        chord = (below.cost - above.cost) / (above.use - below.use)
        crossing = above.cost + chord * (above.use - search.limit)
        best = max(plan.bound for plan in found)
        if crossing - best <= GAP * max(1.0, abs(best)) or chord in {p.multiplier for p in found}:
            break
        found.append(search.at(chord, parts.named(f"price {chord:.6g}")))
    return search.solution(found, time.monotonic() - started)


class _Limit:
    """What is limited, and plans by its multiplier."""

    def __init__(self, problem: SparesNetwork, options: SolveOptions) -> None:
        self.problem, self.options = problem, options
        periods = sum(problem.discount**t for t in range(problem.periods))
        if problem.budget is not None:
            self.name, self.limit = "budget", float(problem.budget)
            self.use: Mapping[str, float] = {"order": 1.0}
        else:
            limits = [x.volume_limit for x in problem.locations if x.volume_limit is not None]
            self.name, self.limit = "volume_limit", float(limits[0])
            self.use = {"volume": 1.0 / periods}

    def at(self, multiplier: float, progress: ProgressHook | None) -> _Priced:
        """Return the plans at this multiplier."""
        problem = self.problem
        weights = dict(problem.weights)
        for kind, use in self.use.items():
            weights[kind] = weights.get(kind, 0.0) + multiplier * use
        plans = tuple(
            solve_part(problem, part, _in_memory(self.options), weights=weights, progress=progress)
            for part in problem.parts
        )
        measures = {"cost": problem.weights, "use": self.use}
        found = evaluate_plans(problem, plans, measures, num_threads=self.options.num_threads)
        return _Priced(
            multiplier=multiplier,
            plans=plans,
            cost=found["cost"].value,
            slack=(found["cost"].upper - found["cost"].lower) / 2.0,
            use=found["use"].value,
            bound=sum(plan.lower for plan in plans) - multiplier * self.limit,
        )

    def solution(self, found: list[_Priced], seconds: float) -> NetworkSolution:
        """Return the cheapest plans that keep the limit, with the best bound."""
        chosen = min((p for p in found if p.use <= self.limit), key=lambda p: p.cost)
        best = max(found, key=lambda p: p.bound)
        upper = chosen.cost + chosen.slack
        remark = (
            f"{self.name} {self.limit:g}: the plan needs {chosen.use:.6g} in expectation;"
            f" multiplier {best.multiplier:.6g}, duality gap {upper - best.bound:.3g}."
        )
        return NetworkSolution(
            problem=self.problem,
            plans=chosen.plans,
            lower=best.bound,
            upper=upper,
            states=largest_states(self.problem),
            num_sweeps=self.problem.periods * len(chosen.plans) * len(found),
            seconds=seconds,
            remarks=(remark,),
            details={
                "multiplier": best.multiplier,
                "use": chosen.use,
                "duality_gap": upper - best.bound,
                "prices_tried": float(len(found)),
            },
        )
