"""Roll epochs out under a policy, many replications at once.

Each draw is a function of (seed, replication, epoch, node) alone: Philox4x32-10 of Salmon et al.
(2011), then the inverse distribution function in the order of a row's entries. So results do not
depend on threads or batches, and two policies meet the same luck at the same node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import is_whole
from sparing.epoch import Epoch
from sparing.policies import Policy
from sparing.simulate.results import (
    Comparison,
    Difference,
    SimulationResult,
    half_width,
    objectives,
)
from sparing.simulate.runner import Runner
from sparing.stages import check_states, kind_weights, thread_count

Epochs: TypeAlias = Epoch | Sequence[Epoch]
Policies: TypeAlias = Policy | Sequence[Policy]
Progress: TypeAlias = Callable[[int, int], object]
_EPOCHS_A_CALL = 1 << 24  # replications times epochs between two calls of `progress`


def simulate(
    epoch: Epochs,
    policy: Policies,
    *,
    num_epochs: int | None = None,
    num_replications: int,
    warm_up: int = 0,
    seed: int = 0,
    start: ArrayLike | None = None,
    weights: Mapping[str, float] | None = None,
    confidence: float = 0.95,
    num_threads: int = 0,
    progress: Progress | None = None,
) -> SimulationResult:
    """Estimate the costs of a policy.

    Parameters
    ----------
    epoch, policy
        One of each for a stationary system. Several epochs, one per period, make a finite
        horizon; then the policy is one for all or one per period.
    num_epochs
        Epochs a replication; default the number of periods.
    warm_up
        Epochs at the start whose costs are left out of an average.
    start
        The first state [axes], or one per replication [R, axes]; default all zeros.
    weights
        Per kind, for the objective and to tell which path through a stage is cheapest; default 1.
    num_threads
        0: one per processor. The result is the same for any number.
    progress
        Called now and then with the epochs done and wanted, summed over replications.

    Returns
    -------
    SimulationResult
        Averages per epoch where nothing is discounted and the horizon is not finite, else totals.

    Raises
    ------
    ValueError
        If an argument is out of range, or the policy asks for a state that no path leads to,
        naming both states.
    """
    run = _Run.checked(epoch, policy, num_epochs, num_replications, seed, start, num_threads)
    average = run.is_average
    _check_options(run.num_epochs, warm_up, confidence, average)
    named = kind_weights(run.kinds, weights)
    totals = np.zeros((num_replications, len(named)))
    _advance(run, totals, named, warm_up, progress)
    if not np.isfinite(totals).all():
        replication = int(np.flatnonzero(~np.isfinite(totals).all(axis=1))[0])
        raise ValueError(f"replication {replication} reached a state that a Cost of +inf forbids.")
    samples = totals / (run.num_epochs - warm_up) if average else totals
    total = objectives(samples, named)
    return SimulationResult(
        objective=float(total.mean()),
        half_width=half_width(total, confidence),
        mean={kind: float(samples[:, k].mean()) for k, kind in enumerate(named)},
        half_widths={k: half_width(samples[:, i], confidence) for i, k in enumerate(named)},
        criterion="average" if average else "total",
        confidence=confidence,
        seed=seed,
        num_epochs=run.num_epochs,
        num_replications=num_replications,
        warm_up=warm_up,
        weights=named,
        samples=samples,
    )


def compare_policies(epoch: Epochs, policies: Mapping[str, Policies], **options: Any) -> Comparison:
    """Simulate each policy on the same draws; `options` are those of `simulate`.

    The differences from the first policy are paired by replication, so that luck which all
    policies share drops out of their intervals.
    """
    if not policies:
        raise ValueError("policies must hold at least one policy; got none.")
    results = {name: simulate(epoch, policy, **options) for name, policy in policies.items()}
    baseline, *others = results
    differences = {}
    for name in others:
        gaps = results[name].objectives - results[baseline].objectives
        width = half_width(gaps, results[name].confidence)
        differences[name] = Difference(mean=float(gaps.mean()), half_width=width)
    return Comparison(baseline=baseline, results=results, differences=differences)


def sample_paths(
    epoch: Epochs,
    policy: Policies,
    *,
    num_epochs: int | None = None,
    num_replications: int = 1,
    seed: int = 0,
    start: ArrayLike | None = None,
    weights: Mapping[str, float] | None = None,
    num_threads: int = 0,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the states [epochs + 1, R, axes] met at epoch starts and the costs [epochs, R, kinds].

    The same draws as `simulate`; costs are not discounted. The states of a finite horizon must
    have as many axes in every period. All paths begin in `start` [axes].
    """
    run = _Run.checked(epoch, policy, num_epochs, num_replications, seed, start, num_threads)
    named = kind_weights(run.kinds, weights)
    costs = np.zeros((run.num_epochs, num_replications, len(named)))
    runner = Runner(run.epochs, run.policies, named, seed, run.num_threads)
    states = [run.states.copy()]
    for t in range(run.num_epochs):
        states.append(runner.advance(states[-1].copy(), costs[t], t, t + 1, weigh=False))
    return np.stack(states), costs


