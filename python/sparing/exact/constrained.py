"""Hard goals on long-run averages, by multipliers and with the duality gap stated.

The Lagrangian of a constrained average-cost problem is an unconstrained one with other weights of
the kinds of cost (Altman 1999, ch. 12). Its policies are the columns of a small linear program,
whose duals are the next multipliers (Dantzig & Wolfe 1960): any number of goals is one mechanism,
and every round gives an upper bound (a mixture of policies that meets the goals) and a lower one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparing.epoch import Epoch
from sparing.exact.checkpoint import fingerprint
from sparing.exact.policy_evaluation import Bounds, evaluate_policy
from sparing.exact.progress import Progress, ProgressHook
from sparing.exact.saved_columns import SavedColumns
from sparing.exact.solution import Solution
from sparing.exact.value_iteration import Options, value_iteration

MAX_ROUNDS = 100
FEASIBLE = 1e-7  # how far a measure may miss its goal, as a share of the goal


@dataclass(frozen=True, kw_only=True)
class HardGoal:
    """The long-run average of `weights` must be at most `limit` (for at least: negate both)."""

    name: str
    weights: Mapping[str, float]
    limit: float


@dataclass(frozen=True, kw_only=True, eq=False)
class ConstrainedSolution:
    """Policies to mix at the start, with ``lower <= constrained optimum <= upper``.

    Parameters
    ----------
    lower, upper
        Bounds of the least objective; their distance is the duality gap (plus tolerance).
    solutions, probability
        The policies to draw from once, and with which probability; at most one more than goals.
    measures
        Long-run average of each goal's measure under the mixture.
    multipliers
        The price of each goal: what one unit of its limit is worth.
    best_pure
        The cheapest single policy found that meets all goals, or None if none was found.
    pure_objective
        Its objective.
    """

    lower: float
    upper: float
    solutions: tuple[Solution, ...]
    probability: tuple[float, ...]
    measures: Mapping[str, float]
    multipliers: Mapping[str, float]
    best_pure: Solution | None
    pure_objective: float
    num_rounds: int

    @property
    def duality_gap(self) -> float:
        """Distance of the bounds."""
        return self.upper - self.lower


@dataclass(frozen=True, eq=False)
class _Column:
    solution: Solution
    objective: float
    measures: NDArray[np.float64]  # [goals]


def solve_constrained(
    epoch: Epoch,
    weights: Mapping[str, float],
    goals: Sequence[HardGoal],
    *,
    tol: float = 1e-6,
    initial: tuple[int, ...] | None = None,
    num_threads: int = 0,
    progress: ProgressHook | None = None,
    checkpoint_dir: Path | None = None,
) -> ConstrainedSolution:
    """Minimise the long-run average cost subject to limits on other long-run averages.

    Every round solves the epoch under other weights. With `checkpoint_dir` the rounds that are done
    and the state of the one at hand are kept there; the same call goes on from them to the
    identical result.

    Raises
    ------
    KeyboardInterrupt
        After the batch of sweeps that was running when Ctrl-C came.
    ValueError
        If no policy meets the goals; the message gives the best that can be reached.
    """
    search = _Search(epoch, dict(weights), tuple(goals), tol, initial, num_threads)
    search.progress, search.checkpoint_dir = progress, checkpoint_dir
    search.saved = SavedColumns(checkpoint_dir, epoch, search.initial)
    try:
        result = search.solve()
    except KeyboardInterrupt:
        search.saved.flush()
        raise
    except ValueError:
        search.saved.clear()
        raise
    search.saved.clear()
    return result


class _Search:
    def __init__(
        self,
        epoch: Epoch,
        weights: dict[str, float],
        goals: tuple[HardGoal, ...],
        tol: float,
        initial: tuple[int, ...] | None,
        num_threads: int,
    ) -> None:
        self.epoch, self.weights, self.goals = epoch, weights, goals
        self.tol, self.num_threads = tol, num_threads
        self.initial = initial if initial is not None else (0,) * len(epoch.axes)
        self.limits = np.array([goal.limit for goal in goals])
        self.columns: list[_Column] = []
        self.progress: ProgressHook | None = None
        self.checkpoint_dir: Path | None = None
        self.saved = SavedColumns(None, epoch, self.initial)

    def solve(self) -> ConstrainedSolution:
        self._add_extremes()
        lower, multipliers = -np.inf, np.zeros(len(self.goals))
        for num_rounds in range(1, MAX_ROUNDS + 1):  # noqa: B007 - reported at the end
            mixture, upper, multipliers = self._master()
            solution = self._add(self._priced(multipliers))
            lower = max(lower, solution.lower - float(multipliers @ self.limits))
            if upper - lower <= self.tol:
                break
        return self._result(mixture, lower, upper, multipliers, num_rounds)

    def _priced(self, multipliers: NDArray[np.float64]) -> dict[str, float]:
        """Return the weights of the Lagrangian."""
        priced = dict(self.weights)
        for goal, price in zip(self.goals, multipliers, strict=True):
            for kind, weight in goal.weights.items():
                priced[kind] = priced.get(kind, 0.0) + float(price) * weight
        return priced

    def _add(self, weights: Mapping[str, float]) -> Solution:
        """Solve under `weights` and keep the policy with its exact measures as a column."""
        options = Options(tol=self.tol / 4, keep_value=False, num_threads=self.num_threads)
        key = fingerprint(self.epoch, weights, options=replace(options, num_threads=0))
        saved = self.saved.load(key)
        if saved is None:
            saved = self._solved(weights, options)
            self.saved.save(key, *saved)
        solution, found = saved
        values = np.array([found[f"goal {i}"] for i in range(len(self.goals))])
        self.columns.append(_Column(solution, found["objective"], values))
        return solution

    def _solved(
        self, weights: Mapping[str, float], options: Options
    ) -> tuple[Solution, dict[str, float]]:
        """Return the optimum under `weights` and what it measures."""
        solution = value_iteration(
            self.epoch,
            weights,
            initial=self.initial,
            options=options,
            progress=None if self.progress is None else self._report,
            checkpoint_dir=self.checkpoint_dir,
        )
        # By number, as a measure may have a limit on either side.
        measures = {f"goal {i}": goal.weights for i, goal in enumerate(self.goals)}
        measures["objective"] = self.weights
        found: dict[str, Bounds] = evaluate_policy(
            self.epoch,
            solution.policy,
            measures,
            weights=weights,
            initial=self.initial,
            tol=self.tol / 8,
            num_threads=self.num_threads,
        )
        return solution, {name: bounds.value for name, bounds in found.items()}

    def _report(self, progress: Progress) -> None:
        """Say which policy the sweeps are for."""
        assert self.progress is not None
        note = f"policy {len(self.columns) + 1} {progress.note}"
        self.progress(replace(progress, note=note.rstrip()))

    def _add_extremes(self) -> None:
        """Start from the policy that is best for each goal; refuse a goal none can meet."""
        for position, goal in enumerate(self.goals):
            solution = self._add(goal.weights)
            best = self.columns[-1].measures[position]
            slack = FEASIBLE * max(1.0, abs(goal.limit))
            if solution.lower > goal.limit + slack:
                sign = -1.0 if all(w < 0.0 for w in goal.weights.values()) else 1.0
                raise ValueError(
                    f"no policy meets the goal on {goal.name!r}: the limit is"
                    f" {sign * goal.limit:g}, the best that can be reached is {sign * best:.9g}."
                )

    def _master(self) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
        """Return the cheapest mixture of the columns that meets the goals, its cost, the duals."""
        from scipy.optimize import linprog  # here, so that importing sparing stays quick

        costs = np.array([column.objective for column in self.columns])
        measured = np.array([column.measures for column in self.columns]).T
        penalty = 1e4 * (1.0 + np.abs(costs).max())
        artificial = np.full(len(self.goals), penalty / (1.0 + np.abs(self.limits)))
        found = linprog(
            np.concatenate([costs, artificial]),
            A_ub=np.hstack([measured, -np.eye(len(self.goals))]),
            b_ub=self.limits,
            A_eq=np.concatenate([np.ones(costs.size), np.zeros(len(self.goals))])[None],
            b_eq=[1.0],
            method="highs",
        )
        if found.x is None or found.fun is None:
            raise RuntimeError(f"the master problem was not solved: {found.message}")
        return found.x, float(found.fun), -np.asarray(found.ineqlin.marginals)

    def _result(
        self,
        mixture: NDArray[np.float64],
        lower: float,
        upper: float,
        multipliers: NDArray[np.float64],
        num_rounds: int,
    ) -> ConstrainedSolution:
        size = len(mixture) - len(self.goals)
        slack = FEASIBLE * (1.0 + np.abs(self.limits))
        if np.any(mixture[size:] > slack):
            names = [goal.name for goal in self.goals]
            raise ValueError(f"no policy meets the goals on {names} together.")
        used = [i for i in range(size) if mixture[i] > 1e-12]
        measured = sum(mixture[i] * self.columns[i].measures for i in used)
        pure = [c for c in self.columns if np.all(c.measures <= self.limits + slack)]
        best = min(pure, key=lambda column: column.objective, default=None)
        names = [goal.name for goal in self.goals]
        prices: dict[str, float] = {}
        for name, price in zip(names, multipliers.tolist(), strict=True):
            prices[name] = max(price, prices.get(name, 0.0))  # one of two sides binds at most
        return ConstrainedSolution(
            lower=lower,
            upper=upper,
            solutions=tuple(self.columns[i].solution for i in used),
            probability=tuple(float(mixture[i]) for i in used),
            measures=dict(zip(names, np.asarray(measured).tolist(), strict=True)),
            multipliers=prices,
            best_pure=best.solution if best else None,
            pure_objective=best.objective if best else float("inf"),
            num_rounds=num_rounds,
        )
