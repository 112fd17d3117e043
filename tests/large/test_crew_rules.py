"""The rules for many components, against enumeration and plain Python."""

from dataclasses import replace

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from large_systems import all_states, chance_down, drawn_system, is_up, redundant
from sparing.large.crew_policies import CrewLimits, LookaheadPolicy
from sparing.large.crew_simulation import CrewSimulation
from sparing.large.crew_system import CrewSystem
from sparing.large.decomposition import decomposed_values
from sparing.large.exact_rating import exact_objective
from sparing.large.tuning import tuned_limits

SEEDS = st.integers(0, 2**32 - 1)


def lookahead(system, seed=0, **options):
    """Return a policy of random values."""
    value = np.random.default_rng(seed).uniform(-20, 60, system.num_pairs)
    return LookaheadPolicy(system, value, system.price, **options)


def one_step(policy, states, post):
    """What the lookahead minimises [B], by enumeration."""
    system = policy.system
    risk = np.array([policy.price * chance_down(system.problem, x) for x in post])
    if policy.later_price > 0.0:
        risk += [policy.later_price * chance_down(system.problem, x, 2) for x in post]
    value = policy.value[system.pair_of(post)].sum(axis=1)
    return system.maintenance(states, post) + value + risk


@given(SEEDS)
@settings(max_examples=25)
def test_the_chance_of_being_down_is_that_of_enumeration(seed):
    problem = drawn_system(seed)
    states = np.random.default_rng(seed).permutation(all_states(problem))[:20]
    found = lookahead(CrewSystem(problem)).chance_down(states, num_threads=1)
    assert found == pytest.approx([chance_down(problem, x) for x in states], abs=1e-12)


@given(SEEDS)
@settings(max_examples=25)
def test_a_decision_can_be_made_and_no_change_of_one_or_two_betters_it(seed):
    """Raising or lowering any one or two components costs more, as does doing nothing."""
    problem = drawn_system(seed)
    policy = lookahead(CrewSystem(problem), seed, later_price=seed % 3 * 20.0)
    states = np.random.default_rng(seed).permutation(all_states(problem))[:8]
    post = policy.decide(states, num_threads=1)
    cost = one_step(policy, states, post)
    assert (post <= states).all()
    assert np.isfinite(cost).all()
    nothing = one_step(policy, states, states)
    assert (cost <= nothing + 1e-6).all()
    sent = np.flatnonzero((post != states).any(axis=1))
    others = all_states(problem)
    for row in sent:
        apart = (others != post[row]).sum(axis=1)
        near = others[(apart <= 2) & (others <= states[row]).all(axis=1)]
        near = near[(near != states[row]).any(axis=1)]
        changed = one_step(policy, np.repeat(states[row][None], len(near), axis=0), near)
        assert (cost[row] <= changed + 1e-6).all()


@given(SEEDS)
@settings(max_examples=20)
def test_one_component_is_decided_as_well_as_can_be(seed):
    """The chance to work is linear in one component's, so the path holds the best choice."""
    kinds = drawn_system(seed).components
    problem = sparing.MultiComponentProblem(
        components=[kinds[0]], structure=kinds[0].name, setup_cost=7.0, downtime_cost=150.0
    )
    policy = lookahead(CrewSystem(problem), seed)
    states = all_states(problem)
    found = one_step(policy, states, policy.decide(states, num_threads=1))
    every = [one_step(policy, states, np.full_like(states, to)) for to in range(3)]
    every = [np.where(to <= states[:, 0], cost, np.inf) for to, cost in enumerate(every)]
    assert found == pytest.approx(np.min(every, axis=0), abs=1e-9)


@given(SEEDS, st.integers(1, 4))
@settings(max_examples=20)
def test_limits_do_what_they_say(seed, callers):
    problem = drawn_system(seed, restore_when_down=seed % 2 == 0)
    system, rng = CrewSystem(problem), np.random.default_rng(seed)
    renew = tuple(int(n) for n in rng.integers(1, 4, len(system.kinds)))
    call = tuple(int(rng.integers(limit, 4)) for limit in renew)
    policy = CrewLimits(system, renew, call, callers)
    states = all_states(problem)
    post = policy.decide(states, num_threads=2)
    for state, found in zip(states, post, strict=True):
        stays = [c.maintenance_cost[s, s] for c, s in zip(problem.components, state, strict=True)]
        called = sum(s >= call[kind] for s, kind in zip(state, system.type_of, strict=True))
        down = not is_up(problem, state)
        sent = called >= callers or down or np.isinf(stays).any()
        for at, (s, kind) in enumerate(zip(state, system.type_of, strict=True)):
            must = np.isinf(stays[at]) or (down and problem.restore_when_down and s == 2)
            expected = 0 if must or (sent and s >= renew[kind]) else s
            assert found[at] == expected


