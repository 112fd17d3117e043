"""Pool and choice: never worse than the best single method on their windows, and no leakage."""

import numpy as np
import pytest
from series import HORIZON, LENGTH, SEASON, intermittent, panel_of
from sparing.forecast.demand_classes import CLASSES, classify
from sparing.forecast.forecasting import conclude, prepare
from sparing.forecast.methods import BASELINES, Settings, point_means
from sparing.forecast.selection import pool_weights, pooled, select
from sparing.forecast.windows import origins_of, rolling_windows

CHEAP = ("tsb", "sba", "adida", "imapa", "mean", "mean-all", "recent", "winsorised", "zero")
SETTINGS = Settings(season=SEASON)


@pytest.fixture(scope="module")
def windows():
    return rolling_windows(intermittent(80), HORIZON, CHEAP, SETTINGS)


@pytest.mark.parametrize("seed", range(5))
def test_auto_is_never_worse_on_its_windows_than_the_best_single_method(seed):
    demand = intermittent(60, seed=seed)
    found = rolling_windows(demand, HORIZON, CHEAP, SETTINGS)
    chosen = select(found, classify(demand, SEASON))
    singles = [chosen.scores[name] for name in BASELINES]
    assert chosen.scores["auto"] <= min(singles) + 1e-12
    assert chosen.scores["select"] <= chosen.scores["auto"] + 1e-12


def squared_error(windows, said):
    return sum(np.nansum((mean - w.actual) ** 2) for w, mean in zip(windows, said, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_the_pool_is_no_worse_on_its_windows_than_any_method_in_it(seed):
    """Few parts with spikes, of which weighted errors and plain ones disagree."""
    demand = intermittent(8, seed=seed) ** 2
    windows = rolling_windows(demand, HORIZON, CHEAP, SETTINGS)
    inside = ("sba", "adida", "imapa", "mean")
    free, bound = (pool_weights(windows, singles) for singles in ((), inside))
    best = min(squared_error(windows, [w.means[name] for w in windows]) for name in inside)
    found = squared_error(windows, [pooled(bound, w.means) for w in windows])
    assert found <= best * (1.0 + 1e-9)
    if squared_error(windows, [pooled(free, w.means) for w in windows]) <= best:
        assert bound == free


def test_the_pool_is_that_of_non_negative_weights(windows):
    weights = select(windows, classify(intermittent(80), SEASON)).weights
    assert min(weights.values()) >= 0.0
    assert 0.5 < sum(weights.values()) < 1.5


def test_nothing_after_an_origin_reaches_the_forecasts_made_there(windows):
    changed = intermittent(80)
    first = min(w.origin for w in windows)
    changed[:, first:] = 1000.0
    other = rolling_windows(changed, HORIZON, CHEAP, SETTINGS)
    one, two = windows[-1], other[-1]
    assert one.origin == two.origin == first
    for name in CHEAP:
        np.testing.assert_array_equal(one.means[name], two.means[name])


def test_the_backtest_does_not_see_its_hold_out():
    from sparing.forecast.backtest import backtest

    demand = intermittent(30, length=LENGTH + HORIZON, seed=3)
    changed = demand.copy()
    changed[:, LENGTH:] = 77.0
    found, other = (
        backtest(panel_of(d), HORIZON, methods=("sba", "mean"), settings=SETTINGS)
        for d in (demand, changed)
    )
    for name in ("sba", "mean"):
        one, two = found.forecasts[name], other.forecasts[name]
        np.testing.assert_array_equal(one.quantiles(), two.quantiles())
        np.testing.assert_array_equal(one.stock, two.stock)


def test_statsforecast_gives_the_baselines_and_missing_values_are_left_out():
    from statsforecast import models

    demand = intermittent(5)
    found = point_means(("sba", "adida"), demand, 2, SETTINGS)
    gaps = np.full((5, LENGTH + 9), np.nan)
    gaps[:, 9:] = demand
    with_gaps = point_means(("sba", "adida"), gaps, 2, SETTINGS)
    for row in range(5):
        expected = models.CrostonSBA().forecast(demand[row], 1)["mean"][0]
        assert found["sba"][row, 0] == pytest.approx(expected, abs=1e-12)
    for name in found:
        np.testing.assert_array_equal(found[name], with_gaps[name])


def test_own_means_are_what_their_names_say():
    demand = np.array([[1.0, 2.0, np.nan, 4.0, 8.0]])
    names = ("mean", "mean-all", "zero", "seasonal-naive", "winsorised", "recent")
    found = point_means(names, demand, 3, Settings(season=2))
    assert found["mean"][0].tolist() == [6.0, 6.0, 6.0]
    assert found["mean-all"][0, 0] == 3.75
    assert found["seasonal-naive"][0].tolist() == [4.0, 8.0, 4.0]
    limit = np.quantile([1, 2, 4, 8], 0.9)
    assert found["winsorised"][0, 0] == pytest.approx((1 + 2 + 4 + limit) / 4)
    weights = 0.5 ** (np.array([4, 3, 1, 0]) / 2)
    assert found["recent"][0, 0] == pytest.approx(weights @ [1, 2, 4, 8] / weights.sum())


def test_classes_are_those_of_adi_and_cv2():
    demand = np.zeros((5, 24))
    demand[0] = 5.0
    demand[1] = np.tile([1.0, 20.0], 12)
    demand[2, ::3] = 4.0
    demand[3, ::3] = np.tile([1.0, 30.0], 4)
    assert [CLASSES[n] for n in classify(demand, 12).number] == [*CLASSES]


def test_origins_leave_a_history():
    """4, 8 and 12 periods back, then 6 more each time; of short horizons, no two alike."""
    assert origins_of(51, 12) == [47, 43, 39, 33, 27, 21]
    assert origins_of(18, 6) == [16, 14, 12, 9, 6]
    assert origins_of(20, 1) == [19, 18, 17, 16, 15, 14]
    assert origins_of(8, 12) == []


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_short_series_get_a_forecast_and_stock(length):
    demand = np.array([[3.0] * length, [0.0] * length])
    basis = prepare(panel_of(demand), 3, ["mean"], settings=SETTINGS)
    found = conclude(basis, "mean", lead_time=2)
    assert found.mean[0].tolist() == [3.0, 3.0, 3.0]
    assert found.quantiles().shape == (4, 2, 3)
    assert found.stock[0] >= 3.0
