"""Spares networks: the sweep of a period against a memcpy, rollouts against SimPy and stockpyl.

Times are processor time of this process where a ratio is formed, as other programs may run.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))
import sparing
from sparing import GammaLeadTime, GammaPrior, Location, Part, SparesNetwork
from sparing.evaluate.network_plan import SolveOptions, solve_part
from sparing.lowering import Lowering, size_of
from sparing.models.network_nodes import NetworkNodes
from sparing.models.network_rules import StockRules
from sparing.nodes import Cost
from sparing.simulate.spares_network import simulate_rules

DATA = Path(__file__).parents[1] / "tests" / "data"


def two_sites(capacity, periods=8, levels=None):
    """A central store above two sites of 100 stock tuples each."""
    lead = GammaLeadTime(shape=2.0, scale=0.8, longest=3)
    sites = [
        Location(
            name=f"site{k}",
            supplier="central",
            capacity=6,
            backorders=3,
            initial=2,
            max_order=4,
            exposure=1.0,
            holding_cost=1.0,
            downtime_cost=25.0,
            emergency_cost=60.0,
            order_fixed=2.0,
            order_unit=0.5,
            lead_time=lead,
        )
        for k in (1, 2)
    ]
    central = Location(
        name="central",
        capacity=capacity,
        initial=4 if capacity >= 4 else capacity,
        max_order=min(6, capacity),
        holding_cost=0.5,
        order_fixed=6.0,
        order_unit=2.0,
        lead_time=GammaLeadTime(shape=3.0, scale=0.6, longest=3),
    )
    part = Part(
        name="part",
        prior=GammaPrior(shape=2.0, rate=4.0),
        truncate=5,
        locations=(central, *sites),
    )
    return SparesNetwork(parts=(part,), periods=periods, belief_levels=levels)


def tree(hubs=3, sites=20, periods=52):
    """One central store, hubs and sites over a year of weeks."""
    lead = [GammaLeadTime(shape=s, scale=x, longest=n) for s, x, n in ((4, 1, 9), (2, 0.5, 4))]
    near = GammaLeadTime(shape=1.0, scale=0.5, longest=2)
    costs = {"order_unit": 0.5, "order_fixed": 1.0}
    central = Location(
        name="central", capacity=40, initial=20, max_order=30, holding_cost=0.5, order_fixed=6.0,
        order_unit=3.0, lead_time=lead[0],
    )  # fmt: skip
    between = [
        Location(
            name=f"hub{h}", supplier="central", capacity=15, initial=8, max_order=10,
            holding_cost=0.7, lead_time=lead[1], **costs,
        )
        for h in range(hubs)
    ]  # fmt: skip
    ends = [
        Location(
            name=f"site{s}", supplier=f"hub{s % hubs}", capacity=4, initial=2, backorders=3,
            exposure=0.5, holding_cost=1.0, downtime_cost=40.0, emergency_cost=90.0,
            lead_time=near, **costs,
        )
        for s in range(sites)
    ]  # fmt: skip
    prior = GammaPrior(shape=4.0, rate=20.0)
    part = Part(name="part", prior=prior, truncate=6, locations=(central, *between, *ends))
    return SparesNetwork(parts=(part,), periods=periods)


def tree_rules(problem):
    """Order up to the initial stock from about half of it."""
    level = np.array([x.initial for x in problem.locations])
    return StockRules.min_max(level // 2, level)


def moved_bytes(epoch, weights):
    """Bytes of the tensors that the nodes read and write, each once a node."""
    total = 0
    for node, before, behind in zip(epoch.nodes, epoch.layouts, epoch.layouts[1:], strict=False):
        if not (isinstance(node, Cost) and not weights.get(node.kind)):
            total += 8 * (size_of(before) + size_of(behind))
    return total


def last_period(problem):
    """Return the epoch of the last period, its lowering and its arrays."""
    nodes = NetworkNodes(problem, problem.parts[0], first=problem.periods - 1)
    epoch = nodes.epochs()[0]
    end = np.random.default_rng(0).random(size_of(epoch.end_axes))
    return epoch, end, np.empty(epoch.num_states)


@pytest.mark.benchmark(group="spares network, one period")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("policy", [False, True], ids=["values", "values and policy"])
def test_sweep(benchmark, threads, policy):
    """13.5 million states; extra_info has the share of a memcpy's bandwidth."""
    problem = two_sites(3)
    epoch, end, start = last_period(problem)
    program = Lowering(epoch, problem.weights, num_threads=threads).program
    posts = [np.zeros(size_of(epoch.layouts[0]), dtype=np.uint32)] if policy else []
    other = np.empty_like(end)
    copies, sweeps = [], []

    def once():
        for times, work in (
            (copies, lambda: np.copyto(other, end)),
            (sweeps, lambda: program.run(end, start, posts)),
        ):
            began = time.process_time()
            work()
            times.append(time.process_time() - began)

    benchmark.pedantic(once, rounds=5, warmup_rounds=1)
    if len(sweeps) > 1:  # else benches only check answers
        moved = moved_bytes(epoch, problem.weights)
        rate = moved / np.median(sweeps[1:]) / (2 * end.nbytes / np.median(copies[1:]))
        benchmark.extra_info |= {
            "states": epoch.num_states,
            "sweep_cpu_s": float(np.median(sweeps[1:])),
            "share_of_memcpy_bandwidth": float(rate),
        }
    assert np.isfinite(start).all()
    known = sparing.solve(sparing.load(DATA / "known_spares_serial.toml"), num_threads=threads)
    assert known.objective == pytest.approx(94.663190396441, abs=1e-8)


