"""Solve, evaluate and simulate systems whose degradation is hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparing.beliefs.component_checkpoint import BeliefCheckpoint, solve_key
from sparing.beliefs.component_result import BeliefOptions, BeliefSolution
from sparing.beliefs.component_rollout import (
    CostEstimate,
    GreedyBeliefPolicy,
    estimated,
    exact_cost,
)
from sparing.beliefs.component_solve import solve_hidden
from sparing.exact.policy_evaluation import Bounds
from sparing.exact.progress import ProgressHook
from sparing.models.hidden import HiddenProblem


def solve(
    model: HiddenProblem,
    *,
    progress: ProgressHook | None = None,
    checkpoint_dir: str | Path | None = None,
    **options: Any,
) -> BeliefSolution:
    """Close two bounds of the optimal cost; `options` are the fields of `BeliefOptions`."""
    chosen = BeliefOptions(**options)
    checkpoint = None
    if checkpoint_dir is not None:
        key = solve_key(model, chosen.seed, chosen.episodes)
        checkpoint = BeliefCheckpoint(Path(checkpoint_dir), key)
    return solve_hidden(model, options=chosen, progress=progress, checkpoint=checkpoint)


def evaluate(
    model: HiddenProblem, policy: GreedyBeliefPolicy, *, tol: float = 1e-9
) -> dict[str, Bounds]:
    """Return the exact cost of `policy` where all beliefs that it reaches can be followed.

    Raises
    ------
    ValueError
        If there are too many, or the horizon is infinite.
    """
    found = exact_cost(policy)
    if found is None:
        raise ValueError(
            f"{model.name}: the policy reaches too many beliefs to follow them all; use"
            " sparing.simulate(model, policy, num_replications=…)."
        )
    return {"cost": Bounds(lower=found.mean, upper=found.mean)}


def simulate(
    model: HiddenProblem, policy: GreedyBeliefPolicy, *, num_replications: int, seed: int = 0
) -> CostEstimate:
    """Estimate the cost of `policy` from all new, by rollouts with exact beliefs."""
    if num_replications < 2:
        raise ValueError(f"num_replications must be at least 2; got {num_replications}.")
    estimates, costs, _ = policy.rollout(num_episodes=num_replications, seed=seed)
    return estimated(estimates, costs)
