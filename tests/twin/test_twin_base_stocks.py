"""Base stocks by METRIC and its kin, and tuned rules, in a twin; the fleet of `ess-fleet`."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import sparing
from networks import depot_and_sites, known, one_site
from sparing import cli
from sparing.commands.twin_policies import rule_of
from sparing.evaluate.network_pipelines import base_stock_network, one_for_one_levels
from sparing.inventory.base_stock import METHODS, measure_base_stocks
from sparing.inventory.cost_curve import cost_curve
from sparing.inventory.palm import one_for_one
from sparing.models.network_rules import StockRules
from sparing.models.spares_network_files import spares_network
from sparing.simulate.spares_network import simulate_rules
from sparing.simulate.twin import Twin
from sparing.simulate.twin_files import load_twin
from sparing.simulate.twin_rules import OneForOne
from sparing.simulate.twin_runs import run_twin
from sparing.simulate.twin_stock_rules import StockRulesAtReviews

CASE = Path(__file__).parents[1] / "data" / "spares-twin.toml"


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.mark.parametrize("sla", [0.9, 0.99, 0.9999])
def test_the_level_of_one_site_is_that_of_palm(sla):
    levels = one_for_one_levels(one_site(exposure=3.0), method="thinning", sla=sla)
    (level,) = levels["part"].values()
    assert one_for_one(3.0, level).ready_rate >= sla > one_for_one(3.0, level - 1).ready_rate


@pytest.mark.parametrize("method", METHODS)
def test_levels_are_the_first_of_the_curve_that_reach_the_sla(method):
    problem = depot_and_sites(rate=0.1, ship=2, depot=14, periods=5)
    network = base_stock_network(problem, one_for_one=True)
    # The two outlets of Graves (1985), whose lead times are not to be lengthened.
    np.testing.assert_allclose(network.lead_time, [[14.0, 2.0, 2.0]])
    np.testing.assert_allclose(network.demand_rate, [[0.0, 0.1, 0.1]])
    curve = cost_curve(network, method=method)
    for sla in (0.8, 0.99):
        found = one_for_one_levels(problem, method=method, sla=sla)["part"]
        measures = measure_base_stocks(network, [*found.values()], method=method)
        assert measures.ready_rate[0, 1:].mean() >= sla
        cheaper = [
            curve.measures(v)
            for v in range(curve.num_vertices)
            if curve.investment[v] < measures.investment - 1e-9
        ]
        assert cheaper
        assert all(m.ready_rate[0, 1:].mean() < sla for m in cheaper)


def test_site_and_part_time_counts_each_part_where_it_fails():
    fleet = base_stock_network(sparing.load("ess-fleet"), one_for_one=True)
    curve = cost_curve(fleet)
    part_time = curve.reaching(0.995, per_part=True)
    site_time = curve.reaching(0.995)
    sites = fleet.is_site
    assert part_time.measures.ready_rate[:, sites].mean() >= 0.995
    assert site_time.measures.sla >= 0.995 > part_time.measures.sla
    assert part_time.investment < site_time.investment


def test_levels_stay_within_capacities():
    problem = depot_and_sites(rate=0.1, ship=2, depot=14, periods=5)
    (part,) = problem.parts
    small = tuple(replace(x, capacity=1) for x in part.locations)
    problem = replace(problem, parts=(replace(part, locations=small),))
    found = one_for_one_levels(problem, method="thinning", sla=0.999)
    assert set(found["part"].values()) == {1}


def test_stock_above_the_level_is_used_up_before_anything_is_ordered():
    """With the level 2 and 6 on the shelf, the first four failures order nothing."""
    problem = one_site(exposure=2.0, periods=20, initial=6, lead=0)
    found = run_twin(Twin(network=problem, rate="mean"), OneForOne({"site": 2}), num_replications=3)
    years = Twin(network=problem).hours / 8760.0
    samples = {m: found.samples[:, k] for k, m in enumerate(found.mean) if m.endswith("per_year")}
    ordered, failed = samples["orders_per_year"] * years, samples["failures_per_year"] * years
    np.testing.assert_allclose(ordered, failed - 4.0)


def test_the_fleet_of_500_megawatts_has_all_the_realism_and_no_other_network():
    twin = load_twin("ess-fleet")
    text = (resources.files("sparing") / "cases" / "ess-fleet.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    del content["twin"]
    bare = spares_network(content, "ess-fleet")
    assert repr(bare) == repr(twin.network) == repr(sparing.load("ess-fleet"))
    assert None not in (twin.climate, twin.load, twin.ageing, twin.crew)
    assert set(twin.storage) == {"central", "hub-north", "hub-middle", "hub-south"}
    assert set(twin.effects) == {"temperature", "humidity", "load"}
    assert sum(twin.units_at(site, 0.0) for site in twin.sites) == 500 / 1.25


def test_a_short_horizon_of_the_fleet_runs(capsys, tmp_path):
    text = (resources.files("sparing") / "cases" / "ess-fleet.toml").read_text(encoding="utf-8")
    short = tmp_path / "short.toml"
    short.write_text(text.replace("periods = 52 ", "periods = 6 "), encoding="utf-8")
    policies = [f"base-stock={method}" for method in METHODS] + ["base-stock=thinning:0.999"]
    options = [option for name in policies for option in ("--policy", name)]
    code, text, _ = run(capsys, "twin", short, *options, "--replications", 2, "--json")
    assert code == 0
    report = json.loads(text)
    assert [row["name"] for row in report["policies"]] == policies
    assert report["measures"]["failures_per_year"]["mean"] > 0.0


def test_tuned_rules_cost_in_the_plain_twin_what_they_do_in_the_rollout():
    problem = known("serial")
    rules = StockRules.min_max([0, 0], [2, 2], review=2)
    totals = simulate_rules(problem, rules, num_replications=20_000, seed=3)[0, :, 0]
    tolerance = 4.0 * totals.std() / np.sqrt(totals.size)
    found = run_twin(
        Twin.plain(problem), StockRulesAtReviews({problem.parts[0].name: rules}),
        num_replications=600, confidence=0.999,
    )  # fmt: skip
    assert abs(found.mean["total"] - totals.mean()) <= found.half_widths["total"] + tolerance


def test_tuned_rules_run(capsys):
    code, text, _ = run(
        capsys, "twin", CASE, "--policy", "tuned=min-max", "--replications", 2, "--json"
    )
    assert code == 0
    report = json.loads(text)
    assert (report["policy"], report["orders"]) == ("tuned=min-max", "single")


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("base-stock", "--policy base-stock needs a method, such as base-stock=thinning; known:"),
        ("base-stock=best", "needs a method, such as base-stock=thinning"),
        ("base-stock=metric", "base stocks need an SLA to reach: add sla to [system]"),
        ("base-stock=metric:high", "the SLA must be a number, such as base-stock=metric:0.999"),
        ("base-stock=metric:1.5", "sla must be above 0 and below 1; got 1.5"),
        ("tuned=best", "--policy tuned needs one of min-max, fixed-quantity, base-stock"),
    ],
)
def test_policies_that_are_none_are_refused(policy, message):
    with pytest.raises(ValueError) as error:
        rule_of(load_twin(CASE), policy, 0.98)
    assert message in str(error.value)
    assert "--policy" in str(error.value)
