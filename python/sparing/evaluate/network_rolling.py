"""A rolling horizon: at every review a plan for some periods ahead, of which the first is done."""

from __future__ import annotations

from collections.abc import Sequence

from sparing.evaluate.network_plan import PartPlan, SolveOptions, check_size
from sparing.exact.finite_horizon import finite_horizon
from sparing.exact.finite_measures import evaluate_finite_horizon
from sparing.exact.progress import Parts, ProgressHook
from sparing.models.network_nodes import NetworkNodes
from sparing.models.spares_network import Part, SparesNetwork
from sparing.policies import TablePolicy


def rolling_plan(
    problem: SparesNetwork,
    part: Part,
    options: SolveOptions,
    *,
    progress: ProgressHook | None = None,
) -> PartPlan:
    """Return the plan that looks ``problem.rolling`` periods ahead, with the bounds of its cost.

    At the review of period t, for whatever is believed there, the periods t .. t + rolling - 1
    (at most to the horizon's end) are solved exactly with nothing behind them, and the orders of
    period t are given. The cost of doing so over the whole horizon is evaluated exactly.
    """
    assert problem.rolling is not None
    check_size(NetworkNodes(problem, part), options)
    parts, tables = Parts(progress), list[TablePolicy]()
    for period in range(problem.periods):
        last = min(period + problem.rolling, problem.periods)
        epochs = NetworkNodes(problem, part, first=period, last=last).epochs()
        found = finite_horizon(
            epochs,
            problem.weights,
            dtype=options.dtype,
            num_threads=options.num_threads,
            progress=parts.named(f"{part.name}, review {period}"),
        )
        tables.append(TablePolicy(epochs[0], found.posts[0]))
    return valued_plan(problem, part, tables, num_threads=options.num_threads)


def valued_plan(
    problem: SparesNetwork, part: Part, tables: Sequence[TablePolicy], *, num_threads: int = 0
) -> PartPlan:
    """Return tables, one a period, as a plan with the bounds of its own expected cost."""
    nodes = NetworkNodes(problem, part)
    cost = evaluate_finite_horizon(
        nodes.epochs(),
        tables,
        {"objective": problem.weights},
        initial=nodes.initial_state(),
        weights=problem.weights,
        num_threads=num_threads,
    )["objective"]
    return PartPlan(
        part=part, nodes=nodes, lower=cost.lower, upper=cost.upper, policies=tuple(tables)
    )


def saturation_bound(problem: SparesNetwork, part: Part) -> float:
    """Return a bound on the chance that the failures so far go beyond the last belief level.

    Failures untruncated, and all exposures at their largest multiplier, can only be more: their sum
    is negative binomial.
    """
    from scipy.special import betainc

    if problem.belief_levels is None:
        return 0.0
    total = sum(
        float(site.exposures(problem.periods).sum()) * (max(site.age.multiplier) if site.age else 1)
        for site in part.sites
    )
    share = total / (part.prior.rate + total)
    return float(betainc(problem.belief_levels, part.prior.shape, share))
