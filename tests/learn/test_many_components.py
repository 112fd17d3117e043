"""Many components: structures counted part by part, and features by type."""

from dataclasses import replace

import jax
import numpy as np
import pytest
import sparing
from sparing.epoch import Branch
from sparing.learn.epoch_environment import sequential_environment
from sparing.models import multi_component
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import RowPolicy
from sparing.simulate import simulate


def k_of_n(required, size):
    """Return the components of the built-in case in turn, `required` of which are needed."""
    given = sparing.load("three-component-2").components
    parts = [replace(given[i % 3], name=f"c{i + 1}") for i in range(size)]
    names = ", ".join(c.name for c in parts)
    return MultiComponentProblem(
        components=parts, structure=f"{required}-of({names})", setup_cost=20.0, downtime_cost=500.0
    )


@pytest.mark.parametrize("structure", ["c1 & (c2 | c3)", "2-of(c1, c2 & c3, c3)", "c2"])
def test_counted_structures_cost_what_listed_ones_do(structure, monkeypatch):
    problem = replace(sparing.load("three-component-2"), structure=structure)
    listed = sparing.solve(problem, tol=1e-9)
    monkeypatch.setattr(multi_component, "LARGEST_TABLE", 0)
    counted = replace(problem)
    assert len(counted.epoch.nodes) > len(problem.epoch.nodes)
    assert sparing.solve(counted, tol=1e-9).objective == pytest.approx(listed.objective, abs=1e-8)


def limits_policy(problem):
    """Replace what is in state 2 or worse."""
    (branch,) = (node for node in problem.epoch.nodes if isinstance(node, Branch))
    assert branch.label == "Branch 'maintain?'"
    return RowPolicy.from_targets(
        problem.epoch, {f"maintain {name}": [0, 1, 0, 0] for name in problem.names}
    )


def test_thirty_components_run_in_both_interpreters():
    """The same control limits: mean costs agree within their intervals."""
    problem = k_of_n(18, 30)
    by_kernels = simulate(
        problem.epoch,
        limits_policy(problem),
        num_epochs=100,
        num_replications=200,
        weights=problem.weights,
        start=problem.initial_state,
    )
    environment = sequential_environment(problem)
    interpreter = environment.interpreter
    slots = [interpreter.flow.slots[name] for name in problem.names]

    @jax.jit
    def run(key):
        def body(states, key):
            # at a fork: send a crew if anything is in state 2 or worse; else bring it to state 0
            worn = (states[:, 1:] >= 2).any(axis=1)
            column = jax.numpy.clip(states[:, 0] - 1, 0, len(slots) - 1)
            state = jax.numpy.take_along_axis(states[:, 1:], column[:, None], axis=1)[:, 0]
            keep = jax.numpy.where(state >= 2, 0, state)
            actions = jax.numpy.where(states[:, 0] == 0, worn.astype(int), keep)
            moved = environment.step(key, states, actions)
            return moved.states, (moved.cost, moved.epoch_ended)

        begin, key = jax.random.split(key)
        states = environment.initial(begin, 200)
        return jax.lax.scan(body, states, jax.random.split(key, 3000))[1]

    cost, ended = (np.asarray(part) for part in run(jax.random.key(0)))
    last = np.array([np.flatnonzero(lane)[99] for lane in ended.T])
    means = np.array([lane[: end + 1].sum() / 100 for lane, end in zip(cost.T, last, strict=True)])
    error = np.hypot(4.5 * means.std() / np.sqrt(200), 2.3 * by_kernels.half_width)
    assert means.mean() == pytest.approx(by_kernels.objective, abs=error)


def test_features_by_type_do_not_tell_exchangeable_components_apart():
    environment = sequential_environment(k_of_n(7, 10), features="typed-counts")
    states = np.zeros((3, environment.state_width), dtype=np.int32)
    states[0, [1, 2]], states[1, [4, 2]], states[2, [2, 1]] = [3, 1], [3, 1], [3, 1]
    features = np.asarray(environment.features(jax.numpy.asarray(states)))
    np.testing.assert_allclose(features[0], features[1], atol=1e-6)  # c1 and c4 are of one type
    assert np.abs(features[0] - features[2]).max() > 0.1  # c1 and c2 are not
    assert environment.num_features == features.shape[1]
    low, high = environment.feature_bounds
    assert low <= features.min()
    assert features.max() <= high


def test_the_margins_are_the_structures():
    """Seven of ten are needed: all new, three to spare; the chance to be up is exact."""
    problem = k_of_n(7, 10)
    environment = sequential_environment(problem, features="typed-counts")
    rng = np.random.default_rng(0)
    states = rng.integers(0, 4, (5, environment.state_width)).astype(np.int32)
    states[:, 0] = 0
    spare, up, chance = np.asarray(environment.features(jax.numpy.asarray(states)))[:, -4:-1].T
    working = (states[:, 1:] != 3).sum(axis=1)
    np.testing.assert_allclose(spare, (working - 7) / 10, atol=1e-6)
    np.testing.assert_array_equal(up, working >= 7)
    for row, found in zip(states[:, 1:], chance, strict=True):
        law = np.ones(1)
        for component, state in zip(problem.components, row, strict=True):
            alive = 1.0 - component.transition[state, component.failed]
            law = np.convolve(law, [1.0 - alive, alive])
        assert found == pytest.approx(law[7:].sum(), abs=1e-5)
