"""Value iteration against systems listed in full, and by its certificates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from random_systems import listed, random_problem, works
from reference_solve import limiting_matrix, optimal_gain, optimal_value
from sparing.exact import separable
from sparing.exact.value_iteration import Options, value_iteration

SEEDS = st.integers(0, 2**32 - 1)


def solved(problem, **options):
    options = {"tol": 1e-7, "max_sweeps": 3000, "num_threads": 1, **options}
    return value_iteration(
        problem.epoch,
        problem.weights,
        criterion=problem.criterion,
        initial=problem.initial_state,
        options=Options(**options),
    )


def pairs_of(full, post):
    """Return the pair that each state takes: the one that leads to `post` [states]."""
    taken = []
    for state, goal in enumerate(post):
        pairs = np.flatnonzero(full.mdp.owner == state)
        taken += [p for p in pairs if full.results[p, goal] == 1.0]
    return np.array(taken)


def test_the_objective_is_bracketed_on_random_systems():
    """240 systems of all sorts, and the greedy policy evaluated by a linear solve."""
    seen = set()
    for seed in range(240):
        problem = random_problem(np.random.default_rng(seed))
        full, found = listed(problem), solved(problem)
        average = problem.criterion == "average"
        exact, _ = (optimal_gain if average else optimal_value)(full.mdp)
        slack = 1e-9 * (1.0 + np.abs(exact).max())
        assert found.lower - slack <= exact[0] <= found.upper + slack, seed
        if not average or np.ptp(exact) < 1e-9:
            assert found.converged, (seed, found.message)
            assert found.gap <= 1e-7
        if not average:
            off = np.abs(found.value.ravel() - exact)
            assert off.max() <= found.value_slack + slack, seed
        # Wear without chance belongs to the stage, so that its end is not what was aimed at.
        ends_before_wear = problem.epoch.nodes[problem.epoch.stages[0][1]].name == "wear u0"
        if problem.result == "chosen" and ends_before_wear:
            pairs = pairs_of(full, found.posts[0])
            transition, cost = full.mdp.transition[pairs], full.mdp.cost[pairs]
            if average:
                own = limiting_matrix(transition) @ cost
            else:
                own = np.linalg.solve(np.eye(len(cost)) - transition, cost)
            assert exact[0] - slack <= own[0] <= found.upper + slack, seed
        seen.add(
            (problem.criterion, problem.result, bool(problem.goals), problem.restore_when_down)
        )
    assert len(seen) == 12  # every combination that there is


@settings(max_examples=60)
@given(seed=SEEDS)
def test_the_bounds_hold_after_any_number_of_sweeps(seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, max_states=36)
    exact, _ = (optimal_gain if problem.criterion == "average" else optimal_value)(
        listed(problem).mdp
    )
    slack = 1e-9 * (1.0 + np.abs(exact).max())
    for max_sweeps in (1, 2, int(rng.integers(3, 30))):
        for dtype in ("float64", "float32"):
            found = solved(problem, max_sweeps=max_sweeps, tol=1e-12, dtype=dtype)
            assert found.num_sweeps <= max_sweeps
            assert found.lower - slack <= exact[0] <= found.upper + slack
            if not found.converged:
                assert found.message.startswith("Stopped")


@settings(max_examples=30)
@given(seed=SEEDS, dtype=st.sampled_from(["float64", "float32", "mixed"]))
def test_the_number_of_threads_and_the_path_do_not_matter(seed, dtype):
    """Threads give the same bits; the general path the same bounds."""
    problem = random_problem(np.random.default_rng(seed))
    one, two = (solved(problem, num_threads=n, dtype=dtype) for n in (1, 2))
    assert (one.lower, one.upper, one.num_sweeps) == (two.lower, two.upper, two.num_sweeps)
    np.testing.assert_array_equal(one.value, two.value)
    np.testing.assert_array_equal(one.posts[0], two.posts[0])
    general = solved(problem, path="general", dtype=dtype)
    assert max(one.lower, general.lower) <= min(one.upper, general.upper) + 1e-9


@settings(max_examples=40)
@given(seed=SEEDS)
def test_the_order_of_the_components_does_not_matter(seed):
    """Nor for random results, where an interleaved decision would see one and come out lower."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, result="uniform" if seed % 2 else "chosen")
    order = rng.permutation(len(problem.components))
    turned = replace(problem, components=tuple(problem.components[i] for i in order))
    found, again = solved(problem), solved(turned)
    scale = 1e-7 * (1.0 + abs(found.objective))
    if found.converged and again.converged:
        assert again.objective == pytest.approx(found.objective, abs=scale)


@settings(max_examples=30)
@given(seed=SEEDS, shift=st.floats(-50.0, 50.0))
def test_a_dearer_downtime_never_lowers_the_optimum(seed, shift):
    """Monotone: more downtime cost cannot help; nor can a weaker structure."""
    problem = random_problem(np.random.default_rng(seed), goals={})
    dearer = replace(problem, downtime_cost=problem.downtime_cost + abs(shift))
    series = replace(problem, structure=" & ".join(problem.names))
    assert solved(dearer).upper >= solved(problem).lower - 1e-9
    assert solved(series).upper >= solved(problem).lower - 1e-9


@given(seed=SEEDS)
def test_the_structure_of_a_problem_is_that_of_python(seed):
    problem = random_problem(np.random.default_rng(seed))
    for up in np.ndindex(problem.works.shape):
        state = [0 if u else c.failed for u, c in zip(up, problem.components, strict=True)]
        assert problem.works[up] == works(problem, state)


def test_a_certificate_that_takes_the_memory_of_the_state_is_as_good(monkeypatch):
    """As of a billion states: the policy is written over the state, and a failure starts anew."""
    problem = replace(sparing.load("three-component-2"), goals={})
    asked = {"dtype": "float32", "relative_tol": 1e-3, "keep_value": False}
    kept = sparing.solve(problem, **asked)
    monkeypatch.setattr(separable, "LEAN_FROM", 1)
    lean = sparing.solve(problem, **asked)
    assert lean.converged
    assert lean.gap <= 1e-3 * abs(lean.objective)
    assert kept.lower <= lean.upper
    assert lean.lower <= kept.upper
    cost = sparing.evaluate(problem, lean.policy)["objective"]
    assert lean.lower <= cost.upper
    assert cost.lower <= lean.upper
    refused = sparing.solve(problem, dtype="float32", tol=1e-9, keep_value=False)
    assert not refused.converged
