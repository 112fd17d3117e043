"""Small panels for the tests; few shapes, so that few programs are compiled."""

import numpy as np
from sparing.records.panel import DemandPanel

LENGTH, HORIZON, SEASON = 48, 6, 12


def panel_of(demand, price=None):
    demand = np.asarray(demand, dtype=float)
    return DemandPanel(
        parts=tuple(f"part {i}" for i in range(len(demand))),
        periods=tuple(f"t{i}" for i in range(demand.shape[1])),
        demand=demand,
        price=price,
    )


def intermittent(num_parts, length=LENGTH, seed=0):
    """Demand with its own rate and size a part; sizes negative binomial."""
    rng = np.random.default_rng(seed)
    rate, size = rng.uniform(0.1, 0.6, num_parts), rng.uniform(1.0, 8.0, num_parts)
    hit = rng.random((num_parts, length)) < rate[:, None]
    return hit * (1.0 + rng.poisson(rng.gamma(2.0, size[:, None] / 2.0, (num_parts, length))))
