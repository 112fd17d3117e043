"""How good a tuned policy of a large system is if the estimates are off, by simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing import _core
from sparing.epoch import Epoch
from sparing.large.crew_policies import CrewPolicy
from sparing.planning.estimation import Estimates
from sparing.planning.robustness import Robustness
from sparing.policies import Policy
from sparing.simulate.rollouts import simulate

MOST_DRAWS = 40
REPLICATIONS, EPOCHS, WARM_UP = 32, 300, 100  # of a draw; short, as draws differ far more


@dataclass(frozen=True, eq=False)
class _Transferred:
    """A policy made for the mean of the estimates, in the epoch of other transitions."""

    policy: CrewPolicy

    def action(self, state: ArrayLike, *, stage: int = 0) -> NDArray[np.int32]:
        return self.policy.action(state, stage=stage)

    def hand_over(self, plan: _core.RolloutPlan, epoch: Epoch) -> None:
        plan.use_rule(self.policy.rule)


def large_robustness(
    estimates: Estimates,
    policy: Policy,
    *,
    num_draws: int = MOST_DRAWS,
    progress: Callable[[int, int], None] | None = None,
) -> Robustness | None:
    """Simulate `policy` under posterior draws, long-run and per period, all on the same luck.

    None where nothing is estimated, or for policies that are not those of `sparing.large`. The
    noise of the simulation widens the interval a little; it does not narrow it.
    """
    draws = min(num_draws, MOST_DRAWS, estimates.num_draws)
    if draws < 2 or not isinstance(policy, CrewPolicy):
        return None
    cost = np.empty(draws)
    for draw in range(draws):
        problem = replace(estimates.drawn_problem(draw), criterion="average", discount=1.0)
        cost[draw] = simulate(
            problem.epoch,
            _Transferred(policy),
            num_epochs=WARM_UP + EPOCHS,
            num_replications=REPLICATIONS,
            warm_up=WARM_UP,
            start=problem.initial_state,
            weights=problem.weights,
        ).objective
        if progress is not None:
            progress(draw + 1, draws)
    return Robustness(cost=cost, optimum=None, by_component={})
