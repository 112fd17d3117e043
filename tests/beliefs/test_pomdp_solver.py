"""Bounds of the search against enumeration, incremental pruning and known optima."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
import sparing
from random_pomdps import random_pomdp, tree_cost
from sparing.beliefs.pomdp_exact import incremental_pruning
from sparing.beliefs.pomdp_files import load_pomdp
from sparing.beliefs.pomdp_problems import rock_sample, tag, tiger
from sparing.beliefs.pomdp_rollouts import simulate_pomdp
from sparing.beliefs.pomdp_solver import PomdpOptions, solve_pomdp

KNOWN = Path(__file__).parents[3] / "shared" / "known" / "pomdp"
TIGER = 19.3713683  # optimal reward, the value to which all solvers agree


@pytest.mark.parametrize("seed", range(40))
def test_random_finite_horizons_are_solved_exactly(seed):
    """Both bounds meet at the value of the whole belief tree, and of incremental pruning."""
    model = random_pomdp(seed)
    periods = 1 + seed % 4
    exact = tree_cost(model, model.start, periods)
    vectors, _ = incremental_pruning(model, periods)
    assert (vectors @ model.start).min() == pytest.approx(exact, abs=1e-9)
    found = solve_pomdp(model, options=PomdpOptions(gap=1e-9, horizon=periods))
    assert found.converged
    assert found.lower - 1e-9 <= exact <= found.upper + 1e-9


@pytest.mark.parametrize("seed", range(12))
def test_random_discounted_models_are_bracketed(seed):
    """What six periods cost is the optimum but for the discounted rest."""
    model = random_pomdp(seed, discount=0.3)
    vectors, _ = incremental_pruning(model, 6)
    rest = 0.3**6 * float(np.abs(model.cost).max()) / 0.7
    found = solve_pomdp(model, options=PomdpOptions(gap=1e-6))
    assert found.converged
    for belief in [model.start, np.eye(model.num_states)[0]]:
        exact = float((vectors @ belief).min())
        assert exact - rest <= found.policy.cost(belief) + 1e-9  # an upper bound everywhere
    exact = float((vectors @ model.start).min())
    assert exact - rest <= found.upper
    assert exact + rest >= found.lower


def test_tiger_has_its_known_optimum_and_first_decision():
    found = sparing.solve(tiger(), gap=1e-6)
    lower, upper = found.reported
    assert lower - 1e-6 <= TIGER <= upper + 1e-6
    assert found.policy.act([0.5, 0.5]) == 0
    assert found.policy.act([0.98, 0.02]) == 2
    assert found.policy.cost([0.5, 0.5]) == pytest.approx(-lower)


def test_costs_are_reported_as_costs():
    model = random_pomdp(3, discount=0.5, values="cost")
    found = sparing.solve(model, gap=1e-6)
    assert found.reported == (found.lower, found.upper)


def test_robot_and_rover_live_on_small_domains_and_known_optima_are_bracketed():
    """Tag: about -6.0 (-6.03 +- 0.04 simulated by Kurniawati et al. 2008); 29 cells at a time."""
    found = solve_pomdp(tag(), options=PomdpOptions(max_trials=60))
    lower, upper = found.reported
    assert -12.0 < lower <= -5.99 < upper < 0.33
    sizes = [len(states) for states in found.policy.domains]
    assert sorted(sizes)[-2:] == [29, 29 * 29]
    model = rock_sample()
    assert (model.num_states, model.num_actions, model.num_observations) == (12545, 13, 2)


def test_known_files_are_bracketed():
    """Bounds that SARSOP reaches in 20 s: they hold the optimum, so ours must overlap them."""
    known = {"Hallway": (0.985, 1.210), "Hallway2": (0.325, 0.914), "Tiger": (TIGER, TIGER + 1e-3)}
    if not KNOWN.is_dir():
        pytest.skip(f"the known problems are not there: {KNOWN}")
    for name, (lower, upper) in known.items():
        found = solve_pomdp(load_pomdp(KNOWN / f"{name}.pomdp"), options=PomdpOptions(seconds=0.5))
        assert found.reported[0] <= upper
        assert found.reported[1] >= lower


def test_the_number_of_threads_changes_nothing():
    found = [
        solve_pomdp(tag(), options=PomdpOptions(max_trials=40, num_threads=threads))
        for threads in (1, 2, 3)
    ]
    for other in found[1:]:
        assert (other.lower, other.upper) == (found[0].lower, found[0].upper)
        assert other.num_vectors == found[0].num_vectors


def test_one_side_alone_leaves_the_other_at_its_start():
    start = solve_pomdp(tag(), options=PomdpOptions(max_trials=0))
    policy = solve_pomdp(tag(), options=PomdpOptions(max_trials=20, sides="policy"))
    bound = solve_pomdp(tag(), options=PomdpOptions(max_trials=20, sides="bound"))
    assert policy.lower == start.lower
    assert policy.upper < start.upper
    assert bound.upper == start.upper
    assert bound.lower > start.lower


def test_finite_horizons_may_have_discount_one():
    """Four periods of the tiger, undiscounted, against the belief tree."""
    model = sparing.ExplicitPOMDP(
        transition=tiger().transition,
        observation=tiger().observation,
        cost=tiger().cost,
        discount=1.0,
    )
    found = solve_pomdp(model, options=PomdpOptions(gap=1e-9, horizon=4))
    assert found.lower == pytest.approx(tree_cost(model, model.start, 4), abs=1e-9)
    run = simulate_pomdp(found.model, found.policy, horizon=4, ends=True, num_replications=4000)
    assert abs(run.cost - found.upper) < 2 * run.half_width
    assert run.left_out == 0.0


def test_an_interrupted_search_is_saved_and_goes_on(tmp_path, monkeypatch):
    def interrupt(progress):
        signal.raise_signal(signal.SIGINT)

    folder = tmp_path / "state"
    options = PomdpOptions(gap=1e-6, max_trials=30)
    with pytest.raises(KeyboardInterrupt):
        solve_pomdp(tag(), options=options, progress=interrupt, checkpoint_dir=folder)
    assert (folder / "search.json").exists()
    saved = solve_pomdp(tag(), options=PomdpOptions(max_trials=0), checkpoint_dir=folder)
    fresh = solve_pomdp(tag(), options=PomdpOptions(max_trials=0))
    assert saved.upper < fresh.upper - 1.0
    assert saved.lower > fresh.lower
    further = solve_pomdp(tag(), options=PomdpOptions(max_trials=20), checkpoint_dir=folder)
    assert further.gap <= saved.gap
    other = solve_pomdp(tiger(), options=PomdpOptions(max_trials=0), checkpoint_dir=folder)
    assert other.upper > 0.0  # the state of another model is left alone


def test_a_search_stops_at_its_memory():
    found = solve_pomdp(tag(), options=PomdpOptions(memory=1 << 20))
    assert not found.converged
    assert "GB" in found.message
