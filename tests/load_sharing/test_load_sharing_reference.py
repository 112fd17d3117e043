"""Random small systems against their definition: four ways to the same gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sparing
from random_load_sharing import random_problem
from reference_load_sharing import reference_of
from sparing.evaluate.load_sharing_actions import actions
from sparing.evaluate.rule_search import rules_of
from sparing.exact.explicit_chain import ExplicitChain
from sparing.exact.options import Options
from sparing.exact.semi_markov import solve_semi_markov
from sparing.exact.semi_markov_evaluation import evaluate_semi_markov

SEEDS = range(40)


def solved(system, tol=1e-9):
    return solve_semi_markov(
        system.epoch, system.weights, error=system.error, options=Options(tol=tol)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_optimum_is_that_of_policy_iteration(seed):
    system = random_problem(seed).system()
    reference = reference_of(system)
    gain, _ = reference.optimal_gain()
    found = solved(system)
    assert found.converged
    assert found.lower - 1e-9 <= gain <= found.upper + 1e-9
    assert found.upper - found.lower <= 1e-9
    done = actions(system, found.policy.stages[0])  # the greedy policy, by the reference's costs

    def decide(state):
        entry = done.describe(system.state(list(state[0]), *state[1:]))
        return tuple(entry["replace_by_condition"][1:]), entry["order"]

    assert reference.gain_of(decide) == pytest.approx(gain, abs=1e-7)


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_schweitzers_transformation_and_a_linear_programme_agree(seed):
    system = random_problem(seed, capacity=1).system()
    reference = reference_of(system)
    found = solved(system)
    lower, upper = reference.schweitzer_bounds()
    assert lower - 1e-7 <= found.objective <= upper + 1e-7
    assert upper - lower < 1e-3
    assert reference.linear_programme() == pytest.approx(found.objective, abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_bounds_hold_however_early_the_solve_stops(seed):
    """Also from a bad guess; they are bounds for any gain and any values."""
    system = random_problem(seed).system()
    known = solved(system)
    for max_sweeps in (1, 2, 3, 5, 8, 13, 40):
        for guess in (0.0, -50.0, 3.0 * known.objective + 1.0):
            early = solve_semi_markov(
                system.epoch,
                system.weights,
                guess=guess,
                error=system.error,
                options=Options(tol=1e-12, max_sweeps=max_sweeps),
            )
            assert early.lower <= known.upper
            assert early.upper >= known.lower


@pytest.mark.parametrize("seed", range(8))
def test_rules_are_evaluated_as_by_their_definition(seed):
    """Linear equations on the reached states, sweeps, and the reference's own chain."""
    system = random_problem(seed, replacement="worst-first", capacity=2).system()
    chain, reference = ExplicitChain.of(system.epoch, error=system.error), reference_of(system)
    rng = np.random.default_rng(seed)
    for position in ("plain", "demand-aware"):
        rules = list(rules_of(system, position, opportunistic=False))
        for rule in rng.choice(np.array(rules, dtype=object), 3, replace=False):
            policy = rule.policy(system)
            found = chain.gain(policy.stages[0], system.weights)
            swept = evaluate_semi_markov(
                system.epoch, policy, {"cost": system.weights}, error=system.error
            )["cost"]
            assert found.lower - 1e-9 <= swept.value <= found.upper + 1e-9
            done = actions(system, policy.stages[0])

            def decide(state, done=done):
                entry = done.describe(system.state(list(state[0]), *state[1:]))
                return tuple(entry["replace_by_condition"][1:]), entry["order"]

            assert reference.gain_of(decide) == pytest.approx(found.value, abs=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_what_must_be(seed):
    """More freedom costs no more; prices scale the gain; a dearer position adds itself."""
    problem = random_problem(seed, replacement="worst-first", capacity=1)
    base = solved(problem.system()).objective
    assert solved(replace(problem, replacement="any").system()).objective <= base + 1e-9
    assert solved(replace(problem, capacity=2).system()).objective <= base + 1e-9
    cost = replace(problem.cost, position=problem.cost.position + 1.0)
    dearer = solved(replace(problem, cost=cost).system()).objective
    assert dearer == pytest.approx(base + problem.positions[0], abs=1e-8)
    doubled = {name: 2.0 * value for name, value in vars(problem.cost).items()}
    twice = replace(problem, cost=sparing.LoadSharingCosts(**doubled))
    assert solved(twice.system()).objective == pytest.approx(2.0 * base, abs=1e-8)


def test_units_of_time_do_not_matter():
    """Months or days: rates, interval and costs per unit of time change, the policy does not."""
    problem, days = random_problem(3, capacity=2), 30.0
    cost = problem.cost
    per_day = {name: getattr(cost, name) / days for name in ("downtime", "holding", "position")}
    other = replace(
        problem,
        inspection_interval=problem.inspection_interval[0] * days,
        rates=problem.rates / days,
        delivery_rate=problem.delivery_rate / days,
        cost=replace(cost, **per_day),
    )
    found, same = solved(problem.system()), solved(other.system(), tol=1e-11)
    assert same.objective * days == pytest.approx(found.objective, abs=1e-8)
    assert (found.posts[0] == same.posts[0]).all()


def test_without_emergency_supply_the_system_waits():
    problem = random_problem(
        4, capacity=2, cost=replace(random_problem(4).cost, emergency_unit=np.inf)
    )
    system = problem.system()
    found = solved(system)
    dear = replace(problem, cost=replace(problem.cost, emergency_unit=1e6))
    assert found.objective == pytest.approx(solved(dear.system()).objective, abs=1e-7)
    measured = sparing.evaluate(system, found.policy)
    assert measured["emergency_rate"].upper == 0.0
    assert measured["unavailability"].value > 0.0
    rule = sparing.ThresholdRule(replace_at=1, join_at=1, reorder_at=1, order_up_to=2)
    assert sparing.evaluate(system, rule.policy(system))["emergency_rate"].upper == 0.0
