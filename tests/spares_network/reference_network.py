"""A spares network solved by plain recursion over what the model says, state by state.

Joint orders are listed, arrivals and failures are enumerated, and beliefs are a Gamma posterior.
It shares nothing with the nodes but the problem's own numbers.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from math import exp, lgamma, log

from scipy.stats import gamma


def predictive(shape, rate, exposure, truncate):
    """Negative binomial chances of 0..truncate - 1 failures; the rest at truncate."""
    success = rate / (rate + exposure)
    chances = [
        exp(
            lgamma(shape + d)
            - lgamma(shape)
            - lgamma(d + 1)
            + shape * log(success)
            + d * log(1 - success)
        )
        for d in range(truncate)
    ]
    return [*chances, 1.0 - sum(chances)]


def hazard(location, age):
    """Chance that an order of this age arrives in a period."""
    lead = location.lead_time
    if isinstance(lead, int):
        return 1.0 if age >= lead else 0.0
    if age >= lead.longest:
        return 1.0
    at, after = (gamma.cdf(age + k, lead.shape, scale=lead.scale) for k in (0, 1))
    return (after - at) / (1.0 - at)


class Reference:
    """The optimal expected cost from any state; `solve()` gives that of the initial one."""

    def __init__(self, problem):
        self.problem, self.part = problem, problem.parts[0]
        self.places = self.part.locations
        self.index = {x.name: i for i, x in enumerate(self.places)}
        self.sites = [i for i, x in enumerate(self.places) if x.exposure is not None]
        self.value = lru_cache(maxsize=None)(self._value)

    def start(self):
        orders = [
            (x.outstanding.quantity, x.outstanding.age) if x.outstanding else (0, 0)
            for x in self.places
        ]
        stocks = tuple((x.initial, *order) for x, order in zip(self.places, orders, strict=True))
        ages = tuple(self.places[i].age.initial if self.places[i].age else 0 for i in self.sites)
        return stocks, ages, 0, 0.0

    def solve(self):
        return self.value(0, self.start())

    def first_orders(self):
        """The cheapest joint orders at the start."""
        found = self.costs_of_orders(0, self.start())
        least = min(found.values())
        return [orders for orders, cost in found.items() if cost < least + 1e-9]

    def costs_of_orders(self, period, state):
        stocks = state[0]
        own = []
        for location, (x, q, _) in zip(self.places, stocks, strict=True):
            room = location.capacity - max(x, 0)
            most = 0 if q else min(room, location.largest_order)
            own.append(range(most + 1))
        found = {}
        for orders in itertools.product(*own):
            shipped = [0] * len(self.places)
            for location, q in zip(self.places, orders, strict=True):
                if location.supplier != "external":
                    shipped[self.index[location.supplier]] += q
            if any(s > max(x, 0) for s, (x, _, _) in zip(shipped, stocks, strict=True) if s):
                continue
            cost = sum(
                location.order_fixed * (q > 0) + location.order_unit * q
                for location, q in zip(self.places, orders, strict=True)
            )
            after = tuple(
                (x - s, q + new, age)
                for (x, q, age), s, new in zip(stocks, shipped, orders, strict=True)
            )
            found[orders] = cost + self.arrivals(period, (after, *state[1:]))
        return found

    def _value(self, period, state):
        if period == self.problem.periods:
            return 0.0
        return min(self.costs_of_orders(period, state).values())

    def arrivals(self, period, state):
        outcomes = []
        for location, (x, q, age) in zip(self.places, state[0], strict=True):
            if not q:
                outcomes.append([(1.0, (x, 0, 0))])
                continue
            chance = hazard(location, age)
            outcomes.append([(chance, (x + q, 0, 0)), (1.0 - chance, (x, q, age + 1))])
        total = 0.0
        for joint in itertools.product(*outcomes):
            weight = 1.0
            for chance, _ in joint:
                weight *= chance
            if weight > 0.0:
                stocks = tuple(stock for _, stock in joint)
                total += weight * self.failures(period, (stocks, *state[1:]), 0)
        return total

    def failures(self, period, state, number):
        """The failures of site `number` and all behind it, then the costs of the period's end."""
        stocks, ages, n, exposed = state
        if number == len(self.sites):
            paid = sum(
                location.holding_cost * max(x, 0) + location.downtime_cost * max(-x, 0)
                for location, (x, _, _) in zip(self.places, stocks, strict=True)
            )
            return paid + self.problem.discount * self.value(period + 1, state)
        i = self.sites[number]
        site, prior = self.places[i], self.part.prior
        given = site.exposure
        exposure = given[period] if isinstance(given, tuple) else given
        bins = site.age.multiplier if site.age else (1,)
        exposure *= bins[ages[number]]
        chances = predictive(prior.shape + n, prior.rate + exposed, exposure, self.part.truncate)
        total = 0.0
        for d, chance in enumerate(chances):
            x, q, age = stocks[i]
            left = max(x - d, -site.backorders)
            emergencies = d - (x - left)
            after = (*stocks[:i], (left, q, age), *stocks[i + 1 :])
            older = 0 if d else min(ages[number] + 1, len(bins) - 1)
            seen = n + d
            if self.problem.belief_levels is not None:
                seen = min(seen, self.problem.belief_levels - 1)
            then = (
                after,
                (*ages[:number], older, *ages[number + 1 :]),
                seen,
                round(exposed + exposure, 10),
            )
            cost = site.emergency_cost * emergencies
            total += chance * (cost + self.failures(period, then, number + 1))
        return total
