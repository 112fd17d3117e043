"""Training on hidden degradation, with bounds of the optimum beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sparing.beliefs.component_checkpoint import solve_key
from sparing.exact.policy_evaluation import Bounds
from sparing.learn.belief_environment import BeliefEnvironment
from sparing.learn.belief_policy import BeliefNetworkPolicy, interval, simulated_costs
from sparing.learn.judging import Verdict, train_and_judge
from sparing.learn.learners import Centre
from sparing.learn.networks import Network, Parameters
from sparing.learn.result import TrainingResult
from sparing.learn.run_records import RunOptions
from sparing.learn.settings import DEFAULTS, Settings
from sparing.learn.views import default_settings
from sparing.learn.warm_start import WarmStart, own_values
from sparing.models.hidden import HiddenProblem

SOLVE_S = 10.0  # of the solver whose bounds stand beside the policy


def belief_settings(learner: str, problem: HiddenProblem) -> Settings:
    """Return the default settings of a learner on hidden degradation.

    PQN has its own on several components: a wrong choice early in a period spoils the later ones,
    so it comes to explore hardly at all; and few lanes are sent to random beliefs, most of which
    no policy would ever meet.
    """
    if learner != "pqn" or len(problem.components) == 1:
        return default_settings(learner, BeliefEnvironment(problem))
    return replace(
        DEFAULTS["pqn"],
        hidden=(128, 128),
        steps=2_600_000,
        lanes=128,
        epsilon_end=0.005,
        restart=0.05,
    )


def quick_bounds(problem: HiddenProblem) -> Bounds | None:
    """Return bounds of the optimal cost by some seconds of belief points, None if they do not fit.

    The lower one is certain; the upper one is that of the solver's policy, simulated.
    """
    from sparing.beliefs.component_result import BeliefOptions
    from sparing.beliefs.component_solve import solve_hidden

    try:
        found = solve_hidden(problem, options=BeliefOptions(time_s=SOLVE_S, memory=1 << 28))
    except ValueError:  # too many components for the solver, not for a network
        return None
    return Bounds(lower=found.lower, upper=found.upper)


def train_on_beliefs(
    problem: HiddenProblem, settings: Settings, options: RunOptions, *, warm_start: Any = None
) -> TrainingResult:
    """Train on `problem`, simulate what the greedy choices cost, and bound the optimum.

    Raises
    ------
    ValueError
        If the settings or the start do not fit, before anything is trained.
    """
    if settings.penalty is not None:
        raise ValueError(
            "hidden degradation knows no penalty for forbidden choices, they are masked; leave"
            " penalty (or the preset) out."
        )
    start: WarmStart | None = own_values(warm_start, "hidden degradation")
    environment = BeliefEnvironment(problem)

    def judge(network: Network, parameters: Parameters) -> Verdict:
        policy = BeliefNetworkPolicy(environment, network, parameters)
        return Verdict(policy, interval(simulated_costs(environment, policy.choose)))

    judged = train_and_judge(
        environment,
        settings,
        judge,
        centre=Centre.none if environment.finite else Centre.mean,
        name=f"{problem.name} beliefs {solve_key(problem, seed=0, episodes=0)}",
        options=options,
        warm_start=start,
    )
    return TrainingResult(
        model=problem,
        network=judged.network,
        settings=settings,
        view="sequential",
        seeds=judged.seeds,
        optimum=quick_bounds(problem),
        exact=False,
        seconds=judged.seconds,
    )
