"""Cells of records, read strictly: each error names file, line and field."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sparing.records.tables import TextTable, column_key, column_places, is_missing


def field_places(
    table: TextTable, name: str, fields: Sequence[str], *, needed: int, kind: str
) -> dict[str, int]:
    """Return the column of each of `fields` that the table from `name` has.

    Raises
    ------
    ValueError
        If one of the first `needed` is absent, or two columns have the same name.
    """
    try:
        at = column_places(table.header)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    for field in fields[:needed]:
        if column_key(field) not in at:
            optional = fields[needed:]
            may = f", of which {' and '.join(optional)} may be left out" if optional else ""
            raise ValueError(
                f"{name}: has no column {field!r}; {kind} records have the columns"
                f" {', '.join(fields)}{may}."
            )
    return {field: at[column_key(field)] for field in fields if column_key(field) in at}


def check_component(component: str, place: str, components: Sequence[str] | None) -> None:
    """Raise ValueError if a component is not among those there may be (None: any)."""
    if components is not None and component not in components:
        near = difflib.get_close_matches(component, components, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(components)}."
        raise ValueError(f"{place}: unknown component {component!r}; {hint}")


def number_of(cell: str, place: str, least: float, most: float) -> float:
    """Return the number in a cell, NaN if it is empty; ValueError if it is out of range."""
    if is_missing(cell):
        return float("nan")
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"{place}: must be a number; got {cell!r}.") from None
    if not least <= value <= most:
        raise ValueError(f"{place}: must be from {least:g} to {most:g}; got {value:g}.")
    return value
