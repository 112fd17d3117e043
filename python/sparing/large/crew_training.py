"""The better of tuned control limits and a tuned lookahead, with its distance to the optimum."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparing.exact.policy_evaluation import Bounds
from sparing.large.crew_policies import CrewPolicy, LookaheadPolicy
from sparing.large.crew_simulation import CrewSimulation
from sparing.large.crew_system import CrewSystem
from sparing.large.exact_rating import exact_objective, exact_optimum
from sparing.large.fresh_rollouts import EPOCHS, REPLICATIONS, fresh_rollouts
from sparing.large.tuning import tuned_limits, tuned_lookahead
from sparing.large.type_bound import ROUNDS, bound_refused, type_bound
from sparing.models.multi_component import MultiComponentProblem
from sparing.simulate.results import Difference, half_width

EXACT_STATES = 1 << 22  # up to which policies are evaluated and the optimum is solved exactly
QUICK_EPOCHS, QUICK_ROUNDS = 200, 8

Told = Callable[[str], object]  # one line on what is going on


@dataclass(frozen=True, kw_only=True, eq=False)
class RatedPolicy:
    """A policy and its objective: exact bounds, or the 95 % interval of a simulation.

    Attributes
    ----------
    difference
        Its objective less that of the control limits, on the same draws; None for the limits
        themselves, and where objectives are exact.
    samples
        The objective [replications] of each simulated replication.
    """

    key: str
    name: str
    policy: CrewPolicy
    objective: Bounds
    num_tried: int
    difference: Difference | None = None
    samples: NDArray[np.float64] | None = None

    def less(self, other: RatedPolicy) -> Difference | None:
        """Return what it costs less what `other` does, if both were simulated."""
        return difference_of(self.samples, other.samples)


def difference_of(
    samples: NDArray[np.float64] | None, others: NDArray[np.float64] | None
) -> Difference | None:
    """Return the mean of the differences, replication by replication, with its 95 % interval."""
    if samples is None or others is None or samples.shape != others.shape:
        return None
    gaps = samples - others
    return Difference(mean=float(gaps.mean()), half_width=half_width(gaps, 0.95))


@dataclass(frozen=True, kw_only=True, eq=False)
class CrewResult:
    """Policies for a system of many components, the better one first in line for the user.

    Attributes
    ----------
    policies
        Tuned control limits ("limits") and lookahead ("lookahead").
    optimum
        Bounds of the optimum where it is solved; else from the certain lower bound, if there is
        one, to the upper end of the best policy's interval.
    solved
        Whether objectives and optimum are exact.
    """

    model: MultiComponentProblem
    policies: tuple[RatedPolicy, ...]
    optimum: Bounds | None
    solved: bool
    seconds: float

    @property
    def best(self) -> RatedPolicy:
        """The policy of the least estimate."""
        return min(self.policies, key=lambda rated: rated.objective.value)

    @property
    def policy(self) -> CrewPolicy:
        """The best policy."""
        return self.best.policy

    @property
    def objective(self) -> Bounds:
        """What it costs."""
        return self.best.objective

    @property
    def gap(self) -> float | None:
        """(objective - lower bound of the optimum) / |optimum|; None without a bound."""
        return gap_to(self.objective, self.optimum)

    def __str__(self) -> str:
        """Name the better policy and its gap in a line."""
        text = f"{self.best.name}: objective {self.objective.value:.6g}"
        if not self.solved:
            text += f" +- {(self.objective.upper - self.objective.lower) / 2:.2g}"
        if self.gap is not None:
            text += f", at most {100.0 * self.gap:.3g} % above the optimum"
        return f"{text}; {self.seconds:.1f} s."


def gap_to(objective: Bounds, optimum: Bounds | None) -> float | None:
    """Return (objective - lower bound of the optimum) / |optimum|, None without an optimum."""
    if optimum is None or optimum.value == 0.0:
        return None
    return (objective.value - optimum.lower) / abs(optimum.value)


def train_crew(
    problem: MultiComponentProblem,
    *,
    seed: int = 0,
    quick: bool = False,
    num_threads: int = 0,
    progress: Told | None = None,
) -> CrewResult:
    """Tune control limits and a lookahead, rate both, and bound the optimum.

    Up to 4 million states both are evaluated and the optimum is solved exactly. Beyond, both are
    simulated on the same draws, which tuning has not seen, and the optimum is bounded from below
    where the counts per type and state are few enough (`sparing.large.type_bound`).

    Parameters
    ----------
    seed
        Of tuning and evaluation.
    quick
        Simulate a fifth as long and stop looking for a better bound early.

    Raises
    ------
    ValueError
        If the problem has spares, random results, a component twice in its structure, or an
        objective to which it does not matter whether the system is down.
    """
    started = time.monotonic()
    tell = progress or (lambda _: None)
    system = CrewSystem(problem)
    simulation = CrewSimulation(system=system, seed=seed, num_threads=num_threads)

    def tried(name: str, count: int) -> None:
        tell(f"tuning {name}: {count} tried")

    limits = tuned_limits(simulation, progress=tried)
    ahead = tuned_lookahead(simulation, progress=tried)
    rated = [
        RatedPolicy(
            key="limits",
            name=str(limits.policy),
            policy=limits.policy,
            objective=Bounds(lower=-np.inf, upper=np.inf),
            num_tried=limits.num_tried,
        ),
        RatedPolicy(
            key="lookahead",
            name="lookahead",
            policy=ahead.policy,
            objective=Bounds(lower=-np.inf, upper=np.inf),
            num_tried=ahead.num_tried,
        ),
    ]
    optimum: Bounds | None
    solved = problem.num_states <= EXACT_STATES
    if solved:
        tell("evaluating and solving exactly")
        rated = [replace(r, objective=exact_objective(problem, r.policy)) for r in rated]
        optimum = exact_optimum(problem)
    else:
        tell("simulating both")
        epochs = QUICK_EPOCHS if quick else EPOCHS
        rated = simulated(problem, rated, epochs=epochs, seed=seed, num_threads=num_threads)
        lower = _lower_bound(system, simulation, ahead.policy, quick, tell)
        upper = min(r.objective.upper for r in rated)
        optimum = None if lower is None else Bounds(lower=lower, upper=upper)
    return CrewResult(
        model=problem,
        policies=tuple(rated),
        optimum=optimum,
        solved=solved,
        seconds=time.monotonic() - started,
    )


def simulated(
    problem: MultiComponentProblem,
    rated: list[RatedPolicy],
    *,
    epochs: int,
    seed: int,
    num_threads: int,
) -> list[RatedPolicy]:
    """Return `rated` with intervals, and differences from the first, on common draws."""
    found = list[RatedPolicy]()
    for one in rated:
        result = fresh_rollouts(
            problem.epoch,
            one.policy,
            weights=problem.weights,
            start=problem.initial_state,
            epochs=epochs,
            replications=REPLICATIONS,
            seed=seed,
            num_threads=num_threads,
        )
        lower, upper = result.interval
        one = replace(one, objective=Bounds(lower=lower, upper=upper), samples=result.objectives)
        found.append(replace(one, difference=one.less(found[0]) if found else None))
    return found


def _lower_bound(
    system: CrewSystem,
    simulation: CrewSimulation,
    policy: LookaheadPolicy,
    quick: bool,
    tell: Told,
) -> float | None:
    if bound_refused(system) is not None:
        return None
    found = type_bound(
        system,
        start=mean_counts(simulation, policy),
        rounds=QUICK_ROUNDS if quick else ROUNDS,
        progress=lambda number, lower: tell(f"lower bound, round {number}: {lower:.6g}"),
    )
    return found.lower


def mean_counts(simulation: CrewSimulation, policy: CrewPolicy) -> NDArray[np.float64]:
    """Return how many components the policy leaves in each state on average [pairs]."""
    system, rng = simulation.system, np.random.default_rng([simulation.seed, 2])
    states = np.zeros((simulation.lanes, len(system.type_of)), dtype=np.int32)
    total = np.zeros(system.num_pairs)
    for epoch in range(simulation.warm_up + simulation.epochs):
        post = policy.decide(states, num_threads=simulation.num_threads)
        if epoch >= simulation.warm_up:
            total += system.counts(post).mean(axis=0)
        states = simulation.worn(post, rng.random(states.shape))
    return total / simulation.epochs
