"""The command line: what it prints, its JSON, its errors, its folders."""

import json
import subprocess
import sys
import time
from importlib import import_module, metadata
from pathlib import Path

import numpy as np
import pytest
import sparing
from case_texts import write_case
from sparing.beliefs.pomdp_files import save_pomdp
from sparing.beliefs.pomdp_problems import tiger


def test_cases_are_listed_with_their_size(run, run_json):
    code, out, _ = run("cases")
    assert code == 0
    assert "three-component " in out
    assert "c1 & (c2 | c3)" in out
    cases = run_json("cases")["cases"]
    systems = [c for c in cases if c["kind"] != "dropship"]
    assert {c["case"] for c in systems} == set(sparing.built_in_cases())
    assert all(c["states"] > 0 for c in systems if c["kind"] != "hidden-multi-component")
    assert {c["kind"] for c in systems} == {
        "hidden-multi-component",
        "load-sharing",
        "multi-component",
        "spares-network",
    }
    assert [c["case"] for c in cases if c["kind"] == "dropship"] == ["dropship"]


FIELDS = {
    "case": str,
    "criterion": str,
    "discount": float,
    "states": int,
    "sweeps": int,
    "seconds": float,
    "objective": dict,
    "metrics": dict,
    "metric_bounds": dict,
    "first_decision": dict,
    "converged": bool,
    "message": str,
    "dtype": str,
    "path": str,
}


def test_solve_prints_one_json_object_with_all_fields(run_json):
    found = run_json("solve", "three-component")
    assert {name: type(found[name]) for name in FIELDS} == FIELDS
    assert found["case"] == "three-component"
    assert (found["criterion"], found["discount"], found["states"]) == ("average", 1.0, 64)
    assert found["objective"]["lower"] <= -1.45404 + 1e-5
    assert found["reward"] == {
        "lower": -found["objective"]["upper"],
        "upper": -found["objective"]["lower"],
    }
    assert found["metrics"]["cost_rate"] == pytest.approx(202.981, abs=1e-3)
    assert found["metrics"]["reliability"] == pytest.approx(0.93, abs=1e-9)
    assert found["metrics"]["unavailability"] == pytest.approx(0.07, abs=1e-9)
    assert found["metric_bounds"].keys() == found["metrics"].keys()
    assert found["first_decision"] == {"c1": 0, "c2": 0, "c3": 0}


@pytest.mark.parametrize(
    ("case", "value", "cost"),
    [("three-component", 29.521741, 202.98063), ("three-component-2", 30.746080, 169.84)],
)
def test_a_discounted_solve_still_states_long_run_metrics(run_json, case, value, cost):
    found = run_json("solve", case, "--criterion", "discounted", "--discount", 0.95)
    assert (found["criterion"], found["discount"]) == ("discounted", 0.95)
    assert found["reward"]["lower"] == pytest.approx(value, abs=1e-5)
    # The discounted optimum need not be the average one, but here its cost is no lower.
    assert found["metrics"]["cost_rate"] >= cost - 1e-5


def test_plain_cost_has_no_reward(run_json, tmp_path):
    case = write_case(tmp_path / "plain.toml", criterion="average")
    found = run_json("solve", case)
    assert "reward" not in found
    assert found["objective"]["lower"] == pytest.approx(200.437, abs=1e-3)
    assert found["case"] == str(case)


def test_a_discount_alone_asks_for_the_discounted_criterion(run_json):
    assert run_json("solve", "three-component", "--discount", 0.9)["criterion"] == "discounted"


def test_text_output_fits_a_terminal(run):
    code, out, err = run("solve", "three-component")
    assert (code, err) == (0, "")
    assert "reward per inspection" in out
    assert "first decision, all new: do nothing" in out
    assert max(map(len, out.splitlines())) <= 100


def test_metrics_can_be_left_out(run_json):
    found = run_json("solve", "three-component", "--no-metrics")
    assert found["metrics"] == found["metric_bounds"] == {}


