"""Plans by location, HyperScore and the comparison of policies."""

from __future__ import annotations

import json
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
import sparing
from sparing.cli import main
from sparing.evaluate.hyper_score import hyper_score, hyper_score_of, metric_score
from sparing.evaluate.location_plan import LocationPlanner
from sparing.evaluate.network_comparison import compare_network, reduction
from sparing.evaluate.network_tuning import CompareOptions
from sparing.evaluate.rule_pool import RulePool, price_for_sla
from sparing.evaluate.rule_tuning import BASE_STOCK, FIXED_QUANTITY, MIN_MAX, refine, try_grid
from sparing.models.location_orders import LocationOrders
from sparing.models.network_rules import StockRules
from sparing.models.network_values import HyperScoreTargets
from sparing.simulate.spares_network import network_paths, simulate_network, simulate_rules

DATA = Path(__file__).parent.parent / "data"

SMALL = """
[system]
kind = "spares-network"
periods = 26
period_hours = 168
sla = 0.98

[hyper_score]
target = { holding_cost = 40, total_cost = 80, sla = 0.98, orders_per_year = 20 }
weight = { holding_cost = 0.25, total_cost = 0.5, sla = 0.25, orders_per_year = 0.0 }

[demand]
truncate = 5

[[location]]
name = "central"
supplier = "external"
capacity = 8
initial = 3
holding_cost = 0.5
order_cost = { fixed = 4, unit = 0 }
lead_time = { shape = 3, scale = 1, longest = 6 }

[[location]]
name = "north"
supplier = "central"
capacity = 4
initial = 1
backorders = 3
exposure = 1.0
holding_cost = 0.5
downtime_cost = 20
emergency_cost = 40
order_cost = { fixed = 1, unit = 0 }
lead_time = 1

[[location]]
name = "south"
supplier = "central"
capacity = 4
initial = 1
backorders = 3
exposure = 0.6
holding_cost = 0.5
downtime_cost = 20
emergency_cost = 40
order_cost = { fixed = 1, unit = 0 }
lead_time = 1

[[part]]
name = "pump"
prior = { shape = 2, rate = 20 }

[[part]]
name = "board"
prior = { shape = 3, rate = 60 }
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("cases") / "small.toml"
    path.write_text(SMALL)
    return sparing.load(path)


def test_the_plan_of_a_single_site_costs_the_optimum():
    """One site below the outside supplier: nothing is approximated, the rollout shows 55.586."""
    problem = sparing.load(DATA / "known_spares_single.toml")
    planner = LocationPlanner(problem, problem.parts[0])
    orders = planner.orders(site_price=1.0, warehouse_price={})
    found = simulate_network(problem, orders, num_replications=40_000, seed=3)
    assert abs(found.objective - 55.586243264451) < 2.5 * found.half_width
    exact = sparing.solve(problem)
    same = simulate_network(problem, exact, num_replications=40_000, seed=3)
    gap, half = found.difference(same)
    assert abs(gap) <= max(3.0 * half, 1e-9)


def test_the_plan_of_centre_and_site_is_near_the_optimum():
    """94.663 is the optimum; what batches and an empty shelf cost is left out of the plan."""
    problem = sparing.load(DATA / "known_spares_serial.toml")
    planner = LocationPlanner(problem, problem.parts[0])
    orders = planner.orders(site_price=1.0, warehouse_price={0: 0.5})
    found = simulate_network(problem, orders, num_replications=60_000, seed=3)
    assert found.objective > 94.663190396441 - 2.5 * found.half_width
    assert found.objective < 1.04 * 94.663190396441


def test_orders_by_location_that_say_what_a_rule_says_do_what_it_does(small):
    """(s, S) as rules and as tables: the same luck, the same totals."""
    part = small.parts[0]
    reorder, upto = np.array([2, 0, 0]), np.array([5, 1, 2])
    quantity = np.zeros((small.periods, 1, 3, 12), dtype=np.int32)
    for i, location in enumerate(part.locations):
        stock = np.arange(12) - location.backorders
        quantity[:, 0, i] = np.where(stock <= reorder[i], np.maximum(upto[i] - stock, 0), 0)
    options = {"part": part, "num_replications": 300, "seed": 5}
    rules = simulate_rules(small, StockRules.min_max(reorder, upto), **options)
    tables = simulate_rules(small, LocationOrders(quantity=quantity), **options)
    np.testing.assert_array_equal(rules, tables)
    for threads in (1, 2):
        again = simulate_rules(
            small, LocationOrders(quantity=quantity), num_threads=threads, **options
        )
        np.testing.assert_array_equal(again, tables)


def test_the_plan_orders_more_where_more_failures_were_seen(small):
    planner = LocationPlanner(small, small.parts[0], beyond=10)
    orders = planner.orders(site_price=1.0, warehouse_price={0: 0.3})
    central = orders.quantity[10, :, 0, 2]  # two units on hand in the eleventh period
    assert np.all(np.diff(central) >= 0)
    assert central[-1] > central[0]


def test_tuning_finds_what_brute_force_finds(small):
    """All (S at central, S north, S south) of base stocks, one by one, on the same luck."""
    part = small.parts[0]
    pool = RulePool(problem=small, part=part, num_replications=200, check_replications=200, seed=9)
    try_grid(pool, BASE_STOCK, [np.array([3, 1, 1])])
    refine(pool, BASE_STOCK, price=1.0, max_rounds=8)
    levels = np.stack(np.meshgrid(*[np.arange(1, 5)] * 3), axis=-1).reshape(-1, 3)
    levels[:, 0] *= 2
    totals = simulate_rules(
        small, StockRules.base_stock(levels), part=part, num_replications=200, seed=9
    )
    assert pool.cost(pool.best(1.0), 1.0) <= totals[:, :, 0].mean(axis=1).min() + 1e-9


@pytest.mark.parametrize("kind", [MIN_MAX, FIXED_QUANTITY], ids=lambda kind: kind.key)
def test_refinement_never_makes_rules_worse(small, kind):
    part = small.parts[1]
    pool = RulePool(problem=small, part=part, num_replications=100, check_replications=100, seed=2)
    try_grid(pool, kind, [np.array([2, 1, 1])])
    before = pool.cost(pool.best(1.0), 1.0)
    refine(pool, kind, price=1.0, max_rounds=3)
    assert pool.cost(pool.best(1.0), 1.0) <= before
    price, reached = price_for_sla([pool], 0.9)
    assert reached
    short = pool.sites_short(pool.best(price))
    assert 1.0 - short / (small.periods * 2) >= 0.9


def test_a_comparison_reaches_the_sla_and_states_paired_reductions(small):
    options = CompareOptions(tuning_replications=100, replications=400, refinements=1, beyond=5)
    found = compare_network(small, options)
    assert {"min_max", "fixed_quantity", "base_stock", "metric", "thinning", "belief"} <= {
        *found.policies
    }
    for row in found.policies.values():
        half = row.result.half_widths["sla"]
        assert not row.reached or row.result.mean["sla"] >= 0.98 - 3.0 * half
    against = found.reductions["min_max"]["total_cost"]
    new, old = found.policies["belief"].result, found.policies["min_max"].result
    assert against.share == pytest.approx(
        1.0 - new.mean["total_cost"] / old.mean["total_cost"], rel=1e-12
    )
    assert 0.0 <= against.p_value <= 1.0
    again = compare_network(small, options)
    assert again.reductions == found.reductions


def test_ages_are_refused_before_any_work():
    problem = sparing.load(DATA / "known_spares_age.toml")
    with pytest.raises(ValueError, match="comparisons know no ages of units"):
        compare_network(problem, CompareOptions(tuning_replications=2, replications=2))


def test_a_single_site_can_be_compared():
    problem = sparing.load(DATA / "known_spares_single.toml")
    options = CompareOptions(tuning_replications=200, replications=4000, refinements=1, beyond=0)
    found = compare_network(problem, options)
    best = found.policies["belief"].result
    assert abs(best.objective - 55.586243264451) < 3.0 * best.half_width
    assert found.policies["min_max"].result.objective > 55.586243264451 - 3.0 * best.half_width


def test_a_policy_against_itself_is_no_reduction(small):
    rules = {part.name: StockRules.base_stock([4, 1, 1]) for part in small.parts}
    run = simulate_network(small, rules, num_replications=50, seed=1)
    found = reduction("total_cost", run, run)
    assert (found.share, found.half_width, found.p_value) == (0.0, 0.0, 1.0)
    other = simulate_network(small, rules, num_replications=50, seed=2)
    with pytest.raises(ValueError, match="same seed"):
        reduction("total_cost", run, other)


def test_paths_of_orders_by_location_add_up(small):
    part = small.parts[0]
    planner = LocationPlanner(small, part, beyond=2)
    orders = planner.orders(site_price=1.0, warehouse_price={0: 0.3})
    paths = network_paths(small, orders, part=part, num_replications=64, seed=4)
    totals = simulate_rules(small, orders, part=part, num_replications=64, seed=4)
    np.testing.assert_allclose(paths.cost.sum(axis=1), totals[0, :, 0], rtol=1e-12)


def test_hyper_score_of_the_page():
    """V = 1 gives 100 (1 + (1/3)^2) = 111.11 and V = 0.5 gives 100.02."""
    assert hyper_score(1.0) == pytest.approx(100.0 * (1.0 + 1.0 / 9.0), abs=1e-12)
    assert round(hyper_score(0.5), 2) == 100.02
    sigmoid = 1.0 / (1.0 + exp(-(6.0 * log(0.8) + 0.3)))
    assert hyper_score(0.8, beta=6.0, gamma=0.3, kappa=1.5) == pytest.approx(
        100.0 * (1.0 + sigmoid**1.5)
    )


@pytest.mark.parametrize("value", [0.0, -0.1, 1.0000001, float("nan"), float("inf")])
def test_hyper_score_refuses_values_outside(value):
    with pytest.raises(ValueError, match=r"V must be"):
        hyper_score(value)


def test_metric_scores():
    assert metric_score("total_cost", 200.0, 100.0) == 0.5
    assert metric_score("total_cost", 50.0, 100.0) == 1.0
    assert metric_score("sla", 0.99, 0.995) == pytest.approx(0.5)
    assert metric_score("sla", 0.999, 0.995) == 1.0
    targets = HyperScoreTargets(
        target={"total_cost": 100.0, "sla": 0.995}, weight={"total_cost": 3.0, "sla": 1.0}
    )
    found = hyper_score_of({"total_cost": 200.0, "sla": 0.995, "more": 1.0}, targets)
    assert found.value == pytest.approx((3.0 * 0.5 + 1.0) / 4.0)
    assert found.score == hyper_score(found.value)
    with pytest.raises(ValueError, match="'total_cost', which is not measured"):
        hyper_score_of({"sla": 1.0}, targets)


def test_compare_command_prints_and_saves(tmp_path, capsys):
    case = tmp_path / "small.toml"
    case.write_text(SMALL.replace("periods = 26", "periods = 8"))
    folder = tmp_path / "found"
    arguments = ["compare", str(case), "--quick", "--out", str(folder)]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "min-max, periodic review" in shown
    assert "against" in shown
    saved = json.loads((folder / "compare.json").read_text())
    assert saved["format"] == "sparing-network-comparison-1"
    assert {"policies.csv", "reductions.csv", "costs.png", "stocks.png"} <= {
        file.name for file in folder.iterdir()
    }


def test_the_fleet_is_in_the_setting_of_the_source():
    """500 MW; at least 20 sites, three hubs, one centre, ten part types; a year at 99.5 %."""
    fleet = sparing.load("ess-fleet")
    names = [location.name for location in fleet.locations]
    assert len(fleet.parts) == 10
    assert sum(location.is_site for location in fleet.locations) >= 20
    assert sum(name.startswith("hub") for name in names) == 3
    assert (fleet.periods, fleet.period_hours, fleet.sla) == (52, 168, 0.995)


def test_bad_orders_are_refused(small):
    with pytest.raises(ValueError, match="quantity must have shape"):
        LocationOrders(quantity=np.zeros((2, 2), dtype=np.int32))
    with pytest.raises(ValueError, match="at least 0"):
        LocationOrders(quantity=-np.ones((1, 1, 1, 1), dtype=np.int32))
    few = LocationOrders(quantity=np.zeros((1, 1, 1, 1), dtype=np.int32))
    with pytest.raises(ValueError, match="must be for 26 periods and 3 locations"):
        simulate_network(small, few, num_replications=2)
    with pytest.raises(ValueError, match="replications must be at least 2"):
        CompareOptions(replications=1)
