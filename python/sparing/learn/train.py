"""Train a policy on a model, evaluate it, and state its distance to the optimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sparing.learn.result import TrainingResult
from sparing.learn.run_records import CHECKPOINT_S, RunOptions, TrainingHook
from sparing.learn.settings import LEARNERS, Settings
from sparing.learn.views import View, closed, default_settings, environment_of
from sparing.models.hidden import HiddenProblem
from sparing.models.spares_network import SparesNetwork


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
        `sparing.learn.warm_start.WarmStart` of values of one's own (on hidden degradation and
        spares networks that alone).
    device
        Such as "cpu" or "gpu"; default JAX's own.
    out, resume, checkpoint_s
        Where the state of the training is saved, and whether it goes on from there, to the
        identical result.
    progress
        Called with a `sparing.learn.run_records.TrainingProgress` now and then.
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
    options = RunOptions(
        seeds=tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds),
        device=device,
        folder=None if out is None else Path(out),
        resume=resume,
        checkpoint_s=checkpoint_s,
        progress=progress,
    )
    if isinstance(model, HiddenProblem):
        from sparing.learn.belief_training import belief_settings, train_on_beliefs

        _check_one_view("hidden degradation", view, features, curve)
        chosen = settings or _with_steps(belief_settings(learner, model), steps)
        return train_on_beliefs(model, chosen, options, warm_start=warm_start)
    if isinstance(model, SparesNetwork):
        from sparing.learn.network_training import network_settings, train_on_network

        _check_one_view("a spares network", view, features, curve)
        chosen = settings or _with_steps(network_settings(learner), steps)
        return train_on_network(model, chosen, options, warm_start=warm_start)
    from sparing.learn.epoch_training import train_on_epochs
    from sparing.learn.exact_values import start_from

    model = closed(model)
    environment = environment_of(model, view=view, features=features)
    chosen = settings or _with_steps(default_settings(learner, environment), steps)
    start = start_from(warm_start, environment, features=features, discount=chosen.discount)
    return train_on_epochs(model, environment, chosen, options, warm_start=start, curve=curve)


def _with_steps(settings: Settings, steps: int | None) -> Settings:
    return settings if steps is None else replace(settings, steps=steps)


def _check_one_view(kind: str, view: str, features: str | None, curve: bool) -> None:
    if curve:
        raise ValueError("curves are of multi-component systems without stocked spares.")
    if view != "sequential" or features is not None:
        raise ValueError(
            f"{kind} has one view (sequential) and one kind of features; leave view and features"
            " out."
        )
