"""Plans that do not fit into memory: what is done instead, why, and how it is kept."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sparing
from sparing.cli import main
from sparing.commands.memory import parsed_memory
from sparing.evaluate.simulated_limits import Runs, renewal_limits, search_limits, simulated
from sparing.exact.engine import solve_bytes
from sparing.exact.policy_evaluation import evaluate_policy
from sparing.planning.large_files import load_large
from sparing.planning.method import choose_method
from sparing.planning.planning import make_plan

PUMP = """
[[component]]
name = "p{number}"
kind = "pump"
states = 3
renewals = ["replace"]
maintenance_cost = [[0, 0, 0], [30, 0, 0], [60, inf, inf]]
"""
WEAR = np.array([[0.8, 0.15, 0.05], [0.0, 0.7, 0.3], [0.0, 0.0, 1.0]])


def write_folder(folder, num, required, units=3, periods=10):
    """Write units of `num` pumps, replaced when failed, inspected each period."""
    rng, names = np.random.default_rng(0), [f"p{k}" for k in range(num)]
    settings = f"""
[plan]
period = 1
draws = 20
[system]
kind = "multi-component"
structure = "{required}-of({", ".join(names)})"
setup_cost = 20
downtime_cost = 500
"""
    folder.mkdir(exist_ok=True)
    (folder / "plan.toml").write_text(settings + "".join(PUMP.format(number=k) for k in range(num)))
    seen, done = ["Unit,Component,Time,State"], ["Unit,Component,Time,Action,Cost"]
    for unit in range(units):
        states = np.zeros(num, dtype=int)
        for time in range(periods):
            for k, name in enumerate(names):
                seen.append(f"u{unit},{name},{time},{states[k]}")
                if states[k] == 2:
                    done.append(f"u{unit},{name},{time},replace,60")
                    states[k] = 0
                states[k] = rng.choice(3, p=WEAR[states[k]])
    (folder / "inspections.csv").write_text("\n".join(seen) + "\n")
    (folder / "maintenance.csv").write_text("\n".join(done) + "\n")
    return folder


@pytest.fixture(scope="module")
def thirty(tmp_path_factory):
    """3^30 states: a table of them would take 1.5 PiB."""
    return write_folder(tmp_path_factory.mktemp("large") / "site", 30, 20)


def test_thirty_components_are_planned_and_kept(thirty, tmp_path, capsys):
    out = tmp_path / "out"
    stopped(["plan", str(thirty), "--out", str(out), "--steps", "0", "--json"], 0)
    found = json.loads(capsys.readouterr().out)
    assert found["states"] == 3**30
    assert found["method"]["is_exact"] is False
    assert found["method"]["needed"] >= 2 * 4 * 3**30
    assert "not solved exactly" in found["method"]["reason"]
    assert "learned is left out: as asked." in found["message"]
    report = (out / "report.html").read_text()
    assert "How the policy was found" in report
    assert found["method"]["reason"][1:] in report

    problem, policy = load_large(out / "solution")
    limits = found["candidates"][0]["limits"]
    assert len(set(limits)) == 1  # alike, so the same for all
    for advice in found["advice"]:
        states = [state or 0 for state in advice["states"].values()]
        target = [0 if s >= limits[0] or s == 2 else s for s in states]
        assert list(advice["action"].values()) == target
        assert policy.action(states).tolist() == target
    other = simulated(problem, policy, Runs(seed=7))
    lower, upper = found["objective"]["lower"], found["objective"]["upper"]
    assert lower - other.half_width <= other.objective <= upper + other.half_width

    stopped(["policy", str(out), "--state", "p3=2,p7=1", "--json"], 0)
    action = json.loads(capsys.readouterr().out)["action"]
    assert action["p3"] == 0
    assert action["p7"] == (0 if limits[0] == 1 else 1)


def test_components_of_one_kind_share_their_records(tmp_path):
    plan = make_plan(write_folder(tmp_path / "site", 3, 2))
    assert list(plan.estimates.components) == ["pump"]
    assert plan.estimates.components["pump"].posterior.num_spans == 3 * 3 * 9
    first, *others = plan.problem.components
    assert all(np.array_equal(first.transition, c.transition) for c in others)
    drawn = plan.estimates.drawn_problem(3).components
    assert np.array_equal(drawn[0].transition, drawn[2].transition)
    assert not np.array_equal(drawn[0].transition, first.transition)


def small(tmp_path, num=3):
    return make_plan(write_folder(tmp_path / "site", num, num - 1)).problem


def test_exact_where_it_fits_and_float32_where_that_alone_fits(tmp_path):
    problem = small(tmp_path)
    wide, narrow = (
        solve_bytes(problem.epoch, problem.weights, dtype=dtype)
        for dtype in (np.float64, np.float32)
    )
    assert narrow < wide
    assert choose_method(problem, wide).dtype == "float64"
    assert choose_method(problem, wide - 1).dtype == "float32"
    assert choose_method(problem, narrow).is_exact
    refused = choose_method(problem, narrow - 1)
    assert not refused.is_exact
    assert "27 states need at least" in refused.reason


@pytest.mark.parametrize("memory", [0.0, -1.0, float("nan")])
def test_memory_must_be_above_nothing(tmp_path, memory):
    with pytest.raises(ValueError, match="memory must be above 0 bytes"):
        choose_method(small(tmp_path), memory)


def test_limits_in_rollouts_cost_what_they_cost_exactly(tmp_path):
    problem = small(tmp_path)
    for limits in [(1, 1, 1), (2, 1, 3)]:
        policy = renewal_limits(problem, limits)
        exact = evaluate_policy(problem.epoch, policy, {"cost": problem.weights})["cost"].value
        found = simulated(problem, policy, Runs(seed=3, num_replications=200))
        assert abs(found.objective - exact) < 1.5 * found.half_width


def test_the_search_finds_the_best_common_limits(tmp_path):
    problem = small(tmp_path)
    exact = {}
    for limit in (1, 2, 3):
        policy = renewal_limits(problem, (limit,) * 3)
        exact[limit] = evaluate_policy(problem.epoch, policy, {"c": problem.weights})["c"].value
    found = search_limits(problem, Runs(num_epochs=400, num_replications=32))
    assert exact[found.limits[0]] <= 1.02 * min(exact.values())


@pytest.mark.full
def test_a_learned_policy_is_kept_and_acts_as_before(tmp_path):
    """A million states allowed no memory: trained, priced beside limits, saved, read back."""
    folder = write_folder(tmp_path / "site", 8, 5)
    plan = make_plan(folder, memory=1024, steps=200_000)
    learned = plan.solution.candidates["learned"]
    optimum = sparing.solve(plan.problem)
    assert learned.result.objective + learned.result.half_width >= optimum.lower
    assert plan.solution.lower <= plan.solution.candidates["limits"].result.objective
    chosen = type(plan.solution)(**{**vars(plan.solution), "chosen": "learned"})
    from sparing.planning.large_files import save_large

    save_large(chosen, tmp_path / "solution", plan.problem)
    _, policy = load_large(tmp_path / "solution")
    states = np.random.default_rng(0).integers(0, 3, (20, 8)).astype(np.int32)
    assert np.array_equal(policy.action(states), learned.policy.action(states))


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GiB", 2**32), ("500 MB", 500 * 2**20), ("1.5k", 1536), ("7", 7), (None, None)],
)
def test_sizes_are_read(text, size):
    assert parsed_memory(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1GiB", "4 potatoes", "GiB", "nan"])
def test_what_is_no_size_is_refused(text, tmp_path, capsys):
    with pytest.raises(ValueError, match="--memory must be a size above 0"):
        parsed_memory(text)


def test_kinds_must_be_alike(tmp_path):
    folder = write_folder(tmp_path / "site", 3, 2)
    text = (folder / "plan.toml").read_text()
    (folder / "plan.toml").write_text(text.replace("states = 3", "states = 2", 1))
    with pytest.raises(ValueError, match="is of kind 'pump' like 'p0'; both must have the same"):
        make_plan(folder)
    (folder / "plan.toml").write_text(text.replace('kind = "pump"', "kind = 3", 1))
    with pytest.raises(ValueError, match="kind must be a name; got 3"):
        make_plan(folder)


def stopped(arguments, code):
    with pytest.raises(SystemExit) as found:
        main(arguments)
    assert found.value.code == code
