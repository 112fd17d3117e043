"""Moves of many paths between states that were seen, drawn by their number and not one by one.

Paths from i to j in n steps are alike, and only how often each move was made is asked. So the
paths that stand in one state with as many steps left to the same end are split among the next
states by one multinomial draw: the work grows with states and steps, not with records.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparing.records.paths import Array

Counts = NDArray[np.int64]


def drawn_moves(powers: Array, number: Counts, rng: np.random.Generator) -> Counts:
    """Draw how often each move [S, S] is made, staying included, in paths with given ends.

    A path in s with n steps left to j goes to t with probability
    ``P[s, t] P^(n - 1)[t, j] / P^n[s, j]`` (backward sampling, Rabiner 1989).

    Parameters
    ----------
    powers
        Shape (steps + 1, S, S): the powers 0.. of the matrix of a step.
    number
        Shape (steps + 1, S, S): of paths with n steps from i to j; their chance must be above 0.
    """
    size = powers.shape[1]
    moves = np.zeros((size, size), dtype=np.int64)
    here = np.zeros((size, size), dtype=np.int64)  # [state now, end]
    for left in range(len(number) - 1, 0, -1):
        here += number[left]
        start, end = np.nonzero(here)
        chance = powers[1][start] * powers[left - 1][:, end].T  # [start and end, next]
        chance /= chance.sum(axis=1, keepdims=True)
        split = rng.multinomial(here[start, end], chance)
        np.add.at(moves, start, split)
        here = np.zeros_like(here)
        np.add.at(here.T, end, split)
    return moves
