"""The best control limits of a multi-component system, by exact evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from sparing.exact.policy_evaluation import Bounds, evaluate_policy
from sparing.models.maintenance_policies import control_limits
from sparing.models.multi_component import MultiComponentProblem

EXHAUSTIVE = 2_000  # limits up to which all are tried


@dataclass(frozen=True, kw_only=True)
class BestLimits:
    """The best limits found; `exhaustive` tells whether all were tried."""

    limits: tuple[int, ...]
    objective: Bounds
    num_evaluated: int
    exhaustive: bool


def best_control_limits(
    problem: MultiComponentProblem,
    weights: Mapping[str, float] | None = None,
    *,
    result: str = "uniform",
    replacement_probability: float = 1.0,
    tol: float = 1e-7,
) -> BestLimits:
    """Return the limits of least objective, each evaluated exactly.

    All combinations are tried where they are few; else one limit after another is improved until
    none can be (coordinate descent from "only when failed"), which may miss the optimum.

    Parameters
    ----------
    weights
        Weights of the kinds of cost; default the problem's own.
    result, replacement_probability
        As in `control_limits`.
    """
    wanted = dict(problem.weights if weights is None else weights)
    known: dict[tuple[int, ...], Bounds] = {}

    def objective(limits: tuple[int, ...]) -> float:
        if limits not in known:
            policy = control_limits(
                problem, limits, result=result, replacement_probability=replacement_probability
            )
            measures = {"objective": wanted}
            known[limits] = evaluate_policy(
                problem.epoch,
                policy,
                measures,
                weights=wanted,
                criterion=problem.criterion,
                initial=problem.initial_state,
                tol=tol,
            )["objective"]
        return known[limits].value

    ranges = [range(1, component.failed + 1) for component in problem.components]
    exhaustive = prod(len(choices) for choices in ranges) <= EXHAUSTIVE
    if exhaustive:
        best = min(product(*ranges), key=objective)
    else:
        best = tuple(component.failed for component in problem.components)
        improved = True
        while improved:
            before = best
            for i, choices in enumerate(ranges):
                best = min(((*best[:i], limit, *best[i + 1 :]) for limit in choices), key=objective)
            improved = best != before
    return BestLimits(
        limits=best, objective=known[best], num_evaluated=len(known), exhaustive=exhaustive
    )
