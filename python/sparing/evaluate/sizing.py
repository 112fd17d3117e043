"""The outer search of a load-sharing problem: how many positions, and when to inspect."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sparing.evaluate.load_sharing_actions import Actions, actions
from sparing.evaluate.search_log import SearchLog, SizeAndInterval
from sparing.exact.options import Options
from sparing.exact.progress import Progress, ProgressHook
from sparing.exact.semi_markov import SemiMarkovSolution, solve_semi_markov
from sparing.models.load_sharing import IntervalRange, LoadSharingProblem
from sparing.models.load_sharing_system import LoadSharingSystem
from sparing.policies import TablePolicy

SCANNED = 12  # intervals of a range that are tried before it is searched between the best ones
DEFAULT_TOL = 1e-8  # of each solve, as gains of neighbouring choices differ little
SEARCH_TOL = 1e-9  # of the gains that a continuous search compares


@dataclass(frozen=True, kw_only=True, eq=False)
class SizingSolution:
    """The best size and interval, and the optimal policy there.

    Attributes
    ----------
    system, solution
        The best choice, and the solve of it.
    cells
        Every size and interval that was solved.
    lower, upper
        Bounds of the least cost per unit of time over the listed choices. Where intervals are
        searched continuously the lower bound is that of the intervals tried: nothing is proved
        of those between them.
    """

    problem: LoadSharingProblem
    system: LoadSharingSystem
    solution: SemiMarkovSolution
    cells: tuple[SizeAndInterval, ...]
    lower: float
    upper: float
    seconds: float

    @property
    def objective(self) -> float:
        """The middle of the bounds."""
        return (self.lower + self.upper) / 2.0

    @property
    def positions(self) -> int:
        """The best size."""
        return self.system.size

    @property
    def inspection_interval(self) -> float:
        """The best interval."""
        return self.system.interval

    @property
    def policy(self) -> TablePolicy:
        """The optimal policy at the best size and interval."""
        return self.solution.policy

    @cached_property
    def actions(self) -> Actions:
        """What the optimal policy does in every state."""
        return actions(self.system, self.policy.stages[0])

    def decision(
        self, counts: Sequence[int], on_hand: int = 0, on_order: int = 0
    ) -> dict[str, Any]:
        """Return what to replace and to order, with so many components in each condition.

        Raises
        ------
        ValueError
            If the counts do not add up to `positions`, or the spares exceed the capacity.
        """
        return self.actions.describe(self.system.state(counts, on_hand, on_order))

    @property
    def num_sweeps(self) -> int:
        """Sweeps of all solves."""
        return sum(cell.num_sweeps for cell in self.cells)

    @property
    def converged(self) -> bool:
        """Whether every solve met its tolerance."""
        return all(cell.converged for cell in self.cells)

    def __str__(self) -> str:
        """Objective and choice in a few lines."""
        return (
            f"cost per unit of time: {self.objective:.9g}  [{self.lower:.9g}, {self.upper:.9g}]"
            f" with {self.positions} positions, inspected every {self.inspection_interval:g}\n"
            f"{len(self.cells)} choices solved in {self.num_sweeps} sweeps, {self.seconds:.2f} s."
        )


def best_size(
    problem: LoadSharingProblem,
    *,
    options: Options | None = None,
    progress: ProgressHook | None = None,
    checkpoint_dir: Path | None = None,
) -> SizingSolution:
    """Solve every listed size and interval, or search the intervals of a range, and take the best.

    A range is scanned at intervals that grow by a constant factor; then the best of them is
    refined between its neighbours to the wanted tolerance by bounded minimisation (Brent 1973).
    That finds the minimum if the cost has one valley around it, which is not proved.

    Parameters
    ----------
    options
        Of each solve; by default tol is 1e-8.
    checkpoint_dir
        Where finished choices and the state of the solve that is running are saved; given again,
        the search goes on from there to the identical result.
    """
    search = _SizeSearch(problem, options or Options(tol=DEFAULT_TOL), progress, checkpoint_dir)
    for size in problem.positions:
        search.search(size)
    return search.result()


class _SizeSearch:
    def __init__(
        self,
        problem: LoadSharingProblem,
        options: Options,
        progress: ProgressHook | None,
        checkpoint_dir: Path | None,
    ) -> None:
        self.problem, self.options, self.progress = problem, options, progress
        self.log = SearchLog(checkpoint_dir, problem, self.options)
        self.cells: list[SizeAndInterval] = []
        self.best: tuple[LoadSharingSystem, SemiMarkovSolution] | None = None
        self.best_gain = float("inf")
        self.again: tuple[SizeAndInterval, Options, float] | None = None
        self.started = time.monotonic()

    def search(self, size: int) -> None:
        intervals = self.problem.inspection_interval
        if not isinstance(intervals, IntervalRange):
            for interval in intervals:
                self.gain(size, interval)
            return
        from scipy.optimize import minimize_scalar

        fine = replace(self.options, tol=min(self.options.tol, SEARCH_TOL))
        scanned = np.geomspace(intervals.shortest, intervals.longest, SCANNED)
        gains = [self.gain(size, float(interval), fine) for interval in scanned]
        best = int(np.argmin(gains))
        minimize_scalar(
            lambda interval: self.gain(size, float(interval), fine),
            bounds=(scanned[max(best - 1, 0)], scanned[min(best + 1, SCANNED - 1)]),
            method="bounded",
            options={"xatol": intervals.tolerance / 2.0},
        )

    def gain(self, size: int, interval: float, options: Options | None = None) -> float:
        """Solve one size and interval, and keep it if it is the best so far."""
        options = options or self.options
        guess = self.cells[-1].gain if self.cells else 0.0
        cell = self.log.get(len(self.cells), size, interval)
        if cell is None:
            system = LoadSharingSystem(self.problem, size, interval)
            solution = self._solve(system, options, guess)
            cell = SizeAndInterval(
                positions=size,
                inspection_interval=interval,
                lower=solution.lower,
                upper=solution.upper,
                num_sweeps=solution.num_sweeps,
                seconds=solution.seconds,
                converged=solution.converged,
            )
            self.log.add(cell)
            if cell.gain < self.best_gain:
                self.best = system, solution
        if cell.gain < self.best_gain:
            self.best_gain, self.again = cell.gain, (cell, options, guess)
        self.cells.append(cell)
        return cell.gain

    def _solve(
        self, system: LoadSharingSystem, options: Options, guess: float
    ) -> SemiMarkovSolution:
        return solve_semi_markov(
            system.epoch,
            system.weights,
            initial=system.initial_state,
            guess=guess,
            error=system.error,
            options=options,
            progress=self._hook(system.size, system.interval),
            checkpoint_dir=self.log.folder,
        )

    def _hook(self, size: int, interval: float) -> Callable[[Progress], None] | None:
        report = self.progress
        if report is None:
            return None
        where = f"{size} positions, interval {interval:.4g}"
        return lambda found: report(replace(found, note=f"{found.note}; {where}"))

    def result(self) -> SizingSolution:
        """Return the best choice; solve it again if an earlier run found it."""
        assert self.again is not None
        cell, options, guess = self.again
        size, interval = cell.positions, cell.inspection_interval
        if self.best is None or (self.best[0].size, self.best[0].interval) != (size, interval):
            system = LoadSharingSystem(self.problem, size, interval)
            self.best = system, self._solve(system, options, guess)
        self.log.clear()
        system, solution = self.best
        return SizingSolution(
            problem=self.problem,
            system=system,
            solution=solution,
            cells=tuple(self.cells),
            lower=min(cell.lower for cell in self.cells),
            upper=min(cell.upper for cell in self.cells),
            seconds=time.monotonic() - self.started,
        )
