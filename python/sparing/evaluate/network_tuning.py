"""Tuning of every kind of ordering policy of a spares network, to equal service."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from sparing._checks import check_number
from sparing.evaluate.location_plan import LocationPlanner
from sparing.evaluate.network_pipelines import base_stock_levels, min_max_by_formula
from sparing.evaluate.rule_pool import RulePool, Tried, price_for_sla
from sparing.evaluate.rule_tuning import (
    BASE_STOCK,
    FIXED_QUANTITY,
    MIN_MAX,
    RuleKind,
    refine,
    try_grid,
)
from sparing.inventory.base_stock import Method
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork

START_PRICES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 8.0, 20.0)  # times the downtime cost
SITE_PRICES = (0.25, 0.5, 1.0, 2.0, 4.0)  # times the price at which min-max reaches the SLA
WAREHOUSE_PRICES = (0.1, 0.3, 1.0)
FINER = (0.7, 1.0, 1.4)  # around the best of them
SAFETY_FACTORS = tuple(np.arange(0.0, 6.01, 0.25).tolist())  # of min-max by formula
RATE_FACTORS = (1.0, 1.5, 2.0)  # on the prior mean, of base stocks that know no uncertain rates
PLANS = ("belief", "belief_to_end")
METHODS: dict[str, tuple[Method, str]] = {
    "metric": ("metric", "base stock, METRIC"),
    "vari_metric": ("vari-metric", "base stock, VARI-METRIC"),
    "thinning": ("thinning", "base stock, exact thinning"),
}
KEYS = ("formula", MIN_MAX.key, FIXED_QUANTITY.key, BASE_STOCK.key, *METHODS, *PLANS)
Told: TypeAlias = Callable[[str], object]
Prices: TypeAlias = tuple[float, float, float]  # of downtime at sites, and what warehouses owe


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """How much is spent on tuning and on the comparison.

    Tuning, the check of the SLA and the comparison draw from different seeds.
    """

    tuning_replications: int = 512
    replications: int = 4000
    refinements: int = 4
    coarse: bool = False  # fewer belief plans
    beyond: int = 16  # periods that the belief plan looks past the end; 0: also where it ends
    seed: int = 0
    num_threads: int = 1

    def __post_init__(self) -> None:
        for name in ("tuning_replications", "replications"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} must be at least 2; got {getattr(self, name)}.")
        check_number("beyond", self.beyond, at_least=0)


QUICK = CompareOptions(tuning_replications=192, replications=1000, refinements=2, coarse=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class TunedPolicy:
    """What the tuning of one kind of policy chose."""

    key: str
    name: str
    policy: Mapping[str, Tried]
    price: float | None
    reached: bool
    num_tried: int


def tuned_policies(
    problem: SparesNetwork,
    options: CompareOptions,
    told: Told,
    keys: Collection[str] = KEYS,
) -> list[TunedPolicy]:
    """Return the kinds of policy in `keys`, tuned by search to the SLA of the case.

    Belief plans need "min_max": its price of downtime is where their search begins.
    """
    plans = {
        "belief": ("belief plan by location", options.beyond),
        "belief_to_end": ("belief plan, stops at the end", 0),
    }
    found = [_formula(problem, options)] if "formula" in keys else []
    for kind in (MIN_MAX, FIXED_QUANTITY, BASE_STOCK):
        if kind.key in keys:
            told(f"tuning {kind.name}")
            found.append(tuned_rules(problem, kind, options))
    for key, (method, name) in METHODS.items():
        if key in keys:
            pools = _pools(problem, options)
            _try_base_stocks(problem, pools, method)
            found.append(_best_of(problem, key, name, pools))
    wanted = {key: plan for key, plan in plans.items() if key in keys}
    if not wanted:
        return found
    price = next(t.price for t in found if t.key == MIN_MAX.key)
    assert price is not None
    for key, (name, beyond) in wanted.items():
        found.append(_tuned_plan(problem, options, key, name, beyond, price, told))
    return found


def _tuned_plan(
    problem: SparesNetwork,
    options: CompareOptions,
    key: str,
    name: str,
    beyond: int,
    price: float,
    told: Told,
) -> TunedPolicy:
    """Return the belief plan whose prices, around `price`, are best."""
    warehouse = WAREHOUSE_PRICES[1:] if options.coarse else WAREHOUSE_PRICES
    site = SITE_PRICES[1:-1] if options.coarse else SITE_PRICES
    grid = list(product(site, warehouse, warehouse))
    pools, planners = _pools(problem, options), []
    for pool in pools:
        told(f"{name}: {pool.part.name}")
        planners.append(
            LocationPlanner(problem, pool.part, beyond=beyond, num_threads=options.num_threads)
        )
        _try_plans(pool, planners[-1], grid, price)
    best = _price(problem, pools)
    for pool, planner in zip(pools, planners, strict=True):
        if not options.coarse:
            _try_finer_plans(pool, planner, grid, price, best)
    return _best_of(problem, key, name, pools)


def tuned_rules(problem: SparesNetwork, kind: RuleKind, options: CompareOptions) -> TunedPolicy:
    """Return the best rules of one kind, found on a grid and then one location at a time."""
    starts = [
        base_stock_levels(problem, downtime_price=price, method="thinning")
        for price in START_PRICES
    ]
    pools = _pools(problem, options)
    for pool in pools:
        try_grid(pool, kind, [start[pool.part.name] for start in starts])
    for rounds in (options.refinements, 2):
        so_far = _price(problem, pools)
        for pool in pools:
            refine(pool, kind, price=so_far, max_rounds=rounds)
    return _best_of(problem, kind.key, kind.name, pools)


def _best_of(problem: SparesNetwork, key: str, name: str, pools: list[RulePool]) -> TunedPolicy:
    """Return the best of the pools at the lowest price that reaches the SLA on the second seed."""
    price, reached = 1.0, True
    if problem.sla is not None:
        price, reached = price_for_sla(pools, problem.sla, checked=True)
    return TunedPolicy(
        key=key,
        name=name,
        policy={pool.part.name: pool.tried[pool.best(price)] for pool in pools},
        price=price,
        reached=reached,
        num_tried=sum(len(pool.tried) for pool in pools),
    )


def _formula(problem: SparesNetwork, options: CompareOptions) -> TunedPolicy:
    """Return textbook min-max levels: the cheapest of several reviews, at the SLA if one is."""
    pools = _pools(problem, options)
    found = []
    for review in MIN_MAX.reviews:
        reached, rules = _least_factor(problem, pools, review)
        positions = [pool.position(rule) for pool, rule in zip(pools, rules, strict=True)]
        cost = sum(pool.cost(k, 1.0) for pool, k in zip(pools, positions, strict=True))
        found.append((not reached, cost, rules))
    missed, _, rules = min(found, key=lambda entry: entry[:2])
    return TunedPolicy(
        key="formula",
        name="min-max by formula",
        policy={pool.part.name: rule for pool, rule in zip(pools, rules, strict=True)},
        price=None,
        reached=not missed,
        num_tried=sum(len(pool.tried) for pool in pools),
    )


def _least_factor(
    problem: SparesNetwork, pools: list[RulePool], review: int
) -> tuple[bool, list[StockRules]]:
    """Return whether the SLA is reached, and the rules of the least safety factor that does."""
    site_periods = problem.periods * sum(len(part.sites) for part in problem.parts)

    def rules(position: int) -> list[StockRules]:
        factor = SAFETY_FACTORS[position]
        return [
            min_max_by_formula(problem, pool.part, safety_factor=factor, review=review)
            for pool in pools
        ]

    def reached(position: int) -> bool:
        short = 0.0
        for pool, rule in zip(pools, rules(position), strict=True):
            pool.try_rules(rule)
            short += pool.sites_short(pool.position(rule), checked=True)
        return problem.sla is None or 1.0 - short / site_periods >= problem.sla

    low, high = -1, len(SAFETY_FACTORS) - 1
    if not reached(high):
        return False, rules(high)
    while high - low > 1:  # the SLA rises with the factor
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return True, rules(high)


def _pools(problem: SparesNetwork, options: CompareOptions) -> list[RulePool]:
    return [
        RulePool(
            problem=problem,
            part=part,
            num_replications=options.tuning_replications,
            check_replications=options.replications,
            seed=seed_of(options, tuning=True),
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


def _try_plans(
    pool: RulePool, planner: LocationPlanner, grid: Sequence[Prices], price: float
) -> None:
    """Try plans with several prices of downtime and of what warehouses owe."""
    for site, top, middle in grid:
        _try_plan(pool, planner, (site * price, top * price, middle * price))


def _try_finer_plans(
    pool: RulePool, planner: LocationPlanner, grid: Sequence[Prices], first: float, price: float
) -> None:
    """Try prices between those tried before, around the plan that is best at `price`."""
    centre = grid[pool.best(price)]
    for factors in product(FINER, FINER, FINER):
        if factors != (1.0, 1.0, 1.0):
            prices = [f * c * first for f, c in zip(factors, centre, strict=True)]
            _try_plan(pool, planner, (prices[0], prices[1], prices[2]))


def _try_plan(pool: RulePool, planner: LocationPlanner, prices: Prices) -> None:
    site, top, middle = prices
    deeper = dict.fromkeys(range(1, 9), middle)
    pool.try_orders(planner.orders(site_price=site, warehouse_price={0: top, **deeper}))


def seed_of(options: CompareOptions, *, tuning: bool) -> int:
    """Return the seed of the tuning or of the comparison."""
    return 2 * options.seed + (0 if tuning else 1)
