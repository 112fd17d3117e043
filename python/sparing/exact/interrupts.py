"""Interruptions that wait for a moment at which the state is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class PendingInterrupt:
    """Remembers that Ctrl-C was pressed, until someone asks."""

    def __init__(self) -> None:
        self.requested = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take the signal; a second one interrupts at once."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def deferred_interrupt() -> Iterator[PendingInterrupt]:
    """Hold SIGINT back inside the block; threads other than the main one are left alone."""
    pending = PendingInterrupt()
    if threading.current_thread() is not threading.main_thread():
        yield pending
        return
    previous = signal.signal(signal.SIGINT, pending)
    try:
        yield pending
    finally:
        signal.signal(signal.SIGINT, previous)
