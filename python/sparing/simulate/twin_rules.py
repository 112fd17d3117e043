"""Rules that order spares in a twin: at reviews, or one for one at each failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from sparing._checks import Frozen
from sparing.records.failures import FailureRecord

Levels: TypeAlias = Mapping[str, int] | Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, kw_only=True)
class Review:
    """What a rule sees of one part at a review; lists run over the locations in file order.

    Attributes
    ----------
    net
        On hand less failures that wait.
    position
        Net and on order, less what is owed to locations below.
    available
        What the location could ship now: 0 while it is closed.
    ordered, age
        The order under way, and the reviews since it was placed; 0 and 0 if there is none.
    age_bins
        Of the sites' oldest units, where the case counts them; else 0.
    failures, exposure
        What a belief of the exact model has seen: counts up to `truncate`, and the exposure that
        the case states.
    seen_failures, seen_exposure
        What the records say: every failure, and the exposure in service.
    records
        Returns the records of all parts before this review, with the climate of each.
    """

    period: int
    part: str
    part_index: int
    locations: tuple[str, ...]
    net: tuple[int, ...]
    position: tuple[int, ...]
    available: tuple[int, ...]
    ordered: tuple[int, ...]
    age: tuple[int, ...]
    age_bins: tuple[int, ...]
    failures: int
    exposure: float
    seen_failures: int
    seen_exposure: float
    records: Callable[[], Sequence[FailureRecord]] = field(default=tuple, compare=False)


class OrderRule(Protocol):
    """Decides what to order."""

    def orders(self, review: Review) -> Mapping[str, int]:
        """Return the quantities to order, by location; those left out order nothing."""

    def base_stock(self, part: str, location: str) -> int | None:
        """Return the position up to which `location` orders at each demand; None: at reviews."""


@runtime_checkable
class HasLevels(Protocol):
    """A rule with a stock that each location is filled up to."""

    def full_stock(self, part: str, location: str) -> int | None:
        """Return that stock; None where the rule has none."""


def full_stock(rule: OrderRule, part: str, location: str) -> int | None:
    """Return the stock that `rule` fills a location up to, or None."""
    return rule.full_stock(part, location) if isinstance(rule, HasLevels) else None


class _AtReviews:
    def base_stock(self, part: str, location: str) -> int | None:
        return None


@dataclass(frozen=True, eq=False)
class MinMax(_AtReviews, Frozen):
    """Min-max: at a review with a position of `least` or less, order up to `most`.

    Parameters
    ----------
    least, most
        Per location, or per part and location.
    """

    least: Levels
    most: Levels

    def orders(self, review: Review) -> Mapping[str, int]:
        """Return what is missing to `most` where the position is at `least` or below."""
        least, most = _of_part(self.least, review.part), _of_part(self.most, review.part)
        return {
            name: most[name] - position
            for name, position in zip(review.locations, review.position, strict=True)
            if name in least and position <= least[name] and most[name] > position
        }

    def full_stock(self, part: str, location: str) -> int | None:
        """Return the location's maximum, if it has one."""
        return _of_part(self.most, part).get(location)


@dataclass(frozen=True, eq=False)
class FixedQuantity(_AtReviews, Frozen):
    """Fixed order quantity: at a review with a position of `least` or less, order `quantity`."""

    least: Levels
    quantity: Levels

    def orders(self, review: Review) -> Mapping[str, int]:
        """Return `quantity` where the position is at `least` or below."""
        least = _of_part(self.least, review.part)
        quantity = _of_part(self.quantity, review.part)
        return {
            name: quantity[name]
            for name, position in zip(review.locations, review.position, strict=True)
            if name in least and position <= least[name]
        }

    def full_stock(self, part: str, location: str) -> int | None:
        """Return minimum and quantity together, the position behind an order."""
        least, quantity = _of_part(self.least, part), _of_part(self.quantity, part)
        return least[location] + quantity[location] if location in least else None


@dataclass(frozen=True, eq=False)
class OneForOne(Frozen):
    """Base stock, one for one: each demand is ordered as it comes, so the position stays.

    Where the position is above the level, as at the start it may be, demand brings it down first.

    Parameters
    ----------
    levels
        Base stocks, per location or per part and location; what the position lacks at a review
        (at the start, or as storage was full) is ordered there.
    """

    levels: Levels

    def orders(self, review: Review) -> Mapping[str, int]:
        """Return what the position lacks of the level."""
        levels = _of_part(self.levels, review.part)
        return {
            name: levels[name] - position
            for name, position in zip(review.locations, review.position, strict=True)
            if name in levels and levels[name] > position
        }

    def base_stock(self, part: str, location: str) -> int | None:
        """Return the location's level, if it has one."""
        return _of_part(self.levels, part).get(location)

    def full_stock(self, part: str, location: str) -> int | None:
        """Return the location's level, if it has one."""
        return self.base_stock(part, location)


@dataclass(frozen=True, eq=False)
class CallbackRule(_AtReviews):
    """A function of the review that returns quantities by location."""

    function: Callable[[Review], Mapping[str, int]]

    def orders(self, review: Review) -> Mapping[str, int]:
        """Return what the function does."""
        return self.function(review)


def _of_part(levels: Levels, part: str) -> Mapping[str, int]:
    own = levels.get(part)
    return own if isinstance(own, Mapping) else levels  # type: ignore[return-value]
