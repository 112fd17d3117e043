"""Ordering policies of a spares network compared on common random numbers, at equal service."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.hyper_score import HyperScore, hyper_score_of
from sparing.evaluate.network_bound import NetworkBound, lower_bound
from sparing.evaluate.network_tuning import (
    PLANS,
    CompareOptions,
    Told,
    seed_of,
    tuned_policies,
)
from sparing.evaluate.rule_pool import Tried
from sparing.evaluate.rule_tuning import depths
from sparing.models.spares_network import SparesNetwork
from sparing.simulate.network_results import NetworkResult
from sparing.simulate.spares_network import network_paths, simulate_network


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparedPolicy:
    """One tuned policy and what it did in the comparison."""

    key: str
    name: str
    policy: Mapping[str, Tried]  # by part
    price: float | None  # of downtime, in times its cost, at which it was chosen
    reached: bool  # the SLA, on the second seed
    num_tried: int
    result: NetworkResult
    score: HyperScore | None


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """How much lower a metric is than a baseline's, in shares of the latter, 95 % certain."""

    metric: str
    share: float
    half_width: float
    p_value: float  # paired t-test that the means are equal
    p_value_ranks: float  # Wilcoxon's signed-rank test of the same pairs


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkComparison:
    """Policies on the same luck, and the belief plan against each of the others."""

    problem: SparesNetwork
    options: CompareOptions
    policies: dict[str, ComparedPolicy]
    reductions: dict[str, dict[str, Reduction]]  # of the belief plan, by baseline and metric
    best_baseline: str  # of least total cost among those that reach the SLA
    bound: NetworkBound | None  # no policy's objective is below it; None: not asked for
    seconds: float


def compare_network(
    problem: SparesNetwork,
    options: CompareOptions | None = None,
    *,
    told: Told = lambda _: None,
) -> NetworkComparison:
    """Tune planners' rules and the belief plan to the SLA of the case, then compare them.

    Every policy is chosen by search on the tuning seed, at the lowest common price of downtime at
    which it reaches the SLA on a second seed (the case's own downtime cost where it names no SLA).
    It is then run on a third seed, on the same failures and lead times as all others. A budget, a
    volume limit and a rolling horizon of the case are left aside. Unless plans are coarse, a lower
    bound of every policy's cost is computed as well.

    Raises
    ------
    ValueError
        If ages of units are tracked: the rules and plans compared here know none.
    """
    chosen = options or CompareOptions()
    for part in problem.parts:
        if any(site.age is not None for site in part.sites):
            raise ValueError(f"part {part.name!r}: comparisons know no ages of units; drop age.")
    started = time.monotonic()
    found = {}
    for tuned in tuned_policies(problem, chosen, told):
        told(f"comparing {tuned.name}")
        result = simulate_network(
            problem,
            tuned.policy,
            num_replications=chosen.replications,
            seed=seed_of(chosen, tuning=False),
            num_threads=chosen.num_threads,
        )
        targets = problem.hyper_score
        found[tuned.key] = ComparedPolicy(
            key=tuned.key,
            name=tuned.name,
            policy=tuned.policy,
            price=tuned.price,
            reached=tuned.reached,
            num_tried=tuned.num_tried,
            result=result,
            score=None if targets is None else hyper_score_of(result.mean, targets),
        )
    others = [key for key in found if key not in PLANS]
    fair = [key for key in others if found[key].reached] or others
    best = min(fair, key=lambda key: found[key].result.mean["total_cost"])
    reductions = {
        key: {
            metric: reduction(metric, found["belief"].result, found[key].result)
            for metric in ("holding_cost", "total_cost")
        }
        for key in others
    }
    return NetworkComparison(
        problem=problem,
        options=chosen,
        policies=found,
        reductions=reductions,
        best_baseline=best,
        bound=_bound(problem, chosen, told),
        seconds=time.monotonic() - started,
    )


def _bound(problem: SparesNetwork, options: CompareOptions, told: Told) -> NetworkBound | None:
    if options.coarse:
        return None
    return lower_bound(
        problem, num_threads=options.num_threads, told=lambda part: told(f"lower bound: {part}")
    )


def reduction(metric: str, new: NetworkResult, old: NetworkResult) -> Reduction:
    """Return by how much `new` is below `old`, both on the same luck.

    The interval is that of a ratio of paired means by the delta method (Cochran 1977, sec. 6.4).
    """
    if new.seed != old.seed or len(new.samples) != len(old.samples):
        raise ValueError("both results must have the same seed and number of replications.")
    return paired_reduction(metric, new.metrics[metric], old.metrics[metric])


def paired_reduction(metric: str, a: NDArray[np.float64], b: NDArray[np.float64]) -> Reduction:
    """Return by how much the mean of `a` is below that of `b`, paired; see `reduction`."""
    from scipy.stats import t, ttest_rel, wilcoxon

    if not b.mean() > 0.0:
        nothing = float("nan")  # there is no share of nothing
        return Reduction(
            metric=metric, share=nothing, half_width=nothing, p_value=1.0, p_value_ranks=1.0
        )
    ratio = float(a.mean() / b.mean())
    residual = (a - ratio * b) / b.mean()
    error = float(residual.std(ddof=1) / np.sqrt(a.size))
    same = bool(np.all(a == b))
    alike = float(np.ptp(a - b)) <= 1e-9 * float(np.abs(b).max())  # no spread to test against
    return Reduction(
        metric=metric,
        share=1.0 - ratio,
        half_width=float(t.ppf(0.975, a.size - 1)) * error,
        p_value=float(same) if alike else float(ttest_rel(a, b).pvalue),
        p_value_ranks=1.0 if same else float(wilcoxon(a, b).pvalue),
    )


def echelon_stock(
    comparison: NetworkComparison, key: str, *, num_replications: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean stock on hand [depths, periods] and the costs [replications, periods].

    Both are summed over parts.
    """
    problem = comparison.problem
    stock: NDArray[np.float64] | None = None
    cost = np.zeros((num_replications, problem.periods))
    for part in problem.parts:
        paths = network_paths(
            problem,
            comparison.policies[key].policy,
            part=part,
            num_replications=num_replications,
            seed=seed_of(comparison.options, tuning=False),
            num_threads=comparison.options.num_threads,
        )
        depth = depths(part)
        on_hand = np.maximum(paths.stock, 0).mean(axis=0)  # [periods, locations]
        by_depth = np.array([on_hand[:, depth == d].sum(axis=1) for d in range(depth.max() + 1)])
        stock = by_depth if stock is None else stock + by_depth
        cost += paths.cost
    assert stock is not None
    return stock, cost
