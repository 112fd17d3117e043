"""Policies of `sparing.large` on systems small enough to list: their table, evaluated exactly."""

from __future__ import annotations

from math import prod

import numpy as np

from sparing.exact.policy_evaluation import Bounds, evaluate_policy
from sparing.large.crew_policies import CrewPolicy
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import TablePolicy

BATCH = 1 << 16  # states at a time


def policy_table(problem: MultiComponentProblem, policy: CrewPolicy) -> TablePolicy:
    """Return all decisions of `policy` as a policy of `problem`, which has the same components."""
    sizes = tuple(component.num_states for component in problem.components)
    post = np.empty(prod(sizes), dtype=np.uint32)
    for begin in range(0, len(post), BATCH):
        flat = np.arange(begin, min(begin + BATCH, len(post)))
        states = np.stack(np.unravel_index(flat, sizes), axis=1).astype(np.int32)
        decided = policy.decide(states).T.astype(np.int64)
        post[flat] = np.ravel_multi_index(tuple(decided), sizes)
    return TablePolicy(problem.epoch, (post,))


def exact_objective(problem: MultiComponentProblem, policy: CrewPolicy) -> Bounds:
    """Return bounds of what `policy` costs."""
    found = evaluate_policy(
        problem.epoch,
        policy_table(problem, policy),
        {"objective": problem.weights},
        weights=problem.weights,
        criterion=problem.criterion,
        initial=problem.initial_state,
        tol=1e-7,
    )
    return found["objective"]


def exact_optimum(problem: MultiComponentProblem) -> Bounds:
    """Return bounds of the optimum."""
    from sparing.exact.value_iteration import Options, value_iteration

    found = value_iteration(
        problem.epoch,
        problem.weights,
        criterion=problem.criterion,
        initial=problem.initial_state,
        options=Options(keep_value=False, keep_policy=False),
    )
    return Bounds(lower=found.lower, upper=found.upper)
