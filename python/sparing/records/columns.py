"""Columns of a record table as arrays; what does not parse goes to the list of problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparing.records.problems import ProblemLog
from sparing.records.tables import TextTable, column_key, column_places, is_missing, read_table

DAY_S = 86_400.0


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordColumns:
    """A table by columns; asking for one notes what is wrong with its cells."""

    file: str
    table: TextTable
    log: ProblemLog

    def __len__(self) -> int:
        return len(self.table.rows)

    def has(self, name: str) -> bool:
        """Return whether the table has this column."""
        return column_key(name) in self._places

    def text(self, name: str) -> list[str]:
        """Return the cells of a column that must not be empty; all empty where it is absent."""
        cells = self.cells(name)
        for line, cell in zip(self.table.lines, cells, strict=True):
            if is_missing(cell):
                self.log.add(self.file, line, name, "is empty; every record needs it")
        return cells

    def number(
        self, name: str, *, low: float = -np.inf, missing: bool = False
    ) -> NDArray[np.float64]:
        """Return a column of finite numbers >= `low`; NaN where `missing` ones may be."""
        found = np.full(len(self), np.nan)
        for i, (line, cell) in enumerate(zip(self.table.lines, self.cells(name), strict=True)):
            if is_missing(cell):
                if not missing:
                    self.log.add(self.file, line, name, "is empty; every record needs it")
                continue
            try:
                value = float(cell)
            except ValueError:
                value = np.nan
            if np.isfinite(value) and value >= low:
                found[i] = value
            else:
                rule = "a number" if low == -np.inf else f"a number >= {low:g}"
                self.log.add(self.file, line, name, f"must be {rule}; got {cell!r}")
        return found

    def time(self, name: str) -> NDArray[np.float64]:
        """Return a column of times: numbers as they are, dates as days since 1970."""
        cells = self.cells(name)
        if any("-" in cell[1:] and "e-" not in cell.lower() for cell in cells):
            return self._dates(name, cells)
        return self.number(name)

    def date(self, name: str, *, missing: bool = False) -> NDArray[np.float64]:
        """Return a column of dates as days since 1970; NaN where `missing` ones may be."""
        return self._dates(name, self.cells(name), missing=missing)

    def _dates(
        self, name: str, cells: Sequence[str], *, missing: bool = False
    ) -> NDArray[np.float64]:
        found = np.full(len(self), np.nan)
        for i, (line, cell) in enumerate(zip(self.table.lines, cells, strict=True)):
            if missing and is_missing(cell):
                continue
            try:
                moment = datetime.fromisoformat(cell)
            except ValueError:
                self.log.add(self.file, line, name, f"must be a date like 2026-03-31; got {cell!r}")
                continue
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            found[i] = moment.timestamp() / DAY_S
        return found

    def cells(self, name: str) -> list[str]:
        """Return the cells of a column as they are; empty where it is absent."""
        at = self._places.get(column_key(name))
        return ["" if at is None else row[at] for row in self.table.rows]

    @property
    def _places(self) -> dict[str, int]:
        return column_places(self.table.header)


def read_columns(path: Path, names: Sequence[str], log: ProblemLog) -> RecordColumns | None:
    """Read a table that must have the columns `names`; None, with the problem noted, if not."""
    columns = read_any_columns(path, log)
    return columns if columns is not None and has_columns(columns, names) else None


def read_any_columns(path: Path, log: ProblemLog) -> RecordColumns | None:
    """Read a table whatever its columns are; None, with the problem noted, if it is none."""
    try:
        table = read_table(path)
        column_places(table.header)  # raises where two are alike
    except (OSError, ValueError) as error:
        log.add(path.name, 0, "", str(error).removeprefix(f"{path}: "))
        return None
    return RecordColumns(file=path.name, table=table, log=log)


def has_columns(columns: RecordColumns, names: Sequence[str]) -> bool:
    """Return whether a table has the columns `names`; those it has not are noted."""
    absent = [name for name in names if not columns.has(name)]
    header = ", ".join(columns.table.header)
    for name in absent:
        columns.log.add(columns.file, 1, name, f"is no column of this file; it has {header}")
    return not absent
