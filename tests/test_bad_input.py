"""Broken case files and calls: each is refused with the place, the rule and the value."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import sparing
from sparing.exact import engine
from sparing.exact.value_iteration import Options
from sparing.models.case_files import CaseError
from sparing.models.maintenance_policies import control_limits, corrective
from sparing.models.multi_component import Component, Goal, MultiComponentProblem

INF, NAN = np.inf, np.nan

CASE = """
[system]
kind = "multi-component"
structure = "c1 & c2"
setup_cost = 20.0
downtime_cost = 500.0

[[component]]
name = "c1"
transition = [[0.5, 0.4, 0.1], [0, 0.5, 0.5], [0, 0, 1]]
maintenance_cost = [[0, 0, 0], [30, 0, 0], [80, inf, inf]]

[[component]]
name = "c2"
transition = [[0.7, 0.3], [0, 1]]
maintenance_cost = [[0, 0], [40, 0]]

[objective]
criterion = "average"
reliability = { weight = 1.0, goal = 0.5 }
"""
ROW = "[0.5, 0.4, 0.1]"  # of c1, state 0
COSTS = "[30, 0, 0]"  # of c1, state 1

# what to replace in the file, by what, and the message
FILES = {
    # numbers
    "row sum": (ROW, "[0.5, 0.4, 0.2]", "component 'c1': transition: row 0 sums to 1.1, not 1."),
    "row sum a little off": (ROW, "[0.5, 0.4, 0.1001]", "row 0 sums to 1.0001, not 1."),
    "probability below 0": (ROW, "[1.5, -0.5, 0]", "entry [0, 1] must be a probability; got -0.5"),
    "probability NaN": (ROW, "[0.5, nan, 0.5]", "entry [0, 1] must be a probability; got nan"),
    "probability inf": (ROW, "[inf, 0, 0]", "row 0 sums to inf, not 1"),
    "probability a text": (ROW, "['x', 0, 1]", "transition[0][0] must be a number; got 'x'"),
    "probability true": (ROW, "[true, 0, 0]", "transition[0][0] must be a number; got True"),
    "cost below 0": (
        COSTS,
        "[-30, 0, 0]",
        "component 'c1': maintenance_cost[1, 0] must be at least 0 (or inf); got -30",
    ),
    "cost NaN": (COSTS, "[nan, 0, 0]", "maintenance_cost[1, 0] must be at least 0 (or inf)"),
    "nothing can be done": (
        COSTS,
        "[inf, inf, 0]",
        "component 'c1': state 1 allows no action: row 1 of maintenance_cost is inf",
    ),
    "set-up cost below 0": ("= 20.0", "= -1", "setup_cost must be at least 0; got -1"),
    "set-up cost inf": ("= 20.0", "= inf", "[system] setup_cost must be finite; got inf"),
    "downtime cost NaN": ("= 500.0", "= nan", "[system] downtime_cost must be finite; got nan"),
    "downtime cost a text": ("= 500.0", "= '5'", "downtime_cost must be a number; got '5'"),
    # shapes
    "ragged rows": (ROW, "[0.5, 0.5]", "the rows of transition differ in length: [2, 3]"),
    "not square": (
        "[[0.7, 0.3], [0, 1]]",
        "[[0.7, 0.3]]",
        "component 'c2': transition must be square with 2 states or more; got shape (1, 2)",
    ),
    "one state": (
        "[[0.7, 0.3], [0, 1]]",
        "[[1]]",
        "transition must be square with 2 states or more; got shape (1, 1)",
    ),
    "costs of another size": (
        "[[0, 0], [40, 0]]",
        "[[0, 0, 0], [40, 0, 0], [50, 0, 0]]",
        "component 'c2': maintenance_cost must have shape (2, 2); got (3, 3)",
    ),
    "one row only": ("[[0.7, 0.3], [0, 1]]", "[0.7, 0.3]", "transition must be a list of one row"),
    "no row": ("[[0.7, 0.3], [0, 1]]", "[]", "transition must be a list of one row or more"),
    # keys
    "no system": ("[system]", "[sistem]", "[system] is missing"),
    "no kind": ('kind = "multi-component"', "", "[system] kind must be one of"),
    "unknown kind": ("multi-component", "pump", "kind must be one of ['multi-component'"),
    "kind a list": ('"multi-component"', '["multi-component"]', "kind must be one of"),
    "no structure": ('structure = "c1 & c2"', "", "[system]: structure is missing"),
    "unknown key": ("setup_cost", "setup_costs", "[system]: unknown key 'setup_costs'; known:"),
    "unknown section": ("[objective]", "[goals]", "the file: unknown key 'goals'; known:"),
    "unknown key of a unit": ("maintenance_cost", "cost", "component 'c1': unknown key 'cost'"),
    "no transition": ("transition = [[0.7, 0.3], [0, 1]]", "", "c2': transition is missing"),
    "no name": ('name = "c1"', "", "[[component]] number 1: name is missing"),
    "name a number": ('name = "c1"', "name = 1", "number 1: name must be a text; got 1"),
    "a unit twice": ('name = "c2"', 'name = "c1"', "component 'c1' is defined twice"),
    "components a table": ('[[component]]\nname = "c1"', "[component.c1]", "not valid TOML"),
    # structure
    "unknown unit": ("c1 & c2", "c1 & c3", "unknown component 'c3'; components: c1, c2"),
    "structure ends early": ("c1 & c2", "c1 & ", "at position 5, found 'the end'"),
    "structure a list": ('"c1 & c2"', '["c1"]', "[system]: structure must be a text; got ['c1']"),
    # options of the system
    "unknown result": (
        "setup_cost = 20.0",
        'result = "normal"',
        "result must be 'chosen' or 'uniform'; got 'normal'",
    ),
    "flag a number": (
        "setup_cost = 20.0",
        "restore_when_down = 1",
        "[system]: restore_when_down must be true or false; got 1",
    ),
    "restored by chance": (
        "setup_cost = 20.0",
        'restore_when_down = true\nresult = "uniform"',
        "restore_when_down needs result = 'chosen'; got 'uniform'",
    ),
    "a random result of cost inf": (
        CASE,
        CASE.replace("setup_cost = 20.0", 'result = "uniform"').replace(COSTS, "[inf, 0, 0]"),
        "maintenance in state 1 may reach state 0, whose maintenance_cost is inf",
    ),
    "criteria of a taken name": (
        "maintenance_cost = [[0, 0], [40, 0]]",
        "maintenance_cost = [[0, 0], [40, 0]]\ncriteria = { maintenance = [[0, 0], [1, 0]] }",
        "component 'c2': criteria.maintenance must have another name; 'maintenance' is taken",
    ),
    "criteria not a table": (
        "maintenance_cost = [[0, 0], [40, 0]]",
        "maintenance_cost = [[0, 0], [40, 0]]\ncriteria = 3",
        "component 'c2': criteria must be a table of matrices",
    ),
    "criteria of another size": (
        "maintenance_cost = [[0, 0], [40, 0]]",
        "maintenance_cost = [[0, 0], [40, 0]]\ncriteria = { exposure = [[0]] }",
        "component 'c2': criteria.exposure must have shape (2, 2); got (1, 1)",
    ),
    "criteria inf": (
        "maintenance_cost = [[0, 0], [40, 0]]",
        "maintenance_cost = [[0, 0], [40, 0]]\ncriteria = { exposure = [[0, 0], [inf, 0]] }",
        "criteria.exposure[1, 0] must be finite; got inf",
    ),
    # objective
    "unknown criterion": ('"average"', '"total"', "criterion must be 'average' or 'discounted'"),
    "no discount": ('"average"', '"discounted"', "[objective] discount is missing"),
    "discount 1": ('"average"', '"discounted"\ndiscount = 1', "above 0 and below 1"),
    "discount 0": ('"average"', '"discounted"\ndiscount = 0', "discount must be above 0"),
    "discount NaN": ('"average"', '"discounted"\ndiscount = nan', "discount must be finite"),
    "discount a text": (
        '"average"',
        '"discounted"\ndiscount = "0.9"',
        "must be a number; got '0.9'",
    ),
    "discount of an average": (
        '"average"',
        '"average"\ndiscount = 0.9',
        "an average objective has no discount; got 0.9. Use criterion = 'discounted' for one.",
    ),
    "unknown measure": (
        "reliability =",
        "relibility =",
        "objective: unknown measure 'relibility'; known: ['cost', 'downtime'",
    ),
    "goal not a table": (
        "{ weight = 1.0, goal = 0.5 }",
        "0.5",
        "[objective] reliability must be a table such as { weight = 1.0, goal = 0.5 }",
    ),
    "unknown key of a goal": (
        "goal = 0.5",
        "gaol = 0.5",
        "reliability: unknown key 'gaol'; known:",
    ),
    "weight below 0": ("weight = 1.0", "weight = -1", "reliability: weight must be at least 0"),
    "scale 0": ("goal = 0.5", "scale = 0", "[objective] reliability: scale must be > 0; got 0"),
    "goal NaN": ("goal = 0.5", "goal = nan", "reliability: goal must be finite; got nan"),
    "limits that cross": (
        "goal = 0.5",
        "at_least = 0.9, at_most = 0.8",
        "reliability: at_least must not be above at_most; got 0.9 and 0.8",
    ),
    # TOML itself
    "not TOML": ("[system]", "[system", "is not valid TOML: "),
    "a key twice": ("setup_cost = 20.0", "kind = 'x'", "is not valid TOML: "),
}


@pytest.mark.parametrize("broken", FILES.values(), ids=FILES.keys())
def test_a_broken_case_file_is_refused_by_name(tmp_path, broken):
    old, new, message = broken
    assert old in CASE
    file = tmp_path / "pumps.toml"
    file.write_text(CASE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CaseError, match=re.escape(message)) as caught:
        sparing.load(file)
    assert str(caught.value).startswith(f"{file}: ")


def test_the_whole_case_file_is_fine(tmp_path):
    (tmp_path / "pumps.toml").write_text(CASE)
    assert sparing.load(tmp_path / "pumps.toml").num_states == 6


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(CaseError, match=r"no such file or built-in case; built in: .*three-comp"):
        sparing.load(tmp_path / "nowhere.toml")
    with pytest.raises(CaseError, match=r"cannot be read: .*directory"):
        sparing.load(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CaseError, match=r"binary\.toml: cannot be read: .*utf-8"):
        sparing.load(binary)
    empty = tmp_path / "empty.toml"
    empty.touch()
    with pytest.raises(CaseError, match=r"empty\.toml: \[system\] is missing"):
        sparing.load(empty)
    with pytest.raises(CaseError, match="no such file"):
        sparing.load("a" * 50)


UNIT = {
    "name": "c",
    "transition": [[0.5, 0.5], [0.0, 1.0]],
    "maintenance_cost": [[0.0, 0.0], [1.0, 0.0]],
}
PROBLEM = {"components": [Component(**UNIT)], "structure": "c"}


def problem(**fields):
    return MultiComponentProblem(**{**PROBLEM, **fields})


THREE = sparing.load("three-component")
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


def large(units):
    wear = np.triu(np.ones((10, 10))) / np.arange(10, 0, -1)[:, None]
    cost = np.tril(np.ones((10, 10)), -1)
    components = [
        Component(name=f"u{i}", transition=wear, maintenance_cost=cost) for i in range(units)
    ]
    return problem(components=components, structure=" & ".join(f"u{i}" for i in range(units)))


@pytest.mark.parametrize("path", ["auto", "general"])
def test_what_will_not_fit_into_memory_is_told_beforehand(path):
    """10^13 states: with the size that it would need and what is there."""
    with pytest.raises(MemoryError, match=r"10,000,000,000,000 states needs about \d+\.\d GiB;"):
        sparing.solve(large(13), path=path)


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
