"""Finite horizons: closed forms, plain backward induction and time-dependent epochs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import random_epochs
import reference_backward as reference
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from random_epochs import Recipe
from random_systems import listed, random_problem
from sparing.epoch import Axis, Chance, Cost, Decision, Epoch
from sparing.exact.finite_horizon import finite_horizon
from sparing.table import Table


def run_to_failure(p, replacement, discount=1.0):
    """A unit that fails with chance p a period and is then replaced."""
    nodes = [Cost("unit", [0.0, replacement]), Chance("unit", [[1 - p, p], [1 - p, p]])]
    return Epoch(axes=[Axis("unit", 2)], nodes=nodes, discount=discount)


@pytest.mark.parametrize("periods", [1, 2, 30])
@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_run_to_failure_has_its_closed_form_cost(periods, discount):
    """From new the first period is free; each later one costs p r on average."""
    found = finite_horizon([run_to_failure(0.2, 10.0, discount)] * periods)
    expected = sum(discount**t * 0.2 * 10.0 for t in range(1, periods))
    assert found.objective == pytest.approx(expected, abs=1e-12)
    assert found.lower <= expected <= found.upper
    failed = finite_horizon([run_to_failure(0.2, 10.0, discount)] * periods, initial=(1,))
    assert failed.objective == pytest.approx(expected + 10.0, abs=1e-12)


def test_the_terminal_value_is_paid_behind_the_last_period():
    epoch = run_to_failure(0.25, 8.0, discount=0.5)
    found = finite_horizon([epoch, epoch], terminal=[0.0, 16.0])
    # Behind the second period 16 with chance 1/4; 8 at its start with chance 1/4.
    assert found.objective == 0.5 * (0.25 * 8.0 + 0.5 * 0.25 * 16.0)


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), periods=st.integers(1, 12))
def test_it_is_plain_backward_induction_on_random_systems(seed, periods):
    """Over all states and joint actions listed."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, max_states=24)
    full = listed(problem)
    terminal = rng.normal(0.0, 50.0, problem.epoch.shape)
    value = terminal.ravel()
    for _ in range(periods):
        total = full.mdp.cost + full.mdp.transition @ value
        value = np.full(problem.num_states, np.inf)
        np.minimum.at(value, full.mdp.owner, total)
    found = finite_horizon([problem.epoch] * periods, problem.weights, terminal=terminal)
    np.testing.assert_allclose(found.value.ravel(), value, rtol=1e-11, atol=1e-9)
    assert found.lower - 1e-9 <= value[0] <= found.upper + 1e-9


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), periods=st.integers(1, 5), exact=st.booleans())
def test_epochs_may_differ_and_resize_their_axes(seed, periods, exact):
    """Each epoch starts on the axes the one before it ends on; against the reference."""
    rng = np.random.default_rng(seed)
    recipe = Recipe(exact=exact, closed=False, max_states=40, discounted=None)
    chain = [random_epochs.random_epoch(rng, recipe)]
    while len(chain) < periods:
        after = leading_on(rng, chain[-1], recipe)
        if after is None:
            break
        chain.append(after)
    end = chain[-1].end_axes
    kinds = dict.fromkeys(kind for epoch in chain for kind in epoch.kinds)
    weights = {kind: float(rng.integers(0, 3)) for kind in kinds}
    terminal = random_epochs.random_value(rng, end, exact=exact)
    value, posts = terminal, []
    for epoch in reversed(chain):
        swept = reference.backup(epoch, value, weights)
        value, posts = swept.value, [swept.stages, *posts]
    found = finite_horizon(chain, weights, terminal=terminal)
    assert len(found.posts) == len(chain)
    np.testing.assert_allclose(found.value, value, rtol=1e-11, atol=1e-9)
    if exact and len(chain) <= 2:  # whole numbers while the dyadic parts fit
        for tables, stages in zip(found.posts, posts, strict=True):
            for table, stage in zip(tables, stages, strict=True):
                feasible = stage.post >= 0
                np.testing.assert_array_equal(table[feasible], stage.post[feasible])