@dataclass(frozen=True, eq=False)
class _Run:
    """Checked arguments."""

    epochs: tuple[Epoch, ...]
    policies: tuple[Policy, ...]
    num_epochs: int
    states: NDArray[np.int32]
    seed: int
    num_threads: int

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(kind for epoch in self.epochs for kind in epoch.kinds))

    @property
    def is_average(self) -> bool:
        return len(self.epochs) == 1 and self.epochs[0].discount == 1.0

    @classmethod
    def checked(
        cls,
        epoch: Epochs,
        policy: Policies,
        num_epochs: int | None,
        num_replications: int,
        seed: int,
        start: ArrayLike | None,
        num_threads: int,
    ) -> _Run:
        stationary = isinstance(epoch, Epoch)
        epochs = (epoch,) if isinstance(epoch, Epoch) else tuple(epoch)
        policies = (policy,) if isinstance(policy, Policy) else tuple(policy)
        horizon = num_epochs if stationary or num_epochs is not None else len(epochs)
        if horizon is None:
            raise ValueError("num_epochs is needed unless there is one epoch per period.")
        _check_count("num_epochs", horizon)
        _check_count("num_replications", num_replications)
        if not stationary and horizon != len(epochs):
            raise ValueError(f"num_epochs must be {len(epochs)}, the periods; got {horizon}.")
        if len(policies) not in (1, len(epochs)):
            raise ValueError(
                f"policy must be one or one per period, {len(epochs)}; got {len(policies)}."
            )
        if not is_whole(seed) or not 0 <= seed < 2**64:
            raise ValueError(f"seed must be in 0..2^64 - 1; got {seed!r}.")
        _check_chain(epochs, stationary)
        axes = epochs[0].axes
        first = check_states([0] * len(axes) if start is None else start, tuple(axes))
        if first.ndim == 2 and len(first) != num_replications:
            raise ValueError(
                f"start must hold one state or {num_replications}, one per replication;"
                f" got {len(first)}."
            )
        states = np.empty((num_replications, len(axes)), dtype=np.int32)
        states[:] = first
        return cls(epochs, policies, horizon, states, seed, thread_count(num_threads))


def _advance(
    run: _Run,
    totals: NDArray[np.float64],
    weights: Mapping[str, float],
    warm_up: int,
    progress: Progress | None,
) -> None:
    runner = Runner(run.epochs, run.policies, weights, run.seed, run.num_threads)
    states, done, replications = run.states, 0, len(run.states)
    step = max(1, _EPOCHS_A_CALL // replications)
    while done < run.num_epochs:
        last = min(done + step, warm_up if done < warm_up else run.num_epochs)
        states = runner.advance(states, totals if done >= warm_up else None, done, last)
        done = last
        if progress is not None:
            progress(done * replications, run.num_epochs * replications)


def _check_options(num_epochs: int, warm_up: int, confidence: float, average: bool) -> None:
    if not 0 <= warm_up < num_epochs:
        raise ValueError(f"warm_up must be in 0..{num_epochs - 1}; got {warm_up}.")
    if warm_up and not average:
        raise ValueError(f"warm_up must be 0 where costs are discounted or totals; got {warm_up}.")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be above 0 and below 1; got {confidence}.")


def _check_count(name: str, value: int) -> None:
    if not is_whole(value) or not 1 <= value < 2**32:
        raise ValueError(f"{name} must be in 1..2^32 - 1; got {value!r}.")


def _check_chain(epochs: tuple[Epoch, ...], stationary: bool) -> None:
    if not epochs:
        raise ValueError("at least one epoch is needed; got none.")
    follows = epochs if stationary else epochs[1:]
    for period, (before, after) in enumerate(zip(epochs, follows, strict=False)):
        ends = [(axis.name, axis.size) for axis in before.end_axes]
        starts = [(axis.name, axis.size) for axis in after.axes]
        if ends != starts:
            raise ValueError(
                f"period {period} ends on the axes {ends}; the next one starts on {starts}."
            )
