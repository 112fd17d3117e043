"""A start from known values: exact ones of a simpler model, or those of any function."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparing
from learn.probes import PROBES
from learn.test_environment import random_case
from reference_environment import after_entry, cost_value, entries_of
from sparing import cli
from sparing.epoch import Branch, Cost, Decision, layout_after
from sparing.learn.exact_values import choice_values, exact_values, exact_warm_start
from sparing.learn.learners import Centre
from sparing.learn.networks import Network
from sparing.learn.run import train_seeds
from sparing.learn.run_records import RunOptions
from sparing.learn.settings import DEFAULTS
from sparing.learn.views import closed, environment_of
from sparing.learn.warm_start import WarmStart, fitted


def full_only(cases):
    """Return cases that are run with -m full alone."""
    marks = pytest.mark.full
    return [pytest.param(*(c if isinstance(c, tuple) else (c,)), marks=marks) for c in cases]


class SlowValues:
    """Values by recursion over the nodes as they stand, one state at a time."""

    def __init__(self, epoch, weights, behind):
        self.epoch, self.weights, self.behind = epoch, weights, behind
        self.choices = {}

    def weigh(self, costs):
        return sum(self.weights.get(kind, 0.0) * value for kind, value in costs.items())

    def all(self):
        nodes, code = [], 0
        for node in self.epoch.nodes:
            nodes.append((code, node))
            alternatives = node.alternatives if isinstance(node, Branch) else ()
            code += 1 + sum(len(a.nodes) for a in alternatives)
        for index in np.ndindex(*(axis.size for axis in self.epoch.axes)):
            names = (axis.name for axis in self.epoch.axes)
            self.value(nodes, self.epoch.axes, dict(zip(names, index, strict=True)))
        return self.choices

    def value(self, nodes, layout, coords):
        if not nodes:
            return self.behind([coords[axis.name] for axis in self.epoch.axes])
        (code, node), rest = nodes[0], nodes[1:]
        if isinstance(node, Cost):
            paid = cost_value(node, coords)
            if np.isinf(paid):
                return np.inf
            return self.weights.get(node.kind, 0.0) * paid + self.value(rest, layout, coords)
        if isinstance(node, Branch):
            values = self.entered(node, code, rest, layout, coords)
            return self.noted(code, coords, dict(enumerate(values)))
        found, behind = {}, layout_after(node, layout)
        table, total = node.table, 0.0
        numbers = np.unique(table.choice).tolist() if isinstance(node, Decision) else []
        for entry in entries_of(node, layout, coords):
            paid = self.weigh({kind: values[entry] for kind, values in table.cost.items()})
            value = paid + self.value(rest, behind, after_entry(node, layout, coords, entry))
            if numbers:
                found[numbers.index(table.choice[entry])] = value
            else:
                total += value * table.probability[entry]
        return self.noted(code, coords, found) if numbers else total

    def entered(self, node, code, rest, layout, coords):
        first = code + 1
        for alternative in node.alternatives:
            inner = [(first + n, part) for n, part in enumerate(alternative.nodes)]
            first += len(inner)
            yield self.weigh(alternative.cost) + self.value([*inner, *rest], layout, coords)

    def noted(self, code, coords, found):
        self.choices[code, tuple(sorted(coords.items()))] = found
        return min(found.values(), default=np.inf)


@pytest.mark.parametrize("seed", [0, *full_only(range(1, 12))])
def test_values_of_choices_are_those_of_the_nodes(seed):
    epoch, weights, rng = random_case(seed)
    start = rng.normal(size=epoch.shape)
    slow = SlowValues(epoch, weights, lambda at: 0.9 * start[tuple(at)] - 0.3).all()
    from sparing.learn.epoch_environment import sequential_environment

    environment = sequential_environment(epoch, weights=weights)
    found = choice_values(environment, start, rate=0.3, discount=0.9)
    slots, compared = environment.interpreter.flow.slots, 0
    number_of = {point.pc: number for number, point in enumerate(environment.points)}
    for (code, coords), options in slow.items():
        if code not in number_of or not np.isfinite(min(options.values(), default=np.inf)):
            continue
        state = np.zeros((1, environment.state_width), np.int32)
        state[0, 0] = number_of[code]
        live = {place.slot for place in environment.points[number_of[code]].live}
        for name, value in coords:
            if slots[name] in environment.slots and slots[name] in live:
                state[0, 1 + environment.slots.index(slots[name])] = value
        values = np.asarray(found(jnp.asarray(state)))[0]
        for choice, value in options.items():
            assert values[choice] == pytest.approx(value, abs=1e-4, rel=1e-5)
            compared += 1
    assert compared > 3


@pytest.mark.parametrize(
    ("case", "view", "discount"),
    [
        ("three-component", "sequential", None),
        *full_only([("three-component-2", "flat", 0.9), ("feedwater-pumps", "flat", None)]),
        *full_only([("feedwater-pumps", "sequential", None)]),
    ],
)
def test_exact_values_satisfy_the_bellman_equation_by_simulation(case, view, discount):
    """Cost, less the rate, and the value reached are on average the value of the choice."""
    environment = environment_of(closed(sparing.load(case)), view=view)
    found, lanes = exact_values(environment, discount=discount), 1 << 13

    @jax.jit
    def excess(key):
        begin, exploring, running = jax.random.split(key, 3)
        states, mask = environment.random_states(begin, lanes), None
        mask = environment.mask(states)
        draws = jax.random.uniform(exploring, mask.shape)
        actions = jnp.where(mask, draws, jnp.inf).argmin(axis=1)
        moved = environment.step(running, states, actions)
        weight = (
            moved.discount
            if discount is None
            else jnp.where(moved.epoch_ended, discount, moved.discount)
        )
        masked = jnp.where(environment.mask(moved.states), found(moved.states), jnp.inf)
        goal = moved.cost - found.rate * moved.duration + weight * masked.min(axis=1)
        return goal - found(states)[jnp.arange(lanes), actions]

    excess = np.concatenate([np.asarray(excess(jax.random.key(n))) for n in range(4)])
    assert np.isfinite(excess).all()
    assert abs(excess.mean()) < 4.0 * excess.std() / np.sqrt(excess.size) + 1e-5
    assert excess.std() > 0.0


def test_a_network_is_fitted_to_given_values():
    """Of the probe with a gain; those of forbidden choices are not fitted."""
    probe = PROBES["masked bargain"]()
    values = jnp.asarray(np.where(probe.allowed, probe.values, 1e6), jnp.float32)
    warm = WarmStart(values=lambda states: values[states[:, 0]], rate=1.5, steps=400, batch=32)
    network = Network(num_features=2, num_actions=3, hidden=(16,))
    parameters = network.init(jax.random.key(0))
    states, key = jnp.arange(2)[:, None], jax.random.key(1)
    fit = jax.jit(lambda p, k: fitted(warm, probe, network, p, k, jnp.float32(2.0)))
    mask = probe.mask(states)
    found = network.apply(fit(parameters, key), probe.features(states), mask)
    assert np.asarray(found)[probe.allowed] == pytest.approx(
        2.0 * probe.values[probe.allowed], abs=0.02
    )


@pytest.mark.full
def test_what_the_simpler_model_got_wrong_is_learned_anew():
    """For cost alone and without downtime, only failed units are replaced: a gap of 52 %."""
    problem = sparing.load("three-component")
    simpler = replace(problem, downtime_cost=0.0, goals={"cost": problem.goals["cost"]})
    alone = sparing.train(problem, steps=256, warm_start=simpler)
    refined = sparing.train(problem, steps=100_000, warm_start=simpler)
    assert refined.gap < 0.02
    assert alone.gap > 0.3


@pytest.mark.full
def test_rollout_learners_start_warm_too():
    """Of `qv` both networks are fitted."""
    probe = PROBES["masked bargain"]()
    values = jnp.asarray(np.where(probe.allowed, probe.values, 0.0), jnp.float32)
    warm = WarmStart(values=lambda s: values[s[:, 0]], rate=1.5, steps=300, batch=32, epsilon=0.1)
    settings = replace(
        DEFAULTS["qv"], hidden=(16, 16), lanes=8, choices=4, steps=32, learning_rate=1e-6
    )
    options = RunOptions()
    found = train_seeds(probe, settings, centre=Centre.gain, options=options, warm_start=warm)[1]
    (seed,) = found
    assert seed.history["rate"][0] == pytest.approx(1.5, abs=0.1)
    assert seed.history["epsilon"][0] <= 0.101
    assert seed.history["cost"][0] < 2.0


@pytest.mark.full
def test_a_warm_training_goes_on_only_from_the_same_start(tmp_path):
    probe = PROBES["masked bargain"]()
    warm = WarmStart(values=lambda s: jnp.zeros((len(s), 3)), name="zeros", steps=2, batch=4)
    settings = replace(
        DEFAULTS["d3qn"], lanes=4, buffer=64, batch=8, updates=1, steps=40, hidden=(4,)
    )

    def run(start):
        options = RunOptions(folder=tmp_path, resume=True)
        return train_seeds(probe, settings, centre=Centre.gain, options=options, warm_start=start)

    first = run(warm)[1][0]
    again = run(warm)[1][0]
    np.testing.assert_array_equal(first.history["loss"], again.history["loss"])
    with pytest.raises(ValueError, match=r"holds a run with .*'name': 'zeros'.*now it is"):
        run(replace(warm, name="ones"))
    with pytest.raises(ValueError, match=r"holds a run with .*; now it is"):
        run(None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"values": 3}, "values must be a function of states; got an object of type int"),
        ({"steps": 0}, "steps must be a whole number of at least 1; got 0"),
        ({"batch": 2.5}, r"batch must be a whole number of at least 1; got 2\.5"),
        ({"rate": float("nan")}, "rate must be a finite number; got nan"),
        ({"learning_rate": 0.0}, r"learning_rate must be above 0 and finite; got 0\.0"),
        ({"epsilon": 1.5}, r"epsilon must be in \[0, 1\]; got 1\.5"),
    ],
)
def test_starts_that_do_not_fit_are_refused(wrong, message):
    given = {"values": lambda states: states, **wrong}
    with pytest.raises(ValueError, match=message):
        WarmStart(**given)


def test_models_that_show_other_choices_are_refused():
    problem = sparing.load("three-component")
    fewer = replace(problem, components=problem.components[:2], structure="c1 & c2")
    with pytest.raises(ValueError, match=r"the same choices on the same axes; choice 0 is .* here"):
        sparing.train(problem, warm_start=fewer)
    here, there = (environment_of(problem, view=view) for view in ("sequential", "flat"))
    with pytest.raises(ValueError, match="the same choices on the same axes"):
        exact_warm_start(there, here)
    other = environment_of(sparing.load("three-component-2"), view="flat")
    with pytest.raises(ValueError, match=r"in the flat view .* must have the same actions"):
        exact_warm_start(other, there)
    with pytest.raises(ValueError, match="no table of exact values to start from"):
        sparing.train(sparing.load("hidden-1-of-5"), warm_start=problem)


def test_an_option_that_the_simpler_model_lacks_is_not_fitted():
    """In scenario 1 a failed component is never left; in scenario 2 it may be."""
    simpler, here = (environment_of(sparing.load(f"three-component{n}")) for n in ("", "-2"))
    warm = exact_warm_start(simpler, here)
    grid = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=1)
    states = jnp.asarray(np.insert(grid, 0, 1, axis=1), jnp.int32)  # what is done about c1?
    mask, values = np.asarray(here.mask(states)), np.asarray(warm.values(states))
    failed = np.asarray(states)[:, 1] == 3
    assert np.isfinite(values[mask & ~failed[:, None]]).all()
    assert mask[failed][:, [0, 3]].all()
    assert np.isfinite(values[failed][:, 0]).all()
    assert np.isinf(values[failed][:, 3]).all()


@pytest.mark.full
def test_a_warm_start_from_the_command_line(capsys):
    """From its own values it is at the optimum at once, after a single update."""
    asked = ["train", "three-component", "--warm-start", "three-component", "--steps", "256"]
    with pytest.raises(SystemExit) as done:
        cli.main([*asked, "--json"])
    assert done.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert report["warm_start"] == "three-component"
    assert report["gap"] < 0.001


def test_a_start_that_does_not_fit_is_refused_in_one_line(capsys):
    with pytest.raises(SystemExit) as done:
        cli.main(["train", "three-component", "--warm-start", "feedwater-pumps"])
    assert done.value.code == 2
    text = capsys.readouterr().err
    assert "the same choices on the same axes" in text
    assert text.count("\n") == 1
