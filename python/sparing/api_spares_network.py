"""Solve, evaluate and simulate spares networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparing.evaluate.network_measures import network_metrics
from sparing.evaluate.network_plan import NetworkSolution, SolveOptions
from sparing.evaluate.network_solution import solve_network
from sparing.exact.policy_evaluation import Bounds
from sparing.exact.progress import ProgressHook
from sparing.models.spares_network import SparesNetwork
from sparing.simulate.network_results import NetworkResult
from sparing.simulate.spares_network import NetworkPolicy, simulate_network


def solve(
    model: SparesNetwork,
    *,
    progress: ProgressHook | None = None,
    checkpoint_dir: str | Path | None = None,
    policy_dir: str | Path | None = None,
    **options: Any,
) -> NetworkSolution:
    """Find the optimal plan; see `sparing.evaluate.network_solution.solve_network`."""
    saved = None if checkpoint_dir is None else Path(checkpoint_dir)
    folder = saved / "policy" if policy_dir is None and saved is not None else policy_dir
    chosen = SolveOptions(
        checkpoint_dir=saved, policy_dir=None if folder is None else Path(folder), **options
    )
    return solve_network(model, chosen, progress=progress)


def evaluate(model: SparesNetwork, policy: NetworkSolution, **options: Any) -> dict[str, Bounds]:
    """Return bounds of the measures of a solution's plans; see `network_metrics`."""
    options.pop("tol", None)
    if not isinstance(policy, NetworkSolution):
        raise TypeError(f"only a solution is evaluated exactly; got a {type(policy).__name__}.")
    return network_metrics(model, policy.plans, **options)


def simulate(model: SparesNetwork, policy: NetworkPolicy, **options: Any) -> NetworkResult:
    """Roll the network out under a solution or a set of rules; see `simulate_network`."""
    return simulate_network(model, policy, **options)
