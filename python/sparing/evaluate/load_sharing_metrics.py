"""The long-run measures of a load-sharing system under a policy, exactly."""

from __future__ import annotations

from sparing.exact.policy_evaluation import Bounds
from sparing.exact.semi_markov_evaluation import evaluate_semi_markov
from sparing.models.load_sharing_system import LoadSharingSystem
from sparing.policies import Policy

FEW_STATES = 1 << 14  # up to here the bounds are as tight as doubles carry


def load_sharing_metrics(
    system: LoadSharingSystem,
    policy: Policy,
    *,
    objective: bool = False,
    tol: float | None = None,
    num_threads: int = 0,
) -> dict[str, Bounds]:
    """Return bounds of the mean sojourn between epochs and of the rates per unit of time.

    These are the rates of failures, replacements, emergency units and orders, the share of time
    the system is left down and the mean stock on hand; with `objective` the cost, too.
    """
    if tol is None:
        tol = 1e-9 if system.num_states <= FEW_STATES else 1e-7
    measures = {"epochs": {"epochs": 1.0}, **system.measures}
    if objective:
        measures = {"objective": system.weights, **measures}
    found = evaluate_semi_markov(
        system.epoch,
        policy,
        measures,
        weights=system.weights,
        error=system.error,
        tol=tol,
        num_threads=num_threads,
    )
    rate = found.pop("epochs")
    cost = {"objective": found.pop("objective")} if objective else {}
    sojourn = Bounds(lower=1.0 / rate.upper, upper=1.0 / rate.lower)
    least = {name: Bounds(lower=max(0.0, b.lower), upper=b.upper) for name, b in found.items()}
    return {**cost, "mean_sojourn": sojourn, **least}
