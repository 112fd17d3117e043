"""Service levels, limits, rolling horizons, saturated beliefs, and networks taken up later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from random_network import random_network
from sparing import GammaPrior, OutstandingOrder
from sparing.evaluate.network_measures import evaluate_plans
from sparing.evaluate.network_rolling import saturation_bound, valued_plan
from sparing.exact.finite_horizon import finite_horizon
from sparing.models.network_nodes import NetworkNodes
from sparing.models.network_rules import StockRules, rule_tables
from sparing.models.network_updates import PartStatus, network_after
from sparing.models.spares_network import SparesNetwork

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def single():
    return sparing.load(DATA / "known_spares_single.toml")


@pytest.fixture(scope="module")
def two_parts(single):
    """The known part, and a dearer one that fails less."""
    part = single.parts[0]
    site = replace(part.locations[0], holding_cost=2.0, order_unit=4.0, downtime_cost=60.0)
    other = replace(
        part, name="other", prior=GammaPrior(shape=1.0, rate=4.0), locations=(site,), volume=2.0
    )
    return SparesNetwork(parts=(part, other), periods=3)


def test_parts_without_a_limit_are_solved_apart(two_parts):
    both = sparing.solve(two_parts)
    alone = [sparing.solve(two_parts.only(part)) for part in two_parts.parts]
    assert both.objective == pytest.approx(sum(x.objective for x in alone), abs=1e-9)
    decided = {p.name: x.first_decision for p, x in zip(two_parts.parts, alone, strict=True)}
    assert both.first_decision == decided


def test_the_price_of_downtime_is_the_least_that_meets_the_sla(single):
    wanted = replace(single, sla=0.97)
    found = sparing.solve(wanted)
    reached = sparing.evaluate(wanted, found)["sla"]
    assert reached.lower >= 0.97 - 1e-12
    assert found.details["sla"] == pytest.approx(reached.value, abs=1e-9)
    factor = found.details["downtime_factor"] * (1.0 - 2e-4)
    part = single.parts[0]
    site = part.locations[0]
    cheaper = replace(part, locations=(replace(site, downtime_cost=factor * site.downtime_cost),))
    below = replace(single, parts=(cheaper,))
    assert sparing.evaluate(below, sparing.solve(below))["sla"].value < 0.97


def test_an_sla_out_of_reach_is_refused(single):
    short = replace(single, periods=2, sla=0.9999999)
    with pytest.raises(ValueError, match=r"sla 0\.9999999 cannot be met: with downtime at"):
        sparing.solve(short)


@pytest.mark.parametrize("share", [0.9, 0.6, 0.3])
def test_a_budget_is_kept_and_its_bound_holds(two_parts, share):
    """No rule that keeps the budget costs less than the lower bound."""
    free = sparing.solve(two_parts)
    spent = evaluate_plans(two_parts, free.plans, {"order": {"order": 1.0}})["order"].value
    limited = replace(two_parts, budget=share * spent)
    found = sparing.solve(limited)
    measures = {"order": {"order": 1.0}, "cost": two_parts.weights}
    used = evaluate_plans(limited, found.plans, measures)
    assert used["order"].lower <= share * spent
    assert used["cost"].lower <= found.upper + 1e-9
    assert free.lower <= found.lower <= found.upper
    assert found.details["duality_gap"] == pytest.approx(found.upper - found.lower)
    assert found.details["mixture_cost"] == pytest.approx(found.lower, abs=1e-6)
    assert found.upper - found.lower <= 0.05 * found.upper
    kept = 0
    for low in range(-4, 3):
        plans = []
        for part in two_parts.parts:
            tables = rule_tables(NetworkNodes(limited, part), StockRules.min_max([low], [low + 2]))
            plans.append(valued_plan(limited, part, tables))
        cost = evaluate_plans(limited, plans, measures)
        if cost["order"].value <= share * spent:
            kept += 1
            assert cost["cost"].value >= found.lower - 1e-9
    assert kept


def test_a_volume_limit_is_kept(two_parts):
    parts = tuple(
        replace(part, locations=(replace(part.locations[0], volume_limit=4.37),))
        for part in two_parts.parts
    )
    limited = replace(two_parts, parts=parts)
    found = sparing.solve(limited)
    used = evaluate_plans(limited, found.plans, {"volume": {"volume": 1.0 / 3.0}})["volume"]
    assert used.lower <= 4.37
    assert found.details["use"] == pytest.approx(used.value)
    assert found.details["multiplier"] > 0.0


def test_a_limit_out_of_reach_is_refused(single):
    part = single.parts[0]
    tight = replace(part, locations=(replace(part.locations[0], volume_limit=0.001),))
    with pytest.raises(
        ValueError, match=r"volume_limit 0\.001 cannot be kept: no plan found needs"
    ):
        sparing.solve(replace(single, periods=2, parts=(tight,)))


def test_wishes_that_contradict_each_other_are_refused(single):
    with pytest.raises(ValueError, match="sla and rolling cannot be combined"):
        sparing.solve(replace(single, sla=0.9, rolling=2))


def test_a_rolling_horizon_costs_no_less_and_all_periods_cost_the_same(single):
    optimum = sparing.solve(single)
    for rolling in (1, 4):
        found = sparing.solve(replace(single, rolling=rolling))
        assert found.lower == optimum.lower
        assert found.upper >= optimum.lower
        simulated = sparing.simulate(single, found.plans[0], num_replications=20_000, seed=1)
        assert abs(simulated.objective - found.upper) < 2.0 * simulated.half_width
    whole = sparing.solve(replace(single, rolling=8))
    assert whole.upper == optimum.upper
    nearly = sparing.solve(replace(single, rolling=7))
    assert nearly.upper == pytest.approx(optimum.upper, abs=1e-6)


def test_belief_levels_that_are_never_reached_change_nothing(single):
    """Eight periods of at most five failures make 41 levels."""
    exact, capped = (sparing.solve(replace(single, belief_levels=k)) for k in (None, 41))
    assert capped.objective == pytest.approx(exact.objective, abs=1e-10)
    assert saturation_bound(replace(single, belief_levels=12), single.parts[0]) < 0.05


def test_the_saturation_bound_holds(single):
    """The chance to count more failures than the levels tell, by rollouts."""
    capped = replace(single, belief_levels=6)
    rules = StockRules.base_stock([2])
    found = sparing.simulate(single, rules, num_replications=20_000)
    share = float(np.mean(found.metrics["failures"] > 5))
    assert abs(share - saturation_bound(capped, capped.parts[0])) < 0.02  # nearly tight here


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), sites=st.integers(1, 2))
def test_a_network_taken_up_later_has_the_value_of_its_state(seed, sites):
    """The belief is conjugate: posterior and status of a period stand for all that was seen."""
    rng = np.random.default_rng(seed)
    problem = random_network(rng, sites=sites, central=True, periods=3)
    nodes = NetworkNodes(problem, problem.parts[0])
    state = [int(rng.integers(0, axis.size)) for axis in nodes.epochs()[1].axes]
    found = finite_horizon(nodes.epochs()[1:], problem.weights, initial=tuple(state))
    stock, outstanding = {}, {}
    for tuples, k in zip((s.found for s in nodes.stocks), state, strict=False):
        name = problem.parts[0].names[len(stock)]
        stock[name] = int(tuples.stock[k])
        if tuples.ordered[k]:
            order = OutstandingOrder(quantity=int(tuples.ordered[k]), age=int(tuples.age[k]))
            outstanding[name] = order
    exposure = sum(float(site.exposures(3)[0]) for site in problem.parts[0].sites)
    status = PartStatus(failures=state[-1], exposure=exposure, stock=stock, outstanding=outstanding)
    later = network_after(problem, 1, [status])
    assert sparing.solve(later).objective == pytest.approx(found.objective, abs=1e-9)


def test_a_solve_that_was_interrupted_goes_on_to_the_identical_result(
    single, tmp_path, monkeypatch
):
    monkeypatch.setenv("SPARING_CHECKPOINT_SECONDS", "0")

    class StopError(Exception):
        pass

    def stop(progress):
        if progress.num_sweeps == 5:
            raise StopError

    whole = sparing.solve(single)
    with pytest.raises(StopError):
        sparing.solve(single, checkpoint_dir=tmp_path, progress=stop)
    seen = []
    again = sparing.solve(single, checkpoint_dir=tmp_path, progress=seen.append)
    assert [p.num_sweeps for p in seen] == [6, 7, 8]
    assert (again.lower, again.upper) == (whole.lower, whole.upper)
    for mine, theirs in zip(again.plans[0].policies, whole.plans[0].policies, strict=True):
        np.testing.assert_array_equal(mine.stages[0], theirs.stages[0])
