"""A real cluster of separate processes, one of which is killed at a time."""

from __future__ import annotations

import os
import signal
import time

import pytest
from fleet_tasks import logged_square, runs
from site_plans import noted_plan, write_fleet
from sparing.fleet import planning
from sparing.fleet.parts import read_parts
from sparing.fleet.planning import plan_many
from sparing.fleet.tasks import IN_FLIGHT, run_tasks

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
    found, before = {}, set[str]()
    for outcome in run_tasks(logged_square, tasks, executor=client.get_executor(), num_workers=2):
        assert outcome.name not in found
        found[outcome.name] = outcome.result
        if len(found) == num // 4:
            before = set(found)
            wait_until_forgotten(client, IN_FLIGHT * 2)
            os.kill(victim, signal.SIGKILL)
    assert found == {f"task {i}": i * i for i in range(num)}
    seen = runs(tmp_path)
    assert set(seen) == set(range(num))
    # Only what was with the dead worker and not yet yielded may have run again.
    again = {f"task {number}" for number in seen if seen.count(number) > 1}
    assert not again & before
    assert len(again) <= IN_FLIGHT * 2


def wait_until_forgotten(client, most):
    """Wait until the scheduler holds no more results for us than are with us or under way."""
    begin = time.monotonic()
    while client.run_on_scheduler(num_tasks) > most:
        assert time.monotonic() - begin < 120.0, "results that were fetched are kept"
        time.sleep(0.01)


def num_tasks(dask_scheduler):
    return len(dask_scheduler.tasks)


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
