"""Plans that do not fit into memory: what is done instead, why, and how it is kept."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import sparing
from sparing.cli import main
from sparing.commands.memory import parsed_memory
from sparing.evaluate.actions import all_states
from sparing.exact.engine import solve_bytes
from sparing.exact.policy_evaluation import evaluate_policy
from sparing.large.crew_policies import CrewLimits
from sparing.large.crew_system import CrewSystem
from sparing.large.crew_training import exact_objective
from sparing.models.maintenance_policies import control_limits
from sparing.planning import large, large_compare, planning
from sparing.planning import large_robustness as large_robustness_of
from sparing.planning import robustness as robustness_of
from sparing.planning.estimation import estimate
from sparing.planning.folder import read_plan_folder
from sparing.planning.large import simulated, solve_large
from sparing.planning.large_compare import compared_by_simulation
from sparing.planning.large_files import load_large, save_large
from sparing.planning.large_robustness import large_robustness
from sparing.planning.method import choose_method
from sparing.planning.observed import observed_limits_by_kind
from sparing.planning.planning import make_plan
from sparing.planning.robustness import robustness
from sparing.policies import TablePolicy

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


def test_thirty_components_are_planned_and_kept(thirty, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(planning, "solve_large", partial(solve_large, quick=True))
    shortened(monkeypatch)
    out = tmp_path / "out"
    stopped(["plan", str(thirty), "--out", str(out), "--json"], 0)
    found = json.loads(capsys.readouterr().out)
    assert found["states"] == 3**30
    assert found["method"]["is_exact"] is False
    assert found["method"]["needed"] >= 2 * 4 * 3**30
    assert "not solved exactly" in found["method"]["reason"]
    lower, upper = found["objective"]["lower"], found["objective"]["upper"]
    assert found["optimum_lower"] < upper
    assert found["gap"] == pytest.approx((lower + upper) / 2 / found["optimum_lower"] - 1)
    interval = found["robustness"]["interval"]
    assert interval["lower"] < (lower + upper) / 2 < interval["upper"]
    assert interval["upper"] - interval["lower"] > upper - lower
    assert found["robustness"]["value_of_information"] is None
    worth = found["robustness"]["better_data_is_worth"]
    assert worth["remark"] == ""
    assert worth["at_least"]["mean"] + 3.0 * worth["at_least"]["standard_error"] >= 0.0
    first, *others = found["policies"]
    assert first["name"].startswith("recommended: ")
    assert {"plain", "corrective", "today"} <= {row["key"] for row in others}
    for row in others:  # pairs on the same luck say the same as the means
        above = row["above_recommended"]
        assert above["mean"] == pytest.approx(row["cost"] - first["cost"])
        assert above["half_width"] < row["cost_half_width"] + first["cost_half_width"]
    today = next(row for row in others if row["key"] == "today")
    assert today["name"] == "today: control limits 2 (30 times)"
    assert today["above_recommended"]["mean"] > today["above_recommended"]["half_width"]
    report = (out / "report.html").read_text()
    assert "policies tuned to it would save" in report
    assert "today: control limits 2 (30 times)" in report
    assert found["method"]["reason"][1:] in report
    assert "above it" in report

    problem, policy = load_large(out / "solution")
    for advice in found["advice"]:
        states = [state or 0 for state in advice["states"].values()]
        assert list(advice["action"].values()) == policy.action(states).tolist()
    other = simulated(problem, policy, seed=7)
    assert lower - other.half_width <= other.objective <= upper + other.half_width

    stopped(["policy", str(out), "--state", "p3=2,p7=1", "--json"], 0)
    assert json.loads(capsys.readouterr().out)["action"]["p3"] == 0

    # The same policy is kept by an update that asks for it.
    new = tmp_path / "new.csv"
    new.write_text("Unit,Component,Time,State\nu9,p0,20,0\n")
    shutil.copytree(thirty, tmp_path / "site")
    shutil.copytree(out, tmp_path / "site" / "plan")
    stopped(["update", str(tmp_path / "site"), str(new), "--keep", "--json"], 0)
    moved = json.loads(capsys.readouterr().out)
    assert moved["chosen"] == "kept"
    assert moved["change"]["resolved"] is False


def test_components_of_one_kind_share_their_records(tmp_path):
    plan = make_plan(write_folder(tmp_path / "site", 3, 2))
    assert list(plan.estimates.components) == ["pump"]
    assert plan.estimates.components["pump"].posterior.num_spans == 3 * 3 * 9
    first, *others = plan.problem.components
    assert all(np.array_equal(first.transition, c.transition) for c in others)
    drawn = plan.estimates.drawn_problem(3).components
    assert np.array_equal(drawn[0].transition, drawn[2].transition)
    assert not np.array_equal(drawn[0].transition, first.transition)


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    """Two of three pumps."""
    folder = write_folder(tmp_path_factory.mktemp("small") / "site", 3, 2)
    return estimate(read_plan_folder(folder)).mean_problem()


def test_exact_where_it_fits_and_float32_where_that_alone_fits(problem):
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
def test_memory_must_be_above_nothing(problem, memory):
    with pytest.raises(ValueError, match="memory must be above 0 bytes"):
        choose_method(problem, memory)


def shortened(monkeypatch):
    """Simulate less."""
    monkeypatch.setattr(large, "EPOCHS", 300)
    monkeypatch.setattr(large_compare, "EPOCHS", 200)
    monkeypatch.setattr(large_compare, "REPLICATIONS", 64)
    monkeypatch.setattr(large_robustness_of, "MOST_DRAWS", 6)
    monkeypatch.setattr(large_robustness_of, "TUNED_DRAWS", 2)
    monkeypatch.setattr(large_robustness_of, "LANES", 64)


def test_a_simulated_robustness_is_near_the_exact_one(tmp_path, monkeypatch):
    """Of a system that is solved: the tuned policy's cost by draw, simulated and exact.

    What policies tuned for the draws save is at most what their optima do, and the distance to
    lower bounds at least that.
    """
    monkeypatch.setattr(large_robustness_of, "TUNED_DRAWS", 10)
    monkeypatch.setattr(large_robustness_of, "LANES", 256)
    folder = write_folder(tmp_path / "site", 3, 2)
    estimates = estimate(read_plan_folder(folder))
    mean = estimates.mean_problem()
    policy = CrewLimits(CrewSystem(mean), (1,), (1,), 1)
    table = TablePolicy(mean.epoch, (flat(mean, policy.action(all_states(mean))),))
    exact = robustness(estimates, table, num_draws=20)
    found = large_robustness(estimates, policy, num_draws=20)
    assert found.value_of_information is None
    regret = (exact.cost - exact.optimum)[:10]
    least, most = found.worth_at_least, found.worth_at_most
    assert least[0] <= regret.mean() + 3.0 * least[1]
    assert most[0] >= regret.mean() - 3.0 * most[1]
    assert least[0] >= 0.5 * regret.mean() - 3.0 * least[1]
    assert np.corrcoef(found.cost, exact.cost)[0, 1] > 0.9
    assert found.cost.mean() == pytest.approx(exact.cost.mean(), rel=0.05)


def test_simulated_rows_hold_their_exact_costs(tmp_path):
    """Of a system that is solved: 95 % intervals, four of them, each with room for a bad day."""
    source = read_plan_folder(write_folder(tmp_path / "site", 3, 2))
    problem, notes = estimate(source).mean_problem(), []
    policies = {"recommended": ("optimum", sparing.solve(problem).policy)}
    limits = observed_limits_by_kind(source)
    assert limits == {"p0": 2, "p1": 2, "p2": 2}  # failed ones are replaced
    rows, today = compared_by_simulation(problem, policies, today=limits, refused=notes)
    assert notes == []
    for row in (*rows.values(), today):
        bounds = exact_of(problem, row.policy)
        assert row.cost == pytest.approx(bounds.value, abs=2.0 * row.half_width)
    plain = [CrewLimits(CrewSystem(problem), (n,), (n,)) for n in (1, 2)]
    best = min(exact_of(problem, policy).value for policy in plain)
    assert exact_of(problem, rows["plain"].policy).value == pytest.approx(best)
    assert today.policy.renew == rows["corrective"].policy.renew == (2,)


def exact_of(problem, policy):
    if isinstance(policy, CrewLimits):
        return exact_objective(problem, policy)
    return evaluate_policy(problem.epoch, policy, {"objective": problem.weights})["objective"]


def test_what_cannot_be_compared_is_said(tmp_path):
    """Where components stand twice in the structure, the rules of large systems do not fit."""
    folder = write_folder(tmp_path / "site", 3, 2)
    text = (folder / "plan.toml").read_text()
    (folder / "plan.toml").write_text(text.replace("2-of(p0, p1, p2)", "(p0 & p1) | (p0 & p2)"))
    source, notes = read_plan_folder(folder), []
    estimates = estimate(source)
    problem = estimates.mean_problem()
    policy = sparing.solve(problem).policy
    limits = observed_limits_by_kind(source)
    rows, today = compared_by_simulation(
        problem, {"recommended": ("optimum", policy)}, today=limits, refused=notes
    )
    assert list(rows) == ["recommended", "corrective"]
    rule = control_limits(problem, (2, 2, 2), result="new")
    exact = evaluate_policy(problem.epoch, rule, {"objective": problem.weights})["objective"]
    assert today.cost == pytest.approx(exact.value, abs=2.0 * today.half_width)
    assert "Control limits are not tuned: " in notes[0]
    found = large_robustness(estimates, policy, num_draws=3)
    assert found.worth_at_least is None
    assert found.worth_at_most is None
    assert "What better data is worth is not known: " in found.remark
    assert "names each component once" in found.remark


def test_one_type_that_was_treated_in_two_ways_has_no_rule_of_today(tmp_path):
    source = read_plan_folder(write_folder(tmp_path / "site", 3, 2))
    problem, notes = estimate(source).mean_problem(), []
    policy = CrewLimits(CrewSystem(problem), (1,), (1,))
    limits = {"p0": 1, "p1": 2, "p2": 2}
    _, today = compared_by_simulation(
        problem, {"recommended": ("limits", policy)}, today=limits, refused=notes
    )
    assert today is None
    assert "were renewed from different states on, [1, 2]; give them one kind" in notes[0]


def test_an_optimum_of_many_states_is_compared_by_simulation(tmp_path, monkeypatch):
    """More states than are compared exactly, fewer than fit: the optimum beside today's rule."""
    monkeypatch.setattr(planning, "COMPARED_STATES", 1)
    monkeypatch.setattr(robustness_of, "MOST_STATES", 1)
    shortened(monkeypatch)
    plan = make_plan(write_folder(tmp_path / "site", 3, 2))
    assert plan.method.is_exact
    assert plan.rows["recommended"].name == "recommended: optimum"
    assert plan.today.difference.mean > 0.0
    assert plan.robustness.worth_at_least is not None
    plan.save(tmp_path / "out")
    assert "policies tuned to it would save" in (tmp_path / "out" / "report.html").read_text()


