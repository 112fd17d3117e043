"""Hidden degradation of many components: two bounds that close round by round.

A round sweeps over the products of belief points (a lower bound), rolls the greedy policy out with
exact beliefs (an upper bound with its interval) and adds points where interpolation lost most.
"""

from __future__ import annotations

import time

import numpy as np

from sparing.beliefs.component_checkpoint import BeliefCheckpoint, Round, SolveState
from sparing.beliefs.component_result import BeliefOptions, BeliefSolution, relative_gap
from sparing.beliefs.component_rollout import (
    CostEstimate,
    GreedyBeliefPolicy,
    estimated,
    exact_cost,
)
from sparing.beliefs.component_selection import (
    first_grid,
    gathered,
    grown_grids,
    no_candidates,
)
from sparing.beliefs.component_values import (
    BeliefTensor,
    BeliefValues,
    carried_over,
    finite_values,
    stationary_values,
)
from sparing.exact.progress import Progress, ProgressHook
from sparing.models.hidden import HiddenProblem

GROWTH = 1.5  # of the number of points from round to round; more would be chosen blindly
FIRST_AGES = ((1, 2, 4, 8), (1, 3), (1,), ())
FIRST_POINTS = 60_000
MOST_WORK = 1e11  # points times joint options above which not even the first round is tried
LEAST_GROWTH = 1.15  # less is not worth a round
FINAL_SHARE = 0.1  # of the time, for the last estimate
FINAL_WIDTH = 0.05  # of the distance of the bounds: the half-width that the last estimate aims for
MOST_EPISODES = 20_000
FIRST_GAP = 0.01  # for which the first round of an infinite horizon is swept
SWEEP_SHARE = 0.02  # of the distance of the bounds: what the sweeps of an infinite horizon leave
RECORDED = 100  # periods of an episode of an infinite horizon that may give points
ROUNDING = 1e-8  # share of the cost up to which a loss may be that of float32 lookups
EXACT_POINTS = 50_000  # up to which it is tried to follow all beliefs of the policy


def solve_hidden(
    problem: HiddenProblem,
    *,
    options: BeliefOptions | None = None,
    progress: ProgressHook | None = None,
    checkpoint: BeliefCheckpoint | None = None,
) -> BeliefSolution:
    """Solve `problem` until its bounds are as close as wanted, or the time is over.

    Raises
    ------
    ValueError
        If there are too many joint options to enumerate.
    """
    return _Solve(problem, options or BeliefOptions(), progress, checkpoint).run()


