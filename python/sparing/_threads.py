"""How many threads the kernels use, and how they wait for one another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_limit: ContextVar[int | None] = ContextVar("limit", default=None)

# A sweep has many short parallel parts. Where another program holds a processor, a thread that
# spins for the default time at their ends makes the sweep a hundred times slower. The OpenMP
# runtime reads this once, when the kernels are loaded; whoever has set it is not overruled.
os.environ.setdefault("GOMP_SPINCOUNT", "30000")


def default_num_threads() -> int:
    """Return the number of processors this process may use, or the limit that is set."""
    limit = _limit.get()
    if limit is not None:
        return limit
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def limited_threads(limit: int) -> Iterator[None]:
    """Let the kernels use so many threads by default within, in this thread of Python alone."""
    token = _limit.set(limit)
    try:
        yield
    finally:
        _limit.reset(token)
