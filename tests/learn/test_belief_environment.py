"""Hidden degradation for learners: the environment is the model, and a network learns on it."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparing
from sparing.beliefs.component_baselines import replaced_at_failure, total_cost
from sparing.beliefs.component_filter import update_beliefs
from sparing.learn.belief_environment import BeliefEnvironment
from sparing.learn.belief_policy import simulated_costs
from sparing.learn.settings import Settings
from sparing.models.hidden import HiddenComponent, HiddenProblem

DATA = Path(__file__).parents[1] / "data"
ONE, TWO = "known_hidden_one", "known_hidden_two"
NOTHING, REPAIR, INSPECT = range(3)


def known(case):
    return sparing.load(DATA / f"{case}.toml")


def failures_repaired(environment):
    last = jnp.asarray(np.cumsum(environment.widths) - 1)

    def choose(states):
        believed = environment.beliefs(states)[:, last]
        here = jnp.take_along_axis(believed, states[:, :1], axis=1)[:, 0]
        return jnp.where(here == 1.0, REPAIR, NOTHING)

    return choose


def many_of_one(count, **options):
    one = known(ONE).components[0]
    parts = {k: getattr(one, k) for k in ("transition", "repair_cost", "inspection_cost")}
    names = [f"c{i}" for i in range(count)]
    components = [HiddenComponent(name=n, observation=one.observation, **parts) for n in names]
    return HiddenProblem(
        components=components, structure=" & ".join(names), downtime_cost=500.0, **options
    )


@pytest.mark.parametrize(
    "problem",
    [
        known(ONE),
        known(TWO),
        many_of_one(2, discount=0.9),  # an infinite horizon
        many_of_one(11, discount=0.95, periods=5),  # too many to expect the downtime
    ],
    ids=["one", "two", "infinite", "eleven"],
)
def test_repair_at_failure_costs_what_it_does_exactly(problem):
    exact = total_cost(problem, [replaced_at_failure(problem, c) for c in problem.components])
    environment = BeliefEnvironment(problem)
    costs = simulated_costs(environment, failures_repaired(environment), seed=1)
    standard_error = costs.std(ddof=1) / np.sqrt(len(costs))
    assert standard_error < 0.02 * exact
    assert abs(costs.mean() - exact) < 3.5 * standard_error


@pytest.mark.parametrize("case", [ONE, TWO])
def test_solved_policy_costs_the_same_in_both_worlds(case):
    """The optimal policy of the solver, on the beliefs of the environment."""
    problem = known(case)
    found = sparing.solve(problem, gap=1e-7, num_threads=1)
    environment = BeliefEnvironment(problem)
    step = jax.jit(environment.step)
    key, lanes = jax.random.key(3), 4000
    states = environment.initial(key, lanes)
    cost, weight = np.zeros(lanes), np.ones(lanes)
    for period in range(problem.periods):
        beliefs = np.asarray(environment.beliefs(states), np.float64)
        for part in np.split(beliefs, np.cumsum(environment.widths)[:-1], axis=1):
            part /= part.sum(axis=1, keepdims=True)
        options = found.policy.act(beliefs, period)  # all components have all three options
        for place in range(len(problem.components)):
            key, rolled = jax.random.split(key)
            met = step(rolled, states, options[:, place])
            cost += weight * np.asarray(met.cost)
            weight *= np.asarray(met.discount)
            states = met.states
    assert (weight == 0.0).all()
    error = cost.std() / np.sqrt(lanes)  # 0 where the optimum repairs by the calendar alone
    assert abs(cost.mean() - found.cost.mean) < 4 * error + 1e-3
    _, raw, _ = found.policy.rollout(num_episodes=4000, seed=5)
    assert abs(raw.mean() - cost.mean()) < 4 * np.hypot(raw.std(), cost.std()) / np.sqrt(4000)


def test_beliefs_are_those_of_the_kernels_and_hide_the_true_states():
    """Beliefs follow what the true states let be seen; features do not depend on true states."""
    problem = known(TWO)
    environment = BeliefEnvironment(problem)
    key = jax.random.key(0)
    step = jax.jit(environment.step)
    states = jax.jit(environment.random_states, static_argnums=1)(key, 500)
    before = np.asarray(environment.beliefs(states), np.float64)
    rng = np.random.default_rng(0)
    options = rng.integers(3, size=(500, 2))
    met = states
    for place in range(2):
        met = step(jax.random.fold_in(key, place), met, options[:, place]).states
    after, true = np.asarray(environment.beliefs(met)), np.asarray(environment.true_states(met))
    for i, component in enumerate(problem.components):
        mine = slice(4 * i, 4 * i + 4)
        given = before[:, mine] / before[:, mine].sum(axis=1, keepdims=True)
        seen = component.channel.shape[2]
        possible, chance = update_beliefs(
            component,
            np.repeat(given, seen, axis=0),
            np.repeat(options[:, i], seen),
            np.tile(np.arange(seen), 500),
        )
        possible[chance == 0.0] = np.inf
        apart = np.abs(possible.reshape(500, seen, 4) - after[:, None, mine]).max(axis=2)
        assert apart.min(axis=1).max() < 1e-5
        assert (after[np.arange(500), 4 * i + true[:, i]] > 0.0).all()
    changed = met.at[:, 4:6].set(0)
    assert (environment.features(changed) == environment.features(met)).all()
    assert (environment.mask(changed) == environment.mask(met)).all()
    features = np.asarray(environment.features(met))
    assert features.shape == (500, environment.num_features)
    assert features.min() >= 0.0
    assert features.max() <= 1.0


def test_what_a_component_lacks_is_masked():
    wear = [[0.9, 0.1], [0.0, 1.0]]
    looked_at = HiddenComponent(
        name="b", transition=wear, inspection_cost=1.0, observation=[[1.0, 0.0], [0.0, 1.0]]
    )
    components = (
        HiddenComponent(name="a", transition=wear, repair_cost=2.0),
        looked_at,
        HiddenComponent(name="c", transition=wear),
    )
    problem = HiddenProblem(components=components, structure="a & b & c", periods=3)
    environment = BeliefEnvironment(problem)
    key = jax.random.key(0)
    step = jax.jit(environment.step)
    states = environment.initial(key, 1)
    met, costs = [], []
    for action in (REPAIR, INSPECT, NOTHING):
        met.append(environment.mask(states)[0].tolist())
        found = step(key, states, jnp.array([action]))
        costs.append(float(found.cost[0]))
        states = found.states
    assert met == [[True, True, False], [True, False, True], [True, False, False]]
    assert costs == [2.0, 1.0, 0.0]
    assert states[0, :2].tolist() == [0, 1]


@pytest.mark.full
def test_training_on_a_known_answer():
    """224.87 is the optimum by enumeration; doing nothing costs far more."""
    settings = Settings(
        learner="pqn",
        steps=250_000,
        dueling=False,
        lanes=64,
        choices=16,
        optimizer="radam",
        epsilon_end=0.05,
        restart=0.25,
    )
    found = sparing.train(known(ONE), settings=settings)
    assert not found.exact
    assert found.optimum.lower == pytest.approx(224.8708224610, rel=1e-3)
    assert found.objective.lower <= 1.05 * 224.8708224610
    assert found.objective.upper >= 224.8708224610
    assert found.objective.upper - found.objective.lower < 0.05 * 224.87
    new = np.eye(4)[:1]
    assert found.policy.act(new, 0).tolist() == [[NOTHING]]
    with pytest.raises(ValueError, match="period must be at least 0 and below 10; got 10"):
        found.policy.act(new, 10)
    with pytest.raises(ValueError, match=r"beliefs must have shape \(batch, 4\)"):
        found.policy.act(np.eye(3)[:1], 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"view": "flat"}, "one view"),
        ({"features": "one-hot"}, "one kind of features"),
        ({"settings": Settings(penalty=1.0)}, "knows no penalty"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        sparing.train(known(ONE), **options)
