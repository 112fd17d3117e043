"""Cost per unit of time: random epochs against policy iteration, stops, checkpoints."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sparing
from sparing.exact import checkpoint as checkpoints
from sparing.exact.explicit_chain import ExplicitChain
from sparing.exact.options import Options
from sparing.exact.policy_evaluation import Bounds
from sparing.exact.semi_markov import solve_semi_markov
from sparing.exact.semi_markov_evaluation import evaluate_semi_markov
from sparing.model_error import ModelError
from sparing.table import Table


def random_epoch(seed):
    """Pairs (state, action) as one axis: costs, durations and rows are drawn."""
    rng = np.random.default_rng(seed)
    states, actions = int(rng.integers(2, 7)), int(rng.integers(1, 4))
    pairs = states * actions
    rows = rng.dirichlet(np.full(states, 0.5), pairs)
    cost, duration = rng.uniform(-5.0, 20.0, pairs), rng.uniform(0.05, 4.0, pairs)
    indptr = np.arange(states + 1) * actions
    choose = Table(
        indptr=indptr,
        to=np.arange(pairs),
        choice=np.tile(np.arange(actions), states).astype(np.int32),
    )
    epoch = sparing.Epoch(
        axes=[sparing.Axis("state", states)],
        nodes=[
            sparing.Decision("state", choose, to=sparing.Axis("pair", pairs)),
            sparing.Cost("pair", cost, "cost"),
            sparing.Cost("pair", duration, "duration"),
            sparing.Chance("pair", rows, to=sparing.Axis("state", states)),
        ],
    )
    return epoch, rows, cost, duration, actions


def gain_of(policy, rows, cost, duration):
    """Stationary cost over stationary duration; the rows are positive, so there is one class."""
    size = policy.size
    equations = np.vstack([(rows[policy] - np.eye(size)).T, np.ones(size)])
    share, *_ = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)
    return (share @ cost[policy]) / (share @ duration[policy])


@pytest.mark.parametrize("seed", range(40))
def test_random_epochs_against_all_policies(seed):
    epoch, rows, cost, duration, actions = random_epoch(seed)
    states = epoch.num_states
    choices = np.indices((actions,) * states).reshape(states, -1).T
    known = min(
        gain_of(np.arange(states) * actions + choice, rows, cost, duration) for choice in choices
    )
    found = solve_semi_markov(epoch, {"cost": 1.0}, options=Options(tol=1e-9))
    assert found.converged
    assert found.lower - 1e-10 <= known <= found.upper + 1e-10
    assert found.shortest <= duration.min() <= duration.max() <= found.longest
    own = gain_of(found.posts[0].astype(int), rows, cost, duration)
    assert own == pytest.approx(known, abs=1e-8)
    quick = ExplicitChain.of(epoch).gain(found.posts[0], {"cost": 1.0})
    swept = evaluate_semi_markov(epoch, found.policy, {"cost": {"cost": 1.0}})["cost"]
    for bounds in (quick, swept):
        assert isinstance(bounds, Bounds)
        assert bounds.lower - 1e-10 <= own <= bounds.upper + 1e-10
        assert bounds.upper - bounds.lower < 1e-8


def test_equal_durations_are_the_average_cost():
    problem = sparing.load("three-component")
    epoch = problem.epoch
    lasting = sparing.Epoch(
        axes=epoch.axes, nodes=[*epoch.nodes, sparing.Cost((), 2.0, "duration")]
    )
    average = sparing.solve(problem, tol=1e-9)
    found = solve_semi_markov(lasting, problem.weights, options=Options(tol=1e-9))
    assert found.objective == pytest.approx(average.objective / 2.0, abs=1e-9)
    assert (found.posts[0] == average.posts[0]).all()


def test_a_periodic_chain_is_damped_and_solved():
    """States 0 and 1 in turn, for 1 and 3 units of time at costs 5 and 7: 12 per 4."""
    epoch = sparing.Epoch(
        axes=[sparing.Axis("a", 2)],
        nodes=[
            sparing.Cost("a", [5.0, 7.0], "cost"),
            sparing.Cost("a", [1.0, 3.0], "duration"),
            sparing.Chance("a", [[0.0, 1.0], [1.0, 0.0]]),
        ],
    )
    found = solve_semi_markov(epoch, options=Options(tol=1e-9))
    assert found.converged
    assert found.objective == pytest.approx(3.0, abs=1e-9)


def test_two_recurrent_classes_are_bounded_and_named():
    epoch = sparing.Epoch(
        axes=[sparing.Axis("a", 2)],
        nodes=[
            sparing.Cost("a", [5.0, 8.0], "cost"),
            sparing.Cost("a", [1.0, 2.0], "duration"),
            sparing.Chance("a", np.eye(2)),
        ],
    )
    found = solve_semi_markov(epoch, options=Options(tol=1e-9))
    assert not found.converged
    assert found.lower <= 4.0
    assert found.upper >= 5.0
    assert "several recurrent classes" in found.message


def test_an_error_of_the_model_widens_the_bounds():
    epoch, *_ = random_epoch(3)
    plain = solve_semi_markov(epoch, {"cost": 1.0}, options=Options(tol=1e-9))
    error = ModelError(probability=1e-6, cost={"cost": 1e-5, "duration": 1e-6})
    wide = solve_semi_markov(epoch, {"cost": 1.0}, error=error, options=Options(tol=1e-2))
    assert wide.upper - wide.lower > (plain.upper - plain.lower) + 2e-5 / wide.longest
    assert wide.lower < plain.lower
    assert wide.upper > plain.upper


def test_the_stop_is_reported():
    system = sparing.load("feedwater-pumps").system(3, 4.0)
    found = solve_semi_markov(system.epoch, system.weights, options=Options(tol=1e-9, max_sweeps=5))
    assert not found.converged
    assert found.num_sweeps == 5
    assert found.lower <= 7.287440 <= found.upper
    assert "max_sweeps = 5" in found.message
    assert "NOT converged" in str(found)
    hopeless = solve_semi_markov(system.epoch, system.weights, options=Options(tol=1e-16))
    assert not hopeless.converged
    assert hopeless.gap < 1e-9
    assert "precision is used up" in hopeless.message


class KilledError(Exception):
    pass


class KillAfter:
    def __init__(self, reports):
        self.left = reports

    def __call__(self, progress):
        self.left -= 1
        if self.left < 0:
            raise KilledError


@pytest.fixture
def _save_at_every_chance(monkeypatch):
    made = checkpoints.Checkpoint.__init__

    def impatient(self, *args, **kwargs):
        made(self, *args, **{**kwargs, "every_s": 0.0})

    monkeypatch.setattr(checkpoints.Checkpoint, "__init__", impatient)


@pytest.mark.usefixtures("_save_at_every_chance")
def test_a_killed_solve_goes_on_to_the_same_bits(tmp_path):
    system = sparing.load("feedwater-pumps").system(4, 3.0)
    asked = {"epoch": system.epoch, "weights": system.weights, "options": Options(tol=1e-9)}
    whole = solve_semi_markov(**asked)
    for reports in (1, 2, 4):
        with pytest.raises(KilledError):
            solve_semi_markov(**asked, progress=KillAfter(reports), checkpoint_dir=tmp_path)
        assert json.loads((tmp_path / "checkpoint.json").read_text())["position"]["num_sweeps"] > 0
    again = solve_semi_markov(**asked, checkpoint_dir=tmp_path)
    assert (again.lower, again.upper) == (whole.lower, whole.upper)
    assert again.num_sweeps == whole.num_sweeps
    assert np.array_equal(again.value, whole.value)
    assert np.array_equal(again.posts[0], whole.posts[0])
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("_save_at_every_chance")
@pytest.mark.parametrize("continuous", [False, True])
def test_a_killed_search_goes_on_to_the_same_bits(tmp_path, continuous):
    problem = sparing.load("feedwater-pumps")
    if continuous:
        span = sparing.IntervalRange(shortest=2.0, longest=9.0, tolerance=0.05)
        problem = type(problem)(**{**vars(problem), "inspection_interval": span, "positions": [3]})
    whole = sparing.solve(problem)
    for reports in (3, 40, 60):
        with pytest.raises(KilledError):
            sparing.solve(problem, progress=KillAfter(reports), checkpoint_dir=tmp_path)
    again = sparing.solve(problem, checkpoint_dir=tmp_path)
    assert (again.lower, again.upper) == (whole.lower, whole.upper)
    assert again.inspection_interval == whole.inspection_interval
    assert np.array_equal(again.policy.stages[0], whole.policy.stages[0])
    assert not list(tmp_path.iterdir())


def test_the_threads_do_not_change_a_bit():
    problem = sparing.load("feedwater-pumps")
    system = type(problem)(
        **{**vars(problem), "required": 4, "positions": [6], "inspection_interval": [4.0]}
    ).system()
    one, two = (
        solve_semi_markov(system.epoch, system.weights, options=Options(num_threads=n))
        for n in (1, 2)
    )
    assert (one.lower, one.upper) == (two.lower, two.upper)
    assert np.array_equal(one.value, two.value)
