"""Paths of a chain between two states that were seen, drawn from their exact distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
States = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Spans:
    """Pairs of successive inspections of one component, without an action in between.

    Parameters
    ----------
    start, end
        Shape (n,): the states that were seen.
    duration
        Shape (n,): the time from one to the other, > 0.
    labels
        What each is called in errors; default its number.
    """

    start: States
    end: States
    duration: Array
    labels: Sequence[str] = ()

    def __post_init__(self) -> None:
        start, end = (np.asarray(s, dtype=np.int64) for s in (self.start, self.end))
        duration = np.asarray(self.duration, dtype=np.float64)
        if not start.shape == end.shape == duration.shape or start.ndim != 1:
            raise ValueError(
                f"start, end and duration must have one shape (n,); got {start.shape},"
                f" {end.shape}, {duration.shape}."
            )
        for i in np.flatnonzero(~(np.isfinite(duration) & (duration > 0.0))):
            raise ValueError(f"duration[{i}] must be > 0 and finite; got {duration[i]}.")
        for name, states in (("start", start), ("end", end)):
            for i in np.flatnonzero(states < 0):
                raise ValueError(f"{name}[{i}] must be a state >= 0; got {states[i]}.")
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)
        object.__setattr__(self, "duration", duration)

    def check_possible(self, allowed: NDArray[np.bool_]) -> None:
        """Raise ValueError if a state is out of range, or cannot be reached by `allowed` moves.

        All spans that cannot be are named, a line each.
        """
        size = len(allowed)
        for name, states in (("start", self.start), ("end", self.end)):
            for i in np.flatnonzero(states >= size):
                raise ValueError(f"{name}[{i}] = {states[i]} is no state of 0..{size - 1}.")
        reach = np.linalg.matrix_power(allowed | np.eye(size, dtype=bool), size).astype(bool)
        wrong = []
        for i in np.flatnonzero(~reach[self.start, self.end]):
            what = self.labels[int(i)] if self.labels else f"span {i}"
            wrong.append(
                f"{what} goes from state {self.start[i]} to {self.end[i]}, which no allowed moves"
                " lead to; was there an action in between that is not on record?"
            )
        if wrong:
            raise ValueError("\n".join(wrong))


def matrix_powers(matrix: Array, most: int) -> Array:
    """Return the powers 0..most of a matrix, shape (most + 1, S, S)."""
    powers = np.empty((most + 1, *matrix.shape))
    powers[0] = np.eye(len(matrix))
    for n in range(most):
        powers[n + 1] = powers[n] @ matrix
    return powers


def sampled_paths(
    powers: Array, start: States, end: States, steps: States, rng: np.random.Generator
) -> States:
    """Draw paths of a chain with one-step matrix ``powers[1]`` that end where they must.

    The state behind the first step is s with probability proportional to
    ``P[start, s] P^(steps - 1)[s, end]``, and so on (Rabiner 1989: backward sampling).

    Returns
    -------
    Shape (n, max(steps) + 1): the states; behind the last step of a path its end is repeated.
    """
    longest = int(steps.max(initial=0))
    path = np.empty((start.size, longest + 1), dtype=np.int64)
    path[:, 0] = start
    for k in range(1, longest + 1):
        left = np.maximum(steps - k, 0)
        weight = powers[1][path[:, k - 1]] * powers[left, :, end]
        done = steps < k
        weight[done] = 0.0
        weight[done, end[done]] = 1.0
        total = np.cumsum(weight, axis=1)
        draw = rng.random(start.size) * total[:, -1]
        path[:, k] = np.argmax(total > draw[:, None], axis=1)
    return path


def counted_moves(path: States, steps: States, num_states: int) -> Array:
    """Return how often the paths go from one state to another [S, S]."""
    made = np.arange(path.shape[1] - 1) < steps[:, None]
    pair = path[:, :-1][made] * num_states + path[:, 1:][made]
    counts = np.bincount(pair, minlength=num_states * num_states)
    return counts.reshape(num_states, num_states).astype(np.float64)
