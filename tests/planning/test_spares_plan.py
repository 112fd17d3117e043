"""The stocks of a plan: what is estimated, what is ordered, and what that is said to cost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
import sparing
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from spares_folder import COUNTS, FAILURES, ORDERS, SETTINGS, STOCK, write_folder
from sparing.cli import main
from sparing.evaluate.network_measures import network_metrics
from sparing.evaluate.network_plan import PartPlan
from sparing.models.network_values import GammaPrior
from sparing.planning.demo import FIRST_DAY, NUM_DAYS, write_demo
from sparing.planning.folder import read_plan_folder
from sparing.planning.spares_demo import FAILURES as TRUE_RATES
from sparing.planning.spares_demo import LEAD_TIMES, TODAY
from sparing.planning.spares_estimates import estimate_spares
from sparing.planning.spares_information import gamma_nodes, information_values
from sparing.planning.spares_levels import exact_levels
from sparing.planning.spares_methods import choose, with_belief
from sparing.planning.spares_plan import make_spares_plan
from sparing.planning.spares_problem import network_of, standings
from sparing.planning.spares_today import todays_levels
from sparing.planning.whole import plan_folder
from sparing.records.failure_history import UNIX, UnitRecords, failure_totals

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("spares"))


@pytest.fixture(scope="module")
def plan(folder):
    return plan_folder(folder)


@pytest.fixture(scope="module")
def saved(plan, folder):
    plan.save(folder / "plan")
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    found = read_plan_folder(write_demo(tmp_path_factory.mktemp("demo") / "ess"))
    assert found.spares is not None
    return found.spares


def test_the_rate_is_the_conjugate_posterior(plan):
    """Three failures since 2024-01-01 over unit-days counted by hand.

    2024 has 366 days; a unit is exposed from its installation to the day before its damage. Four
    places are filled all year but for west W1, empty on 10 and 11 October.
    """
    rate = plan.estimates.rates["pump"]
    assert rate.failures == 4
    assert rate.exposure == pytest.approx((4 * 366 - 2) / 365.25)
    assert rate.belief.shape == 4.5
    assert rate.belief.rate == pytest.approx(rate.exposure)


@limits(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_exposure_is_that_of_counting_days(seed):
    rng = np.random.default_rng(seed)
    installed = rng.integers(-200, 90, 12).astype(float)
    damaged = installed + rng.integers(0, 250, 12)
    damaged[rng.random(12) < 0.4] = np.nan
    parts, places = ("a", "b"), ("x", "y")
    history = UnitRecords(
        part=tuple(rng.choice(parts, 12)),
        location=tuple(rng.choice(places, 12)),
        place=(("", ""),) * 12,
        installed=installed,
        damaged=damaged,
    )
    found = failure_totals(history, parts, places, first=0.0, last=89.0)
    days, failures, monthly = np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 3))
    for part, place, begin, end in zip(
        history.part, history.location, installed, damaged, strict=True
    ):
        row, column = parts.index(part), places.index(place)
        whole = [d for d in range(90) if d >= begin and not d >= end]
        failed = 0.0 <= end <= 89.0
        failures[row, column] += failed
        days[row, column] += max(len(whole), int(failed))
        for d in whole:
            monthly[row, (UNIX + d * DAY).month - 1] += 1
    np.testing.assert_array_equal(found.failures, failures)
    np.testing.assert_allclose(found.exposure * 365.25, days, atol=1e-9)
    np.testing.assert_allclose(found.exposed * 365.25, monthly, atol=1e-9)
    assert found.demand.sum() == failures.sum()


def test_the_example_hides_its_truth_in_the_intervals(demo):
    """Rates, mean lead time of the centre, and today's levels are found again."""
    found = estimate_spares(demo)
    inside = 0
    for part, truth in TRUE_RATES.items():
        low, high = found.rates[part].belief.interval(0.99)
        inside += low <= truth <= high
    assert inside >= 3
    low, high = found.lead_times["central"].fit.mean_interval(0.99)
    assert low <= LEAD_TIMES["central"][1] <= high
    levels = todays_levels(demo, standings(demo))
    for (part, place), level in levels.items():
        reorder, upto = TODAY[part][place != "central"]
        if level.num_orders >= 5:
            assert level.order_up_to == upto, (part, place)
            assert level.reorder_at <= reorder, (part, place)
    assert demo.today == FIRST_DAY + (NUM_DAYS - 1) * DAY


