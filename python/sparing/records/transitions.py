"""Transition matrices of degradation from inspections: posteriors, not point estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.records.counted_paths import drawn_moves
from sparing.records.paths import Array, Spans, matrix_powers

JEFFREYS = 0.5
BURN_IN = 100  # draws left out before the first that is kept
WHOLE = 1e-6  # relative distance from whole periods that counts as none


@dataclass(frozen=True, kw_only=True, eq=False)
class TransitionPosterior:
    """What is known of a transition matrix.

    Parameters
    ----------
    draws
        Shape (draws, S, S): matrices from the posterior, rows sum to one.
    num_spans
        Pairs of inspections that were used.
    method
        ``"dirichlet"``: independent draws; ``"paths"`` and ``"generator"``: a Markov chain's.
    """

    draws: Array
    num_spans: int
    method: str

    @property
    def mean(self) -> Array:
        """The posterior mean [S, S]."""
        mean: Array = self.draws.mean(axis=0)
        return mean

    def interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Return lower and upper ends of the equal-tailed interval of each entry [S, S]."""
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be in (0, 1); got {level}.")
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(self.draws, [tail, 1.0 - tail], axis=0)
        return low, high


def only_worse(num_states: int) -> NDArray[np.bool_]:
    """Return the moves of a component that never mends itself: to any worse state [S, S]."""
    return np.triu(np.ones((num_states, num_states), dtype=bool), 1)


def transition_posterior(
    spans: Spans,
    num_states: int,
    *,
    period: float = 1.0,
    allowed: NDArray[np.bool_] | None = None,
    prior: float = JEFFREYS,
    num_draws: int = 1000,
    seed: int = 0,
) -> TransitionPosterior:
    """Return the posterior of the matrix of one period from inspections whole periods apart.

    Each row has a Dirichlet prior with `prior` on every entry that is allowed. Where all
    inspections are one period apart it is conjugate and the draws are independent; else the
    states in between are drawn in turn with the matrix (data augmentation, Tanner & Wong 1987).

    Parameters
    ----------
    period
        Length of a period, in the unit of the durations.
    allowed
        Shape (S, S): the moves to another state that can happen in one period; staying always
        can. Default: to any worse (higher) state.

    Raises
    ------
    ValueError
        If a duration is not a whole number of periods, or a span is impossible.
    """
    moves = checked_moves(allowed, num_states)
    spans.check_possible(moves)
    if not prior > 0.0:
        raise ValueError(f"prior must be > 0; got {prior}.")
    steps = np.rint(spans.duration / period).astype(np.int64)
    for i in np.flatnonzero((np.abs(spans.duration / period - steps) > WHOLE) | (steps < 1)):
        raise ValueError(
            f"duration[{i}] = {spans.duration[i]} is not a whole number of periods of {period};"
            " use generator_posterior, which takes any times."
        )
    rng = np.random.default_rng(seed)
    weights = np.where(moves | np.eye(num_states, dtype=bool), prior, 0.0)
    if np.all(steps == 1):
        np.add.at(weights, (spans.start, spans.end), 1.0)
        draws = np.stack([_dirichlet_rows(weights, rng) for _ in range(num_draws)])
        return TransitionPosterior(draws=draws, num_spans=steps.size, method="dirichlet")
    matrix = weights / weights.sum(axis=1, keepdims=True)
    number = np.zeros((int(steps.max()) + 1, num_states, num_states), dtype=np.int64)
    np.add.at(number, (steps, spans.start, spans.end), 1)
    kept = []
    for draw in range(BURN_IN + num_draws):
        made = drawn_moves(matrix_powers(matrix, len(number) - 1), number, rng)
        matrix = _dirichlet_rows(weights + made, rng)
        if draw >= BURN_IN:
            kept.append(matrix)
    return TransitionPosterior(draws=np.stack(kept), num_spans=steps.size, method="paths")


def checked_moves(allowed: NDArray[np.bool_] | None, num_states: int) -> NDArray[np.bool_]:
    """Return the moves as a mask without the diagonal, or raise ValueError."""
    if num_states < 2:
        raise ValueError(f"num_states must be at least 2; got {num_states}.")
    if allowed is None:
        return only_worse(num_states)
    moves = np.array(allowed, dtype=bool)
    if moves.shape != (num_states, num_states):
        raise ValueError(f"allowed must have shape {(num_states,) * 2}; got {moves.shape}.")
    np.fill_diagonal(moves, False)
    return moves


def _dirichlet_rows(weights: Array, rng: np.random.Generator) -> Array:
    drawn = rng.standard_gamma(weights)  # zero where the weight is
    rows: Array = drawn / drawn.sum(axis=1, keepdims=True)
    return rows
