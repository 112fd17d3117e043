"""The feedwater pumps: every number that was computed independently, and what misleads."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from math import exp, lgamma, log
from pathlib import Path

import numpy as np
import pytest
import sparing
from reference_load_sharing import reference_of
from scipy.special import gammainc
from sparing.evaluate.rule_search import best_rules
from sparing.exact.explicit_chain import ExplicitChain
from sparing.exact.options import Options
from sparing.exact.semi_markov import solve_semi_markov

KNOWN = tomllib.loads(
    (Path(__file__).parents[1] / "data" / "feedwater-pumps-known.toml").read_text()
)
PUMPS = sparing.load("feedwater-pumps")
FINE = {"tol": 1e-9}


@pytest.fixture(scope="module")
def solved():
    return sparing.solve(PUMPS, **FINE)


def at(size, interval, **changes):
    return replace(PUMPS, **{"positions": size, "inspection_interval": interval, **changes})


def test_the_cost_of_every_size_and_interval(solved):
    found = {(cell.positions, cell.inspection_interval): cell for cell in solved.cells}
    for size, row in zip(KNOWN["sizes"], KNOWN["gain"], strict=True):
        for interval, gain in zip(KNOWN["intervals"], row, strict=True):
            cell = found[size, interval]
            assert cell.gain == pytest.approx(gain, abs=6e-7), (size, interval)
            assert cell.upper - cell.lower <= 1e-9
    assert (solved.positions, solved.inspection_interval) == (3, 4.0)


def test_the_measures_at_the_best_choice(solved):
    found = sparing.evaluate(solved.system, solved.policy)
    for name, value in KNOWN["metrics"].items():
        assert found[name].value == pytest.approx(value, abs=6e-7), name
        assert found[name].lower <= found[name].value <= found[name].upper
    assert found["objective"].value == pytest.approx(solved.objective, abs=1e-9)
    assert found["unavailability"].upper < 1e-12


def test_what_the_optimal_policy_does(solved):
    for entry in KNOWN["decision"]:
        found = solved.decision(entry["counts"], entry["on_hand"])
        assert (found["replace"], found["order"]) == (entry["replace"], entry["order"]), entry


def test_one_post_decision_state():
    """All three new, none on hand, two on order: duration, failure, stock and cost."""
    system, known = at(3, 4.0).system(), KNOWN["post"]
    post = np.ravel_multi_index(system.state([3, 0, 0, 0], 0, 2), system.epoch.shape)
    cost = {kind: values[post] for kind, values in ExplicitChain.of(system.epoch).cost.items()}
    assert cost["duration"] == pytest.approx(known["duration"], abs=6e-10)
    assert cost["failures"] == pytest.approx(known["failure"], abs=6e-10)
    assert cost["on hand"] == pytest.approx(known["on_hand"], abs=6e-10)
    kappa = sum(weight * cost[kind] for kind, weight in system.weights.items())
    assert kappa == pytest.approx(known["kappa"], abs=6e-10)


@pytest.mark.parametrize("entry", KNOWN["load"], ids=lambda entry: str(entry["load_exponent"]))
def test_sharing_the_load_makes_a_third_pump_pay(entry):
    best = sparing.solve(replace(PUMPS, load_exponent=float(entry["load_exponent"])), **FINE)
    assert (best.positions, best.inspection_interval) == (entry["positions"], entry["interval"])
    assert best.objective == pytest.approx(entry["gain"], abs=6e-7)


def test_a_continuous_interval():
    span = sparing.IntervalRange(shortest=1.0, longest=24.0, tolerance=1e-3)
    best = sparing.solve(at(3, span), **FINE)
    assert best.inspection_interval == pytest.approx(KNOWN["continuous"]["interval"], abs=1e-3)
    assert best.objective == pytest.approx(KNOWN["continuous"]["gain"], abs=6e-7)


@pytest.mark.parametrize("entry", KNOWN["trap"], ids=lambda entry: entry["name"])
def test_worst_first_is_not_lossless(entry):
    """Dearer corrective replacement, or wear that leaps over a condition: others go first."""
    changes = {"rates": entry["rates"]} if "rates" in entry else {}
    if "corrective" in entry:
        changes["cost"] = replace(PUMPS.cost, corrective=entry["corrective"])
    for replacement, known in (("worst-first", "worst_first"), ("any", "any")):
        best = sparing.solve(at(3, 4.0, replacement=replacement, **changes), **FINE)
        assert best.objective == pytest.approx(entry[known], abs=6e-7)


def test_worst_first_is_lossless_on_the_case_itself():
    found = [
        sparing.solve(at(3, 4.0, replacement=way), **FINE).objective
        for way in ("worst-first", "any")
    ]
    assert found[0] == pytest.approx(found[1], abs=1e-9)


def test_the_best_rules_and_which_position_they_look_at(solved):
    found = {rule.name: rule for rule in best_rules(solved)}
    for entry in KNOWN["rule"]:
        best = found[f"(m, s, S), {entry['position']} position"]
        assert best.cost.value == pytest.approx(entry["gain"], abs=6e-7)
        assert best.system.size == 3
        assert (best.cost.value / solved.objective - 1.0) * 100 == pytest.approx(
            entry["gap_percent"], abs=6e-3
        )
    plain = found["(m, s, S), plain position"]
    assert (str(plain.rule), plain.system.interval) == ("(2, 0, 2)", 6.0)


def test_rules_at_a_continuous_interval_cost_no_more_than_at_listed_ones():
    span = sparing.IntervalRange(shortest=1.0, longest=24.0, tolerance=0.02)
    found = {rule.name: rule for rule in best_rules(sparing.solve(at(3, span)))}
    plain = found["(m, s, S), plain position"]
    assert str(plain.rule) == "(2, 0, 2)"
    assert plain.cost.value < 7.412077 - 1e-4
    for step in (-0.05, 0.05):
        system = at(3, plain.system.interval + step).system()
        near = sparing.evaluate(system, plain.rule.policy(system))["objective"].value
        assert near > plain.cost.value


def test_the_value_after_a_failure_leaves_out_the_failure_that_is_paid():
    """Doubling the failure cost is paid on the way, not in the state that is found.

    So the cost rate rises by exactly the failure rate of a policy that is kept.
    """
    system = at(3, 4.0).system()
    policy = sparing.ThresholdRule(replace_at=2, join_at=2, reorder_at=0, order_up_to=2)
    dearer = at(3, 4.0, cost=replace(PUMPS.cost, failure=120.0)).system()
    found = sparing.evaluate(system, policy.policy(system))
    other = sparing.evaluate(dearer, policy.policy(dearer))
    rise = other["objective"].value - found["objective"].value
    assert rise == pytest.approx(60.0 * found["failure_rate"].value, abs=1e-8)


def test_series_system_without_stock_in_closed_form():
    """k = n = 3, two conditions: a failure ends the epoch, replaced at once by emergency.

    pF = 1 - exp(-n rate tau), ET = pF / (n rate).
    """
    rate, tau, size = 0.07, 4.0, 3
    problem = at(
        size, tau, required=3, rates=[[0.0, rate], [0.0, 0.0]], capacity=0, delivery_rate=None
    )
    fails = 1.0 - exp(-size * rate * tau)
    duration, cost = fails / (size * rate), PUMPS.cost
    per_failure = (
        cost.failure + cost.setup + cost.replacement + cost.corrective + cost.emergency_unit
    )
    gain = (cost.inspection + fails * per_failure) / duration + cost.position * size
    found = sparing.solve(problem, **FINE)
    assert found.lower - 1e-9 <= gain <= found.upper + 1e-9


def erlang_tail(shape, mean):
    """P(N >= shape) of a Poisson number with this mean, term by term."""
    below = sum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(shape))
    return 1.0 - below


@pytest.mark.parametrize(("required", "size"), [(2, 2), (2, 4), (3, 7)])
def test_time_to_failure_is_erlang_where_the_load_is_shared_in_full(required, size):
    """gamma = 1, two conditions: each failure comes at rate k * rate, however many work."""
    rate, tau = 0.07, 9.0
    problem = at(size, tau, required=required, rates=[[0, rate], [0, 0]], load_exponent=1.0)
    kernel = problem.system().kernel
    row = slice(kernel.indptr[0], kernel.indptr[1])
    failed = ~problem.system().is_up[kernel.to[row]]
    chance = (kernel.early + kernel.marked)[row][failed].sum()
    shape = size - required + 1
    assert chance == pytest.approx(gammainc(shape, required * rate * tau), rel=1e-12)
    assert chance == pytest.approx(erlang_tail(shape, required * rate * tau), rel=1e-9)


def test_mean_time_to_failure_in_closed_form():
    """gamma = 1.5, two conditions: MTTF = sum over w = k..n of 1 / (w rate phi(w))."""
    rate, required, size = 0.07, 2, 5
    problem = at(size, 4000.0, rates=[[0, rate], [0, 0]])
    kernel = problem.system().kernel
    known = sum(1.0 / (w * rate * (required / w) ** 1.5) for w in range(required, size + 1))
    assert kernel.time_early[0] + kernel.time_marked[0] == pytest.approx(known, rel=1e-12)


def test_counting_states_and_actions():
    """The reference size: k = 4, n = 8, 5 conditions, capacity 6."""
    problem = at(8, 4.0, required=4, rates=np.diag([0.1] * 4, 1), capacity=6)
    assert problem.num_states(8) == KNOWN["reference"]["states"]
    from sparing.models.replacements import replacements

    system = problem.system()
    offers, (hand, order) = replacements(system), system.stocks.T
    num_actions = 0
    for s, o in zip(hand, order, strict=True):
        most = np.where(system.is_up, s, system.size)
        allowed = offers.num_replaced <= most[offers.before]
        left = np.maximum(s - offers.num_replaced[allowed], 0)
        orders = np.where(o == 0, problem.capacity - left, 0)
        stays_down = ~system.is_up[offers.after[allowed]] & (o == 0)
        num_actions += int((orders + 1 - stays_down).sum())
    assert num_actions == KNOWN["reference"]["actions"]


@pytest.mark.full
def test_the_large_system_is_solved_with_bounds():
    """k = 6, n = 10, 6 conditions, capacity 8: 135 135 states."""
    problem = at(10, 4.0, required=6, rates=np.diag([0.1] * 5, 1), capacity=8)
    best = sparing.solve(problem, tol=1e-6)
    assert best.system.num_states == 135_135
    assert best.converged
    assert best.seconds < 60.0


def test_the_log_linear_law():
    law = at(3, 4.0, load_law="log-linear", load_exponent=0.8)
    assert law.speed(3) == pytest.approx([0.0, 0.0, 1.0, exp(0.8 * (2 / 3 - 1))])
    system = replace(law, capacity=2).system()
    gain, _ = reference_of(system).optimal_gain()
    found = solve_semi_markov(
        system.epoch, system.weights, error=system.error, options=Options(**FINE)
    )
    assert found.lower - 1e-9 <= gain <= found.upper + 1e-9
