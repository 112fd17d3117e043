"""What the commands have in common: tables, JSON, and errors of one line."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from sparing._files import is_ours
from sparing.exact.policy_evaluation import Bounds

WIDTH = 100  # no table is wider, however wide the terminal
_NO_LIMIT = 10_000  # columns; what is printed in one block is never cut


def print_error(message: str) -> None:
    """Print one line on stderr."""
    print(f"sparing: {' '.join(message.split())}", file=sys.stderr)


def note(message: str) -> None:
    """Print a remark on stderr, where it does not disturb --json."""
    print(f"sparing: note: {message}", file=sys.stderr)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what can go wrong for a user into one line on stderr and exit code 2."""
    try:
        yield
    except (ValueError, MemoryError, OSError, FloatingPointError, ImportError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        message = str(error) or type(error).__name__
        if isinstance(error, OSError) and error.filename is not None:
            message = f"{error.filename}: {error.strerror}"
        print_error(message)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        print_error("interrupted.")
        raise typer.Exit(130) from None


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object; what is not finite becomes null."""
    print(json.dumps(finite(content), indent=1, allow_nan=False))


def finite(content: Any) -> Any:
    """Return `content` with NaN and infinities as None, all the way down."""
    if isinstance(content, dict):
        return {str(key): finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", left: int = 1
) -> None:
    """Print a plain table whose first `left` columns are text and the others are numbers.

    One that is wider than the terminal is printed in several blocks of columns, each with the
    first columns beside it: no figure is cut.
    """
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    room = min(console.width, WIDTH) if console.is_terminal else WIDTH
    for position, block in enumerate(_blocks(columns, rows, left, room)):
        if position > 0:
            print()
        cells = [[row[i] for i in block if i < len(row)] for row in rows]
        _print_block([columns[i] for i in block], cells, "" if position else title, left)


def _blocks(
    columns: Sequence[str], rows: Sequence[Sequence[str]], left: int, room: int
) -> list[list[int]]:
    """Return the columns of each block that is at most `room` wide, where that is possible."""
    from rich.cells import cell_len

    count = len(columns)
    texts = [[columns[i], *(row[i] for row in rows if i < len(row))] for i in range(count)]
    widths = [2 + max(map(cell_len, column)) for column in texts]  # a space on both sides
    room += 1  # the last space is not printed
    beside = list(range(min(left, count)))
    if sum(widths) <= room or sum(widths[:left]) + max(widths[left:], default=0) > room:
        return [list(range(count))]
    blocks = [list(beside)]
    for i in range(left, count):
        if sum(widths[j] for j in blocks[-1]) + widths[i] > room:
            blocks.append(list(beside))
        blocks[-1].append(i)
    return blocks


def _print_block(
    columns: Sequence[str], rows: Sequence[Sequence[str]], title: str, left: int
) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, title=title or None, title_justify="left", title_style="bold")
    for position, name in enumerate(columns):
        side = "left" if position < left else "right"
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False, width=_NO_LIMIT)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        print(line.rstrip())


def bounds_json(bounds: Bounds) -> dict[str, float]:
    """Return bounds for JSON."""
    return {"lower": bounds.lower, "upper": bounds.upper}


def bounds_row(name: str, found: dict[str, float]) -> list[str]:
    """Return name, middle and bounds for a table."""
    lower, upper = found["lower"], found["upper"]
    middle = number((lower + upper) / 2)
    return [name.replace("_", " "), middle, number(lower, 11), number(upper, 11)]


def interval_json(mean: float, half_width: float) -> dict[str, float]:
    """Return an estimate with its interval for JSON."""
    return {
        "mean": mean,
        "half_width": half_width,
        "lower": mean - half_width,
        "upper": mean + half_width,
    }


def wants_metrics(wanted: bool | None, states: int, most: int) -> bool:
    """Return whether ``--metrics`` asks for them; where it says nothing, up to `most` states."""
    if wanted is None and states > most:
        note(f"no metrics, as there are more than {most:,} states; --metrics asks for them.")
    return states <= most if wanted is None else wanted


INTERVAL_COLUMNS = ("mean", "95 % from", "to")


def interval_row(name: str, found: dict[str, float]) -> list[str]:
    """Return name and `INTERVAL_COLUMNS` for a table."""
    values = [number(found[key], 6) for key in ("mean", "lower", "upper")]
    return [name.replace("_", " "), *values]


def number(value: float | None, digits: int = 9) -> str:
    """Return `value` with so many significant digits, or a dash."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.{digits}g}"


def check_new_folder(folder: Path, marker: str, *, also: Sequence[str] = ()) -> None:
    """Raise unless results may be written to `folder`: absent, empty, or results of this kind.

    Parameters
    ----------
    marker
        The file by which earlier results of this kind are known; they are replaced.
    also
        Names that may be there without it.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"--out {folder}: is a file; give a folder.")
    if is_ours(folder / marker):
        return
    others = sorted(f.name for f in folder.iterdir() if f.name not in also)
    if others:
        raise ValueError(
            f"--out {folder}: exists and is not of an earlier run (it holds {others[0]!r});"
            " nothing was written. Give a new or empty folder."
        )


def check_figures_folder(folder: Path | None, marker: str) -> None:
    """Raise unless results and their figures may be written to `folder`, if there is to be one."""
    if folder is not None:
        from sparing.report.plots import check_matplotlib

        check_new_folder(folder, marker)
        check_matplotlib()
