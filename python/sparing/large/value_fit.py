"""Fit the values of the lookahead to what really follows: temporal differences by least squares.

LSTD of Bradtke & Barto (1996) for the counts per type and state, with the gain as one more
unknown where the average is minimised. The decisions looked at are disturbed now and then, so
that states which the policy never leaves a component in are valued too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparing.large.crew_policies import LookaheadPolicy
from sparing.large.crew_simulation import CrewSimulation

DISTURBED = 0.1  # share of the components that are left in another state than decided
RIDGE = 1e-3  # towards the values before


def fitted_values(
    policy: LookaheadPolicy, simulation: CrewSimulation, *, seed: int
) -> NDArray[np.float64]:
    """Return values [pairs] under `policy`, that of state 0 of each type being 0.

    The value of what follows x is sought as w . counts(x), so that

        w . counts(x) = E[paid(s', x') - gain + discount w . counts(x')],

    where s' is met behind x, x' is what the policy goes to, and `paid` has the chance of being
    down behind x' in place of the event.
    """
    system, rng = simulation.system, np.random.default_rng([seed, 1])
    free = np.ones(system.num_pairs, dtype=bool)
    free[system.offsets[:-1]] = False
    states = np.zeros((simulation.lanes, len(system.type_of)), dtype=np.int32)
    rows, differences, costs = [], [], []
    post = policy.decide(states, num_threads=simulation.num_threads)
    for epoch in range(simulation.warm_up + simulation.epochs):
        left = _disturbed(simulation, states, post, rng)
        states = simulation.worn(left, rng.random(left.shape))
        post = policy.decide(states, num_threads=simulation.num_threads)
        if epoch >= simulation.warm_up:
            before, after = system.counts(left)[:, free], system.counts(post)[:, free]
            rows.append(before)
            differences.append(before - system.discount * after)
            costs.append(simulation.paid(states, post))
    value = np.zeros(system.num_pairs)
    value[free] = _solved(
        np.concatenate(rows), np.concatenate(differences), np.concatenate(costs), policy.value[free]
    )
    return value


def _disturbed(
    simulation: CrewSimulation,
    states: NDArray[np.int32],
    post: NDArray[np.int32],
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Return `post` [B, components] with some components left in another allowed state."""
    left = post.copy()
    other = rng.integers(0, states + 1, dtype=np.int32)
    rate = 2.0 * DISTURBED * rng.random((len(states), 1))
    chosen = rng.random(states.shape) < rate
    for members, cost in zip(simulation.system.members, simulation.system.costs, strict=True):
        allowed = np.isfinite(cost[states[:, members], other[:, members]])
        use = chosen[:, members] & allowed
        left[:, members] = np.where(use, other[:, members], post[:, members])
    return left


def _solved(
    rows: NDArray[np.float64],
    differences: NDArray[np.float64],
    costs: NDArray[np.float64],
    before: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Solve for the values; the constant column takes the gain up (or what is discounted)."""
    centred = rows - rows.mean(axis=0)
    matrix = centred.T @ differences / len(rows) + RIDGE * np.eye(rows.shape[1])
    # The constant is not correlated with centred rows, so it drops out of their equations.
    right = centred.T @ costs / len(rows) + RIDGE * before
    return np.asarray(np.linalg.solve(matrix, right))
