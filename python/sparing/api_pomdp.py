"""Solve and simulate partially observable models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparing.beliefs.alpha_vectors import AlphaVectorPolicy
from sparing.beliefs.pomdp_model import ExplicitPOMDP
from sparing.beliefs.pomdp_rollouts import PomdpSimulation, simulate_pomdp
from sparing.beliefs.pomdp_solver import PomdpOptions, PomdpSolution, solve_pomdp
from sparing.exact.progress import ProgressHook


def solve(
    model: ExplicitPOMDP,
    *,
    progress: ProgressHook | None = None,
    checkpoint_dir: str | Path | None = None,
    **options: Any,
) -> PomdpSolution:
    """Bound the optimal cost from both sides; `options` are the fields of `PomdpOptions`."""
    return solve_pomdp(
        model, options=PomdpOptions(**options), progress=progress, checkpoint_dir=checkpoint_dir
    )


def evaluate(model: ExplicitPOMDP, policy: AlphaVectorPolicy, **options: Any) -> dict[str, Any]:
    """Refuse: a policy on beliefs is evaluated by simulation."""
    raise ValueError("a policy on beliefs is evaluated by sparing.simulate; there is no exact way.")


def simulate(model: ExplicitPOMDP, policy: AlphaVectorPolicy, **options: Any) -> PomdpSimulation:
    """Simulate the policy from the model's start; see `simulate_pomdp`."""
    return simulate_pomdp(model, policy, **options)
