"""A fleet's run that is killed outright, parent and workers, and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from site_plans import write_fleet

COMMAND = [sys.executable, "-c", "from sparing.cli import main; main()", "plan"]
NUM, KILLED_AT, PATIENCE_S = 30, 5, 300.0


@pytest.mark.full
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_what_was_planned_before_the_kill_is_taken_over(tmp_path):
    fleet = write_fleet(tmp_path / "sites", NUM)
    out, call = fleet / "plan", [*COMMAND, str(fleet), "--workers", "2", "--json"]
    run = subprocess.Popen(call, stdout=subprocess.DEVNULL, start_new_session=True)
    begin = time.monotonic()
    while len(finished(out)) < KILLED_AT and time.monotonic() - begin < PATIENCE_S:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    before = finished(out)
    assert KILLED_AT <= len(before) < NUM
    assert not (out / "fleet.json").exists()
    again = subprocess.run(call, capture_output=True, check=True, timeout=PATIENCE_S)
    found = json.loads(again.stdout)
    assert (found["sites"], found["failed"]) == (NUM, 0)
    after = finished(out)
    assert len(after) == NUM
    assert {name: after[name] for name in before} == before  # left as they were
    assert found["resumed"] <= len(before)


def finished(out):
    """Return when each site's plan was finished."""
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("sites/*/row.json")}
