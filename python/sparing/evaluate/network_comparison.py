"""Ordering policies of a spares network compared on common random numbers, at equal service."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing._checks import check_number
from sparing.evaluate.hyper_score import HyperScore, hyper_score_of
from sparing.evaluate.location_plan import LocationPlanner
from sparing.evaluate.network_pipelines import base_stock_levels, min_max_by_formula
from sparing.evaluate.rule_pool import RulePool, Tried, price_for_sla
from sparing.evaluate.rule_tuning import (
    BASE_STOCK,
    FIXED_QUANTITY,
    MIN_MAX,
    refine,
    try_grid,
)
from sparing.inventory.base_stock import Method
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork
from sparing.simulate.network_results import NetworkResult
from sparing.simulate.spares_network import simulate_network

START_PRICES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 8.0, 20.0)  # times the downtime cost
SITE_PRICES = (0.25, 0.5, 1.0, 2.0, 4.0)  # times the price at which min-max reaches the SLA
WAREHOUSE_PRICES = (0.1, 0.3, 1.0)
FINER = (0.7, 1.0, 1.4)  # around the best of them
SAFETY_FACTORS = tuple(np.arange(0.0, 6.01, 0.25).tolist())  # of min-max by formula
RATE_FACTORS = (1.0, 1.5, 2.0)  # on the prior mean, of base stocks that know no uncertain rates
BASELINES = ("min_max", "fixed_quantity")  # that reductions are stated against
PLANS = ("belief", "belief_to_end")
METHODS: dict[str, tuple[Method, str]] = {
    "metric": ("metric", "base stock, METRIC"),
    "vari_metric": ("vari-metric", "base stock, VARI-METRIC"),
    "thinning": ("thinning", "base stock, exact thinning"),
}
Told: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """How much is spent on tuning and on the comparison.

    Tuning, the check of the SLA and the comparison draw from different seeds.
    """

    tuning_replications: int = 512
    replications: int = 4000
    refinements: int = 4
    beyond: int = 16  # periods that the belief plan looks past the end; 0: also where it ends
    seed: int = 0
    num_threads: int = 1

    def __post_init__(self) -> None:
        for name in ("tuning_replications", "replications"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} must be at least 2; got {getattr(self, name)}.")
        check_number("beyond", self.beyond, at_least=0)


QUICK = CompareOptions(tuning_replications=192, replications=1000, refinements=2)


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
    It is then run on a third seed, on the same failures and lead times as all others.
    """
    chosen = options or CompareOptions()
    started = time.monotonic()
    found = {}
    for tuned in _tuned(problem, chosen, told):
        told(f"comparing {tuned.name}")
        result = simulate_network(
            problem,
            tuned.policy,
            num_replications=chosen.replications,
            seed=_seed(chosen, tuning=False),
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
        seconds=time.monotonic() - started,
    )


