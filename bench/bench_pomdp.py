"""Partially observable models: gaps of the search on known problems, and reading a large file.

Hallway and Hallway2 are read from a folder `shared` beside the checkout; without it they are
skipped. `SARSOP` are bounds (lower, upper) that SARSOP in C++ reached in 20 s on this machine.
"""

import time
from pathlib import Path

import numpy as np
import pytest
import sparing
from sparing.beliefs.pomdp_files import load_pomdp
from sparing.beliefs.pomdp_problems import rock_sample, tag, tiger
from sparing.beliefs.pomdp_rollouts import simulate_pomdp
from sparing.beliefs.pomdp_solver import PomdpOptions, solve_pomdp

KNOWN = Path(__file__).parents[2] / "shared" / "known" / "pomdp"
SARSOP = {
    "Hallway": (0.985, 1.210),
    "Hallway2": (0.325, 0.914),
    "Tag": (-5.959, -2.566),
    "RockSample(7,8)": (21.051, 24.789),
}


def model_of(name):
    if name in ("Tag", "RockSample(7,8)"):
        return tag() if name == "Tag" else rock_sample()
    path = KNOWN / f"{name}.pomdp"
    if not path.exists():
        pytest.skip(f"not there: {path}")
    return load_pomdp(path)


@pytest.mark.benchmark(group="POMDP, Tiger to 1e-3")
def test_tiger(benchmark):
    """Bounds, policy and all; target 10 ms."""
    model = tiger()
    found = benchmark(solve_pomdp, model, options=PomdpOptions(gap=1e-3))
    assert found.converged
    assert found.reported == pytest.approx((19.3713683, 19.3713683), abs=1e-3)


@pytest.mark.benchmark(group="POMDP, gap by time")
@pytest.mark.parametrize("seconds", [2, pytest.param(20, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", SARSOP)
def test_gap(benchmark, name, seconds):
    """The gap in so many seconds, which the bounds of SARSOP must overlap; in 20 s not above its.

    The policy is simulated as well: it must not do worse than its lower bound says.
    """
    model = model_of(name)
    options = PomdpOptions(seconds=seconds)
    start = time.process_time()
    found = benchmark.pedantic(solve_pomdp, (model,), {"options": options}, rounds=1)
    processor = time.process_time() - start
    lower, upper = found.reported
    run = simulate_pomdp(model, found.policy, num_replications=100 * seconds)
    benchmark.extra_info.update(lower=lower, upper=upper, gap=found.gap, processor_s=processor)
    mean, half_width = run.reported
    print(
        f"\n{name}, {seconds} s ({processor:.1f} s of processor): {lower:.4f} {upper:.4f}, gap"
        f" {found.gap:.4f}, simulated {mean:.4f} +- {half_width:.4f}; {found}"
    )
    assert lower <= SARSOP[name][1]
    assert upper >= SARSOP[name][0]
    assert mean + 2 * half_width + run.left_out >= lower
    if seconds == 20:
        assert found.gap <= SARSOP[name][1] - SARSOP[name][0]


@pytest.mark.benchmark(group="POMDP, simulation")
@pytest.mark.parametrize("name", ["Tag", "RockSample(7,8)"])
def test_simulation(benchmark, name):
    """1000 replications of 194 periods under the policy of 50 trials, on one thread."""
    model = model_of(name)
    policy = solve_pomdp(model, options=PomdpOptions(max_trials=50)).policy
    run = benchmark(simulate_pomdp, model, policy, num_replications=1000, num_threads=1)
    assert np.isfinite(run.cost)


@pytest.mark.benchmark(group="POMDP, reading a file")
@pytest.mark.parametrize("megabytes", [5, pytest.param(100, marks=pytest.mark.full)])
def test_reading(benchmark, tmp_path, megabytes):
    """Sparse random model: eight successors and three observations a row; target: seconds."""
    num_states = 300 * megabytes
    path = tmp_path / "large.pomdp"
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        file.write("discount: 0.95 values: reward actions: 8 observations: 20 ")
        file.write(f"states: {num_states} start: 0\n")
        for a in range(8):
            for letter, size, count in (("T", num_states, 8), ("O", 20, 3)):
                columns = rng.integers(0, size, (num_states, count))
                for s, row in enumerate(columns.tolist()):
                    distinct = sorted(set(row))
                    share = 1.0 / len(distinct)
                    file.writelines(f"{letter}: {a} : {s} : {c} {share:.8f}\n" for c in distinct)
            for s, value in enumerate(rng.random(num_states).tolist()):
                file.write(f"R: {a} : {s} : * : * {value:.6f}\n")
    benchmark.extra_info["bytes"] = path.stat().st_size
    model = benchmark.pedantic(sparing.load, (path,), rounds=3 if megabytes < 50 else 1)
    assert model.num_states == num_states
