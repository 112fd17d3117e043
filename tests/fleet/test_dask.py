"""A real cluster of separate processes, one of which is killed."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from fleet_tasks import logged_square, runs
from sparing.fleet.tasks import run_tasks

distributed = pytest.importorskip("distributed", reason="the cluster test needs dask[distributed]")


@pytest.mark.filterwarnings("ignore")  # of the cluster's own shutdown
def test_a_killed_worker_loses_nothing(tmp_path):
    num = 40
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim = next(iter(client.run(os.getpid).values()))
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
        for outcome in run_tasks(
            logged_square, tasks, executor=client.get_executor(), num_workers=2
        ):
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
