"""What an exact solve returns: a policy, bounds of the optimum, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.epoch import Epoch
from sparing.policies import TablePolicy


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """A policy, with ``lower <= optimal objective <= objective of the policy <= upper``.

    Parameters
    ----------
    epoch
        The epoch that was solved.
    criterion
        ``"average"`` (objective: gain per epoch) or ``"discounted"`` (value of `initial`).
    lower, upper
        Certified bounds of the objective; minimised, in the units of the weighted costs.
    initial
        The state [axes] whose value is the objective.
    posts
        Per stage the greedy post-decision state [states at its start].
    value
        Shape of the epoch. Average: relative values. Discounted: the middle of the bounds of
        each state's value, which are ``value -+ value_slack``. None if it was not kept.
    num_sweeps, seconds, converged, message
        How it ended. The bounds hold whether it converged or not.
    path
        The engine's path that swept it.
    """

    epoch: Epoch
    criterion: str
    lower: float
    upper: float
    initial: tuple[int, ...]
    posts: tuple[NDArray[np.uint32], ...]
    value: NDArray[Any] | None
    value_slack: float
    num_sweeps: int
    seconds: float
    converged: bool
    message: str
    dtype: str
    path: str

    @property
    def policy(self) -> TablePolicy:
        """The greedy policy, which the bounds are those of too."""
        return TablePolicy(self.epoch, self.posts)

    @property
    def objective(self) -> float:
        """The middle of the bounds."""
        return (self.lower + self.upper) / 2.0

    @property
    def gap(self) -> float:
        """Distance of the bounds."""
        return self.upper - self.lower

    def __str__(self) -> str:
        """Objective and certificate in a few lines."""
        what = "gain per epoch" if self.criterion == "average" else f"value of {self.initial}"
        state = "converged" if self.converged else "NOT converged"
        return (
            f"{what}: {self.objective:.9g}  [{self.lower:.9g}, {self.upper:.9g}]\n"
            f"{state} after {self.num_sweeps} sweeps of {self.epoch.num_states:,} states in"
            f" {self.seconds:.2f} s ({self.path} path, {self.dtype}). {self.message}"
        )
