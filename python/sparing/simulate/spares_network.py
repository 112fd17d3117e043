"""Spares networks rolled out under tables and rules, all on the same luck.

Failures and lead times depend on nothing that is ordered. So they are drawn once for a block of
replications, each draw a function of (seed, replication, period, location), and every policy meets
them: common random numbers, and thousands of rules for little more than one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing import _core
from sparing.evaluate.network_plan import NetworkSolution, PartPlan
from sparing.models.location_orders import LocationOrders
from sparing.models.network_nodes import NetworkNodes
from sparing.models.network_rules import StockRules, check_rules
from sparing.models.spares_network import Part, SparesNetwork
from sparing.simulate.network_arrays import (
    check_numbers,
    checked_failures,
    network_arrays,
    table_arrays,
)
from sparing.simulate.network_results import KINDS, NetworkResult, network_result
from sparing.stages import thread_count

PartPolicy: TypeAlias = PartPlan | StockRules | LocationOrders
NetworkPolicy: TypeAlias = NetworkSolution | PartPolicy | Mapping[str, PartPolicy]
Rates: TypeAlias = ArrayLike | Mapping[str, ArrayLike]
Failures: TypeAlias = ArrayLike | Mapping[str, ArrayLike]


def simulate_network(
    problem: SparesNetwork,
    policy: NetworkPolicy,
    *,
    num_replications: int,
    seed: int = 0,
    rates: Rates | None = None,
    failures: Failures | None = None,
    confidence: float = 0.95,
    num_threads: int = 0,
) -> NetworkResult:
    """Estimate what a policy costs and achieves, with confidence intervals.

    Parameters
    ----------
    policy
        A solution; or, for all parts or by part name, the plan of a part or one set of rules.
    rates
        True failures per unit of exposure: a number, or one per replication (for several parts by
        part name). Default: failures follow what is believed, as in the exact solution.
    failures
        Failures [periods, sites] that came, by part name where there are several: every
        replication meets these, also those beyond `truncate`, and only lead times are drawn. What
        a belief has seen counts up to `truncate` of a site and period, as always.

    Returns
    -------
    NetworkResult
        Per metric mean and half width, and the samples by replication, paired between policies.
    """
    samples = np.zeros((num_replications, len(KINDS)))
    for part in problem.parts:
        chosen = _policy_of(policy, part)
        if isinstance(chosen, StockRules) and len(chosen) != 1:
            raise ValueError(f"one set of rules is needed; got {len(chosen)}.")
        run = _Run(
            problem,
            part,
            num_replications,
            seed,
            _of_part("rates", rates, part),
            num_threads,
            _of_part("failures", failures, part),
        )
        samples += run.totals(chosen)[0]
    return network_result(problem, samples, confidence=confidence, seed=seed)


def simulate_rules(
    problem: SparesNetwork,
    rules: PartPolicy,
    *,
    part: Part | None = None,
    num_replications: int,
    seed: int = 0,
    rates: Rates | None = None,
    num_threads: int = 0,
) -> NDArray[np.float64]:
    """Return totals [sets, replications, kinds] of many sets of rules (or a plan) on the same luck.

    The kinds are those of `sparing.simulate.network_results.KINDS`; the first is the objective.
    """
    chosen = problem.one(part)
    run = _Run(
        problem, chosen, num_replications, seed, _of_part("rates", rates, chosen), num_threads
    )
    return run.totals(rules)


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkPaths:
    """What happened, period by period.

    Attributes
    ----------
    stock
        Shape (replications, periods, locations), int32: at the ends of periods.
    cost
        Shape (replications, periods): paid in each, not discounted.
    """

    stock: NDArray[np.int32]
    cost: NDArray[np.float64]


def network_paths(
    problem: SparesNetwork,
    policy: NetworkPolicy,
    *,
    part: Part | None = None,
    num_replications: int = 1,
    seed: int = 0,
    rates: Rates | None = None,
    num_threads: int = 0,
) -> NetworkPaths:
    """Return the paths of one part, on the same draws as `simulate_network`."""
    chosen = problem.one(part)
    run = _Run(
        problem, chosen, num_replications, seed, _of_part("rates", rates, chosen), num_threads
    )
    periods = problem.periods
    stock = np.zeros((num_replications, periods, len(chosen.locations)), dtype=np.int32)
    cost = np.zeros((num_replications, periods))
    run.totals(_policy_of(policy, chosen), stock=stock, cost=cost)
    return NetworkPaths(stock=stock, cost=cost)


class _Run:
    """The checked arguments of one part's rollout."""

    def __init__(
        self,
        problem: SparesNetwork,
        part: Part,
        num_replications: int,
        seed: int,
        rates: ArrayLike | None,
        num_threads: int,
        failures: ArrayLike | None = None,
    ) -> None:
        if isinstance(num_replications, bool) or not 1 <= num_replications < 2**32:
            raise ValueError(f"num_replications must be in 1..2^32 - 1; got {num_replications!r}.")
        if not 0 <= seed < 2**64:
            raise ValueError(f"seed must be in 0..2^64 - 1; got {seed}.")
        given = np.empty(0) if rates is None else np.asarray(rates, dtype=np.float64)
        if rates is not None:
            try:
                given = np.array(np.broadcast_to(given, (num_replications,)))
            except ValueError:
                raise ValueError(
                    f"rates must be a number or one per replication, {num_replications}; got shape"
                    f" {given.shape}."
                ) from None
        if rates is not None and failures is not None:
            raise ValueError("give rates or failures, not both: failures that came need no rate.")
        came = np.empty((0, len(part.sites)), dtype=np.int32)
        if failures is not None:
            came = checked_failures(problem, part, failures)
        check_numbers(problem, part, given)
        self.problem, self.part, self.num_replications = problem, part, num_replications
        self.seed = (seed + problem.parts.index(part) * 0x9E3779B97F4A7C15) % 2**64
        self.num_threads = thread_count(num_threads)
        self.arrays = network_arrays(problem, part, given) | {"given": came.ravel()}

    def totals(
        self,
        policy: PartPolicy,
        *,
        stock: NDArray[np.int32] | None = None,
        cost: NDArray[np.float64] | None = None,
        kernel: str = "widest",
    ) -> NDArray[np.float64]:
        """Return totals [policies, replications, kinds]; paths of the first policy if asked for."""
        problem, arrays, posts = self.problem, dict(self.arrays), []
        if isinstance(policy, PartPlan):
            arrays |= table_arrays(self._nodes(policy))
            posts = [
                np.asarray(table.stages[0]).astype(np.uint32, copy=False)
                for table in policy.policies
            ]
            rules = _no_rules(self.part)
        elif isinstance(policy, LocationOrders):
            policy.check(problem, self.part)
            arrays["location_orders"] = policy.quantity.reshape(-1)
            arrays["location_orders_shape"] = np.array(policy.quantity.shape, dtype=np.int64)
            rules = _no_rules(self.part)
        else:
            check_rules(policy, len(self.part.locations))
            rules = policy
        totals = np.zeros((len(rules), self.num_replications, len(KINDS)))
        levels = self.problem.belief_levels
        _core.simulate_network(
            arrays=arrays,
            shape=float(self.part.prior.shape),
            truncate=self.part.truncate,
            most_failures=2**31 - 1 if levels is None else levels - 1,
            weighted=problem.discount != 1.0,
            reorder_at=rules.reorder_at,
            order_up_to=rules.order_up_to,
            quantity=rules.quantity,
            review=rules.review,
            posts=posts,
            seed=self.seed,
            replications=self.num_replications,
            totals=totals,
            stock=np.zeros(0, dtype=np.int32) if stock is None else stock.reshape(-1),
            paid=np.zeros(0) if cost is None else cost.reshape(-1),
            num_threads=self.num_threads,
            kernel=kernel,
        )
        return totals

    def _nodes(self, plan: PartPlan) -> NetworkNodes:
        nodes = NetworkNodes(self.problem, self.part)
        if len(plan.policies) != self.problem.periods or any(
            policy.stages[0].size != nodes.found_states(period)
            for period, policy in enumerate(plan.policies)
        ):
            raise ValueError("the policy was made for other axes or another number of periods.")
        return nodes


def _no_rules(part: Part) -> StockRules:
    nothing = np.zeros((1, len(part.locations)), dtype=np.int32)
    return StockRules.min_max(nothing, nothing)


def _policy_of(policy: NetworkPolicy, part: Part) -> PartPolicy:
    if isinstance(policy, NetworkSolution):
        policy = {plan.part.name: plan for plan in policy.plans}
    if not isinstance(policy, Mapping):
        if not isinstance(policy, PartPolicy):
            raise TypeError(f"policy must be a solution or rules; got a {type(policy).__name__}.")
        return policy
    if part.name not in policy:
        raise ValueError(f"policy has nothing for part {part.name!r}; it has {[*policy]}.")
    return policy[part.name]


def _of_part(name: str, given: Rates | Failures | None, part: Part) -> ArrayLike | None:
    if isinstance(given, Mapping):
        if part.name not in given:
            raise ValueError(f"{name} has nothing for part {part.name!r}; it has {[*given]}.")
        return given[part.name]
    return given
