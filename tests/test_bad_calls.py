"""Wrong calls: each is refused with the place, the rule and the value."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sparing
from sparing.exact import engine
from sparing.exact.value_iteration import Options
from sparing.models.maintenance_policies import control_limits, corrective
from sparing.models.multi_component import Component, Goal, MultiComponentProblem

INF, NAN = np.inf, np.nan
UNIT = {
    "name": "c",
    "transition": [[0.5, 0.5], [0.0, 1.0]],
    "maintenance_cost": [[0.0, 0.0], [1.0, 0.0]],
}
PROBLEM = {"components": [Component(**UNIT)], "structure": "c"}


def problem(**fields):
    return MultiComponentProblem(**{**PROBLEM, **fields})


THREE = sparing.load("three-component")
SOLVED = sparing.solve(THREE)
SERIAL = sparing.load(Path(__file__).parent / "data" / "known_spares_serial.toml")


def simulated(**options):
    given = {"num_epochs": 2, "num_replications": 2, **options}
    return sparing.simulate(THREE, SOLVED.policy, **given)


CALLS = {
    "name not a text": (lambda: Component(**{**UNIT, "name": 3}), "name must be a text; got 3"),
    "wear not numbers": (
        lambda: Component(**{**UNIT, "transition": [["a", "b"], ["c", "d"]]}),
        "component 'c': transition must be an array of float64; got [['a', 'b'], ['c', 'd']]",
    ),
    "wear ragged": (
        lambda: Component(**{**UNIT, "transition": [[1.0], [0.5, 0.5]]}),
        "component 'c': transition must be an array of float64",
    ),
    "no components": (lambda: problem(components=[]), "needs at least one component"),
    "structure not a text": (lambda: problem(structure=None), "structure must be a text such as"),
    "discount a text": (
        lambda: problem(criterion="discounted", discount="0.9"),
        "discount must be above 0 and below 1 for a discounted objective; got '0.9'",
    ),
    "discount NaN": (lambda: problem(criterion="discounted", discount=NAN), "got nan"),
    "average with a discount": (lambda: problem(discount=0.9), "has no discount; got 0.9"),
    "goal of no kind": (lambda: problem(goals={"x": Goal()}), "unknown measure 'x'; known:"),
    "limit NaN": (lambda: Goal(at_least=NAN), "at_least must be finite; got nan"),
    "limit a text": (lambda: Goal(at_most="1"), "at_most must be a number; got '1'"),
    "scale below 0": (lambda: Goal(scale=-1.0), "scale must be > 0; got -1"),
    "weight inf": (lambda: Goal(weight=INF), "weight must be finite; got inf"),
    "no way out of the failed state": (
        lambda: problem(
            components=[Component(**{**UNIT, "maintenance_cost": [[0.0, 0.0], [INF, 0.0]]})],
            restore_when_down=True,
        ),
        "'c': restore_when_down needs a finite maintenance_cost out of its failed state 1",
    ),
    # solving
    "state out of range": (
        lambda: sparing.solve(THREE, initial=(0, 4, 0)),
        "state c2 = 4 is out of range; it must be an integer from 0 to 3",
    ),
    "state not whole": (lambda: sparing.solve(THREE, initial=(0, 0.5, 0)), "state c2 = 0.5 is out"),
    "too few coordinates": (
        lambda: sparing.solve(THREE, initial=(0, 0)),
        "a state has 3 numbers, one per axis ['c1', 'c2', 'c3']; got (0, 0)",
    ),
    "unknown criterion": (
        lambda: sparing.solve(THREE, criterion="total"),
        "criterion must be 'average' or 'discounted'; got 'total'",
    ),
    "discounted without one": (
        lambda: sparing.solve(THREE, criterion="discounted"),
        "discount must be above 0 and below 1 for a discounted objective; got 1.0",
    ),
    "discount of 1": (lambda: sparing.solve(THREE, discount=1.0), "above 0 and below 1"),
    "an epoch without a discount": (
        lambda: sparing.solve(THREE.epoch, criterion="discounted"),
        "a discounted solve needs a discount below 1; got 1.0",
    ),
    "an average with a discount": (
        lambda: sparing.solve(THREE.epoch, criterion="average", discount=0.9),
        "an average-cost solve needs discount 1; got 0.9",
    ),
    "unknown weight": (
        lambda: sparing.solve(THREE, weights={"repair": 1.0}),
        "weights: no cost of kind 'repair'; kinds: ['goal', 'downtime'",
    ),
    "weight NaN": (lambda: sparing.solve(THREE, weights={"downtime": NAN}), "must be finite"),
    "tol 0": (lambda: sparing.solve(THREE, tol=0.0), "tol must be > 0; got 0.0"),
    "tol NaN": (lambda: Options(tol=NAN), "tol must be > 0; got nan"),
    "no sweeps": (lambda: sparing.solve(THREE, max_sweeps=0), "max_sweeps must be at least 1"),
    "threads below 0": (lambda: sparing.solve(THREE, num_threads=-1), "must be at least 0; got -1"),
    "unknown precision": (
        lambda: sparing.solve(THREE, dtype="f2"),
        "dtype must be float64, float32",
    ),
    "sweeps not whole": (
        lambda: sparing.solve(THREE, max_sweeps=1.5),
        "max_sweeps must be a whole number; got 1.5",
    ),
    "threads a text": (
        lambda: sparing.solve(THREE, num_threads="2"),
        "num_threads must be a whole number; got '2'",
    ),
    "tol a text": (lambda: sparing.solve(THREE, tol="x"), "tol must be a number; got 'x'"),
    "a measure of no kind": (
        lambda: sparing.evaluate(THREE, SOLVED.policy, measures={"a": {"repair": 1.0}}),
        "measures: 'a' weighs a cost of kind 'repair'; kinds: ['goal', 'downtime'",
    ),
    "epochs not whole": (lambda: simulated(num_epochs=1.5), "1..2^32 - 1; got 1.5"),
    "seed a text": (lambda: simulated(seed="a"), "seed must be in 0..2^64 - 1; got 'a'"),
    # policies
    "too few limits": (lambda: control_limits(THREE, (1, 2)), "3 components need as many limits"),
    "limit of 0": (
        lambda: control_limits(THREE, (1, 0, 1)),
        "component 'c2': the limit must be in 1..3; got 0",
    ),
    "limit above": (lambda: control_limits(THREE, (1, 1, 4)), "must be in 1..3; got 4"),
    "unknown result of limits": (
        lambda: control_limits(THREE, (1, 1, 1), result="old"),
        "result must be 'uniform' or 'new'; got 'old'",
    ),
    "probability of replacement": (
        lambda: corrective(THREE, replacement_probability=1.5),
        "replacement_probability must be in [0, 1]; got 1.5",
    ),
    "rules for a chosen state": (
        lambda: corrective(sparing.load("three-component-restricted")),
        "needs a problem whose maintenance reaches a chosen state",
    ),
}


@pytest.mark.parametrize(("call", "message"), CALLS.values(), ids=CALLS.keys())
def test_a_wrong_call_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


WRONG_TYPES = {
    "a case's name": (
        lambda: sparing.solve("three-component"),
        "got 'three-component'; sparing.load gives the problem of a case or file",
    ),
    "nothing": (
        lambda: sparing.evaluate(None, SOLVED.policy),
        "the model must be a problem (Multi",
    ),
    "a solution for its policy": (
        lambda: sparing.evaluate(THREE, SOLVED),
        "the policy must be one; got a Solution; give its .policy",
    ),
    "a solution rolled out": (
        lambda: sparing.simulate(THREE, SOLVED, num_epochs=2, num_replications=2),
        "give its .policy",
    ),
    "a name for a policy": (
        lambda: sparing.simulate(THREE, "optimal", num_epochs=2, num_replications=2),
        "the policy must be one; got a str",
    ),
    "front of a network": (lambda: sparing.front(SERIAL), "must be a problem (MultiComponent"),
    "a table for a network": (
        lambda: sparing.evaluate(SERIAL, SOLVED.policy),
        "only a solution is evaluated exactly; got a TablePolicy",
    ),
    "a name for a network's policy": (
        lambda: sparing.simulate(SERIAL, "optimal", num_replications=2),
        "policy must be a solution or rules; got a str",
    ),
}


@pytest.mark.parametrize(("call", "message"), WRONG_TYPES.values(), ids=WRONG_TYPES.keys())
def test_a_wrong_type_is_told_as_such(call, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        call()


def large(units):
    wear = np.triu(np.ones((10, 10))) / np.arange(10, 0, -1)[:, None]
    cost = np.tril(np.ones((10, 10)), -1)
    components = [
        Component(name=f"u{i}", transition=wear, maintenance_cost=cost) for i in range(units)
    ]
    return problem(components=components, structure=" & ".join(f"u{i}" for i in range(units)))


@pytest.mark.parametrize("path", ["auto", "general"])
@pytest.mark.parametrize("units", [13, 20])
def test_what_will_not_fit_into_memory_is_told_beforehand(path, units):
    """10^13 states and more: with the size that it would need and what is there."""
    with pytest.raises(MemoryError, match=rf"{10**units:,} states needs about \d+\.\d GiB;"):
        sparing.solve(large(units), path=path)


def test_the_memory_that_is_free_decides(monkeypatch):
    monkeypatch.setattr(engine, "free_memory", lambda: 1000)
    with pytest.raises(MemoryError, match=r"a solve of 64 states needs about .* GiB are free"):
        sparing.solve(THREE)
    monkeypatch.setattr(engine, "free_memory", lambda: None)  # unknown: try
    assert sparing.solve(THREE).converged


def test_the_number_of_states_does_not_overflow():
    assert large(40).num_states == 10**40


def test_a_changed_problem_is_checked_again():
    with pytest.raises(ValueError, match="setup_cost must be at least 0"):
        replace(THREE, setup_cost=-1.0)
    with pytest.raises(TypeError):
        THREE.goals["cost"] = Goal()
    with pytest.raises(TypeError):
        THREE.components[0].criteria["x"] = 1
    with pytest.raises(ValueError, match="read-only"):
        THREE.components[0].transition[0, 0] = 2.0
