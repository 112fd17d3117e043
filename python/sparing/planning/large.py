"""Policies for problems that do not fit into memory: learned, or control limits, the better one.

Their costs are simulated on draws that neither the search nor the training has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from sparing.epoch import Epoch
from sparing.evaluate.simulated_limits import (
    Limits,
    Runs,
    renewal_limits,
    search_limits,
    simulated,
)
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy
from sparing.simulate.results import SimulationResult

if TYPE_CHECKING:
    from sparing.learn.networks import Network, Parameters

Progress = Callable[[str, int, int], None]
PRICED = Runs(num_epochs=1100, warm_up=100, num_replications=128, seed=1 << 20)
LEARNER = "pqn"  # the one for many components


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A policy that was tried, with what it costs on seeds that it was not chosen on.

    Parameters
    ----------
    limits
        Of control limits; None of a learned policy.
    network
        A learned network and its parameters; None of control limits.
    """

    key: str
    name: str
    policy: Policy
    result: SimulationResult
    limits: Limits | None = None
    network: tuple[Network, Parameters] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class LargeSolution:
    """The better of the policies found for a problem that is too large for an exact solve.

    Parameters
    ----------
    criterion
        "average" or "discounted".
    candidates
        All that were tried, by key.
    chosen
        The key of the best one.
    seconds
        That finding and pricing took.
    message
        What was left out, and why; empty if nothing was.
    """

    epoch: Epoch
    criterion: str
    candidates: Mapping[str, Candidate]
    chosen: str
    seconds: float
    message: str

    @property
    def best(self) -> Candidate:
        """The candidate that is recommended."""
        return self.candidates[self.chosen]

    @property
    def policy(self) -> Policy:
        """The recommended policy."""
        return self.best.policy

    @property
    def lower(self) -> float:
        """Lower end of the 95 % interval of what the policy costs (no bound of the optimum)."""
        return self.best.result.objective - self.best.result.half_width

    @property
    def upper(self) -> float:
        """Upper end of that interval."""
        return self.best.result.objective + self.best.result.half_width


def solve_large(
    problem: MultiComponentProblem,
    *,
    steps: int | None = None,
    seed: int = 0,
    runs: Runs | None = None,
    progress: Progress | None = None,
) -> LargeSolution:
    """Search control limits, learn a policy, and return the better of the two.

    Parameters
    ----------
    steps
        Choices in training; default those of the learner for a model of that size, 0: none.
    runs
        How candidates are simulated in the search; they are priced by `PRICED`.

    Raises
    ------
    ValueError
        If neither can be done for this problem, with the reasons.
    """
    started, refused = monotonic(), list[str]()
    found = dict[str, Candidate]()
    for key, make in (("limits", _searched), ("learned", _learned)):
        if key == "learned" and steps == 0:
            refused.append("learned is left out: as asked.")
            continue
        try:
            found[key] = make(problem, steps, replace(runs or Runs(), seed=seed), progress)
        except ValueError as error:
            refused.append(f"{key} is left out: {error}")
    if not found:
        raise ValueError(f"the problem is too large to be solved exactly, and {' '.join(refused)}")
    return LargeSolution(
        epoch=problem.epoch,
        criterion=problem.criterion,
        candidates=found,
        chosen=min(found, key=lambda key: found[key].result.objective),
        seconds=monotonic() - started,
        message=" ".join(refused),
    )


def _searched(
    problem: MultiComponentProblem, steps: int | None, runs: Runs, progress: Progress | None
) -> Candidate:
    def count(done: int, total: int) -> None:
        if progress is not None:
            progress("search", done, total)

    limits = search_limits(problem, runs, progress=count).limits
    policy = renewal_limits(problem, limits)
    return Candidate(
        key="limits",
        name="searched control limits",
        policy=policy,
        result=simulated(problem, policy, PRICED),
        limits=limits,
    )


def _learned(
    problem: MultiComponentProblem, steps: int | None, runs: Runs, progress: Progress | None
) -> Candidate:
    from sparing.learn.train import train

    def count(state: Any) -> None:
        if progress is not None:
            progress("learn", state.env_steps, state.total_steps)

    trained = train(problem, learner=LEARNER, steps=steps, seeds=[runs.seed], progress=count)
    policy: Any = trained.policy
    return Candidate(
        key="learned",
        name=f"learned ({trained.learner}, {trained.env_steps:,} choices)",
        policy=policy,
        result=simulated(problem, policy, PRICED),
        network=(trained.network, trained.best.trained.parameters),
    )
