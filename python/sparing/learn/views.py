"""Which view of a model a learner runs, and the settings that suit its size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from sparing.learn.environment import Environment
from sparing.learn.epoch_environment import (
    EpochEnvironment,
    flat_environment,
    sequential_environment,
)
from sparing.learn.settings import DEFAULTS, Settings
from sparing.models.load_sharing import LoadSharingProblem
from sparing.models.multi_component import MultiComponentProblem

View = Literal["sequential", "flat"]
FEW_COMPONENTS = 5  # beyond these a network sees counts per type in place of every component
FEW_FEATURES = 48  # beyond these networks are wider and trained for longer


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
    if environment.num_features <= FEW_FEATURES:
        return settings
    if settings.uses_rollouts:
        return replace(settings, hidden=(128, 128))
    return replace(settings, hidden=(128, 128), steps=4 * settings.steps)
