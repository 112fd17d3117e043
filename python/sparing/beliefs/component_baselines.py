"""Usual rules for hidden degradation, evaluated exactly by forward recursion and tuned.

Each rule decides for a component by its own history and the calendar alone, so the components
evolve apart: their distributions are followed one by one and meet in the structure function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from sparing.beliefs.component_points import corner_grid
from sparing.beliefs.component_values import BeliefTensor, finite_values, stationary_values
from sparing.models.hidden import HiddenComponent, HiddenProblem

Numbers = NDArray[np.float64]
NEGLIGIBLE = 1e-13  # weight of the periods of an infinite horizon that are left out
LONGEST_INTERVAL = 15
MOST_SUBSETS = 12  # components up to which all subsets are tried


@dataclass(frozen=True, eq=False)
class Course:
    """What a rule makes of one component: discounted cost, chance of failed by period [periods]."""

    cost: float
    failed: Numbers


@dataclass(frozen=True)
class Baseline:
    """A rule with its best parameters and its exact discounted cost from all new."""

    rule: str
    parameters: str
    cost: float


def num_periods(problem: HiddenProblem) -> int:
    """Return the periods that count: all, or those with a weight that is not negligible."""
    if problem.periods is not None:
        return problem.periods
    return int(np.ceil(np.log(NEGLIGIBLE) / np.log(problem.discount)))


def total_cost(problem: HiddenProblem, courses: Sequence[Course]) -> float:
    """Return the discounted cost of the system whose components take these courses."""
    up = problem.works.astype(np.float64)[..., None]  # components, then periods
    for course in courses:
        up = up[0] * course.failed + up[1] * (1.0 - course.failed)
    weight = problem.discount ** np.arange(len(courses[0].failed))
    downtime = problem.downtime_cost * float(weight @ (1.0 - up))
    return sum(course.cost for course in courses) + downtime


def repaired(
    problem: HiddenProblem,
    component: HiddenComponent,
    chance: Numbers,
    *,
    fee: Numbers | None = None,
) -> Course:
    """Return the course of a component that is repaired by chance [periods, states].

    `fee` [periods] is paid on top while it works.
    """
    state = np.eye(component.num_states)[0]
    failed, cost = np.empty(len(chance)), 0.0
    for period, repair in enumerate(chance):
        failed[period] = state[-1]
        taken = state * repair
        if component.repair_cost is not None:
            cost += problem.discount**period * component.repair_cost * float(taken.sum())
        if fee is not None:
            cost += problem.discount**period * fee[period] * float(state[:-1].sum())
        made_new = component.repair_success * taken
        state = state - made_new
        state[0] += made_new.sum()
        state = state @ component.transition
    return Course(cost, failed)


def replaced_at_failure(problem: HiddenProblem, component: HiddenComponent) -> Course:
    """Return the course of a component that is repaired whenever it has failed."""
    return repaired(problem, component, _repair_chance(problem, component, 0))


def left_alone(problem: HiddenProblem, component: HiddenComponent) -> Course:
    """Return the course of a component that is never repaired."""
    return repaired(problem, component, np.zeros((num_periods(problem), component.num_states)))


def repaired_at_intervals(
    problem: HiddenProblem, component: HiddenComponent, interval: int
) -> Course:
    """Return the course of a component repaired at failure and every `interval` periods.

    0: only at failure. Nothing is repaired in the last period, which would be in vain.
    """
    chance = _repair_chance(problem, component, interval)
    if problem.periods is not None:
        chance[-1] = 0.0
    return repaired(problem, component, chance)


def repaired_blindly(
    problem: HiddenProblem, component: HiddenComponent, interval: int, chance: float
) -> Course:
    """Return the course of a component inspected to no avail.

    Every `interval` periods, while it works, an inspection is paid for and it is repaired by
    chance, whatever was seen; it is repaired at failure as well. This is what the periodic rule
    published with Bhustali et al. (2026) does.
    """
    chances = _repair_chance(problem, component, interval, chance)
    fee = np.zeros(len(chances))
    fee[interval::interval] = component.inspection_cost or 0.0
    return repaired(problem, component, chances, fee=fee)


def _repair_chance(
    problem: HiddenProblem, component: HiddenComponent, interval: int, chance: float = 1.0
) -> Numbers:
    found = np.zeros((num_periods(problem), component.num_states))
    found[:, -1] = 1.0
    if interval > 0:
        found[interval::interval, :-1] = chance
    return found if component.repair_cost is not None else np.zeros_like(found)


def inspected(
    problem: HiddenProblem, component: HiddenComponent, interval: int, limit: int
) -> Course:
    """Return the course of a component inspected every `interval` periods.

    It is repaired in the next period if `limit` or more was observed, and whenever it has failed.
    """
    if component.observation is None or component.repair_cost is None:
        return replaced_at_failure(problem, component)
    assert component.inspection_cost is not None
    states = component.num_states
    due = np.zeros((2, states))  # whether a repair is due, by state
    due[0, 0] = 1.0
    limited = component.observation[:, limit:].sum(axis=1)
    failed, cost = np.empty(num_periods(problem)), 0.0
    for period in range(len(failed)):
        failed[period] = due[:, -1].sum()
        waits = due[0].copy()
        waits[-1] = 0.0
        taken = due.sum(axis=0) - waits
        inspects = period > 0 and period % interval == 0
        paid = component.repair_cost * float(taken.sum())
        if inspects:
            paid += component.inspection_cost * float(waits.sum())
        cost += problem.discount**period * paid
        unchanged = (1.0 - component.repair_success) * taken
        unchanged[0] += component.repair_success * float(taken.sum())
        after, waits = unchanged @ component.transition, waits @ component.transition
        seen = waits * limited if inspects else np.zeros(states)
        due = np.stack([after + waits - seen, seen])
    return Course(cost, failed)


def baselines(problem: HiddenProblem) -> list[Baseline]:
    """Return the tuned rules: at failure (all, some), after inspections, at intervals.

    The parameters of the last one are the intervals of the components in their order.
    """
    names = [component.name for component in problem.components]
    at_failure = [replaced_at_failure(problem, c) for c in problem.components]
    found = [Baseline("repair at failure", "all", total_cost(problem, at_failure))]
    subset = _best_subset(problem, at_failure)
    chosen = ", ".join(name for name, kept in zip(names, subset.choice, strict=True) if kept)
    found.append(Baseline("repair some at failure", chosen or "none", subset.cost))
    if max(component.channel.shape[2] for component in problem.components) > 2:
        found.append(_best_inspections(problem))
    intervals = _best_intervals(problem, subset)
    words = ", ".join(_interval_text(k) for k in intervals.choice)
    return [*found, Baseline("repair at intervals", words, intervals.cost)]


@dataclass(frozen=True)
class _Best:
    choice: tuple[int, ...]
    cost: float


def _descended(
    start: Sequence[int], options: Sequence[Sequence[int]], cost_of: Callable[[list[int]], float]
) -> _Best:
    """Change one choice at a time, while that helps."""
    choice, best = list(start), cost_of(list(start))
    improved = True
    while improved:
        improved = False
        for i, candidates in enumerate(options):
            for candidate in candidates:
                trial = [*choice[:i], candidate, *choice[i + 1 :]]
                cost = cost_of(trial)
                if cost < best - 1e-12 * abs(best):
                    choice, best, improved = trial, cost, True
    return _Best(tuple(choice), best)


def _best_subset(problem: HiddenProblem, at_failure: Sequence[Course]) -> _Best:
    courses = [
        (left_alone(problem, c), course)
        for c, course in zip(problem.components, at_failure, strict=True)
    ]

    def cost_of(kept: Sequence[int]) -> float:
        return total_cost(problem, [pair[k] for pair, k in zip(courses, kept, strict=True)])

    count = len(courses)
    if count <= MOST_SUBSETS:
        subsets = list(product((1, 0), repeat=count))
        costs = [cost_of(kept) for kept in subsets]
        at = int(np.argmin(costs))
        return _Best(subsets[at], costs[at])
    starts = ([0] * count, [1] * count)
    return min((_descended(s, [(0, 1)] * count, cost_of) for s in starts), key=lambda b: b.cost)


def _best_intervals(problem: HiddenProblem, subset: _Best) -> _Best:
    """Choose -1 (left alone), 0 (at failure) or an interval for each component."""
    longest = min(problem.periods or 50, 50)
    options = range(-1, longest)
    courses = []
    for component in problem.components:
        table = {-1: left_alone(problem, component)}
        for interval in range(longest):
            table[interval] = repaired_at_intervals(problem, component, interval)
        courses.append(table)

    def cost_of(choice: Sequence[int]) -> float:
        return total_cost(problem, [table[k] for table, k in zip(courses, choice, strict=True)])

    starts = [[k - 1 for k in subset.choice]]
    starts += [[k] * len(courses) for k in (1, 2, 3, 5, 8) if k < longest]
    found = [_descended(start, [options] * len(courses), cost_of) for start in starts]
    return min(found, key=lambda best: best.cost)


def _best_inspections(problem: HiddenProblem) -> Baseline:
    longest = min(problem.periods or LONGEST_INTERVAL, LONGEST_INTERVAL)
    most = max(c.channel.shape[2] for c in problem.components) - 2  # the last one means failed
    best: tuple[float, int, int] | None = None
    for interval, limit in product(range(1, longest + 1), range(1, most + 1)):
        courses = [
            inspected(problem, c, interval, min(limit, c.channel.shape[2] - 1))
            for c in problem.components
        ]
        cost = total_cost(problem, courses)
        if best is None or cost < best[0]:
            best = cost, interval, limit
    assert best is not None
    cost, interval, limit = best
    return Baseline("inspect, then repair", f"every {interval}, from observation {limit}", cost)


def _interval_text(interval: int) -> str:
    return {-1: "never", 0: "at failure"}.get(interval, str(interval))


def revealed_bound(problem: HiddenProblem, *, num_threads: int = 1) -> float:
    """Return the optimal cost if all states were seen every period: a lower bound."""
    grids = [corner_grid(c.num_states - 1) for c in problem.components]
    tensor = BeliefTensor(problem, grids)
    if problem.periods is not None:
        return finite_values(tensor, num_threads=num_threads).lower
    return stationary_values(tensor, relative_tol=1e-9, num_threads=num_threads).lower