def test_metrics_of_many_states_come_only_when_asked_for(run, monkeypatch):
    # by the module, as sparing.evaluate is a function, too
    monkeypatch.setattr(import_module("sparing.evaluate.metrics"), "METRIC_STATES", 10)
    code, out, err = run("solve", "three-component", "--json")
    assert code == 0
    assert json.loads(out)["metrics"] == {}
    assert "--metrics" in err
    code, out, err = run("solve", "three-component", "--json", "--metrics")
    assert json.loads(out)["metrics"]["reliability"] == pytest.approx(0.93)
    assert err == ""


@pytest.mark.parametrize("dtype", ["float32", "mixed"])
def test_other_precisions_bound_the_same_optimum(run_json, dtype):
    exact = run_json("solve", "three-component")["objective"]
    found = run_json("solve", "three-component", "--dtype", dtype)
    assert found["dtype"] == dtype
    assert found["objective"]["lower"] <= exact["upper"]
    assert found["objective"]["upper"] >= exact["lower"]


def test_too_few_sweeps_say_so_and_still_bound(run):
    code, out, err = run("solve", "three-component", "--max-sweeps", 2, "--json")
    found = json.loads(out)
    assert code == 0
    assert not found["converged"]
    assert "max_sweeps" in found["message"]
    assert "max_sweeps" in err
    assert found["objective"]["lower"] <= -1.4540387 <= found["objective"]["upper"]


def test_hard_goals_give_a_mixture_and_its_gap(run, run_json, tmp_path):
    case = write_case(
        tmp_path / "goals.toml",
        criterion="average",
        cost={"weight": 1.0},
        reliability={"weight": 0.0, "at_least": 0.925},
    )
    found = run_json("solve", case)
    assert FIELDS.keys() <= found.keys()
    assert found["duality_gap"] <= 1e-6
    assert found["objective"]["lower"] == pytest.approx(200.77299, abs=1e-4)
    assert found["metrics"]["reliability"] == pytest.approx(0.925, abs=1e-6)
    assert found["multipliers"]["reliability"] > 0
    assert sum(part["probability"] for part in found["mixture"]) == pytest.approx(1.0)
    assert found["goals"] == {"reliability": {"at_least": 0.925}}
    out = tmp_path / "goals"
    code, text, _ = run("solve", case, "--out", out)
    assert code == 0
    assert "at least 0.925" in text
    shares = json.loads((out / "solution.json").read_text())["mixture"]
    policies = [sparing.load_solution(out / f"policy{i}").policy for i in range(len(shares))]
    assert all(policy.action((0, 0, 0)).shape == (3,) for policy in policies)


def test_out_is_a_saved_solution_that_answers_at_once(run, tmp_path):
    out = tmp_path / "saved" / "best"
    code, text, _ = run("solve", "three-component", "--out", out)
    assert code == 0
    assert f"saved in {out}" in text
    started = time.perf_counter()
    saved = sparing.load_solution(out)
    action = saved.policy.action((2, 1, 3))
    assert time.perf_counter() - started < 0.05
    solved = sparing.solve(sparing.load("three-component"))
    assert action.tolist() == solved.policy.action((2, 1, 3)).tolist()
    assert saved.record["metrics"]["reliability"] == pytest.approx(0.93)
    assert saved.record["case"] == "three-component"
    np.testing.assert_allclose(saved.value, solved.value, atol=1e-5)
    assert [p.name for p in out.parent.iterdir()] == ["best"]
    code, _, _ = run("solve", "three-component-2", "--out", out)  # an earlier run is replaced
    assert code == 0
    assert sparing.load_solution(out).record["case"] == "three-component-2"


