"""Networks in JAX, as tables and in the C++ rollouts: one policy, three interpreters."""

import numpy as np
import pytest
import sparing
from random_networks import apply, random_network, rollout
from sparing.epoch import Axis, Chance, Cost, Decision, Epoch
from sparing.learn import joint_actions
from sparing.learn.epoch_environment import flat_environment, sequential_environment
from sparing.learn.network_policy import NetworkPolicy
from sparing.learn.policy import table_policy
from sparing.simulate import simulate

# Set-up costs are left out: a table holds the cheapest path, a random network sends a crew for
# nothing.
WEIGHTS = {"maintenance": 1.0, "downtime": 2.0}
VIEWS = {"flat": flat_environment, "sequential": sequential_environment}


def case(name):
    """Return the epoch, weights and start of a built-in case."""
    problem = sparing.load(name)
    if name == "feedwater-pumps":
        system = problem.system(4, 6)
        return system.epoch, {**system.weights, "inspections": 2.0}, system.initial_state
    return problem.epoch, WEIGHTS, problem.initial_state


def assert_one_policy(name, view, seed):
    epoch, weights, start = case(name)
    environment = VIEWS[view](epoch, weights=weights, initial=start)
    parameters = random_network(environment, seed, dueling=True)
    table = table_policy(environment, apply, parameters)
    network = NetworkPolicy(environment, parameters, apply)
    known = {kind: w for kind, w in weights.items() if kind in epoch.kinds}
    options = {"num_epochs": 400, "num_replications": 256, "weights": known, "start": start}
    options["warm_up"] = 100
    by_table = simulate(epoch, table, num_threads=1, **options)
    by_network = simulate(epoch, network, num_threads=1, **options)
    on_two = simulate(epoch, network, num_threads=2, **options)
    np.testing.assert_array_equal(by_network.samples, on_two.samples)
    np.testing.assert_allclose(by_network.objectives, by_table.objectives, rtol=1e-12, atol=1e-12)
    choices = 500 * len(environment.points) if view == "sequential" else 500
    cost, _, ended = rollout(environment, parameters, choices, 256)
    per_epoch = []
    for lane in range(256):
        ends = np.flatnonzero(ended[:, lane])
        first, last = ends[99], ends[399]  # the same epochs
        per_epoch.append(cost[first + 1 : last + 1, lane].sum(dtype=np.float64) / 300)
    mean, spread = float(np.mean(per_epoch)), float(np.std(per_epoch)) / 16.0
    error = 4.5 * np.hypot(spread, by_network.half_width / 1.96) + 1e-3 * abs(mean)
    assert mean == pytest.approx(by_network.objective, abs=error)


CASES = [
    ("three-component-2", "flat", 3),
    ("three-component-restricted", "sequential", 4),
    ("joint-maintenance-spares", "sequential", 5),
    ("feedwater-pumps", "flat", 6),
]


@pytest.mark.parametrize(("name", "view", "seed"), CASES)
def test_jax_table_and_kernels_agree(name, view, seed):
    assert_one_policy(name, view, seed)


@pytest.mark.full
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "name",
    [
        "three-component",
        "three-component-2",
        "three-component-restricted",
        "three-component-restricted-2",
        "feedwater-pumps",
        "joint-maintenance-spares",
    ],
)
def test_all_built_in_cases_agree(name, view):
    assert_one_policy(name, view, 7)


@pytest.mark.parametrize(("hidden", "norm"), [((17, 40, 90), True), ((5,), False)])
def test_layers_of_any_width_with_and_without_normalisation(hidden, norm):
    problem = sparing.load("three-component-2")
    for seed, view in enumerate(VIEWS):
        environment = VIEWS[view](problem, weights=WEIGHTS)
        parameters = random_network(environment, seed, hidden, norm)
        table = table_policy(environment, apply, parameters)
        network = NetworkPolicy(environment, parameters, apply)
        options = {"num_epochs": 100, "num_replications": 100, "weights": WEIGHTS}
        by_table = sparing.simulate(problem, table, **options)
        by_network = sparing.simulate(problem, network, **options)
        np.testing.assert_allclose(by_network.objectives, by_table.objectives, rtol=1e-12)
        states = np.array([[0, 0, 0], [3, 1, 2], [3, 3, 3]])
        np.testing.assert_array_equal(network.action(states), table.action(states))
        np.testing.assert_array_equal(network.action(states[1]), table.action(states[1]))


