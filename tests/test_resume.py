"""A solve that is killed or interrupted goes on, by the same command, to the identical result."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from case_texts import write_slow_case

OPTIONS = ["--tol", "1e-7", "--max-sweeps", "100000000", "--no-metrics", "--threads", "1", "--json"]


@pytest.fixture
def case(tmp_path):
    return write_slow_case(tmp_path / "slow.toml", num_components=7)


@pytest.fixture
def environment(tmp_path):
    return os.environ | {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "SPARING_CHECKPOINT_SECONDS": "0.05",
    }


def command(case, *more):
    return [sys.executable, "-m", "sparing.cli", "solve", str(case), *OPTIONS, *map(str, more)]


def run(case, environment, *more):
    found = subprocess.run(
        command(case, *more), env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(found.stdout)


def stop_midway(case, environment, folder, number, *more):
    """Start a solve, send it a signal once it has saved its state twice, and wait for its end."""
    process = subprocess.Popen(
        command(case, *more), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    seen, deadline = set(), time.monotonic() + 60
    while len(seen) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        record = next(Path(folder).rglob("checkpoint.json"), None)
        if record is not None:
            with contextlib.suppress(FileNotFoundError):
                seen.add(json.loads(record.read_text())["position"]["num_sweeps"])
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    return process.returncode, err.decode(), max(seen)


def same(found):
    return {key: value for key, value in found.items() if key != "seconds"}


def test_a_killed_solve_goes_on_to_the_identical_result(case, environment, tmp_path):
    whole = run(case, environment, "--out", tmp_path / "whole")
    out = tmp_path / "killed"
    code, _, _ = stop_midway(case, environment, out, signal.SIGKILL, "--out", out)
    assert code == -signal.SIGKILL
    assert [p.name for p in out.iterdir()] == ["checkpoint"]
    resumed = run(case, environment, "--out", out)
    assert same(resumed) == same(whole)
    for file in ("policy/stage0.npy", "value.npy", "case.toml"):
        assert (out / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
    assert not (out / "checkpoint").exists()


def test_an_interrupted_solve_says_where_it_is_saved_and_goes_on(case, environment, tmp_path):
    whole = run(case, environment)
    code, err, sweeps = stop_midway(case, environment, tmp_path / "cache", signal.SIGINT)
    assert code == 130
    assert err.count("\n") == 1
    folder = Path(err.split("saved in ")[1].split(". The same")[0])
    saved = json.loads((folder / "checkpoint.json").read_text())
    assert saved["position"]["num_sweeps"] >= sweeps
    assert folder.is_relative_to(tmp_path / "cache" / "sparing" / "checkpoints")
    assert same(run(case, environment)) == same(whole)
    assert not folder.exists()


def test_another_problem_does_not_take_up_a_checkpoint(case, environment, tmp_path):
    folder = tmp_path / "checkpoint"
    stop_midway(case, environment, folder, signal.SIGKILL, "--checkpoint", folder)
    other = write_slow_case(tmp_path / "other.toml", num_components=2, wear=0.3)
    fresh = run(other, environment)
    assert same(run(other, environment, "--checkpoint", folder)) == same(fresh)
