"""The hindsight optimum: the most that any rule could have made of the day."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.ration.day import Day, Rationing
from sparing.ration.first_come import FifoSkip
from sparing.ration.online import run_online


def hindsight(day: Day, *, time_limit_s: float = 60.0, relative_gap: float = 1e-9) -> Rationing:
    """Solve max sum x_i gain_i with sum_i d_ij x_i <= q_j, x binary, by HiGHS.

    `upper` of the result bounds the margin of every rule on this day. When the time limit ends the
    search, the best found is returned, and `gap` says how far from the optimum it can be.
    """
    own, bound = _packed(day, time_limit_s, relative_gap)
    fitting = run_online(FifoSkip(), day).own & (day.gain > 0.0)  # what a simple rule finds
    if float(day.gain[fitting].sum()) > float(day.gain[own].sum()):
        own = fitting
    found = Rationing(rule="hindsight", day=day, own=own)
    upper = max(float(day.drop_margin.sum()) + bound, found.margin)
    return Rationing(rule="hindsight", day=day, own=own, upper=upper)


def _packed(day: Day, time_limit_s: float, relative_gap: float) -> tuple[NDArray[np.bool_], float]:
    """Return the orders to serve and an upper bound of their gain."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    worth = day.gain
    own = worth > 0.0
    if not own.any():
        return own, 0.0
    demand = day.orders.matrix()[own].T.tocsr()  # [n, orders worth serving]
    scarce = np.asarray(demand.sum(axis=1)).ravel() > day.stock
    if not scarce.any():
        return own, float(worth[own].sum())
    with _silent():
        found: Any = milp(
            -worth[own],
            integrality=np.ones(int(own.sum()), np.int64),
            bounds=Bounds(0.0, 1.0),
            constraints=LinearConstraint(demand[scarce], -np.inf, day.stock[scarce]),
            options={"time_limit": time_limit_s, "mip_rel_gap": relative_gap},
        )
    chosen = np.zeros(own.size, np.bool_)
    if found.x is not None:
        chosen[own] = found.x > 0.5
    proved = found.mip_dual_bound  # of the negative; None or infinite when time ended too early
    total = float(worth[own].sum())
    return chosen, total if proved is None else min(-float(proved), total)


@contextmanager
def _silent() -> Iterator[None]:
    """Send what HiGHS writes to the standard output into nothing: --json is written there."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # there is no standard output
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(nothing)
        os.close(kept)
