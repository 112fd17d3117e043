"""Solve, evaluate and simulate load-sharing systems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparing.evaluate.load_sharing_metrics import load_sharing_metrics
from sparing.evaluate.sizing import DEFAULT_TOL, SizingSolution, best_size
from sparing.exact.options import Options
from sparing.exact.policy_evaluation import Bounds
from sparing.exact.progress import ProgressHook
from sparing.models.load_sharing import LoadSharingProblem
from sparing.models.load_sharing_system import LoadSharingSystem
from sparing.policies import Policy
from sparing.simulate.load_sharing import LoadSharingResult, simulate_load_sharing

Model = LoadSharingProblem | LoadSharingSystem


def solve(
    model: Model,
    *,
    progress: ProgressHook | None = None,
    checkpoint_dir: str | Path | None = None,
    **options: Any,
) -> SizingSolution:
    """Find the best size and interval, and the optimal policy there; see `best_size`."""
    options.setdefault("tol", DEFAULT_TOL)
    folder = Path(checkpoint_dir) if checkpoint_dir is not None else None
    return best_size(
        _problem(model), options=Options(**options), progress=progress, checkpoint_dir=folder
    )


def evaluate(model: Model, policy: Policy, **options: Any) -> dict[str, Bounds]:
    """Return bounds of the objective and the metrics; the problem must leave no choice open."""
    return load_sharing_metrics(_system(model), policy, objective=True, **options)


def simulate(model: Model, policy: Policy, **options: Any) -> LoadSharingResult:
    """Simulate single components event by event; see `simulate_load_sharing`."""
    return simulate_load_sharing(_system(model), policy, **options)


def _problem(model: Model) -> LoadSharingProblem:
    return model.chosen if isinstance(model, LoadSharingSystem) else model


def _system(model: Model) -> LoadSharingSystem:
    return model.system() if isinstance(model, LoadSharingProblem) else model
