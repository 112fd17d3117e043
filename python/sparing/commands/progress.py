"""Progress of a long solve on stderr: a live line on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sparing.exact.progress import Progress, ProgressHook, ProgressLine

EVERY_S = 60.0  # between two lines of a log


@contextmanager
def shown_progress() -> Iterator[ProgressHook]:
    """Yield the hook to pass to a solve."""
    if not sys.stderr.isatty():
        yield _LogLines()
        return
    line = ProgressLine()
    try:
        yield line
    finally:
        line.close()


class _LogLines:
    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last < EVERY_S:
            return
        self._last = now
        part = f"{progress.part}: " if progress.part else ""
        gap = progress.upper - progress.lower
        print(
            f"sparing: {part}sweep {progress.num_sweeps}: gap {gap:.2e} of {progress.tol:.2e} after"
            f" {progress.seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )


@contextmanager
def shown_steps() -> Iterator[Callable[[str], None]]:
    """Yield a hook that shows what is going on: a live line, or a line now and then."""
    live = sys.stderr.isatty()
    last = time.monotonic()

    def show(text: str) -> None:
        nonlocal last
        if live:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{text[:width]}")
            sys.stderr.flush()
        elif time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            print(f"sparing: {text}", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        if live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextmanager
def shown_counts() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a hook that shows how much of a stage is done: a bar, or a line now and then."""
    if not sys.stderr.isatty():
        with shown_steps() as tell:
            yield lambda stage, done, total: tell(f"{stage}: {done} of {total}")
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)
        yield lambda stage, done, total: bars.update(
            task, description=stage, completed=done, total=total
        )
