"""How a plan's policy is found: exactly where that fits into memory, else tuned or learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparing.exact.engine import free_memory, solve_bytes
from sparing.exact.options import Precision
from sparing.models.multi_component import MultiComponentProblem

GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Method:
    """How the policy is found, and why so.

    Parameters
    ----------
    is_exact
        Solved with certified bounds; else the best of tuned and learned policies.
    dtype
        Of an exact solve.
    needed
        Memory that an exact solve in that type needs [bytes].
    available
        Memory that it may take [bytes]; None where neither set nor known.
    reason
        In words.
    """

    is_exact: bool
    dtype: Precision
    needed: int
    available: int | None
    reason: str


def choose_method(problem: MultiComponentProblem, memory: float | None = None) -> Method:
    """Return how to solve `problem` within so much memory.

    Parameters
    ----------
    memory
        That a solve may take [bytes]; default what is free.

    Raises
    ------
    ValueError
        If `memory` is not above 0.
    """
    if memory is not None and not memory > 0.0:
        raise ValueError(f"memory must be above 0 bytes; got {memory!r}.")
    available = free_memory() if memory is None else int(memory)
    whose = "free" if memory is None else "allowed"
    needed = 0
    for dtype in (np.float64, np.float32):
        needed = solve_bytes(problem.epoch, problem.weights, dtype=dtype, enough=available)
        if available is None or needed <= available:
            name: Precision = "float64" if dtype is np.float64 else "float32"
            room = f"{_size(needed)} needed, {_of(available, whose)}"
            return Method(
                is_exact=True,
                dtype=name,
                needed=needed,
                available=available,
                reason=f"solved exactly: {problem.num_states:,} states fit in {name} ({room}).",
            )
    return Method(
        is_exact=False,
        dtype="float32",
        needed=needed,
        available=available,
        reason=(
            f"not solved exactly: {problem.num_states:,} states need at least {_size(needed)}, even"
            f" in float32, and {_of(available, whose)}. The policy is the best that was found by"
            " tuning rules and learning, and its cost is simulated."
        ),
    )


def _of(available: int | None, whose: str) -> str:
    return "what is free is not known" if available is None else f"{_size(available)} {whose}"


def _size(num_bytes: int) -> str:
    """Return a size in words."""
    if num_bytes < 2**20:
        return f"{num_bytes / 1024:.3g} KiB"
    if num_bytes < GIB:
        return f"{num_bytes / 2**20:.3g} MiB"
    return f"{num_bytes / GIB:,.3g} GiB"
