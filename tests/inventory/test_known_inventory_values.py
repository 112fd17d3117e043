"""Published optima of (s, S), lost-sales and serial systems."""

from __future__ import annotations

import numpy as np
import pytest
import sparing
from scipy.stats import norm, poisson
from sparing.inventory.lost_sales import lost_sales_mdp
from sparing.inventory.reorder_point import best_reorder_policy
from sparing.inventory.serial import solve_serial_system

ZHENG_FEDERGRUEN = [  # mean, s, S, cost; h = 1, p = 9, K = 64, no lead time
    (10, 6, 40, 35.0216),
    (15, 10, 49, 42.698),
    (20, 14, 62, 49.173),
    (25, 19, 56, 54.2622),
    (50, 42, 108, 70.9752),
    (60, 52, 129, 77.306),
    (75, 67, 86, 79.5538),
]
ZIPKIN = [  # law, lead time, cost at p = 4, 9, 19, 39; h = 1, mean 5
    ("poisson", 1, (4.0407, 5.4382, 6.6757, 7.8359)),
    ("poisson", 2, (4.3953, 6.0936, 7.6644, 9.1064)),
    ("poisson", 3, (4.5987, 6.5314, 8.3625, 10.0385)),
    ("poisson", 4, (4.7285, 6.8359, 8.8872, 10.7944)),
    ("geometric", 1, (9.8175, 14.5082, 19.2179, 23.8657)),
    ("geometric", 2, (10.2402, 15.5029, 20.8906, 26.2138)),
]


@pytest.mark.parametrize(("mean", "reorder", "upto", "cost"), ZHENG_FEDERGRUEN)
def test_reorder_policies_of_zheng_and_federgruen(mean, reorder, upto, cost):
    found = best_reorder_policy(mean_demand=mean, holding_cost=1, stockout_cost=9, fixed_cost=64)
    assert (found.reorder_point, found.order_up_to) == (reorder, upto)
    digits = len(str(cost).split(".")[1])
    assert found.average_cost == pytest.approx(cost, abs=0.51 * 10**-digits)


@pytest.mark.parametrize("lead_time", [0, 2])
def test_reorder_policies_are_the_optimum_of_the_decision_process(lead_time):
    """The inventory position as an explicit chain: no order policy whatever costs less."""
    mean, stockout, fixed = 3.0, 7.0, 20.0
    found = best_reorder_policy(
        mean_demand=mean,
        holding_cost=1,
        stockout_cost=stockout,
        fixed_cost=fixed,
        lead_time=lead_time,
    )
    low, high = -25, 40
    positions = np.arange(low, high + 1)
    demand = poisson.pmf(np.arange(26), mean)
    demand[-1] += 1.0 - demand.sum()
    over = poisson.pmf(np.arange(80), mean * (lead_time + 1))
    left = positions[:, None] - np.arange(80)
    one = (np.maximum(left, 0) + stockout * np.maximum(-left, 0)) @ over
    size = positions.size
    move = np.zeros((size, size))  # after the order
    for y in range(size):
        for d, chance in enumerate(demand):
            move[y, max(y - d, 0)] += chance
    transition = np.broadcast_to(move, (size, size, size))
    raised = positions[None, :] - positions[:, None]
    cost = np.where(raised < 0, np.inf, one[None, :] + fixed * (raised > 0))
    mdp = sparing.ExplicitMDP.from_dense(transition, cost, discount=1.0)
    best = sparing.solve(mdp, tol=1e-7)
    assert best.lower - 1e-6 <= found.average_cost <= best.upper + 1e-6


@pytest.mark.parametrize(("law", "lead_time", "costs"), ZIPKIN)
def test_lost_sales_of_zipkin(law, lead_time, costs):
    for penalty, expected in zip((4, 9, 19, 39), costs, strict=True):
        if lead_time == 4 and penalty in (9, 19):
            continue  # a second each; the ends of the row are enough in the default run
        mdp = lost_sales_mdp(demand=law, mean_demand=5, lead_time=lead_time, stockout_cost=penalty)
        best = sparing.solve(mdp, tol=1e-5)
        assert best.converged
        assert best.lower - 5.1e-5 <= expected <= best.upper + 5.1e-5


