"""Levels of ordering rules as `--policy` of several commands gives them."""

from __future__ import annotations

import re
from collections.abc import Sequence

NUMBERS = {"min-max": 2, "fixed-quantity": 2, "base-stock": 1, "one-for-one": 1}
_COUNTS = {1: ("a whole number", "2"), 2: ("two whole numbers", "1:3")}


def levels_of(kind: str, text: str, names: Sequence[str]) -> dict[str, list[int]]:
    """Return the numbers of a rule by location, in file order.

    Parameters
    ----------
    kind
        One of `NUMBERS`, which says how many numbers a location takes.
    text
        ``1,3`` for all locations, or by location ``central:1:3,site:0:2``, which may also be
        written ``central:1,3;site:0,2``.
    names
        The locations there are; those that the text leaves out are not in the result.

    Raises
    ------
    ValueError
        If a location is unknown or there twice, or its numbers are no levels.
    """
    given: dict[str, list[str]] = {}
    place = ""  # numbers before any name are for all locations
    for piece in re.split("[;,]", text):
        name, colon, rest = (part.strip() for part in piece.partition(":"))
        named = bool(colon) and not re.fullmatch(r"-?\d+", name)
        if named:
            place = name
            if place in given:
                raise ValueError(f"--policy {kind}: location {place!r} is there twice.")
            if place not in names:
                raise ValueError(f"--policy {kind}: unknown location {place!r}; known: {[*names]}.")
        given.setdefault(place, []).extend(rest.split(":") if named else piece.split(":"))
    if "" in given and len(given) > 1:
        raise ValueError(
            f"--policy {kind}: give numbers for all locations or by name; got {text!r}."
        )
    values = {place: _whole(kind, place or names[0], texts) for place, texts in given.items()}
    return {n: values.get(n, values.get("", [])) for n in names if n in values or "" in values}


def _whole(kind: str, place: str, texts: list[str]) -> list[int]:
    count = NUMBERS[kind]
    if len(texts) != count or not all(re.fullmatch(r"\s*-?\d+\s*", text) for text in texts):
        words, example = _COUNTS[count]
        raise ValueError(
            f"--policy {kind}: give {words} per location, such as {place}:{example}; got"
            f" {':'.join(texts)!r}."
        )
    found = [int(text) for text in texts]
    if kind == "min-max" and not found[0] < found[1]:
        raise ValueError(
            f"--policy {kind}: the least at {place!r} must be below the most; got {found[0]} and"
            f" {found[1]}."
        )
    if kind != "min-max" and found[-1] < 0:
        what = "quantity" if kind == "fixed-quantity" else "level"
        raise ValueError(f"--policy {kind}: the {what} at {place!r} must be >= 0; got {found[-1]}.")
    return found
