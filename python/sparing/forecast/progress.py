"""How far a forecast has come, for those who wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Share: TypeAlias = Callable[[float], None]  # takes the share done of a piece of work, 0 to 1


@dataclass(frozen=True, kw_only=True)
class ForecastProgress:
    """One report: `done` of `total` units of work; a unit is one series fitted by one model."""

    stage: str
    done: float
    total: float


ForecastHook: TypeAlias = Callable[[ForecastProgress], None]


class Meter:
    """Adds up the work of the pieces that follow one another.

    Parameters
    ----------
    hook
        Called with every report, in the thread that computes.
    total
        All the work there will be [units].
    """

    def __init__(self, hook: ForecastHook | None = None, total: float = 0.0) -> None:
        self._hook, self._total, self._done = hook, total, 0.0

    def part(self, stage: str, amount: float) -> Share:
        """Begin the next piece, of `amount` units; return what to call with its share done."""
        start = self._done
        self._done += amount

        def report(share: float) -> None:
            if self._hook is not None:
                total = max(self._total, self._done)
                self._hook(ForecastProgress(stage=stage, done=start + share * amount, total=total))

        report(0.0)
        return report


def unheard(share: float) -> None:
    """Report to nobody."""


def within(report: Share, first: float, last: float) -> Share:
    """Return a report of what takes the share of `report` from `first` to `last`."""
    return lambda share: report(first + (last - first) * share)
