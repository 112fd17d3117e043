"""The usual policies of a system beside its optimum, all evaluated exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np

from sparing.evaluate.metrics import long_run_metrics
from sparing.exact.policy_evaluation import evaluate_policy
from sparing.exact.value_iteration import Options, value_iteration
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy, TablePolicy

Rule: TypeAlias = Callable[[], tuple[str, Policy]]

HALF = 0.5  # the chance by which the thesis replaces failed units while the system is up
SEARCHED_STATES = 1 << 12  # up to here the best control limits are searched for exactly
RULED_STATES = 1 << 16  # up to here rules that draw each component apart are evaluated


@dataclass(frozen=True, kw_only=True, eq=False)
class PolicyRow:
    """A policy's long-run averages per inspection; `reward` is None where there are no goals.

    `detail` is what the name is too short for.
    """

    key: str
    name: str
    reward: float | None
    cost: float
    reliability: float
    policy: Policy
    detail: str = ""


def policy_rows(
    problem: MultiComponentProblem,
    *,
    refused: list[str] | None = None,
    result: str = "uniform",
) -> dict[str, PolicyRow]:
    """Return rules and optima of a problem, by key; all long-run averages.

    Parameters
    ----------
    refused
        Takes why a rule is left out, as it would do what cannot be done (a cost of inf).
    result
        What maintenance by control limits leads to, as in `control_limits`; where that is a new
        component, random maintenance is no rule of the comparison.
    """
    average = replace(problem, criterion="average", discount=1.0)
    rows = {}
    for key, words, make in _rules(average, result):
        try:
            name, policy = make()
            rows[key] = policy_row(average, policy, key=key, name=name + words)
        except ValueError as error:
            if refused is not None:
                refused.append(f"{key} is left out: {error}")
    if problem.num_states > SEARCHED_STATES and limits_refused(problem) is None:
        try:
            rows["limits"] = tuned_limits_row(average)
        except ValueError as error:
            if refused is not None:
                refused.append(f"limits is left out: {error}")
    for key, name, policy in _optima(average):
        rows[key] = policy_row(average, policy, key=key, name=name)
    return rows


def policy_row(
    problem: MultiComponentProblem, policy: Policy, *, key: str = "", name: str = ""
) -> PolicyRow:
    """Return the exact long-run averages of one policy."""
    found = long_run_metrics(problem, policy)
    reward = None
    if problem.goals:
        measures = {"objective": problem.weights}
        value = evaluate_policy(problem.epoch, policy, measures, weights=problem.weights)
        reward = -value["objective"].value
    return PolicyRow(
        key=key,
        name=name,
        reward=reward,
        cost=found["cost_rate"].value,
        reliability=found["reliability"].value,
        policy=policy,
    )


def may_leave_failed(problem: MultiComponentProblem) -> bool:
    """Whether some failed component may stay failed."""
    return any(np.isfinite(c.maintenance_cost[c.failed, c.failed]) for c in problem.components)


def optimal_policy(problem: MultiComponentProblem, *, cost_only: bool = False) -> TablePolicy:
    """Return the policy of least objective, or of least cost, under the average criterion."""
    weights = dict.fromkeys(problem.cost_kinds, 1.0) if cost_only else problem.weights
    options = Options(tol=1e-8, keep_value=False)
    return value_iteration(problem.epoch, weights, options=options).policy


def limits_refused(problem: MultiComponentProblem) -> str | None:
    """Return why control limits by type of component cannot be tuned, or None."""
    from sparing.large.crew_system import refused

    return refused(problem)


def tuned_limits_row(problem: MultiComponentProblem) -> PolicyRow:
    """Return control limits that are tuned for cost by simulation, evaluated exactly."""
    from sparing.large.crew_simulation import CrewSimulation
    from sparing.large.crew_system import CrewSystem
    from sparing.large.exact_rating import policy_table
    from sparing.large.tuning import tuned_limits

    system = CrewSystem(replace(problem, goals={}))
    policy = tuned_limits(CrewSimulation(system=system)).policy
    types = "; ".join(", ".join(problem.names[i] for i in held) for held in system.members)
    words = str(policy).removeprefix("control limits ")
    row = policy_row(
        problem, policy_table(problem, policy), key="limits", name="tuned control limits"
    )
    return replace(row, detail=f"{words}, by type of component: {types}")


def _rules(problem: MultiComponentProblem, result: str) -> Iterator[tuple[str, str, Rule]]:
    """Yield key, an addition to the name, and what makes name and policy."""
    if problem.result != "chosen" or problem.num_states > RULED_STATES:
        return
    chances = [("", "", 1.0)]
    if may_leave_failed(problem):
        chances.append(("-half", ", failed replaced w.p. 1/2", HALF))
    for suffix, words, chance in chances:
        yield f"corrective{suffix}", words, partial(_corrective, problem, chance)
        if result == "uniform":
            yield f"random{suffix}", words, partial(_random, problem, chance)
        if problem.num_states <= SEARCHED_STATES:
            yield f"limits{suffix}", words, partial(_best_limits, problem, chance, result)


def _corrective(problem: MultiComponentProblem, chance: float) -> tuple[str, Policy]:
    from sparing.models.maintenance_policies import corrective

    return "corrective", corrective(problem, replacement_probability=chance)


def _random(problem: MultiComponentProblem, chance: float) -> tuple[str, Policy]:
    from sparing.models.maintenance_policies import random_maintenance

    return "random", random_maintenance(problem, replacement_probability=chance)


def _best_limits(problem: MultiComponentProblem, chance: float, result: str) -> tuple[str, Policy]:
    from sparing.evaluate.control_limit_search import best_control_limits
    from sparing.models.maintenance_policies import control_limits

    cost = dict.fromkeys(problem.cost_kinds, 1.0)
    best = best_control_limits(problem, cost, result=result, replacement_probability=chance)
    limits = ",".join(map(str, best.limits))
    policy = control_limits(problem, best.limits, result=result, replacement_probability=chance)
    return f"{'best' if best.exhaustive else 'good'} control limits {limits}", policy


def _optima(problem: MultiComponentProblem) -> Iterator[tuple[str, str, Policy]]:
    if problem.goals:
        yield "optimum", "optimum", optimal_policy(problem)
        if may_leave_failed(problem) and not problem.restore_when_down:
            restored = replace(problem, restore_when_down=True)
            policy = optimal_policy(restored)
            # The tables of both problems lead to the same states, so one evaluates the other.
            yield (
                "restored",
                "optimum, failed replaced when down",
                TablePolicy(problem.epoch, policy.stages),
            )
    yield "cheapest", "optimum, cost only", optimal_policy(problem, cost_only=True)
