"""How good a policy is if the estimates are off: the same policy under posterior draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sparing.exact.policy_evaluation import evaluate_policy
from sparing.exact.value_iteration import Options, value_iteration
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.estimation import Estimates
from sparing.policies import Policy, TablePolicy
from sparing.records.paths import Array

MOST_DRAWS = 100  # problems that are solved for it
MOST_STATES = 1 << 17  # of a problem that is solved so often


@dataclass(frozen=True, kw_only=True, eq=False)
class Robustness:
    """The objective, long-run and per period, under posterior draws [draws].

    Parameters
    ----------
    cost
        Of the recommended policy; simulated where the problem is large.
    optimum
        Of the policy one would have chosen had one known; None where the problem is too large.
    by_component
        Cost of the recommended policy with only this component's estimate drawn; empty where the
        problem is too large.
    """

    cost: Array
    optimum: Array | None
    by_component: Mapping[str, Array]

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % credible interval of the recommended policy's cost."""
        low, high = np.quantile(self.cost, [0.025, 0.975])
        return float(low), float(high)

    @property
    def value_of_information(self) -> tuple[float, float] | None:
        """Expected saving per period if the transitions were known, and its standard error."""
        if self.optimum is None:
            return None
        regret = np.maximum(self.cost - self.optimum, 0.0)
        return float(regret.mean()), float(regret.std(ddof=1) / np.sqrt(regret.size))


def robustness(
    estimates: Estimates,
    policy: Policy,
    *,
    num_draws: int = MOST_DRAWS,
    progress: Callable[[int, int], None] | None = None,
) -> Robustness | None:
    """Evaluate `policy` under posterior draws, beside the optimum of each.

    The mean difference is the expected value of perfect information (Raiffa & Schlaifer 1961).
    None where nothing is estimated, or a problem is too large to be solved so often.
    """
    draws = min(num_draws, MOST_DRAWS, estimates.num_draws)
    mean = estimates.mean_problem()
    if draws < 2 or mean.num_states > MOST_STATES:
        return None
    names = list(estimates.components)
    total, done = draws * (1 + len(names)), 0
    cost, optimum = np.empty(draws), np.empty(draws)
    by_component = {name: np.empty(draws) for name in names}
    for draw in range(draws):
        problem = _average(estimates.drawn_problem(draw))
        cost[draw] = _cost(problem, policy)
        found = value_iteration(problem.epoch, problem.weights, options=Options(tol=1e-6))
        optimum[draw] = (found.lower + found.upper) / 2.0
        for name in names:
            by_component[name][draw] = _cost(
                _average(estimates.drawn_problem(draw, only=name)), policy
            )
        done += 1 + len(names)
        if progress is not None:
            progress(done, total)
    return Robustness(cost=cost, optimum=optimum, by_component=by_component)


def _average(problem: MultiComponentProblem) -> MultiComponentProblem:
    return replace(problem, criterion="average", discount=1.0)


def _cost(problem: MultiComponentProblem, policy: Policy) -> float:
    if isinstance(policy, TablePolicy):  # made for the same states
        policy = TablePolicy(problem.epoch, policy.stages)
    weights = problem.weights
    found = evaluate_policy(problem.epoch, policy, {"objective": weights}, weights=weights)
    return found["objective"].value
