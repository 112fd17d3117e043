"""Kernels against loops: filters, interpolation, sweeps, lookahead and rollouts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_hidden import outcomes, random_component, random_problem, reference_sweep
from sparing.beliefs.component_filter import successors, update_beliefs
from sparing.beliefs.component_points import BeliefGrid
from sparing.beliefs.component_rollout import GreedyBeliefPolicy, estimated
from sparing.beliefs.component_values import BeliefTensor, Sweeper, finite_values

DATA = Path(__file__).parents[1] / "data"


def random_grid(rng, component, more):
    corners = component.num_states - 1
    grid = BeliefGrid(np.eye(corners))
    return grid.with_points(rng.dirichlet(np.ones(corners), size=more))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_filter_is_bayes_rule(seed):
    rng = np.random.default_rng(seed)
    component = random_component(rng, "a", states=int(rng.integers(2, 6)))
    size, seen = 50, component.channel.shape[2]
    beliefs = rng.dirichlet(np.ones(component.num_states), size=size)
    options = rng.integers(len(component.options), size=size)
    observations = rng.integers(seen, size=size)
    found, chance = update_beliefs(component, beliefs, options, observations, num_threads=2)
    for b in range(size):
        after = beliefs[b].copy()
        if component.options[options[b]] == "repair":
            after *= 1 - component.repair_success
            after[0] += component.repair_success
        joint = (after @ component.transition) * component.channel[options[b], :, observations[b]]
        assert chance[b] == pytest.approx(joint.sum(), abs=1e-14)
        if joint.sum() > 0:
            assert found[b] == pytest.approx(joint / joint.sum(), abs=1e-12)
        else:
            assert not found[b].any()


@pytest.mark.parametrize("states", [2, 3, 4, 5])
def test_interpolation_keeps_the_belief(states):
    """The mean of the corners of the simplex is the belief itself, and weights are a mean."""
    rng = np.random.default_rng(states)
    grid = random_grid(rng, random_component(rng, "a", states=states), 15)
    beliefs = np.vstack([rng.dirichlet(np.ones(states - 1), size=200), grid.working])
    to, weight = grid.interpolate(beliefs)
    assert weight.min() >= 0.0
    assert weight.sum(axis=1) == pytest.approx(1.0)
    meant = np.einsum("bk,bkj->bj", weight, grid.full[to][..., :-1])
    assert np.abs(meant - beliefs).max() <= 1e-9
    exact = weight[200:].max(axis=1)
    assert exact == pytest.approx(1.0)  # at a point, the point


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("sizes", [(3,), (2, 20), (4, 1, 3), (2, 2, 1, 1)])
def test_sweep_agrees_with_loops(sizes, num_threads):
    rng = np.random.default_rng(sum(sizes))
    problem = random_problem(rng, num_components=len(sizes))
    grids = [random_grid(rng, c, n) for c, n in zip(problem.components, sizes, strict=True)]
    tensor = BeliefTensor(problem, grids)
    following = rng.random(tensor.shape) * 100
    value = np.empty(tensor.size)
    Sweeper(tensor, num_threads).sweep(following.reshape(-1), value)
    back = np.argsort(tensor.order)
    last = tensor.grids[tensor.order[-1]].num_points
    plain = np.ascontiguousarray(following[..., :last].transpose(back))

    def interpolate(i, belief):
        if belief[-1] > 0.5:
            return [(0, 1.0)]
        to, weight = grids[i].interpolate(belief[None, :-1])
        return list(zip(to[0], weight[0], strict=True))

    expected = reference_sweep(problem, grids, plain, interpolate)
    found = value.reshape(tensor.shape)[..., :last].transpose(back)
    assert found == pytest.approx(expected, rel=1e-12)


def test_rows_with_many_entries_are_summed_in_passes():
    """Seven states and observations: more entries a row than one pass of the kernel takes."""
    rng = np.random.default_rng(5)
    problem = random_problem(rng, num_components=2)
    components = tuple(random_component(rng, c.name, states=7) for c in problem.components)
    problem = replace(problem, components=components)
    grids = [random_grid(rng, c, 4) for c in components]
    tensor = BeliefTensor(problem, grids)
    assert max(np.diff(table.indptr).max() for table in tensor.tables) > 6
    following, value = rng.random(tensor.size), np.empty(tensor.size)
    Sweeper(tensor, 1).sweep(following, value)
    last = tensor.grids[tensor.order[-1]].num_points
    back = np.argsort(tensor.order)
    plain = following.reshape(tensor.shape)[..., :last].transpose(back)

    def interpolate(i, belief):
        if belief[-1] > 0.5:
            return [(0, 1.0)]
        to, weight = grids[i].interpolate(belief[None, :-1])
        return list(zip(to[0], weight[0], strict=True))

    expected = reference_sweep(problem, grids, np.ascontiguousarray(plain), interpolate)
    found = value.reshape(tensor.shape)[..., :last].transpose(back)
    assert found == pytest.approx(expected, rel=1e-12)


def policy_of(problem, grids, num_threads=1):
    return GreedyBeliefPolicy(
        finite_values(BeliefTensor(problem, grids), num_threads=num_threads), num_threads
    )


def test_lookahead_at_points_is_the_value_of_the_period():
    """At belief points a lookahead is what the sweep did, up to the float32 of the lookup."""
    rng = np.random.default_rng(7)
    problem = random_problem(rng, num_components=2, periods=3)
    grids = [random_grid(rng, c, 5) for c in problem.components]
    policy = policy_of(problem, grids)
    places = np.array(list(np.ndindex(*[g.num_points for g in grids])))
    beliefs = np.hstack([g.full[places[:, i]] for i, g in enumerate(grids)])
    for period in range(3):
        least, value, options = policy.lookahead(beliefs, period)
        assert least == pytest.approx(value, rel=1e-5, abs=1e-5)
        assert (options == policy.act(beliefs, period)).all()


def test_rollouts_do_not_depend_on_threads_and_repeat():
    problem = sparing.load(DATA / "known_hidden_two.toml")
    rng = np.random.default_rng(2)
    grids = [random_grid(rng, c, 4) for c in problem.components]
    runs = [
        policy_of(problem, grids, threads).rollout(num_episodes=50, seed=3, recorded=4)
        for threads in (1, 2, 1)
    ]
    for estimates, costs, visits in runs[1:]:
        assert (estimates == runs[0][0]).all()
        assert (costs == runs[0][1]).all()
        assert (visits.loss == runs[0][2].loss).all()
    both = np.concatenate(
        [
            policy_of(problem, grids).rollout(num_episodes=25, seed=3, first_episode=first)[0]
            for first in (0, 25)
        ]
    )
    assert (both == runs[0][0]).all()


def test_estimator_agrees_with_the_costs_and_with_the_exact_cost():
    """Three ways to the cost of one policy: all beliefs followed, lookahead, plain simulation."""
    problem = sparing.load(DATA / "known_hidden_two.toml")
    rng = np.random.default_rng(2)
    policy = policy_of(problem, [random_grid(rng, c, 3) for c in problem.components])
    exact = sparing.evaluate(problem, policy)["cost"].upper
    estimates, costs, _ = policy.rollout(num_episodes=4000, seed=5)
    found = estimated(estimates, costs, confidence=0.9999)
    assert abs(found.mean - exact) <= found.half_width
    assert abs(costs.mean() - exact) <= found.raw_half_width
    assert found.half_width < 0.5 * found.raw_half_width


def test_successors_are_those_of_the_tree():
    component = sparing.load("hidden-5-of-5").components[4]
    belief = np.array([0.5, 0.3, 0.2, 0.0])
    for option, name in enumerate(component.options):
        beliefs, chance = successors(component, belief[None], option)
        kept = chance[0] > 0.0
        expected = outcomes(component, belief, name)
        assert chance[0][kept] == pytest.approx([p for p, _ in expected])
        assert beliefs[0][kept] == pytest.approx(np.array([b for _, b in expected]))
