"""Exact figures of a policy on the way, and the thesis's printed ones beside them."""

import csv
import json
from dataclasses import replace

import jax
import numpy as np
import pytest
import sparing
from sparing import cli
from sparing.evaluate.policy_comparison import policy_row
from sparing.learn.curve import CurveRecorder
from sparing.learn.networks import Network
from sparing.learn.run_records import Snapshot
from sparing.learn.views import environment_of
from sparing.policies import TablePolicy
from sparing.report.thesis_learning import TABLE_8, action_shares, plot_curve, write_curve


@pytest.fixture(scope="module")
def problem():
    return sparing.load("three-component-2")


@pytest.fixture(scope="module")
def environment(problem):
    return environment_of(problem, view="flat")


def point_of(problem, environment, *, masked, epsilon):
    recorder = CurveRecorder(problem, environment, masked=masked)
    network = Network(
        num_features=environment.num_features, num_actions=environment.num_actions, hidden=(8,)
    )
    parameters = network.init(jax.random.key(4))
    parameters["head"]["weight"] = 30.0 * parameters["head"]["weight"]
    shot = Snapshot(seed=0, env_steps=7, epsilon=epsilon, parameters=jax.device_get(parameters))
    recorder(shot, network)
    return recorder.points[0], network, parameters


@pytest.mark.full
def test_greedy_figures_are_those_of_the_table(problem, environment):
    from sparing.learn.policy import table_policy

    point, network, parameters = point_of(problem, environment, masked=True, epsilon=0.0)
    row = policy_row(problem, table_policy(environment, network.apply, parameters))
    assert point.greedy["objective"] == pytest.approx(-row.reward, abs=1e-6)
    assert point.greedy["cost_rate"] == pytest.approx(row.cost, abs=1e-4)
    assert point.greedy["reliability"] == pytest.approx(row.reliability, abs=1e-6)
    assert point.acting == pytest.approx(point.greedy, abs=1e-4)  # it does not explore


@pytest.mark.full
@pytest.mark.parametrize("masked", [True, False])
def test_what_acts_is_what_the_environment_does(problem, environment, masked):
    """All random: long-run figures against a simulation of the training's own environment."""
    from sparing.learn.penalty import PenalisedEnvironment

    point, *_ = point_of(problem, environment, masked=masked, epsilon=1.0)
    lanes, steps = 512, 60
    own = environment if masked else PenalisedEnvironment(environment, 1e-9)

    @jax.jit
    def run(key):
        def step(states, key):
            drawing, moving = jax.random.split(key)
            draws = jax.random.uniform(drawing, (lanes, own.num_actions))
            actions = jax.numpy.where(own.mask(states), draws, 2.0).argmin(axis=1)
            found = own.step(moving, states, actions)
            return found.states, found.cost

        start = own.initial(key, lanes)
        return jax.lax.scan(step, start, jax.random.split(key, steps))[1][10:]

    cost = np.asarray(run(jax.random.key(0))).mean(axis=0)
    sigma = cost.std() / np.sqrt(lanes)
    assert abs(cost.mean() - point.acting["objective"]) < 4.5 * sigma
    assert sigma < 0.02


def test_shares_stand_beside_table_8(problem):
    assert sum(TABLE_8.values()) == pytest.approx(0.9992)
    always = np.zeros(problem.num_states, dtype=np.uint32)  # replace everything
    shares = action_shares("three-component-2", problem, TablePolicy(problem.epoch, (always,)))
    assert shares[0]["share"] == pytest.approx(1.0)
    assert shares[0]["thesis"] == 0.412
    assert {tuple(row["after"].values()) for row in shares} == {*TABLE_8}
    other = action_shares("mine", problem, TablePolicy(problem.epoch, (always,)))
    assert [(row["share"], row["thesis"]) for row in other] == [(pytest.approx(1.0), None)]


def test_curves_are_written_and_drawn(problem, environment, tmp_path):
    point, *_ = point_of(problem, environment, masked=True, epsilon=0.3)
    points = [point, replace(point, env_steps=14)]
    write_curve(points, tmp_path / "learning.csv")
    with (tmp_path / "learning.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert [row["env_steps"] for row in rows] == ["7", "14"]
    assert float(rows[0]["acting_cost_rate"]) == pytest.approx(point.acting["cost_rate"])
    plot_curve(points, tmp_path / "learning.png", optimum=point.greedy, printed=True, title="t")
    assert (tmp_path / "learning.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["three-component", "--curve"], "curves need one joint choice per inspection"),
        (["feedwater-pumps", "--curve", "--view", "flat"], "curves are of multi-component systems"),
        (["hidden-1-of-5", "--curve"], "curves are of multi-component systems"),
    ],
)
def test_what_has_no_curve_is_refused_in_one_line(capsys, given, message):
    with pytest.raises(SystemExit) as done:
        cli.main(["train", *given])
    assert done.value.code == 2
    text = capsys.readouterr().err
    assert message in text
    assert text.count("\n") == 1


@pytest.mark.full
@pytest.mark.parametrize("preset", ["thesis", "thesis-double"])
def test_the_first_episodes_of_the_thesiss_own_setup(capsys, tmp_path, preset):
    """A hundred episodes of Algorithm 1 hardly learn; its double reading soon does."""
    steps = 200_000 if preset == "thesis" else 16_000
    asked = ["train", "three-component-2", "--preset", preset, "--view", "flat", "--curve"]
    with pytest.raises(SystemExit) as done:
        cli.main([*asked, "--steps", str(steps), "--out", str(tmp_path / "run"), "--json"])
    assert done.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["curve"]) == 50
    first, last = report["curve"][0], report["curve"][-1]
    assert last["epsilon"] < first["epsilon"]
    assert report["policy"]["reward"] == pytest.approx(-last["greedy"]["objective"], abs=1e-5)
    assert sum(row["share"] for row in report["actions"]) == pytest.approx(1.0, abs=1e-3)
    if preset == "thesis-double":
        assert report["gap"] < 0.5
    assert (tmp_path / "run" / "learning.png").stat().st_size > 10_000
