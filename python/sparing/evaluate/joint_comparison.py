"""What joint optimisation is worth, beside planning maintenance and spares one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.actions import Action, actions_of
from sparing.evaluate.frequencies import state_frequencies
from sparing.evaluate.maintenance_first import BestLevels, Levels, MaintenanceFirst
from sparing.evaluate.metrics import long_run_metrics
from sparing.exact.policy_evaluation import Bounds, evaluate_policy
from sparing.exact.progress import Parts, ProgressHook
from sparing.exact.solution import Solution
from sparing.exact.value_iteration import Options, value_iteration
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import TablePolicy

TOL = 1e-7
MAX_STATES = 1 << 21  # up to here the policies are compared
FULL_STATES = 1 << 15  # and up to here by every measure, and all to TOL
LARGE_TOL = 1e-4  # beyond: wanted distance of the bounds as a share of the objective
SHARE_TOL = 1e-14  # of the shares of time: what one step more would move
LARGE_SHARE_TOL = 1e-6

NAMES = {
    "corrective": "corrective maintenance, then (s, S)",
    "maintenance-first": "first maintenance, then (s, S)",
    "best-orders": "first maintenance, then best orders",
    "joint": "joint optimum",
    "unlimited": "spares always at hand, at unit price",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class JointRow:
    """One way to plan, evaluated exactly; `policy` is None where spares are unlimited.

    There are no `metrics` but what the objective tells in a comparison of many states.
    """

    key: str
    name: str
    objective: Bounds
    metrics: dict[str, Bounds]
    policy: TablePolicy | None = None
    levels: dict[str, Levels] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class JointComparison:
    """All ways to plan, the worth of planning jointly, and how the joint optimum goes about it.

    Attributes
    ----------
    worth
        What the joint optimum saves against "first maintenance, then stock", per inspection.
    shares
        Long-run share of inspections [states] under the joint optimum.
    otherwise
        Share of inspections in which the joint optimum maintains otherwise than the plan that
        does not look at stocks would in the same state.
    relative_tol
        Wanted distance of the bounds as a share of the objective; 0: `TOL`, in its units.
    left_out
        What is not there as there are too many states, in sentences.
    """

    problem: MultiComponentProblem
    rows: dict[str, JointRow]
    search: BestLevels
    worth: Bounds
    shares: NDArray[np.float64]
    otherwise: float
    relative_tol: float = 0.0
    left_out: tuple[str, ...] = ()

    @property
    def share_tol(self) -> float:
        """What one step more would move of the long-run shares of time."""
        return LARGE_SHARE_TOL if self.relative_tol else SHARE_TOL


def compare_joint(
    problem: MultiComponentProblem, *, progress: ProgressHook | None = None
) -> JointComparison:
    """Return the usual ways to plan maintenance and spares beside the joint optimum.

    All are long-run averages per inspection. Beyond `FULL_STATES` states the objective alone is
    evaluated, to `LARGE_TOL` of it, and levels are improved one spare at a time.

    Parameters
    ----------
    progress
        Called with the reports of every solve; their part says which.

    Raises
    ------
    ValueError
        If the problem has no spares, or too many states.
    """
    if problem.num_states > MAX_STATES:
        raise ValueError(
            f"{problem.num_states:,} states are too many to compare policies; at most"
            f" {MAX_STATES:,}. Lower capacity or lead_time.longest of a spare, or take"
            " `sparing solve` and `sparing simulate --policy maintenance-first`."
        )
    average = replace(problem, criterion="average", discount=1.0)
    parts = Parts(progress)
    if problem.num_states > FULL_STATES:
        return _compare_large(average, parts)
    rows: dict[str, JointRow] = {}
    corrective = MaintenanceFirst(average, rule="corrective", progress=parts.named("corrective"))
    levels = corrective.best_levels()
    policy = corrective.policy(levels.levels)
    rows["corrective"] = _row(average, "corrective", policy, parts, levels.levels)
    first = MaintenanceFirst(average, progress=parts.named("maintenance first"))
    search = first.best_levels()
    policy = first.policy(search.levels)
    rows["maintenance-first"] = _row(average, "maintenance-first", policy, parts, search.levels)
    rows["best-orders"] = _row(average, "best-orders", first.best_orders(), parts)
    joint = _joint(average, parts, 0.0)
    rows["joint"] = _row(average, "joint", joint.policy, parts)
    rows["unlimited"] = JointRow(
        key="unlimited",
        name=NAMES["unlimited"],
        objective=Bounds(lower=first.optimum.lower, upper=first.optimum.upper),
        metrics=_unlimited_metrics(first, parts),
    )
    return _compared(average, rows, search, parts)


def _compare_large(average: MultiComponentProblem, parts: Parts) -> JointComparison:
    """Return the comparison by the objective alone, which the solves give as they are."""
    first = MaintenanceFirst(
        average, relative_tol=LARGE_TOL, progress=parts.named("maintenance first")
    )
    search = first.best_levels(exhaustive=0)
    joint = _joint(average, parts, LARGE_TOL)
    ordered = first.best_ordered
    unlimited = Bounds(lower=first.optimum.lower, upper=first.optimum.upper)

    def row(
        key: str,
        objective: Bounds,
        policy: TablePolicy | None = None,
        levels: dict[str, Levels] | None = None,
    ) -> JointRow:
        metrics = {} if average.goals else {"cost_rate": objective}
        name = NAMES[key]
        return JointRow(
            key=key, name=name, objective=objective, metrics=metrics, policy=policy, levels=levels
        )

    rows = [
        row("maintenance-first", search.objective, first.policy(search.levels), search.levels),
        row("best-orders", Bounds(lower=ordered.lower, upper=ordered.upper), first.best_orders()),
        row("joint", Bounds(lower=joint.lower, upper=joint.upper), joint.policy),
        row("unlimited", unlimited),
    ]
    left_out = (
        f"as there are more than {FULL_STATES:,} states, the objective alone is evaluated, to"
        f" {LARGE_TOL:g} of it, and without corrective maintenance; reliability and costs by kind"
        " and spare come with `sparing solve --metrics` and `sparing simulate`.",
        "shares of time are iterated until a step moves less than"
        f" {LARGE_SHARE_TOL:g} of them; they carry no bounds.",
    )
    return _compared(
        average, {r.key: r for r in rows}, search, parts, relative_tol=LARGE_TOL, left_out=left_out
    )


def _compared(
    average: MultiComponentProblem,
    rows: dict[str, JointRow],
    search: BestLevels,
    parts: Parts,
    *,
    relative_tol: float = 0.0,
    left_out: tuple[str, ...] = (),
) -> JointComparison:
    """Return the comparison of the rows, with the worth and what the joint optimum does."""
    joint, apart = rows["joint"], rows["maintenance-first"]
    assert joint.policy is not None
    assert apart.policy is not None
    shares = state_frequencies(
        average.epoch,
        joint.policy,
        tol=LARGE_SHARE_TOL if relative_tol else SHARE_TOL,
        progress=parts.named("shares of time"),
    )
    return JointComparison(
        problem=average,
        rows=rows,
        search=search,
        worth=Bounds(
            lower=apart.objective.lower - joint.objective.upper,
            upper=apart.objective.upper - joint.objective.lower,
        ),
        shares=shares,
        otherwise=_otherwise(average, joint.policy, apart.policy, shares),
        relative_tol=relative_tol,
        left_out=left_out,
    )


def frequent_actions(
    found: JointComparison, most: int
) -> list[tuple[tuple[int, ...], Action, float]]:
    """Return the states met most often under the joint optimum, with what is done and the share."""
    policy = found.rows["joint"].policy
    assert policy is not None
    ranked = np.argsort(-found.shares, kind="stable")[:most]
    ranked = ranked[found.shares[ranked] > 0.0]
    states = np.stack(np.unravel_index(ranked, found.problem.epoch.shape), axis=1)
    actions = actions_of(found.problem, policy, states)
    shares = found.shares[ranked].tolist()
    return [(tuple(s), a, f) for s, a, f in zip(states.tolist(), actions, shares, strict=True)]


def _joint(problem: MultiComponentProblem, parts: Parts, relative_tol: float) -> Solution:
    return value_iteration(
        problem.epoch,
        problem.weights,
        options=Options(tol=TOL, relative_tol=relative_tol, keep_value=False),
        progress=parts.named("joint optimum"),
    )


def _row(
    problem: MultiComponentProblem,
    key: str,
    policy: TablePolicy,
    parts: Parts,
    levels: dict[str, Levels] | None = None,
) -> JointRow:
    measures = {"objective": problem.weights}
    hook = parts.named(f"measures of {key}")
    found = evaluate_policy(
        problem.epoch, policy, measures, weights=problem.weights, tol=TOL, progress=hook
    )
    return JointRow(
        key=key,
        name=NAMES[key],
        objective=found["objective"],
        metrics=long_run_metrics(problem, policy, tol=TOL, progress=hook),
        policy=policy,
        levels=levels,
    )


def _unlimited_metrics(first: MaintenanceFirst, parts: Parts) -> dict[str, Bounds]:
    """Return the metrics with unlimited spares; unit prices are part of the maintenance."""
    problem, policy = first.unlimited, first.optimum.policy
    kinds = {kind: {kind: 1.0} for kind in problem.cost_kinds}
    hook = parts.named("measures of unlimited spares")
    found = evaluate_policy(
        problem.epoch, policy, kinds, weights=problem.weights, tol=TOL, progress=hook
    )
    return {**long_run_metrics(problem, policy, tol=TOL, progress=hook), **found}


def _otherwise(
    problem: MultiComponentProblem,
    one: TablePolicy,
    other: TablePolicy,
    shares: NDArray[np.float64],
) -> float:
    """Return the share of states in which two policies leave the components in other states."""
    num = len(problem.components)
    states = np.stack(np.unravel_index(np.arange(shares.size), problem.epoch.shape), axis=1)
    differs = (one.action(states)[:, :num] != other.action(states)[:, :num]).any(axis=1)
    return float(shares @ differs)
