"""Posteriors of transition matrices and generators, against conjugacy, enumeration and truth."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm
from sparing.records.generator import generator_posterior
from sparing.records.paths import Spans, matrix_powers, sampled_paths
from sparing.records.transitions import only_worse, transition_posterior

MATRIX = np.array([[0.7, 0.2, 0.1], [0.0, 0.6, 0.4], [0.0, 0.0, 1.0]])
GENERATOR = np.array([[-0.3, 0.2, 0.1], [0.0, -0.5, 0.5], [0.0, 0.0, 0.0]])


def spans_from(generator, num, rng, longest=3.0):
    start = rng.integers(0, len(generator) - 1, num)
    duration = rng.uniform(0.2, longest, num)
    rows = expm(generator * duration[:, None, None])[np.arange(num), start]
    end = (rows.cumsum(axis=1) < rng.random((num, 1))).sum(axis=1)
    return Spans(start=start, end=np.minimum(end, len(generator) - 1), duration=duration)


def test_inspections_every_period_are_conjugate():
    """With counts (3, 1, 0) and prior 1/2 each, row 0 is Dirichlet(3.5, 1.5, .5)."""
    spans = Spans(
        start=np.array([0, 0, 0, 0, 1]), end=np.array([0, 0, 0, 1, 1]), duration=np.ones(5)
    )
    found = transition_posterior(spans, 3, num_draws=4000)
    assert found.method == "dirichlet"
    assert found.mean[0] == pytest.approx([3.5 / 5.5, 1.5 / 5.5, 0.5 / 5.5], abs=0.012)
    low, high = found.interval(0.9)
    assert (low[0, 0], high[0, 0]) == pytest.approx(
        stats.beta(3.5, 2.0).ppf([0.05, 0.95]), abs=0.02
    )
    assert np.all(found.draws[:, 1, 0] == 0.0)
    assert np.all(found.draws[:, 2] == [0.0, 0.0, 1.0])


def test_paths_have_the_distribution_that_enumeration_gives():
    """All paths 0 -> 2 in four steps, each with its probability given the end."""
    steps = 4
    exact = {}
    for middle in product(range(3), repeat=steps - 1):
        path = (0, *middle, 2)
        exact[path] = np.prod([MATRIX[a, b] for a, b in pairwise(path)])
    total = sum(exact.values())
    num = 20_000
    drawn = sampled_paths(
        matrix_powers(MATRIX, steps),
        np.zeros(num, dtype=np.int64),
        np.full(num, 2),
        np.full(num, steps),
        np.random.default_rng(3),
    )
    paths, counts = np.unique(drawn, axis=0, return_counts=True)
    seen = {tuple(path): count for path, count in zip(paths.tolist(), counts, strict=True)}
    possible = {path: p / total for path, p in exact.items() if p > 0.0}
    assert set(seen) <= set(possible)
    expected = np.array([num * p for p in possible.values()])
    found = np.array([seen.get(path, 0) for path in possible])
    assert stats.chisquare(found, expected).pvalue > 1e-4


def test_missed_inspections_leave_the_exact_posterior():
    """Two states, one span of two periods from 0 to 0: P(stay) has density p^2 x prior."""
    spans = Spans(start=np.array([0]), end=np.array([0]), duration=np.array([2.0]))
    found = transition_posterior(spans, 2, num_draws=4000)
    assert found.method == "paths"
    exact = stats.beta(2.5, 0.5)
    stay = found.draws[:, 0, 0]
    assert stay.mean() == pytest.approx(exact.mean(), abs=0.01)
    assert np.mean(stay <= exact.median()) == pytest.approx(0.5, abs=0.05)


def test_two_states_in_continuous_time_have_the_posterior_of_censored_lifetimes():
    """One span 0 -> 0 of length t: rate ~ Gamma(1/2, 1/2 t + t), as nothing failed in t."""
    spans = Spans(start=np.array([0]), end=np.array([0]), duration=np.array([2.0]))
    found = generator_posterior(spans, 2, num_draws=4000)
    exact = stats.gamma(0.5, scale=1.0 / 3.0)
    rate = found.draws[:, 0, 1]
    assert rate.mean() == pytest.approx(exact.mean(), rel=0.1)
    assert np.mean(rate <= exact.median()) == pytest.approx(0.5, abs=0.05)


def test_many_inspections_find_the_generator():
    rng = np.random.default_rng(5)
    found = generator_posterior(spans_from(GENERATOR, 2000, rng), 3, num_draws=100)
    assert found.mean == pytest.approx(GENERATOR, abs=0.05)
    matrix = found.transition(2.0)
    assert matrix.mean == pytest.approx(expm(2.0 * GENERATOR), abs=0.03)
    assert matrix.draws.sum(axis=2) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["paths", "generator"])
def test_intervals_cover_the_truth_at_their_level(kind):
    """90 % intervals of one-period probabilities over 60 data sets of 80 inspections."""
    hits, asked = 0, 0
    truth = MATRIX if kind == "paths" else expm(GENERATOR)
    for seed in range(60):
        rng = np.random.default_rng([seed, 1])
        if kind == "paths":
            start, steps = rng.integers(0, 2, 80), rng.integers(1, 4, 80)
            rows = matrix_powers(MATRIX, 3)[steps, start].cumsum(axis=1)
            end = np.minimum((rows < rng.random((80, 1))).sum(axis=1), 2)
            spans = Spans(start=start, end=end, duration=steps.astype(float))
            found = transition_posterior(spans, 3, num_draws=100, seed=seed)
        else:
            spans = spans_from(GENERATOR, 80, rng)
            found = generator_posterior(spans, 3, num_draws=100, seed=seed).transition(1.0)
        low, high = found.interval(0.9)
        entries = [(0, 0), (0, 2), (1, 1)]
        hits += sum(low[e] <= truth[e] <= high[e] for e in entries)
        asked += len(entries)
    assert 0.82 <= hits / asked <= 0.97  # 180 intervals, three to an experiment


def test_the_same_seed_gives_the_same_draws():
    spans = spans_from(GENERATOR, 50, np.random.default_rng(0))
    first, second = (generator_posterior(spans, 3, num_draws=5, seed=7) for _ in range(2))
    assert np.array_equal(first.draws, second.draws)


@pytest.mark.parametrize(
    ("start", "end", "duration", "message"),
    [
        ([0], [3], [1.0], r"end\[0\] = 3 is no state of 0..2"),
        ([1], [0], [1.0], "goes from state 1 to 0, which no allowed moves lead to"),
        ([0], [1], [1.5], r"duration\[0\] = 1.5 is not a whole number of periods"),
        ([0], [1], [0.0], r"duration\[0\] must be > 0"),
        ([0], [-1], [1.0], r"end\[0\] must be a state >= 0"),
        ([0, 1], [1], [1.0], "must have one shape"),
    ],
)
def test_bad_spans_are_refused(start, end, duration, message):
    with pytest.raises(ValueError, match=message):
        transition_posterior(
            Spans(start=np.array(start), end=np.array(end), duration=np.array(duration)), 3
        )


def test_rates_in_another_unit_are_refused():
    start = np.r_[np.zeros(100, dtype=int), 1]
    spans = Spans(start=start, end=np.ones(101, dtype=int), duration=np.r_[np.full(100, 1e-6), 1e4])
    with pytest.raises(ValueError, match="another unit"):
        generator_posterior(spans, 3)


def test_moves_may_be_limited():
    """Only to the next state: then 0 -> 2 passes 1, and no draw has a direct jump."""
    one_step = only_worse(3) & ~only_worse(3).T
    one_step[0, 2] = False
    spans = Spans(start=np.array([0, 0]), end=np.array([2, 1]), duration=np.array([1.0, 1.0]))
    found = generator_posterior(spans, 3, allowed=one_step, num_draws=20)
    assert np.all(found.draws[:, 0, 2] == 0.0)
    with pytest.raises(ValueError, match="no allowed moves"):
        generator_posterior(
            Spans(start=np.array([1]), end=np.array([0]), duration=np.array([1.0])),
            3,
            allowed=one_step,
        )
