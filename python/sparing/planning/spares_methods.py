"""How the stock of each part is planned: exactly where its states fit, else by base stocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sparing.evaluate.network_pipelines import base_stock_levels
from sparing.evaluate.network_plan import NetworkSolution, PartPlan, SolveOptions
from sparing.evaluate.network_solution import solve_network
from sparing.evaluate.network_tuning import CompareOptions, tuned_rules
from sparing.evaluate.rule_tuning import MIN_MAX
from sparing.exact.engine import free_memory
from sparing.inventory.base_stock import Method
from sparing.models.network_nodes import NetworkNodes
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork
from sparing.planning.spares_problem import belief_levels, judged
from sparing.simulate.spares_network import PartPolicy, simulate_network, simulate_rules

BYTES_A_STATE = 400  # of a plan of some dozen reviews in memory, with what a sweep needs
SLA_STATES = 1 << 18  # of a part that is solved a dozen times for an SLA
TUNING_REPLICATIONS = 1000
OTHER_SEED = 1 << 32  # added where rules are chosen
TUNING = CompareOptions(
    tuning_replications=256, replications=1000, refinements=2, coarse=True, beyond=0
)
PRICES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # of downtime that base stocks are made for, as above
LOWEST, HIGHEST = 1e-2, 1e4  # prices of downtime that are searched, in times its cost


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How a part's stock is planned, and why.

    Parameters
    ----------
    states
        Of the exact model at its largest review.
    """

    method: str
    states: int
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class StockPolicy:
    """The policy of all parts.

    Parameters
    ----------
    choices
        By part.
    solution
        Of the parts that are planned exactly, over the periods judged and beyond; None: none are.
    policies
        By part, over the periods judged.
    """

    choices: Mapping[str, Choice]
    solution: NetworkSolution | None
    policies: Mapping[str, PartPolicy]


