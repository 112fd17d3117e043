"""Hard goals and fronts against linear programs over occupation measures, and all policies."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from random_systems import listed, random_problem
from reference_solve import limiting_matrix
from scipy.optimize import linprog
from sparing.exact.constrained import HardGoal, solve_constrained
from sparing.exact.trade_off import trade_off_front
from sparing.models.multi_component import COST_KINDS, Component

SEEDS = st.integers(0, 2**32 - 1)
COST = dict.fromkeys(COST_KINDS, 1.0)


def mixing_problem(rng, **fixed):
    """A random problem in which every unit can reach every state: one recurrent class."""
    problem = random_problem(rng, criterion="average", goals={}, **fixed)
    units = []
    for unit in problem.components:
        size = unit.num_states
        wear = rng.dirichlet(np.ones(size), size) * 0.9 + 0.1 / size
        cost, extra = unit.maintenance_cost, rng.uniform(0.0, 2.0, (size, size))
        units.append(
            Component(
                name=unit.name,
                transition=wear,
                maintenance_cost=cost,
                criteria={"exposure": extra},
            )
        )
    return replace(problem, components=tuple(units))


def occupation_lp(full, cost, goals=()):
    """Return the least average `cost` [pairs] subject to averages [pairs] at most a limit.

    Over x >= 0: the flow into each state is the flow out of it, and x sums to one.
    """
    size = full.mdp.transition.shape[1]
    balance = (np.eye(size)[full.mdp.owner] - full.mdp.transition).T
    found = linprog(
        cost,
        A_ub=np.array([measure for measure, _ in goals]) if goals else None,
        b_ub=[limit for _, limit in goals] if goals else None,
        A_eq=np.vstack([balance, np.ones(cost.size)]),
        b_eq=np.append(np.zeros(size), 1.0),
        method="highs",
    )
    return found.fun if found.status == 0 else None


def limits_of(rng, full, goals, cost):
    """Return (weights, limit) of each goal, from slack to tight but reachable by itself."""
    limits = []
    for weights in goals:
        measure = full.objective(weights)
        best = occupation_lp(full, measure)
        worst = -occupation_lp(full, -measure)
        limits.append(best + rng.uniform(0.02, 0.9) * (worst - best))
    return limits


@settings(max_examples=20)
@given(seed=SEEDS, num_goals=st.integers(1, 2))
def test_the_constrained_optimum_is_that_of_the_linear_program(seed, num_goals):
    rng = np.random.default_rng(seed)
    problem = mixing_problem(rng, max_states=18)
    full = listed(problem)
    cost = full.objective(COST)
    goals = [{"reliability": -1.0}, {"exposure": 1.0}][:num_goals]
    limits = limits_of(rng, full, goals, cost)
    wanted = [(full.objective(w), limit) for w, limit in zip(goals, limits, strict=True)]
    exact = occupation_lp(full, cost, wanted)
    hard = [
        HardGoal(name=str(i), weights=w, limit=limit)
        for i, (w, limit) in enumerate(zip(goals, limits, strict=True))
    ]
    if exact is None:
        with pytest.raises(ValueError, match="no policy meets the goals"):
            solve_constrained(problem.epoch, COST, hard, num_threads=1)
        return
    found = solve_constrained(problem.epoch, COST, hard, num_threads=1)
    slack = 2e-6 * (1.0 + abs(exact))
    assert found.lower - slack <= exact <= found.upper + slack
    assert found.duality_gap <= 1e-6 + slack
    assert sum(found.probability) == pytest.approx(1.0)
    assert len(found.solutions) <= num_goals + 1
    for name, limit in zip(found.measures, limits, strict=True):
        assert found.measures[name] <= limit + 1e-6 * (1.0 + abs(limit))
        assert found.multipliers[name] >= -1e-9
    if found.best_pure is not None:
        assert found.pure_objective >= found.lower - slack


@settings(max_examples=15)
@given(seed=SEEDS)
def test_a_goal_out_of_reach_is_refused_with_the_best_that_can_be_reached(seed):
    rng = np.random.default_rng(seed)
    problem = mixing_problem(rng, max_states=12)
    full = listed(problem)
    best = -occupation_lp(full, full.objective({"reliability": -1.0}))
    goal = HardGoal(name="reliability", weights={"reliability": -1.0}, limit=-(best + 0.01))
    with pytest.raises(ValueError, match="no policy meets the goal on 'reliability'") as caught:
        solve_constrained(problem.epoch, COST, [goal], num_threads=1)
    number = float(str(caught.value).rsplit(" ", 1)[1].rstrip("."))
    assert number == pytest.approx(best, abs=1e-5)


def test_two_goals_that_exclude_each_other_are_refused():
    problem = sparing.load("three-component")
    goals = {
        "reliability": sparing.Goal(weight=0.0, at_least=0.9299),
        "cost": sparing.Goal(weight=1.0, at_most=201.0),
    }
    with pytest.raises(ValueError, match="no policy meets the goals on"):
        sparing.solve_with_goals(replace(problem, goals=goals))


def test_a_hard_goal_of_the_three_components():
    """Against the linear program, and the side it is met on."""
    problem = sparing.load("three-component")
    hard = replace(
        problem,
        goals={"cost": sparing.Goal(), "reliability": sparing.Goal(weight=0, at_least=0.92)},
    )
    full = listed(problem)
    measure = full.objective({"reliability": -1.0})
    exact = occupation_lp(full, full.objective(COST), [(measure, -0.92)])
    found = sparing.solve_with_goals(hard)
    assert found.lower - 1e-6 <= exact <= found.upper + 1e-6
    assert 200.437 < found.upper < 202.981


def test_a_measure_may_have_a_limit_on_either_side():
    problem = sparing.load("three-component")
    one = {"cost": sparing.Goal(), "reliability": sparing.Goal(weight=0, at_least=0.92)}
    two = one | {"reliability": sparing.Goal(weight=0, at_least=0.92, at_most=0.95)}
    found, wanted = (sparing.solve_with_goals(replace(problem, goals=g)) for g in (two, one))
    assert (found.lower, found.upper) == pytest.approx((wanted.lower, wanted.upper), abs=2e-6)
    assert found.multipliers["reliability"] == pytest.approx(wanted.multipliers["reliability"])


@pytest.mark.parametrize("reports", [3, 20, 40])
def test_a_search_that_is_cut_goes_on_to_the_identical_result(reports, tmp_path, monkeypatch):
    monkeypatch.setenv("SPARING_CHECKPOINT_SECONDS", "0")
    monkeypatch.setattr("sparing.exact.value_iteration.BATCH_STATES", 1)
    goals = {"cost": sparing.Goal(), "reliability": sparing.Goal(weight=0, at_least=0.92)}
    problem = replace(sparing.load("three-component"), goals=goals)
    whole = sparing.solve_with_goals(problem)
    seen = []

    def stop(progress):
        seen.append(progress.note)
        if len(seen) == reports:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sparing.solve_with_goals(problem, progress=stop, checkpoint_dir=tmp_path)
    assert seen[0] == "policy 1"
    assert len(list(tmp_path.glob("column-*.npz"))) == len(set(seen)) - 1
    found = sparing.solve_with_goals(problem, checkpoint_dir=tmp_path)
    assert (found.lower, found.upper) == (whole.lower, whole.upper)
    assert (found.probability, found.num_rounds) == (whole.probability, whole.num_rounds)
    for one, other in zip(found.solutions, whole.solutions, strict=True):
        np.testing.assert_array_equal(one.posts[0], other.posts[0])
    assert not any(tmp_path.iterdir())


def test_only_long_run_averages_can_be_limited():
    problem = sparing.load("three-component")
    with pytest.raises(ValueError, match="no goal has a hard limit"):
        sparing.solve_with_goals(problem)
    goals = {"cost": sparing.Goal(at_most=300.0)}
    discounted = replace(problem, goals=goals, criterion="discounted", discount=0.9)
    with pytest.raises(ValueError, match="the criterion must be 'average'"):
        sparing.solve_with_goals(discounted)


# --- the front --------------------------------------------------------------------------------


def all_policies(full, first, second):
    """Return both averages [policies, 2] of every deterministic policy."""
    size = full.mdp.transition.shape[1]
    choices = [np.flatnonzero(full.mdp.owner == state) for state in range(size)]
    points = []
    for pairs in product(*choices):
        taken = np.array(pairs)
        limit = limiting_matrix(full.mdp.transition[taken])[0]
        points.append((limit @ first[taken], limit @ second[taken]))
    return np.array(points)


@settings(max_examples=12)
@given(seed=SEEDS)
def test_the_front_is_the_lower_hull_of_all_deterministic_policies(seed):
    rng = np.random.default_rng(seed)
    while True:  # few enough to list
        problem = mixing_problem(rng, max_states=4, result="chosen")
        full = listed(problem)
        counts = np.bincount(full.mdp.owner)
        if np.prod(counts.astype(float)) <= 400:
            break
    first, second = full.objective(COST), full.objective({"reliability": -1.0})
    every = all_policies(full, first, second)
    front = trade_off_front(problem.epoch, COST, {"reliability": -1.0}, tol=1e-7, num_threads=1)
    points = np.array([(p.first, p.second) for p in front])
    assert (np.diff(points[:, 0]) > 0).all()
    assert (np.diff(points[:, 1]) < 0).all()
    for point in points:  # each is one of the policies
        assert np.abs(every - point).max(axis=1).min() < 1e-5
    for weight in np.linspace(0.0, 1.0, 201):  # and none is missed
        price = np.array([weight, 1.0 - weight])
        assert (points @ price).min() <= (every @ price).min() + 2e-5 * (1 + every[:, 0].max())


def test_the_front_of_the_three_components_runs_between_its_optima():
    problem = sparing.load("three-component")
    points = sparing.front(problem)
    assert points[0].first == pytest.approx(200.437, abs=6e-4)
    assert -points[-1].second == pytest.approx(0.9300, abs=6e-5)
    full = listed(problem)
    for point in points:
        weights = {**dict.fromkeys(COST_KINDS, point.weight), "reliability": -(1 - point.weight)}
        exact = occupation_lp(full, full.objective(weights))
        assert point.weight * point.first + (1 - point.weight) * point.second == pytest.approx(
            exact, abs=1e-5
        )
