"""Policies for problems that do not fit into memory: tuned by simulation, or learned.

Their costs are simulated on draws that neither the tuning nor the training has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, log
from time import monotonic
from typing import TYPE_CHECKING, Any

from sparing.epoch import Epoch
from sparing.exact.policy_evaluation import Bounds
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy
from sparing.simulate.results import SimulationResult
from sparing.simulate.rollouts import simulate

if TYPE_CHECKING:
    from sparing.learn.networks import Network, Parameters

Progress = Callable[[str, int, int], None]
LEARNER = "pqn"  # the one for many components
REPLICATIONS, EPOCHS, WARM_UP = 256, 1000, 200
NEGLIGIBLE = 1e-5  # weight of what follows a discounted simulation


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A policy that was tried.

    Parameters
    ----------
    objective
        The 95 % interval of what it costs, by simulation.
    network
        A learned network and its parameters; None of other policies.
    """

    key: str
    name: str
    policy: Policy
    objective: Bounds
    network: tuple[Network, Parameters] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class LargeSolution:
    """The best of the policies found for a problem that is too large for an exact solve.

    Parameters
    ----------
    criterion
        "average" or "discounted".
    candidates
        All that were tried, by key.
    chosen
        The key of the best one.
    optimum_lower
        A certain lower bound of the optimum; None where there is none.
    seconds
        That finding and pricing took.
    message
        What was left out, and why; empty if nothing was.
    """

    epoch: Epoch
    criterion: str
    candidates: Mapping[str, Candidate]
    chosen: str
    optimum_lower: float | None
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
        return self.best.objective.lower

    @property
    def upper(self) -> float:
        """Upper end of that interval."""
        return self.best.objective.upper

    @property
    def gap(self) -> float | None:
        """How far the policy may be above the optimum, as a share of its bound; None: unknown."""
        if self.optimum_lower is None or not self.optimum_lower > 0.0:
            return None
        return (self.best.objective.value - self.optimum_lower) / self.optimum_lower


def solve_large(
    problem: MultiComponentProblem,
    *,
    steps: int | None = None,
    quick: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> LargeSolution:
    """Tune rules and a lookahead, learn a network where those do not apply, return the best.

    Parameters
    ----------
    steps
        Choices in training a network beside the tuned policies; 0: none. Default none, and where
        those do not apply as many as the learner takes for a model of that size.
    quick
        Simulate shorter and stop looking for a better bound early.

    Raises
    ------
    ValueError
        If nothing can be done for this problem, with the reasons.
    """
    started, refused = monotonic(), list[str]()
    found, lower = dict[str, Candidate](), None
    try:
        found, lower = _tuned(problem, quick, seed, progress)
    except ValueError as error:
        refused.append(f"Tuned policies are left out: {error}")
    if steps or (steps is None and not found):
        try:
            found["learned"] = _learned(problem, steps, seed, progress)
        except ValueError as error:
            refused.append(f"A learned policy is left out: {error}")
    if not found:
        reasons = " ".join(refused) or "no training was asked for."
        raise ValueError(f"the problem is too large to be solved exactly. {reasons}")
    return LargeSolution(
        epoch=problem.epoch,
        criterion=problem.criterion,
        candidates=found,
        chosen=min(found, key=lambda key: found[key].objective.value),
        optimum_lower=lower,
        seconds=monotonic() - started,
        message=" ".join(refused),
    )


def simulated(
    problem: MultiComponentProblem, policy: Policy, *, seed: int = 1 << 20
) -> SimulationResult:
    """Return what a policy costs from the start; a discounted total runs until it is settled."""
    discounted = problem.criterion == "discounted"
    settled = ceil(log(NEGLIGIBLE) / log(problem.discount)) if discounted else 0
    return simulate(
        problem.epoch,
        policy,
        num_epochs=settled or WARM_UP + EPOCHS,
        num_replications=REPLICATIONS,
        warm_up=0 if discounted else WARM_UP,
        seed=seed,
        start=problem.initial_state,
        weights=problem.weights,
    )


def _tuned(
    problem: MultiComponentProblem, quick: bool, seed: int, progress: Progress | None
) -> tuple[dict[str, Candidate], float | None]:
    """Return control limits and a lookahead, and a lower bound of the optimum if there is one."""
    from sparing.large.crew_training import train_crew

    def tell(line: str) -> None:
        if progress is not None:
            progress(line, 0, 1)

    result = train_crew(problem, seed=seed, quick=quick, progress=tell)
    found = {
        rated.key: Candidate(
            key=rated.key, name=rated.name, policy=rated.policy, objective=rated.objective
        )
        for rated in result.policies
    }
    return found, None if result.optimum is None else result.optimum.lower


def _learned(
    problem: MultiComponentProblem, steps: int | None, seed: int, progress: Progress | None
) -> Candidate:
    from sparing.learn.train import train

    def count(state: Any) -> None:
        if progress is not None:
            progress("learn", state.env_steps, state.total_steps)

    trained = train(problem, learner=LEARNER, steps=steps, seeds=[seed], progress=count)
    learned = trained.best  # not a tuned policy that costs less: those are candidates themselves
    policy: Any = learned.policy
    if learned.objective is None:
        raise ValueError("what was learned could not be evaluated.")
    return Candidate(
        key="learned",
        name=f"learned ({trained.learner}, {trained.env_steps:,} choices)",
        policy=policy,
        objective=learned.objective,
        network=(trained.network, learned.trained.parameters),
    )
