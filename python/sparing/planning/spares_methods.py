"""How the stock of each part is planned: exactly where its states fit, else by base stocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sparing.evaluate.network_pipelines import base_stock_levels
from sparing.evaluate.network_plan import NetworkSolution, PartPlan, SolveOptions
from sparing.evaluate.network_solution import solve_network
from sparing.exact.engine import free_memory
from sparing.inventory.base_stock import Method
from sparing.models.network_nodes import NetworkNodes
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork
from sparing.planning.spares_problem import belief_levels, judged
from sparing.simulate.spares_network import PartPolicy, simulate_network

BYTES_A_STATE = 400  # of a plan of some dozen reviews in memory, with what a sweep needs
SLA_STATES = 1 << 18  # of a part that is solved a dozen times for an SLA
TUNING_REPLICATIONS = 1000
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
        else:
            chosen = "base-stock"
            reason = f"{states:,} states are more than the {limit:,} that are solved exactly"
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
        policies |= base_stocks(rest, "thinning", seed=seed)[0]
    return StockPolicy(choices=choices, solution=solution, policies=policies)


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
        Of downtime, in times its cost; None: 1, or with an SLA the least at which rollouts of
        another seed reach it.
    """

    network = replace(network, belief_levels=None)  # rules look at no belief

    def rules(factor: float) -> dict[str, PartPolicy]:
        levels = base_stock_levels(network, downtime_price=factor, method=method)
        return {name: StockRules.base_stock(found) for name, found in levels.items()}

    if price is not None or network.sla is None:
        return rules(1.0 if price is None else price), True

    def reached(factor: float) -> bool:
        result = simulate_network(
            network,
            rules(factor),
            num_replications=TUNING_REPLICATIONS,
            seed=seed + (1 << 32),
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

