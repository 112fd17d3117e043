"""Case files: what is written loads to an equal problem, and is whole or not there."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from random_spares import random_joint
from random_systems import random_problem
from sparing.models.case_files import built_in_cases, load_case, save_case, table_of_problem
from sparing.models.load_sharing import LoadSharingProblem
from sparing.models.spares_network import SparesNetwork


def assert_same(one, two):
    """Two problems agree in everything but their name."""
    assert type(one) is type(two)
    if isinstance(one, LoadSharingProblem | SparesNetwork | sparing.HiddenProblem):
        assert table_of_problem(one) == table_of_problem(two)
        return
    for field in fields(one):
        if field.name in ("name", "components", "spares"):
            continue
        mine, other = getattr(one, field.name), getattr(two, field.name)
        assert (dict(mine) if field.name == "goals" else mine) == other, field.name
    for mine, other in zip(one.spares, two.spares, strict=True):
        assert [getattr(mine, f.name) for f in fields(mine)] == [
            getattr(other, f.name) for f in fields(other)
        ]
    for mine, other in zip(one.components, two.components, strict=True):
        assert mine.name == other.name
        np.testing.assert_array_equal(mine.transition, other.transition)
        np.testing.assert_array_equal(mine.maintenance_cost, other.maintenance_cost)
        assert mine.criteria.keys() == other.criteria.keys()
        for kind, matrix in mine.criteria.items():
            np.testing.assert_array_equal(matrix, other.criteria[kind])


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_save_then_load_gives_an_equal_problem(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    problem = random_joint(rng) if rng.random() < 0.4 else random_problem(rng)
    file = tmp_path_factory.mktemp("case") / "case.toml"
    save_case(problem, file)
    loaded = load_case(file)
    assert_same(problem, loaded)
    again = file.with_name("again.toml")
    save_case(loaded, again)
    assert again.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("name", built_in_cases())
def test_built_in_cases_load_and_save(tmp_path, name):
    problem = sparing.load(name)
    assert problem.name == name
    save_case(problem, tmp_path / f"{name}.toml")
    assert_same(problem, sparing.load(tmp_path / f"{name}.toml"))
    assert list(tmp_path.iterdir()) == [tmp_path / f"{name}.toml"]


OWN = """
[system]
kind = "multi-component"
structure = "2-of(a, b, c)"
downtime_cost = 100

[[component]]
name = "a"
transition = [[0.5, 0.5], [0, 1]]
maintenance_cost = [[0, 0], [7, inf]]
criteria = { exposure = [[0, 0], [3, 0]], "CO2 [kg]" = [[0.5, 0], [9, 0]] }

[[component]]
name = "b"
transition = [[0.9, 0.1], [0, 1]]
maintenance_cost = [[0, 0], [70, 0]]

[[component]]
name = "c"
transition = [[0.8, 0.2], [0, 1]]
maintenance_cost = [[0, 0], [50, 0]]
criteria = { exposure = [[0, 0], [1, 0]] }

[objective]
criterion = "discounted"
discount = 0.9
cost = { goal = 20 }
exposure = { weight = 2, goal = 0.5, scale = 4.0, at_most = 0.8 }
reliability = { weight = 0, at_least = 0.6 }
"""


def test_criteria_of_ones_own_and_goals(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    problem = sparing.load(file)
    assert problem.own_kinds == ["exposure", "CO2 [kg]"]
    assert problem.goals["exposure"] == sparing.Goal(weight=2.0, goal=0.5, scale=4.0, at_most=0.8)
    assert problem.weights["exposure"] == 0.5
    assert problem.weights["maintenance"] == 0.05
    assert problem.weights["reliability"] == 0.0
    assert (problem.criterion, problem.discount) == ("discounted", 0.9)
    save_case(problem, tmp_path / "again.toml")
    assert_same(problem, sparing.load(tmp_path / "again.toml"))
    solution = sparing.solve(problem)
    found = sparing.evaluate(problem, solution.policy)
    assert {"exposure", "CO2 [kg]", "cost_rate", "reliability"} <= found.keys()
    each = {kind: {kind: 1.0} for kind in problem.weights}
    kinds = sparing.evaluate(problem, solution.policy, each)
    total = sum(problem.weights[kind] * kinds[kind].value for kind in kinds)
    assert total == pytest.approx(solution.objective, abs=1e-5)


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "case.toml"
    save_case(sparing.load("three-component"), file)
    before = file.read_bytes()
    write = Path.write_text

    def half(self, text, **kwargs):
        write(self, text[: len(text) // 2], **kwargs)
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="no space left"):
        save_case(sparing.load("three-component-2"), file)
    assert file.read_bytes() == before
    monkeypatch.undo()
    assert_same(sparing.load(file), sparing.load("three-component"))


def test_a_save_over_another_case_replaces_it(tmp_path):
    file = tmp_path / "case.toml"
    for name in ("three-component", "three-component-2"):
        save_case(sparing.load(name), file)
    assert_same(sparing.load(file), sparing.load("three-component-2"))


def test_defaults_are_left_out_of_the_file():
    system = table_of_problem(sparing.load("three-component"))["system"]
    assert "result" not in system
    assert "restore_when_down" not in system
    assert table_of_problem(sparing.load("three-component"))["objective"]["criterion"] == "average"


def test_objective_and_costs_may_be_left_out(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(OWN.split("[objective]")[0].replace("downtime_cost = 100", ""))
    problem = sparing.load(str(file))
    assert (problem.criterion, dict(problem.goals), problem.name) == ("average", {}, "small")
    assert (problem.setup_cost, problem.downtime_cost) == (0.0, 0.0)


def test_a_path_with_odd_characters(tmp_path):
    file = tmp_path / "Pumpwerk Süd (neu).toml"
    file.write_text(OWN, encoding="utf-8")
    assert sparing.load(file).name == "Pumpwerk Süd (neu)"
