"""Real records of repairs, where the data lies beside the checkout; it is not in the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
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


def loss(parameters, seats):
    """Return minus the log likelihood of a power-law process, from its definition.

    Each event adds log((shape / scale) (t / scale)^(shape - 1)), the intensity, and each unit takes
    off (end / scale)^shape, the mean number of its events.
    """
    shape, scale = np.exp(parameters)
    intensity = shape / scale * (seats.time / scale) ** (shape - 1.0)
    return float(((seats.end / scale) ** shape).sum() - np.log(intensity).sum())


def test_valve_seats_wear_out_and_an_independent_fit_says_how_much():
    """The likelihood climbed by scipy from elsewhere, without the equation that the fit solves.

    Half the width of the interval is compared with the curvature of that likelihood, by differences
    in the logarithm of the shape along its own best scales.
    """
    seats = records("valveseat")
    found = power_law_trend(seats)
    start = np.log([1.0, seats.end.mean()])
    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000}
    best = minimize(loss, start, args=(seats,), method="Nelder-Mead", options=options)
    assert best.success
    shape, scale = np.exp(best.x)
    assert found.shape == pytest.approx(shape, rel=1e-6)
    assert found.scale == pytest.approx(scale, rel=1e-6)

    def profile(log_shape):
        inner = minimize_scalar(
            lambda log_scale: loss((log_shape, log_scale), seats), bounds=(3.0, 10.0)
        )
        return inner.fun

    step = 0.02
    sides = profile(best.x[0] + step) + profile(best.x[0] - step)
    spread = 1.96 / np.sqrt((sides - 2.0 * best.fun) / step**2)
    assert np.log(found.upper / found.shape) == pytest.approx(spread, rel=0.01)
    assert (round(shape, 2), round(scale)) == (1.40, 554)  # what the documentation says
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
