"""Two runs on one folder: the second is told; a killed one holds nothing up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import sparing
from plan_folders import PUMP, stopped
from sparing._locks import locked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
HOLDER = """
import sys, time
from pathlib import Path
from sparing._locks import locked
with locked(Path(sys.argv[1]), inside=sys.argv[2] == "inside"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder():
    """Start processes that hold a lock, and end those that are left."""
    started = []

    def start(folder, where="beside"):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder), where], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def site(folder):
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(PUMP.replace("period = 1", "period = 1\ndraws = 20"))
    (folder / "inspections.csv").write_text(
        "Unit,Component,Time,State\na,pump,0,0\na,pump,1,1\nb,pump,0,0\nb,pump,1,0\n"
    )
    return folder


def test_a_killed_process_holds_nothing_up(tmp_path, holder):
    out = tmp_path / "plan"
    process = holder(out)
    message = rf"is being written by process {process.pid} on .*--out"
    with pytest.raises(ValueError, match=message), locked(out):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (tmp_path / ".plan.lock").exists()  # left behind, and of no effect
    with locked(out):
        found = json.loads((tmp_path / ".plan.lock").read_text())
        assert found["process"] == os.getpid()
    assert not (tmp_path / ".plan.lock").exists()


def test_only_one_of_many_threads_is_inside(tmp_path):
    inside, most, refused, go = [], [0], [0], threading.Barrier(8)

    def run():
        go.wait()
        for _ in range(50):
            try:
                with locked(tmp_path / "plan"):
                    inside.append(1)
                    most[0] = max(most[0], len(inside))
                    time.sleep(0.001)  # so that others come while it is held
                    inside.pop()
            except ValueError:
                refused[0] += 1

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1
    assert refused[0] > 0
    assert list(tmp_path.iterdir()) == []


def test_commands_on_a_folder_that_is_held_say_so_and_write_nothing(tmp_path, holder, capsys):
    folder = site(tmp_path / "site")
    sparing.plan(folder, out=folder / "plan")
    new = tmp_path / "new.csv"
    new.write_text("Unit,Component,Time,State\nb,pump,2,1\n")
    before = (folder / "plan" / "metrics.json").read_bytes()
    process = holder(folder / "plan")
    for arguments in (["plan", str(folder)], ["update", str(folder), str(new)]):
        stopped(arguments, 2)
        assert f"plan: is being written by process {process.pid}" in capsys.readouterr().err
    assert (folder / "plan" / "metrics.json").read_bytes() == before
    assert "b,pump,2" not in (folder / "inspections.csv").read_text()
    process.kill()
    process.wait()
    stopped(["update", str(folder), str(new)], 0)
    assert "b,pump,2,1" in (folder / "inspections.csv").read_text()


def test_two_updates_of_one_folder_into_two_plans_do_not_meet(tmp_path, holder):
    folder = site(tmp_path / "site")
    sparing.plan(folder, out=tmp_path / "other")
    new = tmp_path / "new.csv"
    new.write_text("Unit,Component,Time,State\nb,pump,2,1\n")
    holder(folder, "inside")
    with pytest.raises(ValueError, match="site: is being written by process"):
        sparing.update_plan(folder, new, out=tmp_path / "other")


def test_a_fleet_folder_is_held_too(tmp_path, holder, capsys):
    site(tmp_path / "fleet" / "north")
    process = holder(tmp_path / "fleet" / "plan")
    stopped(["plan", str(tmp_path / "fleet"), "--workers", "1"], 2)
    assert f"is being written by process {process.pid}" in capsys.readouterr().err
    assert not (tmp_path / "fleet" / "plan").exists()
