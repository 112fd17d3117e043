"""Batches of series through one compiled program, in chunks of one size."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.progress import Share, unheard

CHUNK = 128  # series a call; the last chunk is filled up, so that one program serves all
LEAST = 8  # for small batches, the power of two that holds them


def run_in_chunks(
    program: Callable[..., Sequence[Any]],
    arrays: Sequence[NDArray[Any]],
    most: int = CHUNK,
    progress: Share = unheard,
) -> list[NDArray[Any]]:
    """Return the outputs of `program` for the rows of `arrays`, chunk by chunk on all processors.

    A chunk has at most `most` rows. Each is computed for itself, so that the result does not depend
    on how many threads run.
    """
    size = len(arrays[0])
    chunk = min(most, max(LEAST, 1 << (size - 1).bit_length()))
    total = max(-(-size // chunk), 1) * chunk
    filled = [np.concatenate([a, np.zeros((total - size, *a.shape[1:]), a.dtype)]) for a in arrays]

    def run(first: int) -> list[NDArray[Any]]:
        found = program(*(array[first : first + chunk] for array in filled))
        return [np.asarray(part) for part in found]

    starts = range(0, total, chunk)
    parts = [run(0)]  # compiles
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for part in pool.map(run, starts[1:]):
            progress(len(parts) / len(starts))
            parts.append(part)
    progress(1.0)
    return [np.concatenate(columns)[:size] for columns in zip(*parts, strict=True)]