def choose(network: SparesNetwork, method: str, exact_states: int) -> dict[str, Choice]:
    """Return per part how it is planned."""
    found = {}
    limit = min(exact_states, SLA_STATES) if network.sla is not None else exact_states
    many = " (a dozen times, for the SLA)" if network.sla is not None else ""
    if (free := free_memory()) is not None:
        limit = min(limit, free // BYTES_A_STATE)
    for part in network.parts:
        alone = replace(network, belief_levels=belief_levels(network, part))
        nodes = NetworkNodes(alone, part)
        states = max(nodes.found_states(t) for t in range(network.periods))
        if method == "base-stock":
            chosen, reason = "base-stock", "plan.toml asks for base stocks"
        elif method == "exact":
            chosen, reason = "exact", "plan.toml asks for the exact plan"
        elif states <= limit:
            chosen = "exact"
            reason = f"{states:,} states (stock, orders, belief) fit: at most {limit:,} are solved"
            reason += many
        else:
            chosen = "base-stock"
            reason = f"{states:,} states are more than the {limit:,} that are solved exactly"
            reason += many
        found[part.name] = Choice(method=chosen, states=states, reason=reason)
    return found


def plan_stock(
    network: SparesNetwork, choices: Mapping[str, Choice], periods: int, *, seed: int
) -> StockPolicy:
    """Plan every part by its method.

    With an SLA, the exact parts together reach it and so do the others: the mean does then.
    """
    exact = [part for part in network.parts if choices[part.name].method == "exact"]
    others = [part for part in network.parts if choices[part.name].method != "exact"]
    policies, solution = dict[str, PartPolicy](), None
    if exact:
        solution = solve_network(replace(network, parts=tuple(exact)), SolveOptions())
        shorter = judged(network, periods)
        for plan in solution.plans:
            policies[plan.part.name] = first_reviews(plan, shorter, periods)
    if others:
        rest = judged(replace(network, parts=tuple(others)), periods)
        rules = best_rules(rest, seed=seed)
        policies |= {name: found for name, (_, found) in rules.items()}
        choices = dict(choices)
        for name, (method, _) in rules.items():
            choices[name] = replace(choices[name], method=method)
    return StockPolicy(choices=choices, solution=solution, policies=policies)


def best_rules(network: SparesNetwork, *, seed: int) -> dict[str, tuple[str, PartPolicy]]:
    """Return by part the better of base stocks by exact thinning and tuned min-max levels.

    Without an SLA the cheaper one in rollouts of another seed, part by part; with one the cheaper
    one of all parts that reaches it.
    """
    stocks = base_stocks(network, "thinning", seed=seed)[0]
    levels = tuned_min_max(network, seed=seed)
    if network.sla is None:
        costs = [_costs(network, policies, seed) for policies in (stocks, levels)]
        return {
            name: ("base-stock", stocks[name])
            if costs[0][name] <= costs[1][name]
            else ("min-max", levels[name])
            for name in stocks
        }
    results = [
        simulate_network(
            replace(network, belief_levels=None),
            policies,
            num_replications=TUNING_REPLICATIONS,
            seed=seed + OTHER_SEED,
            num_threads=1,
        )
        for policies in (stocks, levels)
    ]
    keys = [(r.mean["sla"] < network.sla, r.mean["total_cost"]) for r in results]
    method, chosen = ("base-stock", stocks) if keys[0] <= keys[1] else ("min-max", levels)
    return {name: (method, policy) for name, policy in chosen.items()}


def tuned_min_max(network: SparesNetwork, *, seed: int) -> dict[str, PartPolicy]:
    """Return min-max levels by search, to the SLA where one is asked for."""
    plain = replace(network, belief_levels=None)  # rules look at no belief
    return dict(tuned_rules(plain, MIN_MAX, replace(TUNING, seed=seed + 1)).policy)


def _least_cost(
    network: SparesNetwork, candidates: list[dict[str, PartPolicy]], seed: int
) -> dict[str, PartPolicy]:
    costs = [_costs(network, policies, seed) for policies in candidates]
    return {
        part.name: candidates[int(np.argmin([cost[part.name] for cost in costs]))][part.name]
        for part in network.parts
    }


def _costs(
    network: SparesNetwork, policies: Mapping[str, PartPolicy], seed: int
) -> dict[str, float]:
    """Return the mean cost of each part in rollouts of another seed than the comparison's."""
    plain = replace(network, belief_levels=None)
    found = {}
    for part in network.parts:
        totals = simulate_rules(
            plain,
            policies[part.name],
            part=part,
            num_replications=TUNING_REPLICATIONS,
            seed=seed + OTHER_SEED,
            num_threads=1,
        )
        found[part.name] = float(totals[0, :, 0].mean())
    return found


def with_belief(network: SparesNetwork, choices: Mapping[str, Choice]) -> SparesNetwork:
    """Return the network with beliefs wide enough for all parts that are planned exactly."""
    levels = [
        belief_levels(network, part)
        for part in network.parts
        if choices[part.name].method == "exact"
    ]
    return replace(network, belief_levels=max(levels, default=None))


def first_reviews(plan: PartPlan, network: SparesNetwork, periods: int) -> PartPlan:
    """Return the first reviews of a longer plan as a plan of `network`."""
    part = next(part for part in network.parts if part.name == plan.part.name)
    nodes = NetworkNodes(network, part)
    return replace(plan, part=part, nodes=nodes, policies=plan.policies[:periods])


def base_stocks(
    network: SparesNetwork, method: Method, *, seed: int, price: float | None = None
) -> tuple[dict[str, PartPolicy], bool]:
    """Return base stocks of least holding and downtime cost, and whether they reach the SLA.

    Parameters
    ----------
    price
        Of downtime that they are made for, in times its cost. None: per part that of least cost in
        rollouts of another seed, or with an SLA the least one at which those reach it.
    """
    network = replace(network, belief_levels=None)  # rules look at no belief

    def rules(factor: float) -> dict[str, PartPolicy]:
        levels = base_stock_levels(network, downtime_price=factor, method=method)
        return {name: StockRules.base_stock(found) for name, found in levels.items()}

    if price is not None:
        return rules(price), True
    if network.sla is None:
        return _least_cost(network, [rules(factor) for factor in PRICES], seed), True

    def reached(factor: float) -> bool:
        result = simulate_network(
            network,
            rules(factor),
            num_replications=TUNING_REPLICATIONS,
            seed=seed + OTHER_SEED,
            num_threads=1,
        )
        return network.sla is None or result.mean["sla"] >= network.sla

    low, high = LOWEST, HIGHEST
    if not reached(high):
        return rules(high), False
    while high / low > 1.05:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if reached(middle) else (middle, high)
    return rules(high), True
