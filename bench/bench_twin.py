"""The twin: events a second on SimPy, and how much quicker the rollout of the same model is."""

import time
from dataclasses import replace

import numpy as np
import pytest
import sparing
from scipy import stats
from sparing.models.network_location import Location
from sparing.models.network_values import GammaPrior
from sparing.models.spare import GammaLeadTime
from sparing.models.spares_network import Part, SparesNetwork
from sparing.simulate.spares_network import simulate_network
from sparing.simulate.twin import Crew, Twin
from sparing.simulate.twin_environment import Climate, LoadProfile, Wave
from sparing.simulate.twin_rules import OneForOne
from sparing.simulate.twin_runs import run_twin

pytest.importorskip("simpy")


def location(name, supplier, level, **fields):
    """A location with room for anything."""
    return Location(name=name, supplier=supplier, capacity=10_000, initial=level, **fields)


def site(name, supplier, level, exposure, lead_time):
    """A site whose failures all wait."""
    fields = {"backorders": 10_000, "emergency_cost": 0.0, "downtime_cost": 10.0}
    return location(
        name, supplier, level, exposure=exposure, lead_time=lead_time, holding_cost=1.0, **fields
    )


def network(locations, periods):
    """One part whose rate is 1."""
    prior = GammaPrior(shape=1.0, rate=1.0)
    part = Part(name="part", prior=prior, truncate=1000, locations=tuple(locations))
    return SparesNetwork(parts=(part,), periods=periods, period_hours=168.0)


def one_site(periods=400):
    """Base stock of 5 at a load of 3: Palm's fill rate is .81526."""
    return network([site("site", "external", 5, 3.0, 1)], periods), {"site": 5}


def tree(periods=104):
    """A centre, three hubs and nine sites with Gamma lead times."""
    gamma = GammaLeadTime(shape=2.0, scale=0.5, longest=20)
    places = [location("centre", "external", 12, lead_time=gamma)]
    places += [location(f"hub {h}", "centre", 6, lead_time=gamma) for h in range(3)]
    places += [site(f"site {h}{s}", f"hub {h}", 3, 1.0, gamma) for h in range(3) for s in range(3)]
    return network(places, periods), {place.name: place.initial for place in places}


def twin_of(name):
    """Return the twin and rule of one bench."""
    case, levels = one_site() if name == "one site" else tree()
    twin = Twin(network=case, rate={"part": 1.0}, down_units_fail=True)
    if name == "tree, everything on":
        climate = Climate(temperature=Wave(mean=15.0, season=10.0, day=4.0, weather=2.0))
        twin = replace(
            twin,
            units=10,
            climate=climate,
            load=LoadProfile(profile=(0.5,) * 12 + (1.5,) * 12),
            effects={"temperature": 0.3, "load": 0.5},
            crew=Crew(size=2, hours=8.0),
            down_units_fail=False,
        )
    return twin, OneForOne(levels)


@pytest.mark.benchmark(group="twin: events a second")
@pytest.mark.parametrize("name", ["one site", "tree", "tree, everything on"])
def test_events(benchmark, name):
    twin, rule = twin_of(name)
    seconds, start = [], None

    def run():
        nonlocal start
        start = time.process_time()
        found = run_twin(twin, rule, num_replications=5, confidence=0.999)
        seconds.append(time.process_time() - start)
        return found

    found = benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    rate = found.num_events / float(np.median(seconds))
    benchmark.extra_info["events_per_second"] = rate
    print(f"\n{name}: {found.num_events:,} events, {rate:,.0f} a second of processor time")
    if name == "one site":
        half = found.half_widths["fill_rate"]
        assert abs(found.mean["fill_rate"] - stats.poisson(3.0).cdf(4)) <= half


@pytest.mark.benchmark(group="twin: the rollout of the same model")
def test_rollout_against_twin(benchmark):
    """Site periods a second of the plain twin and of the rollout, on the same network and plan."""
    from sparing.evaluate.closed_loop_rules import PlanRule

    stock = {"capacity": 4, "initial": 2, "max_order": 3}
    lead = GammaLeadTime(shape=3.0, scale=0.6, longest=2)
    centre = Location(name="centre", holding_cost=0.5, order_fixed=6.0, lead_time=lead, **stock)
    failing = Location(
        name="site",
        supplier="centre",
        exposure=1.2,
        backorders=2,
        holding_cost=1.0,
        downtime_cost=40.0,
        emergency_cost=90.0,
        lead_time=GammaLeadTime(shape=1.0, scale=0.5, longest=1),
        **stock,
    )
    prior = GammaPrior(shape=1.5, rate=2.5)
    part = Part(name="part", prior=prior, truncate=6, locations=(centre, failing))
    case = SparesNetwork(parts=(part,), periods=12)
    solution, rule, rounds = sparing.solve(case), None, 200_000
    rule = PlanRule(solution)
    run_twin(Twin.plain(case), rule, num_replications=100)  # fills the table of what was looked up
    start = time.process_time()
    slow = run_twin(Twin.plain(case), rule, num_replications=400, confidence=0.999)
    twin_s = (time.process_time() - start) / 400

    def run():
        return simulate_network(
            case, solution, num_replications=rounds, num_threads=1, confidence=0.999
        )

    start = time.process_time()
    run()
    rollout_s = (time.process_time() - start) / rounds
    fast = benchmark.pedantic(run, rounds=2, warmup_rounds=0)
    ratio = twin_s / rollout_s
    benchmark.extra_info["rollout_over_twin"] = ratio
    print(
        f"\ntwin {12 / twin_s:,.0f}, rollout {12 / rollout_s:,.0f} periods a second: {ratio:,.0f}"
    )
    low, high = slow.interval
    assert low <= fast.objective <= high
    assert abs(fast.objective - solution.objective) <= fast.half_width
