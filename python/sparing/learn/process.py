"""What is learned: the epochs of a model, the weights of its objective and where it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparing.epoch import Epoch
from sparing.stages import check_states, kind_weights

DURATION = "duration"


@dataclass(frozen=True, kw_only=True, eq=False)
class Process:
    """A model as learners need it.

    Attributes
    ----------
    epochs
        The epoch that repeats, or one per period of a finite horizon.
    weights
        Weight of every kind of cost in the objective.
    initial
        The state [axes] at the start.
    finite
        Whether the last of `epochs` ends the episode.
    model
        What it was made of.
    """

    epochs: tuple[Epoch, ...]
    weights: Mapping[str, float]
    initial: tuple[int, ...]
    finite: bool
    model: object

    @property
    def has_duration(self) -> bool:
        """Whether epochs last unequally long, by costs of kind "duration"."""
        return any(DURATION in epoch.kinds for epoch in self.epochs)


def process_of(
    model: Any,
    weights: Mapping[str, float] | None = None,
    initial: Sequence[int] | None = None,
) -> Process:
    """Return `model` as a process.

    Parameters
    ----------
    model
        A problem with an `epoch`, `weights` and an `initial_state`; an `Epoch` that repeats; or
        the epochs of a finite horizon, one per period.
    weights
        Weight per kind of cost, default the problem's own; of an epoch 1 each but the duration.
    initial
        The state [axes] at the start; default the problem's own, or all zeros.

    Raises
    ------
    ValueError
        If the model is of another kind, or a state or weight does not fit.
    """
    if isinstance(model, Epoch) or (isinstance(model, Sequence) and not isinstance(model, str)):
        epochs = (model,) if isinstance(model, Epoch) else tuple(model)
    else:
        inner = model.system() if hasattr(model, "system") else model
        if not all(hasattr(inner, name) for name in ("epoch", "weights", "initial_state")):
            raise ValueError(
                "the model must be a problem with an epoch, an Epoch, or epochs, one per period;"
                f" got {type(model).__name__}."
            )
        epochs, model = (inner.epoch,), inner
        weights = inner.weights if weights is None else weights
        initial = inner.initial_state if initial is None else initial
    if not epochs or not all(isinstance(epoch, Epoch) for epoch in epochs):
        raise ValueError("a finite horizon needs one Epoch per period; got something else.")
    kinds = tuple(dict.fromkeys(kind for epoch in epochs for kind in epoch.kinds))
    if weights is None:
        named = {kind: float(kind != DURATION) for kind in kinds}
    else:
        named = kind_weights(kinds, {k: w for k, w in weights.items() if k in kinds or w})
    axes = epochs[0].axes
    start = check_states(np.zeros(len(axes), int) if initial is None else [*initial], axes)
    finite = not isinstance(model, Epoch) and isinstance(model, Sequence)
    _check_chain(epochs, finite)
    return Process(
        epochs=epochs,
        weights=named,
        initial=tuple(int(x) for x in start),
        finite=finite,
        model=model,
    )


def _check_chain(epochs: tuple[Epoch, ...], finite: bool) -> None:
    """Raise unless each epoch ends on the axes of the next one."""
    following = epochs[1:] if finite else (*epochs[1:], epochs[0])
    for period, (epoch, after) in enumerate(zip(epochs, following, strict=False)):
        ends = [(axis.name, axis.size) for axis in epoch.end_axes]
        starts = [(axis.name, axis.size) for axis in after.axes]
        if ends != starts:
            raise ValueError(
                f"period {period}: the epoch ends on {ends}, the next one starts on {starts};"
                " they must be the same."
            )
