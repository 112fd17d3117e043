"""Sweeps of N four-state components, measured in copies of the tensor.

A copy is one memcpy of a tensor of the same size with the same threads, run between the sweeps:
the only steady unit on a shared machine. `copies` in extra_info is the ratio of the medians.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from sparing import _core

INF = np.inf
TRANSITIONS = [
    np.array(rows, dtype=float)
    for rows in (
        [[0.35, 0.35, 0.23, 0.07], [0, 0.29, 0.42, 0.29], [0, 0, 0.5, 0.5], [0, 0, 0, 1]],
        [[0.12, 0.38, 0.38, 0.12], [0, 0.14, 0.43, 0.43], [0, 0, 0.43, 0.57], [0, 0, 0, 1]],
        [[0.28, 0.28, 0.44, 0], [0, 0.14, 0.43, 0.43], [0, 0, 0.29, 0.71], [0, 0, 0, 1]],
    )
]
COSTS = [
    np.array([[0, INF, INF, INF], [a, 0, INF, INF], [a, b, 0, INF], [c, INF, INF, 0]], dtype=float)
    for a, b, c in ((100, 40, 120), (80, 30, 90), (70, 30, 80))
]
SWEEPS = {"float64": _core.SeparableSweep64, "float32": _core.SeparableSweep32}


def downtime(sizes):
    """500 while c1 & 2-of(the rest) is false; the last state of a component is failed."""
    n = len(sizes)
    down = np.indices((2,) * n)
    works = (down[0] == 0) & ((1 - down[1:]).sum(axis=0) >= min(2, n - 1))
    groups = [(np.arange(size) == size - 1).astype(np.int32) for size in sizes]
    return list(range(n)), groups, np.where(works, 0.0, 500.0)


def components(num, tables, dtype):
    """`num` four-state components: the published triangular tables in turn, or dense ones."""
    chance, decision = TRANSITIONS, COSTS
    if tables == "dense":
        rng = np.random.default_rng(0)
        chance = [rng.dirichlet(np.ones(4), 4) for _ in range(3)]
        decision = [100.0 * rng.random((4, 4)) * (1.0 - np.eye(4)) for _ in range(3)]
    return sweep_of([4] * num, chance, decision, dtype)


def sweep_of(sizes, chance, decision, dtype):
    """One sweep object; the tables are taken in turn."""
    turn = range(len(sizes))
    return SWEEPS[dtype](
        sizes,
        [chance[k % len(chance)] for k in turn],
        [decision[k % len(decision)] for k in turn],
        0.95,
        20.0,
        [downtime(sizes)],
        [],
        [],
        [],
    )


def copies(benchmark, sweep, num_threads, *, rounds=15, extra=0.0):
    """Times sweeps and copies in turn; `extra` > 0: relaxed ones, which watch every state."""
    sweep.num_threads = num_threads
    source = np.ones(sweep.state.nbytes // 8)
    target = np.zeros_like(source)
    repeats = max(1, 4_000_000 // sweep.state.size)
    copy_s, sweep_s = [], []

    def copy():
        start = time.perf_counter()
        for _ in range(repeats):
            _core.parallel_copy(source, target, num_threads)
        copy_s.append(time.perf_counter() - start)

    def run():
        start = time.perf_counter()
        lower, upper, _ = sweep.advance(repeats, -1.0, 0.0, True, extra)
        sweep_s.append(time.perf_counter() - start)
        assert np.all(lower <= upper)

    benchmark.pedantic(run, setup=copy, rounds=rounds, warmup_rounds=2)
    ratio = float(np.median(sweep_s) / np.median(copy_s))
    benchmark.extra_info["copies"] = round(ratio, 2)
    benchmark.extra_info["sweep_ms"] = round(1e3 * min(sweep_s) / repeats, 3)


@pytest.mark.benchmark(group="separable sweep")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("tables", ["dense", "triangular"])
@pytest.mark.parametrize(("num", "num_threads"), [(8, 1), (10, 2), (12, 2)])
def test_sweep(benchmark, num, num_threads, tables, dtype):
    copies(benchmark, components(num, tables, dtype), num_threads)


@pytest.mark.benchmark(group="separable sweep, every state watched")
@pytest.mark.parametrize(("num", "num_threads"), [(8, 1), (10, 2), (12, 2)])
def test_relaxed_sweep(benchmark, num, num_threads):
    """A sweep that watches the change of every state and adds a hundredth of it once more."""
    copies(benchmark, components(num, "dense", "float64"), num_threads, extra=0.01)


@pytest.mark.benchmark(group="separable sweep, unequal axes")
@pytest.mark.parametrize("sizes", [[7, 3, 10, 5, 2, 9, 4, 6], [10] * 6, [2] * 20], ids=str)
def test_unequal_axes(benchmark, sizes):
    """Per state and table entry they should cost at most 1.5 times what equal axes cost."""
    rng = np.random.default_rng(1)
    chance = [rng.dirichlet(np.ones(n), n) for n in sizes]
    decision = [100.0 * rng.random((n, n)) * (1.0 - np.eye(n)) for n in sizes]
    sweep = sweep_of(sizes, chance, decision, "float64")
    copies(benchmark, sweep, 2)
    work = sweep.state.size * sum(sizes)
    benchmark.extra_info["ns_per_entry"] = round(1e6 * benchmark.extra_info["sweep_ms"] / work, 4)
