"""Relaxed sweeps: the polynomial they amount to, and solves that take fewer sweeps."""

from dataclasses import replace

import numpy as np
import pytest
import sparing
from random_systems import random_problem
from sparing.exact import separable, value_iteration
from sparing.exact.options import Options
from sparing.exact.relaxation import FIRST_REST, LATER_REST, Relaxation


def run_pair(relaxation, eigenvalues):
    """What two relaxed sweeps multiply the errors by."""
    factor = np.ones_like(eigenvalues)
    for step in (1, 2):
        extra = Relaxation(rate=relaxation.rate, step=step).extra
        factor *= 1.0 + (1.0 + extra) * (eigenvalues - 1.0)
    return factor


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_a_pair_is_the_chebyshev_polynomial_of_degree_two(rate):
    eigenvalues = np.linspace(0.0, rate, 101)
    y = 2.0 * eigenvalues / rate - 1.0
    expected = (2.0 * y * y - 1.0) / (2.0 * (2.0 / rate - 1.0) ** 2 - 1.0)
    np.testing.assert_allclose(run_pair(Relaxation(rate=rate), eigenvalues), expected, atol=1e-14)


def test_steady_sweeps_are_followed_by_pairs():
    relaxation, extras = Relaxation(), []
    for gap in (1.0, 0.4, 0.16, 0.064, 0.02, 0.004, 0.001):
        extras.append(relaxation.extra)
        relaxation = relaxation.after(gap)
    assert extras[: FIRST_REST + 1] == [0.0] * (FIRST_REST + 1)
    assert extras[3] > extras[4] > 0.0
    assert extras[5] > extras[6] > 0.0


def test_the_rate_is_that_of_the_slowest_error():
    """Assumed .4, but there is an error with .5 too: one pair tells."""
    factor = float(run_pair(Relaxation(rate=0.4), np.array([0.5]))[0])
    relaxation = Relaxation(rate=0.4, gap=1.0, pair_gap=1.0, step=1)
    assert relaxation.after(factor).rate == pytest.approx(0.5)


def test_a_pair_that_does_not_help_is_followed_by_a_rest():
    relaxation = Relaxation(rate=0.4, gap=1.0, pair_gap=1.0, step=1).after(0.4**2)
    assert relaxation == Relaxation(gap=0.4**2, rest=LATER_REST)


@pytest.fixture
def relax_small(monkeypatch):
    """Let small solves relax as well, which go sweep by sweep then."""

    def relax():
        monkeypatch.setattr(separable, "RELAXED_FROM", 1)
        monkeypatch.setattr(value_iteration, "BATCH_STATES", 1)

    return relax


def solve(problem, **options):
    epoch = problem.epoch
    return value_iteration.value_iteration(
        epoch, problem.weights, criterion=problem.criterion, options=Options(tol=1e-9, **options)
    )


@pytest.mark.parametrize("dtype", ["float64", "mixed"])
@pytest.mark.parametrize("seed", range(8))
def test_bounds_are_those_of_plain_sweeps(seed, dtype, relax_small):
    problem = random_problem(np.random.default_rng(seed))
    plain = solve(problem)
    relax_small()
    found = solve(problem, dtype=dtype)
    assert found.converged
    assert found.lower <= plain.upper
    assert found.upper >= plain.lower
    assert found.upper - found.lower <= 1e-9


def slow_problem():
    """Units that stay where they are most of the time, so that errors last."""
    component = sparing.Component(
        name="a",
        transition=np.array([[0.9, 0.1, 0.0], [0.0, 0.8, 0.2], [0.0, 0.0, 1.0]]),
        maintenance_cost=np.array([[0.0, np.inf, np.inf], [9.0, 0.0, np.inf], [30.0, 20.0, 0.0]]),
    )
    return sparing.MultiComponentProblem(
        components=tuple(replace(component, name=name) for name in "abcd"),
        structure="2-of(a, b, c, d)",
        setup_cost=5.0,
        downtime_cost=100.0,
    )


def test_it_takes_fewer_sweeps(relax_small):
    problem = slow_problem()
    plain = solve(problem)
    relax_small()
    found = solve(problem)
    assert found.converged
    assert found.num_sweeps < 0.7 * plain.num_sweeps


def test_a_relaxed_solve_that_is_cut_goes_on_to_the_same_bits(relax_small, tmp_path, monkeypatch):
    monkeypatch.setenv("SPARING_CHECKPOINT_SECONDS", "0")
    relax_small()
    problem = slow_problem()
    arguments = {
        "epoch": problem.epoch,
        "weights": problem.weights,
        "criterion": problem.criterion,
        "options": Options(tol=1e-9),
    }
    whole = value_iteration.value_iteration(**arguments)

    def stop_at(reports):
        for _ in range(reports):
            yield
        raise KeyboardInterrupt

    for reports in (5, 2, 3):
        steps = stop_at(reports)
        with pytest.raises(KeyboardInterrupt):
            value_iteration.value_iteration(
                **arguments, checkpoint_dir=tmp_path, progress=lambda _, s=steps: next(s)
            )
    resumed = value_iteration.value_iteration(**arguments, checkpoint_dir=tmp_path)
    assert (resumed.lower, resumed.upper) == (whole.lower, whole.upper)
    assert resumed.num_sweeps == whole.num_sweeps
    np.testing.assert_array_equal(resumed.posts[0], whole.posts[0])
