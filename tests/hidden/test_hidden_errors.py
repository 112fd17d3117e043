"""Broken cases and calls: each is refused with the place, the rule and the value."""

import re
from dataclasses import replace

import numpy as np
import pytest
import sparing
from broken_cases import assert_refused
from sparing.beliefs.component_filter import update_beliefs

CASE = """
[system]
kind = "hidden-multi-component"
structure = "a & b"
periods = 3
discount = 0.9
downtime_cost = 100.0

[[component]]
name = "a"
transition = [[0.8, 0.1, 0.1], [0, 0.7, 0.3], [0, 0, 1]]
repair = { cost = 30.0, success = 0.9 }
inspection = { cost = 5.0, observation = [[0.9, 0.1, 0], [0.2, 0.8, 0], [0, 0, 1]] }

[[component]]
name = "b"
transition = [[0.9, 0.1], [0, 1]]
"""

# what to replace in the file, by what, and the message
FILES = {
    "no kind": ('kind = "hidden-multi-component"', "", "[system] kind must be one of"),
    "unknown key": ("periods = 3", "period = 3", "[system]: unknown key 'period'; known: "),
    "periods 0": ("periods = 3", "periods = 0", "at least 1, or left out; got 0."),
    "periods a fraction": ("periods = 3", "periods = 2.5", "[system] periods must be a whole"),
    "periods true": ("periods = 3", "periods = true", "got True."),
    "discount 0": ("discount = 0.9", "discount = 0", "above 0 and at most 1; got 0."),
    "discount above 1": ("discount = 0.9", "discount = 1.1", "at most 1; got 1.1."),
    "discount NaN": ("discount = 0.9", "discount = nan", "discount must be finite; got nan."),
    "discount a text": ("discount = 0.9", "discount = 'x'", "discount must be a number; got 'x'."),
    "infinite without discount": (
        "periods = 3\ndiscount = 0.9",
        "",
        "discount must be below 1 where periods is left out",
    ),
    "downtime below 0": ("= 100.0", "= -1", "downtime_cost must be at least 0; got -1."),
    "downtime inf": ("= 100.0", "= inf", "downtime_cost must be finite; got inf."),
    "structure unknown": ('"a & b"', '"a & c"', "unknown component 'c'; components: a, b."),
    "structure missing": ('structure = "a & b"', "", "[system]: structure is missing."),
    "name twice": ('name = "b"', 'name = "a"', "components: 'a' is given twice."),
    "name missing": ('name = "b"', "", "[[component]] number 2: name is missing."),
    "transition missing": (
        "transition = [[0.9, 0.1], [0, 1]]",
        "",
        "component 'b': transition is missing.",
    ),
    "transition not square": ("[[0.9, 0.1], [0, 1]]", "[[0.9, 0.1]]", "'b': transition must be sq"),
    "one state": ("[[0.9, 0.1], [0, 1]]", "[[1]]", "transition must have 2 states or more"),
    "row sum": ("[0.9, 0.1]", "[0.9, 0.2]", "component 'b': transition: row 0 sums to 1.1, not 1."),
    "below 0": ("[0.9, 0.1]", "[1.1, -0.1]", "entry [0, 1] must be a probability; got -0.1."),
    "entry NaN": ("[0.9, 0.1]", "[nan, 0.1]", "entry [0, 0] must be a probability; got nan."),
    "repair a number": ("{ cost = 30.0, success = 0.9 }", "30.0", "repair must be a table such as"),
    "repair without cost": ("{ cost = 30.0, success", "{ success", "'a': repair: cost is missing."),
    "repair key": ("success = 0.9", "chance = 0.9", "'a': repair: unknown key 'chance'"),
    "repair cost below 0": ("cost = 30.0", "cost = -3", "repair cost must be at least 0; got -3."),
    "success above 1": ("success = 0.9", "success = 1.5", "success must be at most 1; got 1.5."),
    "success NaN": ("success = 0.9", "success = nan", "repair success must be finite; got nan."),
    "no observation": (
        ", observation = [[0.9, 0.1, 0], [0.2, 0.8, 0], [0, 0, 1]]",
        "",
        "'a': inspection: observation is missing.",
    ),
    "observation rows": (", [0.2, 0.8, 0]", "", "observation must have 3 rows, one a state"),
    "observation sum": ("[0.2, 0.8, 0]", "[0.2, 0.7, 0]", "observation: row 1 sums to 0.9, not 1."),
    "false failure": (
        "[0.2, 0.8, 0]",
        "[0.2, 0.7, 0.1]",
        "observation[1, 2] must be 0, as the last",
    ),
    "failure not seen": ("[0, 0, 1]] }", "[0, 0.5, 0.5]] }", "observation[2, 2] must be 1, as a f"),
    "component a text": ('[[component]]\nname = "b"', '[[components]]\nname = "b"', "unknown key"),
}


