"""Tables of text from CSV or Parquet files, with errors that name file, line and column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MISSING = frozenset({"", "na", "nan", "n/a", "null", "none", "nat"})
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # no text holds these: a damaged file


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """The cells of a file as text; row i stands in line `lines[i]`."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]


def read_table(path: str | Path) -> TextTable:
    """Read a CSV file, or a Parquet file by its name.

    Raises
    ------
    ValueError
        If it is empty, not a text file, cut off within a quoted field, or a line has too many or
        too few fields.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            text = file.read()
        _check_text(path, text)
        return _table_of(path, text)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path}: is no CSV file in UTF-8 ({error}); save it as one, not compressed."
        ) from None


def _table_of(path: Path, text: str) -> TextTable:
    header: tuple[str, ...] = ()
    rows, lines, known = list[tuple[str, ...]](), list[int](), dict[str, str]()
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    for row in reader:
        cells = tuple([known.setdefault(cell, cell) for cell in map(str.strip, row)])
        if not any(cells):
            continue
        if not header:
            _check_separator(path, cells)
            header = _header(path, cells)
            continue
        if len(cells) != len(header):
            raise ValueError(
                f"{path}, line {reader.line_num}: must have {len(header)} fields like the header;"
                f" got {len(cells)}."
            )
        rows.append(cells)  # equal cells are one text: records repeat names and dates
        lines.append(reader.line_num)
    if not header:
        raise ValueError(f"{path}: is empty; give a header line and one line a part or record.")
    return TextTable(header=header, rows=tuple(rows), lines=tuple(lines))


def is_missing(cell: str) -> bool:
    """Return whether `cell` stands for a missing value."""
    return cell.lower() in MISSING


def column_key(name: str) -> str:
    """Return what a column is known by: its letters and digits, small."""
    return "".join(c for c in name.lower() if c.isalnum())


def column_places(header: Sequence[str]) -> dict[str, int]:
    """Return where each column stands, by its key; ValueError if two columns have one key."""
    places = dict[str, int]()
    for place, name in enumerate(header):
        key = column_key(name)
        if key and key in places:
            raise ValueError(
                f"columns {header[places[key]]!r} and {name!r} have the same name; keep one."
            )
        places[key] = place
    return places


def _check_text(path: Path, text: str) -> None:
    found = CONTROL.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise ValueError(
            f"{path}, line {line}: holds the character {found[0]!r}, which no text has; the file is"
            " damaged or no CSV file: export it anew."
        )


def _check_separator(path: Path, cells: Sequence[str]) -> None:
    """Raise where a header of one field shows that something else than commas separates."""
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(cells) == 1 and mark in cells[0]:
            raise ValueError(
                f"{path}: its fields are separated by {name}; save it with commas between them,"
                " and points in numbers."
            )


def _header(path: Path, cells: Sequence[str]) -> tuple[str, ...]:
    header = tuple(str(cell).strip() for cell in cells)
    for name in header:
        if header.count(name) > 1:
            raise ValueError(f"{path}: column {name!r} is there twice.")
    return header


def _read_parquet(path: Path) -> TextTable:
    from pyarrow import parquet
    from pyarrow.lib import ArrowException

    if path.is_dir():
        raise ValueError(f"{path}: is a folder; give a Parquet file.")
    with path.open("rb"):  # says why it cannot be read, which Arrow does not
        pass
    try:
        table = parquet.read_table(path)
    except ArrowException as error:
        raise ValueError(f"{path}: is no Parquet file ({error}).") from None
    columns = [
        ["" if v is None else str(v) for v in column.to_pylist()] for column in table.columns
    ]
    rows = tuple(zip(*columns, strict=True))
    if not rows:
        raise ValueError(f"{path}: is empty; give one row a part or record.")
    return TextTable(
        header=_header(path, table.column_names), rows=rows, lines=tuple(range(1, len(rows) + 1))
    )
