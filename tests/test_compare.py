"""Comparisons: the tables of the thesis, the policy explained, the files written."""

import csv
import json
from itertools import product

import numpy as np
import pytest
import sparing
from case_texts import write_case, write_slow_case
from sparing.evaluate.actions import actions_of
from sparing.evaluate.explanation import boxes_of, explain_policy
from sparing.evaluate.frequencies import state_frequencies
from sparing.evaluate.policy_comparison import policy_rows
from sparing.report.comparison import compare_problem

MAINTENANCE = [case for case in sparing.built_in_cases() if case.startswith("three-component")]

# Exact values computed by an independent program: reward, cost, reliability.
KNOWN = {
    (9, "random"): (1.0512, 261.090, 0.7867),
    (9, "corrective"): (0.7004, 287.339, 0.6375),
    (9, "optimum, reward"): (1.45404, 202.981, 0.9300),
    (9, "optimum, cost only"): (None, 200.437, 0.9115),
    (10, "random*"): (0.9750, 268.244, 0.7557),
    (10, "corrective*"): (0.5964, 299.784, 0.5980),
    (10, "optimum, reward"): (1.52032, 169.840, 0.9300),
    (10, "same, failed replaced when down"): (1.50911, 175.444, 0.9300),
    (11, "control limits 2,3,2"): (1.0438, 246.332, 0.7682),
    (11, "control limits 2,3,2*"): (0.9541, 256.445, 0.7335),
    (11, "best control limits 1,3,1"): (None, 226.515, 0.8714),
    (11, "best control limits 1,3,1*"): (None, 230.357, 0.8483),
}
RESTRICTED = {1: (222.255, 0.8600), 2: (208.675, 0.8657)}


@pytest.fixture(scope="module")
def thesis():
    return compare_problem("three-component", sparing.load("three-component"))


def test_exact_rows_are_the_known_answers(thesis):
    tables = thesis.report["thesis"]["tables"]
    assert [(t["table"], t["scenario"]) for t in tables] == [(9, 1), (10, 2), (11, 1), (11, 2)]
    seen = set()
    for table in tables:
        for row in table["rows"]:
            key = table["table"], row["policy"]
            if key in KNOWN:
                seen.add(key)
                reward, cost, reliability = KNOWN[key]
                assert row["exact"]["cost"] == pytest.approx(cost, abs=6e-4)
                assert row["exact"]["reliability"] == pytest.approx(reliability, abs=6e-5)
                if reward is not None:
                    assert row["exact"]["reward"] == pytest.approx(reward, abs=6e-5)
            if row["policy"] == "optimum, restricted":
                cost, reliability = RESTRICTED[table["scenario"]]
                assert row["exact"]["cost"] == pytest.approx(cost, abs=6e-4)
                assert row["exact"]["reliability"] == pytest.approx(reliability, abs=6e-5)
    assert seen == KNOWN.keys()


def test_printed_reliabilities_agree_to_the_fourth_digit_where_both_are_given(thesis):
    for table in thesis.report["thesis"]["tables"]:
        for row in table["rows"]:
            if row["exact"] and row["thesis"]:
                gap = abs(row["exact"]["reliability"] - row["thesis"]["reliability"])
                assert gap < 3e-4, row


def test_the_agent_is_said_to_pay_44_percent_more(thesis):
    remarks = thesis.report["thesis"]["remarks"]
    assert "44% more" in next(r for r in remarks if r.startswith("table 10"))


def test_scenario_2_alone_shows_its_own_tables():
    found = compare_problem("three-component-2", sparing.load("three-component-2"))
    tables = found.report["thesis"]["tables"]
    assert [(t["table"], t["scenario"]) for t in tables] == [(10, 2), (11, 2)]


@pytest.mark.parametrize("case", MAINTENANCE)
def test_frequencies_are_stationary_and_price_the_policy(case):
    """The frequencies average the cost of the states and decisions to the certified gain."""
    problem = sparing.load(case)
    solution = sparing.solve(problem)
    share = state_frequencies(problem.epoch, solution.policy)
    assert share.sum() == pytest.approx(1.0, abs=1e-12)
    groups = np.ix_(*(problem.up_groups[name] for name in problem.names))
    down = ~problem.works[groups].ravel()
    unavailability = sparing.evaluate(problem, solution.policy)["unavailability"].value
    assert share @ down == pytest.approx(unavailability, abs=1e-9)


@pytest.mark.parametrize("case", MAINTENANCE)
def test_an_explanation_names_every_state_once_with_its_action(case):
    problem = sparing.load(case)
    policy = sparing.solve(problem).policy
    explained = explain_policy(problem, policy)
    action_of = {}
    for entry in explained:
        for box, _ in entry.boxes:
            for state in product(*box):
                assert state not in action_of
                action_of[state] = entry.action
        assert sum(share for _, share in entry.boxes) == pytest.approx(entry.frequency)
    states = list(product(*(range(size) for size in problem.epoch.shape)))
    assert [action_of[state] for state in states] == actions_of(problem, policy, states)
    assert sum(entry.frequency for entry in explained) == pytest.approx(1.0)
    frequencies = [entry.frequency for entry in explained]
    assert frequencies == sorted(frequencies, reverse=True)


def test_boxes_of_an_l_shape_are_two():
    states = [(0, 0), (0, 1), (1, 0)]
    boxes = boxes_of(states)
    assert len(boxes) == 2
    assert sorted(state for box in boxes for state in product(*box)) == states


def test_no_rule_beats_the_optimum():
    for case in ("three-component", "three-component-2"):
        rows = policy_rows(sparing.load(case))
        assert max(row.reward for row in rows.values()) == rows["optimum"].reward
        assert min(row.cost for row in rows.values()) >= rows["cheapest"].cost - 1e-6


def test_compare_writes_tables_and_plots(thesis, tmp_path):
    from sparing.report.comparison_files import save_comparison

    out = tmp_path / "compare"
    save_comparison(thesis, out)
    names = {"actions.csv", "compare.json", "front.png", "policies.csv", "policy.png", "thesis.csv"}
    assert {p.name for p in out.iterdir()} == names
    report = json.loads((out / "compare.json").read_text())
    assert report["policies"] == thesis.report["policies"]
    with (out / "thesis.csv").open() as file:
        rows = list(csv.DictReader(file))
    agent = next(r for r in rows if r["table"] == "10" and r["policy"] == "RL agent")
    assert (agent["cost"], agent["thesis_cost"]) == ("", "244.0583")


def test_compare_prints_any_case(capsys, tmp_path):
    from sparing import cli

    case = write_case(tmp_path / "plain.toml", "three-component-2", criterion="average")
    with pytest.raises(SystemExit) as ended:
        cli.main(["compare", str(case)])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert "thesis" not in out
    assert "optimum, cost only" in out
    assert max(map(len, out.splitlines()[1:])) <= 100
    with pytest.raises(SystemExit):
        cli.main(["compare", str(case), "--json", "--out", str(tmp_path / "out")])
    assert json.loads(capsys.readouterr().out)["thesis"]["tables"] == []
    assert not (tmp_path / "out" / "thesis.csv").exists()


def test_rules_that_cannot_be_followed_are_left_out(tmp_path):
    """Where only failed components can be replaced, control limits are out of the question."""
    case = write_slow_case(tmp_path / "case.toml", num_components=2, wear=0.2)
    found = compare_problem(str(case), sparing.load(case))
    assert "corrective" in found.rows
    assert not {"random", "limits"} & found.rows.keys()
    assert any(remark.startswith("random is left out") for remark in found.left_out)
