"""Random tiny models, and their exact values by enumeration of the belief tree."""

from __future__ import annotations

import numpy as np
from sparing import ExplicitPOMDP


def random_pomdp(seed, *, discount=0.9, values="reward"):
    """Two or three states, up to three actions and observations, a third of the chances nil."""
    rng = np.random.default_rng(seed)
    S, A, O = rng.integers(2, 4), rng.integers(1, 4), rng.integers(1, 4)  # noqa: E741

    def rows(*shape):
        table = np.where(rng.random(shape) < 0.3, 0.0, rng.random(shape))
        table[..., 0] += 1e-3
        return table / table.sum(axis=-1, keepdims=True)

    return ExplicitPOMDP.from_dense(
        rows(A, S, S),
        rows(A, S, O),
        rng.normal(size=(A, S)),
        discount=discount,
        start=rows(S),
        values=values,
    )


def dense(model):
    """Return T [A, S, S] and Z [A, S, O]."""
    tables = model.transition, model.observation
    return [table.toarray().reshape(model.num_actions, model.num_states, -1) for table in tables]


def tree_cost(model, belief, periods):
    """Least expected cost over so many periods: every action, every observation, nothing clever."""
    T, Z = dense(model)

    def least(belief, periods):
        if periods == 0:
            return 0.0
        costs = []
        for a in range(model.num_actions):
            cost = float(model.cost[a] @ belief)
            for o in range(model.num_observations):
                joint = (belief @ T[a]) * Z[a][:, o]
                chance = joint.sum()
                if chance > 0.0:
                    cost += model.discount * chance * least(joint / chance, periods - 1)
            costs.append(cost)
        return min(costs)

    return least(belief, periods)
