"""Checks of a spares network as a whole: the tree, the parts, the periods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sparing.models.network_location import EXTERNAL, Location

if TYPE_CHECKING:
    from sparing.models.spares_network import Part


def checked_locations(locations: Sequence[Any]) -> tuple[Location, ...]:
    """Return `locations`, or raise unless they form trees below the external supplier.

    Raises
    ------
    ValueError
        Naming the location: an unknown supplier, a cycle, a name used twice, or no site at all.
    """
    if not locations:
        raise ValueError("[[location]] is missing: a network needs at least one site.")
    for location in locations:
        if not isinstance(location, Location):
            raise ValueError(f"locations must be Location objects; got {location!r}.")
    names = [location.name for location in locations]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"location {name!r} is given twice.")
        for ending in (" ordered", " age"):
            if name + ending in names:
                raise ValueError(f"location {name + ending!r} must have another name.")
    supplier_of = {location.name: location.supplier for location in locations}
    for name, supplier in supplier_of.items():
        if supplier != EXTERNAL and supplier not in names:
            raise ValueError(
                f"location {name!r}: unknown supplier {supplier!r}; known: {EXTERNAL},"
                f" {', '.join(names)}."
            )
    for name in names:
        _check_reaches_external(name, supplier_of)
    if not any(location.is_site for location in locations):
        raise ValueError("no location has an exposure: a network needs at least one site.")
    return tuple(locations)


def _check_reaches_external(name: str, supplier_of: dict[str, str]) -> None:
    way = [name]
    while supplier_of[way[-1]] != EXTERNAL:
        way.append(supplier_of[way[-1]])
        if way[-1] in way[:-1]:
            circle = way[way.index(way[-1]) :]
            raise ValueError(
                f"location {circle[0]!r} supplies itself: {' <- '.join(circle)}; suppliers must"
                f" form a tree below {EXTERNAL!r}."
            )


def checked_parts(parts: Sequence[Any], periods: int) -> tuple[Part, ...]:
    """Return `parts`, or raise unless they share one tree and their exposures fit the periods."""
    from sparing.models.spares_network import Part

    if isinstance(parts, str) or not isinstance(parts, Sequence) or not parts:
        raise ValueError(f"parts must be a list of one part or more; got {parts!r}.")
    for part in parts:
        if not isinstance(part, Part):
            raise ValueError(f"parts must be Part objects; got {part!r}.")
        if [other.name for other in parts].count(part.name) > 1:
            raise ValueError(f"part {part.name!r} is given twice.")
        if _tree(part) != _tree(parts[0]):
            raise ValueError(
                f"part {part.name!r} must have the locations and suppliers of part"
                f" {parts[0].name!r}."
            )
        for location in part.locations:
            place = f"part {part.name!r}: " if len(parts) > 1 else ""
            _check_exposure(place, location, periods)
    return tuple(parts)


def _tree(part: Part) -> list[tuple[str, str, float | None]]:
    return [(x.name, x.supplier, x.volume_limit) for x in part.locations]


def _check_exposure(place: str, location: Location, periods: int) -> None:
    if isinstance(location.exposure, tuple) and len(location.exposure) != periods:
        raise ValueError(
            f"{place}location {location.name!r}: exposure must have one number per period,"
            f" {periods}; got {len(location.exposure)}."
        )
