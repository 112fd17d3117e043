"""New rows in a file of records, CSV or Parquet, which is written anew as a whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparing._files import replaced_file, write_atomically
from sparing.records.tables import TextTable, column_key, is_missing, read_table

if TYPE_CHECKING:
    import pyarrow

PARQUET = (".parquet", ".pq")


def add_rows(path: Path, records: Path, replaced: Iterable[int] = ()) -> None:
    """Write a file anew without the rows `replaced` and with those of `records`.

    The order of its own columns stays; columns that only the new records have are left out of it.
    A file that is not there takes all columns. In Parquet the types of its columns stay, too.

    Raises
    ------
    ValueError
        If a cell is no value of a Parquet column, naming both; nothing is written then.
    """
    new, gone = read_table(records), {int(i) for i in replaced}
    if path.suffix.lower() in PARQUET:
        _add_to_parquet(path, new, gone)
        return
    header, kept = new.header, list[tuple[str, ...]]()
    if path.exists():
        table = read_table(path)
        header = table.header
        kept = [row for i, row in enumerate(table.rows) if i not in gone]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(kept)
    writer.writerows(zip(*_columns(new, header), strict=True))
    write_atomically(path, text.getvalue())


def _columns(new: TextTable, header: Sequence[str]) -> list[list[str]]:
    """Return the cells of `new` by the columns of a header, empty where it has none of the name."""
    place = {column_key(name): i for i, name in enumerate(new.header)}
    at = [place.get(column_key(name)) for name in header]
    return [["" if i is None else row[i] for row in new.rows] for i in at]


def _add_to_parquet(path: Path, new: TextTable, gone: set[int]) -> None:
    import pyarrow
    from pyarrow import parquet

    table = parquet.read_table(path)
    kept = table.take([i for i in range(table.num_rows) if i not in gone])
    columns = [
        _typed(path, field, cells)
        for field, cells in zip(table.schema, _columns(new, table.column_names), strict=True)
    ]
    added = pyarrow.Table.from_arrays(columns, schema=table.schema)
    with replaced_file(path) as part:
        parquet.write_table(pyarrow.concat_tables([kept, added]), part)


def _typed(path: Path, field: pyarrow.Field, cells: list[str]) -> Any:
    """Return cells as a column of a Parquet file; missing ones are null."""
    import pyarrow

    texts = pyarrow.array([None if is_missing(cell) else cell for cell in cells], pyarrow.string())
    if pyarrow.types.is_dictionary(field.type):
        return texts.dictionary_encode().cast(field.type)
    try:
        return texts.cast(field.type)
    except pyarrow.ArrowInvalid as error:
        raise ValueError(
            f"{path}: its column {field.name!r} holds {field.type}, which the new records do not"
            f" ({error})."
        ) from None
