"""Milliseconds a series: our forecasts beside statsforecast's models, in one run."""

import warnings

import numpy as np
import pytest
from bench_forecast import HORIZON, LENGTH, intermittent
from sparing.forecast.forecasting import forecast
from sparing.forecast.methods import Settings, point_means
from sparing.records.panel import DemandPanel

models = pytest.importorskip("statsforecast.models")

PEERS = {  # and on how many series each is measured
    "Naive": (lambda: models.Naive(), 128),
    "TSB": (lambda: models.TSB(0.1, 0.1), 128),
    "Croston": (lambda: models.CrostonClassic(), 128),
    "SBA": (lambda: models.CrostonSBA(), 128),
    "ADIDA": (lambda: models.ADIDA(), 128),
    "IMAPA": (lambda: models.IMAPA(), 128),
    "AutoTheta": (lambda: models.AutoTheta(season_length=1), 16),
    "AutoETS": (lambda: models.AutoETS(season_length=1), 16),
    "AutoETS, season 12": (lambda: models.AutoETS(season_length=12), 16),
    "AutoARIMA": (lambda: models.AutoARIMA(season_length=1), 8),
    "AutoARIMA, season 12": (lambda: models.AutoARIMA(season_length=12), 4),
}
DEMAND = intermittent(128, LENGTH + HORIZON)
PAST, CAME = DEMAND[:, :LENGTH], DEMAND[:, LENGTH:]
GROUP = "one forecast 12 periods ahead; divide by num_series"


def check(mean):
    """Every forecast is finite and not far off the mean of all that was seen."""
    assert mean.shape[1] == HORIZON
    assert np.isfinite(mean).all()
    size = len(mean)
    plain = np.repeat(PAST[:size].mean(axis=1)[:, None], HORIZON, axis=1)
    errors = [np.sqrt(((m - CAME[:size]) ** 2).mean()) for m in (mean, plain)]
    assert errors[0] < 2.0 * errors[1]
    return float(errors[0] / errors[1])


def panel_of(demand):
    return DemandPanel(
        parts=tuple(f"p{i}" for i in range(len(demand))),
        periods=tuple(f"m{t}" for t in range(demand.shape[1])),
        demand=demand,
    )


@pytest.mark.benchmark(group=GROUP)
@pytest.mark.parametrize("name", PEERS)
def test_peer(benchmark, name):
    make, size = PEERS[name]

    def run():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.array([make().forecast(row, HORIZON)["mean"] for row in PAST[:size]])

    mean = benchmark.pedantic(run, rounds=2, warmup_rounds=1)
    benchmark.extra_info.update(num_series=size, rmse_to_mean=check(mean))


@pytest.mark.benchmark(group=GROUP)
@pytest.mark.parametrize("name", ["arma", "arma-bp", "combined", "mean"])
def test_ours_once(benchmark, name):
    """The mean alone, from one origin."""

    def run():
        return point_means((name,), PAST, HORIZON, Settings())[name]

    mean = benchmark.pedantic(run, rounds=2, warmup_rounds=1)
    benchmark.extra_info.update(num_series=len(PAST), rmse_to_mean=check(mean))


@pytest.mark.benchmark(group="mean, quantiles and stock, six past windows included")
@pytest.mark.parametrize(
    "method",
    [
        "sba",
        pytest.param("auto", marks=pytest.mark.full),
        pytest.param("combined", marks=pytest.mark.full),
    ],
)
def test_ours_whole(benchmark, method):
    panel = panel_of(PAST)
    found = benchmark.pedantic(forecast, (panel, HORIZON, method), rounds=2, warmup_rounds=1)
    assert (found.stock >= 0.0).all()
    benchmark.extra_info.update(num_series=len(PAST), rmse_to_mean=check(found.mean))
