"""The greedy policy for values at belief points: what it costs, and where interpolation loses."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from sparing import _core
from sparing._checks import check_stochastic
from sparing.beliefs.component_filter import successors
from sparing.beliefs.component_values import BeliefValues
from sparing.models.hidden import HiddenProblem

Numbers = NDArray[np.float64]
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class CostEstimate:
    """The cost of a policy: a mean with a two-sided confidence interval, or exact.

    Parameters
    ----------
    mean, half_width
        Of the discounted cost from all new; half_width 0 where it is exact.
    num_episodes
        Simulated episodes; 0: computed by following all beliefs that the policy can reach.
    raw_half_width
        The half-width that the same episodes give without the lookahead estimator.
    """

    mean: float
    half_width: float
    num_episodes: int
    confidence: float = CONFIDENCE
    raw_half_width: float = 0.0

    @property
    def upper(self) -> float:
        """The upper end of the interval."""
        return self.mean + self.half_width


@dataclass(frozen=True, kw_only=True, eq=False)
class Visits:
    """Beliefs that rollouts visited, and what interpolation lost along each axis.

    Parameters
    ----------
    beliefs
        Shape (visits, states of all components side by side).
    periods
        Shape (visits,).
    loss
        Shape (visits, components): discounted; 0 along axes that were not measured.
    """

    beliefs: Numbers
    periods: NDArray[np.int64]
    loss: Numbers


@dataclass(eq=False)
class GreedyBeliefPolicy:
    """Looks one period ahead at the exact beliefs, and values what follows at belief points."""

    found: BeliefValues
    num_threads: int = 1
    _system: _core.BeliefSystem = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._system = self.found.tensor.system(self.num_threads)

    @property
    def _widths(self) -> list[int]:
        return state_counts(self.found.tensor.problem)

    def act(self, beliefs: ArrayLike, period: int = 0) -> NDArray[np.int32]:
        """Return the option of each component, shape (batch, components), at beliefs.

        Parameters
        ----------
        beliefs
            Shape (batch, states of all components side by side); each component's part sums to
            one, and it is failed or certainly not.
        period
            Which period it is, if the horizon is finite.
        """
        given = np.ascontiguousarray(beliefs, dtype=np.float64)
        width = sum(self._widths)
        if given.ndim != 2 or given.shape[1] != width:
            raise ValueError(f"beliefs must have shape (batch, {width}); got {given.shape}.")
        offsets = np.cumsum(self._widths)[:-1]
        for name, part in enumerate(np.split(given, offsets, axis=1)):
            check_stochastic(f"beliefs of component {name}", part)
            if ((part[:, -1] > 0.0) & (part[:, -1] < 1.0)).any():
                raise ValueError(
                    f"beliefs of component {name}: it is failed or not, with certainty."
                )
        last = self.found.tensor.problem.periods
        if last is not None and not 0 <= period < last:
            raise ValueError(f"period must be at least 0 and below {last}; got {period}.")
        return self.lookahead(given, period)[2]

    def lookahead(
        self, beliefs: Numbers, period: int
    ) -> tuple[Numbers, Numbers, NDArray[np.int32]]:
        """Return lookahead costs, interpolated values and options at beliefs of a period."""
        values = self.found.values
        now = values[0] if len(values) == 1 else values[period]
        following = values[0] if len(values) == 1 else values[period + 1]
        size = len(beliefs)
        least, value = np.empty((2, size))
        options = np.empty((size, len(self._widths)), dtype=np.int32)
        self._system.greedy(now, following, beliefs, least, value, options)
        return least, value, options

    def rollout(
        self, *, num_episodes: int, seed: int, first_episode: int = 0, recorded: int = 0
    ) -> tuple[Numbers, Numbers, Visits]:
        """Simulate episodes from all new.

        Parameters
        ----------
        recorded
            Periods of each episode at which losses are measured.

        Returns
        -------
        tuple
            Unbiased estimates of the policy's cost by V0(b0) + sum of discounted (lookahead -
            value), one an episode; the costs simulated; and the visits with a loss.
        """
        tensor = self.found.tensor
        widths, count = self._widths, len(self._widths)
        periods = tensor.problem.periods or 0
        estimate, cost = np.empty((2, num_episodes))
        loss = np.zeros((num_episodes, recorded, count))
        belief = np.zeros((num_episodes, recorded, sum(widths)))
        where = (tensor.size, periods, seed, first_episode, recorded)
        self._system.rollout(self.found.values, *where, estimate, cost, loss, belief)
        start = float(self.found.values[0, tensor.start])
        lost = loss.reshape(-1, count)
        kept = np.flatnonzero((lost != 0.0).any(axis=1))
        visits = Visits(
            beliefs=belief.reshape(-1, sum(widths))[kept],
            periods=kept % max(recorded, 1),
            loss=lost[kept],
        )
        return start + estimate, cost, visits


def state_counts(problem: HiddenProblem) -> list[int]:
    """Return the number of states of each component."""
    return [component.num_states for component in problem.components]


def estimated(estimates: Numbers, costs: Numbers, confidence: float = CONFIDENCE) -> CostEstimate:
    """Return mean and interval of independent episodes."""
    count = len(estimates)
    factor = float(student.ppf(0.5 + confidence / 2.0, count - 1)) / sqrt(count)
    return CostEstimate(
        mean=float(estimates.mean()),
        half_width=factor * float(estimates.std(ddof=1)),
        num_episodes=count,
        confidence=confidence,
        raw_half_width=factor * float(costs.std(ddof=1)),
    )


def exact_cost(policy: GreedyBeliefPolicy, *, most: int = 4000) -> CostEstimate | None:
    """Return the exact cost of the policy by following every belief it can reach.

    None if the horizon is infinite or there are more than `most` beliefs in all.
    """
    problem = policy.found.tensor.problem
    if problem.periods is None:
        return None
    widths = [c.num_states for c in problem.components]
    beliefs = np.zeros((1, sum(widths)))
    beliefs[0, np.cumsum([0, *widths[:-1]])] = 1.0
    chance, total = np.ones(1), float(policy.found.values[0, policy.found.tensor.start])
    num_beliefs = 1
    for period in range(problem.periods):
        least, value, options = policy.lookahead(beliefs, period)
        total += problem.discount**period * float(chance @ (least - value))
        if period + 1 == problem.periods:
            break
        beliefs, chance = _following(policy, beliefs, chance, options)
        num_beliefs += len(beliefs)
        if num_beliefs > most:
            return None
    return CostEstimate(mean=total, half_width=0.0, num_episodes=0)


def _following(
    policy: GreedyBeliefPolicy, beliefs: Numbers, chance: Numbers, options: NDArray[np.int32]
) -> tuple[Numbers, Numbers]:
    """Return the distinct beliefs one period later, and their chances."""
    components = policy.found.tensor.problem.components
    offset = 0
    rows, weight = np.arange(len(beliefs)), chance
    parts: list[Numbers] = []
    for i, component in enumerate(components):
        states = component.num_states
        own = np.ascontiguousarray(beliefs[:, offset : offset + states])
        offset += states
        seen = component.channel.shape[2]
        child, share = np.empty((len(own), seen, states)), np.empty((len(own), seen))
        for option in range(len(component.options)):
            at = options[:, i] == option
            if at.any():
                child[at], share[at] = successors(component, own[at], option)
        joint = weight[:, None] * share[rows]
        kept, outcome = np.nonzero(joint > 0.0)
        parts = [part[kept] for part in parts]
        parts.append(child[rows[kept], outcome])
        rows, weight = rows[kept], joint[kept, outcome]
    found: Numbers = np.concatenate(parts, axis=1)
    _, first, group = np.unique(found.round(12), axis=0, return_index=True, return_inverse=True)
    merged = np.bincount(group.reshape(-1), weights=weight).astype(np.float64)
    return np.ascontiguousarray(found[first]), merged
