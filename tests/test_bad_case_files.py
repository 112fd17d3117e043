"""Broken case files: each is refused with the place, the rule and the value."""

from __future__ import annotations

import pytest
import sparing
from broken_cases import assert_refused
from sparing.models.case_files import CaseError

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
    "unknown kind": ("multi-component", "pump", "kind must be one of ['hidden-multi-component', "),
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
    assert_refused(tmp_path, CASE, broken)


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
