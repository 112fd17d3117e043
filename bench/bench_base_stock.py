"""Base stocks of large networks, and the classical models against stockpyl where it is installed.

stockpyl 1.0 does not import under NumPy 2; the tests that need it are then left out.
"""

import warnings

import numpy as np
import pytest
import sparing
from scipy.stats import binom, poisson
from sparing.inventory.base_stock import measure_base_stocks
from sparing.inventory.cost_curve import cost_curve
from sparing.inventory.lost_sales import lost_sales_mdp
from sparing.inventory.network import BaseStockNetwork
from sparing.inventory.reorder_point import best_reorder_policy
from sparing.inventory.serial import solve_serial_system

HUBS, SITES = 10, 10  # sites of each hub


def large_network(num_parts, seed=0):
    """One central warehouse, ten hubs, a hundred sites; rates spread over two orders of size."""
    rng = np.random.default_rng(seed)
    supplier = [-1, *[0] * HUBS, *(1 + h for h in range(HUBS) for _ in range(SITES))]
    num = len(supplier)
    rate = np.zeros((num_parts, num))
    pace = np.exp(rng.normal(np.log(0.15), 1.0, (num_parts, 1)))
    rate[:, 1 + HUBS :] = pace * rng.uniform(0.5, 1.5, (num_parts, HUBS * SITES))
    lead = np.zeros((num_parts, num))
    lead[:, 0] = rng.uniform(0.1, 0.5, num_parts)
    lead[:, 1 : 1 + HUBS], lead[:, 1 + HUBS :] = 0.02, 0.01
    return BaseStockNetwork(
        locations=tuple(f"location {i}" for i in range(num)),
        supplier=supplier,
        demand_rate=rate,
        lead_time=lead,
        unit_cost=np.exp(rng.normal(7.0, 1.0, num_parts)),
        installed=50.0,
    )


@pytest.mark.benchmark(group="cost-availability curve, 111 locations")
@pytest.mark.parametrize(
    ("num_parts", "num_threads"),
    [
        (50, 1),
        (50, 2),
        pytest.param(1000, 1, marks=pytest.mark.full),
        pytest.param(1000, 2, marks=pytest.mark.full),
    ],
)
def test_curve(benchmark, num_parts, num_threads):
    network = large_network(num_parts)
    curve = benchmark.pedantic(
        cost_curve, (network,), {"num_threads": num_threads}, rounds=2, warmup_rounds=0
    )
    middle = curve.num_vertices // 3
    found = curve.measures(middle)
    assert found.investment == pytest.approx(curve.investment[middle], rel=1e-9)
    assert found.site_backorders == pytest.approx(curve.shortage[middle], rel=1e-4)


@pytest.mark.benchmark(group="stocks for an SLA of 99.5 %, 111 locations")
@pytest.mark.parametrize("num_parts", [50, pytest.param(1000, marks=pytest.mark.full)])
def test_stocks_for_an_sla(benchmark, num_parts):
    curve = cost_curve(large_network(num_parts), minimise="not_ready", num_threads=2)
    plan = benchmark.pedantic(curve.reaching, (0.995,), rounds=1)
    assert plan.measures.sla >= 0.995
    benchmark.extra_info["investment"] = plan.investment


def numpy_measures(network, levels):
    """Backorders [P, L] by matrices of binomial thinning, part by part."""
    found = np.zeros(levels.shape)
    for part, stocks in enumerate(levels):
        size = int(network.lengths(False)[part].max())
        counts = np.arange(size)
        waiting = {}
        for location, above in enumerate(network.supplier):
            own = poisson.pmf(counts, network.own_pipeline[part, location])
            law = own
            if above >= 0:
                thin = binom.pmf(counts, counts[:, None], network.share[part, location])
                law = np.convolve(waiting[above] @ thin, own)[:size]
            behind = np.zeros(size)
            np.add.at(behind, np.maximum(counts - stocks[location], 0), law)
            waiting[location] = behind
            found[part, location] = behind @ counts
    return found


@pytest.mark.benchmark(group="measures of given base stocks, 10 parts at 111 locations")
@pytest.mark.parametrize("backend", ["kernel", "numpy"])
def test_measures(benchmark, backend):
    network = large_network(10)
    levels = np.random.default_rng(1).integers(0, 3, network.demand_rate.shape, dtype=np.int32)
    expected = measure_base_stocks(network, levels).backorders
    if backend == "kernel":
        benchmark(measure_base_stocks, network, levels)
    else:
        found = benchmark.pedantic(numpy_measures, (network, levels), rounds=2)
        np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.benchmark(group="(s, S), mean 10")
@pytest.mark.parametrize("solver", ["sparing", "stockpyl"])
def test_reorder_point(benchmark, solver):
    if solver == "sparing":
        best = benchmark(
            best_reorder_policy, mean_demand=10, holding_cost=1, stockout_cost=9, fixed_cost=64
        )
        assert (best.reorder_point, best.order_up_to) == (6, 40)
        return
    ss = _stockpyl("stockpyl.ss")
    found = benchmark.pedantic(
        ss.s_s_discrete_exact, (1, 9, 64), {"use_poisson": True, "demand_mean": 10}, rounds=1
    )
    assert found[:2] == (6, 40)


@pytest.mark.benchmark(group="serial system of Clark and Scarf")
@pytest.mark.parametrize("solver", ["sparing", "stockpyl"])
def test_serial_system(benchmark, solver):
    if solver == "sparing":
        found = benchmark(
            solve_serial_system,
            echelon_holding_cost=[3, 2, 2],
            lead_time=[1, 1, 2],
            stockout_cost=37.12,
            demand_mean=5,
            demand_deviation=1,
        )
        assert found.average_cost == pytest.approx(47.660150, abs=1e-6)
        return
    ssm = _stockpyl("stockpyl.ssm_serial")
    instances = _stockpyl("stockpyl.instances")
    system = instances.load_instance("example_6_1")
    _, cost = benchmark.pedantic(
        ssm.optimize_base_stock_levels, kwargs={"network": system}, rounds=1
    )
    assert cost == pytest.approx(47.66, abs=0.05)


@pytest.mark.benchmark(group="lost sales, lead time 4, 38 082 states")
def test_lost_sales(benchmark):
    def solve():
        mdp = lost_sales_mdp(demand="poisson", mean_demand=5, lead_time=4, stockout_cost=39)
        return sparing.solve(mdp, tol=1e-5)

    best = benchmark.pedantic(solve, rounds=2)
    assert best.upper == pytest.approx(10.7944, abs=1e-4)


def _stockpyl(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pytest.importorskip(name)
        except (AttributeError, TypeError) as error:  # names that NumPy 2 no longer has
            pytest.skip(f"stockpyl does not run here: {error}")
