"""Rollouts: epochs a second of one core, against NumPy on the same arrays, and their scaling.

Rates are printed as `extra_info["epochs_per_s"]`, from the shortest round.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.policies import RowPolicy
from sparing.simulate.runner import Runner
from sparing.table import Table
from three_component import TRANSITION, corrective_policy, three_component_epoch

LIMIT, FAILED = 2, 3


def run_rate(benchmark, runner, num_axes, num_epochs, replications):
    """Time `num_epochs` of all replications; return the totals."""
    kinds = len(runner.kinds)
    start = np.zeros((replications, num_axes), dtype=np.int32)
    runner.advance(start.copy(), None, 0, 1)  # makes the plan

    def once():
        totals = np.zeros((replications, kinds))
        runner.advance(start.copy(), totals, 0, num_epochs)
        return totals

    totals = benchmark.pedantic(once, rounds=7, warmup_rounds=1)
    note_rate(benchmark, num_epochs * replications)
    return totals / num_epochs


def note_rate(benchmark, num_epochs):
    """Keep the epochs a second beside the times, where times are taken."""
    if benchmark.stats is not None:
        benchmark.extra_info["epochs_per_s"] = f"{num_epochs / benchmark.stats.stats.min:.3e}"


@pytest.mark.benchmark(group="three-component, corrective table")
@pytest.mark.parametrize(
    ("kernel", "num_threads", "num_epochs"),
    [
        ("widest", 1, 20_000),
        ("widest", 2, 20_000),
        ("avx2", 1, 10_000),
        ("baseline", 1, 4_000),
        ("general", 1, 2_000),
        ("general", 2, 2_000),
    ],
)
def test_three_component(benchmark, kernel, num_threads, num_epochs):
    epoch = three_component_epoch()
    weights = dict.fromkeys(epoch.kinds, 1.0)
    runner = Runner((epoch,), (corrective_policy(epoch),), weights, 0, num_threads, kernel=kernel)
    mean = run_rate(benchmark, runner, 3, num_epochs, 512)
    assert mean[:, :3].sum(axis=1).mean() == pytest.approx(287.339, abs=3.0)


@pytest.mark.benchmark(group="three-component, corrective table")
def test_three_component_in_numpy(benchmark):
    """The same system, a structure of arrays: a column of 20 000 replications per component."""
    table, epochs, replications = np.cumsum(TRANSITION, axis=2), 100, 20_000
    repair = np.array([[0, 0, 0, c] for c in (120.0, 90.0, 80.0)])

    def once():
        rng, total = np.random.default_rng(0), np.zeros(replications)
        state = np.zeros((3, replications), dtype=np.int64)
        for _ in range(epochs):
            failed = state == FAILED
            total += 500.0 * (failed[0] | (failed[1] & failed[2])) + 20.0 * failed.any(axis=0)
            for i in range(3):
                total += repair[i, state[i]]
                reached = table[i, np.where(failed[i], 0, state[i])]
                draw = rng.random(replications)
                state[i] = (draw[:, None] >= reached[:, :3]).sum(axis=1)
        return total / epochs

    mean = benchmark.pedantic(once, rounds=5, warmup_rounds=1)
    note_rate(benchmark, epochs * replications)
    assert mean.mean() == pytest.approx(287.339, abs=8.0)


def k_of_n_epoch(size, needed):
    """`size` like components; a running count of working ones tells whether `needed` work."""
    repair = np.array([[0, np.inf, np.inf, np.inf], [80, 0, np.inf, np.inf]] * 2)
    repair[2, :3], repair[3, :] = [80, 30, 0], [90, np.inf, np.inf, 0]
    count = Axis("working", size + 1)
    units = [Axis(f"c{i}", 4) for i in range(size)]
    reached = np.arange(size + 1) + (np.arange(4) < FAILED)[:, None]
    up = Table.moves(np.minimum(reached, size).ravel())
    counting = [Chance("working", up, context=unit.name) for unit in units]
    lost = Cost("working", np.where(np.arange(size + 1) < needed, 500.0, 0.0), "downtime")
    crew = [Decision(unit.name, repair, "maintenance") for unit in units]
    branch = Branch([Alternative(), Alternative(crew, cost={"set-up": 20.0})])
    nodes = [
        Chance((), Table.moves([0]), to=count),
        *counting,
        lost,
        Chance("working", Table.moves(np.zeros(size + 1, dtype=np.int64)), to=()),
        branch,
        *(Chance(unit.name, TRANSITION[i % 3]) for i, unit in enumerate(units)),
    ]
    return Epoch(axes=units, nodes=nodes)


@pytest.mark.benchmark(group="control limits")
@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("size", [10, 50])
def test_control_limits(benchmark, size, num_threads):
    epoch = k_of_n_epoch(size, needed=7 * size // 10)
    targets = {f"c{i}": [0 if s >= LIMIT else s for s in range(4)] for i in range(size)}
    policy = RowPolicy.from_targets(epoch, targets)
    weights = dict.fromkeys(epoch.kinds, 1.0)
    runner = Runner((epoch,), (policy,), weights, 0, num_threads)
    mean = run_rate(benchmark, runner, size, 40, 1024)
    assert mean.min() >= 0.0
    assert mean.sum() > 0.0
