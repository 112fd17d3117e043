"""Which of the engine's paths sweeps an epoch, and whether it fits into memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sparing import _core
from sparing._threads import default_num_threads
from sparing.epoch import Epoch
from sparing.exact.separable import SeparableSweep, separable_form
from sparing.exact.sweeps import GeneralSweep, Sweep
from sparing.lowering import Real, size_of

# States from which the general path uses all processors by default. Its parts are short: on a busy
# machine their ends cost more, below that, than a second thread gains.
THREADS_FROM = 1 << 18


def make_sweep(
    epoch: Epoch, weights: Mapping[str, float], *, dtype: Real, num_threads: int, path: str = "auto"
) -> Sweep:
    """Return the fastest sweep that `epoch` allows.

    `num_threads` is that of `Options`: 0 lets each path use as many as pay at its size.

    Raises
    ------
    MemoryError
        If its tensors do not fit into the memory that is free, with the size they need.
    """
    form = separable_form(epoch, weights) if path == "auto" else None
    what = f"a solve of {epoch.num_states:,} states"
    if form is not None:
        itemsize = np.dtype(dtype).itemsize
        check_memory(_core.SeparableSweep64.bytes_needed(form.sizes, itemsize), what)
        return SeparableSweep(form, dtype=dtype, num_threads=num_threads)
    check_memory(general_bytes(epoch, dtype), what)
    threads = num_threads or (1 if epoch.num_states < THREADS_FROM else default_num_threads())
    return GeneralSweep(epoch, weights, dtype=dtype, num_threads=threads)


def solve_bytes(
    epoch: Epoch, weights: Mapping[str, float], *, dtype: Real, enough: int | None = None
) -> int:
    """Return the memory that a solve needs [bytes], before anything is allocated.

    Where the value and its successor alone are more than `enough`, that is what is returned.
    """
    itemsize = np.dtype(dtype).itemsize
    least = 2 * epoch.num_states * itemsize
    if enough is not None and least > enough:
        return least
    form = separable_form(epoch, weights)
    if form is None:
        return general_bytes(epoch, dtype)
    return max(least, _core.SeparableSweep64.bytes_needed(form.sizes, itemsize))


def general_bytes(epoch: Epoch, dtype: Real) -> int:
    """Return the memory of a general solve: value, its successor, scratch and policy [bytes]."""
    largest = max(size_of(layout) for layout in epoch.layouts)
    return epoch.num_states * (2 * np.dtype(dtype).itemsize + 4) + largest * (
        2 * np.dtype(dtype).itemsize + 8
    )


def check_memory(needed: int, what: str) -> None:
    """Raise MemoryError, before anything is allocated, if `needed` bytes are not free."""
    free = free_memory()
    if free is not None and needed > free:
        raise MemoryError(
            f"{what} needs about {needed / 2**30:.1f} GiB; {free / 2**30:.1f} GiB are free."
            " Use dtype='float32', fewer states, or a machine with more memory."
        )


def free_memory() -> int | None:
    """Return the memory that can be had without swapping [bytes], or None where unknown."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None
