"""Solve a spares network: part by part, with a service level, a limit or a rolling horizon."""

from __future__ import annotations

import time
from dataclasses import replace

from sparing.evaluate.network_limits import solve_for_sla, solve_with_limit
from sparing.evaluate.network_plan import (
    NetworkSolution,
    SolveOptions,
    largest_states,
    solve_part,
)
from sparing.evaluate.network_rolling import rolling_plan, saturation_bound
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
    multiplier couples the parts; with `rolling` every period's plan looks so far ahead, and the
    lower bound is that of the plan to the end.

    Raises
    ------
    ValueError
        If wishes contradict each other, or no plan meets them.
    MemoryError
        Before anything is allocated, if a period does not fit.
    """
    chosen = options or SolveOptions()
    limited = problem.budget is not None or any(
        x.volume_limit is not None for x in problem.locations
    )
    wishes = {"sla": problem.sla is not None, "a limit": limited, "rolling": problem.rolling}
    if sum(bool(wish) for wish in wishes.values()) > 1:
        named = " and ".join(name for name, wish in wishes.items() if wish)
        raise ValueError(f"{named} cannot be combined; give one of them.")
    if problem.sla is not None:
        found = solve_for_sla(problem, chosen, progress)
    elif limited:
        found = solve_with_limit(problem, chosen, progress)
    else:
        found = _solve_parts(problem, chosen, progress)
    return _with_saturation(problem, found)


def _solve_parts(
    problem: SparesNetwork, options: SolveOptions, progress: ProgressHook | None
) -> NetworkSolution:
    started = time.monotonic()
    plans = tuple(solve_part(problem, part, options, progress=progress) for part in problem.parts)
    lower, upper = sum(plan.lower for plan in plans), sum(plan.upper for plan in plans)
    sweeps = problem.periods * len(plans)
    remarks: tuple[str, ...] = ()
    details: dict[str, float] = {}
    if problem.rolling is not None and problem.rolling < problem.periods:
        plans = tuple(
            rolling_plan(problem, part, options, progress=progress) for part in problem.parts
        )
        cost = sum(plan.upper for plan in plans)
        remarks = (
            f"rolling horizon of {problem.rolling} periods: its plan costs {cost:.8g}, the upper"
            f" bound; planning to the end costs {upper:.8g}.",
        )
        details = {"rolling_cost": cost, "optimum": upper}
        upper = cost
    return NetworkSolution(
        problem=problem,
        plans=plans,
        lower=lower,
        upper=upper,
        states=largest_states(problem),
        num_sweeps=sweeps,
        seconds=time.monotonic() - started,
        remarks=remarks,
        details=details,
    )


def _with_saturation(problem: SparesNetwork, found: NetworkSolution) -> NetworkSolution:
    """Say how likely the belief saturates, where it can."""
    if problem.belief_levels is None:
        return found
    chance = max(saturation_bound(problem, part) for part in problem.parts)
    remark = (
        f"belief_levels {problem.belief_levels}: more than {problem.belief_levels - 1} failures"
        f" count as {problem.belief_levels - 1}; the chance of more is at most {chance:.3g}. The"
        " bounds are those of this model."
    )
    return replace(
        found,
        remarks=(*found.remarks, remark),
        details={**found.details, "saturation_chance": chance},
    )
