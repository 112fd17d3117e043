"""The replay beside a simulation in single steps, and levels for a fill rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparing.forecast.distribution import Past, Predictive
from sparing.forecast.stock import (
    LEAST_SHORTAGE,
    factor_for,
    normal_levels,
    order_up_to,
    replay,
    replayed_origins,
    shortage_for,
)
from sparing.forecast.windows import Window


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


def test_the_fill_rate_has_the_interval_of_a_bootstrap_of_the_parts():
    rng = np.random.default_rng(0)
    demand, level = rng.poisson(rng.gamma(1.0, 3.0, (400, 1)), (400, 8)).astype(float), np.ones(400)
    found = replay(9.0 * level, demand, level, 1)
    rates = []
    for _ in range(400):
        rows = rng.integers(0, 400, 400)
        rates.append(replay(9.0 * level, demand[rows], level, 1).fill_rate)
    assert found.half_width == pytest.approx(1.96 * np.std(rates), rel=0.15)


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


def windows_of(demand, origins, length, horizon):
    """Windows of a demand [S, T], of which `length` periods are known now."""
    found = []
    for origin in origins:
        actual = np.full((len(demand), horizon), np.nan)
        came = demand[:, origin : min(origin + horizon, length)]
        actual[:, : came.shape[1]] = came
        history = np.full((len(demand), length), np.nan)
        history[:, length - origin :] = demand[:, :origin]
        rows = np.arange(len(demand))
        found.append(Window(origin=origin, rows=rows, history=history, means={}, actual=actual))
    return found


def test_stock_is_replayed_in_windows_that_are_over_and_know_enough():
    demand = np.ones((1, 24))
    windows = windows_of(demand, (22, 18, 12, 11, 6), 24, 6)
    assert replayed_origins(windows) == {18, 12}  # 22 is not over, half of 24 is 12
    assert replayed_origins(windows[3:]) == {11, 6}
    assert replayed_origins(windows[:1]) == {22}


def predictions(windows, ratios, num_parts):
    """Uniform over `ratios`, always some demand; totals over three periods."""
    predictive = Predictive(
        positive=np.ones(num_parts),
        scale=np.ones((num_parts, 1)),
        ratios=np.tile(ratios, (num_parts, 1)),
        cumulative=np.tile(np.arange(1.0, len(ratios) + 1) / len(ratios), (num_parts, 1)),
    )
    return [
        (
            predictive,
            Past(history=w.history, mean=w.history, actual=w.actual, rows=w.rows, origin=w.origin),
        )
        for w in windows
    ]


def test_no_unit_is_stocked_for_what_is_too_rare():
    """Sizes 1 to 10 000, all as likely: with chance 1e-4 more than 9 999 are needed."""
    ratios = np.arange(1.0, 10_001.0)
    totals = Predictive(
        positive=np.ones(2),
        scale=np.ones((2, 1)),
        ratios=np.tile(ratios, (2, 1)),
        cumulative=np.tile(ratios / 10_000.0, (2, 1)),
    )
    weight = np.array([1e-3, 1.0])
    assert order_up_to(totals, weight, 0.05, 0.9).tolist() == [9990.0, 9500.0]
    assert order_up_to(totals, weight, 0.05, 0.99).tolist() == [9999.0, 9500.0]
    assert order_up_to(totals, weight, 3.0).tolist() == [9970.0, 0.0]


def test_the_shortage_is_the_largest_that_fills_enough():
    rng = np.random.default_rng(0)
    demand, weight = rng.poisson(3.0, (40, 30)).astype(float), np.ones(40)
    windows = windows_of(demand, (24, 20, 16), 30, 6)
    past = predictions(windows, np.arange(1.0, 31.0), 40)
    shortage = shortage_for(past, windows, weight, 2, fill_rate=0.97, confidence=0.5)
    pooled = np.concatenate([w.actual for w in windows])
    price = np.ones(len(pooled))
    for factor, reached in ((1.0, True), (1.2, False)):
        level = np.tile(order_up_to(past[0][0], weight, factor * shortage), 3)
        found = replay(level, pooled, price, 2).fill_rate
        assert (found >= 0.97 - 0.003) == reached  # half of the resamples, not all parts


def test_what_no_stock_would_fill_is_left_out():
    """One part in twenty asks for 1000 at once; no prediction goes beyond 30."""
    rng = np.random.default_rng(0)
    demand, weight = rng.poisson(3.0, (40, 30)).astype(float), np.ones(40)
    demand[:2, 25] = 1000.0
    windows = windows_of(demand, (24,), 30, 6)
    past = predictions(windows, np.arange(1.0, 31.0), 40)
    shortage = shortage_for(past, windows, weight, 2, fill_rate=0.97)
    assert shortage > 1000.0 * LEAST_SHORTAGE
    level = order_up_to(past[0][0], weight, shortage)
    rest = replay(level[2:], windows[0].actual[2:], np.ones(38), 2)
    assert rest.fill_rate >= 0.95