def test_the_stock_of_now_is_what_the_records_say(plan):
    at = {level.location: level.standing for level in plan.levels}
    assert (at["store"].net, at["east"].net, at["west"].net) == (1, 0, -1)
    assert (at["west"].ordered, at["west"].age, at["west"].num_orders) == (1, 1, 1)


def test_a_count_is_carried_forward(tmp_path):
    """A unit that failed and an order that came behind the count, as of its last day."""
    stock = "\n".join(STOCK.splitlines()[:4]) + "\n"  # counts of 30 November alone
    found = standings(read_plan_folder(write_folder(tmp_path, stock=stock)).spares)
    net = {place: now.net for (_, place), now in found.items()}
    assert net == {"store": 2 - 1, "east": 1, "west": 1 - 1}  # shipped, and failed, on 1 December


def test_the_plan_is_the_optimum_of_its_network(plan):
    solution = plan.policy.solution
    alone = sparing.solve(solution.problem)
    assert (solution.lower, solution.upper) == (alone.lower, alone.upper)
    assert {x.location: x.order_now for x in plan.levels} == alone.first_decision
    policy = plan.policy.policies["pump"]
    network = replace(plan.network, belief_levels=solution.problem.belief_levels)
    exact = network_metrics(network, [policy])
    row = plan.rows[0]
    for name in ("total_cost", "sla"):
        middle = (exact[name].lower + exact[name].upper) / 2
        assert row.result.mean[name] == pytest.approx(
            middle, abs=2.0 * row.result.half_widths[name] + 0.002 * abs(middle)
        )
    assert row.key == "recommended"
    assert all(other.more[0] > -2.0 * other.more[1] for other in plan.rows[1:])


def test_levels_are_what_the_plan_orders(plan):
    policy = plan.policy.policies["pump"]
    assert isinstance(policy, PartPlan)
    for position, (reorder, upto) in enumerate(exact_levels(policy)):
        location = policy.part.locations[position]
        if reorder is not None:
            assert -location.backorders <= reorder < upto <= location.capacity


def test_quadrature_has_the_moments_of_the_belief():
    belief = GammaPrior(shape=4.5, rate=3.0)
    rates, weights = gamma_nodes(belief, 4)
    moment = 1.0
    for power in range(8):
        assert float(weights @ rates**power) == pytest.approx(moment, rel=1e-12)
        moment *= (4.5 + power) / 3.0


def test_knowing_the_rate_is_worth_what_vague_beliefs_cost(plan, tmp_path):
    """Never less than nothing, next to nothing for a sharp belief, and more for a vague one."""
    assert 0.0 <= plan.information[0].mean < plan.rows[0].result.mean["total_cost"]
    found = {}
    for name, shape in (("sharp", 2000.0), ("vague", 0.8)):
        (tmp_path / name).mkdir()
        text = f"prior = {{ shape = {shape}, rate = {shape} }}\nexposure = 0.4\n"
        folder = write_folder(tmp_path / name, settings=SETTINGS + text, failures=None)
        source = read_plan_folder(folder).spares
        network = network_of(source, estimate_spares(source), standings(source))
        network = with_belief(network, choose(network, "exact", 1))
        found[name] = information_values(sparing.solve(network))[0]
    assert found["sharp"].mean < 0.02 * found["vague"].mean
    assert found["vague"].error < 0.2 * found["vague"].mean


def test_intervals_hold_the_means_and_widen_with_ignorance(plan, tmp_path):
    low, high = plan.robustness.cost_interval("recommended")
    mean = plan.rows[0].result.mean["total_cost"] / plan.network.periods
    assert low < mean < high
    vague = SETTINGS + "prior = { shape = 0.5, rate = 0.3 }\n"
    source = read_plan_folder(write_folder(tmp_path, settings=vague, failures=COUNTS)).spares
    wide = estimate_spares(source).rates["pump"].belief
    known = plan.estimates.rates["pump"].belief
    assert wide.shape == 0.5 + 3
    assert wide.shape < known.shape