def test_a_failed_component_is_not_left_while_the_system_is_down():
    problem = redundant(4, "3-of(ALL)", restore_when_down=True)
    system = CrewSystem(problem)
    policy = LookaheadPolicy(system, np.zeros(system.num_pairs), 1.0)  # nothing is worth a crew
    states = all_states(problem)
    post = policy.decide(states)
    down = np.array([not is_up(problem, state) for state in states])
    assert down.any()
    assert not (post[down] == 3).any()
    assert (post[~down] == states[~down]).all()


def test_rollouts_run_the_rule_as_the_table_of_its_decisions_for_any_threads():
    problem = redundant(5, "c1 & 2-of(REST)")
    system = CrewSystem(problem)
    policy = LookaheadPolicy(
        system, decomposed_values(system, [100.0] * len(system.kinds)), system.price, 50.0
    )
    states = all_states(problem)
    sizes = tuple(c.num_states for c in problem.components)
    post = np.ravel_multi_index(tuple(policy.action(states).T.astype(np.int64)), sizes)
    table = sparing.TablePolicy(problem.epoch, (post.astype(np.uint32),))
    options = {"num_epochs": 60, "num_replications": 70, "seed": 3}
    found = [
        sparing.simulate(problem, p, num_threads=n, **options).samples
        for p, n in ((table, 1), (policy, 1), (policy, 2))
    ]
    assert found[0] == pytest.approx(found[1], abs=1e-9)
    np.testing.assert_array_equal(found[1], found[2])


@pytest.mark.parametrize("criterion", ["average", "discounted"])
def test_the_sketch_agrees_with_exact_evaluation(criterion):
    """With goals and rewards too: constants and the price of being down add up."""
    case = sparing.load("three-component-2")
    if criterion == "discounted":
        case = replace(case, criterion="discounted", discount=0.9)
    system = CrewSystem(case)
    values = decomposed_values(system, [system.price] * 3)
    policy = LookaheadPolicy(system, values, system.price)
    samples = CrewSimulation(system=system, lanes=400, epochs=100).objectives(policy)
    exact = exact_objective(case, policy)
    error = 4.0 * samples.std(ddof=1) / np.sqrt(len(samples))
    assert abs(samples.mean() - exact.value) < error + 1e-3 * abs(exact.value)


def test_limits_are_searched_among_all_where_they_are_few():
    """Every pair of limits is rated: none is better on the luck of the tuning."""
    problem = redundant(4, "2-of(ALL)")
    simulation = CrewSimulation(system=CrewSystem(problem), lanes=64, epochs=50)
    found = tuned_limits(simulation).policy
    again = replace(simulation, lanes=256, seed=9)
    best = again.objectives(found).mean()
    for limit in range(1, 5):
        plain = CrewLimits(simulation.system, (limit,) * 3, (limit,) * 3)
        assert best <= again.objectives(plain).mean() * 1.01


SYSTEM = CrewSystem(redundant(4, "2-of(ALL)"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: CrewLimits(SYSTEM, (1, 2), (1, 2)),
            "renew needs a limit per type of component, 3",
        ),
        (lambda: CrewLimits(SYSTEM, (1, 2, 5), (1, 2, 4)), "must be in 1..4; got 5"),
        (lambda: CrewLimits(SYSTEM, (1, 2, 3), (1, 2, 0)), "call: the limit .* got 0"),
        (lambda: CrewLimits(SYSTEM, (1, 2, 3), (1, 2, 3), 0), "callers must be .* got 0"),
        (lambda: LookaheadPolicy(SYSTEM, np.zeros(3), 1.0), r"value must have shape \(12,\)"),
        (lambda: LookaheadPolicy(SYSTEM, np.full(12, np.nan), 1.0), "value must be finite"),
        (lambda: LookaheadPolicy(SYSTEM, np.zeros(12), -1.0), "price must be at least 0; got -1"),
        (lambda: CrewSystem(sparing.load("joint-maintenance-spares")), "without spares"),
        (lambda: CrewSystem(sparing.load("three-component-restricted")), "result = 'chosen'"),
        (
            lambda: CrewSystem(redundant(3, "(c1 & c2) | (c1 & c3)")),
            "names each component once; 'c1' stands in it 2 times",
        ),
        (
            lambda: lookahead(SYSTEM).action([0, 0, 0, 9]),
            "axis 'c4' must be in 0..3; got 9",
        ),
    ],
)
def test_what_is_wrong_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_policy_is_for_its_own_epoch():
    with pytest.raises(ValueError, match="another problem's epoch"):
        sparing.simulate(
            redundant(4, "2-of(ALL)"), lookahead(SYSTEM), num_replications=1, num_epochs=1
        )
