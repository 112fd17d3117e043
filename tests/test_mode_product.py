"""One node at a time against plain NumPy, at sizes one, odd and large.

Large means across the tiles of 256 lanes, 2048 rows and 2^14 elements that the kernels cut work
into, with riders before, between and behind the axes that a node reads.
"""

from __future__ import annotations

import numpy as np
import pytest
from sparing import _core
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.lowering import Lowering, size_of
from sparing.table import Table

# sizes of the axes; those named r ride along, those named x are read
SHAPES = {
    "one": {"x": 1},
    "odd": {"x": 7},
    "one lane": {"x": 5, "r": 1},
    "below a lane tile": {"x": 3, "r": 255},
    "a lane tile": {"x": 3, "r": 256},
    "above a lane tile": {"x": 3, "r": 257},
    "two lane tiles and a bit": {"x": 4, "r": 2 * 256 + 3},
    "innermost": {"r": 4099, "x": 5},
    "between riders": {"r": 61, "x": 5, "r2": 67},
    "between two and two": {"r": 3, "r2": 11, "x": 5, "r3": 13, "r4": 29},
    "two read, apart": {"r": 5, "x": 4, "r2": 9, "x2": 3, "r3": 35},
    "two read, at the ends": {"x": 6, "r": 700, "x2": 5},
    "rows beyond a tile": {"x": 2049},
    "rows beyond a tile, lanes too": {"x": 2051, "r": 9},
    "rows of two axes beyond two tiles": {"x": 67, "r": 3, "x2": 71},
    "riders of one state": {"r": 1, "x": 5, "r2": 1, "r3": 300, "r4": 1},
    "eight lanes": {"x": 5, "r": 8},
    "innermost, too few riders to pack": {"r": 7, "x": 5},
    "innermost, one pack": {"r": 8, "x": 5},
    "innermost, packs and a bit": {"r": 8 * 37 + 3, "x": 41},
    "packs across two runs of riders": {"r": 3, "x": 4, "r2": 11, "x2": 9},
    "packs of rows apart": {"x": 3, "r": 29, "x2": 12},
}


def sweep(epoch, value, weights, *, dtype=np.float64):
    """Sweep once without and with the policy, on one thread and two: all must agree."""
    found = []
    sizes = [size_of(epoch.layouts[first]) for first, _ in epoch.stages]
    for num_threads in (1, 2):
        lowering = Lowering(epoch, weights, dtype=dtype, num_threads=num_threads)
        for keep in (False, True):
            start = np.full(epoch.num_states, np.nan, dtype=dtype)
            posts = [np.full(size, 2**32 - 1, dtype=np.uint32) for size in sizes]
            lowering.program.run(value.astype(dtype).ravel(), start, posts if keep else [])
            found.append(start)
            if keep:
                found.append(posts[0] if posts else start)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[3])
    np.testing.assert_array_equal(found[2], found[5])
    return found[0].reshape(epoch.shape), found[2]


def made(shape, seed=0):
    """Return axes, the names read, a value behind and a generator."""
    rng = np.random.default_rng(seed)
    axes = [Axis(name, size) for name, size in shape.items()]
    read = [name for name in shape if name.startswith("x")]
    value = rng.integers(-1000, 1000, tuple(shape.values())) / 8.0
    return axes, read, value, rng


def rows_first(value, shape):
    """Return `value` as [read, riding], and the function that undoes it."""
    names = list(shape)
    order = [i for i, n in enumerate(names) if n[0] == "x"]
    order += [i for i, n in enumerate(names) if n[0] == "r"]
    moved = value.transpose(order)
    num_rows = int(np.prod([shape[n] for n in names if n[0] == "x"]))

    def back(matrix):
        return matrix.reshape(moved.shape).transpose(np.argsort(order))

    return moved.reshape(num_rows, -1), back


