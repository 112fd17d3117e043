"""Chains that value iteration finds hard: what it says, and that its bounds hold."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from sparing.epoch import Axis, Chance, Cost, Decision, Epoch
from sparing.exact.value_iteration import Options, value_iteration
from sparing.table import Table


def chain(transition, cost, *, discount=1.0):
    size = len(cost)
    nodes = [Cost("x", cost), Chance("x", transition)]
    return Epoch(axes=[Axis("x", size)], nodes=nodes, discount=discount)


def solved(epoch, *, criterion="average", initial=None, **options):
    options = Options(num_threads=1, **options)
    return value_iteration(epoch, criterion=criterion, initial=initial, options=options)


@pytest.mark.parametrize("period", [2, 3, 7])
@pytest.mark.parametrize("dtype", ["float64", "float32", "mixed"])
def test_a_periodic_chain_is_damped_until_it_converges(period, dtype):
    """State i moves to i + 1 for sure and costs i: the gain is the mean."""
    notes = []
    epoch = chain(np.roll(np.eye(period), 1, axis=1), np.arange(period) * 1.0)
    found = value_iteration(
        epoch,
        options=Options(tol=1e-3, dtype=dtype, num_threads=1),
        progress=lambda progress: notes.append(progress.note),
    )
    gain = (period - 1) / 2
    assert found.converged
    assert "damped" in notes
    assert found.lower <= gain <= found.upper
    assert found.gap <= 1e-3


def test_a_periodic_decision_process_converges_too():
    """From 0 to 1 at a cost of 4, or staying for 3; from 1 only back to 0, at 0: the cycle is 2."""
    costs = [[3.0, 4.0], [0.0, np.inf]]
    found = solved(Epoch(axes=[Axis("x", 2)], nodes=[Decision("x", costs)]), tol=1e-6)
    assert found.converged
    assert found.lower <= 2.0 <= found.upper
    assert found.posts[0].tolist() == [1, 0]


def test_several_recurrent_classes_are_told_apart_from_slow_convergence():
    """Two absorbing states that cost 1 and 3: the gain depends on where one starts."""
    epoch = chain(np.eye(2), [1.0, 3.0])
    found = solved(epoch)
    assert not found.converged
    assert found.lower <= 1.0 <= 3.0 <= found.upper
    assert "several recurrent classes" in found.message
    assert "Stopped with a gap of 2 " in found.message
    assert found.num_sweeps < 1_000
    assert "NOT converged" in str(found)


def test_a_decision_between_classes_makes_one_gain():
    """Three absorbing states; from each one may move to any other at a price of 5."""
    move = 5.0 * (1.0 - np.eye(3))
    nodes = [Cost("x", [1.0, 3.0, 9.0]), Decision("x", move)]
    found = solved(Epoch(axes=[Axis("x", 3)], nodes=nodes))
    assert found.converged
    assert found.objective == pytest.approx(1.0, abs=1e-6)
    assert found.posts[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("rare", [1e-2, 1e-3])
def test_a_chain_that_mixes_slowly_converges_in_the_end(rare):
    """From 0 to 1 with chance p and back with 2 p: a third of the time in 1."""
    epoch = chain([[1 - rare, rare], [2 * rare, 1 - 2 * rare]], [0.0, 30.0])
    found = solved(epoch, tol=1e-6)
    assert found.converged
    assert found.lower <= 10.0 <= found.upper


def test_a_chain_that_hardly_mixes_has_valid_bounds_whatever_happens():
    rare = 1e-7
    epoch = chain([[1 - rare, rare], [2 * rare, 1 - 2 * rare]], [0.0, 30.0])
    for max_sweeps in (1, 10, 2_000):
        found = solved(epoch, max_sweeps=max_sweeps)
        assert found.lower <= 10.0 <= found.upper
        assert not found.converged
        assert found.message.startswith("Stopped")


def test_max_sweeps_stops_with_a_message_and_valid_bounds():
    epoch = chain([[0.99, 0.01], [0.02, 0.98]], [0.0, 30.0])
    found = solved(epoch, max_sweeps=7)
    assert (found.num_sweeps, found.converged) == (7, False)
    assert found.message.startswith("Stopped at max_sweeps = 7 with a gap of")
    assert found.lower <= 10.0 <= found.upper


@pytest.mark.parametrize("max_sweeps", [1, 2, 5, 50])
def test_max_sweeps_may_end_the_draft_of_a_mixed_solve(max_sweeps):
    epoch = chain([[0.99, 0.01], [0.02, 0.98]], [0.0, 30.0])
    found = solved(epoch, max_sweeps=max_sweeps, dtype="mixed")
    assert found.lower <= 10.0 <= found.upper
    assert found.num_sweeps <= max_sweeps


def test_float32_says_when_its_precision_is_used_up():
    epoch = chain([[0.7, 0.3], [0.6, 0.4]], [1e6, 3e6])
    found = solved(epoch, dtype="float32", tol=1e-6)
    assert not found.converged
    assert "float32" in found.message
    exact = (2 * 1e6 + 1 * 3e6) / 3
    assert found.lower <= exact <= found.upper
    better = solved(epoch, dtype="mixed", tol=1e-3)
    assert better.converged
    assert better.lower <= exact <= better.upper


@pytest.mark.parametrize(
    ("discount", "dtype"),
    [
        *product([0.01, 0.3, 0.5, 0.9, 0.999], ["float64", "float32", "mixed"]),
    ],
)
def test_discounted_bounds_allow_for_the_rounding_of_the_value_itself(discount, dtype):
    """Thirds and large numbers, so that almost everything is rounded; 20 chains in closed form."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        transition = rng.dirichlet(np.ones(5), 5)
        cost = rng.uniform(1e3, 1e4, 5) / 3.0
        exact = np.linalg.solve(np.eye(5) - discount * transition, cost)
        epoch = chain(transition, cost, discount=discount)
        found = solved(epoch, criterion="discounted", dtype=dtype, tol=1e-9, initial=(2,))
        rounding = 1e-11 * exact.max()  # of the closed form
        assert found.lower - rounding <= exact[2] <= found.upper + rounding
        assert np.abs(found.value - exact).max() <= found.value_slack + rounding


