"""Training on models of epochs that repeat: exact figures where they fit, simulated ones beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparing.exact.policy_evaluation import Bounds
from sparing.learn.environment import Environment
from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.evaluation import exact_objective, goal_of, optimum_of
from sparing.learn.greedy_policy import greedy_policy
from sparing.learn.judging import Verdict, train_and_judge
from sparing.learn.learners import Centre
from sparing.learn.networks import Network, Parameters
from sparing.learn.result import SeedResult, TrainingResult
from sparing.learn.run_records import RunOptions
from sparing.learn.settings import Settings
from sparing.learn.simulated import rolled_out, simulated_objective
from sparing.learn.warm_start import WarmStart
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import TablePolicy

if TYPE_CHECKING:
    from sparing.large.crew_training import CrewResult
    from sparing.learn.curve import CurveRecorder

COMPARED_STATES = 1 << 16  # beyond these what was learned must beat tuned limits and a lookahead


def train_on_epochs(
    model: Any,
    environment: EpochEnvironment,
    settings: Settings,
    options: RunOptions,
    *,
    warm_start: WarmStart | None = None,
    curve: bool = False,
) -> TrainingResult:
    """Train in a view of `model`, judge each seed's greedy policy, and state the optimum.

    Parameters
    ----------
    curve
        Whether the policy is evaluated exactly on the way.

    Raises
    ------
    ValueError
        If something does not fit, before anything is trained.
    """
    goal = goal_of(environment.process)
    recorder = _recorder(model, environment, settings) if curve else None

    def judge(network: Network, parameters: Parameters) -> Verdict:
        policy = greedy_policy(environment, network, parameters, as_table=goal.fits)
        if isinstance(policy, TablePolicy):
            return Verdict(policy, exact_objective(goal, policy))
        if "duration" in goal.epoch.kinds:
            found = simulated_objective(environment, network, parameters, goal.discount)
            return Verdict(policy, found)
        result = rolled_out(goal, policy)
        lower, upper = result.interval
        return Verdict(policy, Bounds(lower=lower, upper=upper), result.objectives)

    judged = train_and_judge(
        _penalised(environment, settings),
        settings,
        judge,
        centre=goal.centre if settings.discount in (None, 1.0) else Centre.mean,
        name=_name(model, environment),
        options=options,
        warm_start=warm_start,
        watch=recorder,
    )
    crew = _crew(model) if goal.epoch.num_states > COMPARED_STATES else None
    return TrainingResult(
        model=model,
        network=judged.network,
        settings=settings,
        view=environment.view,
        seeds=judged.seeds,
        optimum=optimum_of(goal) if goal.fits or crew is None else _bounded(crew, judged.seeds),
        exact=goal.fits,
        is_average=goal.is_average,
        seconds=judged.seconds,
        crew=crew,
        curve=() if recorder is None else tuple(recorder.points),
    )


def _recorder(model: Any, environment: EpochEnvironment, settings: Settings) -> CurveRecorder:
    from sparing.learn.curve import CurveRecorder

    return CurveRecorder(model, environment, masked=settings.penalty is None)


def _penalised(environment: EpochEnvironment, settings: Settings) -> Environment:
    """Return what is trained on: `environment`, or forbidden choices at a price in it."""
    if settings.penalty is None:
        return environment
    from sparing.learn.penalty import PenalisedEnvironment

    return PenalisedEnvironment(environment, settings.penalty)


def _bounded(crew: CrewResult, seeds: tuple[SeedResult, ...]) -> Bounds | None:
    """Return a certain lower bound of the optimum and the best policy's upper one."""
    if crew.optimum is None:
        return None
    learned = min(seed.objective.upper for seed in seeds)
    return Bounds(lower=crew.optimum.lower, upper=min(crew.objective.upper, learned))


def _crew(model: Any) -> CrewResult | None:
    """Return the policies that what was learned must beat, where they fit the model."""
    from sparing.large.crew_system import CrewSystem, refused
    from sparing.large.crew_training import train_crew

    if not isinstance(model, MultiComponentProblem) or refused(model) is not None:
        return None
    return train_crew(model) if CrewSystem(model).price > 0.0 else None


def _name(model: Any, environment: EpochEnvironment) -> str:
    """Return what tells runs on different models apart: a digest of the epoch and its weights."""
    from sparing.exact.checkpoint import fingerprint

    process = environment.process
    key = fingerprint(process.epochs[0], dict(process.weights))
    name = getattr(model, "name", type(model).__name__)
    return f"{name} {environment.view} {environment.num_features} {key}"
