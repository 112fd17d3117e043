"""The long-run measures of a policy, exactly."""

from __future__ import annotations

from dataclasses import replace

from sparing.exact.policy_evaluation import Bounds, evaluate_policy
from sparing.exact.progress import ProgressHook
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy

FEW_STATES = 1 << 16  # up to here the bounds are as tight as doubles carry
METRIC_STATES = 1 << 22  # up to here `sparing solve` evaluates the policy's measures unasked
SPARE_METRIC_STATES = 1 << 18  # and those of the spares, a dozen more


def long_run_metrics(
    problem: MultiComponentProblem,
    policy: Policy,
    *,
    tol: float | None = None,
    num_threads: int = 0,
    by_spare: bool = True,
    progress: ProgressHook | None = None,
) -> dict[str, Bounds]:
    """Return bounds of the averages per inspection, also where the problem is discounted.

    These are the ``cost_rate``, the ``reliability``, the ``unavailability`` and the problem's own
    kinds of cost; where spares are stocked, each kind of cost and, per spare, the orders, the
    emergency units and the units on hand. Each takes an evaluation of its own.

    Parameters
    ----------
    by_spare
        Whether those for spares are wanted.
    progress
        Called with the reports of every measure's evaluation.
    """
    if tol is None:
        tol = 1e-9 if problem.num_states <= FEW_STATES else 1e-6
    average = problem
    if problem.criterion != "average":
        average = replace(problem, criterion="average", discount=1.0)
    measures = average.measures
    if not by_spare:
        left_out = {*average.cost_kinds, *average.count_kinds}
        measures = {name: kinds for name, kinds in measures.items() if name not in left_out}
    found = evaluate_policy(
        average.epoch,
        policy,
        measures,
        weights=average.weights,
        initial=average.initial_state,
        tol=tol,
        num_threads=num_threads,
        progress=progress,
    )
    up = found["reliability"]
    metrics = {"cost_rate": found.pop("cost_rate"), "reliability": found.pop("reliability")}
    metrics["unavailability"] = Bounds(lower=1.0 - up.upper, upper=1.0 - up.lower)
    return {**metrics, **found}
