"""Control limits of systems of any size, searched for by simulation on common random numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sparing.models.component import Component
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy, RowPolicy
from sparing.simulate.results import SimulationResult
from sparing.simulate.rollouts import simulate

MOST_ROUNDS = 4
Limits = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Runs:
    """How a policy is simulated: epochs behind a warm-up, replications, and the seed."""

    num_epochs: int = 600
    warm_up: int = 100
    num_replications: int = 64
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class SearchedLimits:
    """The limits found, their objective in the search (which flatters), and how many were tried."""

    limits: Limits
    objective: float
    num_tried: int


def renewal_limits(problem: MultiComponentProblem, limits: Sequence[int]) -> RowPolicy:
    """Return the policy that makes component i as new from state ``limits[i]`` on.

    A failed component that must not be left is made as new whatever its limit.

    Raises
    ------
    ValueError
        If the problem has spares, a random result, or a restoration that is forbidden.
    """
    check_limits_apply(problem)
    targets: dict[str | int, np.ndarray] = {}
    for component, limit in zip(problem.components, limits, strict=True):
        states = np.arange(component.num_states)
        targets[f"maintain {component.name}"] = np.where(
            (states >= limit) | _must_leave(component), 0, states
        )
    return RowPolicy.from_targets(problem.epoch, targets)


def search_limits(
    problem: MultiComponentProblem,
    runs: Runs | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> SearchedLimits:
    """Search for the limits of least simulated objective, the same for components that are alike.

    The best limit common to all comes first, counted from the failed state; then one kind of
    component after another takes its best limit, until a round changes nothing. All are simulated
    on the same draws. A limit of ``num_states`` means that the component is never maintained.
    """
    runs = runs or Runs()
    kinds = _kinds(problem.components)
    known = dict[Limits, float]()

    def objective(by_kind: Limits) -> float:
        if by_kind not in known:
            policy = renewal_limits(problem, [by_kind[kind] for kind in kinds])
            known[by_kind] = simulated(problem, policy, runs).objective
        return known[by_kind]

    sizes = [problem.components[kinds.index(k)].num_states for k in range(max(kinds) + 1)]
    best = min(
        (tuple(max(1, size - below) for size in sizes) for below in range(max(sizes))),
        key=objective,
    )
    for number in range(MOST_ROUNDS):
        before = best
        for kind, size in enumerate(sizes):
            best = min(
                ((*best[:kind], limit, *best[kind + 1 :]) for limit in range(1, size + 1)),
                key=objective,
            )
            if progress is not None:
                progress(number * len(sizes) + kind + 1, MOST_ROUNDS * len(sizes))
        if best == before:
            break
    return SearchedLimits(
        limits=tuple(best[kind] for kind in kinds), objective=known[best], num_tried=len(known)
    )


def _kinds(components: Sequence[Component]) -> list[int]:
    """Return per component the number of its kind: alike are those of equal wear and costs."""
    numbers = dict[bytes, int]()
    found = []
    for component in components:
        parts = [component.transition, component.maintenance_cost, *component.criteria.values()]
        key = b"|".join([*map(str.encode, component.criteria), *(p.tobytes() for p in parts)])
        found.append(numbers.setdefault(key, len(numbers)))
    return found


def simulated(problem: MultiComponentProblem, policy: Policy, runs: Runs) -> SimulationResult:
    """Return a policy's simulated objective; a discounted total runs on until it is settled."""
    discounted = problem.criterion == "discounted"
    return simulate(
        problem.epoch,
        policy,
        num_epochs=settled_epochs(problem.discount) if discounted else runs.num_epochs,
        num_replications=runs.num_replications,
        warm_up=0 if discounted else runs.warm_up,
        seed=runs.seed,
        start=problem.initial_state,
        weights=problem.weights,
    )


def settled_epochs(discount: float, negligible: float = 1e-5) -> int:
    """Return the epochs behind which what follows weighs next to nothing."""
    return int(np.ceil(np.log(negligible) / np.log(discount)))


def check_limits_apply(problem: MultiComponentProblem) -> None:
    """Raise ValueError, with the reason, if the problem has no control limits of this kind."""
    if problem.spares:
        raise ValueError("control limits do not look at stocks, and the problem has spares.")
    if problem.result != "chosen":
        raise ValueError("control limits need a problem whose maintenance reaches a chosen state.")
    if problem.restore_when_down:
        raise ValueError(
            "control limits do not restore all that has failed when the system is down."
        )
    for component in problem.components:
        if not np.isfinite(component.maintenance_cost[1:, 0]).all():
            raise ValueError(
                f"component {component.name!r}: control limits make it as new, which is forbidden"
                " in one of its states (maintenance_cost inf)."
            )


def _must_leave(component: Component) -> np.ndarray:
    """Return per state whether the component must not be left in it."""
    return ~np.isfinite(np.diag(component.maintenance_cost))
