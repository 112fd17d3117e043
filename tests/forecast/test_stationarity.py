"""The Dickey-Fuller test beside statsmodels, and differencing undone."""

import numpy as np
import pytest
from sparing.forecast.stationarity import adf_pvalues, difference_until_stationary, integrate


@pytest.mark.filterwarnings("ignore:adfuller currently returns:FutureWarning")
@pytest.mark.parametrize("length", [20, 51, 150])
def test_pvalues_are_those_of_statsmodels(length):
    from statsmodels.tsa.stattools import adfuller

    rng = np.random.default_rng(length)
    noise = rng.normal(size=(12, length))
    series = np.where(np.arange(12)[:, None] % 2, noise.cumsum(axis=1), noise)
    series[0] = rng.poisson(0.7, length)
    found = adf_pvalues(series, np.zeros(12, dtype=np.int64))
    expected = [adfuller(row)[1] for row in series]
    assert found == pytest.approx(expected, abs=2e-6)


def test_series_that_start_late_are_tested_on_what_there_is():
    series = np.random.default_rng(0).normal(size=(1, 40)).cumsum(axis=1)
    padded = np.concatenate([np.zeros((1, 11)), series], axis=1)
    late = adf_pvalues(padded, np.array([11]))
    assert late == pytest.approx(adf_pvalues(series, np.array([0])))


def test_constant_and_short_series_count_as_stationary():
    series = np.ones((2, 30))
    series[1] = np.random.default_rng(1).normal(size=30).cumsum()
    assert adf_pvalues(series, np.array([0, 20])) == pytest.approx([0.0, 0.0])


def test_random_walks_are_differenced_and_noise_is_not():
    noise = np.random.default_rng(2).normal(size=(60, 200))
    start = np.zeros(60, dtype=np.int64)
    _, walk = difference_until_stationary(noise.cumsum(axis=1), start)
    _, flat = difference_until_stationary(noise, start)
    assert (walk == 1).mean() > 0.8
    assert (flat == 0).mean() > 0.9


@pytest.mark.parametrize("order", [0, 1, 2])
def test_integrating_undoes_differencing(order):
    series = np.random.default_rng(3).normal(size=(2, 30)).cumsum(axis=1).cumsum(axis=1)
    future = np.diff(series, n=order, axis=1)[:, 20 - order :] if order else series[:, 20:]
    found = integrate(future, series[:, :20], np.full(2, order))
    assert found == pytest.approx(series[:, 20:])
