"""ARMA fits beside slow references: scipy on the same sum of squares, and statsmodels."""

import numpy as np
import pytest
from scipy.optimize import least_squares
from sparing.forecast.arma import fit_arma

LENGTH, HORIZON = 48, 6


def simulate(ar, ma, length, seed, mean=0.0):
    noise = np.random.default_rng(seed).normal(size=length + 100)
    x = np.zeros(length + 100)
    for t in range(3, length + 100):
        x[t] = noise[t] + sum(a * x[t - i - 1] for i, a in enumerate(ar))
        x[t] += sum(m * noise[t - j - 1] for j, m in enumerate(ma))
    return x[100:] + mean


def innovations(x, mean, ar, ma, horizon=0):
    """The recursion written out: deviations and innovations before the first are zero."""
    d, e, ahead = [0.0] * 3, [0.0] * 3, []
    found = []
    for t in range(len(x) + horizon):
        expected = sum(a * v for a, v in zip(ar, d[::-1], strict=False))
        expected += sum(m * v for m, v in zip(ma, e[::-1], strict=False))
        if t < len(x):
            deviation = x[t] - mean
            found.append(deviation - expected)
        else:
            deviation = expected
            ahead.append(expected + mean)
        d, e = [*d[1:], deviation], [*e[1:], deviation - expected]
    return np.array(found), np.array(ahead)


def coefficients(partial):
    """From partial autocorrelations (Durbin 1960), so that every model is stationary."""
    found = []
    for last in partial:
        found = [*(a - last * b for a, b in zip(found, found[::-1], strict=True)), last]
    return np.array(found)


def best_of_scipy(x, p, q):
    def residual(v):
        partial = np.tanh(v[1:])
        return innovations(x, v[0], coefficients(partial[:p]), -coefficients(partial[p:]))[0]

    starts = [np.zeros(p + q), np.r_[np.full(p, 0.4), np.full(q, -0.2)]]
    return min(2.0 * least_squares(residual, np.r_[x.mean(), s]).cost for s in starts)


@pytest.mark.parametrize(
    ("order", "within"),
    [((0, 0), 1.001), ((1, 0), 1.02), ((0, 1), 1.02), ((1, 2), 1.02), ((2, 1), 1.2)],
)
def test_each_order_has_nearly_the_least_sum_of_squares(order, within):
    """One start a fit: of ARMA(2, 1) on this length it mostly ends in a side valley, as stated."""
    series = np.stack([simulate([0.6], [0.3], LENGTH, seed, mean=5.0) for seed in range(4)])
    found = fit_arma(series, np.ones(series.shape, bool), HORIZON, order=order)
    ratios = []
    for row, x in enumerate(series):
        squares, scipys = found.variance[row] * LENGTH, best_of_scipy(x, *order)
        ratios.append(squares / scipys)
        parts = found.mean[row], found.ar[row], found.ma[row]
        errors, ahead = innovations(x, *parts, horizon=HORIZON)
        assert x - found.fitted[row] == pytest.approx(errors, abs=1e-8)
        assert found.forecast[row] == pytest.approx(ahead, abs=1e-8)
        assert (errors**2).sum() == pytest.approx(squares)
    assert max(ratios) <= within


def test_long_series_give_the_estimates_of_statsmodels():
    """Conditional least squares and maximum likelihood agree up to order 1 / n."""
    from statsmodels.tsa.arima.model import ARIMA

    x = simulate([0.7], [0.4], 600, seed=1, mean=3.0)
    found = fit_arma(x[None], np.ones((1, 600), bool), 2, order=(1, 1))
    expected = ARIMA(x, order=(1, 0, 1)).fit()
    mean, ar, ma, variance = expected.params
    assert found.ar[0, 0] == pytest.approx(ar, abs=0.02)
    assert found.ma[0, 0] == pytest.approx(ma, abs=0.02)
    assert found.mean[0] == pytest.approx(mean, abs=0.1)
    assert found.variance[0] == pytest.approx(variance, rel=0.01)


def test_aic_is_the_published_one_and_the_least():
    x = simulate([0.8], [], LENGTH, seed=5)[None]
    known = np.ones(x.shape, bool)
    best = fit_arma(x, known, HORIZON)
    p, q = best.order[0]
    assert best.aic[0] == pytest.approx(LENGTH * np.log(best.variance[0]) + 2.0 * (p + q + 1))
    for order in [(0, 0), (1, 0), (2, 1), (1, 2)]:
        assert best.aic[0] <= fit_arma(x, known, HORIZON, order=order).aic[0] + 1e-6


def test_values_that_do_not_count_change_nothing():
    x = np.stack([simulate([0.5], [], LENGTH, seed=s) for s in (6, 7)])
    known = np.ones(x.shape, bool)
    known[0, :10], known[1, 20:23] = False, False
    found = fit_arma(x, known, HORIZON, order=(1, 0))
    other = fit_arma(np.where(known, x, 1e6), known, HORIZON, order=(1, 0))
    assert found.forecast == pytest.approx(other.forecast)
    errors = innovations(x[0, 10:], found.mean[0], found.ar[0], found.ma[0])[0]
    assert (x - found.fitted)[0, 10:] == pytest.approx(errors, abs=1e-8)


def test_constant_series_forecast_themselves():
    found = fit_arma(np.full((1, LENGTH), 4.0), np.ones((1, LENGTH), bool), HORIZON)
    assert found.forecast == pytest.approx(np.full((1, HORIZON), 4.0))
    assert tuple(found.order[0]) == (0, 0)


def test_many_series_on_all_processors_are_the_same_as_few():
    x = np.random.default_rng(8).normal(size=(300, LENGTH))
    known = np.ones(x.shape, bool)
    many = fit_arma(x, known, HORIZON, max_order=1)
    for rows in (slice(0, 128), slice(128, 256)):
        few = fit_arma(x[rows], known[rows], HORIZON, max_order=1)
        np.testing.assert_array_equal(many.forecast[rows], few.forecast)


def test_orders_out_of_range_are_refused():
    with pytest.raises(ValueError, match="from 0 to 3"):
        fit_arma(np.zeros((1, 9)), np.ones((1, 9), bool), 1, order=(4, 0))
