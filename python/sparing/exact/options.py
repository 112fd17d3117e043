"""Options of the infinite-horizon solvers, and the checks that come before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sparing._checks import is_number, is_whole
from sparing.epoch import Epoch

Criterion = Literal["average", "discounted"]
Precision = Literal["float64", "float32", "mixed"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """When to stop, and in which precision.

    Parameters
    ----------
    tol
        Wanted distance of the bounds of the objective, in the units of the costs.
    relative_tol
        Wanted distance as a share of the objective; the larger of the two is aimed at.
    max_sweeps
        Sweeps after which to stop without having converged.
    dtype
        ``"mixed"`` sweeps in float32 as far as that carries and finishes in float64.
    num_threads
        0: all processors. The result does not depend on it.
    keep_value, keep_policy
        Whether the solution holds the value tensor and the policy.
    path
        ``"auto"``, or ``"general"`` to keep the engine from taking a fast path.
    """

    tol: float = 1e-6
    relative_tol: float = 0.0
    max_sweeps: int = 100_000
    dtype: Precision = "float64"
    num_threads: int = 0
    keep_value: bool = True
    keep_policy: bool = True
    path: Literal["auto", "general"] = "auto"

    def __post_init__(self) -> None:
        for name in ("tol", "relative_tol"):
            if not is_number(getattr(self, name)):
                raise ValueError(f"{name} must be a number; got {getattr(self, name)!r}.")
        for name in ("max_sweeps", "num_threads"):
            if not is_whole(getattr(self, name)):
                raise ValueError(f"{name} must be a whole number; got {getattr(self, name)!r}.")
        if not self.tol > 0.0:
            raise ValueError(f"tol must be > 0; got {self.tol}.")
        if not self.relative_tol >= 0.0:
            raise ValueError(f"relative_tol must be >= 0; got {self.relative_tol}.")
        if not self.max_sweeps >= 1:
            raise ValueError(f"max_sweeps must be at least 1; got {self.max_sweeps}.")
        if not self.num_threads >= 0:
            raise ValueError(f"num_threads must be at least 0; got {self.num_threads}.")
        if self.dtype not in ("float64", "float32", "mixed"):
            raise ValueError(f"dtype must be float64, float32 or mixed; got {self.dtype!r}.")


def checked_weights(epoch: Epoch, weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return the weight of each kind, or raise if `weights` names a kind that does not occur."""
    if weights is None:
        return dict.fromkeys(epoch.kinds, 1.0)
    for kind, weight in weights.items():
        if kind not in epoch.kinds:
            raise ValueError(f"weights: no cost of kind {kind!r}; kinds: {list(epoch.kinds)}.")
        if not np.isfinite(weight):
            raise ValueError(f"weights: the weight of {kind!r} must be finite; got {weight}.")
    return dict(weights)


def check_criterion(epoch: Epoch, criterion: str) -> None:
    """Raise unless `criterion` fits the epoch's discount."""
    if criterion not in ("average", "discounted"):
        raise ValueError(f"criterion must be 'average' or 'discounted'; got {criterion!r}.")
    if criterion == "discounted" and not epoch.discount < 1.0:
        raise ValueError(f"a discounted solve needs a discount below 1; got {epoch.discount}.")
    if criterion == "average" and epoch.discount != 1.0:
        raise ValueError(f"an average-cost solve needs discount 1; got {epoch.discount}.")


def check_state(epoch: Epoch, state: tuple[int, ...]) -> None:
    """Raise unless `state` [axes] is a state of `epoch`, naming the axis."""
    if len(state) != len(epoch.axes):
        raise ValueError(
            f"a state has {len(epoch.axes)} numbers, one per axis"
            f" {[a.name for a in epoch.axes]}; got {state}."
        )
    for axis, index in zip(epoch.axes, state, strict=True):
        if not (isinstance(index, int | np.integer) and 0 <= index < axis.size):
            raise ValueError(
                f"state {axis.name} = {index!r} is out of range; it must be an integer from 0 to"
                f" {axis.size - 1}."
            )
