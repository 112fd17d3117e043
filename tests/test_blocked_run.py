"""Runs of operations done block by block: no number may change, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest
import random_epochs
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from random_dice import Recipe
from sparing.lowering import Lowering


def swept(epoch, value, weights, *, dtype, num_threads, block_bytes):
    program = Lowering(
        epoch, weights, dtype=dtype, num_threads=num_threads, block_bytes=block_bytes
    ).program
    found = np.empty((2, epoch.num_states), dtype=dtype)
    for start in found:  # scratch of the first run must not show in the second
        program.run(value, start, [])
    np.testing.assert_array_equal(found[0], found[1])
    return found[0]


def check_blocks(epoch, value, weights):
    for dtype in (np.float64, np.float32):
        behind = np.ascontiguousarray(value.ravel().astype(dtype))
        whole = swept(epoch, behind, weights, dtype=dtype, num_threads=1, block_bytes=0)
        for block_bytes in (8, 64, 1 << 12, 1 << 16):
            for num_threads in (1, 2):
                blocked = swept(
                    epoch,
                    behind,
                    weights,
                    dtype=dtype,
                    num_threads=num_threads,
                    block_bytes=block_bytes,
                )
                np.testing.assert_array_equal(blocked, whole)


@settings(max_examples=60)
@given(case=random_epochs.cases(Recipe(closed=False)))
def test_random_epochs(case):
    """Axes are created, dropped and resized; branches, costs on groups, contexts."""
    check_blocks(*case)


@settings(max_examples=40)
@given(case=random_epochs.cases(separable=True))
def test_random_maintenance(case):
    check_blocks(*case)


@pytest.mark.parametrize("discount", [1.0, 0.9])
@settings(max_examples=3)
@given(seed=st.integers(0, 2**32 - 1))
def test_joint_spares(discount, seed):
    """Twelve thousand states: blocks, packed riders and several tasks at once."""
    problem = sparing.load("joint-maintenance-spares")
    epoch = problem.epoch
    if discount < 1.0:
        epoch = sparing.Epoch(axes=epoch.axes, nodes=epoch.nodes, discount=discount)
    value = np.random.default_rng(seed).normal(0.0, 100.0, epoch.num_states)
    check_blocks(epoch, value, problem.weights)