@pytest.mark.full
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_hundred_million_states_a_period(benchmark, tmp_path, dtype):
    """Eight periods, the last of 103 660 000 states, tables streamed to disk."""
    problem = two_sites(10)
    options = SolveOptions(dtype=dtype, policy_dir=tmp_path)
    began = time.process_time()
    found = benchmark.pedantic(
        lambda: solve_part(problem, problem.parts[0], options), rounds=1, iterations=1
    )
    benchmark.extra_info["cpu_s"] = time.process_time() - began
    assert found.lower <= 146.434045801 <= found.upper
    assert found.first_decision == {"central": 6, "site1": 2, "site2": 2}


@pytest.mark.benchmark(group="spares network, rollouts")
@pytest.mark.parametrize("sets", [1, 50])
def test_rollouts(benchmark, sets):
    """A tree of 24 locations over 52 periods, one thread."""
    problem = tree()
    rule = tree_rules(problem)
    rules = StockRules(
        reorder_at=np.tile(rule.reorder_at, (sets, 1)),
        order_up_to=np.tile(rule.order_up_to, (sets, 1)),
        quantity=np.tile(rule.quantity, (sets, 1)),
        review=1,
    )
    run = {"num_replications": 6400, "num_threads": 1}
    totals = benchmark.pedantic(
        lambda: simulate_rules(problem, rules, **run), rounds=5, warmup_rounds=1
    )
    if benchmark.stats is not None:
        work = sets * 6400 * 52 * 24
        benchmark.extra_info["location_periods_per_s"] = work / benchmark.stats.stats.min
    assert (totals[:, :, 0] == totals[0, :, 0]).all()


def timed(function):
    began = time.process_time()
    found = function()
    return found, time.process_time() - began


def test_rollouts_against_simpy(benchmark):
    """The same tree and rule; costs agree within their intervals, the aim is 500 times faster."""
    pytest.importorskip("simpy")
    from simpy_network import simpy_costs

    problem, fast, slow = tree(), 6400, 60
    rules = tree_rules(problem)
    ours, mine = timed(
        lambda: simulate_rules(problem, rules, num_replications=fast, num_threads=1)[0, :, 0]
    )
    theirs, simpy_time = timed(lambda: simpy_costs(problem, rules, slow))
    benchmark.pedantic(
        lambda: simulate_rules(problem, rules, num_replications=fast, num_threads=1), rounds=3
    )
    benchmark.extra_info |= {
        "simpy_s_a_replication": simpy_time / slow,
        "ours_s_a_replication": mine / fast,
        "times_faster": (simpy_time / slow) / (mine / fast),
    }
    error = np.hypot(ours.std() / fast**0.5, theirs.std() / slow**0.5)
    assert abs(ours.mean() - theirs.mean()) < 4.0 * error


def test_rollouts_against_stockpyl(benchmark):
    """A serial system of three stages, 100 periods; a base stock at each."""
    pytest.importorskip("stockpyl.sim")
    from stockpyl.sim import simulation
    from stockpyl.supply_chain_network import serial_system

    network = serial_system(
        num_nodes=3,
        node_order_in_system=[2, 1, 0],
        local_holding_cost=[1.0, 2.0, 3.0],
        stockout_cost=[0.0, 0.0, 37.0],
        shipment_lead_time=[1, 1, 1],
        demand_type="P",
        mean=1.0,
        policy_type="BS",
        base_stock_level=[4, 4, 4],
    )
    _, theirs = timed(lambda: simulation(network, 100, rand_seed=1, progress_bar=False))
    lead = {"lead_time": 1, "capacity": 8, "initial": 4, "holding_cost": 1.0}
    site = Location(
        name="c", supplier="b", exposure=1.0, backorders=8, emergency_cost=37.0,
        downtime_cost=37.0, **lead,
    )  # fmt: skip
    stores = (Location(name="a", **lead), Location(name="b", supplier="a", **lead))
    part = Part(
        name="part", prior=GammaPrior(shape=1.0, rate=1.0), truncate=12, locations=(*stores, site)
    )
    problem = SparesNetwork(parts=(part,), periods=100)
    rules, count = StockRules.base_stock([4, 4, 4]), 6400
    run = {"num_replications": count, "rates": 1.0, "num_threads": 1}
    _, mine = timed(lambda: simulate_rules(problem, rules, **run))
    totals = benchmark.pedantic(lambda: simulate_rules(problem, rules, **run), rounds=3)
    benchmark.extra_info |= {
        "stockpyl_s_a_run": theirs,
        "ours_s_a_run": mine / count,
        "times_faster": theirs / (mine / count),
    }
    assert totals[0, :, -1].mean() == pytest.approx(100.0, abs=0.6)  # failures of rate 1


def test_a_plan_rolls_out_at_its_cost(benchmark):
    """Tables of the exact solution, 200 000 replications of five periods."""
    problem = sparing.load(DATA / "known_spares_serial.toml")
    plan = sparing.solve(problem)
    found = benchmark.pedantic(
        lambda: sparing.simulate(problem, plan, num_replications=200_000, num_threads=1), rounds=3
    )
    assert abs(found.objective - plan.objective) < 1.5 * found.half_width
    assert replace(problem, discount=1.0).periods == 5
