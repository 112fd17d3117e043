"""Networks on counts per type: the C++ rollouts decide as JAX does, in every structure."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from large_systems import drawn_system, redundant
from random_networks import apply, random_network
from sparing.commands.policy_options import policy_of
from sparing.learn.counted_observation import counted_nodes
from sparing.learn.epoch_environment import sequential_environment
from sparing.learn.network_policy import NetworkPolicy
from sparing.learn.networks import Network
from sparing.learn.policy import table_policy
from sparing.learn.saved import save_network
from sparing.models.structure import parse_structure
from sparing.policies import CallbackPolicy
from sparing.simulate import simulate
from sparing.simulate.runner import Runner

# Set-up costs are left out: a table holds the cheapest path, a random network sends a crew for
# nothing.
WEIGHTS = {"maintenance": 1.0, "downtime": 2.0}


def network_for(problem, seed, **options):
    """Return a random network on counts; no bias, so that what it sees decides."""
    environment = sequential_environment(problem, features="typed-counts")
    parameters = random_network(environment, seed, **options)
    for layer in (parameters["layers"][0], parameters["head"]):
        layer["bias"] = jnp.zeros_like(layer["bias"])
    return NetworkPolicy(environment, parameters, apply)


def objectives(problem, policy, **options):
    options = {"num_epochs": 80, "num_replications": 100, "weights": WEIGHTS, **options}
    return simulate(problem.epoch, policy, **options).objectives


def assert_table_and_kernels_agree(problem, policy):
    """A single decision that differs would part the paths of a replication for good."""
    table = table_policy(policy.environment, apply, policy.parameters)
    by_table = objectives(problem, table)
    np.testing.assert_allclose(objectives(problem, policy), by_table, rtol=1e-12)
    return by_table


@pytest.mark.parametrize(
    ("structure", "options", "seed", "network"),
    [
        ("c1 & 2-of(REST)", {}, 3, {"dueling": True}),
        ("2-of(c1, c2 & (c3 | c5), 1-of(c4, c5))", {}, 0, {"hidden": (17, 40, 90)}),
        ("3-of(ALL)", {"restore_when_down": True}, 4, {"hidden": (130,), "norm": False}),
    ],
)
def test_jax_and_kernels_decide_alike(structure, options, seed, network):
    problem = redundant(5, structure, **options)
    found = assert_table_and_kernels_agree(problem, network_for(problem, seed, **network))
    assert np.unique(found).size > 50  # it does not do the same whatever it sees


@pytest.mark.full
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_jax_and_kernels_decide_alike_in_random_systems(seed):
    problem = drawn_system(seed)
    assert_table_and_kernels_agree(problem, network_for(problem, seed))


def test_a_single_component_has_no_margins():
    problem = redundant(1, "c1")
    assert_table_and_kernels_agree(problem, network_for(problem, 4))


def test_many_components_are_decided_as_by_jax():
    """Beyond 16 parts the chance to work is the normal law's; no table could hold the states."""
    problem = redundant(20, "c1 & 12-of(REST)")
    policy = network_for(problem, 6, hidden=(17, 40, 90))
    by_jax = CallbackPolicy(lambda stage, states: policy.action(states, stage=stage))
    options = {"num_epochs": 12, "num_replications": 200}
    expected = objectives(problem, by_jax, **options)
    np.testing.assert_allclose(objectives(problem, policy, **options), expected, rtol=1e-12)
    assert np.unique(expected).size > 50


def test_every_bit_is_the_same_for_any_lanes_and_threads():
    problem = redundant(9, "c1 & 5-of(REST)")
    policy = network_for(problem, 6, hidden=(17, 40, 90))
    weights = dict.fromkeys(problem.epoch.kinds, 1.0)
    found = []
    for lanes, threads in ((512, 1), (7, 1), (1, 2), (50, 2)):
        totals = np.zeros((150, len(weights)))
        runner = Runner((problem.epoch,), (policy,), weights, 5, threads, lanes=lanes)
        states = runner.advance(np.zeros((150, 9), dtype=np.int32), totals, 0, 60)
        found.append((states, totals))
    assert np.unique(found[0][1]).size > 50
    for states, totals in found[1:]:
        np.testing.assert_array_equal(states, found[0][0])
        np.testing.assert_array_equal(totals, found[0][1])


def test_a_saved_network_is_the_policy_of_its_case(tmp_path):
    problem = redundant(9, "c1 & 5-of(REST)")
    environment = sequential_environment(problem, features="typed-counts")
    network = Network(
        num_features=environment.num_features, num_actions=environment.num_actions, hidden=(24,)
    )
    parameters = network.init(jax.random.key(1))
    save_network(tmp_path / "network.safetensors", network, parameters)
    (tmp_path / "training.json").write_text('{"view": "sequential"}')
    loaded = policy_of(problem, str(tmp_path), replacement_probability=1.0)
    policy = NetworkPolicy(environment, parameters, network.apply)
    np.testing.assert_array_equal(objectives(problem, loaded), objectives(problem, policy))
    with pytest.raises(ValueError, match=r"sees \d+ features .* fits no view"):
        policy_of(redundant(4, "2-of(ALL)"), str(tmp_path), replacement_probability=1.0)


def test_nodes_stand_behind_their_parts():
    structure = parse_structure("a & 2-of(b, c | d, a & (b | d))", ["a", "b", "c", "d"])
    assert counted_nodes(structure, ["a", "b", "c", "d"]) == [
        (1, [2, 3], []),
        (1, [1, 3], []),
        (2, [0], [1]),
        (2, [1], [0, 2]),
        (2, [0], [3]),
    ]
    assert counted_nodes(parse_structure("a", ["a"]), ["a"]) == []


def test_a_width_that_does_not_fit_is_named():
    problem = redundant(4, "2-of(ALL)")
    policy = network_for(problem, 0)
    one_hot = sequential_environment(problem)
    with pytest.raises(ValueError, match=r"layer 0 must have \d+ inputs; its weight has shape"):
        NetworkPolicy(one_hot, policy.parameters, apply)
    wide = {**policy.parameters, "head": {"weight": jnp.zeros((32, 9)), "bias": jnp.zeros(9)}}
    with pytest.raises(ValueError, match=r"the head must have 4 outputs .* got 9"):
        NetworkPolicy(policy.environment, wide, apply)
