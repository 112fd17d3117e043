"""Which choice of a simpler model each choice of an environment is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.flow import Rows


def same_choices(model: EpochEnvironment, environment: EpochEnvironment) -> NDArray[np.int64]:
    """Return per point of `environment` [points, A] which choice of `model` each choice is.

    Choices are the same by their number in the model; -1 is one that `model` does not know.

    Raises
    ------
    ValueError
        If the two do not meet the same choices, naming the first that differs.
    """
    pairs = zip(_shown(model), _shown(environment), strict=False)
    for number, ((label, axes, _), (name, live, _)) in enumerate(pairs):
        if (label, axes) != (name, live):
            raise ValueError(
                f"the model to start from must have the same choices on the same axes; choice"
                f" {number} is {label!r} on {_words(axes)} there, {name!r} on {_words(live)} here."
            )
    if len(model.points) != len(environment.points):
        raise ValueError(
            "the model to start from must have the same choices on the same axes; it has"
            f" {len(model.points)}, here are {len(environment.points)}."
        )
    columns = np.full((len(environment.points), environment.num_actions), -1)
    for row, (_, _, there), (_, _, here) in zip(
        columns, _shown(model), _shown(environment), strict=True
    ):
        if model.view == "flat" and there != here:  # a joint action has no number of its own
            raise ValueError("in the flat view the model to start from must have the same actions.")
        row[: len(here)] = [there.index(number) if number in there else -1 for number in here]
    return columns


def _shown(environment: EpochEnvironment) -> list[tuple[str, list[tuple[str, int]], list[int]]]:
    """Return label, axes and numbers of the choices of each point."""
    flow = environment.interpreter.flow
    names = {slot: name for name, slot in flow.slots.items()}
    found = []
    for point in environment.points:
        step = flow.code[point.pc]
        numbers = [*range(point.num_actions)]
        if isinstance(step, Rows) and step.choices is not None:
            numbers = step.choices.tolist()
        found.append((point.label, [(names[p.slot], p.size) for p in point.live], numbers))
    return found


def _words(axes: list[tuple[str, int]]) -> str:
    return ", ".join(f"{name} ({size} states)" for name, size in axes)
