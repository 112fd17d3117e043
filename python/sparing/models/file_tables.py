"""Readers of the tables of a case file, with messages that name the place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

Table = Mapping[str, Any]


def section(table: Table, key: str) -> Table:
    """Return the table under `key`, or raise if there is none."""
    section = table.get(key)
    if not isinstance(section, dict):
        raise ValueError(f"[{key}] is missing.")
    return section


def check_keys(table: Table, known: Collection[str], place: str) -> None:
    """Raise if `table` has a key that is not `known`."""
    for key in table:
        if key not in known:
            raise ValueError(f"{place}: unknown key {key!r}; known: {', '.join(sorted(known))}.")


def text(table: Table, key: str, place: str) -> str:
    """Return the text under `key`, or raise if there is none."""
    value = table.get(key)
    if not isinstance(value, str) or not value:
        found = "is missing" if value is None else f"must be a text; got {value!r}"
        raise ValueError(f"{place}: {key} {found}.")
    return value


def flag(table: Table, key: str, place: str) -> bool:
    """Return true or false under `key`; false if there is none."""
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{place}: {key} must be true or false; got {value!r}.")
    return value


def matrix(table: Table, key: str, place: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the rows of numbers under `key`, all equally long."""
    rows = table.get(key)
    if rows is None:
        raise ValueError(f"{place}: {key} is missing.")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        raise ValueError(f"{place}: {key} must be a list of one row or more.")
    lengths = {len(row) for row in rows}
    if len(lengths) != 1:
        raise ValueError(f"{place}: the rows of {key} differ in length: {sorted(lengths)}.")
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{place}: {key}[{i}][{j}] must be a number; got {value!r}.")
    return np.array(rows, dtype=np.float64)