@pytest.mark.full
@pytest.mark.parametrize(("penalty", "expected"), [(9, 6.8359), (19, 8.8872)])
def test_lost_sales_of_zipkin_the_long_rows(penalty, expected):
    mdp = lost_sales_mdp(demand="poisson", mean_demand=5, lead_time=4, stockout_cost=penalty)
    best = sparing.solve(mdp, tol=1e-5)
    assert best.lower - 5.1e-5 <= expected <= best.upper + 5.1e-5


SERIAL = {
    "echelon_holding_cost": [3, 2, 2],
    "lead_time": [1, 1, 2],
    "stockout_cost": 37.12,
    "demand_mean": 5,
    "demand_deviation": 1,
}


def test_serial_system_of_clark_and_scarf():
    """Example 6.1 of Snyder & Shen: 47.660150 and S* = (6.490881, 12.017606, 22.705497)."""
    found = solve_serial_system(**SERIAL)
    assert found.average_cost == pytest.approx(47.660150, abs=1e-6)
    expected = (6.490881, 12.017606, 22.705497)
    assert found.echelon_base_stock == pytest.approx(expected, abs=1e-6)


def test_serial_system_against_sums_on_a_fine_grid():
    """C_1, C_2 and C_3 as plain sums over demand in steps of 1/50."""
    step = 0.02
    x = np.arange(-60.0, 60.0 + step / 2, step)
    below = (37.12 + 7.0) * np.maximum(-x, 0.0)
    for holding, lead in zip([3, 2, 2], [1, 1, 2], strict=True):
        deviation = np.sqrt(lead)
        demand = np.arange(-9.0 * deviation, 9.0 * deviation + step / 2, step)
        weight = norm.pdf(demand / deviation)
        weight /= weight.sum()
        behind = holding * x + below
        y = x[(x > -20) & (x < 40)]
        cost = np.array([np.interp(v - 5.0 * lead - demand, x, behind) @ weight for v in y[::2]])
        least = int(np.argmin(cost))
        full = np.interp(x, y[::2], cost)
        below = np.where(x < y[::2][least], full, cost[least])
        # left of the grid's window the cost is a straight line
        inside = x >= y[5]
        slope = (full[np.argmax(inside) + 50] - full[np.argmax(inside)]) / (50 * step)
        below = np.where(
            inside, below, full[np.argmax(inside)] + slope * (x - x[np.argmax(inside)])
        )
    assert solve_serial_system(**SERIAL).average_cost == pytest.approx(cost[least], abs=2e-3)


def test_one_stage_is_the_newsvendor():
    """S = mean + z sd with Phi(z) = p / (p + h); cost = (h + p) phi(z) sd."""
    found = solve_serial_system(
        echelon_holding_cost=[1],
        lead_time=[4],
        stockout_cost=9,
        demand_mean=5,
        demand_deviation=1,
    )
    z = norm.ppf(0.9)
    assert found.echelon_base_stock[0] == pytest.approx(20.0 + 2.0 * z, abs=1e-8)
    assert found.average_cost == pytest.approx(10.0 * norm.pdf(z) * 2.0, abs=1e-8)


BAD = [
    (
        lambda: best_reorder_policy(mean_demand=0, holding_cost=1, stockout_cost=9, fixed_cost=1),
        "mean_demand must be > 0; got 0",
    ),
    (
        lambda: best_reorder_policy(mean_demand=1, holding_cost=1, stockout_cost=9, fixed_cost=-1),
        "fixed_cost must be at least 0",
    ),
    (
        lambda: best_reorder_policy(
            mean_demand=1, holding_cost=1, stockout_cost=9, fixed_cost=1, lead_time=1.5
        ),
        "lead_time must be a whole number of periods",
    ),
    (
        lambda: lost_sales_mdp(demand="x", mean_demand=5, lead_time=1, stockout_cost=4),
        "demand must be 'poisson' or 'geometric'; got 'x'",
    ),
    (
        lambda: lost_sales_mdp(demand="poisson", mean_demand=5, lead_time=0, stockout_cost=4),
        "lead_time must be a whole number, at least 1; got 0",
    ),
    (
        lambda: lost_sales_mdp(demand="poisson", mean_demand=5, lead_time=1, stockout_cost=0),
        "stockout_cost must be > 0; got 0",
    ),
    (lambda: solve_serial_system(**SERIAL | {"lead_time": [1, 1]}), "one number a stage"),
    (lambda: solve_serial_system(**SERIAL | {"lead_time": [1, 0, 2]}), "finite numbers > 0"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_calls_are_refused(call, message):
    with pytest.raises(ValueError) as caught:
        call()
    assert message in str(caught.value)
