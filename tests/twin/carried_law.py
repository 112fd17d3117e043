"""A spares network under a fixed rule, evaluated exactly by carrying the law of the state forward.

Written from the model's text alone: dictionaries of states, one period after another.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product

import numpy as np
from scipy import stats


def expected_cost(network, rule):
    """Expected discounted cost of ``rule(period, net, ordered, age, failures) -> quantities``."""
    (part,) = network.parts
    locations = part.locations
    start = tuple(x.initial for x in locations), (0,) * len(locations), (0,) * len(locations), 0
    law, total, exposure = {start: 1.0}, 0.0, 0.0
    for period in range(network.periods):
        weight = network.discount**period
        after = defaultdict(float)
        demands = [x.exposures(network.periods)[period] for x in locations]
        for (net, ordered, age, seen), chance in law.items():
            quantities = rule(period, net, ordered, age, seen)
            total += weight * chance * order_cost(locations, quantities)
            stock, under_way = list(net), list(ordered)
            for i, quantity in enumerate(quantities):
                if quantity:
                    assert ordered[i] == 0
                    assert quantity <= locations[i].largest_order
                    assert quantity <= locations[i].capacity - max(net[i], 0)
                    under_way[i] = quantity
                    if part.suppliers[i] >= 0:
                        stock[part.suppliers[i]] -= quantity
                        assert stock[part.suppliers[i]] >= 0
            for arrived, share in arrivals(locations, under_way, age):
                landed = [s + q for s, q in zip(stock, arrived, strict=True)]
                left = [0 if got else q for q, got in zip(under_way, arrived, strict=True)]
                older = [a + 1 if q else 0 for q, a in zip(left, age, strict=True)]
                for counts, likely in failures(part, demands, seen, exposure):
                    mass = chance * share * likely
                    end, paid = served(locations, landed, counts)
                    total += weight * mass * paid
                    state = tuple(end), tuple(left), tuple(older), seen + sum(counts)
                    after[state] += mass
        law, exposure = after, exposure + sum(demands)
    return total


def order_cost(locations, quantities):
    return sum(
        x.order_fixed + x.order_unit * q for x, q in zip(locations, quantities, strict=True) if q
    )


def arrivals(locations, under_way, age):
    """Yield what arrives at each location and its probability."""
    options = []
    for location, quantity, old in zip(locations, under_way, age, strict=True):
        if not quantity:
            options.append([(0, 1.0)])
            continue
        lead = location.lead_time
        law = stats.gamma(lead.shape, scale=lead.scale)
        chance = 1.0 if old >= lead.longest else 1.0 - law.sf(old + 1) / law.sf(old)
        options.append([(quantity, chance), (0, 1.0 - chance)])
    for choice in product(*options):
        share = float(np.prod([p for _, p in choice]))
        if share > 0.0:
            yield [q for q, _ in choice], share


def failures(part, demands, seen, exposure):
    """Yield counts by location and their joint probability, site by site in file order."""
    found = [([], 1.0, part.prior.shape + seen, part.prior.rate + exposure)]
    for demand in demands:
        following = []
        for counts, chance, shape, rate in found:
            if demand == 0.0:
                following.append(([*counts, 0], chance, shape, rate))
                continue
            law = stats.nbinom(shape, rate / (rate + demand))
            masses = [*law.pmf(np.arange(part.truncate)), law.sf(part.truncate - 1)]
            for count, mass in enumerate(masses):
                following.append(([*counts, count], chance * mass, shape + count, rate + demand))
        found = following
    for counts, chance, _, _ in found:
        yield counts, chance


def served(locations, stock, counts):
    """Return the stock at the period's end and what is paid on it."""
    end, paid = [], 0.0
    for location, units, count in zip(locations, stock, counts, strict=True):
        left = max(units - count, -location.backorders)
        paid += (location.emergency_cost or 0.0) * (left - (units - count))
        paid += location.holding_cost * max(left, 0) + location.downtime_cost * max(-left, 0)
        end.append(left)
    return end, paid
