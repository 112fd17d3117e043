"""`sparing train` and `sparing.train`: what they print, save, go on from and refuse."""

import csv
import json

import jax
import numpy as np
import pytest
import sparing
from sparing import cli
from sparing.learn.policy import table_policy
from sparing.learn.presets import PRESETS
from sparing.learn.saved import load_network
from sparing.learn.settings import DEFAULTS, Settings
from sparing.learn.views import environment_of

NO = float("inf")
PUMP = """
[system]
kind = "multi-component"
structure = "pump"
downtime_cost = 500.0

[[component]]
name = "pump"
transition = [[0.7, 0.2, 0.1], [0.0, 0.6, 0.4], [0.0, 0.0, 1.0]]
maintenance_cost = [[0, 0, 0], [80, 0, 0], [120, inf, 0]]
"""


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as done:
        cli.main(["train", *map(str, arguments)])
    assert done.value.code == 0
    return capsys.readouterr()


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as error:
        cli.main(["train", *map(str, arguments)])
    assert error.value.code == 2
    text = capsys.readouterr().err
    assert text.startswith("sparing: ")
    assert text.count("\n") == 1
    return text


def test_a_run_from_the_command_line(capsys, tmp_path):
    """The pump's optimum is 78 a week (the README's): replace it once it is worn."""
    case, out = tmp_path / "pump.toml", tmp_path / "run"
    case.write_text(PUMP)
    asked = [case, "--steps", "8000", "--out", out]
    report = json.loads(command(capsys, *asked, "--json").out)
    assert report["learner"] == "d3qn"
    assert report["env_steps"] >= 8000
    assert report["seconds"] > 0.0
    assert report["optimum"]["lower"] == pytest.approx(78.0, abs=1e-6)
    assert report["objective"]["upper"] == pytest.approx(78.0, rel=0.01)
    assert report["gap"] == pytest.approx(
        (sum(report["objective"].values()) / 2 - report["optimum"]["lower"]) / 78.0, abs=1e-9
    )
    assert [seed["seed"] for seed in report["seeds"]] == [0]

    problem = sparing.load(case)
    network, parameters = load_network(out / "network.safetensors")
    table = table_policy(environment_of(problem), network.apply, parameters)
    saved = sparing.TablePolicy.load(out / "policy", problem.epoch)
    np.testing.assert_array_equal(table.stages[0], saved.stages[0])
    assert sparing.evaluate(problem, saved)["objective"].value == pytest.approx(
        report["objective"]["lower"], abs=1e-6
    )
    with (out / "curves.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert int(float(rows[-1]["env_steps"])) == report["env_steps"]
    assert (out / "curves.png").stat().st_size > 10_000
    assert json.loads((out / "training.json").read_text())["finished"]

    text = command(capsys, *asked, "--resume").out  # finished: it is read, not trained again
    assert "seed 0" in text
    assert "optimum" in text
    again = json.loads((out / "training.json").read_text())
    assert again["objective"] == report["objective"]
    assert "now it is {'steps': 9000}" in refused(capsys, *asked[:2], 9000, *asked[3:], "--resume")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["three-compnent"], "did you mean three-component"),
        (["three-component", "--resume"], "--resume needs the --out folder"),
        (["three-component", "--learner", "sarsa"], "'sarsa' is not one of 'dqn'"),
        (["three-component", "--preset", "zhu"], "preset 'zhu': there is none; there are thesis"),
        (["three-component", "--device", "tpu:9"], "device 'tpu:9': there is none"),
        (["three-component", "--view", "flat", "--features", "typed-counts"], "flat view"),
        (["dropship"], "an e-tailer, not a system to maintain"),
        (["three-component", "--learner", "lookahead", "--curve"], "has no use for --curve"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(capsys, wrong, message):
    assert message in refused(capsys, *wrong)


def test_files_of_partially_observable_models_are_refused(capsys, tmp_path):
    case = tmp_path / "tiger.pomdp"
    case.write_text(
        "discount: 0.9\nvalues: cost\nstates: 1\nactions: 1\nobservations: 1\nT: 0\n1\nO: 0\n1\n"
    )
    assert "no training on .pomdp files; see sparing solve" in refused(capsys, case)


def test_a_folder_of_something_else_is_left_alone(capsys, tmp_path):
    (tmp_path / "letter.txt").write_text("dear reader")
    assert "is not of an earlier run" in refused(capsys, "three-component", "--out", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_calls_that_do_not_fit_are_refused():
    pump = sparing.load("three-component")
    for options, message in (
        ({"learner": "sarsa"}, "learner must be one of"),
        ({"seeds": []}, "at least one seed"),
        ({"seeds": [-1]}, "whole numbers of 32 bits; got \\[-1\\]"),
        ({"resume": True}, "resume needs the folder of the run"),
        ({"view": "round"}, "view must be 'sequential' or 'flat'"),
        ({"settings": Settings(), "steps": 3}, "give steps within settings"),
    ):
        with pytest.raises(ValueError, match=message):
            sparing.train(pump, **options)


def test_presets_are_what_is_published():
    """Tables 6 and 7 and section 4.5.1 of Jimenez Gonzalez (2021)."""
    thesis = PRESETS["thesis"]
    assert (thesis.hidden, thesis.dropout, thesis.batch) == ((1200, 300, 100), (0.1,), 2000)
    assert (thesis.discount, thesis.learning_rate, thesis.epsilon_decay) == (0.95, 1e-4, 0.9994)
    assert (thesis.num_iterations, thesis.choices, thesis.updates) == (10_000, 2000, 1)
    assert (thesis.target_period, thesis.double, thesis.penalty is not None) == (100, False, True)
    assert PRESETS["thesis-double"].double


def test_a_penalty_charges_what_goes_wrong_and_does_something_allowed():
    """In state (1, 0, 0) of three-component, (3, 0, 0) makes c1 two steps worse."""
    from sparing.learn.penalty import PenalisedEnvironment

    plain = environment_of(sparing.load("three-component"), view="flat")
    penalised = PenalisedEnvironment(plain, 10.0)
    states = np.zeros((plain.num_actions, plain.state_width), np.int32)
    states[:, -3] = 1
    actions = np.arange(plain.num_actions)
    key = jax.random.key(0)
    mask = np.asarray(plain.mask(states))
    assert mask.sum(axis=1).tolist() == [2] * plain.num_actions  # leave it, or bring c1 to 0
    assert np.asarray(penalised.mask(states)).all()
    instead = np.where(mask[0], actions, mask[0].argmax())
    charged = np.asarray(penalised.step(key, states, actions).cost)
    charged = charged - np.asarray(plain.step(key, states, instead).cost)
    assert charged[mask[0]] == pytest.approx(0.0, abs=1e-5)
    posts = penalised._posts
    worse = np.maximum(posts - [1, 0, 0], 0).sum(axis=1)
    expected = np.where(mask[0], 0.0, 10.0 * np.maximum(worse, 1))
    assert charged == pytest.approx(expected, abs=1e-4)
    assert expected.max() == 40.0  # (1, 2, 2) is; to leave (2, 2, 2) as it is is "do nothing"


@pytest.mark.full
@pytest.mark.parametrize(
    ("case", "reward"), [("three-component", 1.45404), ("three-component-2", 1.52032)]
)
def test_default_settings_reach_the_optimum(case, reward):
    found = sparing.train(sparing.load(case), seeds=5)
    assert -found.optimum.value == pytest.approx(reward, abs=1e-5)
    for seed in found.seeds:
        assert seed.objective.value <= -reward * (1.0 - 0.001)


@pytest.mark.full
@pytest.mark.parametrize("learner", [*DEFAULTS])
def test_every_learner_comes_near_the_optimum(learner):
    found = sparing.train(sparing.load("three-component-2"), learner=learner)
    assert found.gap < 0.05


@pytest.mark.full
@pytest.mark.parametrize("view", ["sequential", "flat"])
def test_feedwater_pumps_within_a_per_cent(view):
    found = sparing.train(sparing.load("feedwater-pumps"), view=view)
    assert found.optimum.value == pytest.approx(7.287440, abs=1e-5)
    assert found.gap < 0.01
