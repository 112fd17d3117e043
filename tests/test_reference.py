"""The reference interpreter itself, and the three components by it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import random_epochs
import reference_backward as reference
import reference_solve
from hypothesis import given
from random_epochs import Recipe
from small_epochs import (
    INF,
    A,
    B,
    one,
    zeros,
)
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.table import Table


def test_the_reference_sweeps_a_unit_by_hand():
    """One unit, working 0 or failed 1; repair costs 10; it fails with chance 0.2; discount 1/2.

    Behind the decision a working unit is worth (0.8 * 20 + 0.2 * 40) / 2 = 12, a failed one 20.
    A working unit is left alone: 12. A failed one pays 5 for being down and 20 as it is: 25, less
    than 5 + 10 + 12 = 27 for the repair; at half the price of repair it is 5 + 5 + 12 = 22.
    """
    epoch = Epoch(
        axes=[Axis("unit", 2)],
        nodes=[
            Cost("unit", [0.0, 5.0], kind="downtime"),
            Decision("unit", [[0.0, INF], [10.0, 0.0]], kind="repair"),
            Chance("unit", [[0.8, 0.2], [0.0, 1.0]]),
        ],
        discount=0.5,
    )
    dear = reference.backup(epoch, [20.0, 40.0], {"downtime": 1.0, "repair": 1.0})
    assert dear.value.tolist() == [12.0, 25.0]
    assert dear.stages[0].post.tolist() == [0, 1]
    cheap = reference.backup(epoch, [20.0, 40.0], {"downtime": 1.0, "repair": 0.5})
    assert cheap.value.tolist() == [12.0, 22.0]
    assert cheap.stages[0].post.tolist() == [0, 0]
    assert cheap.stages[0].costs["repair"].tolist() == [0.0, 10.0]
    assert cheap.stages[0].costs["downtime"].tolist() == [0.0, 5.0]


def test_the_reference_breaks_ties_by_the_lowest_alternative_then_entry():
    free = Decision("a", zeros(2, 2))
    swap = Chance("a", Table.moves([1, 0]))
    epoch = one(Branch([Alternative([swap]), Alternative([free])]), axes=(A,))
    assert reference.backup(epoch, [0.0, 0.0], {}).stages[0].post.tolist() == [1, 0]
    epoch = one(Branch([Alternative([free]), Alternative([swap])]), axes=(A,))
    assert reference.backup(epoch, [0.0, 0.0], {}).stages[0].post.tolist() == [0, 0]
    table = Table(indptr=[0, 2, 4], to=[1, 0, 1, 0], choice=[1, 0, 1, 0])  # entries decide
    epoch = one(Decision("a", table), axes=(A,))
    assert reference.backup(epoch, [0.0, 0.0], {}).stages[0].post.tolist() == [1, 1]


def test_the_reference_forbids_under_a_weight_of_zero_and_below():
    epoch = one(Decision("a", zeros(2, 2)), axes=(A,))
    epoch = Epoch(axes=[A], nodes=[*epoch.nodes, Cost("a", [INF, 1.0], kind="x")])
    for weights in ({}, {"x": 0.0}, {"x": -1.0}):
        assert reference.backup(epoch, [0.0, 0.0], weights).stages[0].post.tolist() == [1, 1]


@given(case=random_epochs.cases(Recipe(exact=True, closed=False, max_states=40)))
def test_the_greedy_policy_of_the_reference_costs_what_its_value_says(case):
    epoch, value, weights = case
    found = reference.backup(epoch, value, weights)
    again = reference.evaluate(epoch, found.stages, value, weights)
    np.testing.assert_array_equal(found.value, again)


TINY = {"num_axes": (1, 2), "max_size": 3, "max_states": 9, "num_nodes": (1, 4)}


@given(case=random_epochs.cases(Recipe(**TINY, discounted=True)))
def test_the_brute_force_value_is_a_fixed_point_of_the_reference(case):
    epoch, _, weights = case
    value = reference_solve.solve_discounted(epoch, weights)
    swept = reference.backup(epoch, value, weights).value
    np.testing.assert_allclose(swept, value, rtol=1e-9, atol=1e-9)


@given(case=random_epochs.cases(Recipe(**TINY)))
def test_policy_iteration_and_linear_programming_find_the_same_gain(case):
    epoch, _, weights = case
    found = reference_solve.solve_average(epoch, weights)
    np.testing.assert_allclose(
        found, reference_solve.solve_average_by_lp(epoch, weights), atol=1e-6
    )


@given(case=random_epochs.cases(Recipe(**TINY, resetting=True, discounted=False)))
def test_the_gain_lies_between_the_least_and_the_largest_growth_of_a_sweep(case):
    """The bounds of Odoni (1969), on an epoch whose states all fall to one recurrent class."""
    epoch, value, weights = case
    for _ in range(5):
        previous, value = value, reference.backup(epoch, value, weights).value
    growth = value - previous
    gain = reference_solve.solve_average(epoch, weights)
    assert np.ptp(gain) <= 1e-9 * (1.0 + abs(gain.flat[0]))
    assert growth.min() - 1e-9 <= gain.min() <= gain.max() <= growth.max() + 1e-9


def test_a_gain_may_differ_between_starting_states():
    """Two absorbing states that cost 1 and 3; from the third, the better one can be chosen."""
    costs = np.array([[0.0, INF, INF], [INF, 0.0, INF], [5.0, 0.0, INF]])
    epoch = Epoch(axes=[B], nodes=[Cost("b", [1.0, 3.0, 9.0]), Decision("b", costs)])
    for solve in (reference_solve.solve_average, reference_solve.solve_average_by_lp):
        assert solve(epoch, {"cost": 1.0}) == pytest.approx([1.0, 3.0, 1.0], abs=1e-9)


WEARS = {
    "c1": [[0.35, 0.35, 0.23, 0.07], [0, 0.29, 0.42, 0.29], [0, 0, 0.5, 0.5], [0, 0, 0, 1]],
    "c2": [[0.12, 0.38, 0.38, 0.12], [0, 0.14, 0.43, 0.43], [0, 0, 0.43, 0.57], [0, 0, 0, 1]],
    "c3": [[0.28, 0.28, 0.44, 0.00], [0, 0.14, 0.43, 0.43], [0, 0, 0.29, 0.71], [0, 0, 0, 1]],
}
PRICES = {"c1": (100, 100, 40, 120), "c2": (80, 80, 30, 90), "c3": (70, 70, 30, 80)}


def three_components(*, may_stay_failed, discount=1.0, order=("c1", "c2", "c3")):
    """Pay 500 while down, do nothing or pay 20 once and repair, then wear.

    `PRICES` are those of 1 -> 0, 2 -> 0, 2 -> 1 and 3 -> 0.
    """
    costs = {}
    for name, (one_new, two_new, two_one, failed_new) in PRICES.items():
        costs[name] = np.array(
            [
                [0.0, INF, INF, INF],
                [one_new, 0.0, INF, INF],
                [two_new, two_one, 0.0, INF],
                [failed_new, INF, INF, 0.0 if may_stay_failed else INF],
            ]
        )
    down = np.array(
        [500.0 * (c1 or (c2 and c3)) for c1, c2, c3 in product((0, 1), repeat=3)]
    ).reshape(2, 2, 2)
    groups = {name: [0, 0, 0, 1] for name in order}
    stay = [Cost(name, np.diagonal(costs[name]), kind="maintenance") for name in order]
    repair = [Decision(name, costs[name], kind="maintenance") for name in order]
    return Epoch(
        axes=[Axis(name, 4) for name in order],
        nodes=[
            Cost(["c1", "c2", "c3"], down, kind="downtime", groups=groups),
            Branch([Alternative(stay), Alternative(repair, cost={"setup": 20.0})]),
            *(Chance(name, WEARS[name]) for name in order),
        ],
        discount=discount,
    )


ALL = {"downtime": 1.0, "maintenance": 1.0, "setup": 1.0}


@pytest.mark.parametrize(("may_stay_failed", "gain"), [(False, 200.437), (True, 169.840)])
def test_three_components_have_their_optimal_gain(may_stay_failed, gain):
    """Known optimum per inspection, cost only; it does not depend on the order of components."""
    for order in [("c1", "c2", "c3"), ("c3", "c1", "c2")]:
        epoch = three_components(may_stay_failed=may_stay_failed, order=order)
        found = reference_solve.solve_average(epoch, ALL)
        assert found == pytest.approx(np.full((4, 4, 4), gain), abs=6e-4)


@pytest.mark.parametrize(("may_stay_failed", "value"), [(False, 3775.285471), (True, 3225.250961)])
def test_three_components_have_their_optimal_discounted_cost(may_stay_failed, value):
    """Known optimum from new at discount 0.95, cost only; a fixed point of the reference."""
    epoch = three_components(may_stay_failed=may_stay_failed, discount=0.95)
    found = reference_solve.solve_discounted(epoch, ALL)
    assert found[0, 0, 0] == pytest.approx(value, abs=1e-6)
    swept = reference.backup(epoch, found, ALL).value
    np.testing.assert_allclose(swept, found, rtol=1e-12)
