"""METRIC, VARI-METRIC and exact thinning: published values, plain references, laws."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_base_stock import simulated_backorders, site_backorders
from sparing.inventory.base_stock import METHODS, cheapest_base_stocks, measure_base_stocks
from sparing.inventory.cost_curve import cost_curve, part_curves
from sparing.inventory.network import BaseStockNetwork
from sparing.inventory.palm import one_for_one

BASES = {
    "locations": ("depot", "a", "b", "c", "d", "e"),
    "supplier": [-1, 0, 0, 0, 0, 0],
    "demand_rate": [0, *[23.2] * 5],  # a year, at each base
    "lead_time": [0.02531, *[0.01] * 5],
    "local_repair_share": [0, *[0.2] * 5],
    "local_repair_time": [0, *[0.01] * 5],
}
OUTLETS = {
    "locations": ("depot", "a", "b"),
    "supplier": [-1, 0, 0],
    "demand_rate": [0, 0.1, 0.1],
    "lead_time": [14, 2, 2],
}
PUBLISHED = [  # network, units, METRIC, VARI-METRIC, exact
    (BASES, 5, 0.965771, 0.986236, 0.986533),
    (BASES, 7, 0.326939, 0.361048, 0.361544),
    (BASES, 10, 0.126128, 0.133568, 0.133286),
    (OUTLETS, 3, 0.906615, 0.956786, 0.961342),
    (OUTLETS, 5, 0.198079, 0.265556, 0.267914),
    (OUTLETS, 8, 0.009893, 0.025930, 0.027149),
]


@pytest.mark.parametrize(("network", "units", "metric", "vari", "exact"), PUBLISHED)
def test_best_allocations_have_the_published_backorders(network, units, metric, vari, exact):
    """System backorders of the best allocation, to all printed digits."""
    problem = BaseStockNetwork(**network)
    for method, expected in (("metric", metric), ("vari-metric", vari), ("thinning", exact)):
        found = part_curves(problem, method=method)[0, units]
        assert found == pytest.approx(expected, abs=6e-7), method


@pytest.mark.parametrize("method", METHODS)
def test_the_curve_is_the_best_of_all_allocations(method):
    """Every allocation of up to five units to three locations, one by one."""
    allocations = [a for a in product(range(6), repeat=3) if sum(a) <= 5]
    many = BaseStockNetwork(
        **OUTLETS | {k: np.tile(OUTLETS[k], (len(allocations), 1)) for k in ("demand_rate",)}
    )
    found = measure_base_stocks(many, allocations, method=method).backorders[:, 1:].sum(axis=1)
    curve = part_curves(BaseStockNetwork(**OUTLETS), method=method)[0]
    for units in range(6):
        best = min(b for b, a in zip(found, allocations, strict=True) if sum(a) == units)
        assert curve[units] == pytest.approx(best, abs=1e-12)


def random_network(seed: int, *, three_echelons: bool) -> BaseStockNetwork:
    rng = np.random.default_rng(seed)
    supplier = [-1, 0, 0, 1, 1, 2] if three_echelons else [-1, 0, 0, 0]
    num = len(supplier)
    is_site = ~np.isin(np.arange(num), supplier)
    return BaseStockNetwork(
        locations=tuple("abcdef"[:num]),
        supplier=supplier,
        demand_rate=np.where(is_site, rng.uniform(0.05, 0.8, num), 0.0),
        lead_time=rng.uniform(0.2, 3.0, num),
        local_repair_share=np.where(is_site, rng.uniform(0.0, 0.5, num), 0.0),
        local_repair_time=np.where(is_site, rng.uniform(0.0, 2.0, num), 0.0),
        weight=rng.uniform(0.5, 2.0, num),
        unit_cost=rng.uniform(1.0, 5.0),
    )


@given(seed=st.integers(0, 2**32 - 1), three_echelons=st.booleans())
@settings(max_examples=25, deadline=None)
def test_thinning_agrees_with_plain_convolution(seed, three_echelons):
    network = random_network(seed, three_echelons=three_echelons)
    levels = np.random.default_rng(seed).integers(0, 5, network.num_locations)
    found = measure_base_stocks(network, levels)
    expected = site_backorders(
        network.supplier, network.own_pipeline[0], network.share[0], levels.tolist()
    )
    np.testing.assert_allclose(found.backorders[0], expected, atol=1e-11)
    # Stock on hand less backorders is the base stock less what is outstanding.
    total = network.own_pipeline[0].copy()
    for location, above in enumerate(network.supplier):
        if above >= 0:
            total[location] += network.share[0, location] * found.backorders[0, above]
    np.testing.assert_allclose(found.on_hand - found.backorders, [levels - total], atol=1e-11)


def test_thinning_agrees_with_a_simulation_of_three_echelons():
    """Units shipped first come, first served; within four standard errors, METRIC is not."""
    supplier, rate = [-1, 0, 0, 1, 1, 2], [0, 0, 0, 0.3, 0.5, 0.4]
    lead, levels = [2.0, 1.0, 0.5, 0.4, 0.3, 0.6], [2, 1, 0, 1, 1, 1]
    network = BaseStockNetwork(
        locations=tuple("abcdef"), supplier=supplier, demand_rate=rate, lead_time=lead
    )
    exact, metric = (
        measure_base_stocks(network, levels, method=method).backorders[0]
        for method in ("thinning", "metric")
    )
    runs = np.array(
        [
            simulated_backorders(
                supplier, rate, lead, levels, horizon=12_000.0, warm_up=50.0, rng=rng
            )
            for rng in np.random.default_rng(1).spawn(10)
        ]
    )
    error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    assert np.all(np.abs(runs.mean(axis=0) - exact) < 4.0 * error)
    assert np.any(np.abs(runs.mean(axis=0) - metric) > 4.0 * error)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_vertices_of_the_curve_beat_every_other_allocation(seed):
    """No allocation of at most the same money has less shortage, and measures fit the curve."""
    network = random_network(seed, three_echelons=True)
    curve = cost_curve(network)
    top = 3
    allocations = np.array(list(product(range(top), repeat=6)))
    many = BaseStockNetwork(
        locations=network.locations,
        supplier=network.supplier,
        demand_rate=np.tile(network.demand_rate, (len(allocations), 1)),
        lead_time=network.lead_time[0],
        local_repair_share=network.local_repair_share[0],
        local_repair_time=network.local_repair_time[0],
        weight=network.weight[0],
    )
    weighted = (measure_base_stocks(many, allocations).backorders * network.weight)[:, 3:].sum(1)
    money = allocations.sum(axis=1) * network.unit_cost[0]
    bound = np.interp(money, curve.investment, curve.shortage)
    assert np.all(weighted >= bound - 1e-5 * bound - 1e-12)  # ties are broken by weights of 1e-7
    for vertex in range(0, min(curve.num_vertices, 12), 3):
        found = curve.measures(vertex)
        assert found.investment == pytest.approx(curve.investment[vertex])
        shortage = (found.backorders * network.weight)[0, 3:].sum()
        assert shortage == pytest.approx(curve.shortage[vertex], rel=1e-5)


def test_cheapest_base_stocks_are_the_best_of_all():
    network = random_network(7, three_echelons=True)
    holding, penalty = np.full(6, 0.3), np.full(6, 5.0)
    found, cost = cheapest_base_stocks(network, holding_cost=holding, backorder_cost=penalty)
    allocations = np.array(list(product(range(5), repeat=6)))
    best = np.inf
    for levels in allocations[:: len(allocations) // 400]:
        m = measure_base_stocks(network, levels)
        best = min(best, (m.on_hand @ holding)[0] + (m.backorders[0, 3:] @ penalty[3:]))
    own = (found.on_hand @ holding)[0] + found.backorders[0, 3:] @ penalty[3:]
    assert cost[0] == pytest.approx(own, abs=1e-9)
    assert own <= best + 1e-9
    for location in range(6):  # no single step helps
        for step in (-1, 1):
            levels = found.levels[0].copy()
            levels[location] = max(levels[location] + step, 0)
            m = measure_base_stocks(network, levels)
            assert (m.on_hand @ holding)[0] + m.backorders[0, 3:] @ penalty[3:] >= own - 1e-9


def test_budget_and_sla_are_kept():
    network = random_network(3, three_echelons=True)
    curve = cost_curve(network, minimise="not_ready")
    plan = curve.within(20.0)
    assert plan.investment <= 20.0
    assert plan.gap >= 0.0
    plan = curve.reaching(0.99)
    assert plan.measures.sla >= 0.99
    position = int(np.searchsorted(curve.investment, plan.investment - 1e-9))
    assert curve.measures(position - 1).sla < 0.99


def test_threads_change_nothing():
    rng = np.random.default_rng(5)
    rate = np.zeros((50, 6))
    rate[:, 3:] = rng.uniform(0.01, 1.0, (50, 3))
    network = BaseStockNetwork(
        locations=tuple("abcdef"),
        supplier=[-1, 0, 0, 1, 1, 2],
        demand_rate=rate,
        lead_time=[1.0] * 6,
    )
    one, two = (cost_curve(network, num_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.shortage, two.shortage)
    np.testing.assert_array_equal(one.measures(80).levels, two.measures(80).levels)


def test_palm_check():
    """Load 3, base stock 5: P(Poisson(3) <= 4) = .81526."""
    found = one_for_one(3.0, 5)
    assert found.fill_rate == pytest.approx(0.81526, abs=5e-6)
    single = BaseStockNetwork(locations=("a",), supplier=[-1], demand_rate=[1.5], lead_time=[2.0])
    measures = measure_base_stocks(single, [5])
    assert measures.fill_rate[0, 0] == pytest.approx(found.fill_rate, abs=1e-13)
    assert measures.ready_rate[0, 0] == pytest.approx(found.ready_rate, abs=1e-13)
    assert measures.backorders[0, 0] == pytest.approx(found.backorders, abs=1e-13)
    assert measures.on_hand[0, 0] == pytest.approx(found.on_hand, abs=1e-13)


BAD = [
    ({"supplier": [-1, 2, 0]}, "supplier[1] must be -1 or a location before 1"),
    ({"supplier": [0, 0, 0]}, "supplier[0] must be -1"),
    ({"demand_rate": [0.1, 0.1, 0.1]}, "'depot' supplies others, so no unit fails there"),
    ({"demand_rate": [0, -0.1, 0.1]}, "demand_rate of 'part 1' at 'a' must be at least 0"),
    ({"demand_rate": [0, 0.1]}, "demand_rate must have shape (parts, 3)"),
    ({"lead_time": [14, 2]}, "lead_time must have shape (1, 3) or (3,)"),
    ({"lead_time": [14, np.nan, 2]}, "lead_time of 'part 1' at 'a' must be at least 0 and finite"),
    ({"local_repair_share": [0, 1.5, 0]}, "must be in [0, 1]; got 1.5"),
    ({"unit_cost": 0.0}, "unit_cost must be > 0; got 0"),
    ({"locations": ("a", "a", "b")}, "locations must be different names"),
    ({"parts": ("x", "y")}, "parts must name 1 parts; got 2"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_networks_are_refused(change, message):
    with pytest.raises(ValueError) as caught:
        BaseStockNetwork(**OUTLETS | change)
    assert message in str(caught.value)


def test_bad_calls_are_refused():
    network = BaseStockNetwork(**OUTLETS)
    curve = cost_curve(network)
    calls = [
        (lambda: measure_base_stocks(network, [1, 1]), "levels must have shape (1, 3)"),
        (lambda: measure_base_stocks(network, [1, -1, 0]), "levels[0, 1] must be at least 0"),
        (lambda: measure_base_stocks(network, [1, 1, 1], method="x"), "method must be one of"),
        (lambda: cost_curve(network, minimise="x"), "shortage must be one of"),
        (lambda: curve.within(-1.0), "budget must be at least 0"),
        (lambda: curve.reaching(1.0), "sla must be above 0 and below 1"),
        (lambda: curve.measures(10**6), "vertex must be in"),
        (lambda: one_for_one(1.0, 1.5), "base_stock must be a whole number"),
        (
            lambda: cheapest_base_stocks(network, holding_cost=-1.0, backorder_cost=1.0),
            "holding_cost must be at least 0",
        ),
    ]
    for call, message in calls:
        with pytest.raises(ValueError) as caught:
            call()
        assert message in str(caught.value)
