"""A cost learned from records, an agent trained on it, and what that costs in truth."""

import json
from dataclasses import replace

import numpy as np
import pytest
import sparing
from sparing import cli
from sparing.epoch import Epoch
from sparing.learn.cost_network import COST_PRESETS, CostNetwork, CostSettings, fit_cost
from sparing.learn.predicted_cost import (
    allowed_pairs,
    predicted_epoch,
    train_on_predicted_cost,
)
from sparing.records.cost_records import (
    inspection_cost,
    read_cost_records,
    simulated_records,
    write_cost_records,
)
from sparing.stages import stage_costs

SIZES = (4, 4, 4)


@pytest.fixture(scope="module")
def problem():
    return sparing.load("three-component-2")


def coordinates(states):
    return np.stack(np.unravel_index(states, SIZES), axis=1)


class Told:
    """Stands for a network: it predicts the true cost and so much more."""

    def __init__(self, problem, more=0.0):
        self.problem, self.more = problem, more

    def __call__(self, found, left):
        return inspection_cost(self.problem, found, left) + self.more


@pytest.mark.parametrize("case", ["three-component", "three-component-2"])
def test_the_true_cost_is_that_of_the_models_nodes(case):
    """Of each state and of each post-decision state that it may be brought to."""
    problem = sparing.load(case)
    pairs = allowed_pairs(problem)
    costs = inspection_cost(problem, coordinates(pairs[:, 0]), coordinates(pairs[:, 1]))
    assert np.isfinite(costs).all()
    for post in np.unique(pairs[:, 1]):
        here = pairs[:, 1] == post
        posts = np.where(np.isin(np.arange(64), pairs[here, 0]), post, 0).astype(np.uint32)
        by_kind = stage_costs(problem.epoch, 0, posts)
        expected = sum(by_kind[kind] for kind in ("maintenance", "set-up"))
        up = problem.works[tuple((coordinates(pairs[here, 0]) < 3).astype(int).T)]
        total = expected[pairs[here, 0]] + np.where(up, 0.0, 500.0)
        assert costs[here] == pytest.approx(total)
    found = np.array([[0, 0, 0], [3, 0, 0]])
    worse = np.array([[1, 0, 0], [2, 0, 0]])
    assert np.isinf(inspection_cost(problem, found, worse)).all()


@pytest.mark.parametrize("goals", [True, False])
def test_a_cost_that_is_predicted_rightly_leaves_the_optimum_where_it_is(problem, goals):
    system = problem if goals else replace(problem, goals={})
    best = sparing.solve(system, tol=1e-9).objective
    assert sparing.solve(predicted_epoch(system, Told(system)), tol=1e-9).objective == (
        pytest.approx(best, abs=1e-8)
    )
    more = sparing.solve(predicted_epoch(system, Told(system, 50.0)), tol=1e-9).objective
    assert more == pytest.approx(best + (0.1 if goals else 50.0), abs=1e-8)  # 50 / 500


def test_restoring_when_down_is_kept(problem):
    restoring = replace(problem, restore_when_down=True)
    best = sparing.solve(restoring, tol=1e-9).objective
    found = sparing.solve(predicted_epoch(restoring, Told(restoring)), tol=1e-9).objective
    assert found == pytest.approx(best, abs=1e-8)


def test_simulated_records_wear_and_cost_as_the_model_says(problem):
    records = simulated_records(problem, 4_000, seed=3)
    assert (records.found[0] == 0).all()
    assert (records.left <= records.found).all()
    assert (records.cost == inspection_cost(problem, records.found, records.left)).all()
    for column, component in enumerate(problem.components):
        after, then = records.left[:-1, column], records.found[1:, column]
        for state in range(4):
            share = np.bincount(then[after == state], minlength=4) / max(1, (after == state).sum())
            sigma = np.sqrt(0.25 / max(1, (after == state).sum()))
            if (after == state).sum():
                assert np.abs(share - component.transition[state]).max() < 5.0 * sigma
    failed = records.left[records.found[:, 1] == 3, 1]
    assert set(failed.tolist()) == {0, 3}
    again = simulated_records(problem, 4_000, seed=3)
    assert (again.found == records.found).all()


def test_records_go_through_a_file(problem, tmp_path):
    records = simulated_records(problem, 30)
    write_cost_records(tmp_path / "records.csv", records, problem)
    again = read_cost_records(tmp_path / "records.csv", problem)
    for name in ("found", "left", "cost"):
        assert (getattr(again, name) == getattr(records, name)).all()