@pytest.mark.parametrize("name", FILES)
def test_broken_files(name, tmp_path):
    assert_refused(tmp_path, CASE, FILES[name])


def test_files_are_written_back(tmp_path):
    problem = sparing.load("hidden-5-of-5")
    sparing.save_case(problem, tmp_path / "copy.toml")
    again = sparing.load(tmp_path / "copy.toml")
    assert again.structure == problem.structure
    assert (again.periods, again.discount) == (problem.periods, problem.discount)
    for one, other in zip(problem.components, again.components, strict=True):
        assert (one.transition == other.transition).all()
        assert (one.channel == other.channel).all()
        assert (one.option_cost == other.option_cost).all()
        assert (one.option_success == other.option_success).all()


@pytest.fixture
def problem(tmp_path):
    file = tmp_path / "case.toml"
    file.write_text(CASE)
    return sparing.load(file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gap": -1.0}, "gap must be at least 0; got -1."),
        ({"gap": float("nan")}, "gap must be finite; got nan."),
        ({"time_s": 0.0}, "time must be above 0 seconds; got 0."),
        ({"episodes": 1}, "episodes must be at least 2; got 1."),
        ({"memory": 100}, "joint options and at least"),
        ({"weights": {"a": 1.0}}, "own costs and criterion"),
    ],
)
def test_broken_options(problem, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        sparing.solve(problem, **options)


def test_too_many_components_are_refused_before_any_work(problem):
    component = problem.components[0]
    many = tuple(replace(component, name=f"c{i}") for i in range(15))
    large = replace(problem, components=many, structure="c0")
    with pytest.raises(ValueError, match="15 components have 14,348,907 joint options"):
        sparing.solve(large)


def test_broken_beliefs(problem):
    policy = sparing.solve(problem, num_threads=1).policy
    good = np.array([[1.0, 0.0, 0.0, 1.0, 0.0]])
    assert policy.act(good).shape == (1, 2)
    for beliefs, message in [
        (good[:, :4], "beliefs must have shape (batch, 5); got (1, 4)."),
        (good * 0.9, "beliefs of component 0: row 0 sums to 0.9, not 1."),
        ([[0.5, 0.0, 0.5, 1.0, 0.0]], "component 0: it is failed or not, with certainty."),
    ]:
        with pytest.raises(ValueError, match=re.escape(message)):
            policy.act(beliefs)
    with pytest.raises(ValueError, match=re.escape("period must be at least 0 and below 3; got 3")):
        policy.act(good, period=3)


def test_broken_filters(problem):
    component = problem.components[0]
    with pytest.raises(ValueError, match=re.escape("beliefs must have shape (batch, 3)")):
        update_beliefs(component, [[1.0, 0.0]], [0], [0])
    with pytest.raises(ValueError, match=re.escape("options must be at least 0 and below 3.")):
        update_beliefs(component, [[1.0, 0.0, 0.0]], [3], [0])
    with pytest.raises(ValueError, match="observations must be 1 whole numbers"):
        update_beliefs(component, [[1.0, 0.0, 0.0]], [0], [0.5])
