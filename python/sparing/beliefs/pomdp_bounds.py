"""What any policy costs at least and at most, and the arrays that the kernels take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.beliefs.pomdp_model import ExplicitPOMDP


def simple_bounds(
    model: ExplicitPOMDP, horizon: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return costs [S] that no policy falls below, and that none exceeds.

    Parameters
    ----------
    horizon
        Periods of a model that `ExplicitPOMDP.unrolled` gave; None: it goes on for ever.
    """
    least, most = float(model.cost.min()), float(model.cost.max())
    if horizon is None:
        weight = np.full(model.num_states, 1.0 / (1.0 - model.discount))
    else:
        left = np.arange(horizon, 0, -1)
        powers = np.append(0.0, np.cumsum(model.discount ** np.arange(horizon)))
        weight = np.append(np.repeat(powers[left], (model.num_states - 1) // horizon), 0.0)
    return least * weight, most * weight


def kernel_arrays(model: ExplicitPOMDP) -> dict[str, Any]:
    """Return the model in the reward view of the kernels."""
    arrays: dict[str, Any] = {}
    for name in ("transition", "observation"):
        rows = getattr(model, name)
        arrays[f"{name}_indptr"] = rows.indptr
        arrays[f"{name}_column"] = rows.indices
        arrays[f"{name}_probability"] = rows.data
    return arrays | {
        "reward": np.ascontiguousarray(-model.cost).ravel(),
        "start": np.array(model.belief),
        "num_actions": model.num_actions,
        "num_observations": model.num_observations,
        "discount": model.discount,
    }
