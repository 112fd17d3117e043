"""Solve a spares network: part by part, with a service level, a limit or a rolling horizon."""

from __future__ import annotations

import time

from sparing.evaluate.network_plan import (
    NetworkSolution,
    SolveOptions,
    largest_states,
    solve_part,
)
from sparing.exact.progress import ProgressHook
from sparing.models.spares_network import SparesNetwork


def solve_network(
    problem: SparesNetwork,
    options: SolveOptions | None = None,
    *,
    progress: ProgressHook | None = None,
) -> NetworkSolution:
    """Return the optimal plan of every part, with certified bounds of the expected cost.

    The belief is part of the state, so the plan knows what it will have learned. With an `sla` the
    price of downtime is scaled until the plan meets it; with a `budget` or a `volume_limit` a
    multiplier couples the parts; with `rolling` every period's plan looks so far ahead.

    Raises
    ------
    ValueError
        If wishes contradict each other, or no plan meets them.
    MemoryError
        Before anything is allocated, if a period does not fit.
    """
    started = time.monotonic()
    chosen = options or SolveOptions()
    plans = tuple(solve_part(problem, part, chosen, progress=progress) for part in problem.parts)
    return NetworkSolution(
        problem=problem,
        plans=plans,
        lower=sum(plan.lower for plan in plans),
        upper=sum(plan.upper for plan in plans),
        states=largest_states(problem),
        num_sweeps=problem.periods * len(plans),
        seconds=time.monotonic() - started,
    )
