"""The command line with .pomdp files."""

from __future__ import annotations

import json

import pytest
import sparing
from sparing.beliefs.pomdp_problems import tag, tiger


@pytest.fixture
def tiger_file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "tiger.pomdp"
    sparing.save_pomdp(tiger(), path)
    return path


def test_solve_simulate_and_what_they_save(run, tiger_file, tmp_path):
    out = tmp_path / "out"
    code, text, _ = run("solve", tiger_file, "--time", 20, "--json", "--out", out)
    assert code == 0
    report = json.loads(text)
    assert report["objective"]["lower"] <= 19.3713683 + 1e-6
    assert report["objective"]["upper"] >= 19.3713683 - 1e-6
    assert report["objective"]["upper"] - report["objective"]["lower"] <= 1e-3
    assert (report["first_decision"], report["converged"]) == ("listen", True)
    for policy in (out, out / "policy.npz", out / "policy.alpha", "optimal"):
        code, text, _ = run(
            "simulate", tiger_file, "--policy", policy, "--replications", 500, "--json"
        )
        found = json.loads(text)["measures"]["objective"]
        assert code == 0
        assert abs(found["mean"] - 19.37) < 3 * found["half_width"]
    code, text, _ = run("solve", tiger_file)
    assert "first decision: listen" in text


def test_finite_horizons(run, tiger_file, tmp_path):
    """One period: nothing is better than to listen, which costs 1."""
    out = tmp_path / "one"
    code, text, _ = run("solve", tiger_file, "--horizon", 1, "--json", "--out", out)
    report = json.loads(text)
    assert code == 0
    assert report["objective"] == {"lower": -1.0, "upper": -1.0}
    assert (report["criterion"], report["horizon"]) == ("total", 1)
    code, text, _ = run("simulate", tiger_file, "--policy", out, "--json")
    assert json.loads(text)["measures"]["objective"]["mean"] == -1.0


def test_a_search_that_runs_out_of_time_says_so(run, tiger_file, tmp_path):
    path = tmp_path / "tag.pomdp"
    sparing.save_pomdp(tag(), path)
    code, text, err = run("solve", path, "--time", 0.3, "--json")
    assert code == 0
    report = json.loads(text)
    assert report["objective"]["lower"] <= -5.9 < report["objective"]["upper"]
    assert not report["converged"]
    assert "was wanted" in err


MESSAGES = {
    "criterion": (["--criterion", "average"], "only --criterion discounted is supported"),
    "dtype": (["--dtype", "float32"], "only --dtype float64 is supported"),
    "metrics": (["--metrics"], "--metrics and --relative-tol are not for .pomdp files."),
    "time": (["--time", "0"], "seconds must be above 0; got 0.0."),
    "horizon": (["--horizon", "0"], "horizon must be at least 1; got 0."),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_options_that_do_not_fit_are_refused(run, tiger_file, name):
    options, message = MESSAGES[name]
    code, out, err = run("solve", tiger_file, *options)
    assert (code, out) == (2, "")
    assert err.startswith("sparing: ")
    assert message in err


def test_other_refusals(run, tiger_file, tmp_path):
    bad = tmp_path / "bad.pomdp"
    bad.write_text("discount: x")
    cases = {
        ("solve", bad): "bad.pomdp: line 1: discount: expected a number; got 'x'.",
        ("solve", tmp_path / "none.pomdp"): "no such file or built-in case",
        ("solve", "three-component", "--time", 3): "--time is not for such a case.",
        ("compare", tiger_file): "compare is not for .pomdp files",
        ("simulate", tiger_file, "--policy", "limits=1"): "--policy must be optimal, the folder",
        ("simulate", tiger_file, "--warm-up", 3): "leave out --warm-up",
    }
    for arguments, message in cases.items():
        code, _, err = run(*arguments)
        assert code == 2, arguments
        assert message in err
