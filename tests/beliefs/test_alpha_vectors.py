"""Policies of alpha vectors: what they promise, how they are saved, what they earn."""

from __future__ import annotations

import numpy as np
import pytest
import sparing
from random_pomdps import dense
from sparing import AlphaVectorPolicy
from sparing.beliefs.pomdp_problems import rock_sample, tag, tiger
from sparing.beliefs.pomdp_rollouts import simulate_pomdp
from sparing.beliefs.pomdp_saved import load_pomdp_solution, save_pomdp_solution
from sparing.beliefs.pomdp_solver import PomdpOptions, solve_pomdp


@pytest.fixture(scope="module")
def solved():
    return solve_pomdp(tag(), options=PomdpOptions(max_trials=100))


def follow(model, policy, seed, periods):
    """One replication in plain NumPy: the belief by Bayes' rule over all states."""
    T, Z = dense(model)
    rng = np.random.default_rng(seed)
    belief, total = np.array(model.start), 0.0
    state = rng.choice(model.num_states, p=belief)
    for period in range(periods):
        action = policy.act(belief)
        total += model.discount**period * model.cost[action, state]
        state = rng.choice(model.num_states, p=T[action, state])
        observation = rng.choice(model.num_observations, p=Z[action, state])
        belief = (belief @ T[action]) * Z[action][:, observation]
        belief /= belief.sum()
    return total


def test_simulated_costs_agree_with_a_plain_simulation():
    """A small rover; both estimate the same mean, within four standard errors of the difference."""
    model = rock_sample(2, [(1, 0), (0, 1)], (0, 0))
    found = solve_pomdp(model, options=PomdpOptions(gap=1e-3))
    fast = simulate_pomdp(model, found.policy, num_replications=4000, horizon=20)
    slow = np.array([follow(model, found.policy, seed, 20) for seed in range(200)])
    error = np.hypot(slow.std() / np.sqrt(len(slow)), fast.half_width / 1.96)
    assert abs(slow.mean() - fast.cost) < 4.0 * error
    assert abs(fast.cost - found.upper) < 2.0 * fast.half_width + fast.left_out


def test_next_beliefs_follow_bayes_rule():
    model = tiger()
    chance, beliefs = model.next_beliefs([0.5, 0.5], 0)
    assert chance == pytest.approx([0.5, 0.5])
    assert beliefs == pytest.approx(np.array([[0.85, 0.15], [0.15, 0.85]]))


def test_a_policy_costs_what_its_vectors_promise_at_most(solved):
    run = sparing.simulate(tag(), solved.policy, num_replications=4000, seed=1)
    assert run.interval[0] <= solved.upper
    assert run.interval[1] >= solved.lower
    assert run.reported == (-run.cost, run.half_width)


def test_replications_do_not_depend_on_threads_or_number(solved):
    one = simulate_pomdp(tag(), solved.policy, num_replications=200, seed=5, num_threads=1)
    two = simulate_pomdp(tag(), solved.policy, num_replications=300, seed=5, num_threads=2)
    assert np.array_equal(one.samples, two.samples[:200])
    other = simulate_pomdp(tag(), solved.policy, num_replications=200, seed=6)
    assert not np.array_equal(one.samples, other.samples)


def test_policies_are_saved_and_loaded(solved, tmp_path):
    folder = save_pomdp_solution(solved, tmp_path / "out")
    saved = load_pomdp_solution(folder)
    assert saved.record["objective"]["upper"] == solved.reported[1]
    again = saved.policy
    rng = np.random.default_rng(0)
    beliefs = [solved.model.start]
    beliefs += [np.eye(870)[s] for s in rng.choice(870, 20)]
    for belief in beliefs:
        assert again.act(belief) == solved.policy.act(belief)
        assert again.cost(belief) == solved.policy.cost(belief)
    text = AlphaVectorPolicy.load_alpha(folder / "policy.alpha", tag())
    assert text.num_vectors == solved.policy.num_vectors
    for belief in beliefs:
        assert text.cost(belief) == pytest.approx(solved.policy.cost(belief), abs=1e-9)
    run = simulate_pomdp(tag(), text, num_replications=200, seed=3)
    same = simulate_pomdp(tag(), solved.policy, num_replications=200, seed=3)
    # All vectors are tried at all beliefs now, so now and then a better one is found.
    assert run.cost < same.cost + same.half_width


def test_alpha_text_is_in_the_sense_of_the_model(tmp_path):
    """Vectors of pomdp-solve are rewards where the model has rewards."""
    path = tmp_path / "tiger.alpha"
    path.write_text("0\n19.3 19.3\n\n2\n28.4 -81.6\n")
    policy = AlphaVectorPolicy.load_alpha(path, tiger())
    assert policy.act([0.5, 0.5]) == 0
    assert policy.act([0.99, 0.01]) == 2
    assert policy.cost([0.5, 0.5]) == -19.3
    policy.save_alpha(path, tiger())
    assert path.read_text() == "0\n19.3 19.3\n\n2\n28.4 -81.6\n\n"


def test_what_is_no_policy_is_refused(tmp_path):
    path = tmp_path / "policy.npz"
    np.savez(path, record=np.array("{}"))
    with pytest.raises(ValueError, match="holds no policy of alpha vectors"):
        AlphaVectorPolicy.load(path)
    with pytest.raises(ValueError, match="holds no saved solution"):
        load_pomdp_solution(tmp_path)
