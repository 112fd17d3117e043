"""Whole solves of joint maintenance and spares: sizes, seconds and peak memory.

Half of the components use one spare, half the other; stocks with Gamma lead times. What is timed is
what a user waits for: lowering, sweeps, certificate and policy. The baseline is the same sweep
written with NumPy on the same tables; it must find the same gain.
"""

import json
import resource
import subprocess
import sys

import numpy as np
import pytest
import sparing
from joint_systems import SIZES, joint_system

QUICK = ["N=4", "N=6, 3 states", "N=6"]
LARGE = ["N=6, larger stocks", "N=8"]


@pytest.mark.benchmark(group="joint maintenance and spares, solved to 1e-6")
@pytest.mark.parametrize("size", QUICK)
def test_solve(benchmark, size):
    model = joint_system(*SIZES[size])
    model.epoch  # noqa: B018 - made once; the solve is what is measured

    def solve():
        return sparing.solve(model, keep_value=False)

    solution = benchmark.pedantic(solve, rounds=3, warmup_rounds=1)
    assert solution.converged
    found = sparing.evaluate(model, solution.policy, {"cost": model.weights}, tol=1e-6)["cost"]
    assert found.value == pytest.approx(solution.objective, abs=2e-6)
    benchmark.extra_info.update(states=model.num_states, sweeps=solution.num_sweeps)


class NumpySweep:
    """The sweep of the joint model axis by axis, with NumPy alone."""

    def __init__(self, model):
        self.model = model
        self.num = len(model.components)
        self.arrival = [self._arrival(spare) for spare in model.spares]
        up = np.ix_(*(model.up_groups[name] for name in model.names))
        down = ~model.works[up]
        self.downtime = (model.downtime_cost * down)[..., None, None]

    def _arrival(self, spare):
        """Return chances [decided, found]."""
        chance = np.zeros((len(spare.decided), len(spare.found)))
        for row, (x, q, age) in enumerate(spare.decided):
            h = spare.arrival[age] if q else 1.0
            chance[row, spare.found.index((x + q, 0, 0))] += h
            if h < 1.0:
                chance[row, spare.found.index((x, q, age + 1))] += 1.0 - h
        return chance

    def __call__(self, value):
        for i, component in enumerate(self.model.components):
            value = self._along(component.transition, value, i)
        for k, spare in enumerate(self.model.spares):
            shape = [1] * value.ndim
            shape[self.num + k] = -1
            value = value + (spare.holding_cost * spare.on_hand).reshape(shape)
        for k in range(len(self.model.spares)):
            value = self._along(self.arrival[k], value, self.num + k)
        for k, spare in enumerate(self.model.spares):  # no order sees another one's delivery
            value = self._ordered(spare, value, self.num + k)
        kept = value
        for i, component in enumerate(self.model.components):
            value = self._maintained(i, component, value)
        return self.downtime + np.minimum(kept, self.model.setup_cost + value)

    def _along(self, matrix, value, axis):
        return np.moveaxis(np.tensordot(matrix, value, axes=(1, axis)), 0, axis)

    def _ordered(self, spare, value, axis):
        value = np.moveaxis(value, axis, 0)
        rows = []
        for x, q, age in spare.found:
            options = [value[spare.decided.index((x, q, age))]]
            for units in range(1, 0 if q else min(spare.largest_order, spare.capacity - x) + 1):
                cost = spare.order_fixed + spare.order_unit * units
                options.append(cost + value[spare.decided.index((x, units, 0))])
            rows.append(np.minimum.reduce(options))
        return np.moveaxis(np.stack(rows), 0, axis)

    def _maintained(self, i, component, value):
        spare = self.model.spare_of(component)
        k = self.num + self.model.spares.index(spare)
        value = np.moveaxis(value, (i, k), (0, 1))
        fresh = np.full(value.shape[1:], np.inf)
        for row, (x, q, age) in enumerate(spare.found):
            if x:
                fresh[row] = value[0, spare.found.index((x - 1, q, age))]
            elif spare.emergency_cost is not None:
                fresh[row] = spare.emergency_cost + value[0, row]
        rows = [value[0]]
        for state in range(1, component.num_states):
            cost = component.maintenance_cost[state]
            options = [cost[a] + value[a] for a in range(1, state + 1) if np.isfinite(cost[a])]
            rows.append(np.minimum.reduce([cost[0] + fresh, *options]))
        return np.moveaxis(np.stack(rows), (0, 1), (i, k))


@pytest.mark.benchmark(group="joint maintenance and spares, one sweep")
@pytest.mark.parametrize("backend", ["nodes", "numpy"])
@pytest.mark.parametrize("size", ["N=4", "N=6"])
def test_sweep(benchmark, size, backend):
    from sparing.exact.engine import make_sweep

    model = joint_system(*SIZES[size])
    value = np.random.default_rng(0).random(model.epoch.shape) * 100.0
    numpy_sweep = NumpySweep(model)
    sweep = make_sweep(model.epoch, model.weights, dtype=np.float64, num_threads=0)
    sweep.load(value.ravel())
    sweep.advance(1, 0.0, 0.0)
    np.testing.assert_allclose(sweep.state.reshape(model.epoch.shape), numpy_sweep(value))
    rounds = 10 if size == "N=4" else 5
    if backend == "nodes":
        benchmark.pedantic(lambda: sweep.advance(1, 0.0, 0.0), rounds=rounds, warmup_rounds=1)
    else:
        benchmark.pedantic(lambda: numpy_sweep(value), rounds=rounds, warmup_rounds=1)
    benchmark.extra_info["states"] = model.num_states


def solve_large(size):
    """Solve in a process of its own for its memory."""
    model = joint_system(*SIZES[size])
    solution = sparing.solve(model, keep_value=False)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    record = {
        "states": model.num_states,
        "lower": solution.lower,
        "upper": solution.upper,
        "converged": solution.converged,
        "sweeps": solution.num_sweeps,
        "seconds": round(solution.seconds, 3),
        "peak_gib": round(used, 2),
    }
    print(json.dumps(record))


@pytest.mark.full
@pytest.mark.benchmark(group="joint maintenance and spares, large")
@pytest.mark.parametrize("size", [*QUICK, *LARGE])
def test_solve_large(benchmark, size):
    command = [sys.executable, __file__, size]

    def run():
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    record = json.loads(benchmark.pedantic(run, rounds=1))
    benchmark.extra_info.update(record)
    assert record["converged"]
    assert record["upper"] - record["lower"] <= 1e-6


if __name__ == "__main__":
    solve_large(sys.argv[1])
