"""HyperScore: several metrics against their targets as one number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

from sparing._checks import check_number
from sparing.models.network_values import HyperScoreTargets

MORE_IS_BETTER = ("sla", "fill_rate", "availability")  # scored by what is missing to 1


@dataclass(frozen=True, kw_only=True)
class HyperScore:
    """A HyperScore, and what it is made of."""

    score: float
    value: float  # V, the weighted mean of the metric scores
    metric_scores: Mapping[str, float]  # each in [0, 1]; 1: on target or better


def hyper_score(
    value: float, *, beta: float = 5.0, gamma: float = -log(2.0), kappa: float = 2.0
) -> float:
    """Return ``100 (1 + sigmoid(beta ln V + gamma)^kappa)`` of an aggregated score V in (0, 1].

    Notes
    -----
    With the default gamma the sigmoid is 1/3 at V = 1 and 1/2 only at V = 1.149: scores lie between
    100 and 111.11, and V = 0.5 gives 100.02.

    Raises
    ------
    ValueError
        If V is not above 0 and at most 1.

    Examples
    --------
    >>> round(hyper_score(1.0), 2), round(hyper_score(0.5), 2)
    (111.11, 100.02)
    """
    if not 0.0 < check_number("V", value) <= 1.0:
        raise ValueError(f"V must be above 0 and at most 1; got {value:g}.")
    sigmoid = 1.0 / (1.0 + exp(-(beta * log(value) + gamma)))
    return float(100.0 * (1.0 + sigmoid**kappa))


def metric_score(metric: str, value: float, target: float) -> float:
    """Return how near a metric is to its target, in [0, 1]; 1 on target or better.

    Of what should be low (costs, downtime, orders) it is target / value; of shares that should be
    high (`MORE_IS_BETTER`) (1 - target) / (1 - value), so that 99 % against 99.5 % counts one half.
    """
    if metric in MORE_IS_BETTER:
        if not 0.0 <= target < 1.0:
            raise ValueError(f"hyper_score target {metric!r} must be in [0, 1); got {target:g}.")
        value, target = 1.0 - value, 1.0 - target
    if value <= target:
        return 1.0
    return target / value


def hyper_score_of(metrics: Mapping[str, float], targets: HyperScoreTargets) -> HyperScore:
    """Return the HyperScore of metrics against the targets and weights of a case.

    Raises
    ------
    ValueError
        If a metric of the targets is not among `metrics`, or no metric scores anything.
    """
    for metric in targets.metrics:
        if metric not in metrics:
            raise ValueError(
                f"hyper_score names {metric!r}, which is not measured; known: {sorted(metrics)}."
            )
    scores = {m: metric_score(m, metrics[m], targets.target[m]) for m in targets.metrics}
    total = sum(targets.weight.values())
    value = sum(targets.weight[m] * scores[m] for m in scores) / total
    score = hyper_score(value, beta=targets.beta, gamma=targets.gamma, kappa=targets.kappa)
    return HyperScore(score=score, value=value, metric_scores=scores)
