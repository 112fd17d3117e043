"""What happens to files on their way: each way to spoil one, and what must be said of it."""

from __future__ import annotations

import gzip
import io
import zipfile

import pyarrow as pa
from pyarrow import parquet

NO_TEXT = "is no CSV file in UTF-8 .*save it as one, not compressed"


def joined(cells, end="\n"):
    return end.join(",".join(row) for row in cells) + end


def changed(kind, column, value, row=1):
    """The text with another value in one cell."""
    cells = kind.cells()
    cells[row][cells[0].index(column)] = value
    return joined(cells).encode()


def zipped(data):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", data)
    return buffer.getvalue()


def swapped(kind):
    """Two names of the header change places, the cells do not."""
    cells = kind.cells()
    first, second = 0, cells[0].index(kind.number)
    cells[0][first], cells[0][second] = cells[0][second], cells[0][first]
    return joined(cells).encode()


def reordered(kind):
    """All columns the other way round, header and cells."""
    return joined([row[::-1] for row in kind.cells()]).encode()


def parquet_of(kind, *, types=None):
    cells = kind.cells()
    columns = {name: pa.array([row[i] for row in cells[1:]]) for i, name in enumerate(cells[0])}
    columns |= types or {}
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def nested(kind):
    count = len(kind.cells()) - 1
    return parquet_of(kind, types={kind.number: pa.array([[1, 2]] * count)})


# Bytes of a spoiled CSV file, and the message; None stands for a kind that it says nothing about.
REFUSED = {
    "empty": (lambda k: b"", "is empty"),
    "blank lines": (lambda k: b"\n\n \n", "is empty"),
    "byte order mark alone": (lambda k: b"\xef\xbb\xbf", "is empty"),
    "UTF-16": (lambda k: k.text.encode("utf-16"), NO_TEXT),
    "Latin-1": (
        lambda k: k.text.replace("2026", "f\xfcr", 1).encode("latin-1") + b"\xe4,",
        NO_TEXT,
    ),
    "compressed": (lambda k: gzip.compress(k.text.encode()), NO_TEXT),
    "a workbook": (lambda k: zipped(k.text), f"{NO_TEXT}|holds the character"),
    "a picture": (lambda k: b"\x89PNG\r\n\x1a\n" + bytes(range(256)), NO_TEXT),
    "zero bytes inside": (
        lambda k: k.text.encode()[:-6] + b"\0" * 6,
        r"line \d+: holds the character '\\x00'",
    ),
    "zero bytes behind": (lambda k: k.text.encode() + b"\0" * 512, r"holds the character '\\x00'"),
    "an escape inside": (lambda k: k.text.replace(",", ",\x1b[31m", 1).encode(), r"'\\x1b'"),
    "cut off in a row": (
        lambda k: k.text.rsplit(",", 1)[0].encode(),
        r"line \d+: must have \d+ fields",
    ),
    "cut off in a quoted field": (lambda k: k.text.encode() + b'"abc', "unexpected end of data"),
    "a field too many": (lambda k: k.text.rstrip().encode() + b",x\n", r"must have \d+ fields"),
    "semicolons": (lambda k: k.text.replace(",", ";").encode(), "separated by semicolons"),
    "tabs": (lambda k: k.text.replace(",", "\t").encode(), "separated by tabs"),
    "a page of the web": (
        lambda k: b"<!doctype html>\n<html><body>Sign in</body></html>\n",
        "column",
    ),
    "JSON": (lambda k: b'{"a": 1}\n', "column"),
    "a column twice": (
        lambda k: joined([[*row, row[-1]] for row in k.cells()]).encode(),
        "is there twice",
    ),
    "a column twice, in capitals": (
        lambda k: joined([[*row, row[-1].upper()] for row in k.cells()]).encode(),
        "have the same name",
    ),
    "no header": (lambda k: joined(k.cells()[1:]).encode(), "column"),
    "a header alone": (lambda k: joined(k.cells()[:1]).encode(), "no|must|least"),
    "names of two columns swapped": (swapped, "must be|is no component|unknown|price|empty"),
    "a word for a number": (lambda k: changed(k, k.number, "many"), r"line 2.*'many'"),
    "infinity": (lambda k: changed(k, k.number, "inf"), "inf"),
    "a number beyond all numbers": (lambda k: changed(k, k.number, "1e999"), "1e999|inf"),
    "a number below zero": (lambda k: changed(k, k.number, "-1"), "-1"),
    "two numbers": (lambda k: changed(k, k.number, "1 2"), "'1 2'"),
    "hexadecimal": (lambda k: changed(k, k.number, "0x10"), "'0x10'"),
    "an error of a spreadsheet": (lambda k: changed(k, k.number, "#REF!"), "'#REF!'"),
    "a formula": (lambda k: changed(k, k.number, "=SUM(A1:A9)"), "'=SUM"),
    "30 February": (lambda k: changed(k, k.day, "2026-02-30"), "2026-02-30"),
    "month 13": (lambda k: changed(k, k.day, "2026-13-01"), "2026-13-01"),
    "year 0": (lambda k: changed(k, k.day, "0000-01-01"), "0000-01-01"),
    "American days": (lambda k: changed(k, k.day, "12/31/2026"), "12/31/2026"),
    "no day": (lambda k: changed(k, k.day, ""), "got ''|is empty"),
    "a day far beyond": (lambda k: changed(k, k.day, "99999-01-01"), "99999"),
}

# Bytes of an odd CSV file that reads as the good one does.
READ_THE_SAME = {
    "byte order mark": lambda k: b"\xef\xbb\xbf" + k.text.encode(),
    "Windows line ends": lambda k: k.text.replace("\n", "\r\n").encode(),
    "old line ends": lambda k: k.text.replace("\n", "\r").encode(),
    "mixed line ends": lambda k: k.text.replace("\n", "\r\n", 1).encode(),
    "blank lines between": lambda k: k.text.replace("\n", "\n\n").encode(),
    "no last line end": lambda k: k.text.rstrip("\n").encode(),
    "quoted cells": lambda k: joined([[f'"{c}"' for c in row] for row in k.cells()]).encode(),
    "spaces around": lambda k: joined([[f" {c} " for c in row] for row in k.cells()]).encode(),
}

# Bytes under the name of a Parquet file, and the message.
BAD_PARQUET = {
    "a CSV file": (lambda k: k.text.encode(), "Parquet"),
    "empty": (lambda k: b"", "Parquet"),
    "cut off": (lambda k: parquet_of(k)[:-20], "Parquet|thrift|[Cc]orrupt"),
    "the middle gone": (
        lambda k: parquet_of(k)[:60] + parquet_of(k)[-8:],
        "Parquet|thrift|magic|size",
    ),
    "lists in cells": (nested, r"\[1, 2\]"),
}
