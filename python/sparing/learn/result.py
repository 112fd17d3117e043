"""What a training comes to: a policy, what it costs, and how far that is from the optimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparing.exact.policy_evaluation import Bounds
from sparing.learn.networks import Network
from sparing.learn.run_records import TrainedSeed
from sparing.learn.settings import Settings
from sparing.policies import Policy

if TYPE_CHECKING:
    from sparing.evaluate.network_plan import PartPlan
    from sparing.large.crew_training import CrewResult
    from sparing.learn.belief_policy import BeliefNetworkPolicy
    from sparing.learn.curve import CurvePoint


@dataclass(frozen=True, kw_only=True, eq=False)
class SeedResult:
    """One seed: its greedy policy and what that costs.

    `samples` [replications] is what it costs in each replication where C++ rollouts tell.
    """

    trained: TrainedSeed
    policy: Policy | BeliefNetworkPolicy | PartPlan
    objective: Bounds
    samples: NDArray[np.float64] | None = None

    @property
    def seed(self) -> int:
        """Its number."""
        return self.trained.seed


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingResult:
    """A trained policy with its certificate.

    Attributes
    ----------
    model
        What was learned on; of a problem that leaves a size open, its best system.
    seeds
        All seeds; the policy is that of the best one.
    optimum
        Bounds of the optimal objective; None where it cannot be computed.
    is_average
        Whether objectives are long-run averages, as the curves are, or else totals.
    exact
        Whether objectives are exact bounds, or else confidence intervals of simulations.
    seconds
        Of training and compilation, all seeds.
    crew
        Of a multi-component system of more than 65 536 states: tuned control limits and a
        lookahead, one of which is the policy if it costs less than what was learned.
    curve
        Exact figures on the way, where they were asked for.
    """

    model: Any
    network: Network
    settings: Settings
    view: str
    seeds: tuple[SeedResult, ...]
    optimum: Bounds | None
    exact: bool
    is_average: bool = False
    seconds: float
    crew: CrewResult | None = None
    curve: tuple[CurvePoint, ...] = ()

    @property
    def crew_is_better(self) -> bool:
        """Whether the policy is one of `crew`."""
        if self.crew is None:
            return False
        return self.crew.objective.value < self.best.objective.value

    @property
    def best(self) -> SeedResult:
        """The seed whose policy costs least."""
        return min(self.seeds, key=lambda seed: seed.objective.value)

    @property
    def learner(self) -> str:
        """Its name."""
        return self.settings.learner

    @property
    def env_steps(self) -> int:
        """Choices made while training, all seeds."""
        return sum(seed.trained.env_steps for seed in self.seeds)

    @property
    def policy(self) -> Policy | BeliefNetworkPolicy | PartPlan:
        """The greedy policy of the best seed, or a better one of `crew`."""
        if self.crew is not None and self.crew_is_better:
            return self.crew.policy
        return self.best.policy

    @property
    def objective(self) -> Bounds:
        """What the policy costs."""
        if self.crew is not None and self.crew_is_better:
            return self.crew.objective
        return self.best.objective

    @property
    def gap(self) -> float | None:
        """How far the policy's cost is above the optimum, as a share of that."""
        return gap_of(self.objective, self.optimum)

    def __str__(self) -> str:
        """Objective and gap in a line or two."""
        text = f"{self.learner}: objective {self.objective.value:.9g}"
        text += f" after {self.env_steps:,} choices"
        if self.gap is not None:
            text += f", {100.0 * self.gap:.3g} % above the optimum"
        return f"{text}; {self.seconds:.1f} s."


def gap_of(objective: Bounds, optimum: Bounds | None) -> float | None:
    """Return (objective - lower bound of the optimum) / abs(optimum), None where unknown."""
    if optimum is None:
        return None
    size = abs(optimum.value)
    return (objective.value - optimum.lower) / size if size > 0.0 else None
