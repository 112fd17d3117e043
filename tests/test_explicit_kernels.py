"""The compiled kernels against plain NumPy, at sizes one, odd and large."""

import numpy as np
import pytest
import scipy.sparse as sp
from sparing import _core

NO_ROW = np.zeros(0, dtype=np.int32)


def arrays(size, dtype):
    """Rows of 0 to 9 entries, 1 to 5 pairs a state; kernels do not ask rows to sum to one."""
    rng = np.random.default_rng(size)
    state_indptr = np.append(0, np.cumsum(rng.integers(1, 6, size)))
    num_pairs = state_indptr[-1]
    indptr = np.append(0, np.cumsum(rng.integers(0, 10, num_pairs)))
    indices = rng.integers(0, size, indptr[-1]).astype(dtype)
    rows = indptr.astype(dtype), indices, rng.random(indptr[-1])
    return rows, state_indptr, rng.random(num_pairs), rng.random(size)


def products_of(rows, value):
    indptr, indices, probs = rows
    shape = (indptr.size - 1, value.size)
    return sp.csr_array((probs, indices, indptr), shape=shape) @ value


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("size", [1, 7, 20_003])
def test_backups_agree_with_numpy(size, dtype, num_threads):
    rows, state_indptr, cost, value = arrays(size, dtype)
    future = products_of(rows, value)
    q = cost + 0.9 * future
    expected = np.minimum.reduceat(q, state_indptr[:-1])
    gap, out, policy = np.zeros(cost.size), np.empty(size), np.zeros(size, np.int64)
    found = value, np.inf, gap, out, policy, num_threads

    change = _core.optimality_backup(*rows, state_indptr, cost, NO_ROW, 0.9, *found)
    np.testing.assert_allclose(out, expected, rtol=1e-14)
    np.testing.assert_allclose(q[policy], expected, rtol=1e-14)
    np.testing.assert_allclose(gap, q - np.repeat(expected, np.diff(state_indptr)), atol=1e-14)
    assert change == (np.min(out - value), np.max(out - value))

    fused, products = out.copy(), np.empty(cost.size)
    _core.row_products(*rows, np.zeros(0, bool), value, products, num_threads)
    np.testing.assert_allclose(products, future, rtol=1e-14)
    _core.best_pairs(state_indptr, cost, NO_ROW, products, 0.9, *found)
    assert np.array_equal(out, fused)

    _core.best_pairs(state_indptr, cost, NO_ROW, np.zeros(0), 0.9, *found)
    assert np.array_equal(out, np.minimum.reduceat(cost, state_indptr[:-1]))


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("size", [1, 7, 20_003])
def test_a_policy_is_gathered_and_backed_up_as_numpy_does(size, dtype, num_threads):
    rows, state_indptr, cost, value = arrays(size, dtype)
    policy = state_indptr[1:] - 1
    indptr = np.append(0, np.cumsum(np.diff(rows[0])[policy]))
    indices, probs = np.empty(indptr[-1], np.int32), np.empty(indptr[-1])
    states, out, none = np.arange(size), np.empty(size), np.zeros(0)
    _core.gather_rows(*rows, policy, states, indptr, indices, probs, num_threads)
    gathered, costs = (indptr, indices, probs), cost[policy]
    change = _core.policy_backup(*gathered, NO_ROW, costs, 0.9, 0.25, value, none, out, num_threads)
    again, products = out.copy(), np.empty(size)
    row = np.arange(size, dtype=np.int32)
    _core.policy_backup(*gathered, row, costs, 0.9, 0.25, value, products, out, num_threads)
    assert np.array_equal(out, again)
    step = cost[policy] + 0.9 * products_of(rows, value)[policy] - value
    np.testing.assert_allclose(out, value + 0.25 * step, rtol=1e-13)
    np.testing.assert_allclose(change, (step.min(), step.max()), rtol=1e-12)


def test_pairs_whose_gap_is_too_wide_are_dropped_for_good():
    rows = np.array([0, 1, 2], np.int32), np.zeros(2, np.int32), np.ones(2)
    gap, out, policy = np.array([0.5, 0.0]), np.empty(1), np.zeros(1, np.int64)
    for threshold in (0.1, 1e9):
        _core.optimality_backup(
            *rows,
            np.array([0, 2]),
            np.zeros(2),
            NO_ROW,
            0.9,
            np.ones(1),
            threshold,
            gap,
            out,
            policy,
            1,
        )
        assert list(gap) == [np.inf, 0.0]
        assert policy[0] == 1


@pytest.mark.parametrize("num_threads", [1, 2])
def test_the_first_row_at_fault_is_found_in_a_large_matrix(num_threads):
    size = 200_000
    rows = np.arange(size + 1, dtype=np.int32), np.zeros(size, np.int32), np.ones(size)
    everything = np.zeros(0, dtype=bool)
    assert _core.check_rows(*rows, 1, everything, 1e-9, num_threads) == (size, 0.0)
    rows[2][[150_001, 70_003]] = 0.5
    assert _core.check_rows(*rows, 1, everything, 1e-9, num_threads) == (70_003, 0.5)
