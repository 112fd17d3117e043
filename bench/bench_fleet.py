"""Fleets: what a task costs beside its solve, and how two workers compare with one."""

from __future__ import annotations

import os
import resource
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import fleet_sites
import pytest
import sparing
from maintenance_systems import system_of
from sparing.fleet import planning
from sparing.fleet.planning import plan_many
from sparing.fleet.solving import solve_many
from sparing.fleet.tasks import run_tasks
from sparing.planning.demo import write_demo


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


def write_sites(folder, num):
    """Write sites of 24 units and four years of inspections, without stocks, one plan.toml."""
    site = write_demo(folder / "site 0")
    settings = (site / "plan.toml").read_text()
    settings = settings[: settings.index("[spares]")] if "[spares]" in settings else settings
    (folder / "plan.toml").write_text(settings.replace("draws = 200", "draws = 20"))
    for path in site.iterdir():
        if path.stem not in ("inspections", "maintenance"):
            path.unlink()
    for number in range(1, num):
        shutil.copytree(site, folder / f"site {number}")
    return folder


@pytest.mark.benchmark(group="fleet of plans")
@pytest.mark.parametrize("num_workers", [1, 2])
def test_plans_of_sites(benchmark, tmp_path, num_workers):
    """From records to report: estimates, policy, robustness, files, rows to Parquet."""
    num = int(os.environ.get("SITES", "2"))
    sites = write_sites(tmp_path / "sites", num)
    rounds = iter(range(100))
    with warm_pool(num_workers) as pool:
        options = {"executor": pool, "num_workers": num_workers}
        some = {f"site {k}": sites / "site 0" for k in range(2 * num_workers)}
        plan_many(some, settings=sites / "plan.toml", **options)
        found = benchmark.pedantic(
            lambda: plan_many(sites, out=tmp_path / str(next(rounds)), **options), rounds=1
        )
    assert not found.failed
    assert len({row["lower"] for row in found.rows}) == 1  # all alike
    benchmark.extra_info["worker_s_per_site"] = sum(r["seconds"] for r in found.rows) / num
    if benchmark.stats:
        benchmark.extra_info["sites_per_second"] = num / benchmark.stats.stats.median


@pytest.mark.full
@pytest.mark.benchmark(group="fleet of many small sites")
@pytest.mark.parametrize("num_workers", [1, 2])
def test_many_small_sites(benchmark, tmp_path, num_workers):
    """Sites of three to twelve units with records of their own; what the parent takes beside."""
    num = int(os.environ.get("SITES", "40"))
    sites = fleet_sites.write_sites(tmp_path / "sites", num, stocks=False)
    with warm_pool(num_workers) as pool:
        options = {"executor": pool, "num_workers": num_workers}
        some = {f"site {k}": sites / "site 000" for k in range(2 * num_workers)}
        plan_many(some, **options)
        begin = time.process_time()
        found = benchmark.pedantic(
            lambda: plan_many(sites, out=tmp_path / "out", **options), rounds=1
        )
        parent = time.process_time() - begin
    assert not found.failed
    benchmark.extra_info["worker_s_per_site"] = sum(r["seconds"] for r in found.rows) / num
    benchmark.extra_info["parent_ms_per_site"] = 1e3 * parent / num
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    benchmark.extra_info["parent_peak_mb"] = round(peak / 1024)
    if benchmark.stats:
        benchmark.extra_info["sites_per_second"] = num / benchmark.stats.stats.median


@pytest.mark.benchmark(group="fleet, overhead of a site")
def test_overhead_of_a_site(benchmark, tmp_path):
    """What the process that hands out does for a site: fingerprint, task, row; no plan."""
    num = 200
    (tmp_path / "sites").mkdir()
    sites = write_sites(tmp_path / "sites", num)
    row = {"units": 24, "to_do": 0, "orders": 0, "actions": "[]"}
    rounds = iter(range(100))
    real, planning.plan_site = planning.plan_site, partial(nothing_of, row)
    try:
        with warm_pool(1) as pool:
            benchmark.pedantic(
                lambda: plan_many(sites, executor=pool, out=tmp_path / str(next(rounds))),
                rounds=3,
                warmup_rounds=1,
            )
    finally:
        planning.plan_site = real
    if benchmark.stats:
        benchmark.extra_info["ms_per_site"] = 1e3 * benchmark.stats.stats.median / num


def nothing_of(row, task):
    """A plan that is there already."""
    return row
