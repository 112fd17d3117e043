"""Components apart: what a state of each type is worth if failure has a price.

The system's cost of being down couples the components. With a price per component that is found
failed (and a share of the set-up per component that is maintained) in its place, each type is a
decision process of a handful of states (Whittle 1988 for the idea of such prices).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sparing.large.crew_system import CrewSystem

MAX_SWEEPS = 10_000
TOLERANCE = 1e-9


def decomposed_values(
    system: CrewSystem, prices: Sequence[float], share: float = 0.0
) -> NDArray[np.float64]:
    """Return what follows behind each (type, state left) [pairs], over that of state 0.

    Parameters
    ----------
    prices
        Per type the price of a component that is failed at an inspection.
    share
        What maintaining a component adds to its cost, for the set-up.
    """
    found = []
    for kind, cost, price in zip(system.kinds, system.costs, prices, strict=True):
        size = kind.num_states
        paid = cost + share * (1.0 - np.eye(size))
        paid = paid + system.discount * price * kind.transition[:, kind.failed]
        value = np.zeros(size)
        for _ in range(MAX_SWEEPS):
            after = (paid + system.discount * (kind.transition @ value)).min(axis=1)
            after -= after[0]
            change = np.abs(after - value).max()
            value = 0.5 * (value + after)  # damped, so that no period can keep it swinging
            if change < TOLERANCE * (1.0 + np.abs(value).max()):
                break
        behind = system.discount * (kind.transition @ value)
        found.append(behind - behind[0])
    return np.concatenate(found)