def test_a_large_part_has_rules_and_says_why(folder):
    source = read_plan_folder(folder).spares
    few = replace(source, settings=replace(source.settings, exact_states=10))
    found = make_spares_plan(few)
    choice = found.policy.choices["pump"]
    assert choice.method in ("base-stock", "min-max")
    assert "more than the 10 that are solved exactly" in choice.reason
    assert found.policy.solution is None
    for level in found.levels:
        position = level.standing.net + level.standing.ordered
        due = position <= level.reorder_at
        assert level.order_now == (max(level.order_up_to - position, 0) if due else 0)


def test_an_sla_is_reached(folder):
    source = read_plan_folder(folder).spares
    wanted = replace(source, settings=replace(source.settings, sla=0.9))
    found = make_spares_plan(wanted)
    sla = found.rows[0].result.mean["sla"]
    assert sla >= 0.9 - 2.0 * found.rows[0].result.half_widths["sla"]
    assert found.policy.solution.problem.sla is None or sla > 0.85


def test_counts_with_exposure_serve_as_well(tmp_path):
    text = SETTINGS.replace("first = 2024-01-01\n", "")
    source = read_plan_folder(
        write_folder(tmp_path, settings=text, failures=COUNTS, stock=None)
    ).spares
    found = estimate_spares(source)
    assert found.rates["pump"].belief.rate == 240.0
    network = network_of(source, found, standings(source))
    sites = {site.name: site.exposure for site in network.parts[0].sites}
    assert sites == pytest.approx({"east": 60.0 * 30 / 30, "west": 60.0 * 30 / 30})


def test_without_stock_and_orders_there_are_levels_all_the_same(tmp_path):
    text = SETTINGS.replace("[spares]\n", "[spares]\nlead_time = 1\n")
    found = plan_folder(write_folder(tmp_path, settings=text, stock=None, orders=None))
    assert all(level.today is None for level in found.levels)
    assert {row.key for row in found.rows} == {"recommended", "base_stock", "metric", "min_max"}
    assert any("No stock records" in remark for remark in found.remarks)
    metrics = found.save(tmp_path / "plan")["spares"]
    assert not metrics["stock_on_record"]
    assert "these are no orders to place" in (tmp_path / "plan" / "report.html").read_text()


def test_a_forecast_scales_the_exposure(folder):
    source = read_plan_folder(folder).spares
    found = estimate_spares(source)
    factor = {"pump": np.linspace(0.5, 1.5, 5)}
    plain = network_of(source, found, standings(source))
    scaled = network_of(source, found, standings(source), factor)
    for before, after in zip(plain.parts[0].sites, scaled.parts[0].sites, strict=True):
        np.testing.assert_allclose(after.exposures(5), before.exposures(5) * factor["pump"])


def test_choices_respect_the_method_asked_for(folder):
    source = read_plan_folder(folder).spares
    network = network_of(source, estimate_spares(source), standings(source))
    assert choose(network, "base-stock", 10**9)["pump"].method == "base-stock"
    assert choose(network, "exact", 1)["pump"].method == "exact"


