"""The replay beside a simulation in single steps, and levels for a fill rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparing.forecast.stock import factor_for, normal_levels, replay


def simulate(level, demand, lead_time):
    """One part, period by period: orders arrive, backorders go first, then the period's demand."""
    net, pipeline, filled, shelves = level, [], 0.0, []
    for t, asked in enumerate(demand):
        net += sum(units for due, units in pipeline if due == t)
        filled += min(max(net, 0.0), asked)
        net -= asked
        shelves.append(max(net, 0.0))
        pipeline.append((t + lead_time + 1, asked))
    return filled, shelves


@given(
    demand=st.lists(st.integers(0, 9), min_size=1, max_size=12),
    level=st.integers(0, 20),
    lead_time=st.integers(0, 4),
)
def test_a_replay_is_the_simulation_in_single_steps(demand, level, lead_time):
    filled, shelves = simulate(level, demand, lead_time)
    found = replay(np.array([float(level)]), np.array([demand], float), np.array([2.0]), lead_time)
    total = sum(demand)
    assert found.fill_rate == pytest.approx(filled / total if total else 1.0)
    assert found.units == pytest.approx(np.mean(shelves))
    assert found.holding_cost == pytest.approx(2.0 * np.mean(shelves))


def test_excess_is_what_no_draw_needed():
    found = replay(np.array([10.0]), np.array([[1.0, 2.0, 3.0, 0.0]]), np.ones(1), 1)
    assert found.excess == 5.0  # the deepest draw over two periods is 5


def test_the_safety_factor_is_the_least_that_fills_enough():
    rng = np.random.default_rng(0)
    history, demand = rng.poisson(3.0, (40, 30)), rng.poisson(3.0, (40, 8)).astype(float)
    mean, price = np.full((40, 8), 3.0), np.ones(40)
    factor = factor_for(mean, history, demand, price, 2, 0.97)
    for scale, reached in ((1.001, True), (0.98, False)):
        level = normal_levels(mean, history, 2, factor * scale)
        assert (replay(level, demand, price, 2).fill_rate >= 0.97) == reached


def test_no_factor_helps_a_part_that_was_never_asked_for():
    mean, history = np.zeros((1, 2)), np.zeros((1, 9))
    assert factor_for(mean, history, np.ones((1, 2)), np.ones(1), 1, 0.9) == np.inf
