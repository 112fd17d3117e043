"""Exact value functions of tiny models by incremental pruning: the search is checked by them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparing.beliefs.pomdp_model import ExplicitPOMDP

TOLERANCE = 1e-10  # by less than this a vector is not better than the others


def incremental_pruning(
    model: ExplicitPOMDP, horizon: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return all vectors [K, S] of the optimal cost over `horizon` periods, and their actions [K].

    The optimal cost at a belief b is the least of the products ``vectors @ b``: incremental pruning
    of Cassandra, Littman and Zhang (1997), with the linear programs of Lark. The work grows
    exponentially, so this is for a few states, actions and observations.

    Raises
    ------
    ValueError
        If the horizon is below 1.
    """
    if not horizon >= 1:
        raise ValueError(f"horizon must be at least 1; got {horizon}.")
    vectors, actions = np.zeros((1, model.num_states)), np.zeros(1, dtype=np.int64)
    for _ in range(horizon):
        by_action = [_action_vectors(model, vectors, a) for a in range(model.num_actions)]
        actions = np.repeat(np.arange(model.num_actions), [len(part) for part in by_action])
        vectors = np.concatenate(by_action)
        kept = undominated(vectors)
        vectors, actions = vectors[kept], actions[kept]
    return vectors, actions


def _action_vectors(
    model: ExplicitPOMDP, following: NDArray[np.float64], action: int
) -> NDArray[np.float64]:
    """Return the vectors [K, S] of taking `action` and then any of `following`, by observation."""
    rows = slice(action * model.num_states, (action + 1) * model.num_states)
    transition = model.transition[rows].toarray()
    observation = model.observation[rows].toarray()
    total: NDArray[np.float64] = model.cost[action][None, :]
    for o in range(model.num_observations):
        part = model.discount * (observation[:, o] * following) @ transition.T
        part = part[undominated(part)]
        sums = (total[:, None, :] + part[None, :, :]).reshape(-1, model.num_states)
        total = sums[undominated(sums)]
    return total


def undominated(vectors: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the numbers of the vectors [K, S] that are least at some belief, in their order."""
    left = np.unique(np.round(vectors, 12), axis=0, return_index=True)[1].tolist()
    kept: list[int] = []
    while left:
        belief = _witness(vectors[left[-1]], vectors[kept]) if kept else _corner(vectors.shape[1])
        if belief is None:
            left.pop()
            continue
        best = min(left, key=lambda k: (float(vectors[k] @ belief), *vectors[k]))
        kept.append(best)
        left.remove(best)
    return np.sort(np.array(kept))


def _corner(size: int) -> NDArray[np.float64]:
    belief = np.zeros(size)
    belief[0] = 1.0
    return belief


def _witness(
    vector: NDArray[np.float64], others: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return a belief at which `vector` is less than all the others, or None if there is none."""
    from scipy.optimize import linprog

    size = vector.size
    found = linprog(
        np.append(np.zeros(size), -1.0),  # the margin by which it is less is maximised
        A_ub=np.column_stack([vector - others, np.ones(len(others))]),
        b_ub=np.zeros(len(others)),
        A_eq=np.append(np.ones(size), 0.0)[None, :],
        b_eq=[1.0],
        bounds=[(0.0, 1.0)] * size + [(None, None)],
        method="highs",
    )
    if found.x is None or found.x[size] <= TOLERANCE:
        return None
    belief = np.maximum(found.x[:size], 0.0)
    return np.asarray(belief / belief.sum())