HEADER = "found c1,found c2,found c3,left c1,left c2,left c3,cost"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; give a header line"),
        (HEADER.replace(",cost", ""), "'cost': is no column of this file"),
        (f"{HEADER}\n0,0,4,0,0,0,0", r"line 2, 'found c3': must be a state 0\.\.3; got 4"),
        (f"{HEADER}\n0,0,0,0,.5,0,0", r"line 2, 'left c2': must be a state 0\.\.3; got 0\.5"),
        (f"{HEADER}\n0,0,0,0,0,0,dear", "line 2, 'cost': must be a number; got 'dear'"),
        (f"{HEADER}\n0,0,0,0,0,0,nan", "line 2, 'cost': is empty"),
        (f"{HEADER}\n0,0,0,0,0,0,1", "needs at least 20 records; it has 1"),
    ],
)
def test_files_that_are_wrong_are_refused_by_line(problem, tmp_path, text, message):
    file = tmp_path / "records.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_cost_records(file, problem)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"inputs": "words"}, "inputs must be 'numbers' or 'one-hot'; got 'words'"),
        ({"batch": 0}, "batch must be at least 1; got 0"),
        ({"learning_rate": 0.0}, r"learning_rate must be above 0; got 0\.0"),
        ({"test_share": 1.0}, r"test_share must be above 0 and below 1; got 1\.0"),
    ],
)
def test_settings_of_the_cost_that_do_not_fit_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        CostSettings(**wrong)


def test_systems_without_one_certain_cost_are_refused(problem):
    restricted = sparing.load("three-component-restricted")
    with pytest.raises(ValueError, match="certain results and no stocked spares"):
        simulated_records(restricted, 100)
    with pytest.raises(ValueError, match="at least 20 records are needed; got 5"):
        simulated_records(problem, 5)


def test_table_6_is_a_preset():
    thesis = COST_PRESETS["thesis"]
    assert (thesis.hidden, thesis.dropout) == ((737, 1456), (0.02, 0.025))
    assert (thesis.learning_rate, thesis.batch, thesis.test_share) == (0.1231, 444, 0.1)


def test_a_fit_is_judged_on_records_it_has_not_seen(problem):
    """It beats the mean by far on both; what is held out is a tenth."""
    records = simulated_records(problem, 1_500)
    found = fit_cost(records, SIZES, replace(COST_PRESETS["default"], hidden=(32, 32), passes=20))
    assert isinstance(found, CostNetwork)
    assert (found.num_train, found.num_test) == (1_350, 150)
    assert found.test_rmse < 0.2 * records.cost.std()
    assert found.train_rmse < found.test_rmse * 1.2


@pytest.mark.full
def test_an_agent_on_the_predicted_cost_is_near_the_true_optimum(problem):
    """With a good fit the true optimum; the thesis's agent pays 44 % more cost."""
    found = train_on_predicted_cost(problem, simulated_records(problem, 10_000), steps=300_000)
    assert found.cost_network.test_rmse < 3.27  # what table 6 prints
    assert found.gap < 0.005
    assert found.rows["planned"].cost == pytest.approx(169.840, rel=0.01)
    assert found.rows["predicted"].cost == pytest.approx(found.rows["agent"].cost, abs=3.0)


@pytest.mark.full
def test_a_predicted_cost_from_the_command_line(capsys, tmp_path):
    asked = ["train", "three-component-2", "--cost-records", "2000", "--steps", "100000"]
    with pytest.raises(SystemExit) as done:
        cli.main([*asked, "--out", str(tmp_path / "run"), "--json"])
    assert done.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert report["predicted_cost"]["held_out"] == 200
    assert set(report["judged"]) == {"predicted", "agent", "planned", "optimum"}
    assert report["judged"]["optimum"]["cost"] == pytest.approx(169.840, abs=1e-3)
    assert report["true_gap"] >= -1e-6


def test_an_agent_is_judged_on_the_true_cost(problem, monkeypatch):
    """Trained by solving in place of learning, on a cost that hides what failures of c1 cost."""
    from sparing.learn import predicted_cost

    class Solved:
        def __init__(self, epoch):
            self.policy = sparing.solve(epoch, tol=1e-9).policy

    class Blind(Told):
        def __call__(self, found, left):
            return np.where(found[:, 0] == 3, 0.0, super().__call__(found, left))

    network = Blind(problem)
    monkeypatch.setattr(predicted_cost, "fit_cost", lambda *given, **options: network)
    monkeypatch.setattr(predicted_cost, "train", lambda epoch, **options: Solved(epoch))
    found = train_on_predicted_cost(problem, simulated_records(problem, 20))
    assert isinstance(predicted_epoch(problem, network), Epoch)
    assert found.pair_rmse > 100.0
    assert found.rows["optimum"].reward == pytest.approx(1.52032, abs=1e-5)
    assert found.rows["agent"].reward == pytest.approx(found.rows["planned"].reward, abs=1e-8)
    assert (
        found.rows["predicted"].reward > found.rows["optimum"].reward > found.rows["agent"].reward
    )
    assert found.gap == pytest.approx(1.0 - found.rows["agent"].reward / 1.52032, abs=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["three-component", "--cost-records", "none.csv"], "no such file; give a CSV"),
        (["three-component", "--cost-records", "7"], "at least 20 records are needed; got 7"),
        (["feedwater-pumps", "--cost-records", "100"], "for cases of kind 'multi-component'"),
    ],
)
def test_what_has_no_cost_to_learn_is_refused_in_one_line(capsys, given, message):
    with pytest.raises(SystemExit) as done:
        cli.main(["train", *given])
    assert done.value.code == 2
    text = capsys.readouterr().err
    assert message in text
    assert text.count("\n") == 1
