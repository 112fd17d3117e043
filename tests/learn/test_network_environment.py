"""Spares networks for learners: the environment is the model, and a network learns on it."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparing
from sparing.learn.network_environment import NetworkEnvironment
from sparing.learn.network_tables import plan_of
from sparing.learn.networks import Network, cheapest
from sparing.learn.settings import Settings

DATA = Path(__file__).parents[1] / "data"
CASES = ("known_spares_single", "known_spares_serial")
OPTIMA = {"known_spares_single": 55.586243264451, "known_spares_serial": 94.663190396441}


def known(case):
    return sparing.load(DATA / f"{case}.toml")


def greedy_costs(environment, network, parameters, lanes):
    """Return the discounted costs [lanes] of a network's choices, from the case's start."""

    def advance(carry, key):
        states, weight, cost = carry
        mask = environment.mask(states)
        values = network.apply(parameters, environment.features(states), mask)
        found = environment.step(key, states, cheapest(values, mask))
        return (found.states, weight * found.discount, cost + weight * found.cost), None

    @jax.jit
    def run(key):
        start = environment.initial(key, lanes), jnp.ones(lanes), jnp.zeros(lanes)
        keys = jax.random.split(key, environment.problem.periods * environment.count)
        return jax.lax.scan(advance, start, keys)[0][2]

    return np.asarray(run(jax.random.key(7)), np.float64)


@pytest.mark.parametrize(
    ("case", "seed"),
    [(CASES[1], 0), *(pytest.param(CASES[k], 1, marks=pytest.mark.full) for k in (0, 1))],
)
def test_arbitrary_networks_cost_the_same_simulated_and_as_exact_tables(case, seed):
    """A network that was never trained decides: environment and model must agree on its cost."""
    environment = NetworkEnvironment(known(case))
    network = Network(
        num_features=environment.num_features, num_actions=environment.num_actions, hidden=(16,)
    )
    parameters = network.init(jax.random.key(seed))
    parameters["head"]["weight"] *= 100.0
    plan = plan_of(environment, network, parameters)
    assert plan.upper - plan.lower < 1e-6
    costs = greedy_costs(environment, network, parameters, 20_000)
    standard_error = costs.std(ddof=1) / np.sqrt(len(costs))
    assert 0.0 < standard_error < 0.02 * plan.upper
    assert abs(costs.mean() - plan.upper) < 3.5 * standard_error
    assert plan.upper > OPTIMA[case]


def test_masks_allow_what_fits_and_is_on_the_shelf():
    problem = known("known_spares_serial")
    environment = NetworkEnvironment(problem)
    states = np.array(environment.random_states(jax.random.key(0), 4000))
    mask = np.asarray(environment.mask(jnp.asarray(states)))
    behind = np.asarray(environment.ordered(jnp.asarray(states), np.zeros(4000, np.int32))[0])
    assert (behind == states).all()
    assert mask[:, 0].all()
    central, site = problem.locations
    stock, ordered = states[:, 3:5], states[:, 5:7]
    assert {*stock[:, 1]} == {*range(-site.backorders, site.capacity + 1)}
    most = np.minimum(central.largest_order, central.capacity - stock[:, 0])
    most = np.where(ordered[:, 0] > 0, 0, most)
    assert (mask.sum(axis=1) == most + 1).all()
    states[:, 0] = 1  # the site's turn
    room = site.capacity - np.maximum(stock[:, 1], 0)
    most = np.minimum(np.minimum(site.largest_order, room), stock[:, 0])
    most = np.where(ordered[:, 1] > 0, 0, most)
    assert (np.asarray(environment.mask(jnp.asarray(states))).sum(axis=1) == most + 1).all()


@pytest.mark.full
def test_training_ends_with_an_exact_gap():
    settings = Settings(steps=20_000, hidden=(16,), lanes=64, buffer=4096, batch=64)
    problem = known(CASES[0])
    found = sparing.train(problem, settings=settings)
    assert found.exact
    assert found.optimum.value == pytest.approx(OPTIMA[CASES[0]], abs=1e-8)
    assert 0.0 <= found.gap < 1.0


@pytest.mark.full
@pytest.mark.parametrize("case", CASES)
def test_default_settings_come_within_one_percent(case):
    found = sparing.train(known(case))
    assert found.optimum.value == pytest.approx(OPTIMA[case], abs=1e-8)
    assert found.gap < 0.01


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sla": 0.9}, "training knows no sla; leave it out"),
        ({"rolling": 2}, "training knows no rolling; leave it out"),
    ],
)
def test_wishes_that_training_does_not_know_are_refused(change, message):
    from dataclasses import replace

    with pytest.raises(ValueError, match=message):
        sparing.train(replace(known(CASES[0]), **change))


def test_what_does_not_go_with_a_network_is_refused():
    with pytest.raises(ValueError, match="one view"):
        sparing.train(known(CASES[0]), view="flat")
    with pytest.raises(ValueError, match="curves are of multi-component systems"):
        sparing.train(known(CASES[0]), curve=True)
    with pytest.raises(ValueError, match="no table of exact values to start from"):
        sparing.train(known(CASES[0]), warm_start=known(CASES[1]))
    with pytest.raises(ValueError, match="have a mask"):
        sparing.train(known(CASES[0]), settings=Settings(penalty=1.0))
    with pytest.raises(ValueError, match="know no ages of units"):
        sparing.train(sparing.load(DATA / "known_spares_age.toml"))
