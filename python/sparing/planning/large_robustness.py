"""How good a policy of a large system is if the estimates are off, by simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import comb, prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.large.crew_policies import CrewPolicy, LookaheadPolicy
from sparing.large.crew_simulation import CrewSimulation
from sparing.large.crew_system import CrewSystem
from sparing.large.crew_training import mean_counts
from sparing.large.tuning import tuned_lookahead
from sparing.large.type_bound import bound_refused, type_bound
from sparing.large.value_fit import fitted_values
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.estimation import Estimates
from sparing.planning.large_compare import transferred
from sparing.planning.robustness import Robustness
from sparing.policies import Policy
from sparing.records.paths import Array
from sparing.simulate.rollouts import simulate

MOST_DRAWS = 40
TUNED_DRAWS = 20  # of them for which a policy is tuned, and with one kind of component uncertain
REPLICATIONS, EPOCHS, WARM_UP = 32, 300, 100  # of a draw; short, as draws differ far more
LANES = 512  # on which what was tuned for a draw is compared with the recommended policy
ROUNDS = 8  # of a bound
MOST_COUNTS = 1_000_000  # combinations of counts up to which the optimum of a draw is bounded
FRESH = 1 << 22  # luck of the comparison; tuning has other

Estimate = tuple[float, float]  # mean and standard error


@dataclass(frozen=True, kw_only=True, eq=False)
class LargeRobustness(Robustness):
    """The same where no optimum is known, with what is known of the value of better data.

    Parameters
    ----------
    saving
        Per draw what a policy tuned for it saves over the recommended one; None: not known.
    distance
        Per draw how far the recommended policy is above a certain lower bound of its optimum;
        None: not known.
    remark
        Why something is not known; empty if all is.
    """

    saving: Array | None
    distance: Array | None
    remark: str

    @property
    def worth_at_least(self) -> Estimate | None:
        """Expected saving per period by a policy tuned to the true wear, and its standard error.

        The optimum may save more, so better data may be worth more.
        """
        return _estimate(self.saving)

    @property
    def worth_at_most(self) -> Estimate | None:
        """Expected distance to the lower bounds, which no better data can save more than."""
        return _estimate(self.distance)


def large_robustness(
    estimates: Estimates,
    policy: Policy,
    *,
    others: Sequence[Policy] = (),
    num_draws: int = MOST_DRAWS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> LargeRobustness | None:
    """Simulate `policy` under posterior draws, beside policies that are tuned for each draw.

    All is long-run and per period. Draws share their luck where `policy` alone is simulated; the
    noise of the simulation widens the interval a little, it does not narrow it. What was tuned for
    a draw is chosen on one luck and compared on another, so that the choice flatters nobody.
    None where nothing is estimated.

    Parameters
    ----------
    others
        Further policies for the estimated wear that may do better for a draw.
    """
    draws = min(num_draws, MOST_DRAWS, estimates.num_draws)
    if draws < 2:
        return None
    names, few = list(estimates.components), min(draws, TUNED_DRAWS)
    single = names if len(names) > 1 else []
    steps, total = 0, draws + few * (len(single) + 1)

    def step(value: Any) -> Any:
        nonlocal steps
        steps += 1
        if progress is not None:
            progress(steps, total)
        return value

    problems = [_average(estimates.drawn_problem(draw)) for draw in range(draws)]
    cost = np.array([step(_cost(problem, policy)) for problem in problems])
    by_component = {
        name: np.array(
            [
                step(_cost(_average(estimates.drawn_problem(draw, only=name)), policy))
                for draw in range(few)
            ]
        )
        for name in single
    }
    saving: Array | None = None
    distance: Array | None = None
    try:
        tuner = _Tuner(_average(estimates.mean_problem()), policy, others, seed)
        found = [step(tuner.judged(problem, draw)) for draw, problem in enumerate(problems[:few])]
        remark = tuner.remark
        saving = np.array([one[0] for one in found])
        if all(one[1] is not None for one in found):
            distance = np.array([one[1] for one in found])
    except ValueError as error:
        remark = (
            f"What better data is worth is not known: {error} A policy would have to be trained for"
            " every draw."
        )
    return LargeRobustness(
        cost=cost,
        optimum=None,
        by_component=by_component or dict.fromkeys(names, cost),
        saving=saving,
        distance=distance,
        remark=remark,
    )


class _Tuner:
    """Tunes policies for draws, beginning at those for the mean of the estimates."""

    def __init__(
        self,
        problem: MultiComponentProblem,
        policy: Policy,
        others: Sequence[Policy],
        seed: int,
    ) -> None:
        self.policy, self.seed = _decider(policy), seed
        self.remark = ""
        system = CrewSystem(problem)
        crews = [other for other in (policy, *others) if isinstance(other, CrewPolicy)]
        if not any(isinstance(found, LookaheadPolicy) for found in crews) and system.price > 0.0:
            crews.append(tuned_lookahead(CrewSimulation(system=system, seed=seed)).policy)
        self.crews = crews
        refusal = bound_refused(system)
        if refusal is None and _num_counts(system) > MOST_COUNTS:
            refusal = "there are too many combinations of counts per type and state"
        if refusal is not None:
            self.remark = f"No upper end of what better data is worth is known: {refusal}."
        self.bounded = refusal is None

    def judged(self, problem: MultiComponentProblem, draw: int) -> tuple[float, float | None]:
        """Return what a policy tuned for `problem` saves, and the distance to its lower bound."""
        system = CrewSystem(problem)
        luck = [self.seed, draw]
        tuning = CrewSimulation(system=system, seed=_number(luck))
        tried: list[Any] = [self.policy, *self.crews]
        for found in self.crews:
            if isinstance(found, LookaheadPolicy):
                moved = replace(found, system=system)
                value = fitted_values(moved, tuning, seed=_number(luck))
                tried += [moved, replace(moved, value=value)]
        best = min(tried, key=lambda found: float(tuning.objectives(found).mean()))
        judge = replace(tuning, lanes=LANES, seed=_number([FRESH, *luck]))
        cost = float(judge.objectives(self.policy).mean())
        saved = 0.0 if best is self.policy else cost - float(judge.objectives(best).mean())
        if not self.bounded:
            return saved, None
        bound = type_bound(system, start=mean_counts(tuning, best), rounds=ROUNDS)
        return saved, cost - bound.lower


@dataclass(frozen=True, eq=False)
class _Decider:
    """Any policy, asked as those of `sparing.large` are."""

    policy: Policy

    def decide(self, states: NDArray[np.int32], *, num_threads: int = 0) -> NDArray[np.int32]:
        return np.asarray(self.policy.action(states), dtype=np.int32)


def _decider(policy: Policy) -> Any:
    return policy if isinstance(policy, CrewPolicy) else _Decider(policy)


def _num_counts(system: CrewSystem) -> int:
    return prod(
        comb(len(members) + kind.num_states - 1, kind.num_states - 1)
        for members, kind in zip(system.members, system.kinds, strict=True)
    )


def _number(parts: Sequence[int]) -> int:
    """Return one seed of several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def _average(problem: MultiComponentProblem) -> MultiComponentProblem:
    return replace(problem, criterion="average", discount=1.0)


def _cost(problem: MultiComponentProblem, policy: Policy) -> float:
    return simulate(
        problem.epoch,
        transferred(policy, problem),
        num_epochs=WARM_UP + EPOCHS,
        num_replications=REPLICATIONS,
        warm_up=WARM_UP,
        start=problem.initial_state,
        weights=problem.weights,
    ).objective


def _estimate(values: Array | None) -> Estimate | None:
    if values is None:
        return None
    return float(values.mean()), float(values.std(ddof=1) / sqrt(values.size))