def test_the_tolerance_may_be_relative():
    epoch = chain([[0.99, 0.01], [0.02, 0.98]], [0.0, 30.0])
    loose, tight = solved(epoch, relative_tol=1e-2), solved(epoch)
    assert loose.converged
    assert loose.gap <= 0.11
    assert loose.num_sweeps < tight.num_sweeps


def test_what_is_not_kept_is_not_there():
    epoch = Epoch(axes=[Axis("x", 2)], nodes=[Decision("x", [[0.0, 1.0], [1.0, 0.0]])])
    found = solved(epoch, keep_value=False, keep_policy=False)
    assert found.value is None
    assert found.posts == ()


def test_progress_reports_bounds_that_close_in():
    reports = []
    epoch = chain([[0.99, 0.01], [0.02, 0.98]], [0.0, 30.0])
    value_iteration(epoch, options=Options(num_threads=1), progress=reports.append)
    assert reports[-1].num_sweeps > 64
    gaps = [report.upper - report.lower for report in reports]
    assert gaps == sorted(gaps, reverse=True)
    assert all(report.lower <= 10.0 <= report.upper for report in reports)


def test_an_epoch_without_a_choice_or_of_one_state_is_solved():
    found = solved(Epoch(axes=[Axis("x", 1)], nodes=[Cost((), 2.5)]))
    assert found.objective == pytest.approx(2.5)
    found = solved(Epoch(axes=[], nodes=[Cost((), 2.5)], discount=0.5), criterion="discounted")
    assert found.objective == pytest.approx(5.0)


def test_draws_with_costs_of_entries_count():
    """A die from 1 to 6, thrown each period: the mean is 3.5."""
    table = Table(
        indptr=[0, 6], to=[0] * 6, probability=[1 / 6] * 6, cost={"eyes": np.arange(1.0, 7.0)}
    )
    found = solved(Epoch(axes=[Axis("x", 1)], nodes=[Chance("x", table)]))
    assert found.lower <= 3.5 <= found.upper
    assert found.gap <= 1e-6
