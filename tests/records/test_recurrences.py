"""Events of units followed from new, against slow sums, known answers and simulated truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparing.records.recurrences import (
    Recurrences,
    mean_cumulative,
    power_law_trend,
    read_recurrences,
)


def power_law(rng, *, shape, scale, units=20):
    """Units of a power-law process, by inversion of its cumulative rate."""
    end = rng.uniform(0.5, 2.0, units) * scale * 3.0
    owner, time = [], []
    for number, last in enumerate(end):
        total = (last / scale) ** shape
        found = np.sort(rng.uniform(0.0, total, rng.poisson(total)))
        time += (scale * found ** (1.0 / shape)).tolist()
        owner += [number] * found.size
    return Recurrences(
        units=tuple(map(str, range(units))),
        end=end,
        owner=np.array(owner, dtype=np.int64),
        time=np.array(time),
        amount=np.ones(len(time)),
    )


def slow_mean_and_variance(records, age):
    """The sums as they stand in Nelson (1988) and Lawless & Nadeau (1995)."""
    mean, terms = 0.0, np.zeros(len(records.units))
    for t in sorted({t for t in records.time if t <= age}):
        seen = records.end >= t
        own = np.array(
            [
                sum(
                    w
                    for o, s, w in zip(records.owner, records.time, records.amount, strict=True)
                    if o == unit and s == t
                )
                for unit in range(len(records.units))
            ]
        )
        step = own.sum() / seen.sum()
        mean += step
        terms += seen * (own - step) / seen.sum()
    return mean, (terms**2).sum()


@given(seed=st.integers(0, 2**32 - 1))
def test_mean_and_interval_are_those_of_the_slow_sums(seed):
    rng = np.random.default_rng(seed)
    end = rng.integers(1, 9, 4).astype(float)
    owner = rng.integers(0, 4, 12)
    time = np.minimum(rng.integers(0, 9, 12), end[owner])
    records = Recurrences(
        units=tuple("abcd"), end=end, owner=owner, time=time, amount=rng.integers(1, 4, 12) * 1.0
    )
    age = float(rng.uniform(0.0, end.max()))
    mean, variance = slow_mean_and_variance(records, age)
    found = mean_cumulative(records, age)
    assert found.mean[0] == pytest.approx(mean)
    if mean > 0.0:
        spread = np.log(found.upper[0] / found.lower[0]) / 2.0
        assert (spread * mean / 1.959963984540054) ** 2 == pytest.approx(variance, abs=1e-12)


def test_one_unit_has_crow_s_shape_in_closed_form():
    """With one end T the shape is n / sum log(T / t), the scale T / n^(1 / shape)."""
    time = np.array([1.0, 3.0, 4.0, 8.0])
    records = Recurrences(
        units=("a",),
        end=np.array([10.0]),
        owner=np.zeros(4, dtype=np.int64),
        time=time,
        amount=np.ones(4),
    )
    found = power_law_trend(records)
    shape = 4.0 / np.log(10.0 / time).sum()
    assert found.shape == pytest.approx(shape, rel=1e-9)
    assert found.scale == pytest.approx(10.0 / 4.0 ** (1.0 / shape), rel=1e-9)
    assert found.laplace == pytest.approx((time.mean() - 5.0) / (10.0 * np.sqrt(1.0 / 48.0)))


def test_intervals_hold_the_truth_as_often_as_they_say():
    """95 % of 400 data sets each, give or take three standard errors of a share."""
    rng = np.random.default_rng(0)
    inside = np.zeros(3)
    for _ in range(400):
        records = power_law(rng, shape=1.4, scale=5.0)
        trend = power_law_trend(records)
        inside[0] += trend.lower <= 1.4 <= trend.upper
        curve = mean_cumulative(records, [6.0])
        inside[1] += curve.lower[0] <= (6.0 / 5.0) ** 1.4 <= curve.upper[0]
        constant = power_law(rng, shape=1.0, scale=5.0)
        low, high = constant.rate.interval()
        inside[2] += low <= 0.2 <= high
    assert inside[0] / 400 == pytest.approx(0.95, abs=0.033)
    assert inside[1] / 400 == pytest.approx(0.93, abs=0.045)  # twenty units: a little short
    assert inside[2] / 400 == pytest.approx(0.95, abs=0.033)


def test_laplace_is_standard_normal_without_a_trend():
    rng = np.random.default_rng(1)
    found = [power_law_trend(power_law(rng, shape=1.0, scale=3.0)).laplace for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.0, abs=3.0 / 20.0)
    assert np.std(found) == pytest.approx(1.0, abs=0.11)


def test_rates_by_age_add_up_and_know_who_was_there():
    records = Recurrences(
        units=("a", "b"),
        end=np.array([10.0, 4.0]),
        owner=np.array([0, 0, 1]),
        time=np.array([1.0, 9.0, 3.0]),
        amount=np.ones(3),
    )
    young, old = records.rates_by_age([0.0, 5.0, 10.0])
    assert (young.shape, young.rate) == (2.5, 9.0)
    assert (old.shape, old.rate) == (1.5, 5.0)
    assert records.rate.rate == 14.0


GOOD = "engine,days,event\na,3,fail\na,9,END\nb,5,end\n"


def read(folder, text, **options):
    path = folder / "events.csv"
    path.write_text(text)
    return read_recurrences(path, unit="engine", time="days", event="event", **options)


def test_a_file_is_read(tmp_path):
    found = read(tmp_path, GOOD)
    assert found.units == ("a", "b")
    assert (found.end.tolist(), found.time.tolist(), found.owner.tolist()) == ([9, 5], [3], [0])
    assert read(tmp_path, GOOD + "b,0,Start\n", ignored=["start"]).time.tolist() == [3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "c,3,fail\n", "'c' has no event 'end'"),
        (GOOD + "a,10,end\n", "line 5, 'engine': 'a' has ended before"),
        (GOOD + "b,6,fail\n", "line 5, 'days': 6 lies behind the end of 'b', 5"),
        (GOOD + "b,-1,fail\n", "line 5, 'days': must be a number >= 0"),
        (GOOD + ",1,fail\n", "line 5, 'engine': is empty"),
        (GOOD.replace("days", "hours"), "'days': is no column of this file"),
    ],
)
def test_bad_files_are_told(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_bad_questions_are_told(tmp_path):
    found = read(tmp_path, GOOD)
    with pytest.raises(ValueError, match=r"from 0 to 9; got 9\.5"):
        mean_cumulative(found, 9.5)
    with pytest.raises(ValueError, match="growing ages"):
        found.rates_by_age([3, 2])
    with pytest.raises(ValueError, match="no unit was followed between ages 9 and 12"):
        found.rates_by_age([0, 9, 12])
    with pytest.raises(ValueError, match="a trend needs two events"):
        power_law_trend(found)
    dear = replace(found, amount=np.array([2.5]))
    for ask in (power_law_trend, lambda r: r.rate, lambda r: r.rates_by_age([0, 1])):
        with pytest.raises(ValueError, match=r"event 0 of 'a' counts for 2\.5"):
            ask(dear)
