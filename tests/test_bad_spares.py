"""Broken [[spare]] tables: each is refused with the place, the rule and the value."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_cases import assert_refused

CASE = (Path(__file__).parent / "data" / "joint.toml").read_text(encoding="utf-8")
SEAL_USERS = 'used_by = ["c2", "c3"]'
LEAD = "lead_time = { shape = 2.0, scale = 0.8, longest = 2 }"
COST = "order_cost = { fixed = 10.0, unit = 25.0 }"

# what to replace in the file, by what, and the message
FILES = {
    # who uses what
    "unknown component": (
        SEAL_USERS,
        'used_by = ["c2", "c4"]',
        "spare 'seal': unknown component 'c4' in used_by; components: c1, c2, c3.",
    ),
    "component in two types": (
        SEAL_USERS,
        'used_by = ["c1", "c2"]',
        "component 'c1' uses two spares, 'rotor' and 'seal'; it can use one.",
    ),
    "component named twice": (
        SEAL_USERS,
        'used_by = ["c2", "c2"]',
        "spare 'seal': used_by names component 'c2' twice",
    ),
    "nobody uses it": (SEAL_USERS, "used_by = []", "'seal': used_by must be a list of one"),
    "used_by a text": (SEAL_USERS, 'used_by = "c2"', "must be a list of one component or more"),
    "used_by a number": (SEAL_USERS, "used_by = [2]", "used_by must hold names of components; got"),
    "no used_by": (SEAL_USERS, "", "spare 'seal': used_by is missing"),
    # names
    "no name": ('name = "rotor"', "", "[[spare]] number 1: name is missing"),
    "name a number": ('name = "rotor"', "name = 1", "a spare's name must be a text; got 1"),
    "name of a component": (
        'name = "rotor"',
        'name = "c2"',
        "spare 'c2' must have a name of its own; a component or another spare has it.",
    ),
    "a spare twice": ('name = "rotor"', 'name = "seal"', "spare 'seal' must have a name of its"),
    "unknown key": ("capacity = 2", "capacty = 2", "spare 'rotor': unknown key 'capacty'; known:"),
    "a single table": ('[[spare]]\nname = "rotor"', '[spare.x]\nname = "rotor"', "not valid TOML"),
    "one bracket": (
        CASE[CASE.index("[[spare]]") : CASE.index("[objective]")],
        "[spare]\nname = 'rotor'\n",
        "[[spare]] must be written with two brackets: a list of tables.",
    ),
    # stocks
    "no capacity": ("capacity = 2", "", "spare 'rotor': capacity is missing"),
    "capacity 0": (
        "capacity = 2",
        "capacity = 0",
        "spare 'rotor': capacity must be a whole number, at least 1; got 0.",
    ),
    "capacity a fraction": (
        "capacity = 2",
        "capacity = 2.5",
        "a whole number, at least 1; got 2.5",
    ),
    "capacity true": ("capacity = 2", "capacity = true", "at least 1; got True"),
    "initial below 0": (
        "initial = 1",
        "initial = -1",
        "initial must be a whole number, at least 0",
    ),
    "initial above the capacity": (
        "initial = 1",
        "initial = 3",
        "spare 'rotor': initial must be at most the capacity, 2; got 3.",
    ),
    "max_order 0": (
        "max_order = 2",
        "max_order = 0",
        "max_order must be a whole number, at least 1",
    ),
    "max_order above the capacity": (
        "max_order = 2",
        "max_order = 3",
        "spare 'rotor': max_order must be at most the capacity, 2; got 3.",
    ),
    # costs
    "holding cost below 0": (
        "holding_cost = 3.0",
        "holding_cost = -3.0",
        "spare 'rotor': holding_cost must be at least 0; got -3.",
    ),
    "holding cost NaN": ("holding_cost = 3.0", "holding_cost = nan", "must be finite; got nan"),
    "holding cost a text": (
        "holding_cost = 3.0",
        "holding_cost = '3'",
        "must be a number; got '3'",
    ),
    "fixed cost below 0": (
        COST,
        "order_cost = { fixed = -1 }",
        "spare 'rotor': order_cost.fixed must be at least 0; got -1",
    ),
    "unit cost inf": (
        COST,
        "order_cost = { unit = inf }",
        "spare 'rotor': order_cost.unit must be finite; got inf",
    ),
    "order cost a number": (COST, "order_cost = 10.0", "order_cost must be a table such as {"),
    "unknown key of the order cost": (COST, "order_cost = { fix = 1 }", "order_cost: unknown key"),
    "emergency cost below 0": (
        "= 60.0\n\n[obj",
        "= -60.0\n\n[obj",
        "emergency_cost must be at least",
    ),
    "emergency cost inf": (
        "emergency_cost = 60.0",
        "emergency_cost = inf",
        "spare 'seal': emergency_cost must be finite; got inf",
    ),
    # lead times
    "lead time below 0": ("lead_time = 0", "lead_time = -1", "'seal': lead_time must be a whole"),
    "lead time a fraction": (
        "lead_time = 0",
        "lead_time = 1.5",
        "a whole number, at least 0; got 1.5",
    ),
    "lead time a text": ("lead_time = 0", "lead_time = 'soon'", "at least 0; got 'soon'"),
    "no longest": (
        LEAD,
        "lead_time = { shape = 2.0, scale = 0.8 }",
        "spare 'rotor': lead_time.longest is missing",
    ),
    "longest a fraction": (
        LEAD,
        LEAD.replace("= 2 }", "= 2.5 }"),
        "lead_time longest must be a whole",
    ),
    "longest below 0": (LEAD, LEAD.replace("= 2 }", "= -1 }"), "at least 0; got -1"),
    "shape 0": (
        LEAD,
        LEAD.replace("2.0", "0.0"),
        "spare 'rotor': lead_time shape must be > 0; got 0",
    ),
    "scale NaN": (LEAD, LEAD.replace("0.8", "nan"), "lead_time scale must be finite; got nan"),
    "unknown key of a lead time": (
        LEAD,
        LEAD.replace("shape", "mean"),
        "lead_time: unknown key 'mean'",
    ),
    # what cannot be
    "a state without an action": (
        "[80, 40, 0]",
        "[80, inf, inf]",
        "state (c1=2, c2=0, c3=0, rotor=0, seal=0) allows no action: c1 can only be replaced there,"
        " no rotor is on hand, and spare 'rotor' has no emergency_cost.",
    ),
    "down, and nothing at hand": (
        CASE,
        CASE.replace("setup_cost = 20.0", "restore_when_down = true").replace(
            "[80, 40, 0]", "[80, inf, 0]"
        ),
        "state (c1=2, c2=2, c3=2, rotor=0, seal=0) allows no action: c1 can only be replaced",
    ),
    "a random result": (
        "setup_cost = 20.0",
        'result = "uniform"',
        "spares need result = 'chosen'; got 'uniform'.",
    ),
    "criteria of a taken name": (
        'name = "c1"\n',
        'name = "c1"\ncriteria = { holding = [[0, 0, 0], [0, 0, 0], [0, 0, 0]] }\n',
        "component 'c1': criteria.holding must have another name; 'holding' is taken",
    ),
    "criteria of a count": (
        'name = "c1"\n',
        'name = "c1"\ncriteria = { order_rate_seal = [[0, 0, 0], [0, 0, 0], [0, 0, 0]] }\n',
        "criteria.order_rate_seal must have another name; 'order_rate_seal' is taken",
    ),
    "goal of a kind that is not there": (
        'criterion = "average"',
        'criterion = "average"\norder_rate_pump = { weight = 1.0 }',
        "objective: unknown measure 'order_rate_pump'; known: [",
    ),
}


@pytest.mark.parametrize("broken", FILES.values(), ids=FILES.keys())
def test_a_broken_spare_is_refused_by_name(tmp_path, broken):
    assert_refused(tmp_path, CASE, broken)
