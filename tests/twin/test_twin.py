"""What the twin adds to the exact model, piece by piece, and its repeatability."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from networks import depot_and_sites, known, one_site
from scipy import stats
from sparing.records.failures import read_failures, write_failures
from sparing.records.rates import infer_rates
from sparing.simulate.twin import Ageing, Crew, Twin
from sparing.simulate.twin_environment import Climate, LoadProfile, Wave
from sparing.simulate.twin_rules import CallbackRule, FixedQuantity, MinMax, OneForOne
from sparing.simulate.twin_runs import run_twin
from sparing.simulate.twin_stress import (
    failure_burst,
    lost_hub,
    prolonged_lead_times,
    rate_sensitivity,
    scenarios,
    stress_table,
    wrong_prior,
)

CLIMATE = Climate(
    temperature=Wave(mean=15.0, season=12.0, day=4.0, weather=2.5),
    humidity=Wave(mean=60.0, season=12.0, weather=6.0, peak_month=10.0),
    offset={"site 2": {"temperature": 6.0, "humidity": -8.0}},
)
LOAD = LoadProfile(profile=(0.2,) * 8 + (1.0,) * 12 + (0.5,) * 4, weekend=0.6)
LEVELS = {"depot": 3, "site 1": 2, "site 2": 2}


def fleet(periods=24, exposure=0.8, **fields):
    """A depot and two sites for two years of months, with everything switched on."""
    network = depot_and_sites(
        rate=exposure, ship=1, depot=2, periods=periods, depot_stock=3, site_stock=2
    )
    network = replace(network, period_hours=730.0)
    given = {
        "units": 20,
        "climate": CLIMATE,
        "load": LOAD,
        "effects": {"temperature": 0.4, "humidity": 0.1, "load": 0.5},
        "ageing": Ageing(shape=2.0, life_hours=30_000.0, largest=3.0, oldest_hours=40_000.0),
        "crew": Crew(size=1, hours=12.0),
    }
    return Twin(network=network, **{**given, **fields})


def test_the_same_seed_is_the_same_run_whatever_its_number_of_replications():
    few = run_twin(fleet(), OneForOne(LEVELS), num_replications=2, seed=5)
    more = run_twin(fleet(), OneForOne(LEVELS), num_replications=3, seed=5)
    assert np.array_equal(few.samples, more.samples[:2])
    assert few.records == more.records
    assert few.path == more.path
    other = run_twin(fleet(), OneForOne(LEVELS), num_replications=2, seed=6)
    assert not np.array_equal(few.samples, other.samples)
    assert "+-" in str(few)


def test_two_rules_meet_the_same_failures_where_units_that_are_down_fail_too():
    twin = fleet(down_units_fail=True, ageing=None)
    one = run_twin(twin, OneForOne(LEVELS), num_replications=2)
    other = run_twin(twin, MinMax({"site 1": 0}, {"site 1": 4}), num_replications=2)
    assert np.array_equal(one.samples[:, -1], other.samples[:, -1])
    assert [r.failures for r in one.records] == [r.failures for r in other.records]
    assert not np.array_equal(one.totals, other.totals)
    assert not np.array_equal(one.samples[:, 5], other.samples[:, 5])


def test_stock_is_conserved():
    """Ordered from outside = on hand at the end - at the start + served failures + under way."""
    network = depot_and_sites(rate=0.8, ship=1, depot=2, periods=60, depot_stock=3, site_stock=2)
    twin = Twin(network=network, rate="mean")
    found = run_twin(twin, OneForOne(LEVELS), num_replications=1, seed=3)
    failures = sum(r.failures for r in found.records)
    # One for one, every failure draws one unit through the tree: with what is under way the net
    # stocks and the orders sum up to the base stocks at any time.
    assert failures > 50
    assert found.stock[0].sum() == 7
    assert found.mean["orders_per_year"] * twin.hours / 8760.0 == pytest.approx(2 * failures)


def test_hazards_follow_climate_load_and_bursts():
    """Failures of an hour are Poisson: those of hot and cold months have the ratio of hazards."""
    network = replace(one_site(exposure=40.0, periods=12), period_hours=730.0)
    hot = Climate(temperature=Wave(mean=15.0, season=15.0))
    twin = Twin(
        network=network,
        rate={"part": 1.0},
        climate=hot,
        effects={"temperature": 0.5},
        down_units_fail=True,
    )
    rule = OneForOne({"site": 50})
    counts = np.zeros(12)
    for seed in range(30):
        found = run_twin(twin, rule, num_replications=1, seed=seed)
        counts += [r.failures for r in found.records]
    temperature = np.array([r.temperature for r in found.records])
    assert temperature.max() > 29.0 > 2.0 > temperature.min()
    assert temperature.argmax() in (6, 7)
    hours = np.arange(8760)
    heat = 15.0 * np.cos(2.0 * np.pi * (hours - 6.5 / 12 * 8766.0) / 8766.0)
    expected = 30 * 40.0 * np.exp(0.05 * heat).reshape(12, 730).mean(axis=1)
    assert stats.chi2(12).sf(((counts - expected) ** 2 / expected).sum()) > 1e-3
    burst = run_twin(
        failure_burst(twin, factor=5.0, first_hour=0.0, hours=730.0), rule, num_replications=1
    )
    calm = run_twin(twin, rule, num_replications=1)
    assert burst.records[0].failures > 3 * calm.records[0].failures


def test_load_by_the_hour():
    relative = LOAD.relative(datetime(2024, 1, 1), 7 * 24)  # a Monday
    assert relative.mean() == pytest.approx(1.0)
    assert relative[9] / relative[2] == pytest.approx(5.0)
    assert relative[9] / relative[5 * 24 + 9] == pytest.approx(1.0 / 0.6)


def test_old_units_fail_more_and_new_ones_less():
    """Weibull of shape 2: renewals of one unit without end have the rate 1 / mean life."""
    network = replace(one_site(exposure=10.0, periods=200, lead=0, initial=50), period_hours=100.0)
    ageing = Ageing(shape=2.0, life_hours=2000.0, largest=50.0)
    twin = Twin(network=network, rate={"part": 1.0}, units=10, ageing=ageing)
    found = run_twin(twin, OneForOne({"site": 50}), num_replications=20, seed=1)
    # Hazard of a unit 1/100 x age/2000 an hour: Weibull of shape 2, scale sqrt(400 000) hours.
    scale = np.sqrt(2.0 * 2000.0 * 100.0)
    mean = scale * np.sqrt(np.pi) / 2.0
    variance = scale**2 - mean**2
    expected = twin.hours / mean + 0.5 * (variance / mean**2 - 1.0)  # Smith 1954: renewals by t
    failures = found.mean["failures_per_year"] * twin.hours / 8760.0 / 10.0
    half = found.half_widths["failures_per_year"] * twin.hours / 8760.0 / 10.0
    assert abs(failures - expected) < 2.0 * half
    assert half < 0.02 * expected


def test_one_crew_is_a_queue():
    """Poisson failures, one crew, exponential repairs, spares in plenty: M/M/1, rho / (1 - rho)."""
    network = replace(one_site(exposure=50.0, periods=150, initial=1000), period_hours=100.0)
    twin = Twin(
        network=network,
        rate={"part": 1.0},
        units=1000,
        down_units_fail=True,
        crew=Crew(size=1, hours=1.0, shape=1.0),
    )
    found = run_twin(twin, OneForOne({"site": 1000}), num_replications=3, seed=2)
    assert found.mean["short_hours_per_year"] == 0.0
    assert found.mean["down_hours_per_year"] / 8760.0 == pytest.approx(1.0, rel=0.12)
    two = run_twin(
        replace(twin, crew=Crew(size=2, hours=1.0, shape=1.0)),
        OneForOne({"site": 1000}),
        num_replications=3,
        seed=2,
    )
    assert two.mean["down_hours_per_year"] / 8760.0 == pytest.approx(0.5333, rel=0.1)  # M/M/2


def test_storage_holds_orders_back():
    twin = fleet(storage={"depot": 2.0})
    found = run_twin(twin, OneForOne(LEVELS), num_replications=2, seed=5)
    assert found.stock[1:, 0].max() <= 2.0
    free = run_twin(fleet(), OneForOne(LEVELS), num_replications=2, seed=5)
    assert found.mean["sla"] < free.mean["sla"]


def test_what_a_twin_records_is_what_the_inference_finds(tmp_path):
    """Records written, read and fitted: true rate and effects lie in their 99 % intervals."""
    climate = replace(CLIMATE, temperature=replace(CLIMATE.temperature, day=0.0))
    twin = fleet(
        periods=48,
        exposure=12.0,
        units=500,
        climate=climate,
        load=None,
        effects={"temperature": 0.4, "humidity": 0.15},
        ageing=None,
        rate={"part": 0.7},
    )
    levels = {"depot": 60, "site 1": 40, "site 2": 40}
    found = run_twin(twin, OneForOne(levels), num_replications=1, seed=4)
    write_failures(found.records, tmp_path / "failures.csv")
    records = read_failures(tmp_path / "failures.csv", components=["part"])
    assert {r.location for r in records} == {"site 1", "site 2"}
    fit = infer_rates(
        records,
        covariates=["temperature", "humidity"],
        reference={"temperature": 15.0, "humidity": 60.0},
    )
    low, high = fit.interval("part", 0.99)
    assert low < 0.7 < high
    for column, true in enumerate((0.4, 0.15)):
        low, high = np.quantile(fit.effect_draws[:, column], [0.005, 0.995])
        assert low < true < high
        assert high - low < (0.25, 0.35)[column]


def test_units_that_are_down_are_not_exposed():
    """Without any spare every unit fails once, and exposure is the time up to then."""
    network = replace(one_site(exposure=5.0, periods=200, initial=0), period_hours=10.0)
    twin = Twin(network=network, rate={"part": 0.2}, units=5)
    found = run_twin(twin, CallbackRule(lambda review: {}), num_replications=1)
    assert sum(r.failures for r in found.records) == 5
    assert sum(r.exposure for r in found.records) < 100.0
    assert found.records[-1].exposure == 0.0


def test_late_orders_and_a_lost_hub_cost_service():
    twin = fleet(crew=None, ageing=None)
    rule, options = OneForOne(LEVELS), {"num_replications": 15, "seed": 1}
    base = run_twin(twin, rule, **options)
    for changed in (
        prolonged_lead_times(twin, factor=4.0),
        lost_hub(twin),
        failure_burst(twin, factor=6.0),
    ):
        found = run_twin(changed, rule, **options)
        assert found.less(base, "sla").interval[1] < 0.0
        assert found.less(base, "short_hours_per_year").interval[0] > 0.0


def test_tables_of_stress_are_paired_with_the_plan():
    twin = fleet(periods=12)
    assert list(scenarios(twin)) == [
        "as planned",
        "failures x 4 for a tenth",
        "lead times x 2 for a half",
        "depot lost for a quarter",
    ]
    assert len(scenarios(Twin(network=known("single")))) == 3
    rows = stress_table(scenarios(twin), OneForOne(LEVELS), num_replications=3)
    assert rows[0].cost.mean == rows[0].sla.mean == 0.0
    assert rows[1].cost.mean == pytest.approx(
        rows[1].result.mean["total"] - rows[0].result.mean["total"]
    )
    table = rate_sensitivity(twin, OneForOne(LEVELS), num_replications=4)
    failures = {row.scenario: row.result.mean["failures_per_year"] for row in table}
    assert [row.scenario for row in table][1:] == [
        "rate x 0.5",
        "rate x 0.75",
        "rate x 1.25",
        "rate x 1.5",
    ]
    ratio = failures["rate x 1.5"] / failures["rate x 0.5"]
    assert 1.8 < ratio < 4.5
    assert wrong_prior(twin, 0.5).rate_factor == 0.5


def test_rules_of_reviews():
    """Min-max fills up from its minimum; a fixed quantity is ordered as it is."""
    network = one_site(exposure=1e-9, periods=3, initial=2)
    twin = Twin(network=network)
    up = run_twin(twin, MinMax({"site": 2}, {"site": 7}), num_replications=1)
    assert up.stock[:, 0].tolist() == [2.0, 7.0, 7.0, 7.0]
    fixed = run_twin(twin, FixedQuantity({"site": 4}, {"site": 2}), num_replications=1)
    assert fixed.stock[:, 0].tolist() == [2.0, 4.0, 6.0, 6.0]
    with pytest.raises(ValueError, match="the rule orders at 'sita'; known: site"):
        run_twin(twin, CallbackRule(lambda review: {"sita": 1}), num_replications=1)
    with pytest.raises(ValueError, match="one-for-one orders come between reviews"):
        run_twin(Twin.plain(network), OneForOne({"site": 3}), num_replications=1)
    with pytest.raises(ValueError, match="paired results need the same seed"):
        up.less(run_twin(twin, MinMax({}, {}), num_replications=2))
