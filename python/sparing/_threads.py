"""How many threads the kernels use, and how they wait for one another."""

from __future__ import annotations

import os

# A sweep has many short parallel parts. Where another program holds a processor, a thread that
# spins for the default time at their ends makes the sweep a hundred times slower. The OpenMP
# runtime reads this once, when the kernels are loaded; whoever has set it is not overruled.
os.environ.setdefault("GOMP_SPINCOUNT", "30000")


def default_num_threads() -> int:
    """Return the number of processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
