"""The commands: solve, simulate, saved plans."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parent.parent / "data"
SERIAL = str(DATA / "known_spares_serial.toml")
MANY = ("--replications", 20000, "--json")


def test_solve_prints_one_json_object(run):
    code, out, _ = run("solve", SERIAL, "--json")
    report = json.loads(out)
    assert code == 0
    assert report["objective"]["lower"] <= 94.663190396441 + 1e-10
    assert report["objective"]["upper"] >= 94.663190396441 - 1e-10
    assert report["first_decision"] == {"central": 2, "site": 2}
    keys = {"case", "criterion", "discount", "states", "sweeps", "seconds", "metrics"}
    assert keys <= {*report}
    assert report["states"] == 23 * 15 * 17
    assert report["metrics"]["sla"] == pytest.approx(0.87740487, abs=1e-8)


def test_solve_prints_a_table(run):
    code, out, _ = run("solve", SERIAL)
    assert code == 0
    assert "first decision: 2 at central, 2 at site" in out
    assert "94.663190396" in out


def test_a_saved_plan_simulates_like_the_optimal_one(run, tmp_path):
    folder = tmp_path / "plan"
    code, _, _ = run("solve", SERIAL, "--out", folder)
    assert code == 0
    assert {f.name for f in folder.iterdir()} == {"case.toml", "policy", "solution.json"}
    table = np.load(folder / "policy" / "part0" / "period4-stage0.npy")
    assert table.shape == (23 * 15 * 17,)
    found = [
        json.loads(run("simulate", SERIAL, "--policy", p, "--json")[1])["measures"]
        for p in ("optimal", folder)
    ]
    assert found[0] == found[1]
    again, _, error = run("solve", SERIAL, "--out", folder)
    assert (again, error) == (0, "")


def test_a_rolling_plan_is_saved_too(run, tmp_path):
    case = tmp_path / "case.toml"
    case.write_text(Path(SERIAL).read_text().replace("discount =", "rolling = 2\ndiscount ="))
    code, out, _ = run("solve", case, "--out", tmp_path / "plan", "--json")
    assert code == 0
    details = json.loads(out)["details"]
    assert details["rolling_cost"] > details["optimum"]
    arguments = ("--replications", 20000, "--json")
    _, out, _ = run("simulate", case, "--policy", tmp_path / "plan", *arguments)
    found = json.loads(out)["measures"]["objective"]
    assert abs(found["mean"] - details["rolling_cost"]) < 1.5 * found["half_width"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("solve", SERIAL, "--dtype", "mixed"), "only --dtype float64 or float32 is supported"),
        (("simulate", SERIAL, "--policy", "best"), "--policy must be optimal, min-max=s,S"),
        (("simulate", SERIAL, "--policy", "min-max=1"), "give two whole numbers per location"),
        (("simulate", SERIAL, "--policy", "base-stock=site:2"), "no levels are given for central"),
        (("simulate", SERIAL, "--policy", "min-max=3,1"), "the least at 'central' must be below"),
        (("simulate", SERIAL, "--policy", "base-stock=-3"), "the level at 'central' must be >= 0"),
        (
            ("simulate", SERIAL, "--policy", "min-max=central:1:3,site:0:2,hub:0:1"),
            "unknown location 'hub'; known: ['central', 'site']",
        ),
        (("simulate", SERIAL, "--epochs", "7"), "--epochs is not for such a case"),
        (("solve", SERIAL, "--criterion", "average"), "--criterion is not for such a case"),
        (("simulate", SERIAL, "--warm-up", "5"), "--warm-up must be 0"),
        (("simulate", SERIAL, "--policy", str(DATA)), "holds no saved solution"),
    ],
)
def test_wrong_commands_get_one_line(run, arguments, message):
    code, out, error = run(*arguments)
    assert (code, out) == (2, "")
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "rule",
    [
        "min-max=1,3",
        "fixed-quantity=1,2",
        "base-stock=central:3;site:2",
        "base-stock=central:3,site:2",
    ],
)
def test_rules_are_simulated(run, rule):
    code, out, _ = run("simulate", SERIAL, "--policy", rule, *MANY)
    found = json.loads(out)["measures"]
    assert code == 0
    assert found["objective"]["lower"] > 94.66  # no rule beats the optimum
