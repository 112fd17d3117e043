"""Spares networks in the learner: the vectorised twin beside SimPy, and what training comes to."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sparing
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_lanes import FleetRunner, stock_rules
from sparing.learn.twin_tables import twin_tables
from sparing.models.network_rules import StockRules
from sparing.simulate.twin_files import load_twin
from sparing.simulate.twin_runs import run_twin
from sparing.simulate.twin_stock_rules import StockRulesAtReviews

pytest.importorskip("simpy")
DATA = Path(__file__).parents[1] / "tests" / "data"
RULES = {"inverter": StockRules.min_max([1, 0, 0], [3, 2, 1])}
QUICK = 20  # replications of the SimPy twin in a round


@pytest.fixture(scope="module")
def twin():
    """One part, a centre and two sites, with everything a twin can have."""
    return replace(load_twin(DATA / "spares-twin.toml"), orders="single")


@pytest.mark.benchmark(group="a twin's year")
def test_simpy(benchmark, twin):
    rule = StockRulesAtReviews(RULES)
    found = benchmark.pedantic(
        run_twin, (twin, rule), {"num_replications": QUICK}, rounds=2, iterations=1
    )
    benchmark.extra_info["replications"] = QUICK
    assert 0.0 < found.mean["sla"] < 1.0


@pytest.mark.benchmark(group="a twin's year")
def test_arrays(benchmark, twin):
    dynamics = Dynamics(twin_tables(twin))
    rule = stock_rules(dynamics, RULES)
    runner = FleetRunner(dynamics, lambda _, fleets: rule(fleets))
    options = {"num_replications": 256, "lanes": 256}
    runner.run(None, **options)  # compiled
    found = benchmark.pedantic(runner.run, (None,), options, rounds=2, iterations=1)
    benchmark.extra_info["replications"] = 256
    assert np.isfinite(found.samples).all()
    assert 0.0 < found.mean("sla") < 1.0


@pytest.mark.full
@pytest.mark.parametrize("case", ["known_spares_single", "known_spares_serial"])
def test_default_training(benchmark, case):
    found = benchmark.pedantic(
        sparing.train, (sparing.load(DATA / f"{case}.toml"),), rounds=1, iterations=1
    )
    benchmark.extra_info["gap"] = found.gap
    assert found.gap < 0.01
