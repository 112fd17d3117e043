"""Answers known from outside: enumerated belief trees, and an infinite horizon in closed form."""

from pathlib import Path

import numpy as np
import pytest
import sparing
from reference_hidden import brute_force, random_problem
from sparing.models.hidden import HiddenComponent, HiddenProblem

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("case", "answer"),
    [("known_hidden_one", 224.8708224610), ("known_hidden_two", 182.8690475516)],
)
def test_enumerated_belief_trees(case, answer):
    found = sparing.solve(sparing.load(DATA / f"{case}.toml"), gap=1e-7, num_threads=1)
    assert found.converged
    assert found.lower == pytest.approx(answer, abs=1e-6)
    assert found.upper == pytest.approx(answer, abs=1e-6)
    assert found.lower <= found.upper


@pytest.mark.parametrize("seed", range(40))
def test_random_tiny_systems_are_bracketed(seed):
    """The optimum by enumeration lies between the bounds, after every round."""
    problem = random_problem(np.random.default_rng(seed))
    answer = brute_force(problem)
    found = sparing.solve(problem, gap=1e-6, time_s=20.0, num_threads=1, episodes=20)
    rounding = 1e-9 * max(1.0, answer)
    for done in found.rounds:
        assert done.lower <= answer + rounding
    assert found.cost.num_episodes == 0  # exact, so that it is a bound and not an estimate
    assert found.cost.mean >= answer - rounding
    assert found.upper - found.lower <= 1e-4 * max(1.0, answer)


def test_first_rounds_bracket_too():
    """With hardly any points the bounds are apart, and still bounds."""
    apart = 0
    for seed in range(10):
        problem = random_problem(np.random.default_rng(100 + seed), num_components=1, periods=4)
        answer = brute_force(problem)
        found = sparing.solve(problem, gap=0.9, num_threads=1, episodes=20)
        assert found.lower <= answer * (1 + 1e-9) + 1e-9
        assert found.cost.mean >= answer * (1 - 1e-9) - 1e-9
        apart += found.upper - found.lower > 1e-9
    assert apart > 0


def test_run_to_failure_for_ever_has_its_closed_form_cost():
    """A unit fails with chance p a period and is then down (d) and repaired (r) for sure.

    With two states nothing is hidden: v0 = g (p v1 + (1 - p) v0) and, as the repair comes before
    the wear, v1 = d + r + v0, so v0 = g p (d + r) / (1 - g).
    """
    g, p, r, d = 0.95, 0.2, 10.0, 100.0
    component = HiddenComponent(name="a", transition=[[1 - p, p], [0, 1]], repair_cost=r)
    problem = HiddenProblem(components=(component,), structure="a", downtime_cost=d, discount=g)
    found = sparing.solve(problem, gap=1e-9, num_threads=1, time_s=2.0)
    expected = g * p * (d + r) / (1 - g)
    assert found.lower == pytest.approx(expected, rel=1e-6)
    assert found.cost.mean == pytest.approx(expected, rel=1e-6)


def test_an_infinite_horizon_is_the_limit_of_long_ones():
    """At discount 0.7, 60 periods are within 0.7**60 of all that may follow."""
    one = sparing.load(DATA / "known_hidden_one.toml")
    fields = {"components": one.components, "structure": "c1", "downtime_cost": 3000.0}
    long = sparing.solve(
        HiddenProblem(**fields, periods=60, discount=0.7), gap=1e-5, num_threads=1, time_s=20.0
    )
    infinite = sparing.solve(
        HiddenProblem(**fields, discount=0.7), gap=1e-4, num_threads=1, time_s=20.0
    )
    assert infinite.lower <= long.upper + 1e-4
    assert infinite.cost.mean + 2 * infinite.cost.half_width >= long.lower - 1e-4
    assert infinite.upper - infinite.lower <= 1e-3 * long.upper
