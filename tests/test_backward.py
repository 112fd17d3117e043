"""The C++ engine against the slow reference, on random epochs of every sort."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import random_epochs
import reference_backward as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from random_dice import Draft, Recipe
from reference_layouts import layouts_behind, layouts_of, states_of
from reference_solve import flat_of, reach
from sparing.epoch import Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.lowering import Lowering, size_of
from sparing.table import Table

LOOSE = {"rtol": 1e-12, "atol": 1e-10}


def swept(epoch, value, weights, *, dtype=np.float64, num_threads=1):
    """Return the value at the start, the posts per stage and the rounding bound of one sweep."""
    lowering = Lowering(epoch, weights, dtype=dtype, num_threads=num_threads)
    end = np.ascontiguousarray(value, dtype=dtype).ravel()
    start = np.full(epoch.num_states, np.nan, dtype=dtype)
    sizes = [size_of(epoch.layouts[first]) for first, _ in epoch.stages]
    posts = [np.full(size, 2**32 - 1, dtype=np.uint32) for size in sizes]
    lowering.program.run(end, start, posts)
    again = np.full_like(start, np.nan)
    lowering.program.run(end, again, [])  # without a policy the products take another path
    np.testing.assert_array_equal(start, again)
    return start.reshape(epoch.shape), posts, lowering.rounding_error(float(np.abs(end).max()))


@settings(max_examples=200)
@given(case=random_epochs.cases(Recipe(exact=True, closed=False)))
def test_values_and_policies_are_those_of_the_reference(case):
    """Whole costs and dyadic probabilities: nothing is rounded, so ties fall alike."""
    epoch, value, weights = case
    expected = reference.backup(epoch, value, weights)
    found, posts, _ = swept(epoch, value, weights)
    np.testing.assert_array_equal(found, expected.value)
    for post, stage in zip(posts, expected.stages, strict=True):
        feasible = stage.post != reference.INFEASIBLE
        np.testing.assert_array_equal(post[feasible], stage.post[feasible])


@settings(max_examples=200)
@given(case=random_epochs.cases(Recipe(closed=False)))
def test_rounded_values_agree_and_the_path_taken_costs_the_minimum(case):
    epoch, value, weights = case
    found, posts, _ = swept(epoch, value, weights)
    expected = reference.backup(epoch, value, weights)
    np.testing.assert_allclose(found, expected.value, **LOOSE)
    for k, (post, stage) in enumerate(zip(posts, expected.stages, strict=True)):
        behind = value_behind(epoch, expected, k, value, weights)
        best = stage_minimum(epoch, k, behind, weights)
        for state in np.flatnonzero(stage.post != reference.INFEASIBLE):
            path = best[state].get(int(post[state]), np.inf) + behind[post[state]]
            least = min(cost + behind[goal] for goal, cost in best[state].items())
            assert path == pytest.approx(least, rel=1e-11, abs=1e-9)


def value_behind(epoch, swept_, k, value, weights):
    """Return the value [states behind stage k] by the reference."""
    last = epoch.stages[k][1]
    rest = Draft(axes=epoch.layouts[last], nodes=epoch.nodes[last:], discount=epoch.discount)
    return reference.backup(rest, value, weights).value.ravel()


def stage_minimum(epoch, k, behind, weights):
    """Return per state of stage k {flat post-decision state: cost of the cheapest path}."""
    first, last = epoch.stages[k]
    nodes, layout = epoch.nodes[first:last], epoch.layouts[first]
    end = layouts_behind(nodes, layout)[-1]
    return [
        {flat_of(post, end): cost for post, cost in reach(nodes, layout, state, weights).items()}
        for state in states_of(layout)
    ]


@settings(max_examples=100)
@given(case=random_epochs.cases(separable=True))
def test_maintenance_epochs_agree_with_the_reference(case):
    epoch, value, weights = case
    expected = reference.backup(epoch, value, weights)
    found, posts, _ = swept(epoch, value, weights)
    np.testing.assert_allclose(found, expected.value, **LOOSE)
    assert len(posts) == len(expected.stages)


def test_weights_of_zero_and_below_still_forbid():
    """State 1 costs +inf of a kind of weight 0; a negative weight turns a minimum round."""
    forbid = Cost("x", [0.0, np.inf, 0.0], kind="a")
    pay = Cost("x", [5.0, 0.0, 7.0], kind="b")
    epoch = Epoch(axes=[Axis("x", 3)], nodes=[Decision("x", np.zeros((3, 3))), forbid, pay])
    for weights, least, at in [
        ({}, 0.0, 0),
        ({"a": -1.0, "b": 1.0}, 5.0, 0),
        ({"b": -1.0}, -7.0, 2),
    ]:
        found, posts, _ = swept(epoch, np.zeros(3), weights)
        assert found.tolist() == [least] * 3
        assert posts[0].tolist() == [at] * 3


@settings(max_examples=60)
@given(case=random_epochs.cases(Recipe(closed=False)), wide=st.integers(20_000, 40_000))
def test_one_and_two_threads_give_the_same_bits(case, wide):
    """A long last axis takes part in nothing, so that every operation is large enough to split."""
    epoch, value, weights = case
    wide = max(2, wide // max(size_of(layout) for layout in epoch.layouts))
    axes = (*epoch.axes, Axis("rider", wide))
    widened = Epoch(axes=axes, nodes=epoch.nodes, discount=epoch.discount)
    ride = np.random.default_rng(0).normal(size=wide)
    one = swept(widened, np.add.outer(value, ride), weights)
    two = swept(widened, np.add.outer(value, ride), weights, num_threads=2)
    np.testing.assert_array_equal(one[0], two[0])
    for a, b in zip(one[1], two[1], strict=True):
        np.testing.assert_array_equal(a, b)
    column = swept(epoch, value + ride[-1], weights)[0]
    np.testing.assert_array_equal(one[0][..., -1], column)


@settings(max_examples=100)
@given(case=random_epochs.cases(Recipe(closed=False)))
def test_float32_stays_within_its_rounding_bound(case):
    epoch, value, weights = case
    value = value.astype(np.float32)
    exact = swept(epoch, value, weights)[0]
    found, _, bound = swept(epoch, value, weights, dtype=np.float32)
    assert found.dtype == np.float32
    feasible = np.isfinite(exact)
    np.testing.assert_array_equal(np.isfinite(found), feasible)
    assert np.abs(found.astype(np.float64) - exact)[feasible].max(initial=0.0) <= bound


@settings(max_examples=100)
@given(case=random_epochs.cases(Recipe(closed=False, max_states=30, max_entries=150)))
def test_the_rounding_bound_holds_against_fractions(case):
    """The sweep in exact rational arithmetic, on the binary numbers that the engine is given."""
    epoch, value, weights = case
    value = value.astype(np.float32)
    exact = rational_sweep(epoch, value, weights)
    for dtype in (np.float64, np.float32):
        found, _, bound = swept(epoch, value, weights, dtype=dtype)
        for state in states_of(epoch.axes):
            if exact[state] is None:
                assert np.isinf(found[state])
            else:
                assert abs(Fraction(float(found[state])) - exact[state]) <= bound
        assert bound <= 1e3 * np.finfo(dtype).eps * 1e3 * len(epoch.nodes)  # and is not idle


def test_the_rounding_bound_counts_kinds_that_cancel():
    """1e9 of one kind less 1e9 + 1/3 of another: the sum is small, its rounding is not."""
    pay = Table.moves([0], cost={"a": [1e9 + 0.1], "b": [1e9 + 1 / 3]})
    epoch = Epoch(axes=[Axis("x", 1)], nodes=[Chance("x", pay)])
    found, _, bound = swept(epoch, [1e-3], {"a": 0.7, "b": -0.7})
    exact = Fraction(0.7) * (Fraction(1e9 + 0.1) - Fraction(1e9 + 1 / 3)) + Fraction(1e-3)
    assert 0 < abs(Fraction(float(found[0])) - exact) <= bound


def rational_sweep(epoch, value, weights):
    """Return {state: value as a Fraction, or None where nothing is allowed}."""
    layouts = layouts_of(epoch)
    discount, numbers = Fraction(epoch.discount), {k: Fraction(w) for k, w in weights.items()}
    now = {s: discount * Fraction(float(value[s])) for s in states_of(layouts[-1])}
    for node, layout in zip(reversed(epoch.nodes), reversed(layouts[:-1]), strict=True):
        now = rational_node(node, layout, now, numbers)
    return now


def rational_node(node, layout, behind, weights):
    if isinstance(node, Branch):
        ends = []
        for alternative in node.alternatives:
            end, layouts = behind, layouts_behind(alternative.nodes, layout)
            for inner, here in zip(
                reversed(alternative.nodes), reversed(layouts[:-1]), strict=True
            ):
                end = rational_node(inner, here, end, weights)
            entry = rational_cost(alternative.cost, weights)
            ends.append({s: None if v is None else v + entry for s, v in end.items()})
        return {s: least(end[s] for end in ends) for s in states_of(layout)}
    before = {}
    for state in states_of(layout):
        offered = [
            (p, None if behind[then] is None or cost is None else behind[then] + cost)
            for then, p, costs in reference.steps(node, layout, state)
            for cost in [rational_cost(costs, weights)]
        ]
        if not isinstance(node, Chance):
            before[state] = least(v for _, v in offered)
        elif any(v is None for _, v in offered):
            before[state] = None
        else:
            before[state] = sum((Fraction(p) * v for p, v in offered), Fraction(0))
    return before


def rational_cost(costs, weights):
    if any(cost == np.inf for cost in costs.values()):
        return None
    return sum((weights.get(k, Fraction(0)) * Fraction(c) for k, c in costs.items()), Fraction(0))


def least(values):
    return min((v for v in values if v is not None), default=None)


def test_an_epoch_that_ends_on_other_axes_is_swept_from_those():
    """x of 3 states moves to y of 2; the value at the start is that of the state moved to."""
    epoch = Epoch(
        axes=[Axis("x", 3), Axis("z", 2)],
        nodes=[Chance("x", [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], to=Axis("y", 2))],
        discount=0.5,
    )
    found, posts, _ = swept(epoch, [[2.0, 4.0], [6.0, 8.0]], {})
    assert found.tolist() == [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]
    assert posts == []
