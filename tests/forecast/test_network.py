"""The networks: what they learn, when they stop, and that each is alone."""

import numpy as np
import pytest
from sparing.forecast.network import CHECK_EVERY, FIRST_LOOKS, NetworkOptions, fit_network

LENGTH, HORIZON = 48, 6
OPTIONS = NetworkOptions(tolerance=1e-3, max_epochs=600)  # the same for all: compiled once


def folded(num_series, seed=0):
    """A residual that follows the size of the one before: no linear model sees it."""
    rng = np.random.default_rng(seed)
    e = np.zeros((num_series, LENGTH))
    e[:, 0] = rng.normal(size=num_series)
    for t in range(1, LENGTH):
        e[:, t] = 1.2 - 1.5 * np.abs(e[:, t - 1]) + 0.1 * rng.normal(size=num_series)
    return e


def test_a_nonlinear_rule_is_learnt_and_the_loss_says_so():
    residuals = folded(4)
    known = np.ones(residuals.shape, bool)
    found = fit_network(residuals, known, HORIZON, options=OPTIONS)
    left = (residuals - found.fitted)[:, 1:].std(axis=1)
    assert np.all(left < 0.5 * residuals.std(axis=1))
    for row in range(4):
        losses = found.losses[row][~np.isnan(found.losses[row])]
        assert losses[-1] < 0.5 * losses[0]
        assert found.epochs[row] == CHECK_EVERY * (len(losses) - 1)


def test_training_stops_when_the_loss_changes_little():
    residuals = np.random.default_rng(1).normal(size=(4, LENGTH))
    known = np.ones(residuals.shape, bool)
    found = fit_network(residuals, known, HORIZON, options=OPTIONS)
    for losses in found.losses:
        changes = np.abs(np.diff(losses[~np.isnan(losses)]))
        assert len(changes) < 600 // CHECK_EVERY
        assert changes[-1] < OPTIONS.tolerance
        assert np.all(changes[:-1] >= OPTIONS.tolerance)


def test_a_series_does_not_notice_its_neighbours():
    residuals = folded(6, seed=2)
    known = np.ones(residuals.shape, bool)
    together = fit_network(residuals, known, HORIZON, options=OPTIONS)
    alone = fit_network(residuals[2:3], known[:1], HORIZON, options=OPTIONS)
    assert together.forecast[2] == pytest.approx(alone.forecast[0], rel=1e-4, abs=1e-5)
    again = fit_network(residuals, known, HORIZON, options=OPTIONS)
    np.testing.assert_array_equal(together.forecast, again.forecast)


def test_those_that_train_long_are_trained_apart_to_the_same_result():
    residuals = folded(130)
    known = np.ones(residuals.shape, bool)
    many = fit_network(residuals, known, HORIZON, options=OPTIONS)
    late = np.flatnonzero(many.epochs > FIRST_LOOKS * CHECK_EVERY)[:4]
    early = np.flatnonzero(many.epochs <= FIRST_LOOKS * CHECK_EVERY)[:4]
    assert len(late) == 4
    some = np.concatenate([late, early])
    few = fit_network(residuals[some], known[some], HORIZON, options=OPTIONS)
    np.testing.assert_array_equal(many.epochs[some], few.epochs)
    np.testing.assert_allclose(many.fitted[some], few.fitted, atol=1e-5)
    np.testing.assert_allclose(many.forecast[some], few.forecast, atol=1e-5)


def test_no_residual_gives_no_correction():
    found = fit_network(np.zeros((2, LENGTH)), np.ones((2, LENGTH), bool), HORIZON)
    assert not found.fitted.any()
    assert not found.forecast.any()


def test_a_covariate_that_tells_the_residual_is_used():
    rng = np.random.default_rng(3)
    tells = rng.normal(size=(4, LENGTH + HORIZON, 1))
    residuals = np.abs(tells[:, :LENGTH, 0])
    known = np.ones(residuals.shape, bool)
    found = fit_network(residuals, known, HORIZON, covariates=tells, options=OPTIONS)
    error = found.forecast - np.abs(tells[:, LENGTH:, 0])
    assert np.sqrt((error**2).mean()) < 0.5 * residuals.std()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be at least"),
        ({"tolerance": float("nan")}, "tolerance must be at least 0; got nan"),
        ({"max_epochs": 0}, "max_epochs must be at least 1; got 0"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        NetworkOptions(**options)
