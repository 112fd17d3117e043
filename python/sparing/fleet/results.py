"""What a run over a fleet has found, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class FleetRows:
    """Rows of a fleet's members, in the order given.

    Parameters
    ----------
    rows
        One per member; `error` is empty where there was none.
    num_resumed
        Rows that were taken over from an earlier run.
    seconds
        Wall-clock time of this run.
    """

    rows: tuple[Mapping[str, Any], ...]
    num_resumed: int
    seconds: float

    @property
    def failed(self) -> tuple[Mapping[str, Any], ...]:
        """The rows with an error."""
        return tuple(row for row in self.rows if row["error"])
