"""The three-component case: its exact answers (Jimenez Gonzalez 2021, recomputed independently)."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import sparing
from random_systems import listed
from reference_solve import limiting_matrix, optimal_gain, optimal_value
from sparing.evaluate.control_limit_search import best_control_limits
from sparing.models.maintenance_policies import control_limits, corrective, random_maintenance

RESTORED = Path(__file__).parents[1] / "data" / "three-component-2-restored.toml"
CASES = {1: "three-component", 2: "three-component-2", "restored": RESTORED}


def case(scenario, **changes):
    return replace(sparing.load(CASES[scenario]), **changes)


# scenario, objective (minus the reward, or plain cost), cost, reliability
OPTIMA = {
    "reward, scenario 1": (case(1), -1.45404, 202.981, 0.9300),
    "reward, scenario 2": (case(2), -1.52032, 169.840, 0.9300),
    "reward, restored when down": (case("restored"), -1.50911, 175.444, 0.9300),
    "cost, scenario 1": (case(1, goals={}), 200.437, 200.437, 0.9115),
    "cost, scenario 2": (case(2, goals={}), 169.840, 169.840, 0.9300),
    "restricted, scenario 1": (
        sparing.load("three-component-restricted"),
        222.255,
        222.255,
        0.8600,
    ),
    "restricted, scenario 2": (
        sparing.load("three-component-restricted-2"),
        208.675,
        208.675,
        0.8657,
    ),
}


@pytest.mark.parametrize("known", OPTIMA.values(), ids=OPTIMA.keys())
def test_the_optimum_is_the_known_one(known):
    """To the digits printed, and to 1e-6 by policy iteration over all states and actions."""
    problem, objective, cost, reliability = known
    solution = sparing.solve(problem, tol=1e-9)
    gain, pairs = optimal_gain(listed(problem).mdp)
    assert solution.converged
    assert solution.lower - 1e-9 <= gain[0] <= solution.upper + 1e-9
    assert solution.objective == pytest.approx(gain[0], abs=1e-6)
    assert solution.objective == pytest.approx(objective, abs=6e-6 * max(1, abs(objective)))
    found = sparing.evaluate(problem, solution.policy)
    assert found["cost_rate"].value == pytest.approx(cost, abs=6e-4)
    assert found["reliability"].value == pytest.approx(reliability, abs=6e-5)
    assert found["unavailability"].value == pytest.approx(1.0 - reliability, abs=6e-5)
    assert found["objective"].value == pytest.approx(solution.objective, abs=1e-7)
    assert pairs.size == problem.num_states


DISCOUNTED = [
    (case(1), -29.521741),
    (case(2), -30.746080),
    (case(1, goals={}), 3775.285471),
    (case(2, goals={}), 3225.250961),
]


@pytest.mark.parametrize(("problem", "value"), DISCOUNTED)
def test_the_discounted_optimum_is_the_known_one(problem, value):
    solution = sparing.solve(problem, discount=0.95, tol=1e-8)
    assert solution.objective == pytest.approx(value, abs=1e-6)
    exact, _ = optimal_value(listed(replace(problem, criterion="discounted", discount=0.95)).mdp)
    np.testing.assert_allclose(solution.value.ravel(), exact, rtol=0, atol=1e-6)


# the policy, the scenario, reward, cost and reliability
RUN_BY = {
    "corrective 1": (1, corrective, {}, 0.7004, 287.339, 0.6375),
    "random 1": (1, random_maintenance, {}, 1.0512, 261.090, 0.7867),
    "corrective 2": (2, corrective, {"replacement_probability": 0.5}, 0.5964, 299.784, 0.5980),
    "random 2": (2, random_maintenance, {"replacement_probability": 0.5}, 0.9750, 268.244, 0.7557),
    "limits 1": (1, control_limits, {"limits": (2, 3, 2)}, 1.0438, 246.332, 0.7682),
    "limits 2": (
        2,
        control_limits,
        {"limits": (2, 3, 2), "replacement_probability": 0.5},
        0.9541,
        256.445,
        0.7335,
    ),
    "best limits 1": (1, control_limits, {"limits": (1, 3, 1)}, None, 226.515, 0.8714),
    "best limits 2": (
        2,
        control_limits,
        {"limits": (1, 3, 1), "replacement_probability": 0.5},
        None,
        230.357,
        0.8483,
    ),
}


@pytest.mark.parametrize("known", RUN_BY.values(), ids=RUN_BY.keys())
def test_the_usual_policies_have_their_known_measures(known):
    """To the digits printed, and to 1e-6 by a linear solve of the chain they make."""
    scenario, make, options, reward, cost, reliability = known
    problem = case(scenario)
    policy = make(problem, **options)
    found = sparing.evaluate(problem, policy)
    if reward is not None:
        assert -found["objective"].value == pytest.approx(reward, abs=6e-5)
    assert found["cost_rate"].value == pytest.approx(cost, abs=6e-4)
    assert found["reliability"].value == pytest.approx(reliability, abs=6e-5)
    full = listed(problem)
    chain, share = chain_of(full, policy.stages[0].toarray())
    paid = full.kinds["maintenance"] + full.kinds["set-up"] + full.kinds["downtime"]
    for name, per_pair in {"cost_rate": paid, "reliability": full.kinds["reliability"]}.items():
        exact = (limiting_matrix(chain) @ (share @ per_pair))[0]
        assert found[name].value == pytest.approx(exact, abs=1e-6)
        assert found[name].lower - 1e-9 <= exact <= found[name].upper + 1e-9


def chain_of(full, matrix):
    """Return the chain [states, states] under `matrix` and the share of each pair per state."""
    share = np.zeros((len(matrix), full.mdp.owner.size))
    for pair, (state, row) in enumerate(zip(full.mdp.owner, full.results, strict=True)):
        share[state, pair] = matrix[state, np.argmax(row)]
    assert share.sum(axis=1) == pytest.approx(np.ones(len(matrix)))
    return share @ full.mdp.transition, share


@pytest.mark.parametrize(("scenario", "probability"), [(1, 1.0), (2, 0.5)])
def test_the_best_control_limits_are_found(scenario, probability):
    problem = case(scenario, goals={})
    best = best_control_limits(problem, replacement_probability=probability)
    assert best.limits == (1, 3, 1)
    assert (best.num_evaluated, best.exhaustive) == (27, True)
    assert best.objective.value == pytest.approx({1: 226.515, 2: 230.357}[scenario], abs=6e-4)


def test_control_limits_descend_where_they_are_many(monkeypatch):
    """One limit after another, from "only when failed"; here it finds the same."""
    module = import_module("sparing.evaluate.control_limit_search")
    monkeypatch.setattr(module, "EXHAUSTIVE", 26)
    best = best_control_limits(case(1, goals={}))
    assert (best.limits, best.exhaustive) == ((1, 3, 1), False)
    assert best.num_evaluated < 27


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("three-component-restricted", 222.255),
        ("three-component-restricted-2", 208.675),
        ("three-component-2", 169.840),
    ],
)
def test_no_order_of_the_components_changes_the_optimum(name, cost):
    """A wrongly interleaved decision would fall to 220.498 and 201.374 with c3 before c2."""
    problem = replace(sparing.load(name), goals={})
    for order in permutations(problem.components):
        found = sparing.solve(replace(problem, components=order), tol=1e-8)
        assert found.objective == pytest.approx(cost, abs=6e-4)