def sparse_rows(rng, num_rows, num_to, *, entries=4):
    """Return indptr and to of rows with 1..entries entries, some of them to one state."""
    counts = rng.integers(1, entries + 1, num_rows)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return indptr, rng.integers(0, num_to, indptr[-1])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_chance_averages_each_row(shape, dtype):
    """Dyadic numbers: whatever the order of the sum, nothing is rounded."""
    axes, read, value, rng = made(shape)
    behind, back = rows_first(value, shape)
    indptr, to = sparse_rows(rng, len(behind), len(behind))
    rows = np.repeat(np.arange(len(behind)), np.diff(indptr))
    last = indptr[1:] - 1
    probability = np.full(to.size, 0.125)
    probability[last] = 1.0 - 0.125 * (np.diff(indptr) - 1)
    cost = rng.integers(0, 100, to.size) / 4.0
    table = Table(indptr=indptr, to=to, probability=probability, cost={"c": cost})
    epoch = Epoch(axes=axes, nodes=[Chance(read, table)], discount=0.5)
    found, _ = sweep(epoch, value, {"c": 2.0}, dtype=dtype)
    expected = np.zeros_like(behind)
    np.add.at(expected, rows, probability[:, None] * (2.0 * cost[:, None] + 0.5 * behind[to]))
    np.testing.assert_array_equal(found, back(expected))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_decision_takes_the_cheapest_entry_and_its_lowest_number(shape, dtype):
    axes, read, value, rng = made(shape, seed=1)
    behind, back = rows_first(np.round(value / 100.0), shape)  # few values, so many ties
    indptr, to = sparse_rows(rng, len(behind), len(behind))
    cost = rng.integers(0, 3, to.size) * 1.0
    choice = np.arange(to.size) - np.repeat(indptr[:-1], np.diff(indptr))
    table = Table(indptr=indptr, to=to, choice=choice, cost={"c": cost})
    epoch = Epoch(axes=axes, nodes=[Decision(read, table)])
    found, posts = sweep(epoch, back(behind), {"c": 1.0}, dtype=dtype)
    expected, goal = np.full_like(behind, np.inf), np.zeros(behind.shape, dtype=np.int64)
    flat, _ = rows_first(np.arange(value.size).reshape(value.shape), shape)
    for entry in range(int(np.diff(indptr).max())):  # all rows at once, entry by entry
        row = np.flatnonzero(np.diff(indptr) > entry)
        at = indptr[row] + entry
        path = cost[at][:, None] + behind[to[at]]
        better = path < expected[row]
        expected[row] = np.where(better, path, expected[row])
        goal[row] = np.where(better, flat[to[at]], goal[row])
    np.testing.assert_array_equal(found, back(expected))
    np.testing.assert_array_equal(posts.reshape(epoch.shape), back(goal))


@pytest.mark.parametrize("size", [1, 7, 2**14 - 1, 2**14, 2**14 + 1, 3 * 2**14 + 5])
def test_elementwise_operations_cross_their_blocks(size):
    """A cost, a branch with entry costs and the discount on one axis of that size."""
    rng = np.random.default_rng(size)
    value, paid = rng.integers(0, 9, size) * 1.0, rng.integers(0, 9, size) * 1.0
    stay, swap = Alternative([Cost("x", paid)]), Alternative(cost={"setup": 3.0})
    epoch = Epoch(axes=[Axis("x", size)], nodes=[Branch([stay, swap])], discount=0.5)
    found, posts = sweep(epoch, value, {"cost": 1.0, "setup": 1.0})
    np.testing.assert_array_equal(found, 0.5 * value + np.minimum(paid, 3.0))
    np.testing.assert_array_equal(posts, np.arange(size))


@pytest.mark.parametrize(
    "shape", [(3,), (2, 20_000), (300, 300), (70_000, 2), (17, 2, 999), (1, 1)]
)
def test_a_grouped_cost_is_added_at_every_size(shape):
    """Scores of leading axes are split off where those of the trailing ones grow too long."""
    rng = np.random.default_rng(3)
    axes = [Axis(f"x{i}", size) for i, size in enumerate(shape)]
    groups = {axis.name: rng.integers(0, 3, axis.size) for axis in axes}
    groups["x0"][0] = 2  # so that group 2 is in use
    values = rng.integers(0, 50, (3,) * len(axes)) * 1.0
    order = list(reversed(range(len(axes))))  # the cost names its axes in another order
    cost = Cost([axes[i].name for i in order], values.transpose(order), groups=groups)
    value = rng.integers(0, 50, shape) * 1.0
    found, _ = sweep(Epoch(axes=axes, nodes=[cost]), value, {"cost": 2.0})
    at = np.ix_(*(groups[axis.name] for axis in axes))
    np.testing.assert_array_equal(found, value + 2.0 * values[at])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [1, 5, 2**14 + 1, 5 * 2**14 + 3])
def test_the_range_of_a_difference_is_that_of_numpy(size, dtype):
    rng = np.random.default_rng(size)
    a, b = rng.normal(size=(2, size)).astype(dtype)
    for num_threads in (1, 2):
        found = _core.range_of_difference(a, b, num_threads)
        assert found == ((a - b).min(), (a - b).max())
    for bad in (np.nan, np.inf):
        a[size // 2] = bad
        assert np.isnan(_core.range_of_difference(a, b, 2)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_subtract_takes_the_shift_off_every_element(dtype):
    value = np.arange(2**14 + 3).astype(dtype)
    _core.subtract(value, 2.5, 2)
    np.testing.assert_array_equal(value, np.arange(2**14 + 3).astype(dtype) - dtype(2.5))