class _Solve:
    def __init__(
        self,
        problem: HiddenProblem,
        options: BeliefOptions,
        progress: ProgressHook | None,
        checkpoint: BeliefCheckpoint | None,
    ) -> None:
        self.problem, self.options = problem, options
        self.progress, self.checkpoint = progress, checkpoint
        self.started = time.monotonic()
        self.carried: BeliefValues | None = None  # of the round before, if the horizon is infinite
        self.state = self._resumed() or self._first()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        return self.options.time_s - self.seconds

    def run(self) -> BeliefSolution:
        """Do rounds until the bounds are as close as wanted or the time is over."""
        while True:
            began = self.seconds
            policy, cost = self._round()
            message = self._why_to_stop(policy, took=self.seconds - began)
            if message is not None:
                break
            del policy  # its values would stand beside those of the next round
            if self.checkpoint is not None:
                self.checkpoint.save(self.state)
        cost = self._final_cost(policy, cost)
        if self.checkpoint is not None:
            self.checkpoint.clear()
        lower = self._lower
        converged = relative_gap(lower, cost.upper) <= self.options.gap
        return BeliefSolution(
            problem=self.problem,
            policy=policy,
            lower=lower,
            cost=cost,
            rounds=tuple(self.state.rounds),
            converged=converged,
            message="" if converged else message,
            num_sweeps=self.state.num_sweeps,
            seconds=self.seconds,
        )

    @property
    def _lower(self) -> float:
        return max((done.lower for done in self.state.rounds), default=-np.inf)

    def _round(self) -> tuple[GreedyBeliefPolicy, CostEstimate]:
        """Sweep, roll out, and gather where the bound loses."""
        tensor = BeliefTensor(self.problem, self.state.grids)
        found = self._values(tensor)
        self.state.num_sweeps += found.num_sweeps
        policy = GreedyBeliefPolicy(found, self.options.threads)
        count, number = self.options.episodes, len(self.state.rounds)
        recorded = self.problem.periods or RECORDED
        seed = self.options.seed * 1_000_003 + number
        estimates, costs, visits = policy.rollout(num_episodes=count, seed=seed, recorded=recorded)
        least = ROUNDING * abs(float(estimates.mean()))
        self.state.candidates = gathered(self.state.candidates, visits, count, least)
        cost = exact_cost(policy) if tensor.num_points <= EXACT_POINTS else None
        cost = cost or estimated(estimates, costs)
        done = Round(
            num_points=tensor.num_points, lower=found.lower, upper=cost, seconds=self.seconds
        )
        self.state.rounds.append(done)
        self._report(tensor)
        return policy, cost

    def _values(self, tensor: BeliefTensor) -> BeliefValues:
        threads = self.options.threads

        def between() -> None:
            self._report(tensor)

        if self.problem.periods is not None:
            return finite_values(tensor, num_threads=threads, between=between)
        apart = FIRST_GAP
        if self.state.rounds:
            apart = relative_gap(self._lower, self.state.rounds[-1].upper.upper)
        start = None if self.carried is None else carried_over(self.carried, tensor)
        self.carried = stationary_values(
            tensor,
            relative_tol=max(1e-10, SWEEP_SHARE * max(apart, self.options.gap)),
            start=start,
            num_threads=threads,
            between=between,
        )
        return self.carried

    def _why_to_stop(self, policy: GreedyBeliefPolicy, took: float) -> str | None:
        """Return why no further round follows; None once its grids are chosen."""
        cost = self.state.rounds[-1].upper
        if relative_gap(self._lower, cost.upper) <= self.options.gap:
            return "the bounds are as close as wanted."
        tensor = policy.found.tensor
        allowed = self.options.memory / bytes_per_point(self.problem) * tensor.num_points
        most = min(GROWTH * tensor.num_points, allowed / tensor.size)
        growth = min(GROWTH, (self.left - FINAL_SHARE * self.options.time_s) / (1.2 * took))
        if growth < LEAST_GROWTH:
            return f"stopped after {self.seconds:.0f} s by the time limit."
        grids = grown_grids(
            self.state.grids, self.state.candidates, min(most, growth * tensor.num_points)
        )
        grown = [grid.num_points for grid in grids]
        if grown == [grid.num_points for grid in self.state.grids]:
            if self.problem.periods is None and self._sweeps_still_help():
                return None
            if most < LEAST_GROWTH * tensor.num_points:
                return "stopped by the memory for belief points."
            return "no belief that was visited would close the bounds further."
        self.state.grids = grids
        return None

    def _sweeps_still_help(self) -> bool:
        """Whether the bounds of an infinite horizon came closer by sweeps to a finer tolerance."""
        gaps = [done.upper.mean - done.lower for done in self.state.rounds[-2:]]
        return len(gaps) < 2 or gaps[1] < 0.8 * gaps[0]

    def _final_cost(self, policy: GreedyBeliefPolicy, cost: CostEstimate) -> CostEstimate:
        """Simulate the last policy afresh until its interval is narrow or the time is over."""
        if cost.num_episodes == 0:
            return cost
        seed = self.options.seed * 1_000_003 + 999_983
        estimates, costs = np.zeros((2, 0))
        while True:
            more, paid, _ = policy.rollout(
                num_episodes=self.options.episodes, seed=seed, first_episode=len(estimates)
            )
            estimates, costs = np.concatenate([estimates, more]), np.concatenate([costs, paid])
            found = estimated(estimates, costs)
            narrow = found.half_width <= FINAL_WIDTH * (found.mean - self._lower)
            if narrow or self.left <= 0.0 or len(estimates) >= MOST_EPISODES:
                return found

    def _report(self, tensor: BeliefTensor) -> None:
        if self.progress is None:
            return
        upper = self.state.rounds[-1].upper.upper if self.state.rounds else np.inf
        report = Progress(
            num_sweeps=self.state.num_sweeps,
            lower=self._lower,
            upper=upper,
            tol=self.options.gap * abs(upper),
            seconds=self.seconds,
            note=f"{tensor.num_points:,} points",
            part=f"round {len(self.state.rounds) + 1}",
        )
        self.progress(report)

    def _first(self) -> SolveState:
        components = self.problem.components
        for ages in FIRST_AGES:
            grids = [first_grid(component, ages) for component in components]
            points = float(np.prod([grid.num_points for grid in grids], dtype=float))
            if points <= FIRST_POINTS:
                break
        work = points * self.problem.num_joint_options
        size = points * bytes_per_point(self.problem)
        if work > MOST_WORK or size > self.options.memory:
            raise ValueError(
                f"{len(components)} components have {self.problem.num_joint_options:,} joint"
                f" options and at least {points:,.0f} products of belief points; that is too much"
                " for this solver."
            )
        return SolveState(grids, [no_candidates(component) for component in components])

    def _resumed(self) -> SolveState | None:
        return None if self.checkpoint is None else self.checkpoint.load()


def bytes_per_point(problem: HiddenProblem) -> int:
    """Return the memory of a solve for each product of belief points."""
    return 4 * ((problem.periods or 0) + 1) + 32
