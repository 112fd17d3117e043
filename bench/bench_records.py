"""A million records: time and memory of reading failures and inspections, and of what follows."""

from __future__ import annotations

import resource

import numpy as np
import pytest
from sparing.planning.folder import read_plan_folder
from sparing.records.failures import read_failures
from sparing.records.inspections import spans_of
from sparing.records.rates import infer_rates
from sparing.records.transitions import transition_posterior

SIZES = [
    pytest.param(10_000, id="n=10^4"),
    pytest.param(1_000_000, id="n=10^6", marks=pytest.mark.full),
]
SETTINGS = """
[plan]
period = 10
[system]
kind = "multi-component"
structure = "pump"
[[component]]
name = "pump"
states = 4
renewals = ["replace"]
maintenance_cost = [[0, 0, 0, 0], [5, 0, 0, 0], [5, inf, 0, 0], [9, inf, inf, 0]]
"""


def write_failures(path, size):
    """Twenty parts at 500 sites, a month each; the climate to a tenth of a degree."""
    rng = np.random.default_rng(0)
    failures, warm = rng.poisson(1.0, size), rng.normal(20.0, 5.0, size)
    lines = ["Component Name,Location,Start,Failures,Exposure,Temperature\n"]
    for i in range(size):
        month = i // 10_000
        start = f"{1990 + month // 12}-{month % 12 + 1:02}-01"
        lines.append(
            f"part {i % 20},site {i // 20 % 500},{start},{failures[i]},100,{warm[i]:.1f}\n"
        )
    path.write_text("".join(lines))
    return path


def write_inspections(folder, size):
    """Units seen 500 times, ten days apart; a failed one is replaced and seen again as new."""
    rng = np.random.default_rng(0)
    (folder / "plan.toml").write_text(SETTINGS)
    seen, done = ["Unit,Component,Time,State\n"], ["Unit,Component,Time,Action,Cost\n"]
    for unit in range(size // 500):
        state = 0
        for time, worse in enumerate(rng.random(500) < 0.1):
            seen.append(f"unit {unit},pump,{10 * time},{state}\n")
            if state == 3:
                done.append(f"unit {unit},pump,{10 * time},replace,9\n")
                state = 0
            elif worse:
                state += 1
    (folder / "inspections.csv").write_text("".join(seen))
    (folder / "maintenance.csv").write_text("".join(done))
    return folder


def note_memory(benchmark):
    """The most memory the process has had, which holds for the largest size alone."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    benchmark.extra_info["peak_mb"] = round(peak / 1024)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.benchmark(group="read failure records")
def test_read_failures(benchmark, size, tmp_path):
    path = write_failures(tmp_path / "failures.csv", size)
    found = benchmark.pedantic(read_failures, (path,), rounds=1)
    assert len(found) == size
    note_memory(benchmark)


@pytest.mark.parametrize("climate", [(), ("temperature",)], ids=["rates", "with-climate"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.benchmark(group="infer rates")
def test_infer_rates(benchmark, size, climate, tmp_path):
    records = read_failures(write_failures(tmp_path / "failures.csv", size))
    options = {"covariates": climate, "num_draws": 1000}
    found = benchmark.pedantic(infer_rates, (records,), options, rounds=1)
    assert all(0.008 < rate.mean < 0.012 for rate in found.rates.values())
    note_memory(benchmark)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.benchmark(group="read inspections")
def test_read_inspections(benchmark, size, tmp_path):
    folder = write_inspections(tmp_path, size)
    found = benchmark.pedantic(read_plan_folder, (folder,), rounds=1)
    assert len(found.inspections.unit) == size
    note_memory(benchmark)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.benchmark(group="transitions from inspections")
def test_transitions(benchmark, size, tmp_path):
    source = read_plan_folder(write_inspections(tmp_path, size))

    def estimate():
        spans, _ = spans_of(source.inspections, source.maintenance, "pump", renewals=["replace"])
        return transition_posterior(spans, 4, period=10.0, num_draws=200)

    found = benchmark.pedantic(estimate, rounds=1)
    low, high = found.interval(0.9999)
    assert low[0, 1] < 0.1 < high[0, 1]
    note_memory(benchmark)
