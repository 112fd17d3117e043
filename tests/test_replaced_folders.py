"""Results take the place of earlier results, and of nothing else."""

from __future__ import annotations

import json

import pytest
import sparing
from sparing._files import replaced_folder


@pytest.fixture(scope="module")
def solution():
    return sparing.solve(sparing.load("three-component"))


def test_a_folder_of_something_else_is_left_alone(solution, tmp_path, monkeypatch):
    """It was deleted, with all that was in it."""
    (tmp_path / "notes.txt").write_text("mine")
    for folder in (tmp_path, "."):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ValueError, match=r"not of an earlier run \(it holds 'notes\.txt'\)"):
            sparing.save_solution(solution, folder)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(ValueError, match="is a file; give a folder"):
        sparing.save_solution(solution, tmp_path / "notes.txt")


@pytest.mark.parametrize("content", [None, [], ["checkpoint"]])
def test_new_empty_and_earlier_folders_take_results(solution, tmp_path, content):
    folder = tmp_path / "out"
    if content is not None:
        folder.mkdir()
        for name in content:
            (folder / name).mkdir()
    for _ in range(2):  # the second time it takes the place of the first
        sparing.save_solution(solution, folder)
        assert sparing.load_solution(folder, epoch=solution.epoch).record["states"] == 64
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_a_file_that_only_looks_like_results_does_not_count(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "data.json").write_text(json.dumps({"format": "geojson"}))
    with pytest.raises(ValueError, match=r"holds 'data\.json'"), replaced_folder(folder):
        pytest.fail("nothing is to be written")
