"""Broken spares networks: each is refused with the place, the rule and the value."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import sparing
from broken_cases import assert_refused
from sparing import GammaPrior, Location, Part, SparesNetwork
from sparing.models.case_files import CaseError

CASE = """
[system]
kind = "spares-network"
periods = 5
discount = 0.99

[demand]
prior = { shape = 1.5, rate = 2.5 }
truncate = 4

[[location]]
name = "central"
supplier = "external"
capacity = 4
initial = 2
max_order = 3
holding_cost = 0.5
order_cost = { fixed = 6.0, unit = 3.0 }
lead_time = { shape = 3.0, scale = 0.6, longest = 2 }

[[location]]
name = "site"
supplier = "central"
capacity = 3
backorders = 2
initial = 1
max_order = 2
exposure = 1.2
age = { multiplier = [1, 2], initial = 0 }
holding_cost = 1.0
downtime_cost = 40.0
emergency_cost = 90.0
order_cost = { fixed = 1.0, unit = 0.5 }
lead_time = { shape = 1.0, scale = 0.5, longest = 1 }
"""
PART = '\n[[part]]\nname = "pump"\n'

# what to replace in the file, by what, and the message
FILES = {
    # the system
    "no periods": ("periods = 5\n", "", "[system] periods is missing"),
    "no period": (
        "periods = 5",
        "periods = 0",
        "periods must be a whole number, at least 1; got 0",
    ),
    "half a period": ("periods = 5", "periods = 4.5", "periods must be a whole number"),
    "discount above 1": ("= 0.99", "= 1.01", "discount must be in (0, 1]; got 1.01"),
    "discount NaN": ("= 0.99", "= nan", "discount must be finite; got nan"),
    "discount 0": ("= 0.99", "= 0", "discount must be in (0, 1]; got 0"),
    "unknown key": ("= 0.99", "= 0.99\nhorizon = 3", "[system]: unknown key 'horizon'; known:"),
    "sla 1": ("= 0.99", "= 0.99\nsla = 1.0", "sla must be above 0 and below 1; got 1"),
    "sla a text": ("= 0.99", "= 0.99\nsla = 'high'", "sla must be a number; got 'high'"),
    "no hours": ("= 0.99", "= 0.99\nperiod_hours = 0", "period_hours must be > 0; got 0"),
    "no budget": ("= 0.99", "= 0.99\nbudget = -1", "budget must be > 0; got -1"),
    "rolling 0": ("= 0.99", "= 0.99\nrolling = 0", "rolling must be a whole number, at least 1"),
    # the belief
    "no prior": ("prior = { shape = 1.5, rate = 2.5 }\n", "", "[demand] prior is missing"),
    "no truncate": ("truncate = 4\n", "", "[demand] truncate is missing"),
    "prior shape 0": ("shape = 1.5", "shape = 0", "[demand]: prior shape must be > 0; got 0"),
    "prior rate inf": ("rate = 2.5", "rate = inf", "prior rate must be finite; got inf"),
    "prior without rate": (", rate = 2.5", "", "[demand]: prior.rate is missing"),
    "prior a number": ("{ shape = 1.5, rate = 2.5 }", "2", "prior must be a table such as"),
    "truncate 0": ("truncate = 4", "truncate = 0", "truncate must be a whole number, at least 1"),
    "truncate 1.5": ("truncate = 4", "truncate = 1.5", "truncate must be a whole number"),
    "belief levels 0": (
        "truncate = 4",
        "truncate = 4\nbelief_levels = 0",
        "belief_levels must be a whole number, at least 1; got 0",
    ),
    # the tree
    "supplies itself": (
        'supplier = "central"',
        'supplier = "site"',
        "location 'site' supplies itself: site <- site; suppliers must form a tree",
    ),
    "a cycle": (
        'supplier = "external"',
        'supplier = "site"',
        "location 'central' supplies itself: central <- site <- central; suppliers must form a",
    ),
    "unknown supplier": (
        'supplier = "central"',
        'supplier = "hub"',
        "location 'site': unknown supplier 'hub'; known: external, central, site",
    ),
    "no supplier": ('supplier = "central"\n', "", "location 'site': supplier is missing"),
    "no name": ('name = "site"\n', "", "[[location]] number 2: name is missing"),
    "name twice": ('name = "site"', 'name = "central"', "location 'central' is given twice"),
    "name taken": ('name = "site"', 'name = "failures"', "must have another name"),
    "nothing fails": (
        "exposure = 1.2\nage = { multiplier = [1, 2], initial = 0 }\n",
        "",
        "location 'site': backorders is for sites; this location has no exposure",
    ),
    # stocks
    "no capacity": ("capacity = 4\n", "", "location 'central': capacity is missing"),
    "capacity 0": ("capacity = 4", "capacity = 0", "capacity must be a whole number, at least 1"),
    "capacity below initial": (
        "capacity = 4",
        "capacity = 1",
        "location 'central': max_order must be at most the capacity, 1; got 3",
    ),
    "initial above capacity": (
        "initial = 2",
        "initial = 5",
        "location 'central': initial must be in 0..4 (backorders, capacity); got 5",
    ),
    "initial below backorders": ("initial = 1", "initial = -3", "initial must be in -2..3"),
    "max_order above capacity": ("max_order = 2", "max_order = 4", "max_order must be at most the"),
    "max_order -1": ("max_order = 2", "max_order = -1", "max_order must be a whole number"),
    "backorders -1": ("backorders = 2", "backorders = -1", "backorders must be a whole number"),
    "two outstanding orders": (
        "initial = 2",
        "initial = 2\noutstanding = [{ quantity = 1, age = 1 }, { quantity = 1, age = 2 }]",
        "location 'central': outstanding must be one table, as at most one order is outstanding;"
        " got 2",
    ),
    "outstanding does not fit": (
        "initial = 2",
        "initial = 2\noutstanding = { quantity = 3 }",
        "outstanding quantity must be at most max_order, 3, and fit into the capacity, 4",
    ),
    "outstanding too old": (
        "initial = 2",
        "initial = 2\noutstanding = { quantity = 1, age = 3 }",
        "outstanding age must be at most 2, where it arrives for certain; got 3",
    ),
    "outstanding new": (
        "initial = 2",
        "initial = 2\noutstanding = { quantity = 1, age = 0 }",
        "outstanding age must be a whole number, at least 1; got 0",
    ),
    # costs
    "holding below 0": ("= 0.5\norder", "= -1\norder", "holding_cost must be at least 0; got -1"),
    "fixed below 0": ("fixed = 6.0", "fixed = -6", "order_cost.fixed must be at least 0; got -6"),
    "unit a text": ("unit = 3.0", "unit = 'x'", "order_cost.unit must be a number; got 'x'"),
    "order cost a number": ("{ fixed = 6.0, unit = 3.0 }", "6", "order_cost must be a table such"),
    "order cost key": ("fixed = 6.0", "once = 6.0", "order_cost: unknown key 'once'"),
    "downtime inf": ("downtime_cost = 40.0", "downtime_cost = inf", "downtime_cost must be finite"),
    "no emergency": ("emergency_cost = 90.0\n", "", "emergency_cost is missing: failures beyond"),
    # lead times
    "lead shape 0": ("shape = 3.0", "shape = 0", "lead_time shape must be > 0; got 0"),
    "lead scale NaN": ("scale = 0.6", "scale = nan", "lead_time scale must be finite; got nan"),
    "lead longest -1": ("longest = 2", "longest = -1", "lead_time longest must be a whole number"),
    "lead no longest": (", longest = 2", "", "location 'central': lead_time.longest is missing"),
    "lead 1.5": (
        "{ shape = 3.0, scale = 0.6, longest = 2 }",
        "1.5",
        "location 'central': lead_time must be a whole number, at least 0; got 1.5",
    ),
    # exposure and age
    "exposure 0": (
        "exposure = 1.2",
        "exposure = 0",
        "location 'site': exposure must be > 0; got 0",
    ),
    "exposure true": ("exposure = 1.2", "exposure = true", "exposure must be a number, or one per"),
    "exposure NaN": ("exposure = 1.2", "exposure = nan", "exposure must be finite; got nan"),
    "exposure too short": (
        "exposure = 1.2",
        "exposure = [1.0, 2.0]",
        "location 'site': exposure must have one number per period, 5; got 2",
    ),
    "exposure below 0 later": (
        "exposure = 1.2",
        "exposure = [1, 1, -1, 1, 1]",
        "exposure[2] must be > 0; got -1",
    ),
    "age multiplier 0": ("[1, 2]", "[1, 0]", "age multiplier[1] must be a whole number, at least"),
    "age multiplier 1.5": ("[1, 2]", "[1, 1.5]", "age multiplier[1] must be a whole number"),
    "age no bins": ("[1, 2]", "[]", "age multiplier must be a list of whole numbers; got []"),
    "age initial": ("initial = 0 }", "initial = 2 }", "age initial must be one of the bins 0..1"),
    "age at a store": (
        "initial = 2\n",
        "initial = 2\nage = { multiplier = [1] }\n",
        "location 'central': age is for sites; this location has no exposure",
    ),
    # parts
    "part without prior": (
        "prior = { shape = 1.5, rate = 2.5 }\n",
        "",
        "part 'pump': prior is missing",
    ),
    "HyperScore without weights": (
        "[demand]",
        "[hyper_score]\ntarget = { cost = 5.0 }\n\n[demand]",
        "[hyper_score] weight must be a table",
    ),
    "HyperScore of other metrics": (
        "[demand]",
        "[hyper_score]\ntarget = { cost = 5.0 }\nweight = { sla = 1.0 }\n\n[demand]",
        "hyper_score target and weight must name the same metrics",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_refused(tmp_path, name):
    more = PART if name == "part without prior" else ""
    assert_refused(tmp_path, CASE, FILES[name], more=more)


PARTS = {
    "unknown key": ('name = "pump"\nprice = 3', "part 'pump': unknown key 'price'"),
    "unknown location": (
        'name = "pump"\n[part.location.hub]\ncapacity = 3',
        "part 'pump': unknown location 'hub'; known: central, site",
    ),
    "unknown key of a location": (
        'name = "pump"\n[part.location.site]\nsupplier = "external"',
        "part 'pump': location 'site': unknown key 'supplier'",
    ),
    "capacity of a location": (
        'name = "pump"\n[part.location.site]\ncapacity = 0',
        "part 'pump': location 'site': capacity must be a whole number, at least 1; got 0",
    ),
    "twice": ('name = "pump"\n[[part]]\nname = "pump"', "part 'pump' is given twice"),
    "factor 0": ('name = "pump"\nexposure_factor = 0', "exposure must be > 0; got 0"),
    "factor a text": ('name = "pump"\nexposure_factor = "x"', "exposure_factor must be a number"),
    "volume below 0": ('name = "pump"\nvolume = -1', "part 'pump': volume must be at least 0"),
    "no name": ("volume = 1", "[[part]] number 1: name is missing"),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_broken_part_is_refused(tmp_path, name):
    text, message = PARTS[name]
    path = tmp_path / "case.toml"
    path.write_text(f"{CASE}\n[[part]]\n{text}\n")
    with pytest.raises(CaseError, match=re.escape(message)):
        sparing.load(path)


def test_the_file_itself_is_sound(tmp_path):
    """So that what is refused above is refused for what was changed; and it is written back."""
    path, copy = tmp_path / "case.toml", tmp_path / "copy.toml"
    extra = "\n[hyper_score]\ntarget = { cost = 5.0 }\nweight = { cost = 1.0 }\nbeta = 6\n"
    path.write_text(CASE + extra + PART + "volume = 2\n[part.location.site]\ncapacity = 2\n")
    problem = sparing.load(path)
    assert problem.parts[0].locations[1].capacity == 2
    sparing.save_case(problem, copy)
    again = sparing.load(copy)
    assert sparing.solve(again).objective == sparing.solve(problem).objective
    assert again.hyper_score.target == {"cost": 5.0}
    assert again.hyper_score.beta == 6


def site(**fields):
    given = {"name": "site", "capacity": 2, "exposure": 1.0, "emergency_cost": 5.0, **fields}
    return Location(**given)


def network(*locations, **fields):
    part = Part(name="part", prior=GammaPrior(shape=1, rate=1), truncate=2, locations=locations)
    return SparesNetwork(parts=(part,), periods=2, **fields)


def test_limits_that_cannot_be_priced_together_are_refused():
    with pytest.raises(ValueError, match="give a budget or a volume_limit, not both"):
        network(site(volume_limit=1.0), budget=3.0)
    with pytest.raises(ValueError, match="one location can have one"):
        network(site(volume_limit=1.0), site(name="other", volume_limit=1.0))


def test_parts_must_share_the_tree():
    one = network(site()).parts[0]
    other = replace(one, name="other", locations=(site(name="elsewhere"),))
    with pytest.raises(ValueError, match="part 'other' must have the locations and suppliers"):
        SparesNetwork(parts=(one, other), periods=2)


def test_a_network_without_sites_is_refused():
    store = Location(name="central", capacity=2)
    with pytest.raises(ValueError, match="no location has an exposure"):
        network(store)


def test_more_states_than_a_policy_can_number_are_refused_before_any_work():
    """Sixty sites of a hundred states each."""
    sites = [site(name=f"site{k}", capacity=20, lead_time=5) for k in range(60)]
    with pytest.raises(ValueError, match="post-decision states; a policy can number"):
        sparing.solve(network(*sites))


def test_a_period_that_does_not_fit_into_memory_is_refused(monkeypatch):
    monkeypatch.setattr("sparing.exact.engine.free_memory", lambda: 1000)
    with pytest.raises(MemoryError, match=r"part 'part': a period of 27 states needs about"):
        sparing.solve(network(site(lead_time=2), belief_levels=3))


def test_the_command_line_prints_one_line(tmp_path):
    import subprocess
    import sys

    path = tmp_path / "case.toml"
    path.write_text(CASE.replace('"external"', '"site"'))
    run = subprocess.run(
        [sys.executable, "-m", "sparing.cli", "solve", str(path)], capture_output=True, text=True
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert "supplies itself: central <- site <- central" in run.stderr


def test_case_file_name_is_kept():
    assert sparing.load(Path(__file__).parent.parent / "data/known_spares_age.toml").name == (
        "known_spares_age"
    )
