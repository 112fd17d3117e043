"""What a plan of a spares network costs and achieves, exactly: costs by kind, orders, service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sparing.evaluate.network_plan import PartPlan
from sparing.exact.finite_measures import evaluate_finite_horizon
from sparing.exact.policy_evaluation import Bounds
from sparing.models.network_nodes import COUNTS, NetworkNodes
from sparing.models.spares_network import SparesNetwork

HOURS_A_YEAR = 8760.0
METRIC_STATES = 1 << 21  # states of a period up to which a solve also evaluates the measures
COST_KINDS = ("holding", "order", "downtime", "emergency")


def evaluate_plans(
    problem: SparesNetwork,
    plans: Sequence[PartPlan],
    measures: Mapping[str, Mapping[str, float]],
    *,
    num_threads: int = 0,
) -> dict[str, Bounds]:
    """Return bounds of measures, each a weighted sum of kinds of cost, summed over parts.

    Every period counts by the discounts before it.
    """
    lower, upper = dict.fromkeys(measures, 0.0), dict.fromkeys(measures, 0.0)
    for plan in plans:
        nodes = NetworkNodes(problem, plan.part)
        found = evaluate_finite_horizon(
            nodes.epochs(),
            plan.policies,
            measures,
            initial=nodes.initial_state(),
            weights=problem.weights,
            num_threads=num_threads,
        )
        for name, bounds in found.items():
            lower[name] += bounds.lower
            upper[name] += bounds.upper
    return {name: Bounds(lower=lower[name], upper=upper[name]) for name in measures}


def network_metrics(
    problem: SparesNetwork, plans: Sequence[PartPlan], *, num_threads: int = 0
) -> dict[str, Bounds]:
    """Return the measures of `plans` over the horizon, undiscounted.

    Costs by kind and in all, orders, emergencies, ``unit_periods_short``, and ``sla``, the share
    of site time without backorder over sites and parts; with `period_hours` also
    ``downtime_hours_per_year`` (unit-hours short) and ``orders_per_year``.
    """
    kinds = {kind: {kind: 1.0} for kind in (*COST_KINDS, *COUNTS)}
    plain = replace(problem, discount=1.0)
    found = evaluate_plans(plain, plans, kinds, num_threads=num_threads)
    return named_metrics(problem, found)


def named_metrics(problem: SparesNetwork, kinds: Mapping[str, Bounds]) -> dict[str, Bounds]:
    """Return the metrics that follow from totals of each kind over the horizon."""
    metrics = {f"{kind}_cost": kinds[kind] for kind in COST_KINDS}
    metrics["total_cost"] = Bounds(
        lower=sum(kinds[kind].lower for kind in COST_KINDS),
        upper=sum(kinds[kind].upper for kind in COST_KINDS),
    )
    metrics["orders"] = kinds["orders"]
    metrics["emergencies"] = kinds["emergencies"]
    metrics["unit_periods_short"] = kinds["units short"]
    site_periods = problem.periods * sum(len(part.sites) for part in problem.parts)
    short = scaled(kinds["sites short"], 1.0 / site_periods)
    metrics["sla"] = Bounds(lower=1.0 - short.upper, upper=1.0 - short.lower)
    if problem.period_hours is not None:
        hours = problem.period_hours
        years = problem.periods * hours / HOURS_A_YEAR
        metrics["downtime_hours_per_year"] = scaled(kinds["units short"], hours / years)
        metrics["orders_per_year"] = scaled(kinds["orders"], 1.0 / years)
    return metrics


def scaled(bounds: Bounds, factor: float) -> Bounds:
    """Return `bounds` times a factor >= 0."""
    return Bounds(lower=bounds.lower * factor, upper=bounds.upper * factor)