def leading_on(rng, epoch, recipe):
    """Return an epoch that starts where `epoch` ends: its axes renamed, resized or kept."""
    axes = epoch.end_axes
    if not axes:
        return None
    last = axes[-1]
    size = int(rng.integers(1, 6))
    to = Axis(last.name, size)
    wear = rng.multinomial(8, np.full(size, 1 / size), last.size) / 8.0
    nodes = [
        Cost(last.name, rng.integers(0, 9, last.size) * 1.0, "holding"),
        Decision(axes[0].name, rng.integers(0, 9, (axes[0].size,) * 2) * 1.0, "setup"),
        Chance(last.name, wear, to=to),
    ]
    return Epoch(axes=axes, nodes=nodes, discount=0.5 if rng.random() < 0.5 else 1.0)


def test_a_policy_on_disk_is_that_in_memory(tmp_path):
    problem = sparing.load("three-component")
    epochs = [problem.epoch, replace(problem, setup_cost=90.0).epoch] * 3
    kept = finite_horizon(epochs, problem.weights)
    streamed = finite_horizon(epochs, problem.weights, policy_dir=tmp_path / "policy")
    assert sorted(file.name for file in (tmp_path / "policy").iterdir()) == [
        f"period{period}-stage0.npy" for period in range(6)
    ]
    for on_disk, in_memory in zip(streamed.posts, kept.posts, strict=True):
        np.testing.assert_array_equal(on_disk[0], in_memory[0])
    np.testing.assert_array_equal(
        np.load(tmp_path / "policy" / "period3-stage0.npy"), kept.posts[3][0]
    )
    none = finite_horizon(epochs, problem.weights, keep_policy=False)
    assert none.posts == ()
    assert none.objective == kept.objective


def test_threads_and_float32(tmp_path):
    problem = sparing.load("three-component-2")
    epochs = [problem.epoch] * 20
    one, two = (finite_horizon(epochs, problem.weights, num_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.value, two.value)
    single = finite_horizon(epochs, problem.weights, dtype=np.float32)
    assert single.value.dtype == np.float32
    assert single.lower <= one.objective <= single.upper
    assert 0 < single.upper - single.lower < 1.0


def test_a_long_horizon_grows_by_the_gain():
    problem = sparing.load("three-component")
    gain = sparing.solve(problem, tol=1e-9).objective
    long, longer = (finite_horizon([problem.epoch] * n, problem.weights) for n in (200, 201))
    assert longer.objective - long.objective == pytest.approx(gain, abs=1e-8)


A2, A3 = Axis("a", 2), Axis("a", 3)
STAY = Epoch(axes=[A2], nodes=[Cost("a", [0.0, 1.0])])
GROW = Epoch(axes=[A2], nodes=[Chance("a", Table.moves([0, 2]), to=A3)])
WRONG = {
    "no epoch": (lambda: finite_horizon([]), "needs at least one epoch"),
    "axes that do not follow": (
        lambda: finite_horizon([STAY, GROW, STAY]),
        "period 1 ends on other axes than period 2 starts",
    ),
    "terminal of another shape": (
        lambda: finite_horizon([GROW], terminal=[0.0, 1.0]),
        r"terminal must be finite and have shape \(3,\); got \(2,\)",
    ),
    "terminal NaN": (lambda: finite_horizon([STAY], terminal=[0.0, np.nan]), "must be finite"),
    "unknown kind": (lambda: finite_horizon([STAY], {"x": 1.0}), "no cost of kind 'x'"),
    "state outside": (
        lambda: finite_horizon([STAY], initial=(2,)),
        "state a = 2 is out of range; it must be an integer from 0 to 1",
    ),
    "too many coordinates": (
        lambda: finite_horizon([STAY], initial=(0, 0)),
        r"a state has 1 numbers.*got \(0, 0\)",
    ),
}


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_checkpoint_needs_a_place_for_the_policy(tmp_path):
    with pytest.raises(ValueError, match="needs a policy_dir"):
        finite_horizon([STAY], checkpoint_dir=tmp_path)
    finite_horizon([STAY], checkpoint_dir=tmp_path, keep_policy=False)
