"""Policies for many components from the command line, on systems small enough to be exact."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import sparing
from large_systems import redundant
from sparing.cli import app
from sparing.large import crew_training
from sparing.large.crew_policies import CrewLimits, LookaheadPolicy
from sparing.large.crew_simulation import CrewSimulation
from sparing.large.crew_system import CrewSystem
from sparing.large.fresh_rollouts import REPLICATIONS
from sparing.large.saved_policy import load_crew_policy, save_crew_policy
from sparing.models.case_files import save_case
from typer.testing import CliRunner

FIVE = redundant(5, "3-of(ALL)")  # its optimum is solved in the tests


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def case(tmp_path):
    path = tmp_path / "five.toml"
    save_case(FIVE, path)
    return path


@pytest.fixture
def large(monkeypatch):
    """Make five components count as too many to be solved, and simulate little."""
    quick = partial(CrewSimulation, lanes=32, epochs=40)
    monkeypatch.setattr(crew_training, "CrewSimulation", quick)
    monkeypatch.setattr("sparing.commands.compare_large.LARGE_STATES", 500)
    monkeypatch.setattr(crew_training, "EXACT_STATES", 500)
    monkeypatch.setattr(crew_training, "REPLICATIONS", 64)


def test_the_lookahead_is_close_to_the_optimum_and_below_the_limits():
    """Exact: its gap is a fact, not an estimate."""
    found = sparing.train(FIVE, learner="lookahead")
    limits, ahead = found.policies
    optimum = sparing.solve(FIVE, tol=1e-8)
    assert found.solved
    assert found.optimum.lower <= optimum.upper
    assert optimum.lower <= ahead.objective.upper
    assert ahead.objective.value < limits.objective.value
    assert found.policy is ahead.policy
    assert 0.0 <= found.gap < 0.003
    assert "lookahead: objective" in str(found)


def test_what_is_discounted_is_tuned_too():
    problem = replace(redundant(3, "2-of(ALL)"), criterion="discounted", discount=0.9)
    found = sparing.train(problem, learner="lookahead")
    assert 0.0 <= found.gap < 0.001


def test_compare_brackets_the_optimum_of_a_large_system(case, large, tmp_path):
    out = tmp_path / "compared"
    result = run("compare", case, "--quick", "--seed", 3, "--out", out)
    assert result.exit_code == 0, result.output
    assert "no policy is below" in result.stdout
    assert "the better policy: lookahead, at most" in result.stdout
    report = json.loads((out / "compare.json").read_text())
    optimum = sparing.solve(FIVE, tol=1e-8)
    assert report["best"] == "lookahead"
    assert report["optimum"]["lower"] <= optimum.upper
    assert report["objective"]["upper"] >= optimum.lower
    assert report["policies"][1]["less_limits"]["mean"] < 0.0
    again = run("simulate", case, "--policy", out / "lookahead", "--replications", 50, "--json")
    assert again.exit_code == 0, again.output
    mean = json.loads(again.stdout)["measures"]["objective"]["mean"]
    assert mean == pytest.approx(optimum.lower, rel=0.02)


def test_train_saves_what_simulate_takes(case, tmp_path):
    out = tmp_path / "trained"
    save_case(redundant(3, "2-of(ALL)"), case)
    result = run("train", case, "--learner", "lookahead", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["learner"], report["objective_is"]) == ("lookahead", "exact")
    load_crew_policy(out / "policy", sparing.load(case))
    assert json.loads((out / "training.json").read_text())["finished"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", "100"], "--learner lookahead has no use for --steps"),
        (["--seeds", "2", "--device", "cpu"], "has no use for --device, --seeds"),
    ],
)
def test_train_refuses_options_without_use(case, options, message):
    result = run("train", case, "--learner", "lookahead", *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_rule_over_all_states_of_fifty_is_refused_at_once(tmp_path):
    path = tmp_path / "fifty.toml"
    save_case(redundant(50, "30-of(ALL)"), path)
    result = run("simulate", path, "--policy", "random")
    assert result.exit_code == 2
    assert "use --policy tuned-limits or lookahead" in result.stderr


SYSTEM = CrewSystem(FIVE)


@pytest.mark.parametrize(
    "policy",
    [
        CrewLimits(SYSTEM, (1, 2, 3), (2, 2, 4), 2),
        LookaheadPolicy(SYSTEM, np.arange(12.0) / 7.0, 300.0, 20.0),
    ],
    ids=["limits", "lookahead"],
)
def test_a_saved_policy_decides_the_same(policy, tmp_path):
    save_crew_policy(policy, tmp_path)
    loaded = load_crew_policy(tmp_path, FIVE)
    states = np.random.default_rng(0).integers(0, 4, (300, 5)).astype(np.int32)
    np.testing.assert_array_equal(loaded.decide(states), policy.decide(states))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "format must be 'sparing-crew-policy-1'"),
        ({"types": []}, "other types of components"),
        ({"kind": "guess"}, "kind must be 'limits' or 'lookahead'; got 'guess'"),
        ({"renew": [1, 2, 9]}, "must be in 1..4; got 9"),
        ({"renew": [1, 2, "3"]}, "must be in 1..4; got '3'"),
        ({"callers": None}, "callers must be a whole number of 1 or more; got None"),
        ({"renew": None}, "is incomplete or has a wrong value"),
    ],
)
def test_a_broken_file_is_named(change, message, tmp_path):
    path = save_crew_policy(CrewLimits(SYSTEM, (1, 2, 3), (1, 2, 3)), tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match=message):
        load_crew_policy(tmp_path, FIVE)
    path.write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        load_crew_policy(tmp_path, FIVE)


@pytest.mark.full
@pytest.mark.parametrize(
    ("structure", "optimum"), [("c1 & 5-of(REST)", 426.6270), ("7-of(ALL)", 459.8196)]
)
def test_ten_components_within_a_twentieth_of_a_percent(structure, optimum):
    """Optima known beforehand, of a million states each; 20 seconds of processor time each."""
    found = sparing.train(redundant(10, structure), learner="lookahead")
    assert found.optimum.value == pytest.approx(optimum, rel=1e-6)
    assert found.best.key == "lookahead"
    assert found.gap < 0.0005


@pytest.mark.full
def test_a_network_worse_than_the_lookahead_gives_way(large, monkeypatch):
    """What `sparing train` does beyond 4 million states, on 1024: barely trained networks."""
    monkeypatch.setattr("sparing.learn.evaluation.LARGEST", 500)
    monkeypatch.setattr("sparing.learn.epoch_training.COMPARED_STATES", 500)
    monkeypatch.setattr(crew_training, "REPLICATIONS", REPLICATIONS)  # as many as of the network
    found = sparing.train(FIVE, learner="pqn", steps=2000, features="typed-counts")
    assert not found.exact
    assert found.crew_is_better
    assert isinstance(found.policy, LookaheadPolicy)
    assert found.objective.value < found.best.objective.value
    assert found.gap is not None
    less = found.best.samples - found.crew.policies[0].samples  # on the same draws
    learned = found.best.objective.value - found.crew.policies[0].objective.value
    assert less.mean() == pytest.approx(learned, rel=1e-9)
