"""Real records of repairs, where the data lies beside the checkout; it is not in the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sparing.records.recurrences import mean_cumulative, power_law_trend, read_recurrences

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = {
    "valveseat": {"unit": "engine", "time": "days", "event": "event"},
    "cylinder": {"unit": "engine", "time": "days", "event": "event"},
    "machineh": {"unit": "unit", "time": "hours", "event": "event"},
    "grampus": {"unit": "unit", "time": "kilohours", "event": "event"},
    "amsaaexactfail": {"unit": "vehicle", "time": "miles", "event": "event", "ignored": ["start"]},
}
# Units and events as the data's own description has them.
COUNTS = {
    "valveseat": (41, 48),
    "cylinder": (120, 156),
    "machineh": (23, 550),
    "grampus": (1, 56),
    "amsaaexactfail": (10, 705),
}


def records(name, **options):
    path = DATA / f"smrd_{name}.csv"
    if not path.exists():
        pytest.skip(f"real records {path.name} are not in shared/data beside the checkout")
    return read_recurrences(path, **FILES[name], **options)


@pytest.mark.parametrize("name", COUNTS)
def test_every_record_is_read(name):
    found = records(name)
    assert (len(found.units), found.time.size) == COUNTS[name]
    low, high = found.rate.interval()
    assert low < COUNTS[name][1] / found.exposure < high


def test_valve_seats_wear_out_as_published():
    """Meeker & Escobar (1998, ch. 16) print 1.40 and 554 days for the power-law process."""
    found = power_law_trend(records("valveseat"))
    assert round(found.shape, 2) == 1.40
    assert round(found.scale) == 554
    assert found.lower > 1.0
    assert found.laplace > 1.96


def test_the_mean_number_of_valve_seats_agrees_with_the_power_law():
    """The free estimate and the fitted curve, which assume different things."""
    seats = records("valveseat")
    trend = power_law_trend(seats)
    ages = [200.0, 400.0, 550.0]
    curve = mean_cumulative(seats, ages)
    fitted = (np.array(ages) / trend.scale) ** trend.shape
    assert np.all((curve.lower < fitted) & (fitted < curve.upper))


def test_grampus_shows_no_trend():
    """One main propulsion engine whose repairs are as frequent late as early."""
    found = power_law_trend(records("grampus"))
    assert abs(found.laplace) < 1.96
    assert found.lower < 1.0 < found.upper
    early, late = records("grampus").rates_by_age([0.0, 8.0, 16.0])
    assert early.interval()[0] < late.mean < early.interval()[1]


def test_cylinders_wear_out_and_several_go_at_once():
    single, counted = records("cylinder"), records("cylinder", amount="count")
    trend = power_law_trend(single)
    assert trend.lower > 2.0
    assert counted.amount.sum() > single.time.size
    ages = [500.0, 1000.0, 1400.0]
    events, cylinders = mean_cumulative(single, ages), mean_cumulative(counted, ages)
    assert np.all(cylinders.mean >= events.mean)
    young, old = single.rates_by_age([0.0, 1000.0, 1700.0])
    assert young.interval()[1] < old.interval()[0]


def test_machine_h_costs_grow_faster_than_its_actions():
    """Labour hours a machine: the mean of all costs to an age, and the cost of an action by age."""
    actions, cost = records("machineh"), records("machineh", amount="cost")
    ages = [2000.0, 4000.0, 8000.0]
    count, hours = mean_cumulative(actions, ages), mean_cumulative(cost, ages)
    assert np.all(np.diff(count.mean) > 0.0)
    assert np.all((hours.lower < hours.mean) & (hours.mean < hours.upper))
    each = np.diff(hours.mean, prepend=0.0) / np.diff(count.mean, prepend=0.0)
    assert each[-1] > each[0]
    assert cost.amount.mean() == pytest.approx(1958.7 / 550, rel=1e-3)


def test_a_fleet_in_development_fails_more_often_the_older_it_is():
    trend = power_law_trend(records("amsaaexactfail"))
    assert trend.lower > 1.0
