"""A certain lower bound of the least average cost: types apart, joined by prices on counts.

The chance of being down is the only thing, beside the set-up, that joins the types. For any price
held[type, state] of a component left in a state, and any shares of the set-up that sum to one,

    sum over types of gain(type alone, paying its share of the set-up and held)
      + min over all counts x of ( price P(down | x) - sum of held . x )

is at most the least average cost (weak duality of Lagrangian relaxation, Hawkins 2003): a joint
policy is a policy for each type, the set-up is paid whenever a type is maintained, and x is
somewhere. The second term is computed exactly by looking at all counts; the prices are chosen by
cutting planes (Kelley 1960), as the bound is concave in them.
"""

from __future__ import annotations

from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from sparing.large.crew_system import CrewSystem
from sparing.large.cutting_planes import CuttingPlanes, Heard, TypeBound

MOST_COUNTS = 3_000_000_000  # combinations of counts that are all looked at
MOST_OF_A_TYPE = 3_000  # counts of one type; its wear is a square matrix of so many rows
ROUNDS = 60


def bound_refused(system: CrewSystem) -> str | None:
    """Return why no bound is computed, or None."""
    if system.discount < 1.0:
        return "the bound is for long-run averages"
    sizes = [
        comb(len(members) + kind.num_states - 1, kind.num_states - 1)
        for members, kind in zip(system.members, system.kinds, strict=True)
    ]
    if max(sizes) > MOST_OF_A_TYPE or prod(sizes) > MOST_COUNTS:
        return "there are too many combinations of counts per type and state"
    return None


def type_bound(
    system: CrewSystem,
    *,
    start: NDArray[np.float64],
    rounds: int = ROUNDS,
    tol: float = 1e-3,
    progress: Heard | None = None,
) -> TypeBound:
    """Return the best bound found in `rounds` evaluations of it.

    Parameters
    ----------
    start
        Mean counts [pairs] left by a good policy; the first prices are those at its margin.
    tol
        Share of the bound by which it may fall short of the best of its kind.

    Raises
    ------
    ValueError
        If it cannot be computed; see `bound_refused`.
    """
    why = bound_refused(system)
    if why is not None:
        raise ValueError(f"no lower bound: {why}.")
    return CuttingPlanes(system, start, tol).run(rounds, progress)
