"""Hidden degradation on the command line, as a user meets it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sparing.beliefs.component_checkpoint import BeliefCheckpoint, solve_key
from sparing.beliefs.component_files import load_belief_policy
from sparing.beliefs.component_result import BeliefOptions
from sparing.beliefs.component_solve import solve_hidden
from sparing.models.case_files import load_case

DATA = Path(__file__).parents[1] / "data"
ONE, TWO = str(DATA / "known_hidden_one.toml"), str(DATA / "known_hidden_two.toml")


def test_solve_prints_both_bounds_in_json(run):
    code, out, err = run("solve", TWO, "--gap", "1e-6", "--time", "20", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["objective"]["lower"] == pytest.approx(182.8690475516, abs=1e-6)
    assert found["objective"]["upper"] == pytest.approx(182.8690475516, abs=1e-6)
    assert found["upper_estimate"]["exact"]
    assert found["first_decision"] == {"c1": "nothing", "c3": "inspect"}
    assert found["converged"]


def test_solve_in_words(run):
    code, out, _ = run("solve", ONE)
    assert code == 0
    assert "10 periods, discount 0.99" in out
    assert "cost of the policy found" in out
    assert "first decision, all new: do nothing" in out


def test_an_estimated_bound_states_its_interval(run):
    code, out, _ = run("solve", "hidden-1-of-5", "--gap", "0.5", "--threads", 1, "--json")
    found = json.loads(out)
    assert code == 0
    upper, estimate = found["objective"]["upper"], found["upper_estimate"]
    assert upper == pytest.approx(estimate["mean"] + estimate["half_width"])
    assert estimate["episodes"] > 0
    assert estimate["half_width"] > 0.0
    assert found["objective"]["lower"] < 234.5 < upper


def test_saved_policy_is_read_back(run, tmp_path):
    folder = tmp_path / "solved"
    code, out, _ = run("solve", TWO, "--out", folder)
    assert code == 0
    assert "saved in" in out
    policy = load_belief_policy(folder)
    widths = [c.num_states for c in policy.found.tensor.problem.components]
    new = np.concatenate([np.eye(width)[0] for width in widths])[None]
    assert policy.act(new).tolist() == [[0, 2]]
    code, out, _ = run("simulate", TWO, "--policy", folder, "--replications", 500, "--json")
    found = json.loads(out)
    assert code == 0
    assert abs(found["cost"]["mean"] - 182.8690475516) <= 2 * found["cost"]["half_width"] + 1e-4


def test_compare_prints_rules_beside_the_bounds(run, tmp_path):
    code, out, _ = run("compare", TWO, "--out", tmp_path / "compared")
    assert code == 0
    for text in ("repair at failure", "inspect, then repair", "states seen every period"):
        assert text in out
    found = json.loads((tmp_path / "compared" / "compare.json").read_text())
    lower = found["objective"]["lower"]
    assert all(row["cost"] >= lower - 1e-9 for row in found["policies"])
    assert found["bounds"]["states_revealed"] <= lower
    assert (tmp_path / "compared" / "policies.csv").read_text().count("\n") == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("solve", ONE, "--tol", "1e-3"), "solved to a --gap within a --time"),
        (("solve", ONE, "--criterion", "average"), "only --criterion discounted is supported"),
        (("solve", ONE, "--time", "0"), "time must be above 0 seconds; got 0."),
        (
            ("solve", "three-component", "--gap", "0.1"),
            "--gap is not for such a case",
        ),
        (("simulate", ONE, "--warm-up", "5"), "--warm-up is not for such a case"),
        (("simulate", ONE, "--policy", "limits=1"), "--policy must be optimal or the folder"),
        (("front", ONE), "this command is for cases of kind 'multi-component'"),
    ],
)
def test_wrong_commands_end_with_one_line(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


class KilledError(Exception):
    """Stands for a kill."""


def test_an_interrupted_solve_goes_on_to_the_same_bounds(tmp_path):
    """Killed at the end of the third round; the rest is as in an uninterrupted solve."""
    problem = replace(load_case(TWO), periods=8)
    options = BeliefOptions(gap=0.0, num_threads=1, episodes=10, time_s=600.0, memory=200_000)
    whole = solve_hidden(problem, options=options)
    assert len(whole.rounds) >= 4
    checkpoint = BeliefCheckpoint(tmp_path / "saved", solve_key(problem, 0, 10))

    def stop(progress):
        if progress.part == "round 4":
            raise KilledError

    with pytest.raises(KilledError):
        solve_hidden(problem, options=options, progress=stop, checkpoint=checkpoint)
    seen = []
    resumed = solve_hidden(
        problem, options=options, progress=lambda p: seen.append(p.part), checkpoint=checkpoint
    )
    assert seen[0] == "round 3"
    for one, other in zip(whole.rounds, resumed.rounds, strict=True):
        assert (one.lower, one.upper) == (other.lower, other.upper)
    assert (whole.lower, whole.cost) == (resumed.lower, resumed.cost)
    assert not list((tmp_path / "saved").iterdir())
    other_key = BeliefCheckpoint(tmp_path / "saved", solve_key(problem, 1, 10))
    assert other_key.load() is None