def test_a_table_policy_is_exactly_evaluated():
    problem = sparing.load("three-component")
    environment = sequential_environment(problem, weights=WEIGHTS)
    parameters = random_network(environment, 2)
    exact = sparing.evaluate(problem, table_policy(environment, apply, parameters), {"x": WEIGHTS})[
        "x"
    ]
    found = sparing.simulate(
        problem,
        NetworkPolicy(environment, parameters, apply),
        num_epochs=3000,
        num_replications=100,
        warm_up=200,
        weights=WEIGHTS,
    )
    assert abs(found.objective - exact.lower) < 3.0 * found.half_width


def season(repair, discount=0.9):
    """Return one period of a horizon with its own price of a repair."""
    return Epoch(
        axes=[Axis("unit", 3)],
        nodes=[
            Cost("unit", [0.0, 1.0, 6.0], kind="downtime"),
            Decision("unit", [[0, np.inf, np.inf], [repair, 0, np.inf], [repair + 1, np.inf, 0]]),
            Chance("unit", [[0.5, 0.3, 0.2], [0, 0.6, 0.4], [0, 0, 1]]),
        ],
        discount=discount,
    )


def test_a_finite_horizon_ends_and_has_a_policy_per_period():
    """The network sees the period; behind the last one nothing is worth anything."""
    cheap, dear = season(1.0, 1.0), season(4.0, 1.0)
    epochs = [cheap, dear, cheap, cheap]
    environment = sequential_environment(epochs)
    parameters = random_network(environment, 1)
    cost, _, _ = rollout(environment, parameters, 60, 2000)
    policies = [NetworkPolicy(environment, parameters, apply, period) for period in range(4)]
    tables = [table_policy(environment, apply, parameters, period=period) for period in range(4)]
    options = {"num_replications": 4000, "seed": 1}
    by_network = simulate(epochs, policies, **options)
    by_table = simulate(epochs, tables, **options)
    np.testing.assert_allclose(by_network.objectives, by_table.objectives, rtol=1e-12)
    totals = cost.sum(axis=0, dtype=np.float64) / 15  # a choice an epoch, four epochs an episode
    error = 4.5 * np.hypot(totals.std() / np.sqrt(2000), by_network.half_width / 1.96)
    assert totals.mean() == pytest.approx(by_network.objective, abs=error)


def test_a_finite_horizon_discounts_to_nothing_at_its_end():
    import jax

    environment = sequential_environment([season(1.0), season(2.0), season(1.0)])
    states, step = environment.initial(jax.random.key(0), 300), jax.jit(environment.step)
    periods, ends = [], []
    for key in jax.random.split(jax.random.key(1), 30):
        actions = environment.mask(states).argmax(axis=1)  # always repairs
        moved = step(key, states, actions)
        before, after = np.asarray(states[:, 1]), np.asarray(moved.states[:, 1])
        ended = np.asarray(moved.discount) == 0.0
        assert (after[ended] <= before[ended]).all()
        assert (before[after < before] <= 2).all()
        assert ended[after < before].all()
        periods.append(after)
        ends.append(ended.mean())
        states = moved.states
    assert set(np.concatenate(periods).tolist()) <= {0, 1, 2}
    assert 0.0 < np.mean(ends) < 1.0


def test_too_many_joint_actions_are_refused(monkeypatch):
    monkeypatch.setattr(joint_actions, "LARGEST", 100)
    with pytest.raises(MemoryError, match=r"at most 100 are; use the sequential view"):
        flat_environment(sparing.load("three-component-2"))


def test_misfits_are_refused_by_name():
    problem = sparing.load("three-component")
    environment = flat_environment(problem)
    parameters = random_network(environment, 0)
    with pytest.raises(ValueError, match=r"layer 0 must have 16 inputs; its weight has shape"):
        NetworkPolicy(sequential_environment(problem), parameters, apply)
    wide = {**parameters, "head": random_network(environment, 0, (32, 32))["head"]}
    wide["head"] = {"weight": np.zeros((32, 40)), "bias": np.zeros(40)}
    with pytest.raises(ValueError, match=r"the head must have 27 outputs .* got 40"):
        NetworkPolicy(environment, wide, apply)
    other = sparing.load("three-component-2")
    policy = NetworkPolicy(environment, parameters, apply)
    with pytest.raises(ValueError, match="trained on another epoch"):
        sparing.simulate(other, policy, num_epochs=2, num_replications=2)
