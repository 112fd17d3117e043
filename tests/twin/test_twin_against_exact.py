"""The twin with its realism switched off, against the exact model; base stock against theory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from carried_law import expected_cost
from networks import GammaLeadTime, depot_and_sites, known, one_site
from scipy import stats
from sparing.models.spares_network import SparesNetwork
from sparing.simulate.twin import Twin
from sparing.simulate.twin_rules import CallbackRule, OneForOne
from sparing.simulate.twin_runs import run_twin


def random_rule(network, seed):
    """Quantities by period, stock and orders, the same for twin and reference."""
    (part,) = network.parts

    def quantities(period, net, ordered, age, seen):
        key = [seed, period, seen, *(n + 20 for n in net), *ordered, *age]
        draw = np.random.default_rng(key)
        free = list(net)
        found = []
        for i, location in enumerate(part.locations):
            room = min(location.largest_order, location.capacity - max(net[i], 0))
            above = part.suppliers[i]
            if above >= 0:
                room = min(room, max(free[above], 0))
            wanted = 0 if ordered[i] or room <= 0 else int(draw.integers(0, room + 1))
            if above >= 0:
                free[above] -= wanted
            found.append(wanted)
        return found

    def at_review(review):
        found = quantities(review.period, review.net, review.ordered, review.age, review.failures)
        return dict(zip(review.locations, found, strict=True))

    return quantities, CallbackRule(at_review)


@pytest.mark.parametrize(("name", "truncate", "seed"), [("single", 12, 0), ("serial", 8, 1)])
def test_the_plain_twin_has_the_exact_cost(name, truncate, seed):
    """A 99.9 % interval holds the expected cost of an arbitrary feasible rule.

    Counts are truncated further out than in the case, where what is left out weighs nothing: the
    exact model draws each period from its belief, the twin from the one true rate.
    """
    network = known(name)
    (part,) = network.parts
    network = replace(network, parts=(replace(part, truncate=truncate),), periods=3)
    quantities, rule = random_rule(network, seed)
    exact = expected_cost(network, quantities)
    found = run_twin(Twin.plain(network), rule, num_replications=1200, seed=seed, confidence=0.999)
    low, high = found.interval
    assert low <= exact <= high
    assert high - low < 0.35 * exact


@pytest.mark.parametrize("lead", [1, GammaLeadTime(shape=4.0, scale=0.25, longest=50)])
def test_palm(lead):
    """Load 3, S = 5: the fill rate is P(Poisson(3) <= 4) = .81526, whatever the lead time's law."""
    assert stats.poisson(3.0).cdf(4) == pytest.approx(0.81526, abs=5e-6)
    network = one_site(exposure=3.0, periods=250, lead=lead)
    twin = Twin(network=network, rate={"part": 1.0}, down_units_fail=True)
    found = run_twin(twin, OneForOne({"site": 5}), num_replications=40, seed=1, confidence=0.999)
    half = found.half_widths["fill_rate"]
    assert half < 0.02
    assert abs(found.mean["fill_rate"] - 0.81526) <= half
    backorders = sum((k - 5) * stats.poisson(3.0).pmf(k) for k in range(6, 60))
    short = found.mean["short_hours_per_year"] / 8760.0
    assert abs(short - backorders) <= found.half_widths["short_hours_per_year"] / 8760.0


def test_a_depot_with_two_sites_has_the_backorders_of_exact_thinning():
    """Sites of rate .1, shipped in 2, depot resupplied in 14; the best split of 5 units.

    What the depot owes, (Poisson(2.8) - S0)+, is owed to each of its orders alike (Simon 1971), so
    a site's share is binomial; beside it Poisson(.2) is on its way. Known optimum: .267914.
    """

    def backorders(depot, site):
        demand = stats.poisson(2.8)
        owed = [demand.cdf(depot), *(demand.pmf(depot + k) for k in range(1, 60))]
        share = [sum(owed[k] * stats.binom(k, 0.5).pmf(m) for k in range(m, 60)) for m in range(40)]
        way = np.convolve(share, stats.poisson(0.2).pmf(np.arange(40)))
        return sum((n - site) * p for n, p in enumerate(way) if n > site)

    totals = {(5 - 2 * s): 2.0 * backorders(5 - 2 * s, s) for s in (0, 1, 2)}
    depot, exact = min(totals.items(), key=lambda item: item[1])
    assert exact == pytest.approx(0.267914, abs=1e-6)
    level = (5 - depot) // 2
    network = depot_and_sites(
        rate=0.1, ship=2, depot=14, periods=1000, depot_stock=depot, site_stock=level
    )
    twin = Twin(network=network, rate={"part": 1.0}, down_units_fail=True)
    rule = OneForOne({"depot": depot, "site 1": level, "site 2": level})
    found = run_twin(twin, rule, num_replications=30, seed=2, confidence=0.999)
    scale = 8760.0
    half = found.half_widths["short_hours_per_year"] / scale
    assert half < 0.1
    assert abs(found.mean["short_hours_per_year"] / scale - exact) <= half


def test_rates_from_the_prior_have_its_spread():
    """Failures in total are negative binomial: mean and variance of the mixture."""
    network = one_site(exposure=1.0, periods=10)
    twin = Twin(network=network, rate="prior", down_units_fail=True)
    found = run_twin(twin, OneForOne({"site": 5}), num_replications=800, seed=4)
    years = twin.hours / 8760.0
    counts = found.samples[:, -1] * years
    law = stats.nbinom(2.0, 2.0 / 12.0)
    assert abs(counts.mean() - law.mean()) < 4.0 * law.std() / np.sqrt(800)
    assert (
        stats.chisquare(
            np.bincount(np.minimum(counts.round().astype(int), 20), minlength=21),
            800.0 * np.array([*law.pmf(np.arange(20)), law.sf(19)]),
        ).pvalue
        > 1e-3
    )


def test_the_network_type_is_what_the_twin_takes():
    with pytest.raises(ValueError, match="network must be a SparesNetwork"):
        Twin(network=object())
    assert isinstance(known("single"), SparesNetwork)
