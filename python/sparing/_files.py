"""Files that are whole or not there."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PASSING = ("checkpoint",)  # what may be in a folder before its results are


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path` by a temporary file and a rename."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which takes the place of `path` unless something is raised."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table with a header line, to be opened in a spreadsheet."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([shown_text(name) for name in header])
        writer.writerows([shown_text(cell) for cell in row] for row in rows)


def shown_text(cell: object) -> object:
    """Return a cell that a spreadsheet shows: text that it would run as a formula gets a quote.

    Names come from other people's files; "=HYPERLINK(...)" must not become a link in a table of
    ours (OWASP, CSV injection). Numbers stay as they are.
    """
    if not isinstance(cell, str) or not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    try:
        float(cell)
    except ValueError:
        return "'" + cell
    return cell


def is_ours(file: Path) -> bool:
    """Whether a JSON file names a format of results of this package."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["format"]).startswith("sparing-")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _check_replaceable(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise ValueError(f"{folder}: is a file; give a folder.")
    others = sorted(file.name for file in folder.iterdir() if file.name not in _PASSING)
    if others and not any(is_ours(file) for file in folder.glob("*.json")):
        raise ValueError(
            f"{folder}: exists and is not of an earlier run (it holds {others[0]!r}); nothing was"
            " written. Give a new or empty folder."
        )


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder to fill, which takes the place of `folder` unless something is raised.

    Raises
    ------
    ValueError
        If `folder` is a file, or holds something else than earlier results: nobody else's files
        are taken away.
    """
    folder = folder.absolute()
    _check_replaceable(folder)
    parent = folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=parent))
    try:
        yield part
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o777 & ~umask)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=parent))
            folder.rename(old / "old")
            part.rename(folder)
            shutil.rmtree(old)
        else:
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
