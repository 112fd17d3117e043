"""Wide tables of demand: one line a part, one column a period, perhaps a price."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparing._files import write_atomically
from sparing.records.panel import DemandPanel
from sparing.records.tables import TextTable, is_missing, read_table


def read_demand(path: str | Path) -> DemandPanel:
    """Read a table of demand: part, perhaps its price, one column a period, oldest first.

    CSV or Parquet. The second column is the price when its name begins with "price". Empty cells
    and NA are missing values.

    Raises
    ------
    ValueError
        If a cell is no number, a part is there twice, demand is negative, or a part has no value
        at all; the message names file, line and column.
    """
    return panel_of(read_table(path), str(path))


def panel_of(table: TextTable, name: str) -> DemandPanel:
    """Return the panel of a table read from `name`."""
    first = 2 if len(table.header) > 1 and table.header[1].lower().startswith("price") else 1
    if len(table.header) <= first:
        raise ValueError(f"{name}: has no column of demand; give one a period, oldest first.")
    if not table.rows:
        raise ValueError(f"{name}: has no part; give one line each.")
    demand = np.array([_numbers(table, name, i, first) for i in range(len(table.rows))])
    price = None
    if first == 2:
        price = np.array([_number(table, name, i, 1) for i in range(len(table.rows))])
        for i in np.flatnonzero(np.isnan(price))[:1]:
            raise ValueError(
                f"{name}, line {table.lines[i]}: the price is missing; give one for every part, or"
                " leave the column out."
            )
    try:
        return DemandPanel(
            parts=tuple(row[0] for row in table.rows),
            periods=table.header[first:],
            demand=demand,
            price=price,
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def write_demand(panel: DemandPanel, path: str | Path) -> None:
    """Write `panel` as a CSV file that reads back to the same."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["part", *([] if panel.price is None else ["Price"]), *panel.periods])
    for i, part in enumerate(panel.parts):
        price = [] if panel.price is None else [f"{panel.price[i]:.12g}"]
        cells = ["" if np.isnan(value) else f"{value:.12g}" for value in panel.demand[i]]
        writer.writerow([part, *price, *cells])
    write_atomically(Path(path), text.getvalue())


def _numbers(table: TextTable, name: str, row: int, first: int) -> NDArray[np.float64]:
    cells = table.rows[row][first:]
    try:
        return np.array([np.nan if is_missing(cell) else float(cell) for cell in cells])
    except ValueError:
        for column in range(first, len(table.header)):
            _number(table, name, row, column)
        raise


def _number(table: TextTable, name: str, row: int, column: int) -> float:
    cell = table.rows[row][column]
    try:
        return np.nan if is_missing(cell) else float(cell)
    except ValueError:
        raise ValueError(
            f"{name}, line {table.lines[row]}, column {table.header[column]!r}: must be a number or"
            f" empty; got {cell!r}."
        ) from None
