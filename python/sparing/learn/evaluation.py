"""What a trained policy costs, exactly where that is possible, and the optimum beside it."""

from __future__ import annotations

from typing import Any, NamedTuple

from sparing.epoch import Epoch
from sparing.exact.policy_evaluation import Bounds, evaluate_policy
from sparing.exact.solution import Solution
from sparing.learn.learners import Centre
from sparing.models.load_sharing_system import LoadSharingSystem
from sparing.policies import TablePolicy

LARGEST = 1 << 22  # states up to which policies are evaluated and the optimum is computed


class Goal(NamedTuple):
    """The objective of a model that repeats for ever.

    `weights` are those of the kinds of cost; `discount` is 1 for a long-run average, which is per
    unit of time where epochs have durations.
    """

    model: Any
    epoch: Epoch
    weights: dict[str, float]
    initial: tuple[int, ...]
    discount: float

    @property
    def is_average(self) -> bool:
        """Whether the long-run average is minimised."""
        return self.discount == 1.0

    @property
    def costs(self) -> dict[str, float]:
        """The weights without that of the duration, which is no cost."""
        return {kind: weight for kind, weight in self.weights.items() if kind != "duration"}

    @property
    def centre(self) -> Centre:
        """What a learner takes off the costs."""
        return Centre.gain if self.is_average else Centre.mean

    @property
    def fits(self) -> bool:
        """Whether it is small enough to be solved and evaluated exactly."""
        return self.epoch.num_states <= LARGEST


def goal_of(process: Any) -> Goal:
    """Return the objective of a `sparing.learn.process.Process`.

    Raises
    ------
    ValueError
        If its horizon is finite: such a model is solved by `sparing.finite_horizon`.
    """
    if process.finite:
        raise ValueError(
            "training takes models that repeat; a finite horizon is solved by finite_horizon."
        )
    epoch = process.epochs[0]
    return Goal(process.model, epoch, dict(process.weights), process.initial, epoch.discount)


def optimum_of(goal: Goal) -> Bounds | None:
    """Return bounds of the optimal objective, None where it is too large to solve."""
    if not goal.fits:
        return None
    found = solution_of(goal, keep_value=False)
    return Bounds(lower=found.lower, upper=found.upper)


def solution_of(goal: Goal, *, keep_value: bool) -> Solution:
    """Solve for the goal exactly; it must fit. No policy is kept."""
    from sparing.exact.options import Options

    if "duration" in goal.epoch.kinds and goal.is_average:
        from sparing.exact.semi_markov import solve_semi_markov

        if isinstance(goal.model, LoadSharingSystem):
            weights, error = goal.model.weights, goal.model.error
            return solve_semi_markov(goal.epoch, weights, error=error, options=Options(tol=1e-8))
        return solve_semi_markov(goal.epoch, goal.costs)
    from sparing.exact.value_iteration import value_iteration

    return value_iteration(
        goal.epoch,
        goal.costs,
        criterion="average" if goal.is_average else "discounted",
        initial=goal.initial,
        options=Options(keep_value=keep_value, keep_policy=False),
    )


def exact_objective(goal: Goal, policy: TablePolicy) -> Bounds:
    """Return bounds of what `policy` costs."""
    if isinstance(goal.model, LoadSharingSystem):
        from sparing.evaluate.load_sharing_metrics import load_sharing_metrics

        return load_sharing_metrics(goal.model, policy, objective=True)["objective"]
    measures = {"objective": goal.costs}
    if "duration" in goal.epoch.kinds and goal.is_average:
        from sparing.exact.semi_markov_evaluation import evaluate_semi_markov

        return evaluate_semi_markov(goal.epoch, policy, measures, weights=goal.costs)["objective"]
    tol = 1e-9 if goal.epoch.num_states <= 1 << 16 else 1e-6
    found = evaluate_policy(
        goal.epoch,
        policy,
        measures,
        weights=goal.costs,
        criterion="average" if goal.is_average else "discounted",
        initial=goal.initial,
        tol=tol,
    )
    return found["objective"]
