"""The HyperScore of periods, and what follows from it: the policy is kept, or solved anew."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import sparing
from sparing.cli import main
from sparing.evaluate.hyper_score import hyper_score
from sparing.exact.policy_evaluation import evaluate_policy
from sparing.planning.folder import read_plan_folder
from sparing.planning.planning import make_plan
from sparing.planning.scoring import PeriodRecords

SETTINGS = """
[plan]
period = 10
draws = 20
[system]
kind = "multi-component"
structure = "pump & fan"
setup_cost = 7
downtime_cost = 50
[[component]]
name = "pump"
states = 3
renewals = ["replace"]
maintenance_cost = [[0, 0, 0], [5, 0, 0], [9, inf, inf]]
[[component]]
name = "fan"
states = 2
renewals = ["replace"]
maintenance_cost = [[0, 0], [4, inf]]
"""
SEEN = """Unit,Component,Time,State
a,pump,0,0
a,fan,0,0
a,pump,10,1
a,fan,10,0
a,pump,20,2
a,fan,20,0
a,pump,30,0
a,fan,30,1
b,pump,12,0
b,fan,12,0
b,pump,22,0
b,fan,22,0
b,pump,32,0
b,fan,32,0
"""
DONE = """Unit,Component,Time,Action,Cost
a,pump,20,replace,11
a,fan,30,replace,
"""


def folder_with(folder, settings=SETTINGS):
    folder.mkdir(exist_ok=True)
    (folder / "plan.toml").write_text(settings)
    (folder / "inspections.csv").write_text(SEEN)
    (folder / "maintenance.csv").write_text(DONE)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = folder_with(tmp_path_factory.mktemp("scored") / "site")
    sparing.plan(folder, out=folder / "plan")
    return folder


@pytest.fixture
def planned(made, tmp_path):
    return shutil.copytree(made, tmp_path / "site")


def records_of(folder, text):
    path = folder.parent / "new.csv"
    path.write_text(text)
    return path


def test_measures_are_those_counted_by_hand(planned):
    """Period 2 (20 to 30): two units, one of three looks down, one action with its set-up.

    Unit a is seen down at 20, b up at 22; cost (11 + 7) / 2 units + 50 x 1/2 = 34. In period 3 the
    cost of the fan is not on record and is the model's: (4 + 7) / 2 + 50 / 2 = 30.5.
    """
    source = read_plan_folder(planned)
    problem = make_plan(planned).problem
    found = PeriodRecords(source, problem)
    targets = source.scoring.targets({"cost": 17.0, "availability": 0.75})
    first, second, third, fourth = found.scores(targets)
    assert (first.start, first.end, fourth.end) == (0.0, 10.0, 40.0)
    assert first.measures == {"cost": 0.0, "availability": 1.0, "failures": 0.0, "actions": 0.0}
    assert first.score == pytest.approx(hyper_score(1.0))
    assert second.measures["cost"] == 0.0
    assert third.measures == {"cost": 34.0, "availability": 0.5, "failures": 0.5, "actions": 0.5}
    assert third.score == pytest.approx(hyper_score((17 / 34 + 0.25 / 0.5) / 2))
    assert fourth.measures["cost"] == 30.5
    pooled = found.score(targets, 2, 3)
    assert pooled.num_looks == 4
    assert pooled.measures["cost"] == pytest.approx((18 + 11) / 4 + 50 * 0.5)


def test_the_plan_tells_what_it_expects(made):
    metrics = json.loads((made / "plan" / "metrics.json").read_text())
    plan = make_plan(made)
    found = sparing.evaluate(plan.problem, plan.solution.policy)
    assert metrics["expected"]["cost"] == pytest.approx(found["cost_rate"].value)
    assert metrics["expected"]["availability"] == pytest.approx(found["reliability"].value)
    assert len(metrics["hyper_score"]["periods"]) == 4
    assert "HyperScore" in (made / "plan" / "report.html").read_text()


GOOD = "Unit,Component,Time,State\n" + "".join(
    f"{unit},{name},{time},0\n" for unit in "ab" for name in ("pump", "fan") for time in (40, 50)
)
BAD = "Unit,Component,Time,State\n" + "".join(
    f"{unit},pump,{time},2\n{unit},fan,{time},1\n" for unit in "ab" for time in (40, 50)
)


def test_records_that_score_well_keep_the_policy_and_move_the_belief(planned):
    before = sparing.load_solution(planned / "plan" / "solution")
    plan, change = sparing.update_plan(planned, records_of(planned, GOOD))
    assert not change.resolved
    assert change.score.score == pytest.approx(hyper_score(1.0))
    assert "policy kept: the new records score 111.11, not below 102" in change.reason
    assert change.num_states_changed == 0
    assert min(change.largest_shift.values()) > 0.01
    states = np.argwhere(np.ones((3, 2))).astype(np.int32)
    old_actions = before.policy.action(states)
    assert np.array_equal(plan.solution.policy.action(states), old_actions)
    value = evaluate_policy(plan.problem.epoch, plan.solution.policy, {"c": plan.problem.weights})
    assert plan.solution.lower <= value["c"].value <= plan.solution.upper
    optimum = sparing.solve(plan.problem)
    assert plan.solution.upper >= optimum.lower
    assert plan.expected == json.loads((planned / "plan" / "metrics.json").read_text())["expected"]
    report = (planned / "plan" / "report.html").read_text()
    assert "estimates and advice moved. Policy kept: " in report
    assert "that of the kept policy" in report
    # The kept policy was saved, and may be kept again.
    more = "Unit,Component,Time,State\na,pump,60,0\na,fan,60,0\n"
    _, again = sparing.update_plan(planned, records_of(planned, more))
    assert not again.resolved


def test_records_that_score_badly_have_it_solved_anew(planned, capsys):
    stopped(["update", str(planned), str(records_of(planned, BAD)), "--json"], 0)
    metrics = json.loads(capsys.readouterr().out)
    change = metrics["change"]
    assert change["resolved"]
    assert change["score"]["score"] < 102
    assert "below 102" in change["reason"]
    alone = make_plan(planned)
    assert metrics["objective"] == {"lower": alone.solution.lower, "upper": alone.solution.upper}
    assert metrics["expected"]["cost"] == pytest.approx(alone.expected["cost"])
    assert (
        "estimates and advice moved. Solved anew: "
        in (planned / "plan" / "report.html").read_text()
    )


@pytest.mark.parametrize(("flag", "resolved"), [("--resolve", True), ("--keep", False)])
def test_it_may_be_asked_for(planned, capsys, flag, resolved):
    text = GOOD if resolved else BAD
    stopped(["update", str(planned), str(records_of(planned, text)), flag, "--json"], 0)
    change = json.loads(capsys.readouterr().out)["change"]
    assert change["resolved"] is resolved
    assert "as asked" in change["reason"]


def test_other_costs_have_it_solved_anew(planned):
    text = (planned / "plan.toml").read_text()
    (planned / "plan.toml").write_text(text.replace("setup_cost = 7", "setup_cost = 9"))
    _, change = sparing.update_plan(planned, records_of(planned, GOOD), resolve=False)
    assert change.resolved
    assert "plan.toml has other components, costs or objectives" in change.reason


def test_the_threshold_and_the_targets_may_be_set(planned):
    text = (planned / "plan.toml").read_text()
    own = "[hyper_score]\nresolve_below = 112\ntarget = { failures = 0.5 }\n"
    (planned / "plan.toml").write_text(text + own)
    _, change = sparing.update_plan(planned, records_of(planned, GOOD))
    assert change.resolved
    assert "score 111.11, below 112" in change.reason
    _, change = sparing.update_plan(
        planned,
        records_of(planned, "Unit,Component,Time,State\na,pump,60,0\n"),
        resolve=False,
    )
    assert change.score.score == pytest.approx(hyper_score(1.0))


WRONG = {
    "no table": ("hyper_score = 3\n", "'hyper_score': must be a table"),
    "a key": ("[hyper_score]\nfoo = 1\n", "hyper_score.foo.*is no key"),
    "threshold": ("[hyper_score]\nresolve_below = 'x'\n", "must be a number above 0; got 'x'"),
    "beta": ("[hyper_score]\nbeta = 0\n", "hyper_score.beta.*above 0; got 0"),
    "gamma": ("[hyper_score]\ngamma = nan\n", "hyper_score.gamma.*got nan"),
    "a list": ("[hyper_score]\ntarget = [1]\n", "must be a table, a number per measure"),
    "measure": ("[hyper_score]\ntarget = { joy = 1 }\n", "target.joy.*is no measure"),
    "a sure thing": ("[hyper_score]\ntarget = { availability = 1 }\n", "above 0 and below 1"),
    "no weight": (
        "[hyper_score]\ntarget = { cost = 1 }\nweight = { availability = 1 }\n",
        "target.cost.*has no weight",
    ),
    "no target": ("[hyper_score]\nweight = { failures = 1 }\n", "failures.*needs a target"),
    "weight 0": ("[hyper_score]\nweight = { cost = 0 }\n", "above 0; got 0"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings_are_told_with_all_else(name, tmp_path):
    text, message = WRONG[name]
    settings = text + SETTINGS if name == "no table" else SETTINGS + text
    with pytest.raises(ValueError, match=message):
        read_plan_folder(folder_with(tmp_path / "site", settings))


def stopped(arguments, code):
    with pytest.raises(SystemExit) as found:
        main(arguments)
    assert found.value.code == code
