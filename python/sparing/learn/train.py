"""Train a policy on a model, evaluate it, and state its distance to the optimum."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sparing.exact.policy_evaluation import Bounds
from sparing.learn.environment import Environment
from sparing.learn.epoch_environment import (
    EpochEnvironment,
    flat_environment,
    sequential_environment,
)
from sparing.learn.evaluation import Goal, exact_objective, goal_of, optimum_of
from sparing.learn.greedy_policy import greedy_policy
from sparing.learn.learners import Centre
from sparing.learn.networks import Network
from sparing.learn.result import SeedResult, TrainingResult
from sparing.learn.run import CHECKPOINT_S, TrainedSeed, TrainingHook, train_seeds
from sparing.learn.settings import DEFAULTS, LEARNERS, Settings
from sparing.learn.simulated import rolled_out, simulated_objective
from sparing.learn.warm_start import WarmStart
from sparing.models.hidden import HiddenProblem
from sparing.models.load_sharing import LoadSharingProblem
from sparing.models.multi_component import MultiComponentProblem
from sparing.models.spares_network import SparesNetwork
from sparing.policies import TablePolicy

if TYPE_CHECKING:
    from sparing.large.crew_training import CrewResult

View = Literal["sequential", "flat"]
COMPARED_STATES = 1 << 16  # beyond these what was learned must beat tuned limits and a lookahead
FEW_COMPONENTS = 5  # beyond these a network sees counts per type in place of every component


def train(
    model: Any,
    *,
    learner: str = "d3qn",
    steps: int | None = None,
    seeds: int | Sequence[int] = 1,
    view: View = "sequential",
    features: str | None = None,
    settings: Settings | None = None,
    warm_start: Any = None,
    device: str | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    checkpoint_s: float = CHECKPOINT_S,
    progress: TrainingHook | None = None,
    curve: bool = False,
) -> TrainingResult:
    """Train a policy for `model` and evaluate it.

    Parameters
    ----------
    model
        A problem or an `Epoch` that repeats. Where a `LoadSharingProblem` leaves size or interval
        open, both are those of its optimum. On a `HiddenProblem` the network sees beliefs, what it
        learned is simulated, and the optimum is bounded by some seconds of `sparing.solve`. On a
        `SparesNetwork` of one part it sees stocks, period and belief, over a finite horizon.
    learner
        One of `sparing.learn.settings.LEARNERS`.
    steps
        Choices in all, per seed; default by the learner and the size of the model.
    seeds
        How many, from 0 on, or which. The result is the best of them, exactly evaluated.
    view
        "sequential": the epoch's decisions are met one after another; "flat": one choice among
        all joint actions.
    features
        "one-hot" or "typed-counts" (sequential view); default by the number of components.
    settings
        All settings, in place of `learner` and `steps`.
    warm_start
        What the network is fitted to before it learns: a simpler model with the same choices and
        axes (other costs, other chances), which is solved exactly, or a
        `sparing.learn.warm_start.WarmStart` of values of one's own.
    device
        Such as "cpu" or "gpu"; default JAX's own.
    out, resume, checkpoint_s
        Where the state of the training is saved, and whether it goes on from there, to the
        identical result.
    progress
        Called with a `sparing.learn.run.TrainingProgress` now and then.
    curve
        Whether the policy is evaluated exactly fifty times on the way: what acts, and its greedy
        choices. Multi-component systems in the flat view.

    Raises
    ------
    ValueError
        If something does not fit, before anything is trained.
    """
    if settings is not None and steps is not None:
        raise ValueError("give steps within settings, or alone.")
    if learner not in LEARNERS:
        raise ValueError(f"learner must be one of {', '.join(LEARNERS)}; got {learner!r}.")
    numbers = list(range(seeds)) if isinstance(seeds, int) else [*seeds]
    if not numbers:
        raise ValueError(f"at least one seed is needed; got {seeds!r}.")
    if isinstance(model, HiddenProblem):
        if curve:
            raise ValueError("curves are of multi-component systems without stocked spares.")
        if view != "sequential" or features is not None:
            raise ValueError(
                "hidden degradation has one view (sequential) and one kind of features (beliefs);"
                " leave view and features out."
            )
        from sparing.learn.belief_environment import BeliefEnvironment
        from sparing.learn.belief_training import belief_settings, train_on_beliefs

        chosen = settings or default_settings(learner, BeliefEnvironment(model))
        if settings is None and learner == "pqn" and len(model.components) > 1:
            chosen = belief_settings()
        return train_on_beliefs(
            model,
            chosen if steps is None else replace(chosen, steps=steps),
            seeds=numbers,
            device=device,
            folder=None if out is None else Path(out),
            resume=resume,
            checkpoint_s=checkpoint_s,
            progress=progress,
            warm_start=_own_values(warm_start),
        )
    if isinstance(model, SparesNetwork):
        if view != "sequential" or features is not None:
            raise ValueError(
                "spares networks have one view (sequential) and features of their own; leave view"
                " and features out."
            )
        from sparing.learn.network_training import train_on_network

        chosen = settings or DEFAULTS[learner]
        return train_on_network(
            model,
            chosen if steps is None else replace(chosen, steps=steps),
            seeds=numbers,
            device=device,
            folder=None if out is None else Path(out),
            resume=resume,
            checkpoint_s=checkpoint_s,
            progress=progress,
        )
    model = closed(model)
    environment = environment_of(model, view=view, features=features)
    goal = goal_of(environment.process)
    chosen = settings or default_settings(learner, environment)
    if steps is not None:
        chosen = replace(chosen, steps=steps)
    trained_on: Environment = environment
    if chosen.penalty is not None:
        from sparing.learn.penalty import PenalisedEnvironment

        trained_on = PenalisedEnvironment(environment, chosen.penalty)
    recorder = None
    if curve:
        from sparing.learn.curve import CurveRecorder

        recorder = CurveRecorder(model, environment, masked=chosen.penalty is None)
    started = time.monotonic()
    start = _start(warm_start, environment, view, features, chosen.discount)
    network, found = train_seeds(
        trained_on,
        chosen,
        centre=goal.centre if chosen.discount in (None, 1.0) else Centre.mean,
        seeds=numbers,
        device=device,
        folder=None if out is None else Path(out),
        resume=resume,
        name=_name(model, view, environment),
        checkpoint_s=checkpoint_s,
        progress=progress,
        warm_start=start,
        watch=recorder,
    )
    seconds = time.monotonic() - started
    judged = [_judged(environment, network, goal, seed) for seed in found]
    optimum = optimum_of(goal)
    crew = _crew(model) if goal.epoch.num_states > COMPARED_STATES else None
    if not goal.fits and crew is not None and crew.optimum is not None:
        upper = min(crew.objective.upper, *(s.objective.upper for s in judged if s.objective))
        optimum = Bounds(lower=crew.optimum.lower, upper=upper)
    return TrainingResult(
        model=model,
        network=network,
        settings=chosen,
        view=view,
        seeds=tuple(judged),
        optimum=optimum,
        exact=goal.fits,
        seconds=seconds,
        crew=crew,
        curve=() if recorder is None else tuple(recorder.points),
    )


def _crew(model: Any) -> CrewResult | None:
    """Return the policies that what was learned must beat, where they fit the model."""
    from sparing.large.crew_system import CrewSystem, refused
    from sparing.large.crew_training import train_crew

    if not isinstance(model, MultiComponentProblem) or refused(model) is not None:
        return None
    return train_crew(model) if CrewSystem(model).price > 0.0 else None


def closed(model: Any) -> Any:
    """Return `model`, or the best system of a problem that leaves size or interval open."""
    if not isinstance(model, LoadSharingProblem):
        return model
    try:
        return model.system()
    except ValueError:
        from sparing.evaluate.sizing import best_size

        return best_size(model).system


def environment_of(
    model: Any, *, view: View = "sequential", features: str | None = None
) -> EpochEnvironment:
    """Return the view of `model` that a learner runs.

    Raises
    ------
    ValueError
        If the view or the features are unknown, or do not go together.
    """
    if view not in ("sequential", "flat"):
        raise ValueError(f"view must be 'sequential' or 'flat'; got {view!r}.")
    if view == "flat":
        if features not in (None, "one-hot"):
            raise ValueError("the flat view has one-hot features; give the sequential one others.")
        return flat_environment(model)
    if features is None:
        many = isinstance(model, MultiComponentProblem) and len(model.components) > FEW_COMPONENTS
        features = "typed-counts" if many and not model.spares else "one-hot"
    return sequential_environment(model, features=features)  # type: ignore[arg-type]


def default_settings(learner: str, environment: Environment) -> Settings:
    """Return the settings of a learner for a model of that size.

    Wider networks and more steps where the network sees many features.
    """
    settings = DEFAULTS[learner]
    if environment.num_features <= 48:
        return settings
    if settings.uses_rollouts:
        return replace(settings, hidden=(128, 128))
    return replace(settings, hidden=(128, 128), steps=4 * settings.steps)


def _start(
    given: Any, environment: EpochEnvironment, view: View, features: str | None, discount: Any
) -> WarmStart | None:
    """Return the values to start from: those given, or the exact ones of the model given."""
    if given is None or isinstance(given, WarmStart):
        return given
    from sparing.learn.exact_values import exact_warm_start

    model = environment_of(closed(given), view=view, features=features)
    return exact_warm_start(model, environment, discount=discount)


def _own_values(given: Any) -> WarmStart | None:
    if given is None or isinstance(given, WarmStart):
        return given
    raise ValueError(
        "hidden degradation has no table of exact values to start from; give a WarmStart of values"
        f" of your own, not an object of type {type(given).__name__}."
    )


def _name(model: Any, view: str, environment: EpochEnvironment) -> str:
    """Return what tells runs on different models apart: a digest of the epoch and its weights."""
    from sparing.exact.checkpoint import fingerprint

    process = environment.process
    key = fingerprint(process.epochs[0], dict(process.weights))
    return f"{getattr(model, 'name', type(model).__name__)} {view} {environment.num_features} {key}"


def _judged(
    environment: EpochEnvironment, network: Network, goal: Goal, trained: TrainedSeed
) -> SeedResult:
    policy = greedy_policy(environment, network, trained.parameters, as_table=goal.fits)
    samples = None
    if isinstance(policy, TablePolicy):
        found = exact_objective(goal, policy)
    elif "duration" in goal.epoch.kinds:
        found = simulated_objective(environment, network, trained.parameters, goal.discount)
    else:
        result = rolled_out(goal, policy)
        lower, upper = result.interval
        found, samples = Bounds(lower=lower, upper=upper), result.objectives
    if not np.isfinite(found.value):
        raise FloatingPointError(f"seed {trained.seed}: the training diverged.")
    return SeedResult(trained=trained, policy=policy, objective=found, samples=samples)
