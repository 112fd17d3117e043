"""Ctrl-C between two batches of sweeps, so that the state can be saved first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred_interrupt(*, defer: bool = True) -> Iterator[Callable[[], bool]]:
    """Hold the first Ctrl-C back and tell of it; the second one interrupts at once.

    Only the main thread gets signals, and only Python's own handler is replaced; elsewhere
    nothing is held back.
    """
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            signal.default_int_handler(number, frame)
        asked = True

    main = threading.current_thread() is threading.main_thread()
    if not (defer and main and signal.getsignal(signal.SIGINT) is signal.default_int_handler):
        yield lambda: False
        return
    signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
