"""Fleets: the same answers as one by one, on any executor, streamed and resumed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import sparing
from sparing.fleet.parts import PartWriter, read_parts
from sparing.fleet.rows import schema_of
from sparing.fleet.solving import solve_many

CASE = sparing.load("three-component")
FLEET = {f"site {cost}": replace(CASE, setup_cost=float(cost)) for cost in (5, 10, 20, 40)}


def test_a_fleet_has_the_answers_of_its_problems(tmp_path):
    seen = []
    found = solve_many(
        FLEET,
        num_workers=2,
        out=tmp_path,
        save_policies=True,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [row["name"] for row in found.rows] == list(FLEET)
    for name, row in zip(FLEET, found.rows, strict=True):
        alone = sparing.solve(FLEET[name])
        assert (row["lower"], row["upper"]) == (alone.lower, alone.upper)
        saved = sparing.load_solution(tmp_path / "policies" / name)
        assert saved.problem.setup_cost == FLEET[name].setup_cost
        assert np.array_equal(saved.policy.action((2, 1, 3)), alone.policy.action((2, 1, 3)))
    assert seen[-1] == (4, 4)
    assert json.loads(found.rows[0]["report"])["first_decision"]
    assert {row["name"] for row in read_parts(tmp_path)} == set(FLEET)


def test_what_is_on_record_is_not_computed_again(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        some = dict(list(FLEET.items())[:2])
        first = solve_many(some, executor=pool, out=tmp_path)
        second = solve_many(FLEET, executor=pool, out=tmp_path)
        assert (first.num_resumed, second.num_resumed) == (0, 2)
        assert second.rows[0] == first.rows[0]
        other = solve_many(some, executor=pool, out=tmp_path, tol=1e-3)
    assert other.num_resumed == 0  # other options, other results
    assert len(read_parts(tmp_path)) == 6


def test_an_error_is_a_row_and_is_tried_again(tmp_path):
    case = tmp_path / "case.toml"
    case.write_text("[system]\n")
    with ThreadPoolExecutor(1) as pool:
        first = solve_many({"a": case, "b": CASE}, executor=pool, out=tmp_path / "out")
        assert [row["name"] for row in first.failed] == ["a"]
        assert "case.toml" in first.failed[0]["error"]
        sparing.save_case(CASE, case)
        second = solve_many({"a": case, "b": CASE}, executor=pool, out=tmp_path / "out")
    assert not second.failed
    assert second.num_resumed == 1
    assert second.rows[0]["lower"] == second.rows[1]["lower"]


@pytest.mark.parametrize("name", ["", " ", "..", "a/b", "a\\b", "x" * 201, "a\0"])
def test_names_that_are_no_file_names_are_refused(name):
    with pytest.raises(ValueError, match="must be a file name"):
        solve_many({name: CASE})


@pytest.mark.parametrize("problems", ["three-component", ["three-component"], {3: CASE}])
def test_problems_are_given_by_name(problems):
    with pytest.raises(ValueError, match="must be given by name, or as pairs"):
        solve_many(problems)


def test_names_tell_results_apart():
    with pytest.raises(ValueError, match="'a' is there twice"):
        solve_many([("a", CASE), ("a", CASE)])


def test_policies_need_a_folder():
    with pytest.raises(ValueError, match="needs the folder"):
        solve_many(FLEET, save_policies=True)


def test_parts_are_whole_or_not_there(tmp_path):
    kinds = {"name": "string", "key": "string", "lower": "float64", "error": "string"}
    schema = schema_of(tuple(kinds.items()))
    row = {"name": "a", "key": "k", "lower": 1.0, "error": ""}
    (tmp_path / "part-000007.part").write_text("half written")
    with suppress(KeyboardInterrupt), PartWriter(tmp_path, schema) as writer:
        writer.add(row)
        raise KeyboardInterrupt
    with PartWriter(tmp_path, schema) as writer:
        writer.add({**row, "name": "b"})
    assert [found["name"] for found in read_parts(tmp_path)] == ["a", "b"]
