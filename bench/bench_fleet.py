"""Fleets: what a task costs beside its solve, and how two workers compare with one."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import pytest
import sparing
from maintenance_systems import system_of
from sparing.fleet.solving import solve_many
from sparing.fleet.tasks import run_tasks


def nothing(payload):
    """A task that only comes and goes."""
    return payload


def warm_pool(num_workers):
    """Processes that have loaded the package."""
    pool = ProcessPoolExecutor(num_workers, mp_context=get_context("spawn"))
    case = sparing.load("three-component")
    solve_many({str(k): case for k in range(4 * num_workers)}, executor=pool)
    return pool


@pytest.mark.benchmark(group="fleet, overhead of a task")
def test_overhead(benchmark):
    """Problems are sent as they are; nothing is computed."""
    case, num = sparing.load("three-component"), 500
    tasks = [(str(k), replace(case, setup_cost=float(k))) for k in range(num)]
    with warm_pool(1) as pool:
        found = benchmark.pedantic(
            lambda: list(run_tasks(nothing, tasks, executor=pool, num_workers=1)),
            rounds=5,
            warmup_rounds=1,
        )
    assert len(found) == num
    per_task = benchmark.stats.stats.median / num if benchmark.stats else float("nan")
    benchmark.extra_info["ms_per_task"] = 1e3 * per_task


@pytest.mark.benchmark(group="fleet of maintenance problems")
@pytest.mark.parametrize("num_workers", [1, 2])
@pytest.mark.parametrize(("components", "num"), [(3, 400), (8, 100)])
def test_scaling(benchmark, tmp_path, components, num, num_workers):
    """Sites with set-up costs of their own; rows stream to Parquet."""
    site = system_of(components)
    fleet = {str(k): replace(site, setup_cost=10.0 + k) for k in range(num)}
    alone = time.perf_counter()
    for name in list(fleet)[:20]:
        sparing.solve(fleet[name], num_threads=1)
    alone = (time.perf_counter() - alone) / 20
    rounds = iter(range(100))
    with warm_pool(num_workers) as pool:
        found = benchmark.pedantic(
            lambda: solve_many(
                fleet, executor=pool, num_workers=num_workers, out=tmp_path / str(next(rounds))
            ),
            rounds=3,
        )
    assert not found.failed
    benchmark.extra_info["solve_ms_alone"] = 1e3 * alone
    if benchmark.stats:
        benchmark.extra_info["tasks_per_second"] = num / benchmark.stats.stats.median
