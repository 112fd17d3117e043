"""What a solve per unit of time returns."""

from __future__ import annotations

from dataclasses import dataclass

from sparing.exact.solution import Solution


@dataclass(frozen=True, kw_only=True, eq=False)
class SemiMarkovSolution(Solution):
    """A `Solution` whose objective is a cost per unit of time.

    Attributes
    ----------
    value
        Relative values of cost - g duration, with g in the middle of the bounds.
    num_gains
        How many gains g were tried.
    shortest, longest
        Bounds on the expected duration of an epoch, over all states and actions.
    """

    num_gains: int
    shortest: float
    longest: float

    def __str__(self) -> str:
        """Objective and certificate in a few lines."""
        state = "converged" if self.converged else "NOT converged"
        return (
            f"cost per unit of time: {self.objective:.9g}  [{self.lower:.9g}, {self.upper:.9g}]\n"
            f"{state} after {self.num_sweeps} sweeps at {self.num_gains} gains of"
            f" {self.epoch.num_states:,} states in {self.seconds:.2f} s. {self.message}"
        )