def test_out_refuses_what_is_not_its_own(run, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("precious")
    (folder / "solution.json").write_text('{"format": "of someone else"}')
    code, _, err = run("solve", "three-component", "--out", folder)
    assert code == 2
    assert "nothing was written" in err
    assert sorted(p.name for p in folder.iterdir()) == ["solution.json", "thesis.txt"]
    code, _, err = run("solve", "three-component", "--out", folder / "thesis.txt")
    assert code == 2
    assert "is a file" in err


def test_simulate_brackets_the_exact_values(run, run_json):
    found = run_json("simulate", "three-component", "--epochs", 500, "--replications", 400)
    cost = found["measures"]["cost_rate"]
    assert cost["lower"] - cost["half_width"] <= 202.98 <= cost["upper"] + cost["half_width"]
    assert found["measures"]["reward"]["mean"] == pytest.approx(1.454, abs=0.02)
    assert set(found["kinds"]) == {"maintenance", "set-up", "downtime", "reliability"}
    code, out, _ = run("simulate", "three-component", "--epochs", 50)
    assert code == 0
    assert "reliability" in out


@pytest.mark.parametrize(
    ("case", "policy", "chance", "cost"),
    [
        ("three-component", "corrective", 1.0, 287.339),
        ("three-component", "random", 1.0, 261.090),
        ("three-component", "limits=2,3,2", 1.0, 246.332),
        ("three-component-2", "corrective", 0.5, 299.784),
        ("three-component-2", "random", 0.5, 268.244),
    ],
)
def test_simulated_rules_meet_their_known_costs(run_json, case, policy, chance, cost):
    arguments = ["--epochs", 500, "--replications", 400, "--replacement-probability", chance]
    found = run_json("simulate", case, "--policy", policy, *arguments)["measures"]["cost_rate"]
    assert abs(found["mean"] - cost) <= 2.5 * found["half_width"]


def test_simulate_takes_a_saved_policy_and_repeats(run, run_json, tmp_path):
    run("solve", "three-component", "--out", tmp_path / "best")
    by_folder = run_json("simulate", "three-component", "--policy", tmp_path / "best")
    by_name = run_json("simulate", "three-component", "--threads", 1)
    assert by_folder["measures"] == by_name["measures"]
    other = run_json("simulate", "three-component", "--seed", 1)
    assert other["measures"] != by_name["measures"]


def test_front_runs_from_cheapest_to_most_reliable(run, run_json, tmp_path):
    points = run_json("front", "three-component")["points"]
    assert points[0]["cost_rate"] == pytest.approx(200.437, abs=1e-3)
    assert points[-1]["reliability"] == pytest.approx(0.93, abs=1e-9)
    costs = [p["cost_rate"] for p in points]
    assert costs == sorted(costs)
    picture = tmp_path / "front.png"
    code, out, _ = run("front", "three-component", "--plot", picture)
    assert code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "price" in out


ERRORS = [
    (["solve", "three-componet"], "did you mean three-component"),
    (
        ["solve", "nowhere.toml"],
        "no such file or built-in case; built in: ess-fleet, feedwater-pumps",
    ),
    (["solve", "."], "cannot be read"),
    (["solve"], "Missing argument"),
    (["solv", "three-component"], "No such command"),
    (["solve", "three-component", "--dtype", "float16"], "float16"),
    (["solve", "three-component", "--nonsense"], "No such option"),
    (["solve", "three-component", "--tol", "0"], "tol must be > 0"),
    (["solve", "three-component", "--tol", "nan"], "tol must be > 0"),
    (["solve", "three-component", "--max-sweeps", "0"], "max_sweeps must be at least 1"),
    (["solve", "three-component", "--threads", "-1"], "--threads"),
    (["solve", "three-component", "--threads", "-1"], "'-1'"),
    (["solve", "three-component", "--dtype", "float16"], "'--dtype': 'float16' is not one of"),
    (["simulate", "three-component", "--epochs", "x"], "'x'"),
    (["solve", "three-component", "--criterion", "discounted"], "needs a --discount"),
    (["solve", "three-component", "--criterion", "discounted", "--discount", "1"], "got 1."),
    (["solve", "three-component", "--discount", "nan"], "got nan."),
    (["solve", "three-component", "--criterion", "average", "--discount", ".9"], "--discount goes"),
    (["simulate", "three-component", "--policy", "best"], "--policy must be"),
    (["simulate", "three-component", "--policy", "limits=1,3"], "3 components need"),
    (["simulate", "three-component", "--policy", "limits=1,x,3"], "whole numbers"),
    (["simulate", "three-component", "--policy", "limits=1,9,3"], "component 'c2'"),
    (["simulate", "three-component", "--policy", "."], "no saved solution"),
    (["simulate", "three-component", "--epochs", "0"], "'--epochs'"),
    (["simulate", "three-component", "--warm-up", "2000"], "warm_up"),
    (["simulate", "three-component", "--seed", "-1"], "seed"),
    (["simulate", "three-component-restricted", "--policy", "random"], "chosen state"),
    (["front", "three-component", "--tol", "0"], "--tol"),
    (["front", "three-component", "--plot", "no/such/folder.png"], "no such folder"),
    (["front", "three-component", "--plot", "front.nonsense"], "nonsense"),
    (["compare", "three"], "no such file or built-in case"),
]


@pytest.mark.parametrize(("arguments", "words"), ERRORS, ids=lambda v: "".join(v)[:40])
def test_wrong_input_ends_with_one_line_and_code_2(run, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("sparing: ")
    assert words in err
    assert "Traceback" not in err
    assert [p.name for p in tmp_path.iterdir() if p.name != "cache"] == []  # of matplotlib's fonts


def test_a_wrong_file_is_named_with_the_component(run, tmp_path):
    text = write_case(tmp_path / "wrong.toml").read_text()
    (tmp_path / "wrong.toml").write_text(text.replace("0.43", "0.53", 1))
    code, _, err = run("solve", tmp_path / "wrong.toml")
    assert code == 2
    assert err.startswith(f"sparing: {tmp_path / 'wrong.toml'}: component 'c2'")


def test_a_solve_that_will_not_fit_names_its_size(run, monkeypatch):
    monkeypatch.setattr("sparing.exact.engine.free_memory", lambda: 1000)
    code, _, err = run("solve", "three-component")
    assert code == 2
    assert "GiB" in err


def test_goals_that_none_can_meet_are_an_error(run, tmp_path):
    goal = {"weight": 0.0, "at_least": 0.99}
    case = write_case(tmp_path / "x.toml", criterion="average", cost={}, reliability=goal)
    code, _, err = run("solve", case, "--out", tmp_path / "out")
    assert code == 2
    assert "no policy meets the goal on 'reliability'" in err
    assert not (tmp_path / "out").exists()


def test_missing_matplotlib_is_said_clearly(run, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, err = run("front", "three-component", "--plot", tmp_path / "front.png")
    assert code == 2
    assert "sparing[plot]" in err


def test_help_names_every_command(run):
    for arguments in ([], ["--help"]):
        code, out, _ = run(*arguments)
        assert code == 0
        for name in ("cases", "solve", "simulate", "compare", "front"):
            assert f"  {name} " in out


def test_the_installed_program_runs():
    command = [sys.executable, "-m", "sparing.cli", "solve", "three-component", "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(found.stdout)["converged"]
    command[-2] = "nowhere"
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1


def test_importing_the_package_loads_no_command_line_or_plots():
    code = (
        "import sparing, sys; "
        "print([m for m in ('typer', 'rich', 'matplotlib', 'scipy', 'jax') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_version_is_that_of_the_package(run):
    code, out, _ = run("--version")
    assert code == 0
    assert out == f"sparing {metadata.version('sparing')}\n"


def test_a_pomdp_has_no_front(run, tmp_path):
    """It has no name that the message could have used."""
    save_pomdp(tiger(), tmp_path / "tiger.pomdp")
    code, _, error = run("front", tmp_path / "tiger.pomdp")
    assert code == 2
    assert "this command is for cases of kind 'multi-component'" in error


def test_a_single_replication_is_said_to_have_no_interval(run):
    arguments = ("simulate", "three-component", "--epochs", 10, "--replications", 1)
    code, _, error = run(*arguments)
    assert code == 0
    assert "a single replication has no interval" in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is full")
def test_a_full_disk_behind_the_output_is_one_line():
    command = [sys.executable, "-m", "sparing.cli", "cases"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
    assert ended.returncode == 2
    assert ended.stderr == (
        "sparing: what was found could not be printed: No space left on device.\n"
    )
