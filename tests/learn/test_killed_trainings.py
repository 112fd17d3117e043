"""`sparing train`, killed and resumed, comes to the identical result on every kind of case."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
FIELDS = ("learner", "env_steps", "seconds", "objective", "optimum", "gap")
CASES = {
    "maintenance": (1, ["three-component", "--seeds", "2", "--steps", "20000"]),
    "load sharing": (0, ["feedwater-pumps", "--view", "flat", "--steps", "20000"]),
    "spares network": (0, [DATA / "known_spares_serial.toml", "--steps", "20000"]),
    "beliefs": (0, [DATA / "known_hidden_one.toml", "--learner", "pqn", "--steps", "20000"]),
}


def without_seconds(report):
    """Return a report without what the clock says."""
    if isinstance(report, dict):
        return {k: without_seconds(v) for k, v in report.items() if k != "seconds"}
    return [without_seconds(v) for v in report] if isinstance(report, list) else report


@pytest.mark.full
@pytest.mark.parametrize("kind", CASES)
def test_a_killed_command_goes_on_to_the_identical_result(kind, run_json, tmp_path):
    """Of two seeds the second one is killed: the first is read, not trained again."""
    seed, arguments = CASES[kind]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    expected = run_json("train", *arguments, "--out", whole)
    for name in FIELDS:
        assert expected[name] is not None, name
    script = [sys.executable, HERE / "train_case_and_die.py", seed, *arguments, "--out", killed]
    done = subprocess.run([str(part) for part in script], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    record = json.loads((killed / f"seed-{seed}" / "checkpoint.json").read_text())
    assert 0 < record["chunks"] < 49
    assert not json.loads((killed / "training.json").read_text())["finished"]

    found = run_json("train", *arguments, "--out", killed, "--resume")
    assert without_seconds(found) == without_seconds(expected)
    assert (killed / "curves.csv").read_bytes() == (whole / "curves.csv").read_bytes()
    one, other = (load_file(folder / "network.safetensors") for folder in (whole, killed))
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def test_a_command_that_is_refused_leaves_an_earlier_run_alone(run, tmp_path):
    """Nothing is cleared before the settings are known to fit."""
    out = tmp_path / "run"
    (out / "seed-0").mkdir(parents=True)
    (out / "seed-0" / "checkpoint.json").write_text("{}")
    (out / "training.json").write_text(json.dumps({"format": "sparing-training-1", "finished": 1}))
    before = {path: path.read_text() for path in out.rglob("*.json")}
    wrong = ("train", "three-component", "--view", "flat", "--features", "typed-counts")
    code, _, message = run(*wrong, "--out", out)
    assert code == 2
    assert "flat view" in message
    assert {path: path.read_text() for path in out.rglob("*.json")} == before
