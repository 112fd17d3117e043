"""The exact solution: known answers, and plain recursion on random small networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from random_network import random_network
from reference_network import Reference, predictive
from sparing.evaluate.network_measures import network_metrics
from sparing.models.network_failures import predictive as kernel_predictive

DATA = Path(__file__).parent.parent / "data"
KNOWN = {
    "single": (55.586243264451, {"site": 0}),
    "serial": (94.663190396441, {"central": 2, "site": 2}),
    "age": (30.668861306377, {"site": 2}),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(name):
    """Computed independently of this project; exact to the digits shown."""
    value, first = KNOWN[name]
    solution = sparing.solve(sparing.load(DATA / f"known_spares_{name}.toml"))
    assert solution.lower <= value + 1e-11
    assert solution.upper >= value - 1e-11
    assert solution.objective == pytest.approx(value, abs=1e-8)
    assert solution.upper - solution.lower < 1e-8
    assert solution.first_decision == first


@pytest.mark.parametrize("name", KNOWN)
def test_float32_bounds_hold(name):
    solution = sparing.solve(sparing.load(DATA / f"known_spares_{name}.toml"), dtype=np.float32)
    assert solution.lower <= KNOWN[name][0] <= solution.upper
    assert solution.first_decision == KNOWN[name][1]


def assert_agrees(problem):
    reference = Reference(problem)
    solution = sparing.solve(problem, num_threads=1)
    expected = reference.solve()
    assert solution.objective == pytest.approx(expected, abs=1e-8)
    names = problem.parts[0].names
    decided = tuple(solution.first_decision[name] for name in names)
    assert decided in reference.first_orders()
    return solution


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), aged=st.booleans(), capped=st.booleans())
def test_one_site_is_plain_recursion(seed, aged, capped):
    rng = np.random.default_rng(seed)
    assert_agrees(random_network(rng, sites=1, aged=aged, capped=capped))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), aged=st.booleans())
def test_one_site_below_a_store_is_plain_recursion(seed, aged):
    rng = np.random.default_rng(seed)
    assert_agrees(random_network(rng, sites=1, central=True, aged=aged, periods=2))


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32 - 1), central=st.booleans(), aged=st.booleans())
def test_two_sites_are_plain_recursion(seed, central, aged):
    rng = np.random.default_rng(seed)
    assert_agrees(random_network(rng, sites=2, central=central, aged=aged, periods=2))


def test_the_order_of_the_locations_in_the_file_does_not_matter():
    """But for rounding: stocks are decided top down, wherever the store stands in the file."""
    problem = sparing.load(DATA / "known_spares_serial.toml")
    part = problem.parts[0]
    turned = replace(part, locations=part.locations[::-1])
    found = sparing.solve(replace(problem, parts=(turned,)))
    assert found.objective == pytest.approx(KNOWN["serial"][0], abs=1e-8)


def test_rules_are_checked_before_shipments_leave():
    """Checked behind them, the serial case costs 89.097: so that reading is excluded."""
    solution = sparing.solve(sparing.load(DATA / "known_spares_serial.toml"))
    assert solution.lower > 94.0


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_measures_add_up_to_the_objective(seed):
    problem = replace(random_network(np.random.default_rng(seed), sites=2, periods=2), discount=1.0)
    solution = sparing.solve(problem)
    found = sparing.evaluate(problem, solution)
    assert found["total_cost"].value == pytest.approx(solution.objective, abs=1e-8)
    costs = ("holding_cost", "order_cost", "downtime_cost", "emergency_cost")
    assert sum(found[c].value for c in costs) == pytest.approx(solution.objective, abs=1e-8)
    assert 0.0 <= found["sla"].lower <= found["sla"].upper <= 1.0 + 1e-12


@given(
    shape=st.floats(0.1, 50.0),
    rate=st.floats(0.1, 50.0),
    exposure=st.floats(0.01, 20.0),
    truncate=st.integers(1, 12),
)
def test_predictive_is_negative_binomial(shape, rate, exposure, truncate):
    found = kernel_predictive(shape, rate, exposure, truncate)
    expected = predictive(shape, rate, exposure, truncate)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)


def test_hours_turn_periods_into_years():
    problem = sparing.load(DATA / "known_spares_single.toml")
    weekly = replace(problem, period_hours=168.0)
    solution = sparing.solve(weekly)
    found = network_metrics(weekly, solution.plans)
    years = 8 * 168.0 / 8760.0
    assert found["orders_per_year"].value == pytest.approx(found["orders"].value / years)
    short = found["unit_periods_short"].value * 168.0
    assert found["downtime_hours_per_year"].value == pytest.approx(short / years)
