"""Rules for hidden degradation: exact figures of the five-component benchmark, simulation."""

from pathlib import Path

import numpy as np
import pytest
import sparing
from sparing.beliefs.component_baselines import (
    baselines,
    inspected,
    left_alone,
    repaired_at_intervals,
    repaired_blindly,
    replaced_at_failure,
    revealed_bound,
    total_cost,
)
from sparing.models.case_files import table_of_problem

DATA = Path(__file__).parents[1] / "data"
ONE, ALL = "hidden-1-of-5", "hidden-5-of-5"


def cost_of(problem, course, *arguments):
    return total_cost(problem, [course(problem, c, *arguments) for c in problem.components])


@pytest.mark.parametrize(("case", "cost"), [(ONE, 1499.76), (ALL, 23888.52)])
def test_replacing_all_at_failure(case, cost):
    """Exact; Bhustali et al. (2026) print 1503.9 +- 4.3 and 23825.1 +- 50.3."""
    assert cost_of(sparing.load(case), replaced_at_failure) == pytest.approx(cost, abs=5e-3)


def test_published_periodic_rule():
    """Exact; printed as 19728.42 +- 48.7: every 5 periods, repairs with probability 2/3."""
    found = cost_of(sparing.load(ALL), repaired_blindly, 5, 2 / 3)
    assert found == pytest.approx(19739.77, abs=5e-3)


def test_genuine_periodic_inspection():
    """Inspect every 3 periods, repair from observation 1 on: 15188 +- 18 by simulation."""
    found = cost_of(sparing.load(ALL), inspected, 3, 1)
    assert found == pytest.approx(15188, abs=18)
    assert found == pytest.approx(15173.274, abs=1e-3)  # as evaluated here
    redundant = cost_of(sparing.load(ONE), inspected, 14, 2)  # 2415 by simulation
    assert redundant == pytest.approx(2413.423, abs=1e-3)


def test_static_rules():
    """Repair c1 and c3 alone, at failure; or all at failure and every 2, 2, 2, 5, 10 periods."""
    one, all_needed = sparing.load(ONE), sparing.load(ALL)
    kept = ("c1", "c3")
    courses = [
        repaired_at_intervals(one, c, 0) if c.name in kept else left_alone(one, c)
        for c in one.components
    ]
    assert total_cost(one, courses) == pytest.approx(297.53, abs=5e-3)
    courses = [
        repaired_at_intervals(all_needed, c, interval)
        for c, interval in zip(all_needed.components, (2, 2, 2, 5, 10), strict=True)
    ]
    assert total_cost(all_needed, courses) == pytest.approx(13278.95, abs=5e-3)


@pytest.mark.parametrize(("case", "bound"), [(ONE, 120.8), (ALL, 5443)])
def test_bound_of_states_revealed_every_period(case, bound):
    assert revealed_bound(sparing.load(case)) == pytest.approx(bound, rel=5e-4)


@pytest.mark.parametrize("case", [ONE, ALL])
def test_tuned_rules_are_no_worse_than_the_ones_known(case):
    known = {
        ONE: {"repair some at failure": 301.37, "repair at intervals": 297.54},
        ALL: {"inspect, then repair": 15206, "repair at intervals": 13278.96},
    }
    found = {rule.rule: rule.cost for rule in baselines(sparing.load(case))}
    for rule, cost in known[case].items():
        assert found[rule] <= cost
    assert found["repair some at failure"] <= found["repair at failure"]


def test_inspection_rule_agrees_with_a_simulation():
    """Each component step by step, states hidden from the rule."""
    problem = sparing.load("hidden-1-of-5")
    component, interval, limit, runs = problem.components[1], 4, 2, 20_000
    rng = np.random.default_rng(1)
    state, due = np.zeros(runs, dtype=int), np.zeros(runs, dtype=bool)
    cost = np.zeros(runs)
    for period in range(problem.periods):
        taken = due | (state == 3)
        looks = ~taken & (period > 0 and period % interval == 0)
        cost += problem.discount**period * (90.0 * taken + 40.0 * looks)
        state = np.where(taken & (rng.random(runs) < component.repair_success), 0, state)
        state = (rng.random((runs, 1)) > component.transition[state].cumsum(axis=1)).sum(axis=1)
        seen = (rng.random((runs, 1)) > component.observation[state].cumsum(axis=1)).sum(axis=1)
        due = looks & (seen >= limit) & (state < 3)
    expected = inspected(problem, component, interval, limit).cost
    assert abs(cost.mean() - expected) <= 4 * cost.std() / np.sqrt(runs)


def test_rules_of_an_infinite_horizon():
    """Repair at failure for ever: v0 = g p (d + r) / (1 - g) for two states."""
    g, p, r, d = 0.9, 0.3, 10.0, 100.0
    component = sparing.HiddenComponent(name="a", transition=[[1 - p, p], [0, 1]], repair_cost=r)
    problem = sparing.HiddenProblem(
        components=(component,), structure="a", downtime_cost=d, discount=g
    )
    expected = g * p * (d + r) / (1 - g)
    assert cost_of(problem, replaced_at_failure) == pytest.approx(expected, rel=1e-9)
    assert min(rule.cost for rule in baselines(problem)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("required", [1, 5])
def test_built_in_cases_hold_the_published_numbers(required):
    published = sparing.load(DATA / f"known_hidden_{required}_of_5.toml")
    case = sparing.load(f"hidden-{required}-of-5")
    assert table_of_problem(case) == table_of_problem(published)
