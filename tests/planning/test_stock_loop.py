"""The closed loop of stocks: reviews are scored, the policy is kept and read on, or made anew."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sparing
from plan_folders import stopped
from spares_folder import HEADER, ORDERS, SETTINGS, write_folder
from sparing.evaluate.closed_loop import ClosedLoop, Standing
from sparing.evaluate.hyper_score import hyper_score
from sparing.evaluate.network_measures import evaluate_plans
from sparing.evaluate.network_solution import solve_network
from sparing.planning.folder import read_plan_folder
from sparing.planning.new_records import joined_with
from sparing.planning.spares_estimates import estimate_spares
from sparing.planning.spares_flows import net_stock, net_stock_on
from sparing.planning.spares_in_force import SolvedStock
from sparing.planning.spares_kept import going_on, stock_in_force
from sparing.planning.spares_problem import network_of, standings
from sparing.planning.spares_scoring import ReviewRecords, chance_below
from sparing.planning.updating import update_plan
from sparing.planning.whole import plan_folder

DAY = 20088.0  # 2024-12-31, the day of the first plan; its first review ends on 2025-01-30
FAILED = (
    HEADER + "pump,2024-03-01,Acme,2025-01-10,10,,,east,E1,A\npump,2025-01-10,Acme,,10,,,east,E1,\n"
)
ORDERED = """Part,Location,Quantity,Ordered,Received
pump,west,1,2024-12-28,2025-01-02
pump,east,1,2025-01-11,2025-01-15
pump,store,2,2025-01-12,
"""
GOOD = """Part,Location,Time,On Hand
pump,store,2025-01-30,1
pump,east,2025-01-30,1
pump,west,2025-01-30,0
"""
BAD = """Part,Location,Time,On Hand,Backordered
pump,store,2025-01-30,0,0
pump,east,2025-01-30,0,1
pump,west,2025-01-30,0,1
"""


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    orders = ORDERS.replace("pump,west,1,2024-12-01,", "pump,west,1,2024-12-28,")
    folder = write_folder(tmp_path_factory.mktemp("loop") / "site", orders=orders)
    return folder, sparing.plan(folder, out=folder / "plan")


@pytest.fixture
def planned(first, tmp_path):
    return Path(shutil.copytree(first[0], tmp_path / "site"))


def files(folder, **texts):
    paths = []
    for name, text in texts.items():
        paths.append(folder.parent / f"new-{name}.csv")
        paths[-1].write_text(text)
    return paths


def test_measures_of_a_review_are_those_counted_by_hand(planned, first):
    """One review before the plan and one behind it; the store pays 10 + 1 a unit for orders.

    On 2024-12-31 there is 1 unit in the store (4 to hold) and one waits in the west (300): 304 and
    half of the two sites short; the west ordered one, and the failure of 2024-12-01 lies before it.
    By 2025-01-30 the order to the west has come, a unit failed in the east and came from the store,
    which ordered 2 for 12: all stocks are 0.
    """
    (planned / "plan.toml").write_text(SETTINGS.replace("draws = 20", "last = 2025-01-30"))
    new = files(planned, failures=FAILED, orders=ORDERED)
    source = joined_with(read_plan_folder(planned), new).source.spares
    found = ReviewRecords(source, first[1].network, DAY)
    assert (found.first, found.last) == (-1, 1)
    targets = source.settings.scoring.targets({"cost": 6.0, "sla": 0.9})
    before, behind = found.scores(targets)
    assert before.measures == {"cost": 304.0, "sla": 0.5, "orders": 1.0, "failures": 0.0}
    assert before.score == pytest.approx(hyper_score((6 / 304 + 0.1 / 0.5) / 2))
    assert behind.measures == {"cost": 12.0, "sla": 1.0, "orders": 2.0, "failures": 1.0}
    assert behind.score == pytest.approx(hyper_score((6 / 12 + 1.0) / 2))
    assert (behind.start, behind.end, behind.num_looks) == (DAY, DAY + 30.0, 2)
    both = found.score(targets, -1, 0)
    assert both.measures["cost"] == 158.0
    assert found.score(targets, 5, 6).score == pytest.approx(hyper_score(1.0))


def test_stock_of_any_day_is_that_counted_carried_on_or_back(first):
    """By hand: counts of 2024-11-30 and 12-31; east took one on 2024-03-01, got one on 03-06."""
    source = read_plan_folder(first[0]).spares
    days = [19782.0, 19783.0, 19788.0, 20057.0, 20058.0, DAY, DAY + 9.0]  # from 2024-02-29 on
    found = net_stock_on(source, np.array(days))
    assert found["pump", "east"].tolist() == [1, 0, 1, 1, 1, 0, 0]
    assert found["pump", "west"].tolist()[-3:] == [0, -1, -1]
    assert {key: int(net[-1]) for key, net in found.items()} == net_stock(source)


def test_a_kept_policy_is_read_as_the_closed_loop_reads_it(planned, first):
    """A review later, with one failure in the exposure that was planned.

    The reference is the closed loop of the exact model, which looks the plan up itself.
    """
    plan = first[1]
    made, change = sparing.update_plan(
        planned, files(planned, failures=FAILED, orders=ORDERED, stock=GOOD), resolve=False
    )
    assert not change.resolved
    assert "policy kept as asked; the review that ended scores" in change.reason
    belief = made.estimates.rates["pump"].belief
    was = plan.estimates.rates["pump"].belief
    assert belief.shape - was.shape == 1.0
    at = {level.location: level.standing for level in made.levels}
    names = [place.name for place in plan.network.parts[0].locations]
    standing = Standing(
        period=1,
        net=tuple(at[name].net for name in names),
        ordered=tuple(at[name].ordered for name in names),
        age=tuple(at[name].age for name in names),
        age_bins=(0,) * len(names),
        failures=1,
        exposure=belief.rate - was.rate,
    )
    loop = ClosedLoop(plan.policy.solution)
    advice = loop.advise(plan.policy.solution.problem.parts[0], standing)
    assert advice.source == "looked up"
    assert {level.location: level.order_now for level in made.levels} == dict(advice.orders)
    assert made.network.periods == plan.network.periods - 1
    answer = sparing_policy(planned, at)
    assert answer == dict(advice.orders)
    metrics = json.loads((planned / "plan" / "metrics.json").read_text())["spares"]
    assert metrics["in_force"] == {"since": "2024-12-31", "reviews_left": 3, "kept": True}
    assert len(metrics["hyper_score"]["periods"]) == 2
    report = (planned / "plan" / "report.html").read_text()
    assert "HyperScore of the stocks" in report
    assert "Policy kept as asked" in report


def sparing_policy(folder, at):
    from sparing.planning.spares_saved import stock_answer

    stock = {name: standing.net for name, standing in at.items()}
    ordered = {name: (standing.ordered, standing.age) for name, standing in at.items()}
    return dict(stock_answer(folder / "plan" / "spares", "pump", stock, ordered).orders)


def test_what_is_kept_is_optimal_for_the_reviews_that_are_left(first):
    """Where all went as planned, the rest of an optimal plan is one, whatever was seen.

    The reference solves the rest anew, with the belief as its prior; beliefs do not saturate here.
    """
    plan = first[1]
    network = replace(plan.policy.solution.problem, belief_levels=None, periods=3)
    solution = solve_network(network)
    policies = {found.part.name: found for found in solution.plans}
    solved = replace(plan.solved, network=network, policies=policies)
    (part,) = network.parts
    exposure = sum(site.exposure for site in part.sites)
    for failures, stocks in ((0, (1, 0, 2)), (1, (2, 1, -1)), (4, (0, 0, 0))):
        places = tuple(
            replace(place, initial=stock, outstanding=None)
            for place, stock in zip(part.locations, stocks, strict=True)
        )
        belief = part.prior.posterior(failures, exposure)
        now = replace(network, parts=(replace(part, prior=belief, locations=places),))
        settings = replace(plan.source.settings, last=DAY + 30.0)
        source = replace(plan.source, settings=settings)
        found = going_on(as_saved(solved), source, now)
        assert found.network.periods == 2
        kept = found.policy.policies["pump"]
        cost = evaluate_plans(found.network, [kept], {"c": network.weights})["c"]
        optimum = solve_network(found.network)
        assert cost.value == pytest.approx(optimum.objective, abs=1e-6)
        assert {k: int(v) for k, v in kept.first_decision.items()} == optimum.first_decision


def as_saved(solved):
    """Return what plan.toml said as a file holds it."""
    return replace(solved, planned_for=json.loads(json.dumps(solved.planned_for)))


def test_how_often_luck_alone_scores_low(first):
    """Every review scores below 112, none below 100; by reviews, orders are not known."""
    plan, settings = first[1], first[1].source.settings.scoring
    targets = settings.targets(plan.solved.expected)
    for threshold, chance in ((112.0, 1.0), (100.0, 0.0)):
        found = chance_below(plan.network, plan.policy.policies, targets, threshold, seed=0)
        assert found == chance
    assert 0.0 < plan.chance_below < 0.5
    orders = replace(settings, weight={"cost": 1.0, "orders": 1.0}).targets(plan.solved.expected)
    assert chance_below(plan.network, plan.policy.policies, orders, 102.0, seed=0) is None


def test_what_is_saved_is_what_was_solved(planned, first):
    plan = first[1].solved
    saved = SolvedStock.load(planned / "plan" / "spares")
    assert (saved.day, saved.price, saved.expected) == (DAY, plan.price, plan.expected)
    assert saved.choices == plan.choices
    for before, now in zip(
        plan.policies["pump"].policies, saved.policies["pump"].policies, strict=True
    ):
        assert np.array_equal(before.stages[0], now.stages[0])


def test_good_reviews_keep_the_policy_and_bad_ones_plan_anew(planned, first, tmp_path, capsys):
    """Stocks as counted score well, two sites that wait do not: the plan is that made anew."""
    expected = first[1].solved.expected
    bad = Path(shutil.copytree(planned, tmp_path / "bad"))
    came = "Part,Location,Quantity,Ordered,Received\npump,west,1,2024-12-28,2025-01-02\n"
    _, change = update_plan(planned, files(planned, stock=GOOD, orders=came))
    value = (
        min(expected["cost"] / 9.0, 1.0) + 1.0
    ) / 2.0  # one in the store (4), one in the east (5)
    assert change.score.score == pytest.approx(hyper_score(value))
    assert not change.resolved
    assert "not below 102" in change.reason

    stopped(["update", str(bad), *map(str, files(bad, stock=BAD)), "--json"], 0)
    found = json.loads(capsys.readouterr().out)["spares"]
    assert found["change"]["resolved"]
    value = (expected["cost"] / 600.0 + (1.0 - expected["sla"]) / 1.0) / 2.0
    assert found["change"]["score"]["score"] == pytest.approx(hyper_score(value))
    assert "below 102" in found["change"]["reason"]
    alone = plan_folder(bad)
    assert found["exact"]["objective"]["lower"] == alone.policy.solution.lower
    assert found["in_force"] == {"since": "2025-01-30", "reviews_left": 4, "kept": False}
    assert "Planned anew: " in (bad / "plan" / "report.html").read_text()


def test_days_of_several_updates_are_counted_from_the_plan(planned):
    """Twenty days, then ten: no review has ended at the first update, at the second one has."""
    for day, scored in (("2025-01-20", False), ("2025-01-30", True)):
        text = f"Part,Location,Time,On Hand\npump,store,{day},1\npump,east,{day},1\n"
        text += f"pump,west,{day},1\n"
        made, change = sparing.update_plan(planned, files(planned, stock=text))
        assert not change.resolved
        assert made.network.periods == 3  # read at the second review, nearest from then on
        assert (change.score is not None) == scored
        assert ("no review has ended" in change.reason) != scored


def test_inspections_alone_leave_the_stock_policy_as_it_is(tmp_path):
    pump = """
