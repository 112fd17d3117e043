"""Rollouts against exact evaluation, and rules against plain recursion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from random_network import random_network
from reference_network import Reference
from sparing.evaluate.network_rolling import valued_plan
from sparing.models.network_nodes import NetworkNodes
from sparing.models.network_rules import StockRules, rule_tables
from sparing.simulate.network_results import KINDS
from sparing.simulate.spares_network import (
    _Run,
    network_paths,
    simulate_network,
    simulate_rules,
)

DATA = Path(__file__).parent.parent / "data"
NAMES = ("single", "serial", "age")


class RuleReference(Reference):
    """The same recursion under a set of rules in place of the cheapest orders."""

    def __init__(self, problem, rules):
        super().__init__(problem)
        self.rules = rules

    def _value(self, period, state):
        if period == self.problem.periods:
            return 0.0
        return self.costs_of_orders(period, state)[self.ordered(period, state[0])]

    def ordered(self, period, stocks):
        left = [max(x, 0) for x, _, _ in stocks]
        orders = [0] * len(stocks)
        if period % int(self.rules.review[0]):
            return tuple(orders)
        for i in self.part.top_down:  # suppliers first: their own rule sees the stock at the review
            location, (x, q, _) = self.places[i], stocks[i]
            if q or x > self.rules.reorder_at[0, i]:
                continue
            wanted = min(
                int(self.rules.order_up_to[0, i]) - x,
                int(self.rules.quantity[0, i]),
                location.largest_order,
                location.capacity - max(x, 0),
            )
            if location.supplier != "external":
                wanted = min(wanted, left[self.index[location.supplier]])
                left[self.index[location.supplier]] -= max(wanted, 0)
            orders[i] = max(wanted, 0)
        return tuple(orders)


def random_rules(rng, num_locations, sets=1):
    low = rng.integers(-1, 3, size=(sets, num_locations))
    return StockRules(
        reorder_at=low,
        order_up_to=low + rng.integers(0, 4, size=low.shape),
        quantity=rng.integers(1, 4, size=low.shape),
        review=rng.integers(1, 3, size=sets),
    )


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), sites=st.integers(1, 2), aged=st.booleans())
def test_rules_as_tables_cost_what_plain_recursion_says(seed, sites, aged):
    rng = np.random.default_rng(seed)
    problem = random_network(rng, sites=sites, central=True, aged=aged, periods=2)
    part = problem.parts[0]
    rules = random_rules(rng, len(part.locations))
    plan = valued_plan(problem, part, rule_tables(NetworkNodes(problem, part), rules))
    assert plan.lower == pytest.approx(RuleReference(problem, rules).solve(), abs=1e-8)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), sites=st.integers(1, 2), aged=st.booleans())
def test_rules_and_their_tables_run_through_the_same_states(seed, sites, aged):
    """The kernel reads tables in one way and applies rules in another."""
    rng = np.random.default_rng(seed)
    problem = random_network(rng, sites=sites, central=True, aged=aged)
    part = problem.parts[0]
    rules = random_rules(rng, len(part.locations))
    plan = valued_plan(problem, part, rule_tables(NetworkNodes(problem, part), rules))
    by_rule, by_table = (
        simulate_network(problem, policy, num_replications=130, seed=seed).samples
        for policy in (rules, plan)
    )
    np.testing.assert_array_equal(by_rule, by_table)


@pytest.mark.parametrize("name", NAMES)
def test_the_optimal_plan_costs_what_it_promises(name):
    problem = sparing.load(DATA / f"known_spares_{name}.toml")
    solution = sparing.solve(problem)
    exact = sparing.evaluate(problem, solution)
    found = sparing.simulate(problem, solution, num_replications=100_000, seed=7)
    assert abs(found.objective - solution.objective) < 1.5 * found.half_width
    for metric, bounds in exact.items():
        assert abs(found.mean[metric] - bounds.value) < 1.5 * found.half_widths[metric], metric


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_networks_cost_what_is_evaluated_exactly(seed):
    """Within five standard errors, so that a right kernel fails once in a million."""
    rng = np.random.default_rng(seed)
    problem = random_network(rng, sites=2, central=True, aged=True, periods=3)
    part = problem.parts[0]
    rules = random_rules(rng, len(part.locations))
    plan = valued_plan(problem, part, rule_tables(NetworkNodes(problem, part), rules))
    found = simulate_network(problem, rules, num_replications=20_000, seed=seed)
    assert abs(found.objective - plan.lower) <= 5.0 / 1.96 * found.half_width + 1e-9


def test_threads_kernels_and_replications_change_no_bit():
    problem = sparing.load(DATA / "known_spares_serial.toml")
    rules = random_rules(np.random.default_rng(0), 2, sets=3)
    solution = sparing.solve(problem)
    for policy in (rules, solution.plans[0]):
        runs = [
            _Run(problem, problem.parts[0], count, 5, None, threads).totals(policy, kernel=kernel)
            for count, threads, kernel in (
                (5000, 1, "widest"),
                (5000, 2, "widest"),
                (5000, 1, "baseline"),
                (5070, 2, "widest"),
            )
        ]
        for run in runs[1:]:
            np.testing.assert_array_equal(run[:, :5000], runs[0])


def test_sets_of_rules_meet_the_same_failures_as_one():
    problem = sparing.load(DATA / "known_spares_serial.toml")
    rules = random_rules(np.random.default_rng(1), 2, sets=20)
    totals = simulate_rules(problem, rules, num_replications=200, seed=3)
    failures = totals[:, :, KINDS.index("failures")]
    np.testing.assert_array_equal(failures, np.broadcast_to(failures[0], failures.shape))
    for position in (0, 7, 19):
        alone = simulate_network(problem, rules[position], num_replications=200, seed=3)
        np.testing.assert_array_equal(alone.samples, totals[position])


def test_paths_add_up_to_the_totals():
    problem = replace(sparing.load(DATA / "known_spares_serial.toml"), discount=1.0)
    solution = sparing.solve(problem)
    paths = network_paths(problem, solution, num_replications=100, seed=2)
    totals = simulate_network(problem, solution, num_replications=100, seed=2)
    np.testing.assert_allclose(paths.cost.sum(axis=1), totals.metrics["total_cost"])
    held = np.maximum(paths.stock, 0).sum(axis=(1, 2))
    np.testing.assert_array_equal(held, totals.samples[:, KINDS.index("units held")])
    assert paths.stock[:, :, 0].min() >= 0  # nothing fails at the store
    assert paths.stock[:, :, 1].min() >= -2


def test_discounted_costs_weigh_each_period():
    problem = sparing.load(DATA / "known_spares_serial.toml")
    paths = network_paths(problem, StockRules.base_stock([2, 2]), num_replications=50, seed=2)
    found = simulate_network(problem, StockRules.base_stock([2, 2]), num_replications=50, seed=2)
    weighed = paths.cost @ (0.99 ** np.arange(5))
    np.testing.assert_allclose(found.metrics["objective"], weighed)


def test_true_rates_make_poisson_failures():
    problem = sparing.load(DATA / "known_spares_single.toml")
    part = replace(problem.parts[0], truncate=40)
    problem = replace(problem, parts=(part,))
    found = simulate_network(
        problem, StockRules.base_stock([2]), num_replications=50_000, rates=0.7
    )
    failures = found.metrics["failures"]
    assert failures.mean() == pytest.approx(8 * 0.7, abs=0.05)
    assert failures.var() == pytest.approx(8 * 0.7, abs=0.2)


def test_rates_drawn_from_the_prior_are_what_is_believed():
    """Mixed over the prior, Poisson failures are the predictive ones, if nothing is truncated."""
    problem = sparing.load(DATA / "known_spares_single.toml")
    problem = replace(problem, parts=(replace(problem.parts[0], truncate=60),))
    count, rules = 100_000, StockRules.base_stock([3])
    rates = np.random.default_rng(4).gamma(2.0, 1.0 / 4.0, size=count)
    believed = simulate_network(problem, rules, num_replications=count, seed=1)
    mixed = simulate_network(problem, rules, num_replications=count, seed=2, rates=rates)
    for metric in ("total_cost", "failures", "sla"):
        width = np.hypot(believed.half_widths[metric], mixed.half_widths[metric])
        assert abs(believed.mean[metric] - mixed.mean[metric]) < 1.5 * width, metric


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_replications": 0}, "num_replications must be in 1..2^32 - 1; got 0"),
        ({"num_replications": 5, "seed": -1}, "seed must be in 0..2^64 - 1; got -1"),
        ({"num_replications": 5, "rates": -1.0}, "rates must be finite numbers of at least 0"),
        ({"num_replications": 5, "rates": [1.0, 2.0]}, "rates must be a number or one per repl"),
        ({"num_replications": 5, "rates": 1e4}, "more than 600 failures a period"),
        ({"num_replications": 5, "confidence": 1.0}, "confidence must be above 0 and below 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    problem = sparing.load(DATA / "known_spares_single.toml")
    with pytest.raises(ValueError) as found:
        sparing.simulate(problem, StockRules.base_stock([1]), **arguments)
    assert message in str(found.value)


def test_bad_policies_are_refused():
    problem = sparing.load(DATA / "known_spares_single.toml")
    serial = sparing.load(DATA / "known_spares_serial.toml")
    cases = [
        (StockRules.base_stock([1, 2]), "one number per location, 1; got 2"),
        (StockRules.base_stock([[1], [2]]), "one set of rules is needed; got 2"),
        (sparing.solve(serial).plans[0], "was made for other axes or another number of periods"),
        ({"pump": StockRules.base_stock([1])}, "policy has nothing for part 'part'"),
    ]
    for policy, message in cases:
        with pytest.raises(ValueError) as found:
            sparing.simulate(problem, policy, num_replications=10)
        assert message in str(found.value)
    for fields, message in [
        ({"reorder_at": [[1]], "order_up_to": [[1, 2], [3, 4], [5, 6]]}, None),
        ({"reorder_at": [1, 2, 3], "order_up_to": [1, 2]}, "rules must have one shape"),
        ({"reorder_at": [1], "order_up_to": [1], "review": 0}, "review must be at least 1; got 0"),
        ({"reorder_at": [0.5], "order_up_to": [1]}, "reorder_at must be whole numbers"),
    ]:
        if message is None:
            assert len(StockRules.min_max(**fields)) == 3
            continue
        with pytest.raises(ValueError) as found:
            StockRules.min_max(**fields)
        assert message in str(found.value)
