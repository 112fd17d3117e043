"""Progress of a long solve on stderr: a live line on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
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
