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
from sparing.exact.value_iteration import Options, value_iteration
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import TablePolicy

TOL = 1e-7
MAX_STATES = 1 << 18  # up to here the policies are compared


@dataclass(frozen=True, kw_only=True, eq=False)
class JointRow:
    """One way to plan, evaluated exactly; `policy` is None where spares are unlimited."""

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
    """

    problem: MultiComponentProblem
    rows: dict[str, JointRow]
    search: BestLevels
    worth: Bounds
    shares: NDArray[np.float64]
    otherwise: float


def compare_joint(problem: MultiComponentProblem) -> JointComparison:
    """Return the usual ways to plan maintenance and spares beside the joint optimum.

    All are long-run averages per inspection.

    Raises
    ------
    ValueError
        If the problem has no spares, or too many states.
    """
    if problem.num_states > MAX_STATES:
        raise ValueError(
            f"{problem.num_states:,} states are too many to compare policies; at most"
            f" {MAX_STATES:,}."
        )
    average = replace(problem, criterion="average", discount=1.0)
    rows: dict[str, JointRow] = {}
    corrective = MaintenanceFirst(average, rule="corrective")
    levels = corrective.best_levels()
    rows["corrective"] = _row(
        average,
        "corrective",
        "corrective maintenance, then (s, S)",
        corrective.policy(levels.levels),
        levels.levels,
    )
    first = MaintenanceFirst(average)
    search = first.best_levels()
    policy = first.policy(search.levels)
    name = "first maintenance, then (s, S)"
    rows["maintenance-first"] = _row(average, "maintenance-first", name, policy, search.levels)
    name = "first maintenance, then best orders"
    rows["best-orders"] = _row(average, "best-orders", name, first.best_orders())
    options = Options(tol=TOL, keep_value=False)
    joint = value_iteration(average.epoch, average.weights, options=options)
    rows["joint"] = _row(average, "joint", "joint optimum", joint.policy)
    rows["unlimited"] = JointRow(
        key="unlimited",
        name="spares always at hand, at unit price",
        objective=Bounds(lower=first.optimum.lower, upper=first.optimum.upper),
        metrics=_unlimited_metrics(first),
    )
    apart = rows["maintenance-first"].objective
    worth = Bounds(lower=apart.lower - joint.upper, upper=apart.upper - joint.lower)
    shares = state_frequencies(average.epoch, joint.policy)
    return JointComparison(
        problem=average,
        rows=rows,
        search=search,
        worth=worth,
        shares=shares,
        otherwise=_otherwise(average, joint.policy, policy, shares),
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


def _row(
    problem: MultiComponentProblem,
    key: str,
    name: str,
    policy: TablePolicy,
    levels: dict[str, Levels] | None = None,
) -> JointRow:
    measures = {"objective": problem.weights}
    found = evaluate_policy(problem.epoch, policy, measures, weights=problem.weights, tol=TOL)
    return JointRow(
        key=key,
        name=name,
        objective=found["objective"],
        metrics=long_run_metrics(problem, policy, tol=TOL),
        policy=policy,
        levels=levels,
    )


def _unlimited_metrics(first: MaintenanceFirst) -> dict[str, Bounds]:
    """Return the metrics with unlimited spares; unit prices are part of the maintenance."""
    problem, policy = first.unlimited, first.optimum.policy
    kinds = {kind: {kind: 1.0} for kind in problem.cost_kinds}
    found = evaluate_policy(problem.epoch, policy, kinds, weights=problem.weights, tol=TOL)
    return {**long_run_metrics(problem, policy, tol=TOL), **found}


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
