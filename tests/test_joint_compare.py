"""Joint against separate planning: the baseline, the comparison, the command line."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import sparing
import tomli_w
from random_spares import listed, random_joint
from reference_solve import limiting_matrix
from sparing.evaluate import joint_comparison
from sparing.evaluate.joint_comparison import compare_joint
from sparing.evaluate.maintenance_first import MaintenanceFirst, with_unlimited_spares
from sparing.models.case_files import table_of_problem

JOINT = Path(__file__).parent / "data" / "joint.toml"
BUILT_IN = "joint-maintenance-spares"


def average_problem(seed):
    return random_joint(np.random.default_rng(seed), criterion="average", discount=1.0)


def average_cost(book, policy, problem, start):
    """Return the long-run average objective of a table policy, from the listed system."""
    shape = problem.epoch.shape
    states = np.stack(np.unravel_index(np.arange(problem.num_states), shape), axis=1)
    posts = policy.action(states)
    from sparing.evaluate.actions import orders_of

    orders = orders_of(problem, states, posts)
    num = len(problem.components)
    pairs = [
        book.pairs[i, tuple(post[:num].tolist()), tuple(order.tolist())]
        for i, (post, order) in enumerate(zip(posts, orders, strict=True))
    ]
    share = limiting_matrix(book.mdp.transition[pairs])[start]
    return share @ book.mdp.cost[pairs]


@pytest.mark.parametrize("seed", range(12))
def test_separate_planning_costs_what_brute_force_says_and_never_less_than_the_optimum(seed):
    """Every (s, S): what the chain of nodes costs is what the listed system costs."""
    problem = average_problem(seed)
    book = listed(problem)
    start = int(np.ravel_multi_index(problem.initial_state, problem.epoch.shape))
    optimum = sparing.solve(problem)
    first = MaintenanceFirst(problem)
    costs = {}
    choices = [
        [(s, up) for up in range(1, x.capacity + 1) for s in range(up)] for x in problem.spares
    ]
    for levels in product(*choices):
        policy = first.policy(dict(zip([s.name for s in problem.spares], levels, strict=True)))
        costs[levels] = average_cost(book, policy, problem, start)
        found = first.objective(levels)
        assert found.lower - 1e-6 <= costs[levels] <= found.upper + 1e-6
        assert costs[levels] >= optimum.lower - 1e-7
    best = first.best_levels()
    assert best.exhaustive
    least = min(first.objective(levels).upper for levels in costs)
    assert best.objective.upper <= least
    orders = average_cost(book, first.best_orders(), problem, start)
    assert optimum.lower - 1e-7 <= orders <= best.objective.upper + 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_maintenance_first_does_what_it_wants_wherever_the_stock_allows(seed):
    problem = average_problem(seed)
    first = MaintenanceFirst(problem)
    wanted = sparing.solve(first.unlimited, tol=1e-7, keep_value=True)
    shape = problem.epoch.shape
    num = len(problem.components)
    states = np.stack(np.unravel_index(np.arange(problem.num_states), shape), axis=1)
    after = np.stack(np.unravel_index(first.posts, shape), axis=1)[:, :num]
    plan = wanted.policy.action(states[:, :num])
    enough = np.ones(len(states), dtype=bool)
    for k, spare in enumerate(problem.spares):
        users = [problem.names.index(name) for name in spare.used_by]
        taken = ((states[:, users] > 0) & (plan[:, users] == 0)).sum(axis=1)
        if spare.emergency_cost is None:
            enough &= spare.on_hand[states[:, num + k]] >= taken
    np.testing.assert_array_equal(after[enough], plan[enough])
    assert enough.any()


def test_unlimited_spares_bound_the_joint_optimum():
    for seed in range(30):
        problem = average_problem(100 + seed)
        if any(
            s.emergency_cost is not None and s.emergency_cost < s.order_unit for s in problem.spares
        ):
            continue
        bound = sparing.solve(with_unlimited_spares(replace(problem, goals={})))
        assert bound.lower <= sparing.solve(replace(problem, goals={})).upper + 1e-6


def test_corrective_maintenance_replaces_what_has_failed_and_nothing_else():
    problem = sparing.load(JOINT)
    posts = MaintenanceFirst(problem, rule="corrective").posts
    shape = problem.epoch.shape
    states = np.stack(np.unravel_index(np.arange(problem.num_states), shape), axis=1)
    after = np.stack(np.unravel_index(posts, shape), axis=1)[:, :3]
    failed = states[:, :3] == 2
    no_rotor = problem.spares[0].on_hand[states[:, 3]] == 0
    expected = np.where(failed, 0, states[:, :3])
    expected[:, 0] = np.where(failed[:, 0] & no_rotor, 1, expected[:, 0])  # a repair, as in a pinch
    np.testing.assert_array_equal(after, expected)


def test_the_comparison_of_the_known_case():
    found = compare_joint(sparing.load(JOINT))
    assert found.rows["joint"].objective.value == pytest.approx(138.142154523, abs=1e-6)
    order = ("unlimited", "joint", "best-orders", "maintenance-first", "corrective")
    values = [found.rows[key].objective.value for key in order]
    assert values == sorted(values)
    assert found.search.levels == {"rotor": (1, 2), "seal": (0, 2)}
    assert found.worth.lower > 0.4
    assert 0.0 < found.otherwise < 1.0
    assert found.shares.sum() == pytest.approx(1.0)


def test_many_states_are_compared_by_the_objective_alone(run, tmp_path, monkeypatch):
    """With the limit lowered, so that bounds can be held against those of the full comparison."""
    full = compare_joint(sparing.load(JOINT))
    monkeypatch.setattr(joint_comparison, "FULL_STATES", 100)
    reports = []
    found = compare_joint(sparing.load(JOINT), progress=reports.append)
    parts = {report.part for report in reports}
    assert {"joint optimum", "maintenance first: best orders", "shares of time"} <= parts
    assert list(found.rows) == ["maintenance-first", "best-orders", "joint", "unlimited"]
    assert not found.search.exhaustive
    for key in ("best-orders", "joint", "unlimited"):
        row, exact = found.rows[key].objective, full.rows[key].objective
        assert row.lower - 1e-6 <= exact.value <= row.upper + 1e-6
        assert row.upper - row.lower <= 1e-4 * exact.value
    assert found.rows["maintenance-first"].objective.upper >= found.search.objective.lower
    assert found.worth.lower <= full.worth.value + 1e-4 * full.rows["joint"].objective.value
    np.testing.assert_allclose(found.shares, full.shares, atol=1e-4)
    code, out, err = run("compare", JOINT, "--out", tmp_path / "out")
    assert code == 0
    assert "certified to 0.0001 of the objective, per inspection" in out
    assert "Certain is that it lies between" in out
    assert "by kind of cost" not in out
    assert "the objective alone is evaluated" in err
    files = {"actions.csv", "compare.json", "policies.csv", "spares.csv", "stocks.png"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == files


def test_what_is_too_large_to_compare_is_refused_before_any_work(monkeypatch):
    module = import_module("sparing.evaluate.joint_comparison")  # `sparing.evaluate` is a function
    monkeypatch.setattr(module, "MAX_STATES", 700)
    with pytest.raises(ValueError, match="729 states are too many to compare policies; at most"):
        compare_joint(sparing.load(JOINT))


def test_solve_of_a_case_with_spares_as_json(run):
    code, out, err = run("solve", JOINT, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["states"] == 729
    assert found["objective"]["lower"] <= 138.142154523 + 1e-9
    assert found["objective"]["upper"] >= 138.142154523 - 1e-9
    assert found["first_decision"] == {
        "maintenance": {"c1": 0, "c2": 0, "c3": 0},
        "orders": {"rotor": 1, "seal": 2},
    }
    kinds = ["maintenance", "set-up", "downtime", "holding", "order", "emergency"]
    assert sum(found["metrics"][k] for k in kinds) == pytest.approx(138.142154523, abs=1e-6)
    for name in ("order_rate_rotor", "mean_on_hand_rotor", "emergency_rate_seal"):
        assert found["metric_bounds"][name]["lower"] <= found["metrics"][name]
    assert "emergency_rate_rotor" not in found["metrics"]  # cannot be bought


def test_solve_text_simulate_and_saved_policy(run, tmp_path):
    code, out, _ = run("solve", JOINT, "--out", tmp_path / "solved")
    assert code == 0
    assert "first decision, all new: order 1 of rotor, order 2 of seal" in out
    assert "spares rotor, seal" in out
    code, out, _ = run("simulate", JOINT, "--policy", tmp_path / "solved", "--json")
    simulated = json.loads(out)["measures"]["objective"]
    assert code == 0
    assert simulated["mean"] == pytest.approx(138.142, abs=2 * simulated["half_width"])
    code, out, _ = run("simulate", JOINT, "--policy", "maintenance-first", "--json")
    simulated = json.loads(out)["measures"]["objective"]
    assert simulated["mean"] == pytest.approx(138.542, abs=2 * simulated["half_width"])
    code, _, err = run("simulate", JOINT, "--policy", "random")
    assert code == 2
    assert "does not look at stocks; the case has spares: rotor, seal." in err
    code, _, err = run("simulate", "three-component", "--policy", "maintenance-first")
    assert code == 2
    assert "the case has no [[spare]]" in err


def test_compare_prints_what_joint_optimisation_is_worth(run, tmp_path):
    code, out, _ = run("compare", JOINT, "--out", tmp_path / "out")
    assert code == 0
    assert "Joint optimisation is worth 0.400115 an inspection (0.29 %)" in out
    assert max(map(len, out.splitlines()[1:])) <= 100
    files = {"actions.csv", "compare.json", "costs.png", "policies.csv", "spares.csv", "stocks.png"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == files
    code, out, _ = run("compare", JOINT, "--json")
    report = json.loads(out)
    assert report["joint_optimisation"]["worth"]["lower"] <= 0.4001154
    saved = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert saved["policies"] == report["policies"]
    assert sum(entry["frequency"] for entry in report["actions"]) == pytest.approx(1.0, abs=1e-6)


def test_compare_under_goals_and_hard_goals(run, tmp_path):
    table = tomllib.loads(JOINT.read_text())
    goals = {"reliability": {"weight": 1.0, "goal": 0.8}, "cost": {"weight": 1.0, "goal": 150.0}}
    table["objective"] = {"criterion": "average", **goals}
    file = tmp_path / "goals.toml"
    file.write_text(tomli_w.dumps(table))
    code, out, _ = run("compare", file)
    assert code == 0
    assert "reward lost" in out
    table["objective"] = {
        "criterion": "average",
        "cost": {"weight": 1.0},
        "mean_on_hand_rotor": {"weight": 0.0, "at_most": 1.2},
    }
    file.write_text(tomli_w.dumps(table))
    code, out, _ = run("solve", file, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["metrics"]["mean_on_hand_rotor"] <= 1.2 + 1e-6
    assert found["objective"]["lower"] > 138.142154523


def test_the_built_in_case_loads_saves_and_is_listed(run):
    problem = sparing.load(BUILT_IN)
    assert problem.num_states == 12_960
    assert [s["name"] for s in table_of_problem(problem)["spare"]] == ["bearing", "impeller"]
    code, out, _ = run("cases", "--json")
    (listed_case,) = [c for c in json.loads(out)["cases"] if c["case"] == BUILT_IN]
    assert code == 0
    assert listed_case["spares"] == ["bearing", "impeller"]
    assert listed_case["states"] == 12_960
