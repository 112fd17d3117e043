"""A million records: time and memory of reading failures and inspections, and of what follows."""

from __future__ import annotations

import resource
import time

import numpy as np
import pytest
from sparing.planning.folder import read_plan_folder
from sparing.records.failures import read_failures
from sparing.records.generator import generator_posterior
from sparing.records.inspections import spans_of
from sparing.records.paths import Spans
from sparing.records.problems import RecordsError
from sparing.records.rate_checks import check_rates
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
        for when, worse in enumerate(rng.random(500) < 0.1):
            seen.append(f"unit {unit},pump,{10 * when},{state}\n")
            if state == 3:
                done.append(f"unit {unit},pump,{10 * when},replace,9\n")
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


def write_bad(folder, size):
    """Rows in which a time is no number and a state is none of the component's."""
    (folder / "plan.toml").write_text(SETTINGS)
    rows = "a,pump,x,9\n" * size
    (folder / "inspections.csv").write_text("Unit,Component,Time,State\na,pump,0,0\n" + rows)
    return folder


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.benchmark(group="list problems")
def test_bad_rows(benchmark, size, tmp_path):
    """Three problems a row: the time, the state, and that the time is that of the row before."""
    folder = write_bad(tmp_path, size)

    def refused():
        with pytest.raises(RecordsError) as caught:
            read_plan_folder(folder)
        return caught.value

    found = benchmark.pedantic(refused, rounds=1)
    assert len(found.problems) >= 2 * size
    note_memory(benchmark)


def irregular_spans(size, whole_days):
    """Pairs of inspections 5 to 15 days apart; a step to the next state takes 100 on average."""
    rng = np.random.default_rng(0)
    gap = rng.integers(5, 16, size) if whole_days else rng.uniform(5.0, 15.0, size)
    start = rng.integers(0, 3, size)
    end = np.minimum(start + rng.poisson(gap / 100.0), 3)
    return Spans(start=start, end=end, duration=gap.astype(float))


@pytest.mark.parametrize("whole_days", [True, False], ids=["days", "times"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.benchmark(group="generator from irregular inspections")
def test_generator(benchmark, size, whole_days):
    spans = irregular_spans(size, whole_days)
    options = {"num_draws": 20 if size < 100_000 else 200}
    found = benchmark.pedantic(generator_posterior, (spans, 4), options, rounds=1)
    assert found.mean[0, 1] == pytest.approx(0.01, rel=0.15)
    note_memory(benchmark)


def write_climate(path, size):
    """As `write_failures`, every record with a temperature and a humidity of its own."""
    write_failures(path, size)
    rng = np.random.default_rng(1)
    head, *lines = path.read_text().splitlines()
    warm, humid = rng.normal(20.0, 5.0, size), rng.uniform(30.0, 90.0, size)
    rows = [
        f"{line.rsplit(',', 1)[0]},{warm[i]:.4f},{humid[i]:.3f}" for i, line in enumerate(lines)
    ]
    path.write_text("\n".join([f"{head},Humidity", *rows]) + "\n")
    return path


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.benchmark(group="infer rates in a climate of each record")
def test_own_climates(benchmark, size, tmp_path):
    """Temperature and humidity that differ in each record, and what the posterior makes again."""
    records = read_failures(write_climate(tmp_path / "failures.csv", size))
    draws = 1000 if size < 100_000 else 4000

    def fitted():
        options = {"covariates": ("temperature", "humidity"), "num_draws": draws}
        rates = infer_rates(records, **options)
        begin = time.process_time()
        checks = check_rates(rates, records, num_draws=20 if size < 100_000 else 1000)
        benchmark.extra_info["checks_s"] = round(time.process_time() - begin, 2)
        return rates, checks

    rates, checks = benchmark.pedantic(fitted, rounds=1)
    assert all(abs(mean) < 6.0 * sd for mean, sd in _moments(rates.effects))
    assert len(checks) == 4 * len(rates.components)
    note_memory(benchmark)


def _moments(effects):
    return zip(effects.mean, effects.standard_deviation, strict=True)
