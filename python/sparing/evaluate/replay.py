"""Policies fitted on the first part of failure records, and run through the rest as it came.

What a rollout draws from a belief is here what was recorded: the held-out failures are replayed
period by period, and only the lead times, of which failure records say nothing, are drawn, the same
for every policy. So a policy is judged by a world that it was not made for.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.held_out import HeldOut, held_out
from sparing.evaluate.hyper_score import HyperScore, hyper_score_of
from sparing.evaluate.network_comparison import Reduction, paired_reduction
from sparing.evaluate.network_tuning import (
    KEYS,
    PLANS,
    QUICK,
    CompareOptions,
    Told,
    TunedPolicy,
    seed_of,
    tuned_policies,
)
from sparing.models.network_values import GammaPrior, HyperScoreTargets, check_whole
from sparing.models.spares_network import SparesNetwork
from sparing.records.failures import FailureRecord
from sparing.simulate.network_results import NetworkResult
from sparing.simulate.results import half_width
from sparing.simulate.spares_network import simulate_network

REPLAYED = ("formula", "min_max", "fixed_quantity", "thinning", "belief")
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True, eq=False)
class ReplayedPolicy:
    """One kind of policy, fitted and replayed on each set of records.

    Attributes
    ----------
    samples
        Per metric the means over lead times [sets].
    mean, half_widths
        Over the sets; of a single set, over its lead times.
    num_reached
        Sets on which it was tuned to the SLA; on the others no rules tried reach it.
    """

    key: str
    name: str
    samples: Mapping[str, NDArray[np.float64]]
    mean: Mapping[str, float]
    half_widths: Mapping[str, float]
    num_reached: int
    score: HyperScore | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Replay:
    """Policies on held-out records, and the belief plan against each of the others.

    Attributes
    ----------
    reductions
        Of the belief plan, by baseline and metric, paired by set (by lead times of a single set).
    num_within, num_predicted
        Parts and sets whose held-out failures lie in the 95 % prediction interval, of how many.
    """

    sets: tuple[HeldOut, ...]
    policies: dict[str, ReplayedPolicy]
    reductions: dict[str, dict[str, Reduction]]
    best_baseline: str | None  # of least total cost
    num_within: int
    num_predicted: int
    num_replications: int
    seconds: float


def replay_records(
    network: SparesNetwork,
    record_sets: Sequence[Sequence[FailureRecord]],
    *,
    num_fitted: int | None = None,
    policies: Collection[str] = REPLAYED,
    options: CompareOptions = QUICK,
    num_replications: int = 100,
    told: Told = lambda _: None,
) -> Replay:
    """Fit policies on the first part of each set of records, and replay the rest.

    Fitting is the belief after the records in the place of the prior, and rules and prices tuned
    to the SLA of the case in rollouts of that belief. Every policy starts from the case's stocks;
    the belief plan goes on learning in the replay, the rules stay as they are.

    Parameters
    ----------
    record_sets
        Each of its own fleet or years: what is told over several is told with intervals.
    num_fitted
        Periods fitted, from the first on; default half; 0: nothing, the case's prior remains.
    policies
        Of `sparing.evaluate.network_tuning.KEYS`.
    num_replications
        Lead times drawn for each set.

    Raises
    ------
    ValueError
        If records do not go with the case, or nothing is held out.
    """
    check_whole("num_replications", num_replications, 2)
    wanted = _checked(policies)
    if not record_sets:
        raise ValueError("a replay needs at least one set of records.")
    started = time.monotonic()
    sets = tuple(held_out(network, records, num_fitted) for records in record_sets)
    if len({(part.network.periods, part.num_fitted) for part in sets}) > 1:
        raise ValueError("all sets of records must have the same number of periods.")
    fitted: dict[str, list[TunedPolicy]] = {}
    results: dict[str, list[NetworkResult]] = {}
    tuned_for: dict[tuple[GammaPrior, ...], list[TunedPolicy]] = {}
    for number, part in enumerate(sets):
        where = f"set {number + 1} of {len(sets)}: "

        def tell(text: str, where: str = where) -> None:
            told(where + text)

        beliefs = tuple(own.prior for own in part.network.parts)
        if beliefs not in tuned_for:  # equal beliefs are met where nothing is fitted
            tuned_for[beliefs] = tuned_policies(part.network, options, tell, wanted)
        for tuned in tuned_for[beliefs]:
            result = simulate_network(
                part.network,
                tuned.policy,
                num_replications=num_replications,
                seed=seed_of(replace(options, seed=options.seed + number), tuning=False),
                failures=part.failures,
                num_threads=options.num_threads,
            )
            fitted.setdefault(tuned.key, []).append(tuned)
            results.setdefault(tuned.key, []).append(result)
    scored = sets[0].network.periods == network.periods  # its targets are those of the case
    targets = network.hyper_score if scored else None
    found = {key: _replayed(fitted[key], results[key], targets) for key in fitted}
    within = [_is_within(part) for part in sets]
    return Replay(
        sets=sets,
        policies=found,
        reductions=_reductions(found, results),
        best_baseline=_best(found),
        num_within=sum(map(sum, within)),
        num_predicted=sum(map(len, within)),
        num_replications=num_replications,
        seconds=time.monotonic() - started,
    )


def _checked(policies: Collection[str]) -> list[str]:
    for key in policies:
        if key not in KEYS:
            raise ValueError(f"policies: unknown {key!r}; known: {', '.join(KEYS)}.")
    if {*PLANS} & {*policies} and "min_max" not in policies:
        raise ValueError("policies: a belief plan needs min_max, whose price its search starts at.")
    return [key for key in KEYS if key in policies]


def _replayed(
    fitted: Sequence[TunedPolicy],
    results: Sequence[NetworkResult],
    targets: HyperScoreTargets | None,
) -> ReplayedPolicy:
    """Return one kind of policy over the sets."""
    names = [*results[0].mean]
    samples = {name: np.array([result.mean[name] for result in results]) for name in names}
    if len(results) == 1:
        halves = dict(results[0].half_widths)
    else:
        halves = {name: half_width(samples[name], CONFIDENCE) for name in names}
    mean = {name: float(samples[name].mean()) for name in names}
    return ReplayedPolicy(
        key=fitted[0].key,
        name=fitted[0].name,
        samples=samples,
        mean=mean,
        half_widths=halves,
        num_reached=sum(tuned.reached for tuned in fitted),
        score=None if targets is None else hyper_score_of(mean, targets),
    )


def _reductions(
    found: Mapping[str, ReplayedPolicy], results: Mapping[str, Sequence[NetworkResult]]
) -> dict[str, dict[str, Reduction]]:
    if "belief" not in found:
        return {}

    def values(key: str, metric: str) -> NDArray[np.float64]:
        alone = len(results[key]) == 1
        return results[key][0].metrics[metric] if alone else found[key].samples[metric]

    return {
        key: {
            metric: paired_reduction(metric, values("belief", metric), values(key, metric))
            for metric in ("holding_cost", "total_cost")
        }
        for key in found
        if key not in PLANS
    }


def _best(found: Mapping[str, ReplayedPolicy]) -> str | None:
    others = [key for key in found if key not in PLANS]
    return min(others, key=lambda key: found[key].mean["total_cost"]) if others else None


def _is_within(part: HeldOut) -> list[bool]:
    """Return per part whether its held-out failures are within what was predicted."""
    found = []
    for own in part.network.parts:
        _, low, high = part.predicted(own)
        found.append(bool(low <= int(part.failures[own.name].sum()) <= high))
    return found
