"""How far a solve has come, for those who wait."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One report of a running solve; `lower` and `upper` bound (or estimate) the objective.

    `part` says what is being solved, where several solves are one piece of work.
    """

    num_sweeps: int
    lower: float
    upper: float
    tol: float
    seconds: float
    note: str = ""
    part: str = ""


ProgressHook: TypeAlias = Callable[[Progress], None]


class Parts:
    """Names the solves that follow one another in one piece of work, and counts its seconds."""

    def __init__(self, hook: ProgressHook | None) -> None:
        self._hook, self._started = hook, time.monotonic()

    def named(self, name: str) -> ProgressHook | None:
        """Return the hook to pass to the part called `name`; parts may have parts."""
        hook = self._hook
        if hook is None:
            return None

        def report(progress: Progress) -> None:
            part = f"{name}: {progress.part}" if progress.part else name
            hook(replace(progress, part=part, seconds=time.monotonic() - self._started))

        return report


class ProgressLine:
    """Prints one live line on a terminal's standard error, from `after_s` seconds on."""

    def __init__(self, *, after_s: float = 2.0, every_s: float = 0.5) -> None:
        self._after, self._every, self._last = after_s, every_s, -1.0
        self._shown = False

    def __call__(self, progress: Progress) -> None:
        """Show `progress` unless the last report is too recent."""
        now = time.monotonic()
        if progress.seconds < self._after or now - self._last < self._every:
            return
        self._last, self._shown = now, True
        part = f"{progress.part}: " if progress.part else ""
        text = (
            f"{part}sweep {progress.num_sweeps}: [{progress.lower:.8g}, {progress.upper:.8g}],"
            f" gap {progress.upper - progress.lower:.2e} of {progress.tol:.2e},"
            f" {progress.seconds:.0f} s {progress.note}"
        )
        width = shutil.get_terminal_size().columns - 1  # a line that wraps cannot be cleared
        sys.stderr.write(f"\r\x1b[K{text[:width]}")
        sys.stderr.flush()

    def close(self) -> None:
        """Clear the line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
