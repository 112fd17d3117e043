"""Degradation in continuous time from inspections at any times: posterior of the generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from sparing.records.counted_generator import GammaPrior, SpanCounts, counted_draws
from sparing.records.paths import Array, Spans, counted_moves, matrix_powers, sampled_paths
from sparing.records.transitions import (
    BURN_IN,
    JEFFREYS,
    TransitionPosterior,
    checked_moves,
)

MOST_JUMPS = 10_000  # of one span; beyond, rates and durations are in different units
MANY = 5_000  # spans beyond which paths are drawn by their number
PILOT_DRAWS = 20  # of rates from `MANY` spans, to begin with


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneratorPosterior:
    """What is known of the rates of a continuous-time Markov chain.

    Parameters
    ----------
    draws
        Shape (draws, S, S): generators from the posterior, rows sum to zero.
    num_spans
        Pairs of inspections that were used.
    """

    draws: Array
    num_spans: int

    @property
    def mean(self) -> Array:
        """The posterior mean [S, S], per unit of time."""
        mean: Array = self.draws.mean(axis=0)
        return mean

    def transition(self, period: float) -> TransitionPosterior:
        """Return the posterior of the transition matrix exp(Q period)."""
        if not period > 0.0:
            raise ValueError(f"period must be > 0; got {period}.")
        draws = np.clip(expm(self.draws * period), 0.0, None)
        draws /= draws.sum(axis=2, keepdims=True)
        return TransitionPosterior(draws=draws, num_spans=self.num_spans, method="generator")


def generator_posterior(
    spans: Spans,
    num_states: int,
    *,
    allowed: NDArray[np.bool_] | None = None,
    prior_events: float = JEFFREYS,
    num_draws: int = 1000,
    seed: int = 0,
) -> GeneratorPosterior:
    """Return the posterior of the generator from inspections at irregular times.

    Rates have Gamma priors of shape `prior_events` whose mean is one event per mean span. Paths
    between the inspections are drawn in turn with the rates (Bladt & Sorensen 2005), by
    uniformisation (Fearnhead & Sherlock 2006): with R = I + Q / lambda, a span of length t from i
    to j has n jumps, real or not, with probability proportional to
    Poisson(n; lambda t) R^n[i, j]. Paths of more than `MANY` spans are drawn by their number.

    Parameters
    ----------
    allowed
        Shape (S, S): the moves that can happen at one moment. Default: to any worse state.

    Raises
    ------
    ValueError
        If there is no span, a span is impossible, or the prior is no prior.
    """
    moves = checked_moves(allowed, num_states)
    spans.check_possible(moves)
    if spans.start.size == 0:
        raise ValueError("there must be at least one pair of successive inspections.")
    if not prior_events > 0.0:
        raise ValueError(f"prior_events must be > 0; got {prior_events}.")
    rng = np.random.default_rng(seed)
    prior = GammaPrior(events=prior_events, time=prior_events * float(spans.duration.mean()))
    draw = _draws_of_many if spans.start.size > MANY else _draws
    rates = draw(spans, moves, prior, num_draws, rng)
    generators = rates - np.eye(num_states) * rates.sum(axis=2)[:, :, None]
    return GeneratorPosterior(draws=generators, num_spans=spans.start.size)


def _draws_of_many(
    spans: Spans,
    moves: NDArray[np.bool_],
    prior: GammaPrior,
    num_draws: int,
    rng: np.random.Generator,
) -> Array:
    """Return draws of the rates by counts of paths; they begin at those of some of the spans."""
    some = rng.choice(spans.start.size, MANY, replace=False)
    few = Spans(start=spans.start[some], end=spans.end[some], duration=spans.duration[some])
    return counted_draws(
        SpanCounts.of(spans, moves),
        moves,
        prior,
        _draws(few, moves, prior, PILOT_DRAWS, rng),
        num_draws=num_draws,
        burn_in=BURN_IN,
        rng=rng,
    )


def _draws(
    spans: Spans,
    moves: NDArray[np.bool_],
    prior: GammaPrior,
    num_draws: int,
    rng: np.random.Generator,
) -> Array:
    """Return draws [draws, S, S] of the rates, paths drawn one by one."""
    rates = np.where(moves, prior.events / prior.time, 0.0)
    kept = []
    for draw in range(BURN_IN + num_draws):
        moved, stayed = _augmented(rates, spans, rng)
        shape = np.where(moves, prior.events + moved, 1.0)
        rates = np.where(moves, rng.standard_gamma(shape) / (prior.time + stayed)[:, None], 0.0)
        if draw >= BURN_IN:
            kept.append(rates)
    return np.stack(kept)


def _augmented(rates: Array, spans: Spans, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw a path per span; return the moves [S, S] and the time in each state [S]."""
    size = len(rates)
    fastest = float(rates.sum(axis=1).max())
    mean_jumps = fastest * spans.duration
    most = int(np.ceil(mean_jumps.max() + 10.0 * np.sqrt(mean_jumps.max()) + 20.0))
    if most > MOST_JUMPS:
        raise ValueError(
            f"a span of {spans.duration.max():g} may hold {most} moves; are some durations in"
            " another unit than the rest?"
        )
    stay = np.eye(size) * (1.0 - rates.sum(axis=1) / fastest)
    powers = matrix_powers(rates / fastest + stay, most)
    jumps = _sampled_jumps(powers, spans, mean_jumps, rng)
    path = sampled_paths(powers, spans.start, spans.end, jumps, rng)
    moved = counted_moves(path, jumps, size)
    np.fill_diagonal(moved, 0.0)
    # Jump times are uniform, so the pieces between them are those of a broken stick.
    pieces = rng.standard_exponential(path.shape)
    pieces[np.arange(path.shape[1]) > jumps[:, None]] = 0.0
    pieces *= (spans.duration / pieces.sum(axis=1))[:, None]
    stayed = np.zeros(size)
    np.add.at(stayed, path.ravel(), pieces.ravel())
    return moved, stayed


def _sampled_jumps(
    powers: Array, spans: Spans, mean_jumps: Array, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the number of jumps of the uniformised chain in each span."""
    count = np.arange(len(powers))
    log_factorial = np.concatenate(([0.0], np.cumsum(np.log(count[1:]))))
    log_weight = count * np.log(mean_jumps)[:, None] - mean_jumps[:, None] - log_factorial
    weight = np.exp(log_weight) * powers[:, spans.start, spans.end].T
    total = np.cumsum(weight, axis=1)
    draw = rng.random(spans.start.size) * total[:, -1]
    jumps: NDArray[np.int64] = np.argmax(total > draw[:, None], axis=1)
    return jumps
