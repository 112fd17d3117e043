"""The fast path for separable epochs against plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sparing import _core

SWEEPS = {np.float32: _core.SeparableSweep32, np.float64: _core.SeparableSweep64}
TOLERANCE = {np.float32: 2e-3, np.float64: 1e-10}
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])


@dataclass
class Case:
    """A separable epoch as the engine takes it, and its backup written out."""

    sizes: list[int]
    chance: list
    decision: list
    discount: float = 0.9
    branch_cost: float | None = None
    start: list = field(default_factory=list)
    post: list = field(default_factory=list)
    next: list = field(default_factory=list)
    keep: list = field(default_factory=list)

    def sweep(self, dtype, num_threads=1):
        sweep = SWEEPS[dtype](
            self.sizes,
            self.chance,
            self.decision,
            self.discount,
            self.branch_cost,
            self.start,
            self.post,
            self.next,
            self.keep,
        )
        sweep.num_threads = num_threads
        return sweep

    def cost(self, terms):
        """Sum of cost terms as a full tensor."""
        total = np.zeros(self.sizes)
        for axes, groups, values in terms:
            index = [np.zeros(self.sizes, dtype=int)] * len(axes)
            for k, (axis, group) in enumerate(zip(axes, groups, strict=True)):
                shape = [1] * len(self.sizes)
                shape[axis] = -1
                states = np.arange(self.sizes[axis]) if group is None else group
                index[k] = np.broadcast_to(states.reshape(shape), self.sizes)
            total = total + values[tuple(index)]
        return total

    def expected(self, value):
        """W = post + E (discount value + next)."""
        w = self.discount * value + self.cost(self.next)
        for axis, table in enumerate(self.chance):
            if table is not None:
                w = np.moveaxis(np.tensordot(table, w, (1, axis)), 0, axis)
        return w + self.cost(self.post)

    def backup(self, value):
        w = self.expected(value)
        best = w
        for axis, table in enumerate(self.decision):
            if table is not None:
                lines = np.moveaxis(best, axis, -1)
                best = np.moveaxis((lines[..., None, :] + table).min(axis=-1), -1, axis)
        if self.branch_cost is not None:
            best = np.minimum(w + self.cost(self.keep), self.branch_cost + best)
        return self.cost(self.start) + best

    def path_cost(self, value, policy):
        """TV if `policy` is followed once: its own path cost plus W where it leads."""
        w = self.expected(value).ravel()
        states = np.unravel_index(np.arange(w.size), self.sizes)
        ends = np.unravel_index(policy.ravel(), self.sizes)
        path = np.zeros(w.size)
        for table, s, a in zip(self.decision, states, ends, strict=True):
            path += np.where(s == a, 0.0, np.inf) if table is None else table[s, a]
        if self.branch_cost is not None:
            stay = np.where(
                policy.ravel() == np.arange(w.size), self.cost(self.keep).ravel(), np.inf
            )
            path = np.minimum(path + self.branch_cost, stay)
        return self.cost(self.start).ravel() + path + w[policy.ravel()]


def random_term(rng, sizes, num_axes, spread=5.0, chance_of_inf=0.0):
    """A cost on some axes, on random groups of their states or on the states themselves."""
    axes = [int(a) for a in rng.permutation(len(sizes))[:num_axes]]
    groups, counts = [], []
    for axis in axes:
        grouped = rng.random() < 0.5
        count = int(rng.integers(1, sizes[axis] + 1)) if grouped else sizes[axis]
        group = rng.integers(0, count, sizes[axis], dtype=np.int32) if grouped else None
        groups.append(group)
        counts.append(count)
    values = rng.normal(0.0, spread, counts)
    values[rng.random(counts) < chance_of_inf] = np.inf
    return axes, groups, np.ascontiguousarray(values)


OPPOSITE = {"upper": "lower", "lower": "upper", "full": "full"}


def random_tables(rng, size, wear, repair, idle):
    """Chance and decision table; the diagonal stays possible, so that every row does."""
    masks = {"upper": np.triu, "lower": np.tril, "full": np.asarray}
    chance = rng.random((size, size)) * masks[wear](np.ones((size, size)))
    chance /= chance.sum(axis=1, keepdims=True)
    decision = rng.normal(3.0, 2.0, (size, size))
    if idle:
        decision[np.diag_indices(size)] = 0.0
    mask = masks[repair](np.ones((size, size)))
    allowed = (mask > 0) & (rng.random((size, size)) < 0.7) | np.eye(size, dtype=bool)
    return chance, np.where(allowed, decision, np.inf)


def random_case(rng, sizes, *, branch=True, discount=0.9, identities=0.0, terms=2, alike=None):
    """Random tables and a few costs of each kind. `alike`: all axes wear that way, are repaired
    the other way and may idle, which is what the engine has the most special loops for."""
    chance, decision = [], []
    for size in sizes:
        shape = alike or str(rng.choice(["upper", "lower", "full"]))
        repair = OPPOSITE[shape] if alike else shape
        p, c = random_tables(rng, size, shape, repair, idle=alike is not None)
        chance.append(None if rng.random() < identities else p)
        decision.append(None if rng.random() < identities else c)

    def cost(chance_of_inf=0.0):
        return [
            random_term(
                rng, sizes, int(rng.integers(0, min(3, len(sizes)) + 1)), 5.0, chance_of_inf
            )
            for _ in range(int(rng.integers(0, terms + 1)))
        ]

    return Case(
        sizes,
        chance,
        decision,
        discount,
        20.0 * float(rng.random()) - 5.0 if branch else None,
        cost(),
        cost(),
        cost(),
        cost(0.3),
    )


def check_backup(case, dtype, rng):
    value = rng.normal(0.0, 10.0, case.sizes).astype(dtype)
    out = np.empty_like(value)
    case.sweep(dtype).backup(value, out)
    expected = case.backup(value.astype(float))
    np.testing.assert_allclose(out, expected, rtol=0, atol=TOLERANCE[dtype])


def check_certificate(case, dtype, rng):
    """The engine certifies V = T value, as its state is already one expectation ahead."""
    value = rng.normal(0.0, 10.0, case.sizes).astype(dtype)
    before = np.empty_like(value)
    case.sweep(dtype).backup(value, before)
    sweep = case.sweep(dtype, num_threads=2)
    sweep.load(value)
    policy, after = np.zeros(case.sizes, np.uint32), np.zeros(case.sizes, dtype)
    probe = int(rng.integers(0, value.size))
    lower, upper, probe_value, _ = sweep.certify(policy, after, probe)
    exact = case.backup(before.astype(float))
    change = exact - before
    assert lower <= change.min() <= change.max() <= upper
    assert upper - lower <= np.ptp(change) + 4 * TOLERANCE[dtype] * (1 + np.abs(exact).max())
    np.testing.assert_allclose(after, exact, rtol=0, atol=TOLERANCE[dtype])
    assert probe_value == after.ravel()[probe]
    followed = case.path_cost(before.astype(float), policy)
    np.testing.assert_allclose(followed, exact.ravel(), rtol=0, atol=2 * TOLERANCE[dtype])
    return sweep


def check_sweeps(case, dtype, rng):
    """Some sweeps, then a certificate: the engine's value is that of as many backups."""
    value = rng.normal(0.0, 10.0, case.sizes).astype(dtype)
    sweep = case.sweep(dtype, num_threads=2)
    sweep.load(value)
    exact = value.astype(float)
    for count, extra in ((2, 0.0), (1, 0.5), (1, 0.0)):
        sweep.advance(count, -1.0, 0.0, False, extra)
        for _ in range(count):
            exact = exact + (1.0 + extra) * (case.backup(exact) - exact)
    after = np.zeros(case.sizes, dtype)
    sweep.certify(None, after, 0)
    exact = case.backup(case.backup(exact))
    np.testing.assert_allclose(after, exact, rtol=0, atol=5 * TOLERANCE[dtype])


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(1, 10), min_size=1, max_size=6).filter(
        lambda sizes: np.prod(sizes) <= 20_000
    ),
    branch=st.booleans(),
    discount=st.sampled_from([1.0, 0.9]),
    identities=st.sampled_from([0.0, 0.3]),
    alike=st.sampled_from([None, "upper", "lower", "full"]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(deadline=None, max_examples=400)
def test_backup_certificate_and_sweeps_are_those_of_numpy(
    seed, sizes, branch, discount, identities, alike, dtype
):
    rng = np.random.default_rng(seed)
    case = random_case(
        rng, sizes, branch=branch, discount=discount, identities=identities, alike=alike
    )
    check_backup(case, dtype, rng)
    check_certificate(case, dtype, rng)
    check_sweeps(case, dtype, rng)


LARGE = [
    [4] * 7,
    [4] * 9,
    [5, 3, 7, 2, 10, 4, 3],
    [7, 3, 10, 5, 2, 9, 3, 2],
    [2] * 14,
    [2, 3] * 6,
    [10] * 4,
    [10] * 5,
    [20, 30, 13],
    [64, 64],
    [3, 50, 3, 11],
    [1, 7, 1, 1, 500 // 8, 1],
    [6, 6, 6, 6, 6],
    [3] * 11,
]


@DTYPES
@pytest.mark.parametrize("branch", [True, False], ids=["branch", "plain"])
@pytest.mark.parametrize("sizes", LARGE, ids=lambda s: "x".join(map(str, s)))
@pytest.mark.parametrize("alike", [None, "upper", "full"])
def test_large_tensors_take_every_tiling(alike, sizes, branch, dtype):
    rng = np.random.default_rng(len(sizes))
    case = random_case(rng, sizes, branch=branch, terms=1 if alike else 3, alike=alike)
    check_backup(case, dtype, rng)
    check_certificate(case, dtype, rng)
    check_sweeps(case, dtype, rng)


def run(sweep, chunks, relative=True):
    lower, upper, shift = [], [], 0.0
    sweep.load(None)
    for chunk in chunks:
        low, high, shift = sweep.advance(chunk, -1.0, shift, relative)
        lower.extend(low)
        upper.extend(high)
    return np.array(lower), np.array(upper), shift, sweep.state.copy()


@DTYPES
@pytest.mark.parametrize("sizes", [[3, 5], [4] * 6, [4] * 8, [5, 3, 7, 2, 10, 4, 3]], ids=str)
@pytest.mark.parametrize("branch", [True, False])
@pytest.mark.parametrize("alike", [None, "upper"])
def test_threads_and_chunks_change_no_number(alike, sizes, branch, dtype):
    case = random_case(np.random.default_rng(3), sizes, branch=branch, alike=alike)
    one = run(case.sweep(dtype), [6])
    two = run(case.sweep(dtype, num_threads=2), [6])
    cut = run(case.sweep(dtype, num_threads=2), [1, 2, 3])
    for other in (two, cut):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@DTYPES
def test_a_restored_state_continues_to_the_same_numbers(dtype):
    case = random_case(np.random.default_rng(4), [4] * 6)
    whole = case.sweep(dtype)
    *_, shift, saved = run(whole, [3])
    expected = whole.advance(3, -1.0, shift, True)
    fresh = case.sweep(dtype)
    fresh.state[...] = saved
    found = fresh.advance(3, -1.0, shift, True)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(fresh.state, whole.state)


@DTYPES
@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_bounds_of_a_run_hold_for_the_change_of_the_value(discount, relative, dtype):
    """After k sweeps they hold for TV - V at the V whose expectation the state is."""
    rng = np.random.default_rng(5)
    case = random_case(rng, [3, 4, 2, 5], discount=discount)
    sweep = case.sweep(dtype)
    sweep.load(None)
    lower, upper, _ = sweep.advance(8, -1.0, 0.5, relative)
    value, shift = np.zeros(case.sizes), 0.5
    for low, high in zip(lower, upper, strict=True):
        value = case.backup(value) - shift
        change = case.backup(value) - value
        assert low - TOLERANCE[dtype] <= change.min()
        assert change.max() <= high + TOLERANCE[dtype]
        shift = 0.5 * (low + high) if relative else shift


def test_a_run_stops_at_its_tolerance():
    case = random_case(np.random.default_rng(6), [3, 4, 2, 5])
    sweep = case.sweep(np.float64)
    lower, upper, _ = sweep.advance(500, 1e-8, 0.0, True)
    assert len(lower) < 500
    assert upper[-1] - lower[-1] <= 1e-8 < upper[-2] - lower[-2]


@DTYPES
def test_after_a_certificate_the_run_goes_on_from_the_certified_value(dtype):
    rng = np.random.default_rng(7)
    case = random_case(rng, [4, 4, 3, 5])
    sweep = check_certificate(case, dtype, np.random.default_rng(8))
    value = np.random.default_rng(8).normal(0.0, 10.0, case.sizes).astype(dtype)
    other = case.sweep(dtype)
    before = np.empty_like(value)
    other.backup(value, before)
    other.load(before)
    np.testing.assert_allclose(sweep.state, other.state, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("sizes", [[3, 5], [4] * 7, [5, 3, 7, 2, 10, 4, 3]], ids=str)
def test_policy_may_overwrite_the_state_and_so_may_the_value(sizes):
    case = random_case(np.random.default_rng(9), sizes)
    expected_policy, expected_value = np.zeros(sizes, np.uint32), np.zeros(sizes, np.float32)
    sweep = case.sweep(np.float32)
    bounds = sweep.certify(expected_policy, expected_value, 1)
    sweep = case.sweep(np.float32)
    assert sweep.certify(sweep.state.view(np.uint32), None, 1) == bounds
    np.testing.assert_array_equal(sweep.state.view(np.uint32), expected_policy)
    sweep = case.sweep(np.float32)
    assert sweep.certify(None, sweep.state, 1) == bounds
    np.testing.assert_array_equal(sweep.state, expected_value)


def test_ties_go_to_doing_nothing_and_then_to_the_lowest_entry():
    free = np.zeros((4, 4))
    case = Case([4, 4], [None, None], [free, free], branch_cost=0.0)
    policy = np.zeros((4, 4), np.uint32)
    case.sweep(np.float64).certify(policy, None, 0)
    np.testing.assert_array_equal(policy.ravel(), np.arange(16))
    case = Case([4, 4], [None, None], [free, free])
    case.sweep(np.float64).certify(policy, None, 0)
    np.testing.assert_array_equal(policy, 0)
