"""The lower bound, against exact optima and enumeration."""

from itertools import product

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from large_systems import chance_down, drawn_system, redundant
from sparing.large.coupling import Coupling
from sparing.large.crew_system import CrewSystem
from sparing.large.lumped_type import LumpedType, compositions
from sparing.large.type_bound import bound_refused, type_bound

SEEDS = st.integers(0, 2**32 - 1)


def middle(system):
    """Return counts [pairs] to begin with: all as good as new."""
    counts = np.zeros(system.num_pairs)
    counts[system.offsets[:-1]] = [len(members) for members in system.members]
    return counts


def test_compositions_are_all_ways_to_write_a_sum():
    expected = [c for c in product(range(5), repeat=3) if sum(c) == 4]
    assert compositions(4, 3).tolist() == [list(c) for c in expected]
    assert compositions(2, 1).tolist() == [[2]]


@given(SEEDS)
@settings(max_examples=10)
def test_wear_of_counts_is_that_of_the_components(seed):
    kind = CrewSystem(drawn_system(seed)).kinds[0]
    lumped = LumpedType(3, kind.transition, kind.maintenance_cost)
    number = {tuple(row): n for n, row in enumerate(lumped.states.tolist())}
    wear = np.zeros_like(lumped.wear)
    for row, counts in enumerate(lumped.states):
        start = np.repeat(np.arange(3), counts)
        for end in product(range(3), repeat=3):
            chance = np.prod(kind.transition[start, end])
            wear[row, number[tuple(np.bincount(end, minlength=3))]] += chance
    assert lumped.wear == pytest.approx(wear, abs=1e-14)
    works = np.cumsum(lumped.working[:, ::-1], axis=1)[:, ::-1]
    alive = 1.0 - kind.transition[:, 2]
    assert (lumped.working * np.arange(4)).sum(axis=1) == pytest.approx(lumped.states @ alive)
    assert works[:, 0] == pytest.approx(np.ones(len(works)))


@given(SEEDS)
@settings(max_examples=15)
def test_the_least_over_all_counts_is_that_of_enumeration(seed):
    problem = drawn_system(seed)
    system = CrewSystem(problem)
    held = np.random.default_rng(seed).normal(0.0, 40.0, system.num_pairs)
    expected = np.inf
    for parts in product(*(kind.states for kind in Coupling(system).types)):
        post = np.zeros(len(problem.components), dtype=np.int64)
        for members, counts in zip(system.members, parts, strict=True):
            post[members] = np.repeat(np.arange(3), counts)
        rent = held @ np.concatenate(parts)
        expected = min(expected, system.price * chance_down(problem, post) - rent)
    found, counts = Coupling(system).least(held)
    assert found[0] <= expected
    assert found[0] == pytest.approx(expected, abs=1e-3)
    assert (found >= found[0]).all()
    assert (counts.sum(axis=1) == len(problem.components)).all()


@given(SEEDS)
@settings(max_examples=12)
def test_no_optimum_is_below_the_bound(seed):
    problem = drawn_system(seed)
    system = CrewSystem(problem)
    bound = type_bound(system, start=middle(system), rounds=6)
    optimum = sparing.solve(problem, tol=1e-8)
    assert bound.lower <= optimum.upper + 1e-6
    assert bound.shares.sum() <= 1.0 + 1e-12


def test_of_one_component_the_bound_is_the_optimum():
    """Prices on its states can be any function of what is left, the chance of being down too."""
    problem = redundant(1, "c1", setup_cost=20.0, downtime_cost=300.0)
    system = CrewSystem(problem)
    bound = type_bound(system, start=middle(system), rounds=40, tol=1e-6)
    optimum = sparing.solve(problem, tol=1e-9)
    assert bound.lower == pytest.approx(optimum.lower, rel=2e-3)
    assert bound.lower <= optimum.upper


def test_ten_components_are_bounded_within_four_percent():
    problem = redundant(10, "7-of(ALL)")
    system = CrewSystem(problem)
    bound = type_bound(system, start=middle(system))
    assert 0.96 * 459.8196 < bound.lower < 459.8197


def test_where_there_is_no_bound_it_says_why():
    one = redundant(4, "2-of(ALL)", criterion="discounted", discount=0.9)
    assert "long-run averages" in str(bound_refused(CrewSystem(one)))
    many = redundant(100, "60-of(ALL)")
    system = CrewSystem(many)
    with pytest.raises(ValueError, match="no lower bound: there are too many combinations"):
        type_bound(system, start=middle(system))
