"""Training on a twin: seeds, saved states, what is refused, and the command."""

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from learn.compilation import shared_compilation
from learn.small_twin import CASE, SETTINGS, run
from sparing import cli
from sparing.learn.checkpoints import named_arrays
from sparing.learn.saved import load_network
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_lanes import location_orders
from sparing.learn.twin_saved import digest, plan_or_saved, start_or_saved
from sparing.learn.twin_tables import twin_tables
from sparing.simulate.twin_files import load_twin

HERE = Path(__file__).parent


def assert_same_trees(one, other):
    left, right = named_arrays(one), named_arrays(other)
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


def assert_same(one, other):
    """Two seeds have the same curves, networks and samples, bit for bit."""
    assert one.seed == other.seed
    assert one.start.margin == other.start.margin
    assert_same_trees(one.trained.parameters, other.trained.parameters)
    assert_same_trees(one.trained.history, other.trained.history)
    for policy, again in zip(one.policies, other.policies, strict=True):
        assert (policy.name, policy.days) == (again.name, again.days)
        assert_same_trees(policy.parameters, again.parameters)
        np.testing.assert_array_equal(policy.result.samples, again.result.samples)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Let runs of this module share what is compiled."""
    with shared_compilation(tmp_path_factory.mktemp("compiled")):
        yield


@pytest.mark.full
def test_a_killed_run_goes_on_to_the_identical_result(compiled, tmp_path):
    """Seed 1, killed with SIGKILL behind rollout 2 of 4, is what it is beside seed 0.

    So is it when killed between its start and the first rollout, or while it is fitted.
    """
    whole = run(seeds=(0, 1))
    assert [seed.seed for seed in whole.seeds] == [0, 1]
    code = [sys.executable, str(HERE / "train_twin_and_die.py"), str(tmp_path), "1", "2"]
    done = subprocess.run(code, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    own = tmp_path / "seed-1"
    assert json.loads((own / "checkpoint.json").read_text())["iteration"] == 1  # 2 was not saved
    seen = []
    resumed = run(seeds=(1,), folder=tmp_path, resume=True, progress=seen.append)
    assert [progress.env_steps for progress in seen] == [48, 72, 96]
    assert_same(resumed.seeds[0], whole.seeds[1])
    np.testing.assert_array_equal(resumed.plan.result.samples, whole.plan.result.samples)
    for result in (resumed, whole):  # the choice is judged on luck of its own
        assert result.objective.seed == result.plan_beside.seed != result.plan.result.seed
        assert (result.objective.samples != result.best.result.samples).any()
    parameters = [seed.trained.parameters["head"]["weight"] for seed in whole.seeds]
    assert not np.array_equal(*parameters)

    (own / "checkpoint.json").unlink()
    assert_same(run(seeds=(1,), folder=tmp_path, resume=True).seeds[0], whole.seeds[1])
    shutil.rmtree(own)
    assert_same(run(seeds=(1,), folder=tmp_path, resume=True).seeds[0], whole.seeds[1])
    finished = run(seeds=(1,), folder=tmp_path, resume=True, progress=seen.append)
    assert len(seen) == 3  # nothing was left to do
    assert_same(finished.seeds[0], whole.seeds[1])

    other = replace(SETTINGS, batch=16)
    with pytest.raises(ValueError, match=r"now it is \{'batch': 16\}"):
        run(seeds=(1,), folder=tmp_path, resume=True, settings=other)
    with pytest.raises(ValueError, match="holds a run with days"):
        run(seeds=(1,), folder=tmp_path, resume=True, days=[130.0])


def test_a_start_that_was_saved_is_the_same_and_of_its_twin_alone(tmp_path):
    twin = replace(load_twin(CASE), orders="single")
    dynamics = Dynamics(twin_tables(twin, step_hours=twin.period_hours))
    options = {"told": lambda text: None}
    key = {"model": digest(twin), "seed": 3}
    found = []
    for resume in (False, True):
        given = options | {"resume": resume}
        (part,) = twin.network.parts
        plan = plan_or_saved(twin, part, 0, folder=tmp_path / "plan", **given)
        rule = location_orders(dynamics, {part.name: plan.orders})
        found.append(
            start_or_saved(
                dynamics,
                {part.name: plan},
                rule,
                SETTINGS,
                key,
                seed=3,
                folder=tmp_path / "start",
                **given,
            )
        )
        np.testing.assert_array_equal(
            plan.orders.quantity,
            plan.planner.orders(site_price=1.0, warehouse_price=plan.warehouse_price).quantity,
        )
    (start, data), (again, same) = found
    assert_same_trees(data, same)
    assert_same_trees(start.parameters, again.parameters)
    for name in ("unit", "baseline", "price", "quantities", "offered"):
        np.testing.assert_array_equal(getattr(start.agents, name), getattr(again.agents, name))
    for name in ("margin", "agreement", "regret", "network"):
        assert getattr(start, name) == getattr(again, name)

    changed = replace(twin, rate_factor=1.5)
    with pytest.raises(ValueError, match="holds a run with model 'spares-twin twin"):
        plan_or_saved(changed, part, 0, folder=tmp_path / "plan", resume=True, **options)


def test_twins_are_told_apart():
    twin = load_twin(CASE)
    assert digest(twin) == digest(load_twin(CASE))
    other = replace(twin, effects={**twin.effects, "temperature": 0.31})
    network = replace(twin.network, discount=0.999)
    assert len({digest(x) for x in (twin, other, replace(twin, network=network))}) == 3


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as error:
        cli.main(["train", *map(str, arguments)])
    assert error.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--steps", 5], "a fleet is learned on its twin, which has no use for --steps;"),
        (["--learner", "qv", "--view", "flat"], "no use for --learner, --view;"),
        (["--curve", "--preset", "thesis"], "no use for --preset, --curve;"),
        (["--days", 500], "days must be at most 364, in whole rollouts of 4 reviews"),
        (["--part", "pump"], "unknown part 'pump'; known: battery-module"),
        (["--resume"], "--resume needs the --out folder"),
    ],
)
def test_what_does_not_fit_a_fleet_is_refused(capsys, tmp_path, wrong, message):
    out = tmp_path / "run"
    more = [] if wrong == ["--resume"] else ["--out", out]
    assert message in refused(capsys, "ess-fleet", *wrong, *more)
    assert not out.exists()


@pytest.mark.full
def test_a_fleet_from_the_command_line(compiled, capsys, tmp_path):
    out = tmp_path / "run"
    asked = ["ess-fleet", "--part", "gateway", "--days", 28, "--days", 60, "--fleets", 8]
    asked += ["--replications", 8, "--seeds", 2, "--out", out]
    with pytest.raises(SystemExit) as done:
        cli.main(["train", *map(str, asked), "--json"])
    assert done.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert report["env_steps"] == 2 * 2 * 4 * 8 * 24  # seeds, rollouts, reviews, fleets, locations
    assert report["seconds"] > sum(seed["seconds"] for seed in report["seeds"])
    assert [seed["seed"] for seed in report["seeds"]] == [0, 1]
    assert report["optimum"] is None
    assert report["gap"] is None
    assert report["optimum_is"].startswith("not known")
    assert 0.0 < report["objective"]["lower"] < report["objective"]["upper"]
    assert report["objective_less_plan"]["half_width"] >= 0.0
    assert [row["days"] for row in report["policies"]] == [None, *[0.0, 28.0, 56.0] * 2]
    assert report["policies"][0]["total_less_plan"] == {"mean": 0.0, "half_width": 0.0}
    totals = [row["total"]["mean"] for row in report["policies"]]
    best = report["policies"][totals.index(min(totals))]
    assert (report["best"], report["best_seed"]) == (best["policy"], best["seed"])
    saved = json.loads((out / "training.json").read_text())
    assert saved["finished"]
    assert saved["policies"] == report["policies"]
    with (out / "curves.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert [int(float(row["env_steps"])) for row in rows] == [192 * k for k in range(1, 9)] * 2
    assert load_network(out / "network.safetensors")[0].hidden == (128, 128)
    for name in ("curves.png", "learning.png"):
        assert (out / name).stat().st_size > 10_000
    with pytest.raises(SystemExit):
        cli.main(["train", *map(str, asked), "--resume"])  # finished: read, and compared again
    shown = capsys.readouterr()
    assert "after 56 days, seed 1" in shown.out
    assert "fitting" not in shown.err
    again = json.loads((out / "training.json").read_text())
    assert again["policies"] == report["policies"]
    assert again["objective"] == report["objective"]
