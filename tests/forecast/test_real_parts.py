"""Real parts, where the data lies beside the checkout; it is not part of the project."""

from pathlib import Path

import numpy as np
import pytest
from sparing.forecast.backtest import backtest
from sparing.forecast.methods import BASELINES, Settings
from sparing.records.demand_tables import read_demand

DATA = Path(__file__).parents[3] / "shared" / "data"
SETS = {  # parts, periods, share of zeros, horizon
    "carparts_monthly.csv": (1337, 51, 0.748, 12),
    "raf_monthly_price.csv": (2500, 84, 0.90, 12),
    "auto_monthly.csv": (1500, 24, 0.22, 6),
    "man_weekly_price.csv": (1726, 150, 0.93, 12),
}

pytestmark = pytest.mark.skipif(
    not (DATA / "carparts_monthly.csv").exists(),
    reason=f"real demand data is not in {DATA.name} beside the checkout",
)


@pytest.mark.parametrize("name", SETS)
def test_tables_are_read(name):
    parts, periods, zeros, _ = SETS[name]
    panel = read_demand(DATA / name)
    assert panel.demand.shape == (parts, periods)
    assert (panel.price is None) == name.startswith("carparts")
    known = panel.demand[~np.isnan(panel.demand)]
    assert (known == 0.0).mean() == pytest.approx(zeros, abs=0.01)


@pytest.mark.full
@pytest.mark.parametrize("name", SETS)
def test_auto_on_the_hold_out(name):
    """What docs/forecast.md states, with the tolerance of what it says is missed."""
    panel, horizon = read_demand(DATA / name), SETS[name][3]
    found = backtest(panel, horizon, methods=("auto", *BASELINES), settings=Settings())
    rows = {row.method: row for row in found.rows}
    best = min(rows[method].point.rmse for method in BASELINES)
    missed = 1.01 if name.startswith("auto") else 1.0
    assert rows["auto"].point.rmse <= best * missed
    for level, within in ((0.9, 0.03), (0.95, 0.015), (0.995, 0.005)):
        assert rows["auto"].quantiles[level].coverage == pytest.approx(level, abs=within)
    fill = rows["auto"].stock.fill_rate
    assert fill >= (0.97 if name.startswith("auto") else 0.98)
    croston = found.croston["auto"]
    assert croston is None or rows["auto"].stock.holding_cost < croston.holding_cost
