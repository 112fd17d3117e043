"""Predictive distributions and their calibration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from series import intermittent
from sparing.forecast.calibration import LEVELS, calibrate, totals
from sparing.forecast.distribution import Past, Predictive, _increasing, learn


@given(seed=st.integers(0, 2**32 - 1), level=st.floats(0.01, 0.999))
def test_a_quantile_is_the_least_count_that_reaches_its_level(seed, level):
    """Against the distribution written out atom by atom."""
    rng = np.random.default_rng(seed)
    ratios = np.sort(rng.gamma(1.0, 1.0, (1, 7)), axis=1)
    chance = rng.dirichlet(np.ones(7))
    positive, scale = rng.uniform(0.05, 0.95), rng.uniform(0.2, 20.0)
    found = Predictive(
        positive=np.array([positive]),
        scale=np.array([[scale]]),
        ratios=ratios,
        cumulative=np.cumsum(chance)[None],
    )
    sizes = np.maximum(np.rint(ratios[0] * scale), 1.0)
    mass = {0.0: 1.0 - positive}
    for size, weight in zip(sizes, chance, strict=True):
        mass[size] = mass.get(size, 0.0) + positive * weight
    counts = sorted(mass)
    upto = np.cumsum([mass[c] for c in counts])
    expected = next(c for c, u in zip(counts, upto, strict=True) if u >= level - 1e-9)
    assert found.quantile(level)[0, 0] in (expected, counts[-1])
    for count, total in zip(counts, upto, strict=True):
        assert found.upto(np.array([[count]]))[0, 0] == pytest.approx(total, abs=1e-9)
        below = total - mass[count]
        assert found.below(np.array([[count]]))[0, 0] == pytest.approx(below, abs=1e-9)
    assert found.mean()[0, 0] == pytest.approx(sum(c * m for c, m in mass.items()))


@given(values=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_pooling_gives_the_nearest_increasing_sequence(values):
    """max over starts of min over ends of the means: the min-max formula."""
    values = np.array(values)
    n = len(values)
    expected = [
        max(min(values[i : k + 1].mean() for k in range(j, n)) for i in range(j + 1))
        for j in range(n)
    ]
    assert _increasing(values, np.ones(n)) == pytest.approx(expected, abs=1e-9)


def windows_of(demand, origins, horizon):
    found = []
    for origin in origins:
        history = np.full(demand.shape, np.nan)
        history[:, demand.shape[1] - origin :] = demand[:, :origin]
        mean = np.repeat(np.nanmean(history, axis=1)[:, None], horizon, axis=1)
        actual = demand[:, origin : origin + horizon]
        rows = np.arange(len(demand))
        found.append(Past(history=history, mean=mean, actual=actual, rows=rows, origin=origin))
    return found


@pytest.mark.parametrize("coverage", ["set", "part"])
def test_calibrated_quantiles_cover_what_they_promise_on_new_periods(coverage):
    demand = intermittent(1500, length=54, seed=1)
    known, future = demand[:, :48], demand[:, 48:]
    mean = np.repeat(known.mean(axis=1)[:, None], 6, axis=1)
    found = calibrate(known, mean, windows_of(known, (42, 36, 30), 6), coverage=coverage)
    below, upto = found.predictive.below(future), found.predictive.upto(future)
    for level in LEVELS[1:]:
        if coverage == "set":
            share = (future <= found.quantile(level)).mean()
        else:
            read = found.levels["part"][level]
            share = np.clip((read - below) / np.maximum(upto - below, 1e-12), 0, 1).mean()
        assert share == pytest.approx(level, abs=0.01)


def test_quantiles_rise_with_the_level():
    demand = intermittent(100, seed=2)
    mean = np.repeat(demand.mean(axis=1)[:, None], 3, axis=1)
    found = calibrate(demand, mean, windows_of(demand, (42, 36), 6))
    quantiles = np.stack([found.quantile(level) for level in LEVELS])
    assert (np.diff(quantiles, axis=0) >= 0.0).all()


def test_nothing_to_learn_from_still_gives_a_distribution():
    demand = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 5.0]])
    model = learn([], demand)
    found = model.predict(demand, np.array([[0.0], [2.0]]))
    assert found.quantile(0.995)[1, 0] >= 4.0
    nothing = learn([], np.zeros((2, 4))).predict(np.zeros((2, 4)), np.zeros((2, 1)))
    assert nothing.quantile(0.5).tolist() == [[0.0], [0.0]]


def test_totals_are_sums_of_periods_in_a_row():
    values = np.arange(8.0).reshape(1, 8)
    assert totals(values, 3).tolist() == [[3.0, 6.0, 9.0, 12.0, 15.0, 18.0]]
    assert np.isnan(totals(values, 9)).all()