def reduction(metric: str, new: NetworkResult, old: NetworkResult) -> Reduction:
    """Return by how much `new` is below `old`, both on the same luck.

    The interval is that of a ratio of paired means by the delta method (Cochran 1977, sec. 6.4).
    """
    from scipy.stats import t, ttest_rel, wilcoxon

    a, b = new.metrics[metric], old.metrics[metric]
    if new.seed != old.seed or a.shape != b.shape:
        raise ValueError("both results must have the same seed and number of replications.")
    if not b.mean() > 0.0:
        raise ValueError(f"{metric} of the baseline is 0, so there is no share of it.")
    ratio = float(a.mean() / b.mean())
    residual = (a - ratio * b) / b.mean()
    error = float(residual.std(ddof=1) / np.sqrt(a.size))
    same = bool(np.all(a == b))
    return Reduction(
        metric=metric,
        share=1.0 - ratio,
        half_width=float(t.ppf(0.975, a.size - 1)) * error,
        p_value=1.0 if same else float(ttest_rel(a, b).pvalue),
        p_value_ranks=1.0 if same else float(wilcoxon(a, b).pvalue),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tuned:
    key: str
    name: str
    policy: Mapping[str, Tried]
    price: float | None
    reached: bool
    num_tried: int


def _tuned(problem: SparesNetwork, options: CompareOptions, told: Told) -> list[_Tuned]:
    plans = {
        "belief": ("belief plan by location", options.beyond),
        "belief_to_end": ("belief plan, stops at the end", 0),
    }
    starts = [
        base_stock_levels(problem, downtime_price=price, method="thinning")
        for price in START_PRICES
    ]
    found = [_formula(problem, options)]
    for kind in (MIN_MAX, FIXED_QUANTITY, BASE_STOCK):
        told(f"tuning {kind.name}")
        pools = _pools(problem, options)
        for pool in pools:
            try_grid(pool, kind, [start[pool.part.name] for start in starts])
        for rounds in (options.refinements, 2):
            so_far = _price(problem, pools)
            for pool in pools:
                refine(pool, kind, price=so_far, max_rounds=rounds)
        found.append(_best_of(problem, kind.key, kind.name, pools))
    for key, (method, name) in METHODS.items():
        pools = _pools(problem, options)
        _try_base_stocks(problem, pools, method)
        found.append(_best_of(problem, key, name, pools))
    price = next(t.price for t in found if t.key == MIN_MAX.key)
    assert price is not None
    for key, (name, beyond) in plans.items():
        pools, planners = _pools(problem, options), []
        for pool in pools:
            told(f"{name}: {pool.part.name}")
            planners.append(
                LocationPlanner(problem, pool.part, beyond=beyond, num_threads=options.num_threads)
            )
            _try_plans(pool, planners[-1], price)
        best = _price(problem, pools)
        for pool, planner in zip(pools, planners, strict=True):
            _try_finer_plans(pool, planner, price, best)
        found.append(_best_of(problem, key, name, pools))
    return found


def _best_of(problem: SparesNetwork, key: str, name: str, pools: list[RulePool]) -> _Tuned:
    """Return the best of the pools at the lowest price that reaches the SLA on the second seed."""
    price, reached = 1.0, True
    if problem.sla is not None:
        price, reached = price_for_sla(pools, problem.sla, checked=True)
    return _Tuned(
        key=key,
        name=name,
        policy={pool.part.name: pool.tried[pool.best(price)] for pool in pools},
        price=price,
        reached=reached,
        num_tried=sum(len(pool.tried) for pool in pools),
    )


def _formula(problem: SparesNetwork, options: CompareOptions) -> _Tuned:
    """Return min-max levels as textbooks compute them, with the least safety factor that does."""
    pools = _pools(problem, options)
    site_periods = problem.periods * sum(len(part.sites) for part in problem.parts)

    def reached(factor: float) -> bool:
        short = 0.0
        for pool in pools:
            rules = min_max_by_formula(problem, pool.part, safety_factor=factor)
            pool.try_rules(rules)
            short += pool.sites_short(pool.position(rules), checked=True)
        return problem.sla is None or 1.0 - short / site_periods >= problem.sla

    low, high = -1, len(SAFETY_FACTORS) - 1
    does = reached(SAFETY_FACTORS[high])
    while does and high - low > 1:  # the SLA rises with the factor
        middle = (low + high) // 2
        low, high = (low, middle) if reached(SAFETY_FACTORS[middle]) else (middle, high)
    factor = SAFETY_FACTORS[high]
    return _Tuned(
        key="formula",
        name="min-max by formula",
        policy={
            pool.part.name: min_max_by_formula(problem, pool.part, safety_factor=factor)
            for pool in pools
        },
        price=None,
        reached=does,
        num_tried=len(SAFETY_FACTORS),
    )


def _pools(problem: SparesNetwork, options: CompareOptions) -> list[RulePool]:
    return [
        RulePool(
            problem=problem,
            part=part,
            num_replications=options.tuning_replications,
            check_replications=options.replications,
            seed=_seed(options, tuning=True),
            num_threads=options.num_threads,
        )
        for part in problem.parts
    ]


def _price(problem: SparesNetwork, pools: list[RulePool]) -> float:
    return 1.0 if problem.sla is None else price_for_sla(pools, problem.sla)[0]


def _try_base_stocks(problem: SparesNetwork, pools: list[RulePool], method: Method) -> None:
    """Try the base stocks of least cost in the method's own eyes, at many prices of downtime."""
    for price, factor in product(np.geomspace(0.05, 200.0, 11), RATE_FACTORS):
        levels = base_stock_levels(
            problem, downtime_price=float(price), method=method, rate_factor=factor
        )
        for pool in pools:
            pool.try_rules(StockRules.base_stock(levels[pool.part.name]))


def _try_plans(pool: RulePool, planner: LocationPlanner, price: float) -> None:
    """Try plans with several prices of downtime and of what warehouses owe."""
    for site, top, middle in product(SITE_PRICES, WAREHOUSE_PRICES, WAREHOUSE_PRICES):
        _try_plan(pool, planner, (site * price, top * price, middle * price))


def _try_finer_plans(pool: RulePool, planner: LocationPlanner, first: float, price: float) -> None:
    """Try prices between those tried before, around the plan that is best at `price`."""
    grid = list(product(SITE_PRICES, WAREHOUSE_PRICES, WAREHOUSE_PRICES))
    centre = grid[pool.best(price)]
    for factors in product(FINER, FINER, FINER):
        if factors != (1.0, 1.0, 1.0):
            prices = [f * c * first for f, c in zip(factors, centre, strict=True)]
            _try_plan(pool, planner, (prices[0], prices[1], prices[2]))


def _try_plan(pool: RulePool, planner: LocationPlanner, prices: tuple[float, float, float]) -> None:
    site, top, middle = prices
    deeper = dict.fromkeys(range(1, 9), middle)
    pool.try_orders(planner.orders(site_price=site, warehouse_price={0: top, **deeper}))


def _seed(options: CompareOptions, *, tuning: bool) -> int:
    return 2 * options.seed + (0 if tuning else 1)


def echelon_stock(
    comparison: NetworkComparison, key: str, *, num_replications: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean stock on hand [depths, periods] and the costs [replications, periods].

    Both are summed over parts.
    """
    from sparing.evaluate.rule_tuning import depths
    from sparing.simulate.spares_network import network_paths

    problem = comparison.problem
    stock: NDArray[np.float64] | None = None
    cost = np.zeros((num_replications, problem.periods))
    for part in problem.parts:
        paths = network_paths(
            problem,
            comparison.policies[key].policy,
            part=part,
            num_replications=num_replications,
            seed=_seed(comparison.options, tuning=False),
            num_threads=comparison.options.num_threads,
        )
        depth = depths(part)
        on_hand = np.maximum(paths.stock, 0).mean(axis=0)  # [periods, locations]
        by_depth = np.array([on_hand[:, depth == d].sum(axis=1) for d in range(depth.max() + 1)])
        stock = by_depth if stock is None else stock + by_depth
        cost += paths.cost
    assert stock is not None
    return stock, cost
