"""What a solve over belief points is asked for, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparing._checks import check_number
from sparing._threads import default_num_threads
from sparing.beliefs.component_checkpoint import Round
from sparing.beliefs.component_rollout import CostEstimate, GreedyBeliefPolicy
from sparing.models.hidden import HiddenProblem


@dataclass(frozen=True, kw_only=True)
class BeliefOptions:
    """How long to go on, and with what.

    Parameters
    ----------
    gap
        Wanted distance of the bounds as a share of the upper one.
    time_s
        Time after which no further round is begun [s]; a round is not begun either if it would
        not end by then.
    memory
        Bytes that the values of a round may take.
    episodes
        Rollouts of a round.
    seed
        Of the rollouts.
    num_threads
        None: all processors. Changes no result but by the time limit.
    """

    gap: float = 1e-3
    time_s: float = 60.0
    memory: int = 1 << 30
    episodes: int = 100
    seed: int = 0
    num_threads: int | None = None

    def __post_init__(self) -> None:
        check_number("gap", self.gap, at_least=0.0)
        check_number("time", self.time_s)
        if not self.time_s > 0.0:
            raise ValueError(f"time must be above 0 seconds; got {self.time_s:g}.")
        if not self.episodes >= 2:
            raise ValueError(f"episodes must be at least 2; got {self.episodes}.")

    @property
    def threads(self) -> int:
        """Threads to use."""
        return self.num_threads or default_num_threads()


@dataclass(frozen=True, kw_only=True, eq=False)
class BeliefSolution:
    """A policy for hidden degradation, with ``lower <= optimal cost <= cost.mean``.

    The lower bound is certain up to rounding, which it allows for; the cost of the policy is exact,
    or estimated with the interval that `cost` states.
    """

    problem: HiddenProblem
    policy: GreedyBeliefPolicy
    lower: float
    cost: CostEstimate
    rounds: tuple[Round, ...]
    converged: bool
    message: str
    num_sweeps: int
    seconds: float

    @property
    def upper(self) -> float:
        """The upper end of the interval of the policy's cost."""
        return self.cost.upper

    @property
    def gap(self) -> float:
        """Distance of the bounds as a share of the upper one."""
        return relative_gap(self.lower, self.upper)

    @property
    def first_decision(self) -> dict[str, str]:
        """The option of each component, all new."""
        parts = [np.eye(c.num_states)[0] for c in self.problem.components]
        chosen = self.policy.act(np.concatenate(parts)[None])[0]
        return {c.name: c.options[k] for c, k in zip(self.problem.components, chosen, strict=True)}


def relative_gap(lower: float, upper: float) -> float:
    """Return the distance of two bounds as a share of the upper one."""
    return (upper - lower) / abs(upper) if upper != 0.0 else abs(upper - lower)
