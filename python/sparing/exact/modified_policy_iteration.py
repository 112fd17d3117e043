"""Value iteration and modified policy iteration for explicit models, with certified bounds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.exact._explicit_backups import ExplicitBackups
from sparing.models.explicit import ExplicitMDP


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplicitSolution:
    """A policy and its certificate: ``lower <= optimum <= the policy's own cost <= upper``.

    Discounted: `lower`, `upper` and `value` are the cost from each state [S]. Average: `lower` and
    `upper` are floats that bracket the cost a period from every state, and `value` holds relative
    values, ``value[0] == 0``. The bounds hold whether or not the solver converged.
    """

    criterion: str  # "discounted" or "average"
    lower: Any  # [S], or float
    upper: Any  # [S], or float
    value: NDArray[np.float64]  # [S]
    policy: NDArray[np.int64]  # [S] pair of each state
    action: NDArray[Any]  # [S] its label
    num_sweeps: int  # over all pairs
    num_evaluation_sweeps: int  # over the rows of one policy
    seconds: float
    converged: bool  # upper - lower <= tol
    message: str


def modified_policy_iteration(
    mdp: ExplicitMDP,
    *,
    tol: float = 1e-6,
    max_sweeps: int = 10_000,
    evaluation_sweeps: int | None = None,
    damping: float | None = None,
    initial_value: ArrayLike | None = None,
    num_threads: int = 0,
) -> ExplicitSolution:
    """Minimise the discounted or, where ``mdp.discount == 1``, the average cost.

    Sweeps over all pairs improve the policy; sweeps over the rows of that policy alone, about as
    many times cheaper as a state has pairs, evaluate it in between (Puterman 2005, sec. 6.5, 8.7).

    Parameters
    ----------
    tol
        The solver stops when ``upper - lower <= tol`` everywhere, so the policy costs at most `tol`
        more than the best one, whatever the last step was. The bounds are those of MacQueen (1966)
        and Odoni (1969) (Puterman 2005, sec. 6.6, 8.5), widened by rounding.
    max_sweeps
        Limit on sweeps over all pairs; reaching it is told in `message`.
    evaluation_sweeps
        Evaluation sweeps after each improvement; 0 is value iteration. None: until the policy's
        span is a small part of what the improvement left, at most 100.
    damping
        Share of the old value kept, in [0, 1): the aperiodicity transformation of Puterman (2005,
        sec. 8.5.4) without changing the model, so the bounds stay those of the model. None: 0, and
        0.25 once the span has stopped to shrink, as it does where the model is periodic.
    initial_value
        Shape (S,): where to start; any value is right, one near the solution is quicker.
    num_threads
        0: one, and as many as OpenMP offers for sweeps of over four million numbers. Results are
        bit-identical for any number.

    Notes
    -----
    Discounted pairs that the bounds prove not optimal are dropped on the way (MacQueen 1967).
    Multichain average models do not converge: the bounds then bracket the gains of all states.
    """
    _check_options(tol, max_sweeps, evaluation_sweeps, damping)
    run = _Run(mdp, tol, evaluation_sweeps, damping, num_threads)
    if initial_value is not None:
        run.start_at(initial_value)
    while not run.improve() and run.num_sweeps < max_sweeps:
        run.advance()
        run.evaluate()
    return run.solution()


def value_iteration_explicit(
    mdp: ExplicitMDP,
    *,
    tol: float = 1e-6,
    max_sweeps: int = 100_000,
    damping: float | None = None,
    initial_value: ArrayLike | None = None,
    num_threads: int = 0,
) -> ExplicitSolution:
    """Minimise by sweeps over all pairs alone; options as in `modified_policy_iteration`.

    The start `initial_value` [S] changes how many sweeps are needed, not the answer.
    """
    return modified_policy_iteration(
        mdp,
        tol=tol,
        max_sweeps=max_sweeps,
        evaluation_sweeps=0,
        damping=damping,
        initial_value=initial_value,
        num_threads=num_threads,
    )


class _Stall:
    """Tells every `window` calls whether the least span is still above `share` of that before."""

    def __init__(self, window: int, share: float) -> None:
        self.window, self.share, self.count = window, share, 0
        self.before = self.least = np.inf

    def __call__(self, span: float) -> bool:
        self.count, self.least = self.count + 1, min(self.least, span)
        if self.count % self.window:
            return False
        stalled = bool(self.least > self.share * self.before)
        self.before = self.least
        return stalled


class _Run:
    """One solve: improvement and evaluation in turn, and the bounds after each improvement."""

    CAP = 100  # evaluation sweeps after one improvement
    REMEDY = 0.25  # damping where the span stalls
    PART = 0.1  # of the improvement's span that evaluation leaves

    def __init__(
        self,
        mdp: ExplicitMDP,
        tol: float,
        evaluation_sweeps: int | None,
        damping: float | None,
        num_threads: int,
    ) -> None:
        self.began = time.perf_counter()
        self.mdp, self.tol = mdp, tol
        self.average = mdp.discount == 1.0
        # From the range of T value - value to the distance of the optimum from T value.
        self.scale = 1.0 if self.average else mdp.discount / (1.0 - mdp.discount)
        self.evaluation_sweeps, self.auto_damping = evaluation_sweeps, damping is None
        self.weight = 1.0 - (damping or 0.0)
        self.backups = ExplicitBackups(mdp, num_threads)
        self.num_sweeps = self.num_evaluation_sweeps = 0
        self.least = self.most = self.error = 0.0
        self.width = np.inf  # of the bounds
        self.at_precision = False
        self.stall = _Stall(50, 0.99)

    def start_at(self, initial_value: ArrayLike) -> None:
        """Begin with another value than 0."""
        value = np.array(initial_value, dtype=np.float64)
        if value.shape != (self.mdp.num_states,) or not np.isfinite(value).all():
            raise ValueError(
                f"initial_value must be finite, of shape ({self.mdp.num_states},); got shape "
                f"{value.shape} with {np.sum(~np.isfinite(value))} values that are not."
            )
        self.backups.value = value

    def improve(self) -> bool:
        """Sweep over all pairs; True when the bounds are as close as asked or as possible."""
        b = self.backups
        self.error = b.centre()
        # Hastings' test for average models drops pairs for a while only; not done here.
        threshold = np.inf if self.average else self.width
        self.least, self.most = b.improve(threshold=threshold)
        self.num_sweeps += 1
        slack = self.error if self.average else self.error / (1.0 - self.mdp.discount)
        span = self.scale * (self.most - self.least)
        self.width = span + 2.0 * slack
        self.at_precision = span <= slack
        if self.stall(span):
            self._remedy()
        return self.at_precision or bool(self.width <= self.tol)

    def _remedy(self) -> None:
        """Damp first; where that did not help, leave evaluation out too."""
        if self.auto_damping and self.weight == 1.0:
            self.weight = 1.0 - self.REMEDY
        elif self.evaluation_sweeps is None:
            self.evaluation_sweeps = 0

    def advance(self) -> None:
        """Make ``T value``, damped, the value."""
        b = self.backups
        if self.weight != 1.0:
            b.following -= b.value
            b.following *= self.weight
            b.following += b.value
        b.value, b.following = b.following, b.value

    def evaluate(self) -> None:
        """Sweep over the rows of the policy found, as often as pays."""
        b, fixed = self.backups, self.evaluation_sweeps
        if fixed == 0:
            return
        changed = b.follow()
        # The fewer states changed, the more an exact value of this policy is worth.
        goal = max(0.25 * self.tol / self.scale, self.PART * changed * (self.most - self.least))
        stall = _Stall(20, 0.999)
        for _ in range(self.CAP if fixed is None else fixed):
            least, most = b.evaluate(weight=self.weight)
            self.num_evaluation_sweeps += 1
            if fixed is None and most - least <= goal:
                break
            if stall(most - least):
                self.weight = 1.0 - self.REMEDY if self.auto_damping else self.weight
                break

    def solution(self) -> ExplicitSolution:
        """State what was found; `following` still holds the last sweep's ``T value``."""
        b, mdp = self.backups, self.mdp
        converged = bool(self.width <= self.tol)
        message = "converged" if converged else self._reason()
        lower: Any = self.least - self.error
        upper: Any = self.most + self.error
        value = b.following - b.following[0]
        if not self.average:
            value = b.following + self.scale * 0.5 * (self.least + self.most)
            lower, upper = value - 0.5 * self.width, value + 0.5 * self.width
        return ExplicitSolution(
            criterion=mdp.criterion,
            lower=lower,
            upper=upper,
            value=value,
            policy=b.policy,
            action=mdp.actions_of(b.policy),
            num_sweeps=self.num_sweeps,
            num_evaluation_sweeps=self.num_evaluation_sweeps,
            seconds=time.perf_counter() - self.began,
            converged=converged,
            message=message,
        )

    def _reason(self) -> str:
        """Say why the bounds are further apart than asked."""
        if self.at_precision:
            return (
                f"tol = {self.tol:g} is finer than float64 allows here: the bounds, widened by "
                f"rounding, are {self.width:.3g} apart."
            )
        found = f"Stopped at max_sweeps = {self.num_sweeps} with bounds {self.width:.3g} apart"
        if self.average:
            count = self.backups.num_closed_classes()
            if count > 1:
                return (
                    f"{found}: the policy found has {count} closed classes of states, so the gain "
                    "may depend on the first state (multichain). The bounds hold for every state: "
                    "lower <= the smallest gain, the largest gain <= upper."
                )
        if self.weight == 1.0:
            return f"{found}. If the model is periodic, damping = 0.5 helps."
        return f"{found}. More sweeps may bring them together."


def _check_options(
    tol: float, max_sweeps: int, evaluation_sweeps: int | None, damping: float | None
) -> None:
    if not 0.0 < tol < np.inf:
        raise ValueError(f"tol must be positive and finite; got {tol}.")
    if max_sweeps < 1:
        raise ValueError(f"max_sweeps must be >= 1; got {max_sweeps}.")
    if evaluation_sweeps is not None and evaluation_sweeps < 0:
        raise ValueError(f"evaluation_sweeps must be >= 0 or None; got {evaluation_sweeps}.")
    if damping is not None and not 0.0 <= damping < 1.0:
        raise ValueError(f"damping must be in [0, 1) or None; got {damping}.")
