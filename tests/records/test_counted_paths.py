"""Paths drawn by their number: moves against their formula, rates against posteriors on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm
from sparing.records import generator
from sparing.records.counted_paths import drawn_moves
from sparing.records.generator import generator_posterior
from sparing.records.paths import Spans, counted_moves, matrix_powers, sampled_paths

MATRIX = np.array([[0.7, 0.2, 0.1], [0.15, 0.5, 0.35], [0.05, 0.05, 0.9]])
STEPS = 5


@pytest.fixture
def number():
    """How many paths there are by steps, start and end."""
    return np.random.default_rng(0).integers(0, 40, (STEPS + 1, 3, 3))


def expected_moves(powers, number):
    """Sum over paths and steps of P(s at step k, t at step k + 1 | start, end)."""
    found = np.zeros((3, 3))
    for steps in range(1, STEPS + 1):
        for k in range(steps):
            joint = np.einsum(
                "is,st,tj->ijst", powers[k], powers[1], powers[steps - k - 1], optimize=True
            )
            found += np.einsum("ij,ijst->st", number[steps] / powers[steps], joint)
    return found


def test_moves_have_the_mean_of_the_formula_and_the_spread_of_paths(number):
    powers, rng, draws = matrix_powers(MATRIX, STEPS), np.random.default_rng(1), 1000
    found = np.array([drawn_moves(powers, number, rng) for _ in range(draws)])
    assert np.all(found.sum(axis=(1, 2)) == (np.arange(STEPS + 1)[:, None, None] * number).sum())
    error = found.std(axis=0) / np.sqrt(draws)
    assert np.all(np.abs(found.mean(axis=0) - expected_moves(powers, number)) < 4.5 * error)
    steps, start, end = (
        np.repeat(axis, number.ravel()) for axis in np.indices(number.shape).reshape(3, -1)
    )
    paths = np.array(
        [counted_moves(sampled_paths(powers, start, end, steps, rng), steps, 3) for _ in range(200)]
    )
    assert found.std(axis=0) == pytest.approx(paths.std(axis=0), rel=0.2)


def grid_posterior(log_likelihood, prior_time, axes, events=0.5):
    """Return the mean and the standard deviation of each rate, by sums over a grid."""
    rates = np.meshgrid(*axes, indexing="ij")
    log = log_likelihood(*rates)
    for rate in rates:
        log = log + (events - 1.0) * np.log(rate) - prior_time * rate
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    means = [float((weight * rate).sum()) for rate in rates]
    spreads = [
        float(np.sqrt((weight * (rate - mean) ** 2).sum()))
        for rate, mean in zip(rates, means, strict=True)
    ]
    return means, spreads


@pytest.fixture
def many(monkeypatch):
    """All numbers of spans are many."""
    monkeypatch.setattr(generator, "MANY", 40)


@pytest.mark.parametrize("rounded", [False, True], ids=["times of their own", "whole days"])
def test_a_lifetime_seen_in_intervals_has_its_posterior(many, rounded):
    """Two states: P(0 to 0 in t) = exp(-q t)."""
    rng = np.random.default_rng(2)
    time = rng.uniform(0.5, 6.0, 150)
    time = np.ceil(time) if rounded else time
    end = (rng.exponential(1.0 / 0.3, 150) < time).astype(np.int64)
    spans = Spans(start=np.zeros(150, dtype=np.int64), end=end, duration=time)

    def log_likelihood(rate):
        gone = -np.expm1(-rate[:, None] * time[end == 1])
        return np.log(gone).sum(axis=1) - rate * time[end == 0].sum()

    means, spreads = grid_posterior(
        log_likelihood, 0.5 * time.mean(), [np.linspace(0.05, 0.8, 3000)]
    )
    found = generator_posterior(spans, 2, num_draws=1200, seed=1).draws[:, 0, 1]
    assert found.mean() == pytest.approx(means[0], abs=0.2 * spreads[0])
    assert found.std() == pytest.approx(spreads[0], rel=0.12)


def test_states_that_are_come_back_to_have_their_posterior(many):
    """Two states that lead to one another: P(0 to 0 in t) = (m + l exp(-(l + m) t)) / (l + m)."""
    rng = np.random.default_rng(3)
    start, time = rng.integers(0, 2, 300), rng.uniform(0.1, 0.8, 300)
    rows = expm(np.array([[-0.6, 0.6], [1.0, -1.0]]) * time[:, None, None])
    end = (rng.random(300) > rows[np.arange(300), start, 0]).astype(np.int64)

    def log_likelihood(up, down):
        total, found = up + down, 0.0
        for s, e, t in zip(start, end, time, strict=True):
            leave = (down, up)[1 - s] / total * -np.expm1(-total * t)
            found = found + np.log(leave if e != s else 1.0 - leave)
        return found

    axes = [np.linspace(0.1, 1.8, 60), np.linspace(0.2, 2.6, 60)]
    means, spreads = grid_posterior(log_likelihood, 0.5 * time.mean(), axes)
    moves = np.ones((2, 2), dtype=bool)
    spans = Spans(start=start, end=end, duration=time)
    found = generator_posterior(spans, 2, allowed=moves, num_draws=1200).draws
    for rate, mean, spread in zip((found[:, 0, 1], found[:, 1, 0]), means, spreads, strict=True):
        assert rate.mean() == pytest.approx(mean, abs=0.25 * spread)
        assert rate.std() == pytest.approx(spread, rel=0.15)


def test_rates_of_states_that_were_never_met_keep_their_prior(many):
    """Three states, all seen in 0 and 1 alone and never on the way: Gamma(1/2, 1/2 mean time)."""
    rng = np.random.default_rng(4)
    end = (rng.random(100) < 0.3).astype(np.int64)
    spans = Spans(start=np.zeros(100, dtype=np.int64), end=end, duration=np.full(100, 2.0))
    moves = np.triu(np.ones((4, 4), dtype=bool), 1)
    found = generator_posterior(spans, 4, allowed=moves, num_draws=1500, seed=2)
    assert found.draws[:, 2, 3].mean() == pytest.approx(0.5, rel=0.2)
    assert np.all(found.draws[:, 3] == 0.0)
    assert np.all(np.diagonal(found.draws.sum(axis=2)) == pytest.approx(0.0, abs=1e-12))
