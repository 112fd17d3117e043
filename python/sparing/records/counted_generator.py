"""Posterior of a generator from very many inspections: paths are drawn by their number.

Uniformised with one rate lambda throughout, the moves of all paths, those to the same state
included, say all about R = I + Q / lambda, so that neither paths nor the times of jumps are drawn
one by one (`sparing.records.counted_paths`). A row of R then has the density

    prod over j != i of R[i, j]^(a - 1 + moves[i, j]) exp(-b lambda R[i, j]) R[i, i]^moves[i, i]

under Gamma(a, b) priors of the rates; with K ~ Poisson(b lambda R[i, i]) as many more moves to the
same state it is a Dirichlet one. Rates above lambda are left out: lambda is chosen far beyond them,
and the draws are made anew with twice the room if any comes near it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.records.counted_paths import Counts, drawn_moves
from sparing.records.paths import Array, Spans, States, matrix_powers

ROOM = 2.0  # lambda over the largest rate that a pilot run has drawn
NEAR = 0.8  # share of lambda that no draw may come to
BLOCK = 1 << 14  # spans at a time, which fit into the cache


@dataclass(frozen=True, kw_only=True, eq=False)
class GammaPrior:
    """Of each rate: as if so many moves had been seen in so much time."""

    events: float
    time: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SpanCounts:
    """Spans by their number.

    Parameters
    ----------
    start, end, duration, count
        Shape (groups,): different ones, ordered by start and end, and how many there are of each.
    stayed
        Shape (S,): total time of spans in which no other state can have been visited; they are in
        no group.
    visited
        Shape (S,): whether any path may have been in a state.
    """

    start: States
    end: States
    duration: Array
    count: Counts
    stayed: Array
    visited: NDArray[np.bool_]

    @classmethod
    def of(cls, spans: Spans, moves: NDArray[np.bool_]) -> SpanCounts:
        """Count spans; `moves` [S, S] are those that can happen at one moment."""
        size = len(moves)
        reach = np.linalg.matrix_power(moves | np.eye(size, dtype=bool), size).astype(bool)
        returns = np.diag((moves @ reach).astype(bool))
        fixed = (spans.start == spans.end) & ~returns[spans.start]
        stayed = np.bincount(spans.start[fixed], spans.duration[fixed], minlength=size)
        open_ = ~fixed
        keys = np.stack([spans.start[open_], spans.end[open_], spans.duration[open_]])
        order = np.lexsort(keys[::-1])
        keys = keys[:, order]
        is_new = np.ones(keys.shape[1], dtype=bool)
        is_new[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
        first = np.flatnonzero(is_new)
        start, end = keys[0, first].astype(np.int64), keys[1, first].astype(np.int64)
        pairs = np.unique(np.stack([start, end]), axis=1)
        between = (reach[pairs[0]] & reach[:, pairs[1]].T).any(axis=0)
        return cls(
            start=start,
            end=end,
            duration=keys[2, first],
            count=np.diff(first, append=keys.shape[1]),
            stayed=stayed.astype(np.float64),
            visited=between | (stayed > 0.0),
        )


def counted_draws(
    spans: SpanCounts,
    moves: NDArray[np.bool_],
    prior: GammaPrior,
    pilot: Array,
    *,
    num_draws: int,
    burn_in: int,
    rng: np.random.Generator,
) -> Array:
    """Return draws [draws, S, S] of the rates, zero on the diagonal.

    Parameters
    ----------
    pilot
        Shape (any, S, S): draws from some of the spans; the first state of the chain is the last.
    """
    fastest = ROOM * float(pilot.sum(axis=2)[:, spans.visited].max())
    while True:
        sampler = _Sampler(spans, moves, prior, fastest, rng)
        rates, kept = pilot[-1], []
        for draw in range(burn_in + num_draws):
            rates = sampler.step(rates)
            if draw >= burn_in:
                kept.append(rates)
        found = np.stack(kept)
        if found.sum(axis=2)[:, spans.visited].max() < NEAR * fastest:
            return found
        fastest *= 2.0


class _Sampler:
    def __init__(
        self,
        spans: SpanCounts,
        moves: NDArray[np.bool_],
        prior: GammaPrior,
        fastest: float,
        rng: np.random.Generator,
    ) -> None:
        self.spans, self.moves, self.prior = spans, moves, prior
        self.fastest, self.rng = fastest, rng
        mean = fastest * spans.duration
        longest = float(mean.max(initial=0.0))
        self.most = int(np.ceil(longest + 10.0 * np.sqrt(longest) + 20.0))
        count = np.arange(self.most + 1)
        log_factorial = np.concatenate(([0.0], np.cumsum(np.log(count[1:]))))
        log_weight = count * np.log(mean)[:, None] - mean[:, None] - log_factorial
        weight = np.exp(log_weight, out=log_weight)  # [groups, jumps]
        pair = spans.start * len(moves) + spans.end
        self.groups = []
        for one in np.unique(pair):
            single = (pair == one) & (spans.count == 1)
            several = (pair == one) & (spans.count > 1)
            self.groups.append(
                (
                    one,
                    np.ascontiguousarray(weight[single].T),
                    weight[several],
                    spans.count[several],
                )
            )

    def step(self, rates: Array) -> Array:
        """Draw jumps and moves given the rates, then rates given these."""
        size, visited = len(rates), self.spans.visited
        step = np.where(visited[:, None], rates, 0.0) / self.fastest
        np.fill_diagonal(step, np.maximum(1.0 - step.sum(axis=1), 0.0))
        powers = matrix_powers(step, self.most)
        made = drawn_moves(powers, self._jumps(powers), self.rng)
        stays = np.diag(step) * self.fastest
        seen = np.diag(made) + self.rng.poisson(stays * self.spans.stayed)
        unseen = self.rng.poisson(stays * self.prior.time)
        shape = np.where(self.moves, self.prior.events + made, 0.0)
        shape[np.arange(size), np.arange(size)] = 1.0 + seen + unseen
        drawn = self.rng.standard_gamma(shape)
        rates = self.fastest * drawn / drawn.sum(axis=1, keepdims=True)
        before = self.rng.standard_gamma(np.where(self.moves, self.prior.events, 1.0))
        rates = np.where(visited[:, None], rates, before / self.prior.time)
        return np.where(self.moves, rates, 0.0)

    def _jumps(self, powers: Array) -> Counts:
        """Draw how many paths have n jumps, by start and end: [jumps + 1, S, S]."""
        size = powers.shape[1]
        found = np.zeros((len(powers), size * size), dtype=np.int64)
        for pair, single, several, count in self.groups:
            path = powers.reshape(len(powers), -1)[:, pair]
            for at in range(0, single.shape[1], BLOCK):
                found[:, pair] += self._jumps_of(single[:, at : at + BLOCK], path)
            if count.size:
                chance = several * path
                chance /= chance.sum(axis=1, keepdims=True)
                found[:, pair] += self.rng.multinomial(count, chance).sum(axis=0)
        return found.reshape(-1, size, size)

    def _jumps_of(self, weight: Array, path: Array) -> Counts:
        """Draw the jumps of spans one by one by inversion, and count them: [jumps + 1]."""
        below = self.rng.random(weight.shape[1]) * (path @ weight)
        total, left = np.zeros(weight.shape[1]), [weight.shape[1]]
        for row, chance in zip(weight, path, strict=True):
            total += chance * row
            left.append(int(np.count_nonzero(total <= below)))
            if not left[-1]:
                break
        found = np.zeros(len(path), dtype=np.int64)
        found[: len(left) - 1] = -np.diff(left)
        found[len(left) - 2] += left[-1]  # what rounding has left over
        return found
