"""A solve that is killed goes on to the identical result."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import sparing
from sparing.exact import checkpoint as checkpoints
from sparing.exact.finite_horizon import finite_horizon
from sparing.exact.value_iteration import Options, value_iteration


class KilledError(Exception):
    pass


class KillAfter:
    """A progress hook that raises at the given report; the report comes before the save."""

    def __init__(self, reports):
        self.left = reports

    def __call__(self, progress):
        self.left -= 1
        if self.left < 0:
            raise KilledError


@pytest.fixture(autouse=True)
def _save_at_every_chance(monkeypatch):
    made = checkpoints.Checkpoint.__init__

    def impatient(self, *args, **kwargs):
        made(self, *args, **{**kwargs, "every_s": 0.0})

    monkeypatch.setattr(checkpoints.Checkpoint, "__init__", impatient)
    # Small batches, so that a small system has many of them.
    clip = np.clip
    monkeypatch.setattr(
        "sparing.exact.value_iteration.np.clip", lambda *_: clip(1, 1, 64), raising=False
    )


def arguments(discounted):
    problem = sparing.load("three-component")
    if discounted:
        problem = replace(problem, criterion="discounted", discount=0.95)
    return {
        "epoch": problem.epoch,
        "weights": problem.weights,
        "criterion": problem.criterion,
        "initial": (1, 2, 3),
    }


@pytest.mark.parametrize("path", ["auto", "general"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "mixed"])
@pytest.mark.parametrize("discounted", [False, True])
def test_an_interrupted_solve_goes_on_to_the_same_bits(tmp_path, discounted, dtype, path):
    tol = 2e-4 if dtype == "float32" else 1e-9
    options = Options(dtype=dtype, path=path, tol=tol, num_threads=1)
    asked = arguments(discounted)
    whole = value_iteration(**asked, options=options)
    for reports in (1, 1, 2):
        with pytest.raises(KilledError):
            value_iteration(
                **asked, options=options, progress=KillAfter(reports), checkpoint_dir=tmp_path
            )
        saved = json.loads((tmp_path / "checkpoint.json").read_text())
        assert saved["position"]["num_sweeps"] > 0
    seen = []
    again = value_iteration(
        **asked,
        options=options,
        checkpoint_dir=tmp_path,
        progress=lambda progress: seen.append(progress.num_sweeps),
    )
    assert seen[0] > 3  # it went on, it did not start anew
    assert (again.lower, again.upper, again.num_sweeps) == (
        whole.lower,
        whole.upper,
        whole.num_sweeps,
    )
    np.testing.assert_array_equal(again.value, whole.value)
    np.testing.assert_array_equal(again.posts[0], whole.posts[0])
    assert list(tmp_path.iterdir()) == []  # cleared once done


@pytest.mark.parametrize("change", ["weights", "options", "discount", "costs"])
def test_the_checkpoint_of_another_problem_is_ignored(tmp_path, change):
    asked, options = arguments(True), Options(num_threads=1)
    with pytest.raises(KilledError):
        value_iteration(**asked, options=options, progress=KillAfter(4), checkpoint_dir=tmp_path)
    if change == "weights":
        asked["weights"] = {**asked["weights"], "downtime": 0.1}
    elif change == "options":
        options = replace(options, tol=1e-4)
    elif change == "discount":
        asked["epoch"] = replace(asked["epoch"], discount=0.9)
    else:
        problem = replace(sparing.load("three-component"), setup_cost=21.0)
        asked["epoch"] = replace(problem.epoch, discount=0.95)
    seen = []
    found = value_iteration(
        **asked,
        options=options,
        checkpoint_dir=tmp_path,
        progress=lambda progress: seen.append(progress.num_sweeps),
    )
    fresh = value_iteration(**asked, options=options)
    assert seen[0] == 1
    assert (found.lower, found.upper) == (fresh.lower, fresh.upper)


@pytest.mark.parametrize("text", ["", "{", "{}", '{"key": "other"}', "[]"])
def test_a_broken_checkpoint_is_ignored(tmp_path, text):
    (tmp_path / "checkpoint.json").write_text(text)
    asked = arguments(False)
    found = value_iteration(**asked, checkpoint_dir=tmp_path)
    assert found.converged


def test_a_kill_while_saving_leaves_the_last_whole_checkpoint(tmp_path, monkeypatch):
    asked, options = arguments(False), Options(num_threads=1, tol=1e-9)
    with pytest.raises(KilledError):
        value_iteration(**asked, options=options, progress=KillAfter(3), checkpoint_dir=tmp_path)
    before = json.loads((tmp_path / "checkpoint.json").read_text())

    def fail(path, text):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_atomically", fail)
        with pytest.raises(OSError, match="no space"):
            value_iteration(**asked, options=options, checkpoint_dir=tmp_path)
    assert json.loads((tmp_path / "checkpoint.json").read_text()) == before
    whole = value_iteration(**asked, options=options)
    again = value_iteration(**asked, options=options, checkpoint_dir=tmp_path)
    assert (again.lower, again.upper, again.num_sweeps) == (
        whole.lower,
        whole.upper,
        whole.num_sweeps,
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_interrupted_finite_horizon_has_all_of_its_policy(tmp_path, dtype):
    problem = sparing.load("three-component")
    epochs = [problem.epoch] * 12
    asked = {"weights": problem.weights, "dtype": dtype, "num_threads": 1}
    whole = finite_horizon(epochs, **asked)
    places = {"policy_dir": tmp_path / "policy", "checkpoint_dir": tmp_path / "checkpoint"}
    for reports in (2, 1, 3):
        with pytest.raises(KilledError):
            finite_horizon(epochs, **asked, **places, progress=KillAfter(reports))
    seen = []
    again = finite_horizon(
        epochs, **asked, **places, progress=lambda progress: seen.append(progress.num_sweeps)
    )
    assert seen[0] > 8
    assert (again.lower, again.upper) == (whole.lower, whole.upper)
    np.testing.assert_array_equal(again.value, whole.value)
    assert len(again.posts) == 12
    for found, expected in zip(again.posts, whole.posts, strict=True):
        np.testing.assert_array_equal(found[0], expected[0])


def test_the_terminal_value_is_part_of_the_key_of_a_finite_horizon(tmp_path):
    """Else a resumed solve would mix two problems."""
    problem = sparing.load("three-component")
    places = {"policy_dir": tmp_path / "policy", "checkpoint_dir": tmp_path / "checkpoint"}
    with pytest.raises(KilledError):
        finite_horizon([problem.epoch] * 6, **places, progress=KillAfter(3))
    terminal = np.full((4, 4, 4), 1000.0)
    again = finite_horizon([problem.epoch] * 6, **places, terminal=terminal)
    fresh = finite_horizon([problem.epoch] * 6, terminal=terminal)
    assert again.objective == pytest.approx(fresh.objective, abs=1e-9)


def test_the_order_of_epochs_is_part_of_the_key_of_a_finite_horizon(tmp_path):
    problem = sparing.load("three-component")
    one, two = problem.epoch, replace(problem, setup_cost=300.0).epoch
    places = {"policy_dir": tmp_path / "policy", "checkpoint_dir": tmp_path / "checkpoint"}
    with pytest.raises(KilledError):
        finite_horizon([one, two, one, one, one, one], **places, progress=KillAfter(4))
    again = finite_horizon([one, two, two, two, two, two], **places)
    fresh = finite_horizon([one, two, two, two, two, two])
    assert again.objective == pytest.approx(fresh.objective, abs=1e-9)


@pytest.mark.parametrize("discounted", [False, True])
def test_a_mixed_solve_may_be_cut_anywhere(tmp_path, discounted):
    """In the float32 part, just where it ends, and after it: not a sweep is added."""
    asked, options = arguments(discounted), Options(dtype="mixed", tol=1e-9, num_threads=1)
    whole = value_iteration(**asked, options=options)
    for reports in range(1, 30):
        place = tmp_path / str(reports)
        hook = KillAfter(reports)
        try:
            value_iteration(**asked, options=options, progress=hook, checkpoint_dir=place)
        except KilledError:
            again = value_iteration(**asked, options=options, checkpoint_dir=place)
            assert again.num_sweeps == whole.num_sweeps
            assert (again.lower, again.upper) == (whole.lower, whole.upper)
        else:
            assert reports > 1
            return
    pytest.fail("the solve never ended")