def flat(problem, posts):
    return np.ravel_multi_index(tuple(posts.T.astype(np.int64)), problem.epoch.shape)


@pytest.mark.full
def test_a_learned_policy_is_kept_and_acts_as_before(tmp_path):
    """A million states allowed no memory: trained beside the tuned ones, saved, read back."""
    plan = make_plan(write_folder(tmp_path / "site", 8, 5), memory=1024, steps=200_000)
    learned = plan.solution.candidates["learned"]
    optimum = sparing.solve(plan.problem)
    for found in plan.solution.candidates.values():
        assert found.objective.upper >= optimum.lower - 1e-6
        assert plan.solution.best.objective.value <= found.objective.value
    save_large(replace(plan.solution, chosen="learned"), tmp_path / "solution", plan.problem)
    _, policy = load_large(tmp_path / "solution")
    states = np.random.default_rng(0).integers(0, 3, (20, 8)).astype(np.int32)
    assert np.array_equal(policy.action(states), learned.policy.action(states))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GiB", 2**32),
        ("500 MB", 500 * 2**20),
        ("1.5k", 1536),
        ("7000000", 7_000_000),
        (None, None),
    ],
)
def test_sizes_are_read(text, size):
    assert parsed_memory(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1GiB", "4 potatoes", "GiB", "nan"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="--memory must be a size above 0"):
        parsed_memory(text)


def test_a_number_whose_unit_was_forgotten_is_refused():
    with pytest.raises(ValueError, match="is 4 bytes without a unit; give one, as 4GiB"):
        parsed_memory("4")


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
