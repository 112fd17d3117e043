"""Forecasts of many short series: our models beside statsforecast's, and whole commands."""

import subprocess
import sys

import numpy as np
import pytest
from sparing.forecast.arma import fit_arma
from sparing.forecast.methods import Settings, point_means
from sparing.records.demand_tables import write_demand
from sparing.records.panel import DemandPanel

LENGTH, HORIZON = 51, 12


def intermittent(num_parts, length=LENGTH):
    rng = np.random.default_rng(0)
    rate, size = rng.uniform(0.1, 0.5, num_parts), rng.uniform(1.0, 6.0, num_parts)
    hit = rng.random((num_parts, length)) < rate[:, None]
    return hit * (1.0 + rng.poisson(size[:, None], (num_parts, length)))


@pytest.mark.benchmark(group="one forecast of 128 series of length 51", warmup=True)
@pytest.mark.parametrize("method", ["tsb", "sba", "adida", "imapa", "arma", "combined"])
def test_methods(benchmark, method):
    demand = intermittent(128)
    found = benchmark.pedantic(
        point_means, ((method,), demand, HORIZON, Settings()), rounds=3, warmup_rounds=1
    )
    mean = found[method]
    assert mean.shape == (128, HORIZON)
    assert np.isfinite(mean).all()
    benchmark.extra_info["num_series"] = 128


@pytest.mark.benchmark(group="ARMA, p and q up to 3 by AIC")
@pytest.mark.parametrize("who", ["ours, 128 series", "statsforecast AutoARIMA, 4 series"])
def test_arma(benchmark, who):
    """Ours takes all orders in one call; both must beat a constant within the data."""
    demand = intermittent(128)
    if who.startswith("ours"):
        known = np.ones(demand.shape, bool)
        found = benchmark.pedantic(fit_arma, (demand, known, HORIZON), rounds=3, warmup_rounds=1)
        assert (found.variance <= demand.var(axis=1) * (1.0 + 1e-6)).all()
        return
    models = pytest.importorskip("statsforecast.models")
    model = models.AutoARIMA(season_length=1, max_p=3, max_q=3, d=0)

    def run():
        return [model.forecast(row, HORIZON)["mean"] for row in demand[:4]]

    assert np.isfinite(benchmark.pedantic(run, rounds=1, warmup_rounds=1)).all()


@pytest.mark.full
@pytest.mark.benchmark(group="sparing forecast, 1000 series of length 51, process and compiling")
@pytest.mark.parametrize("method", ["auto", "combined"])
def test_whole_command(benchmark, tmp_path, method):
    demand = intermittent(1000)
    panel = DemandPanel(
        parts=tuple(f"p{i}" for i in range(1000)),
        periods=tuple(f"m{t}" for t in range(LENGTH)),
        demand=demand,
    )
    write_demand(panel, tmp_path / "demand.csv")
    command = [sys.executable, "-m", "sparing.cli", "forecast", str(tmp_path / "demand.csv")]
    options = ["--horizon", "12", "--method", method, "--out", str(tmp_path / "out.csv")]
    benchmark.pedantic(
        subprocess.run, ([*command, *options],), {"check": True, "capture_output": True}, rounds=1
    )
    assert (tmp_path / "out.csv").read_text().count("\n") == 1 + 1000 * HORIZON
