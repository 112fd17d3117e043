"""What a belief that learns saves: the costs against plain recursion, their order, their limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from carried_law import expected_cost
from networks import known
from sparing.evaluate.closed_loop import Standing, state_of
from sparing.evaluate.network_plan import SolveOptions, solve_part
from sparing.evaluate.value_of_learning import certain_network, learning_curve, value_of_learning


def plugged_in(network, *, updated):
    """Quantities of a planner who solves the rest of the horizon for one rate at each review."""
    (part,) = network.parts
    solved = {}

    def rule(period, net, ordered, age, seen):
        exposure = period * sum(float(x.exposures(1)[0]) for x in part.sites)
        believed = part.prior.posterior(seen, exposure).mean if updated else part.prior.mean
        key = (period, seen if updated else 0)
        if key not in solved:
            sure = certain_network(network, believed, period)
            solved[key] = sure, solve_part(sure, sure.parts[0], SolveOptions())
        sure, plan = solved[key]
        here = Standing(
            period=0,
            net=net,
            ordered=ordered,
            age=age,
            age_bins=(0,) * len(net),
            failures=0,
            exposure=0.0,
        )
        return plan.orders(0, state_of(sure, plan, here)).tolist()

    return rule


@pytest.mark.parametrize(("name", "periods"), [("single", 4), ("serial", 3)])
def test_costs_are_those_of_plain_recursion(name, periods):
    network = replace(known(name), periods=periods)
    found = value_of_learning(network)
    assert found.updated_rate == pytest.approx(
        expected_cost(network, plugged_in(network, updated=True)), abs=1e-8
    )
    assert found.fixed_rate == pytest.approx(
        expected_cost(network, plugged_in(network, updated=False)), abs=1e-8
    )


def test_the_belief_is_never_worse_and_saves_less_the_surer_the_prior():
    assert value_of_learning(known("single")).belief == pytest.approx(55.586243264451, abs=1e-8)
    curve = learning_curve(replace(known("single"), periods=5), [0.5, 2.0, 200.0])
    for point in curve:
        assert point.belief <= point.updated_rate + 1e-9
        assert point.belief <= point.fixed_rate + 1e-9
    assert curve[0].over_fixed > curve[1].over_fixed > curve[2].over_fixed
    assert curve[1].over_fixed > 0.03
    assert curve[2].over_fixed < 1e-3


def test_bad_calls():
    with pytest.raises(ValueError, match="is for parts without ages of units"):
        value_of_learning(known("age"))
    with pytest.raises(ValueError, match="shapes must be > 0; got 0"):
        learning_curve(known("single"), [0.0])
