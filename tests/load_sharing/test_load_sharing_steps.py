"""Fixed clocks and certain lead times: closed forms, limits, and simulation in exact time."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import pytest
import sparing

PUMPS = replace(sparing.load("feedwater-pumps"), positions=3, inspection_interval=4.0)
RATE, LEAD = 0.3, 2.0
SINGLE = replace(
    PUMPS,
    required=1,
    positions=1,
    rates=[[0.0, RATE], [0.0, 0.0]],
    capacity=1,
    cost=replace(PUMPS.cost, emergency_unit=float("inf")),
)
BASE_STOCK = sparing.ThresholdRule(replace_at=1, join_at=1, reorder_at=0, order_up_to=1)


def unavailability(step, **changes):
    system = replace(SINGLE, time_step=step, **changes).system()
    return sparing.evaluate(system, BASE_STOCK.policy(system))["unavailability"].value


CYCLE = LEAD + exp(-RATE * LEAD) / RATE
WAITING = (LEAD - (1.0 - exp(-RATE * LEAD)) / RATE) / CYCLE


@pytest.mark.parametrize("step", [2.0, 1.0, 0.25])
def test_one_component_with_one_spare_waits_as_in_closed_form(step):
    """Each spare used is ordered again at once; a life X and a lead time L overlap.

    A cycle lasts max(X, L) and is down for (L - X)+. That is linear in the rest of the lead time
    between steps, so weights that keep its mean are exact, however coarse the steps.
    """
    found = unavailability(step, delivery_rate=None, lead_time=LEAD)
    assert found == pytest.approx(WAITING, abs=1e-8)


def test_on_a_fixed_clock_the_error_falls_with_the_square_of_the_step():
    """The same cycle: memoryless components do not care when they are inspected."""
    errors = [
        abs(unavailability(step, delivery_rate=None, lead_time=LEAD, clock="fixed") - WAITING)
        for step in (0.5, 0.25, 0.125)
    ]
    assert errors[-1] < 5e-4
    assert errors[2] < 0.3 * errors[1] < 0.1 * errors[0]


def test_a_fixed_clock_does_not_wait_for_what_it_does_not_know():
    """Exponential lead times: the wait is 1 / nu if the life was shorter, whatever the clock.

    Down with chance P(X < D) = rate / (rate + nu) for 1 / nu; a cycle lasts E max(X, D).
    """
    nu = PUMPS.delivery_rate
    cycle = 1.0 / RATE + 1.0 / nu - 1.0 / (RATE + nu)
    known = RATE / (RATE + nu) / nu / cycle
    base = replace(SINGLE).system()
    restarts = sparing.evaluate(base, BASE_STOCK.policy(base))["unavailability"]
    assert restarts.value == pytest.approx(known, abs=1e-8)
    assert unavailability(0.25, clock="fixed") == pytest.approx(known, abs=1e-6)


def test_inspections_on_a_fixed_clock_in_closed_form():
    """Memoryless components replaced at once: epochs come at 1 / tau + rate."""
    problem = replace(
        SINGLE,
        capacity=0,
        delivery_rate=None,
        cost=replace(PUMPS.cost, emergency_unit=55.0),
    )
    per_failure = PUMPS.cost.failure + PUMPS.cost.setup + PUMPS.cost.replacement
    per_failure += PUMPS.cost.corrective + PUMPS.cost.emergency_unit
    known = PUMPS.cost.inspection * (1 / 4.0 + RATE) + RATE * per_failure + PUMPS.cost.position
    errors = [
        abs(sparing.solve(replace(problem, clock="fixed", time_step=step)).objective - known)
        for step in (1.0, 0.5, 0.25)
    ]
    assert errors[-1] < 2e-3
    assert errors[2] < 0.3 * errors[1] < 0.1 * errors[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"clock": "fixed"},
        {"delivery_rate": None, "lead_time": 2.0},
        {"clock": "fixed", "delivery_rate": None, "lead_time": 5.0},
    ],
    ids=["fixed clock", "certain lead time", "both"],
)
def test_components_in_exact_time_lie_close(changes):
    """The simulation knows no steps: it differs by chance and by what half a step tells."""
    best = sparing.solve(replace(PUMPS, time_step=0.5, **changes))
    assert best.converged
    exact = sparing.evaluate(best.system, best.policy, tol=1e-7)
    found = sparing.simulate(
        best.system, best.policy, num_replications=200, horizon=6000.0, warm_up=500.0, seed=8
    )
    assert abs(found.objective - exact["objective"].value) <= 1.6 * found.half_width + 0.01
    for name, mean in found.mean.items():
        slack = 1.6 * found.half_widths[name] + 0.01 * mean
        if name == "unavailability":  # half a step of waiting for each failure
            slack += 0.25 * found.mean["failure_rate"]
        assert abs(mean - exact[name].value) <= slack + 1e-12, name


def test_knowing_the_rest_of_the_lead_time_is_worth_something():
    """A certain lead time of the same mean costs less than an exponential one, here."""
    exponential = sparing.solve(PUMPS).objective
    certain = sparing.solve(
        replace(PUMPS, delivery_rate=None, lead_time=2.0, time_step=0.5)
    ).objective
    assert certain < exponential - 0.05


def test_the_case_file_holds_the_options(tmp_path):
    problem = replace(PUMPS, clock="fixed", delivery_rate=None, lead_time=2.0, time_step=0.5)
    sparing.save_case(problem, tmp_path / "pumps.toml")
    again = sparing.load(tmp_path / "pumps.toml")
    assert (again.clock, again.lead_time, again.time_step) == ("fixed", 2.0, 0.5)
    assert again.delivery_rate is None
    assert again.num_states(3) == problem.num_states(3) == problem.system().num_states
