"""The combined model: both readings, edge inputs, covariates."""

import numpy as np
import pytest
from series import HORIZON, LENGTH, SEASON, intermittent
from sparing.forecast.combined import CombinedModel, fit_combined

ARMA = CombinedModel(fourier=False, network=False)
FOURIER = CombinedModel(network=False)


def edges():
    """All zeros, one spike, constant, one value, late start, gaps, two values."""
    demand = np.zeros((7, LENGTH))
    demand[1, 20] = 50.0
    demand[2] = 3.0
    demand[3], demand[3, -1] = np.nan, 2.0
    demand[4] = np.random.default_rng(0).poisson(2.0, LENGTH)
    demand[4, :30] = np.nan
    demand[5] = np.random.default_rng(1).poisson(2.0, LENGTH)
    demand[5, 5::7] = np.nan
    demand[6], demand[6, -2:] = np.nan, (0.0, 4.0)
    return demand


def test_every_edge_input_has_a_finite_forecast_within_what_was_seen():
    demand = edges()
    found = fit_combined(demand, HORIZON)
    assert np.isfinite(found.mean).all()
    assert (found.mean >= 0.0).all()
    assert (found.mean <= np.nanmax(demand, axis=1, keepdims=True)).all()
    assert not found.mean[0].any()  # all zeros
    assert found.mean[2] == pytest.approx(np.full(HORIZON, 3.0))
    assert found.mean[3] == pytest.approx(np.full(HORIZON, 2.0))
    assert np.isnan(found.fitted[4, :30]).all()
    assert np.isfinite(found.fitted[4, 30:]).all()


def test_reading_b_counts_the_periodic_part_once():
    """Pure season: nothing is left for ARMA, and the forecast goes on with the season."""
    times = np.arange(1.0, LENGTH + HORIZON + 1.0)
    wave = 5.0 + 3.0 * np.sin(2.0 * np.pi * times / SEASON)
    found = fit_combined(np.repeat(wave[None, :LENGTH], 2, axis=0), HORIZON, FOURIER)
    assert found.mean[0] == pytest.approx(wave[LENGTH:], abs=0.05)


def test_reading_a_fits_the_periodic_part_and_its_residual_is_of_the_demand():
    times = np.arange(1.0, LENGTH + HORIZON + 1.0)
    wave = 5.0 + 3.0 * np.sin(2.0 * np.pi * times / SEASON)
    model = CombinedModel(network=False, reading="A")
    found = fit_combined(np.repeat(wave[None, :LENGTH], 2, axis=0), HORIZON, model)
    ahead = slice(LENGTH, LENGTH + 3)
    assert found.mean[0, :3] == pytest.approx(wave[ahead], abs=0.5)  # ARMA of a wave


def test_without_stages_it_is_arma_of_the_demand():
    from sparing.forecast.arma import fit_arma

    demand = intermittent(4)
    found = fit_combined(demand, HORIZON, CombinedModel(fourier=False, network=False, level=1.0))
    direct = fit_arma(demand, np.ones(demand.shape, bool), HORIZON)
    expected = np.clip(direct.forecast, 0.0, demand.max(axis=1, keepdims=True))
    assert found.mean == pytest.approx(expected, abs=1e-6)


def test_a_trend_is_differenced_and_the_differencing_undone():
    walk = np.maximum(np.random.default_rng(2).normal(0.0, 1.0, (4, LENGTH)).cumsum(axis=1) + 30, 0)
    found = fit_combined(walk, HORIZON, ARMA)
    assert (found.differences >= 1).any()
    rows = found.differences == 1
    assert np.abs(found.mean[rows, 0] - walk[rows, -1]).max() < 8.0


def test_the_network_adds_to_the_linear_forecast():
    found = fit_combined(intermittent(4), HORIZON)
    assert found.network is not None
    summed = found.linear + found.network.forecast
    inside = (summed > 0.0) & (found.linear > 0.0) & (summed < intermittent(4).max(axis=1)[:, None])
    assert found.mean[inside] == pytest.approx(summed[inside], abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"season": 0}, "season must be at least 1"),
        ({"season": None}, "num_harmonics must be given"),
        ({"num_harmonics": -1}, "num_harmonics must be >= 0"),
        ({"reading": "C"}, "reading must be 'A' or 'B'"),
        ({"level": float("nan")}, "level must be from 0 to 1"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        CombinedModel(**options)


@pytest.mark.parametrize(
    ("horizon", "covariates", "message"),
    [
        (0, None, "horizon must be at least 1"),
        (6, np.zeros((2, 48, 1)), "must have shape"),
        (6, np.full((2, 54, 1), np.nan), "must be finite"),
    ],
)
def test_bad_calls(horizon, covariates, message):
    with pytest.raises(ValueError, match=message):
        fit_combined(np.ones((2, 48)), horizon, covariates=covariates)


def test_a_series_without_any_value_is_refused():
    with pytest.raises(ValueError, match=r"demand\[1\] has no value"):
        fit_combined(np.array([[1.0] * 9, [np.nan] * 9]), 2)
