"""Learning from a belief plan on: the plan's values, the start, and a round on the twin."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sparing.evaluate.location_plan import LocationPlanner
from sparing.evaluate.location_values import sample_values
from sparing.learn.location_learning import cautious
from sparing.learn.location_start import LocationSettings
from sparing.learn.twin_training import train_on_twin, with_parts
from sparing.simulate.twin_files import load_twin

CASE = Path(__file__).parents[1] / "data" / "spares-twin.toml"
PRICE = {0: 0.5}


def test_the_cheapest_sampled_choice_is_what_the_plan_orders():
    network = load_twin(CASE).network
    part = network.parts[0]
    planner = LocationPlanner(network, part, beyond=4)
    plan = planner.orders(site_price=1.0, warehouse_price=PRICE)
    found = sample_values(
        planner,
        site_price=1.0,
        warehouse_price=PRICE,
        per_period=200,
        generator=np.random.default_rng(0),
    )
    free = (found.ordered == 0) & (found.period < network.periods)
    assert 0.2 < 1.0 - (found.ordered == 0).mean() < 0.6 or part.locations[0].arrival.size == 1
    units = np.array([[0, *found.quantities[i]] + [0] * 9 for i in range(3)], dtype=object)
    for row in np.flatnonzero(free):
        i = found.location[row]
        owed = part.locations[i].backorders
        wanted = plan.quantity[
            found.period[row], found.failures[row], i, max(found.stock[row] + owed, 0)
        ]
        if found.stock[row] >= -owed:  # alone, a location may owe more than it can here
            assert units[i][found.values[row].argmin()] == wanted
    busy = found.ordered > 0
    assert np.isfinite(found.values[busy, 0]).all()
    assert np.isinf(found.values[busy, 1:]).all()


@pytest.mark.full
def test_a_start_costs_what_its_plan_costs_and_learning_reports_every_mark():
    twin = load_twin(CASE)
    settings = LocationSettings(hidden=(32,), samples=100, fit_steps=1500, fleets=64)
    days = 4 * twin.period_hours / 24.0
    found = train_on_twin(twin, settings, days=[days, 2 * days], num_replications=256)
    (seed,) = found.seeds
    assert seed.start.agreement > 0.6
    assert seed.start.margin > 0.0
    loss = found.paired(found.policies[1])
    assert abs(loss.mean) < loss.half_width + 0.05 * found.policies[0].result.mean("total")
    assert [policy.days for policy in found.policies] == [
        None,
        0.0,
        pytest.approx(days),
        pytest.approx(2 * days),
    ]
    assert found.env_steps == 2 * 4 * 64 * 3
    totals = [policy.result.mean("total") for policy in found.policies]
    assert found.best.result.mean("total") == min(totals)
    assert all(0.3 < total / totals[0] < 3.0 for total in totals)


def test_the_plan_is_left_only_for_a_gain_beyond_the_margin():
    values = np.array([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0], [1.0, 1.0, 9.0], [5.0, 0.0, 4.0]])
    mask = np.array([[True, True, True]] * 3 + [[True, False, True]])
    planned = np.array([0, 2, 1, 0])
    assert cautious(values, mask, planned, 1.5).tolist() == [1, 2, 1, 0]
    assert cautious(values, mask, planned, 0.5).tolist() == [1, 1, 1, 2]


def test_bad_wishes_are_refused_before_anything_is_solved():
    twin = load_twin(CASE)
    with pytest.raises(ValueError, match="unknown part 'pump'; known: inverter"):
        with_parts(twin, ["pump"])
    with pytest.raises(ValueError, match="days must be at least"):
        train_on_twin(twin, days=[10.0])
    with pytest.raises(
        ValueError, match="days must be at most 365, in whole rollouts of 4 reviews"
    ):
        train_on_twin(twin, days=[500.0])
    with pytest.raises(ValueError, match="days must name at least one"):
        train_on_twin(twin, days=[])
    for seeds in ([], [-1], 0):
        with pytest.raises(ValueError, match="seeds must be one or more whole numbers"):
            train_on_twin(twin, days=[200.0], seeds=seeds)
    with pytest.raises(ValueError, match="replications must be at least 2"):
        train_on_twin(twin, days=[200.0], num_replications=1)
    with pytest.raises(ValueError, match="continuous clock alone"):
        train_on_twin(replace(twin, clock="review", crew=None), days=[200.0])
