"""Rows of a chain that never goes back: uniformisation against the matrix exponential."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm
from sparing.models.counts import Counts
from sparing.models.transient import ForwardChain, transient_rows


def random_chain(seed, size):
    rng = np.random.default_rng(seed)
    rates = np.triu(rng.uniform(0.1, 2.0, (size, size)), 1) * (rng.random((size, size)) < 0.4)
    rates[rng.random(size) < 0.2] = 0.0  # absorbing ones
    start, to = np.nonzero(rates)
    chain = ForwardChain(
        indptr=np.searchsorted(start, np.arange(size + 1)).astype(np.int64),
        to=to.astype(np.int32),
        rate=rates[start, to],
    )
    return chain, rates


def by_expm(rates, time, mark_rate):
    """The chain on (state, marked) by one matrix exponential, with its integral."""
    size = len(rates)
    moves = np.diag((rates.sum(axis=1) > 0) * mark_rate)
    generator = np.block([[rates, moves], [np.zeros_like(rates), rates]])
    generator -= np.diag(generator.sum(axis=1))
    whole = np.zeros((4 * size, 4 * size))
    whole[: 2 * size, : 2 * size] = generator
    whole[: 2 * size, 2 * size :] = np.eye(2 * size)
    found = expm(whole * time)
    end, spent = found[: 2 * size, : 2 * size], found[: 2 * size, 2 * size :]
    moving = rates.sum(axis=1) > 0
    return (
        end[:size, :size],
        end[:size, size:],
        spent[:size, :size][:, moving].sum(axis=1),
        spent[:size, size:][:, moving].sum(axis=1),
    )


def dense(rows, values):
    matrix = np.zeros((rows.indptr.size - 1,) * 2)
    matrix[rows.rows, rows.to] = values
    return matrix


@pytest.mark.parametrize("size", [1, 2, 7, 23])
@pytest.mark.parametrize("time", [0.01, 1.0, 12.0])
@pytest.mark.parametrize("mark_rate", [0.0, 0.7])
def test_rows_and_times_are_those_of_the_matrix_exponential(size, time, mark_rate):
    chain, rates = random_chain(size, size)
    rows = transient_rows(chain, time, mark_rate)
    early, marked, time_early, time_marked = by_expm(rates, time, mark_rate)
    assert dense(rows, rows.early) == pytest.approx(early, abs=1e-12)
    assert dense(rows, rows.marked) == pytest.approx(marked, abs=1e-12)
    assert rows.time_early == pytest.approx(time_early, abs=1e-11)
    assert rows.time_marked == pytest.approx(time_marked, abs=1e-11)
    sums = np.bincount(rows.rows, rows.early + rows.marked)
    assert sums == pytest.approx(np.ones(size), abs=1e-14)


@pytest.mark.parametrize("mean", [1e-6, 0.5, 30.0, 800.0, 20_000.0])
def test_weights_neither_under_nor_overflow(mean):
    """One move at rate 1: after `mean` it has happened with chance 1 - exp(-mean).

    exp(-800) underflows nothing that counts; 20 000 would overflow a naive recursion from 0.
    """
    chain = ForwardChain(
        indptr=np.array([0, 1, 1]), to=np.array([1], dtype=np.int32), rate=np.array([1.0])
    )
    rows = transient_rows(chain, mean)
    assert rows.early[1] == pytest.approx(-np.expm1(-mean), rel=1e-10)
    assert rows.time_early[0] == pytest.approx(-np.expm1(-mean), rel=1e-10)
    assert rows.error.missing_mass < 1e-16
    assert rows.error.num_steps < mean + 12.0 * np.sqrt(mean) + 40.0


def test_the_error_that_is_reported_covers_a_coarse_truncation():
    chain, rates = random_chain(5, 12)
    exact = transient_rows(chain, 3.0, 0.4)
    for tolerance in (1e-2, 1e-4, 1e-8):
        rows = transient_rows(chain, 3.0, 0.4, tolerance=tolerance)
        error = np.abs(rows.early - exact.early) + np.abs(rows.marked - exact.marked)
        assert np.bincount(rows.rows, error).max() <= rows.error.row
        for name in ("time_early", "time_marked"):
            lack = getattr(exact, name) - getattr(rows, name)
            assert np.abs(lack).max() <= rows.error.missing_time + 3.0 * rows.error.rounding
        assert rows.error.num_steps < exact.error.num_steps
    assert rates.size


def test_the_threads_change_nothing():
    counts = Counts(7, 5)
    speed = np.concatenate([np.zeros(3), np.ones(5)])
    chain = counts.wear(np.diag([0.1, 0.2, 0.3, 0.4], 1), speed, 3)
    one, two = (transient_rows(chain, 5.0, 0.3, num_threads=n) for n in (1, 2))
    for name in ("indptr", "to", "early", "marked", "time_early", "time_marked"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


@pytest.mark.parametrize(("total", "conditions"), [(1, 2), (4, 1), (5, 3), (6, 5)])
def test_counts_are_numbered_from_new_to_failed(total, conditions):
    counts = Counts(total, conditions)
    vectors = counts.vectors
    assert len(vectors) == counts.size == len({tuple(v) for v in vectors.tolist()})
    assert (vectors.sum(axis=1) == total).all()
    assert vectors[0].tolist() == [total] + [0] * (conditions - 1)
    assert sorted(map(tuple, vectors.tolist()), reverse=True) == list(map(tuple, vectors.tolist()))
    assert (counts.index(vectors) == np.arange(counts.size)).all()


def test_wear_moves_one_component_at_a_time_and_stops_when_down():
    counts, rates = Counts(3, 3), np.array([[0, 0.1, 0.05], [0, 0, 0.2], [0, 0, 0]])
    chain = counts.wear(rates, np.array([0.0, 0.0, 1.0, 0.5]), 2)
    found = {}
    for i in range(counts.size):
        for entry in range(chain.indptr[i], chain.indptr[i + 1]):
            ends = counts.vectors[i], counts.vectors[chain.to[entry]]
            found[tuple(map(tuple, np.array(ends).tolist()))] = chain.rate[entry]
    assert found[(3, 0, 0), (2, 1, 0)] == pytest.approx(3 * 0.1 * 0.5)
    assert found[(3, 0, 0), (2, 0, 1)] == pytest.approx(3 * 0.05 * 0.5)
    assert found[(1, 1, 1), (1, 0, 2)] == pytest.approx(0.2)
    assert not any(start[2] >= 2 for start, _ in found)
