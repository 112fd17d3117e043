"""Progress of a forecast on stderr: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sparing.commands.progress import EVERY_S
from sparing.forecast.progress import ForecastHook, ForecastProgress


@contextmanager
def shown_forecast_progress() -> Iterator[ForecastHook]:
    """Yield the hook to pass to a forecast, a backtest or a comparison."""
    if not sys.stderr.isatty():
        yield _LogLines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def show(progress: ForecastProgress) -> None:
            bar.update(
                task, description=progress.stage, completed=progress.done, total=progress.total
            )

        yield show


class _LogLines:
    def __init__(self) -> None:
        self._started = self._last = time.monotonic()

    def __call__(self, progress: ForecastProgress) -> None:
        now = time.monotonic()
        if now - self._last < EVERY_S:
            return
        self._last = now
        print(
            f"sparing: {progress.stage}: {progress.done / progress.total:.0%} of the work after"
            f" {now - self._started:.0f} s",
            file=sys.stderr,
            flush=True,
        )
