"""The vectorised twin against the SimPy twin, in distribution, and as an environment."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from sparing.evaluate.network_pipelines import one_for_one_levels
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_environment import TwinEnvironment
from sparing.learn.twin_lanes import FleetRunner, run_fleets, stock_rules
from sparing.learn.twin_state import packed, started, unpacked
from sparing.learn.twin_tables import QUANTILES, twin_tables
from sparing.models.network_rules import StockRules
from sparing.simulate.twin import Crew, Twin
from sparing.simulate.twin_files import load_twin
from sparing.simulate.twin_rules import OneForOne
from sparing.simulate.twin_runs import MEASURES, run_twin
from sparing.simulate.twin_stock_rules import StockRulesAtReviews

CASE = Path(__file__).parents[1] / "data" / "spares-twin.toml"
RULES = {"inverter": StockRules.min_max([1, 0, 0], [3, 2, 1])}
LEVELS = {"central": 2, "north": 1, "south": 1}
QUANTILES_SEEN = (0.25, 0.5, 0.75, 0.9)


def twin_of_case(**changes):
    return replace(load_twin(CASE), **changes)


def assert_same_law(simpy, lanes, compared):
    """Means agree within 99.9 %, and so do shares below the quantiles of the other sample.

    `compared` measures are looked at; the level is shared among all comparisons (Bonferroni).
    """
    tests = len(compared) * (1 + len(QUANTILES_SEEN))
    z = stats.norm.ppf(1.0 - 0.5 * 0.001 / tests)
    for measure in compared:
        x = simpy.samples[:, MEASURES.index(measure)]
        y = lanes.samples[:, MEASURES.index(measure)]
        error = np.sqrt(x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y))
        assert abs(x.mean() - y.mean()) < z * error, measure
        for share in QUANTILES_SEEN:
            cut = np.quantile(np.concatenate([x, y]), share) + 1e-3
            p, q = (x <= cut).mean(), (y <= cut).mean()
            both = (p * len(x) + q * len(y)) / (len(x) + len(y))
            spread = np.sqrt(both * (1.0 - both) * (1.0 / len(x) + 1.0 / len(y)))
            assert abs(p - q) < z * spread + 1e-9, (measure, share)


COMPARED = (
    *("total", "order", "holding", "downtime", "emergency", "sla"),
    *("down_hours_per_year", "orders_per_year", "failures_per_year"),
)


def test_rules_at_reviews_have_the_law_of_the_simpy_twin():
    pytest.importorskip("simpy")
    twin = twin_of_case(orders="single")
    expected = run_twin(twin, StockRulesAtReviews(RULES), num_replications=200, seed=3)
    tables = twin_tables(twin, step_hours=24.0)
    rule = stock_rules(Dynamics(tables), RULES)
    found = run_fleets(tables, rule, num_replications=1024, lanes=1024)
    assert_same_law(expected, found, COMPARED)


@pytest.mark.full
@pytest.mark.parametrize("hours", [24.0, 6.0])
def test_both_kinds_of_orders_have_the_law_of_the_simpy_twin(hours):
    pytest.importorskip("simpy")
    twin = twin_of_case()
    tables = twin_tables(twin, step_hours=hours)
    expected = run_twin(twin, OneForOne(LEVELS), num_replications=2000, seed=1)
    base_stock = np.array([[LEVELS[x.name] for x in twin.network.locations]])
    found = run_fleets(tables, None, base_stock=base_stock, num_replications=8192, lanes=4096)
    assert_same_law(expected, found, COMPARED)
    single = replace(twin, orders="single")
    expected = run_twin(single, StockRulesAtReviews(RULES), num_replications=2000, seed=2)
    rule = stock_rules(Dynamics(tables), RULES)
    assert_same_law(expected, run_fleets(tables, rule, num_replications=8192, lanes=4096), COMPARED)


@pytest.mark.full
@pytest.mark.parametrize("orders", ["free", "single"])
def test_the_fleet_has_the_law_of_the_simpy_twin(orders):
    """All of `ess-fleet`, 10 parts and 24 locations, at base stocks: one for one or at reviews."""
    pytest.importorskip("simpy")
    twin = replace(load_twin("ess-fleet"), orders=orders)
    levels = one_for_one_levels(twin.network, method="thinning")
    names = twin.network.parts[0].names
    base_stock = {part: [own[name] for name in names] for part, own in levels.items()}
    tables, options = twin_tables(twin), {"num_replications": 512, "lanes": 64, "seed": 1}
    if orders == "free":
        rule = OneForOne(levels)
        found = run_fleets(tables, None, base_stock=[*base_stock.values()], **options)
    else:
        rules = {part: StockRules.base_stock(own) for part, own in base_stock.items()}
        rule = StockRulesAtReviews(rules, names)
        found = run_fleets(tables, stock_rules(Dynamics(tables), rules), **options)
    expected = run_twin(twin, rule, num_replications=200, seed=1)
    assert_same_law(expected, found, (*COMPARED, "fill_rate", "short_hours_per_year"))


@pytest.mark.full
def test_busy_crews_make_units_wait_as_in_the_simpy_twin():
    """Two parts in three of the time of the one person at each site are taken."""
    pytest.importorskip("simpy")
    twin = twin_of_case(orders="single", rate={"inverter": 1.0}, crew=Crew(size=1, hours=300.0))
    rule = {"inverter": StockRules.base_stock([3, 2, 2])}
    expected = run_twin(twin, StockRulesAtReviews(rule), num_replications=1000, seed=4)
    tables = twin_tables(twin, step_hours=12.0)
    wanted = stock_rules(Dynamics(tables), rule)
    found = run_fleets(tables, wanted, num_replications=4096, lanes=4096)
    assert expected.mean["down_hours_per_year"] > 2.0 * expected.mean["short_hours_per_year"]
    assert_same_law(expected, found, ("down_hours_per_year", "downtime", "failures_per_year"))


@pytest.mark.full
def test_units_are_neither_made_nor_lost():
    """What came from outside is on a shelf, under way, or was put in at a failure."""
    twin = twin_of_case(orders="single")
    tables = twin_tables(twin, step_hours=24.0)
    dynamics = Dynamics(tables)
    rule, lanes = stock_rules(dynamics, RULES), 64
    fleets = started(jax.random.key(0), tables, lanes, dynamics.slots)
    units = fleets.on_hand.sum(axis=(1, 2))
    run = jax.jit(lambda key, fleets: _review(key, fleets, dynamics, rule))
    for period in range(6):
        before = units
        fleets, counts, quantity = run(jax.random.key(period), fleets)
        under_way = fleets.ordered.sum(axis=(1, 2, 3))
        units = fleets.on_hand.sum(axis=(1, 2)) + under_way - fleets.waiting.sum(axis=(1, 2))
        used = (counts.failures - counts.emergencies).sum(axis=(1, 2))
        assert (units == before + quantity[:, 0, 0] - used).all()
        waits = (fleets.put_in >= 1 << 20).sum(axis=-1)
        assert (waits == fleets.waiting).all()
        assert (fleets.on_hand >= 0).all()
        # a delivery and a failure in one step may be met in the wrong order, by a step at most
        assert (counts.held >= -2.0 * tables.step_hours).all()
        assert (counts.backlog <= counts.short + tables.step_hours).all()


def _review(key, fleets, dynamics, rule):
    keys = jax.random.split(key)
    fleets, counts, quantity = dynamics.order(keys[0], fleets, rule(fleets))
    fleets, counts, _ = dynamics.run_period(keys[1], fleets, counts)
    return fleets, counts, quantity


def test_tables_keep_the_means_of_the_twin():
    twin = twin_of_case()
    tables = twin_tables(twin, step_hours=24.0)
    assert tables.quantile.shape[1] == QUANTILES
    np.testing.assert_allclose(tables.quantile.mean(axis=1), 1.0, rtol=1e-5)
    assert tables.repair_quantile.mean() == pytest.approx(8.0, rel=1e-5)
    # the mean hazard is that of the hours, by a slow way: hour by hour, as the SimPy twin has it
    from sparing.simulate.twin_hazard import surroundings

    calm = replace(
        twin,
        climate=replace(
            twin.climate,
            temperature=replace(twin.climate.temperature, weather=0.0),
            humidity=replace(twin.climate.humidity, weather=0.0),
        ),
    )
    for s, site in enumerate(twin.sites):
        around = surroundings(calm, site, np.random.default_rng(0))
        location = next(x for x in twin.network.locations if x.name == site)
        slow = around.factor.sum() * location.exposure / twin.period_hours * tables.bound
        assert tables.hazard[0, s].sum() == pytest.approx(slow, rel=1e-3)
    assert tables.delay[:, 0].max() == 1.5
    assert (tables.delay[:, 1:] == 1.0).all()


@pytest.mark.full
def test_the_environment_keeps_the_protocol_and_the_costs_of_the_rule():
    """Choices made one by one cost what the rule costs at once, on the same draws."""
    twin = twin_of_case(orders="single")
    environment = TwinEnvironment(twin)
    dynamics = environment.dynamics
    lanes, key = 32, jax.random.key(1)
    states = environment.initial(key, lanes)
    assert states.shape == (lanes, environment.state_width)
    assert states.dtype == jnp.int32
    fleets = unpacked(states[:, 1 + environment.count :], environment.tables, 1)
    assert (packed(fleets) == states[:, 1 + environment.count :]).all()
    rule = stock_rules(dynamics, RULES)
    step = jax.jit(environment.step)
    wanted = rule(fleets)
    for _, place in environment.sequence:
        mask = environment.mask(states)
        assert mask[:, 0].all()
        assert np.isfinite(environment.features(states)).all()
        actions = jnp.asarray(wanted[:, 0, place])  # quantities up to six are their own numbers
        assert mask[jnp.arange(lanes), actions].all()
        found = step(key, states, actions)
        states = found.states
    assert found.epoch_ended.all()
    assert (found.discount == 1.0).all()
    keys = jax.random.split(key)
    behind, counts, _ = dynamics.order(keys[0], fleets, wanted)
    behind, _, cost = dynamics.run_period(keys[1], behind, counts)
    np.testing.assert_allclose(found.cost, cost.sum(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(states[:, 1 + environment.count :], packed(behind))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clock": "review", "crew": None}, "continuous clock alone"),
        ({"down_units_fail": True}, "ages units only while they are up"),
        ({"warm_up": 3}, "has no warm-up"),
        ({"initial_stock": "levels"}, "starts from the case's stock"),
    ],
)
def test_what_the_array_program_does_not_know_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        twin_tables(twin_of_case(**change))


def test_an_order_that_finds_no_slot_is_counted_and_stops_the_run(monkeypatch):
    """Each site lacks two units at hour 0 and has one slot; the centre buys all at once."""
    twin = twin_of_case()
    tables = twin_tables(twin)
    levels = tables.initial + np.array([[5, 2, 2]])
    dynamics = Dynamics(tables, levels, slots=1)
    fleets = started(jax.random.key(0), tables, 3, dynamics.slots)
    fleets, counts = jax.jit(dynamics.position_review)(jax.random.key(1), fleets)
    assert counts.lost.tolist() == [[[0.0, 1.0, 1.0]]] * 3
    assert (np.asarray(fleets.ordered)[..., 1:, 0] == 1).all()
    runner = FleetRunner(dynamics, None)
    samples = np.zeros((3, len(MEASURES)))
    monkeypatch.setattr(runner, "_run", lambda *_: (samples, counts.lost.sum()))
    with pytest.raises(ValueError, match=r"^6 units .* slots for orders under way, 1,"):
        runner.run(None, num_replications=3)


def test_steps_and_rules_are_checked():
    with pytest.raises(ValueError, match="step_hours must be above 0"):
        twin_tables(twin_of_case(), step_hours=0.0)
    with pytest.raises(ValueError, match="give one of wanted and base_stock"):
        run_fleets(twin_of_case(), None, num_replications=2)
    with pytest.raises(ValueError, match="slots must be at least 1; got 0"):
        run_fleets(twin_of_case(), None, base_stock=[[1, 1, 1]], slots=0, num_replications=2)
    assert isinstance(twin_of_case(), Twin)
