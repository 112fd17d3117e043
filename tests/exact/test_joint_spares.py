"""Joint maintenance and spares: the known answer, brute force, simulation, structure of results."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sparing
from random_spares import (
    arrival_chances,
    is_restorable,
    listed,
    random_fields,
    random_joint,
    stuck_states,
)
from reference_solve import limiting_matrix, optimal_gain, optimal_value
from sparing.evaluate.actions import orders_of
from sparing.evaluate.frequencies import state_frequencies
from sparing.models.multi_component import COST_KINDS, MultiComponentProblem
from sparing.models.spare import GammaLeadTime

JOINT = Path(__file__).parents[1] / "data" / "joint.toml"
NUM_RANDOM = 60


@pytest.fixture(scope="module")
def joint():
    return sparing.load(JOINT)


def test_the_known_answer(joint):
    """729 states at an inspection; the gain is that of an independent program."""
    solution = sparing.solve(joint, tol=1e-9)
    assert joint.num_states == solution.epoch.num_states == 729
    assert solution.converged
    assert solution.lower - 1e-9 <= 138.142154523 <= solution.upper + 1e-9
    assert solution.objective == pytest.approx(138.142154523, abs=1e-6)


def taken_pairs(problem, policy, book):
    """Return the listed pair [states] that a policy takes in each state."""
    pairs = []
    shape = problem.epoch.shape
    for i in range(len(book.states)):
        state = np.unravel_index(i, shape)
        post = policy.action(np.array(state)).tolist()
        found, stock = book.states[i]
        after = tuple(post[: len(found)])
        orders = []
        for spare, index, (x, ordered, _) in zip(
            problem.spares, post[len(found) :], stock, strict=True
        ):
            decided = spare.decided[index]
            users = [k for k, c in enumerate(problem.components) if c.name in spare.used_by]
            wanted = sum(found[k] > 0 and after[k] == 0 for k in users)
            left = max(0, x - wanted)
            behind = decided.on_hand + decided.ordered
            orders.append(0 if ordered else behind - left)
        pairs.append(book.pairs[i, after, tuple(orders)])
    return np.array(pairs)


@pytest.mark.parametrize("seed", range(NUM_RANDOM))
def test_random_cases_agree_with_brute_force(seed):
    """Objective, all measures of the optimal policy, and the states themselves."""
    problem = random_joint(np.random.default_rng(seed))
    book = listed(problem)
    assert len(book.states) == problem.num_states
    solution = sparing.solve(problem, tol=1e-7)
    start = int(np.ravel_multi_index(problem.initial_state, problem.epoch.shape))
    found, stock = book.states[start]
    assert set(found) == {0}
    assert stock == tuple((spare.initial, 0, 0) for spare in problem.spares)
    if problem.criterion == "discounted":
        exact, _ = optimal_value(book.mdp)
        np.testing.assert_allclose(solution.value.ravel(), exact, rtol=0, atol=1e-6)
        exact = exact[[start]]
    else:
        exact, _ = optimal_gain(book.mdp)
    assert solution.lower - 1e-8 <= exact.min()
    assert exact.max() <= solution.upper + 1e-8
    assert solution.converged
    assert solution.objective == pytest.approx(exact[0], abs=1e-6)
    pairs = taken_pairs(problem, solution.policy, book)
    cost, chain = book.mdp.cost[pairs], book.mdp.transition[pairs]
    if problem.criterion == "discounted":
        value = np.linalg.solve(np.eye(len(chain)) - chain, cost)
        assert value[start] == pytest.approx(exact[0], abs=1e-6)
        return
    share = limiting_matrix(chain)[start]
    assert share @ cost == pytest.approx(exact[0], abs=1e-6)
    measures = sparing.evaluate(problem, solution.policy, tol=1e-9)
    for kind in (*problem.cost_kinds, *problem.count_kinds, "reliability"):
        average = share @ book.kinds[kind][pairs]
        assert measures[kind].lower - 1e-8 <= average <= measures[kind].upper + 1e-8, kind
        assert measures[kind].value == pytest.approx(average, abs=1e-6), kind


def test_the_random_cases_are_of_all_kinds():
    problems = [random_joint(np.random.default_rng(seed)) for seed in range(NUM_RANDOM)]
    spares = [spare for problem in problems for spare in problem.spares]
    assert {len(p.components) for p in problems} == {1, 2, 3}
    assert {len(p.spares) for p in problems} == {1, 2}
    assert {p.criterion for p in problems} == {"average", "discounted"}
    assert {bool(p.goals) for p in problems} == {True, False}
    assert {s.emergency_cost is None for s in spares} == {True, False}
    assert {0, 1, 2} <= {s.lead_time for s in spares if isinstance(s.lead_time, int)}
    assert any(isinstance(s.lead_time, GammaLeadTime) for s in spares)
    assert any(p.restore_when_down for p in problems)
    used = [{user for spare in p.spares for user in spare.used_by} for p in problems]
    assert any(len(u) < len(p.components) for u, p in zip(used, problems, strict=True))


def test_simulation_agrees_with_the_exact_measures(joint):
    solution = sparing.solve(joint)
    exact = sparing.evaluate(joint, solution.policy)
    run = sparing.simulate(
        joint, solution.policy, num_epochs=3000, num_replications=200, warm_up=200, seed=7
    )
    assert run.objective == pytest.approx(solution.objective, abs=2 * run.half_width)
    for kind, mean in run.mean.items():
        assert mean == pytest.approx(exact[kind].value, abs=2 * run.half_widths[kind] + 1e-12), kind


def test_a_discounted_simulation_starts_with_the_initial_stock(joint):
    problem = replace(joint, criterion="discounted", discount=0.9)
    solution = sparing.solve(problem, tol=1e-8)
    run = sparing.simulate(problem, solution.policy, num_epochs=200, num_replications=20_000)
    assert run.objective == pytest.approx(solution.objective, abs=2 * run.half_width)
    empty = replace(problem, spares=tuple(replace(s, initial=0) for s in problem.spares))
    assert sparing.solve(empty).objective > solution.objective + 10.0  # a rotor more at hand


@pytest.mark.parametrize("path", ["auto", "general"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_and_paths_change_nothing(joint, path, threads):
    one = sparing.solve(joint, num_threads=1, path="general")
    other = sparing.solve(joint, num_threads=threads, path=path)
    assert (one.lower, one.upper) == (other.lower, other.upper)
    np.testing.assert_array_equal(one.posts[0], other.posts[0])


def test_components_may_stand_in_any_order(joint):
    turned = replace(joint, components=joint.components[::-1], spares=joint.spares[::-1])
    assert sparing.solve(turned).objective == pytest.approx(138.142154523, abs=1e-6)


def test_free_spares_are_no_spares(joint):
    """Unlimited stock at no cost is the system without spares."""
    free = tuple(
        replace(s, holding_cost=0.0, order_fixed=0.0, order_unit=0.0, emergency_cost=0.0)
        for s in joint.spares
    )
    without = replace(joint, spares=())
    with_free = sparing.solve(replace(joint, spares=free))
    assert with_free.objective == pytest.approx(sparing.solve(without).objective, abs=1e-6)


def test_units_bought_are_units_used():
    """In the long run what is ordered and bought in an emergency is what replacements take."""
    problem = sparing.load("joint-maintenance-spares")
    policy = sparing.solve(problem, tol=1e-9).policy
    found = sparing.evaluate(problem, policy, tol=1e-9)
    shape = problem.epoch.shape
    states = np.stack(np.unravel_index(np.arange(problem.num_states), shape), axis=1)
    posts = policy.action(states)
    share = state_frequencies(problem.epoch, policy)
    ordered = share @ orders_of(problem, states, posts)
    cost = 0.0
    for units, spare in zip(ordered, problem.spares, strict=True):
        users = [problem.names.index(name) for name in spare.used_by]
        replaced = (states[:, users] > 0) & (posts[:, users] == 0)
        emergencies = found.get(f"emergency_rate_{spare.name}")
        bought = units + (emergencies.value if emergencies else 0.0)
        assert share @ replaced.sum(axis=1) == pytest.approx(bought, abs=1e-8)
        cost += spare.order_unit * units
        cost += spare.order_fixed * found[f"order_rate_{spare.name}"].value
    assert found["emergency_rate_bearing"].lower > 0.0
    assert found["order"].value == pytest.approx(cost, abs=1e-6)
    paid = sum(found[kind].value for kind in problem.cost_kinds)
    assert found["cost_rate"].value == pytest.approx(paid, abs=1e-7)
    held = sum(s.holding_cost * found[f"mean_on_hand_{s.name}"].value for s in problem.spares)
    assert found["holding"].value == pytest.approx(held, abs=1e-7)


def test_arrival_chances_are_those_of_the_gamma_distribution():
    lead = GammaLeadTime(shape=2.0, scale=0.8, longest=3)
    from sparing.models.spare import SparePart

    spare = SparePart(name="s", used_by=("u",), capacity=1, lead_time=lead)
    np.testing.assert_allclose(spare.arrival, arrival_chances(spare), rtol=1e-12)
    certain = GammaLeadTime(shape=2.0, scale=1e-3, longest=3)  # 1 - F vanishes: arrives at once
    np.testing.assert_allclose(certain.arrival(), 1.0)


def test_plain_problems_are_as_before():
    problem = sparing.load("three-component")
    assert problem.cost_kinds == COST_KINDS
    assert problem.spares == problem.count_kinds == ()
    assert [*problem.measures] == ["cost_rate", "reliability"]


def test_a_case_is_refused_just_where_some_state_allows_nothing():
    """By brute force over all states and actions; the state that is named is one of them."""
    refused = 0
    for seed in range(150):
        drafted = SimpleNamespace(**random_fields(np.random.default_rng(1000 + seed)))
        if not is_restorable(drafted):
            continue
        stuck = stuck_states(drafted)
        if not stuck:
            assert MultiComponentProblem(**vars(drafted)).epoch.num_states > 0
            continue
        refused += 1
        with pytest.raises(ValueError, match="allows no action") as caught:
            MultiComponentProblem(**vars(drafted))
        named = dict(re.findall(r"(\w+)=(\d+)", str(caught.value)))
        state = tuple(int(named[c.name]) for c in drafted.components)
        stock = tuple((int(named[s.name]), 0, 0) for s in drafted.spares)
        assert (state, stock) in stuck
    assert refused > 10
