"""Runs: seeds, devices, checkpoints and what comes out in between."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from learn.compilation import shared_compilation
from learn.small_run import SETTINGS, run
from sparing.learn.checkpoints import named_arrays
from sparing.learn.run import device_scope
from sparing.learn.settings import DEFAULTS, LEARNERS, Settings

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Let runs of this module share what is compiled."""
    with shared_compilation(tmp_path_factory.mktemp("compiled")):
        yield


@pytest.fixture(scope="module")
def whole(compiled):
    """Three seeds, of which no run was interrupted."""
    seen = []
    return run(seeds=(3, 4, 5), progress=seen.append), seen


def assert_same(one, other):
    left, right = named_arrays(one.parameters), named_arrays(other.parameters)
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)
    for name, column in one.history.items():
        np.testing.assert_array_equal(column, other.history[name], err_msg=name)


def test_a_killed_run_goes_on_to_the_identical_result(whole, tmp_path):
    """Killed with SIGKILL behind chunk 7 on the second of two devices, resumed on the first.

    There it runs beside another filler than seed 3 had in the whole run (itself, in place of
    seed 4), so the result depends neither on the device nor on what runs beside it.
    """
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    code = [sys.executable, str(HERE / "train_and_die.py"), str(tmp_path), "7"]
    done = subprocess.run(code, env={**os.environ, **flags}, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    record = json.loads((tmp_path / "seed-3" / "checkpoint.json").read_text())
    assert record["chunks"] == 6  # reported, killed, and not saved any more
    seen = []
    (resumed,) = run(seeds=(3,), folder=tmp_path, resume=True, progress=seen.append)
    assert seen[0].env_steps == 7 * seen[0].total_steps // 50
    assert_same(resumed, whole[0][0])
    assert [f.name for f in (tmp_path / "seed-3").glob("state-*")] == ["state-200.safetensors"]

    (again,) = run(seeds=(3,), folder=tmp_path, resume=True)  # finished: nothing is left to do
    assert_same(again, whole[0][0])

    other = replace(SETTINGS, batch=17)
    with pytest.raises(ValueError, match=r"now it is \{'batch': 17\}"):
        run(seeds=(3,), folder=tmp_path, resume=True, settings=other)


def test_ctrl_c_ends_a_run_behind_a_chunk_and_saves_it(whole, tmp_path):
    seen = []

    def interrupt(progress):
        seen.append(progress)
        if len(seen) == 7:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(seeds=(3,), folder=tmp_path, progress=interrupt)
    record = json.loads((tmp_path / "seed-3" / "checkpoint.json").read_text())
    assert record["chunks"] == len(seen) == 7
    (resumed,) = run(seeds=(3,), folder=tmp_path, resume=True)
    assert_same(resumed, whole[0][0])


def test_a_seed_does_not_depend_on_those_beside_it(whole):
    """Seed 5 is alone in its group, here beside itself and there behind seed 3."""
    found = run(seeds=(3, 5))
    assert_same(found[0], whole[0][0])
    assert_same(found[1], whole[0][2])
    assert not np.array_equal(
        found[0].parameters["head"]["weight"], found[1].parameters["head"]["weight"]
    )


def test_progress_shows_cost_exploration_and_loss(whole):
    seen = whole[1]
    assert len(seen) == 2 * 50  # two groups of seeds
    assert seen[49].env_steps == seen[49].total_steps == 800
    assert 1.0 > seen[0].epsilon > 0.9 > seen[20].epsilon
    assert seen[49].epsilon == pytest.approx(0.15)
    assert all(np.isfinite([p.cost, p.loss, p.rate]).all() for p in seen)
    assert 1.4 < seen[49].cost < 2.1  # the probe's choices cost 1.5 and 2


def test_all_that_is_carried_is_32_bits_or_smaller(compiled):
    from learn.probes import PROBES
    from sparing.learn.learners import Centre
    from sparing.learn.training import make_training

    for learner in LEARNERS:
        training = make_training(
            PROBES["two periods"](), DEFAULTS[learner], centre=Centre.mean, chunk=1
        )
        carry = jax.eval_shape(training.init, jax.ShapeDtypeStruct((), np.uint32))
        assert {leaf.dtype.itemsize for leaf in jax.tree_util.tree_leaves(carry)} <= {1, 4}


@pytest.mark.parametrize("name", ["cpu:7", "abacus"])
def test_a_device_that_does_not_exist_is_named(name):
    message = rf"device '{name}': there is none; there are cpu:0\."
    with pytest.raises(ValueError, match=message), device_scope(name):
        pass


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"learner": "sarsa"}, r"learner must be one of dqn, .*; got 'sarsa'"),
        ({"steps": 0}, r"steps must be a whole number of at least 1; got 0"),
        ({"lanes": 2.5}, r"lanes must be a whole number of at least 1; got 2\.5"),
        ({"epsilon": 1.5}, r"epsilon must be in \[0, 1\]; got 1\.5"),
        ({"restart": float("nan")}, r"restart must be in \[0, 1\]; got nan"),
        ({"learning_rate": 0.0}, r"learning_rate must be above 0 and finite; got 0\.0"),
        ({"hidden": ()}, r"hidden must be widths of at least 1; got \(\)"),
        ({"dropout": (1.0,)}, r"dropout must be shares in \[0, 1\); got \(1\.0,\)"),
        ({"optimizer": "sgd"}, r"optimizer must be 'adam' or 'radam'; got 'sgd'"),
        ({"buffer": 64}, r"buffer must hold at least 2 transitions of each of 256 lanes; got 64"),
        ({"episode": -1}, r"episode must be a whole number of at least 0; got -1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Settings(**wrong)


def test_settings_go_through_json():
    for settings in DEFAULTS.values():
        text = json.dumps(settings.as_json())
        assert Settings.from_json(json.loads(text)) == settings
    with pytest.raises(ValueError, match="unknown name 'speed'"):
        Settings.from_json({"speed": 1})
