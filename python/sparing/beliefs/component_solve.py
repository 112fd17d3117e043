"""Hidden degradation of many components: two bounds that close round by round.

A round sweeps over the products of belief points (a lower bound), rolls the greedy policy out with
exact beliefs (an upper bound with its interval) and adds points where interpolation lost most.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from sparing._checks import check_number
from sparing._threads import default_num_threads
from sparing.beliefs.component_checkpoint import BeliefCheckpoint, Round, SolveState
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
RECORDED = 100  # periods of an episode of an infinite horizon that may give points
ROUNDING = 1e-8  # share of the cost up to which a loss may be that of float32 lookups
EXACT_POINTS = 50_000  # up to which it is tried to follow all beliefs of the policy


@dataclass(frozen=True, kw_only=True)
class BeliefOptions:
    """How long to go on, and with what.

    Parameters
    ----------
    gap
        Wanted distance of the bounds as a share of the upper one.
    time_s
        Time after which no further round is begun [s]; a round is not begun either if it would
        not end by then.
    memory
        Bytes that the values of a round may take.
    episodes
        Rollouts of a round.
    seed
        Of the rollouts.
    num_threads
        None: all processors. Changes no result but by the time limit.
    """

    gap: float = 1e-3
    time_s: float = 60.0
    memory: int = 1 << 30
    episodes: int = 100
    seed: int = 0
    num_threads: int | None = None

    def __post_init__(self) -> None:
        check_number("gap", self.gap, at_least=0.0)
        check_number("time", self.time_s)
        if not self.time_s > 0.0:
            raise ValueError(f"time must be above 0 seconds; got {self.time_s:g}.")
        if not self.episodes >= 2:
            raise ValueError(f"episodes must be at least 2; got {self.episodes}.")

    @property
    def threads(self) -> int:
        """Threads to use."""
        return self.num_threads or default_num_threads()


@dataclass(frozen=True, kw_only=True, eq=False)
class BeliefSolution:
    """A policy for hidden degradation, with ``lower <= optimal cost <= cost.mean``.

    The lower bound is certain up to rounding, which it allows for; the cost of the policy is exact,
    or estimated with the interval that `cost` states.
    """

    problem: HiddenProblem
    policy: GreedyBeliefPolicy
    lower: float
    cost: CostEstimate
    rounds: tuple[Round, ...]
    converged: bool
    message: str
    num_sweeps: int
    seconds: float

    @property
    def upper(self) -> float:
        """The upper end of the interval of the policy's cost."""
        return self.cost.upper

    @property
    def gap(self) -> float:
        """Distance of the bounds as a share of the upper one."""
        return relative_gap(self.lower, self.upper)

    @property
    def first_decision(self) -> dict[str, str]:
        """The option of each component, all new."""
        parts = [np.eye(c.num_states)[0] for c in self.problem.components]
        chosen = self.policy.act(np.concatenate(parts)[None])[0]
        return {c.name: c.options[k] for c, k in zip(self.problem.components, chosen, strict=True)}


def relative_gap(lower: float, upper: float) -> float:
    """Return the distance of two bounds as a share of the upper one."""
    return (upper - lower) / abs(upper) if upper != 0.0 else abs(upper - lower)


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
        upper = self.state.rounds[-1].upper.upper if self.state.rounds else np.inf
        tol = max(1e-9, 0.05 * self.options.gap * upper) if np.isfinite(upper) else 1e-3
        return stationary_values(tensor, tol=tol, num_threads=threads, between=between)

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
            if most < LEAST_GROWTH * tensor.num_points:
                return "stopped by the memory for belief points."
            return "no belief that was visited would close the bounds further."
        self.state.grids = grids
        return None

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
