"""The twin from a policy's own stocks, with periods at the beginning that are not counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import depot_and_sites, known, one_site
from sparing import cli
from sparing.commands.twin_policies import rule_of
from sparing.evaluate.network_pipelines import base_stock_network, one_for_one_levels
from sparing.inventory.base_stock import measure_base_stocks
from sparing.inventory.palm import one_for_one
from sparing.models.network_values import OutstandingOrder
from sparing.simulate.twin import Twin
from sparing.simulate.twin_files import load_twin
from sparing.simulate.twin_rules import CallbackRule, FixedQuantity, MinMax, OneForOne
from sparing.simulate.twin_runs import MEASURES, run_twin
from sparing.simulate.twin_stress import scenarios

CASE = Path(__file__).parents[1] / "data" / "spares-twin.toml"


def with_stocks(network, stocks):
    """Return the network with these stocks at the start and nothing under way."""
    parts = []
    for part in network.parts:
        places = [replace(x, initial=stocks[x.name], outstanding=None) for x in part.locations]
        parts.append(replace(part, locations=tuple(places)))
    return replace(network, parts=tuple(parts))


@pytest.mark.parametrize(
    ("rule", "stocks"),
    [
        (OneForOne({"depot": 3, "site 1": 2, "site 2": 1}), (3, 2, 1)),
        (
            MinMax({"depot": 1, "site 1": 0, "site 2": 0}, {"depot": 4, "site 1": 1, "site 2": 2}),
            (4, 1, 2),
        ),
        (
            FixedQuantity(
                {"depot": 1, "site 1": 0, "site 2": 0}, {"depot": 3, "site 1": 1, "site 2": 2}
            ),
            (4, 1, 2),
        ),
    ],
)
def test_levels_at_the_start_are_stocks_at_the_start(rule, stocks):
    """The same run as of a case that states these stocks, whatever the case at hand states."""
    network = depot_and_sites(rate=0.4, ship=1, depot=2, periods=20, depot_stock=9, site_stock=-1)
    (part,) = network.parts
    under_way = replace(
        part.locations[0], lead_time=3, outstanding=OutstandingOrder(quantity=2, age=1)
    )
    network = replace(network, parts=(replace(part, locations=(under_way, *part.locations[1:])),))
    found = run_twin(Twin(network=network, initial_stock="levels"), rule, num_replications=2)
    stated = with_stocks(network, dict(zip(part.names, stocks, strict=True)))
    same = run_twin(Twin(network=stated), rule, num_replications=2)
    assert np.array_equal(found.samples, same.samples)
    assert found.stock[0].tolist() == list(stocks)
    other = run_twin(Twin(network=network), rule, num_replications=2)
    assert not np.array_equal(found.samples, other.samples)


def test_a_warm_up_is_run_and_not_counted():
    """Costs of the periods behind it are those of the whole run, service and orders the rest."""
    network = depot_and_sites(rate=0.4, ship=1, depot=2, periods=40, depot_stock=9, site_stock=2)
    rule = OneForOne({"depot": 3, "site 1": 1, "site 2": 1})
    whole = run_twin(Twin(network=network), rule, num_replications=3, seed=4)
    late = run_twin(Twin(network=network, warm_up=15), rule, num_replications=3, seed=4)
    assert not late.period_costs[:, :15].any()
    np.testing.assert_allclose(late.period_costs[:, 15:], whole.period_costs[:, 15:])
    np.testing.assert_allclose(late.totals, whole.period_costs[:, 15:].sum(axis=1))
    assert late.records == whole.records  # what was seen is seen
    sla = MEASURES.index("sla")
    assert not np.array_equal(late.samples[:, sla], whole.samples[:, sla])


def test_service_of_the_counted_periods_is_counted_alone():
    """Nothing on the shelf until an order comes in period 10: short before, served behind it."""
    network = one_site(exposure=1.0, periods=40, initial=0)
    twin = Twin(network=network, rate={"part": 1.0})
    rule = CallbackRule(lambda review: {"site": 500} if review.period == 10 else {})
    whole = run_twin(twin, rule, num_replications=2, seed=1)
    late = run_twin(replace(twin, warm_up=12), rule, num_replications=2, seed=1)
    assert whole.mean["sla"] < 0.9
    assert (late.mean["sla"], late.mean["orders_per_year"]) == (1.0, 0.0)
    assert late.mean["short_hours_per_year"] == 0.0
    assert late.mean["fill_rate"] == 1.0
    assert late.mean["failures_per_year"] > 0.0


def test_discounting_begins_behind_the_warm_up():
    network = replace(one_site(exposure=1.0, periods=6, initial=4, holding_cost=1.0), discount=0.5)
    rule = CallbackRule(lambda _: {})
    twin = Twin(network=network, rate={"part": 1e-9}, warm_up=4)
    found = run_twin(twin, rule, num_replications=1)
    assert found.mean["total"] == pytest.approx(4.0 + 0.5 * 4.0)


def test_the_service_that_palm_promises_appears_from_the_levels_on():
    """Load 3, S = 5: the share of time without a backorder is the ready rate, within 99.9 %.

    From the case's forty units it is above for a while: that stock has to be used up first.
    """
    promised = one_for_one(3.0, 5).ready_rate
    network = one_site(exposure=3.0, periods=80, initial=40)
    options = {"num_replications": 40, "seed": 2, "confidence": 0.999}
    rule = OneForOne({"site": 5})
    twin = Twin(network=network, rate={"part": 1.0}, initial_stock="levels", warm_up=10)
    twin = replace(twin, down_units_fail=True)
    found = run_twin(twin, rule, **options)
    assert abs(found.mean["sla"] - promised) < found.half_widths["sla"]
    short = replace(twin, network=replace(network, periods=20), initial_stock="case", warm_up=0)
    high = run_twin(short, rule, **options)
    assert high.mean["sla"] - high.half_widths["sla"] > promised


@pytest.mark.parametrize(("method", "promised"), [("thinning", 0.9891), ("metric", 0.9736)])
def test_the_sla_of_a_method_in_the_long_run(method, promised):
    """Levels for an SLA of .98 at a depot and two sites: what exact thinning says of them appears.

    METRIC holds a unit less, of which it thinks .987 and exact thinning .974.
    """
    network = depot_and_sites(rate=0.1, ship=2, depot=14, periods=600)
    levels = one_for_one_levels(network, method=method, sla=0.98)
    rates = base_stock_network(network, one_for_one=True)
    exact = measure_base_stocks(rates, [[*levels["part"].values()]]).ready_rate[0, 1:].mean()
    assert exact == pytest.approx(promised, abs=1e-4)
    twin = Twin(
        network=network, rate="mean", initial_stock="levels", warm_up=60, down_units_fail=True
    )
    found = run_twin(twin, OneForOne(levels), num_replications=40, seed=6, confidence=0.999)
    assert abs(found.mean["sla"] - exact) < found.half_widths["sla"] < 0.011


def test_tuned_rules_have_levels_too():
    twin = load_twin(CASE)
    twin, rule = rule_of(replace(twin, initial_stock="levels"), "tuned=base-stock", 0.98)
    found = run_twin(twin, rule, num_replications=1)
    (rules,) = rule.rules.values()
    assert found.stock[0].tolist() == rules.order_up_to[0].tolist()


def test_stress_falls_into_the_counted_periods():
    twin = replace(load_twin(CASE), warm_up=6)
    names = scenarios(twin)
    burst = names["failures x 4 for a tenth"].disruptions[-1]
    assert burst.first_hour >= twin.warm_up_hours == 6 * 730.0
    assert burst.last_hour - burst.first_hour == pytest.approx(0.1 * twin.counted_hours)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_options_and_keys(capsys, tmp_path):
    options = ["--replications", 2, "--json"]
    code, text, _ = run(
        capsys, "twin", CASE, *options, "--initial-stock", "levels", "--warm-up", 12,
        "--periods", 24,
    )  # fmt: skip
    assert code == 0
    report = json.loads(text)
    assert (report["initial_stock"], report["warm_up"], report["periods"]) == ("levels", 12, 24)
    longer = tmp_path / "longer.toml"
    text = CASE.read_text(encoding="utf-8").replace("periods = 12", "periods = 24")
    added = "[twin]\ninitial_stock = 'levels'\nwarm_up = 12"
    longer.write_text(text.replace("[twin]", added), encoding="utf-8")
    code, text, _ = run(capsys, "twin", longer, *options)
    assert code == 0
    assert json.loads(text)["measures"] == report["measures"]
    code, text, _ = run(capsys, "twin", CASE, "--warm-up", 3, "--replications", 2)
    assert "the first 3 periods are not counted" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--warm-up", "12"], "warm_up must be below the periods of the horizon, 12; got 12"),
        (["--warm-up", "-1"], "'--warm-up'"),
        (["--periods", "0"], "'--periods'"),
        (["--initial-stock", "full"], "initial_stock must be case or levels; got 'full'"),
        (
            ["--initial-stock", "levels", "--policy", "optimal"],
            "initial_stock = 'levels' needs a policy with a level for 'inverter' at 'central'",
        ),
    ],
)
def test_what_is_refused(capsys, arguments, message):
    code, text, error = run(capsys, "twin", CASE, *arguments)
    assert code == 2
    assert message in error
    assert not text


def test_levels_of_some_locations_are_not_enough():
    network = known("serial")
    twin = Twin(network=network, initial_stock="levels")
    with pytest.raises(ValueError, match=r"a policy with a level for .* at 'central'"):
        run_twin(twin, OneForOne({"site": 2}), num_replications=1)
