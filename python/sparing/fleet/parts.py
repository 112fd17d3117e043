"""Rows that stream into a folder of Parquet files, each of them whole or not there."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PART = re.compile(r"part-(\d{6})\.parquet")
MOST_ROWS = 1024  # of a part
MOST_S = 5.0  # that a row waits before it is written


class PartWriter:
    """Appends rows to the parts in a folder; leaving the context writes what is left.

    Parameters
    ----------
    folder
        Is made where absent. Any reader of Parquet takes it as one table.
    schema
        A `pyarrow.Schema`.
    """

    def __init__(self, folder: Path, schema: Any) -> None:
        self.folder, self.schema = folder, schema
        folder.mkdir(parents=True, exist_ok=True)
        taken = [int(found[1]) for _, found in _parts(folder)]
        self.number = max(taken, default=-1) + 1
        self.rows = list[Mapping[str, Any]]()
        self.written_at = time.monotonic()

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.flush()

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row, which is in a file within `MOST_S` of the next one at the latest."""
        self.rows.append(row)
        if len(self.rows) >= MOST_ROWS or time.monotonic() - self.written_at >= MOST_S:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait as one more part."""
        self.written_at = time.monotonic()
        if not self.rows:
            return
        import pyarrow
        from pyarrow import parquet

        path = self.folder / f"part-{self.number:06}.parquet"
        temporary = path.with_suffix(".part")
        parquet.write_table(pyarrow.Table.from_pylist(self.rows, schema=self.schema), temporary)
        temporary.replace(path)
        self.rows.clear()
        self.number += 1


def read_parts(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of all parts in `folder`, in the order they were written."""
    from pyarrow import parquet

    rows = list[dict[str, Any]]()
    for path, _ in sorted(_parts(folder)):
        rows += parquet.read_table(path).to_pylist()
    return rows


def _parts(folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        found = PART.fullmatch(path.name)
        if found:
            yield path, found
