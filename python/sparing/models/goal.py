"""Goals of an objective, in the manner of goal programming."""

from __future__ import annotations

from dataclasses import dataclass

from sparing._checks import check_number


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One criterion of the objective, in the manner of goal programming (eq. 21-23).

    Parameters
    ----------
    weight
        Its weight, at least 0.
    goal
        The aspired level per inspection; it shifts the objective by a constant.
    scale
        What a deviation is divided by; default the goal (1 if the goal is 0).
    at_least, at_most
        Hard limits of the long-run average, met by a multiplier.
    """

    weight: float = 1.0
    goal: float = 0.0
    scale: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        check_number("weight", self.weight, at_least=0.0)
        check_number("goal", self.goal)
        if self.scale is not None and not check_number("scale", self.scale) > 0.0:
            raise ValueError(f"scale must be > 0; got {self.scale}.")
        for name, limit in (("at_least", self.at_least), ("at_most", self.at_most)):
            if limit is not None:
                check_number(name, limit)
        if None not in (self.at_least, self.at_most) and self.at_least > self.at_most:  # type: ignore[operator]
            raise ValueError(
                f"at_least must not be above at_most; got {self.at_least} and {self.at_most}."
            )

    @property
    def divisor(self) -> float:
        """What a deviation is divided by."""
        return self.scale if self.scale is not None else abs(self.goal) or 1.0
