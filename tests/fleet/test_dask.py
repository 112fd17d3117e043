"""A real cluster of separate processes, one of which is killed at a time."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from fleet_tasks import logged_square, runs
from site_plans import noted_plan, write_fleet
from sparing.fleet import planning
from sparing.fleet.parts import read_parts
from sparing.fleet.planning import plan_many
from sparing.fleet.tasks import run_tasks

distributed = pytest.importorskip("distributed", reason="the cluster test needs dask[distributed]")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the cluster's own shutdown


@pytest.fixture(scope="module")
def client():
    """Two workers, each a process; the cluster starts another one for one that dies."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def victim_of(client):
    """Return the process id of one of two workers."""
    client.wait_for_workers(2)
    return next(iter(client.run(os.getpid).values()))


def test_a_killed_worker_loses_nothing(client, tmp_path):
    num = 40
    victim = victim_of(client)
    tasks = [(f"task {i}", (i, str(tmp_path), 0.02)) for i in range(num)]
    yielded = list[str]()

    def kill() -> None:
        while len(yielded) < num // 4:
            time.sleep(0.01)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    found = {}
    done_before = None
    for outcome in run_tasks(logged_square, tasks, executor=client.get_executor(), num_workers=2):
        assert outcome.name not in found
        found[outcome.name] = outcome.result
        yielded.append(outcome.name)
        if done_before is None and not killer.is_alive():
            done_before = list(yielded)
    killer.join()
    assert found == {f"task {i}": i * i for i in range(num)}
    seen = runs(tmp_path)
    assert set(seen) == set(range(num))
    # Only what was with the dead worker and not yet yielded may have run again.
    again = {number for number in seen if seen.count(number) > 1}
    assert not again & {int(name.split()[1]) for name in (done_before or [])[: num // 4]}


@pytest.mark.parametrize("num", [6, pytest.param(40, marks=pytest.mark.full)])
def test_a_killed_worker_loses_no_plan_and_none_is_made_twice(client, tmp_path, monkeypatch, num):
    fleet = write_fleet(tmp_path / "sites", num)
    monkeypatch.setattr(planning, "plan_site", noted_plan)
    victim = victim_of(client)
    made = dict[str, int]()

    def kill(done: int, total: int) -> None:
        if done == total // 3:
            os.kill(victim, signal.SIGKILL)
            made.update(times(tmp_path / "out"))

    found = plan_many(
        fleet,
        executor=client.get_executor(),
        num_workers=2,
        out=tmp_path / "out",
        progress=kill,
    )
    assert not found.failed
    assert len(found.rows) == num
    names = [row["name"] for row in read_parts(tmp_path / "out" / "rows")]
    assert sorted(names) == sorted(f"site {k}" for k in range(num))  # each once
    assert len(made) >= num // 3
    assert {name: times(tmp_path / "out")[name] for name in made} == made  # left as they were
    tries = (tmp_path / "planned").read_text().split()
    assert set(tries) == {str(k) for k in range(num)}
    assert len(tries) <= num + 8  # at most what was with the dead worker was asked for again


def times(out):
    """Return when each plan was finished."""
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("sites/*/row.json")}
