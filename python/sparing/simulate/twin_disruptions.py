"""What can go wrong in a twin for a while: bursts of failures, late orders, a closed location."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sparing._checks import check_number


@dataclass(frozen=True, kw_only=True)
class Disruption:
    """One thing that goes wrong between two hours.

    Parameters
    ----------
    kind
        "burst": hazards are multiplied by `factor`. "delay": lead times of orders shipped
        meanwhile are. "closed": nothing leaves these locations.
    first_hour, last_hour
        When it begins and ends.
    factor
        Of bursts and delays.
    locations
        Where; empty: everywhere (a delay is that of orders to these).
    stock_lost
        Whether what a closed location has on hand is lost as it closes.
    """

    kind: Literal["burst", "delay", "closed"]
    first_hour: float
    last_hour: float
    factor: float = 1.0
    locations: tuple[str, ...] = ()
    stock_lost: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("burst", "delay", "closed"):
            raise ValueError(f"kind must be burst, delay or closed; got {self.kind!r}.")
        check_number("first_hour", self.first_hour, at_least=0.0)
        if not check_number("last_hour", self.last_hour) > self.first_hour:
            raise ValueError(
                f"last_hour must be above first_hour, {self.first_hour:g}; got {self.last_hour:g}."
            )
        check_number("factor", self.factor, at_least=0.0)
        object.__setattr__(self, "locations", tuple(self.locations))
        if self.kind == "closed" and not self.locations:
            raise ValueError("closed: name the locations that are; got none.")

    def check(self, locations: Sequence[str], sites: Sequence[str]) -> None:
        """Raise if it names a location that is not there, or where it can do nothing."""
        known = sites if self.kind == "burst" else locations
        for name in self.locations:
            if name not in known:
                what = "site" if self.kind == "burst" else "location"
                raise ValueError(
                    f"{self.kind}: unknown {what} {name!r}; known: {', '.join(known)}."
                )

    def concerns(self, location: str) -> bool:
        """Whether it happens at `location`."""
        return not self.locations or location in self.locations

    def lasts(self, hour: float) -> bool:
        """Whether it goes on at that hour."""
        return self.first_hour <= hour < self.last_hour
