"""Small random load-sharing problems."""

from __future__ import annotations

import numpy as np
from sparing.models.load_sharing import LoadSharingCosts, LoadSharingProblem


def random_problem(seed, **changes):
    """A problem of one size and interval with few states, all costs drawn."""
    rng = np.random.default_rng(seed)
    conditions = int(rng.integers(2, 4))
    required = int(rng.integers(1, 3))
    size = required + int(rng.integers(0, 2))
    rates = np.triu(rng.uniform(0.02, 0.3, (conditions, conditions)), 1)
    rates[:-1, 1:][rng.random((conditions - 1, conditions - 1)) < 0.3] = 0.0
    rates += np.diag(rng.uniform(0.02, 0.3, conditions - 1), 1)
    names = ["inspection", "failure", "downtime", "setup", "replacement", "corrective"]
    names += ["order", "unit", "emergency_unit", "holding", "position"]
    prices = rng.uniform(0.0, [2, 60, 80, 8, 4, 30, 6, 20, 60, 1, 2])
    fields = {
        "required": required,
        "positions": size,
        "inspection_interval": float(rng.uniform(0.5, 8.0)),
        "rates": rates,
        "load_exponent": float(rng.uniform(0.0, 2.5)),
        "load_law": str(rng.choice(["power", "log-linear"])),
        "replacement": str(rng.choice(["worst-first", "any"])),
        "capacity": int(rng.integers(0, 3)),
        "delivery_rate": float(rng.uniform(0.1, 2.0)),
        "cost": LoadSharingCosts(**dict(zip(names, prices.tolist(), strict=True))),
    }
    return LoadSharingProblem(**{**fields, **changes})