def test_the_command_answers_for_any_stock(saved, plan, capsys):
    policy = plan.policy.policies["pump"]
    rng = np.random.default_rng(0)
    for _ in range(5):
        stocks = [int(rng.integers(-x.backorders, x.capacity + 1)) for x in policy.part.locations]
        words = ",".join(f"{n}={s}" for n, s in zip(policy.part.names, stocks, strict=True))
        stopped(["policy", str(saved), "--stock", words, "--json"], 0)
        answer = json.loads(capsys.readouterr().out)
        nothing = np.array(0)
        state = [
            int(stock.found.index(np.array(s), nothing, nothing))
            for stock, s in zip(policy.nodes.stocks, stocks, strict=True)
        ]
        assert list(answer["orders"].values()) == policy.orders(0, [*state, 0]).tolist()
    stopped(["policy", str(saved), "--stock", ""], 0)
    now = ", ".join(f"{x.order_now} to {x.location}" for x in plan.orders)
    assert capsys.readouterr().out == f"pump: order {now or 'none'}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--stock", "north=1"], "'north' is no location; there are store, east, west"),
        (["--stock", "east=9"], "--stock east: must be in -1..2"),
        (["--stock", "east"], "give location=number"),
        (["--stock", "east=x"], "must be a whole number; got 'x'"),
        (["--stock", "east=0", "--ordered", "east=x@1"], "must be a whole number; got 'x'"),
        (["--stock", "east=0", "--part", "fan"], "--part must be one of pump; got 'fan'"),
        (["--stock", "east=0", "--state", "x=1"], "--state or --stock, not both"),
        (["--state", "pump=1"], "its plan is one of spares alone; ask it with --stock"),
    ],
)
def test_wrong_questions_are_refused(options, message, saved, capsys):
    stopped(["policy", str(saved), *options], 2)
    assert message in capsys.readouterr().err


def test_the_files_say_the_same(saved, plan):
    parquet = pytest.importorskip("pyarrow.parquet")
    metrics = json.loads((saved / "plan" / "metrics.json").read_text())["spares"]
    table = parquet.read_table(saved / "plan" / "stock_policy.parquet").to_pylist()
    assert [row["order_now"] for row in table] == [x.order_now for x in plan.levels]
    assert metrics["rates"]["pump"]["shape"] == 4.5
    report = (saved / "plan" / "report.html").read_text()
    order = [
        "Orders to place now",
        "Stock levels",
        "Cost and service of the stocks",
        "Cost against service",
        "HyperScore of the stocks",
        "What to order in which state",
        "Demand",
        "Failure rates and lead times",
        "Assumptions and remarks",
    ]
    places = [report.index(f"<h2>{title}</h2>") for title in order]
    assert places == sorted(places)
    assert "http" not in report.replace('http-equiv="Content', "")


def test_names_of_parts_do_not_become_markup(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    settings = SETTINGS.replace('"pump"', f'"{evil}"')
    texts = (text.replace("pump,", f"{evil},") for text in (FAILURES, STOCK, ORDERS))
    failures, stock, orders = texts
    found = plan_folder(
        write_folder(tmp_path, settings=settings, failures=failures, stock=stock, orders=orders)
    )
    found.save(tmp_path / "plan")
    assert "<img" not in (tmp_path / "plan" / "report.html").read_text()


@pytest.mark.full
def test_the_whole_example(tmp_path, capsys):
    """Both kinds of plan in one folder, by the command, as the README says."""
    stopped(["demo", str(tmp_path / "ess")], 0)
    stopped(["plan", str(tmp_path / "ess"), "--json"], 0)
    found = json.loads(capsys.readouterr().out.split("\n", 2)[2])
    assert {"advice", "spares"} <= set(found)
    rows = {row["key"]: row["cost"] for row in found["spares"]["policies"]}
    assert rows["recommended"] < min(cost for key, cost in rows.items() if key != "recommended")
    methods = {choice["method"] for choice in found["spares"]["choices"].values()}
    assert "exact" in methods
    assert methods & {"min-max", "base-stock"}
    assert date.fromisoformat(found["spares"]["day"]) == FIRST_DAY + (NUM_DAYS - 1) * DAY


def stopped(arguments, code):
    with pytest.raises(SystemExit) as found:
        main(arguments)
    assert found.value.code == code


def test_what_the_model_cannot_hold_is_told(tmp_path):
    orders = ORDERS.replace("pump,west,1,2024-12-01,\n", "pump,west,2,2024-12-01,\n")
    settings = SETTINGS.replace("[spares]\n", "[spares]\nmax_order = 1\n")
    found = plan_folder(write_folder(tmp_path, settings=settings, orders=orders))
    left = "pump at west: 1 of 2 units on order are left out, as max_order is less."
    assert left in found.remarks