[system]
kind = "multi-component"
structure = "seal"
downtime_cost = 50
[[component]]
name = "seal"
states = 2
renewals = ["replace"]
maintenance_cost = [[0, 0], [9, inf]]
"""
    settings = SETTINGS.replace("period = 30", "period = 30\ndraws = 20", 1) + pump
    folder = write_folder(tmp_path / "site", settings=settings)
    seen = "Unit,Component,Time,State\na,seal,2024-11-01,0\na,seal,2024-12-01,1\n"
    (folder / "inspections.csv").write_text(seen)
    sparing.plan(folder, out=folder / "plan")
    more = "Unit,Component,Time,State\nb,seal,2024-11-01,0\nb,seal,2024-12-01,0\n"
    made, change = sparing.update_plan(folder, files(folder, seen=more))
    assert made.spares.decision.reason == "policy kept: the new records are not of stocks."
    assert change.stocks is None
    both = files(
        folder,
        seen="Unit,Component,Time,State\nb,seal,2024-12-31,0\n",
        stock="Part,Location,Time,On Hand\npump,west,2025-02-01,1\n",
    )
    _, change = sparing.update_plan(folder, both)
    assert (change.num_records, change.stocks.num_records) == (1, 1)
    metrics = json.loads((folder / "plan" / "metrics.json").read_text())
    assert metrics["change"]["num_records"] == 1
    assert "stocks" not in metrics["change"]
    assert metrics["spares"]["change"]["file"] == "stock.csv"


NOT_KEPT = {
    "the horizon": "the 4 reviews of its exact plans are over",
    "plan.toml": "plan.toml has other parts, locations, costs or reviews",
    "no tables": "the earlier policy cannot be read",
}


def decision(folder, *paths, resolve=None):
    """Decide about the records of a folder and new ones, without making the plan that follows."""
    source = joined_with(read_plan_folder(folder), paths).source.spares
    network = network_of(source, estimate_spares(source), standings(source))
    in_force = stock_in_force(folder / "plan" / "spares", DAY, resolve=resolve)
    return in_force.decide(source, network)


@pytest.mark.parametrize("name", NOT_KEPT)
def test_a_policy_that_does_not_fit_is_made_anew_even_if_it_should_be_kept(planned, name):
    day = "2025-05-01" if name == "the horizon" else "2025-01-02"
    if name == "plan.toml":
        text = (planned / "plan.toml").read_text()
        (planned / "plan.toml").write_text(text.replace("holding_cost = 4", "holding_cost = 5"))
    if name == "no tables":
        (planned / "plan" / "spares" / "solved.npz").unlink()
    text = f"Part,Location,Time,On Hand\npump,store,{day},1\n"
    found = decision(planned, *files(planned, stock=text), resolve=False)
    assert found.resolved
    assert found.reason.startswith(f"planned anew: {NOT_KEPT[name]}")
    assert found.going_on is None


def test_a_rate_far_above_what_the_policy_can_believe_has_it_made_anew(planned):
    rows = "".join(
        f"pump,2025-01-05,Acme,2025-01-{day},10,,,east,E{day},A\n" for day in range(10, 30)
    )
    found = decision(planned, *files(planned, failures=HEADER + rows), resolve=False)
    assert found.resolved
    assert "fails more often than the policy was made to believe" in found.reason


WRONG = {
    "a key": ("foo = 1", "spares.hyper_score.foo.*is no key"),
    "measure": ("target = { availability = 0.9 }", "availability.*there are cost, sla, orders"),
    "a share": ("target = { sla = 1 }", "above 0 and below 1"),
    "threshold": ("resolve_below = -1", "must be a number above 0; got -1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings_are_told(name, tmp_path):
    text, message = WRONG[name]
    settings = SETTINGS + f"[spares.hyper_score]\n{text}\n"
    with pytest.raises(ValueError, match=message):
        read_plan_folder(write_folder(tmp_path, settings=settings))


def test_two_files_of_one_kind_and_files_of_no_kind_are_refused(planned):
    first, second = files(planned, stock=GOOD, again=GOOD)
    with pytest.raises(ValueError, match=r"new-again.csv: are all stock; put them into one file"):
        update_plan(planned, [first, second])
    (nothing,) = files(planned, nothing="Unit,Component\n")
    with pytest.raises(ValueError, match="holds no records of failures or stock or orders"):
        update_plan(planned, nothing)
    (damaged,) = files(planned, damaged='Part,Location\n"cut off')
    with pytest.raises(ValueError, match=r"new-damaged.csv"):
        update_plan(planned, damaged)
    (seen,) = files(planned, seen="Unit,Component,Time,State\na,b,1,0\n")
    with pytest.raises(ValueError, match=r"holds inspections, and plan.toml has no \[\[component"):
        update_plan(planned, seen)
    with pytest.raises(FileNotFoundError, match="is not there"):
        update_plan(planned, planned / "nowhere.csv")
