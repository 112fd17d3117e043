"""The commands on load-sharing cases: what they print, their JSON, their folders."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import sparing

METRICS = {
    "positions",
    "inspection_interval",
    "mean_sojourn",
    "failure_rate",
    "unavailability",
    "replacement_rate",
    "emergency_rate",
    "order_rate",
    "mean_on_hand",
}


@pytest.fixture
def small(tmp_path):
    """One size, two intervals, three conditions."""
    problem = replace(
        sparing.load("feedwater-pumps"),
        positions=3,
        inspection_interval=[4.0, 6.0],
        rates=np.diag([0.1, 0.15], 1),
        capacity=2,
    )
    sparing.save_case(problem, tmp_path / "small.toml")
    return tmp_path / "small.toml"


def test_solve_prints_one_json_object(run):
    code, out, _ = run("solve", "feedwater-pumps", "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    assert code == 0
    assert found["case"] == "feedwater-pumps"
    assert found["objective"]["lower"] <= 7.287440 + 5e-7
    assert found["objective"]["upper"] >= 7.287440 - 5e-7
    assert found["metrics"].keys() == METRICS
    assert (found["metrics"]["positions"], found["metrics"]["inspection_interval"]) == (3, 4.0)
    assert (found["states"], found["discount"], found["criterion"]) == (300, 1.0, "average")
    assert found["sweeps"] > 0
    assert found["seconds"] > 0.0
    assert len(found["choices"]) == 48
    assert found["kernel"]["truncation"] < 1e-16
    first = found["first_decision"]
    assert first["counts"] == [3, 0, 0, 0]
    assert (first["replace"], first["order"]) == (0, 0)


def test_solve_prints_a_table(run):
    code, out, err = run("solve", "feedwater-pumps")
    assert (code, err) == (0, "")
    for text in ("7.2874395", "best: 3 positions, inspected every 4", "0.0848284", "10.36452"):
        assert text in out
    assert max(map(len, out.splitlines())) <= 100


def test_a_saved_solution_decides(run, tmp_path, small):
    out = tmp_path / "solution"
    assert run("solve", small, "--out", out)[0] == 0
    saved = sparing.load_solution(out)
    best = sparing.solve(sparing.load(small))
    assert saved.problem.system().interval == best.inspection_interval
    assert (saved.policy.stages[0] == best.policy.stages[0]).all()
    assert saved.record["metrics"]["positions"] == 3
    assert not (out / "checkpoint").exists()
    code, text, _ = run("simulate", small, "--policy", out, "--epochs", 200, "--json")
    assert code == 0
    assert json.loads(text)["inspection_interval"] == best.inspection_interval


def test_compare_prints_and_saves_tables_and_plots(run, tmp_path, small):
    out = tmp_path / "report"
    code, text, err = run("compare", small, "--out", out)
    assert (code, err) == (0, "")
    assert "(m, s, S), demand-aware" in text
    assert "replaces no fewer when a component is worse" in text
    assert max(len(line) for line in text.splitlines()[1:] if "saved in" not in line) <= 100
    names = {"policies.csv", "choices.csv", "actions.csv", "choices.png", "policy.png"}
    assert {f.name for f in out.iterdir()} == {*names, "compare.json"}
    record = json.loads((out / "compare.json").read_text())
    rows = record["policies"]
    assert rows[0]["policy"] == "optimum"
    assert len(rows) == 5
    assert all(row["gap"] >= 0.0 and row.keys() >= METRICS for row in rows)
    assert all(row["cost"]["upper"] >= record["objective"]["lower"] for row in rows)
    with (out / "actions.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 10 * 6
    for properties in record["monotonicities"].values():
        assert all(entry["holds"] == (entry["broken"] == 0) for entry in properties)


def test_compare_prints_the_same_as_json(run, small):
    code, text, _ = run("compare", small, "--json")
    assert code == 0
    found = json.loads(text, parse_constant=pytest.fail)
    assert found["policies"][0]["gap"] < 1e-8


def test_simulate_gives_intervals(run, small):
    options = ["--epochs", 500, "--warm-up", 50, "--replications", 40, "--seed", 2]
    for policy in ("optimal", "plain=2,0,2", "demand-aware=2,1,-1,1"):
        code, text, _ = run("simulate", small, "--policy", policy, *options, "--json")
        assert code == 0
        found = json.loads(text)
        cost = found["measures"]["objective"]
        assert cost["lower"] < cost["mean"] < cost["upper"]
    code, text, _ = run("simulate", small, *options)
    assert code == 0
    assert "mean on hand" in text


ERRORS = [
    (["solve", "feedwater-pump"], "did you mean feedwater-pumps?"),
    (["solve", "feedwater-pumps", "--discount", "0.9"], "--discount is not for such a case"),
    (["solve", "feedwater-pumps", "--dtype", "float32"], "only --dtype float64 is supported"),
    (["solve", "feedwater-pumps", "--tol", "0"], "tol must be > 0; got 0.0."),
    (["front", "feedwater-pumps"], "this command is for cases of kind 'multi-component'"),
    (["simulate", "feedwater-pumps", "--policy", "corrective"], "--policy must be optimal, plain="),
    (["simulate", "feedwater-pumps", "--policy", "plain=1"], "needs whole numbers m,s,S"),
    (["simulate", "feedwater-pumps", "--policy", "plain=9,0,1"], "replace_at must be at most 3"),
    (["simulate", "feedwater-pumps", "--epochs", "0"], "'--epochs'"),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS, ids=lambda part: " ".join(part)[:60])
def test_wrong_input_ends_with_one_line_and_code_2(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
