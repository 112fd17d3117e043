"""The spares network as a SimPy model: what the rollout kernel is measured against.

One process reviews, one per site fails, one per order delivers, one settles the period's costs.
"""

from __future__ import annotations

import numpy as np
import simpy


class SimPyNetwork:
    """One replication of a part under one set of rules; `run()` returns its discounted cost."""

    def __init__(self, problem, rules, rng):
        self.problem, self.part, self.rules, self.rng = problem, problem.parts[0], rules, rng
        self.places = self.part.locations
        self.stock = [x.initial for x in self.places]
        self.ordered = [0] * len(self.places)
        self.failures, self.exposure, self.cost = 0, 0.0, 0.0
        self.env = simpy.Environment()

    def run(self):
        self.env.process(self.review())
        sites = [i for i, x in enumerate(self.places) if x.is_site]
        for number, i in enumerate(sites):
            self.env.process(self.fail(i, 0.5 + number * 1e-6))
        self.env.process(self.settle())
        self.env.run(until=self.problem.periods)
        return self.cost

    def pay(self, amount):
        self.cost += amount * self.problem.discount ** int(self.env.now)

    def review(self):
        while True:
            for i in self.part.top_down:
                self.order(i)
            yield self.env.timeout(1.0)

    def order(self, i):
        location, rules = self.places[i], self.rules
        if self.ordered[i] or self.stock[i] > rules.reorder_at[0, i]:
            return
        supplier = self.part.suppliers[i]
        room = location.capacity - max(self.stock[i], 0)
        quantity = min(rules.order_up_to[0, i] - self.stock[i], location.largest_order, room)
        if supplier >= 0:
            quantity = min(quantity, max(self.stock[supplier], 0))
        if quantity > 0:
            if supplier >= 0:
                self.stock[supplier] -= quantity
            self.pay(location.order_fixed + location.order_unit * quantity)
            self.ordered[i] = quantity
            self.env.process(self.deliver(i))

    def deliver(self, i):
        lead = self.places[i].lead_time
        periods = lead
        if not isinstance(lead, int):
            periods = min(int(self.rng.gamma(lead.shape, lead.scale)), lead.longest)
        yield self.env.timeout(periods + 0.25)
        self.stock[i] += self.ordered[i]
        self.ordered[i] = 0

    def fail(self, i, phase):
        site, prior = self.places[i], self.part.prior
        yield self.env.timeout(phase)
        while True:
            rate = prior.rate + self.exposure
            chance = rate / (rate + site.exposure)
            d = int(self.rng.negative_binomial(prior.shape + self.failures, chance))
            d = min(d, self.part.truncate)
            self.failures += d
            self.exposure += site.exposure
            beyond = max(d - (self.stock[i] + site.backorders), 0)
            self.stock[i] -= d - beyond
            self.pay(site.emergency_cost * beyond)
            yield self.env.timeout(1.0)

    def settle(self):
        yield self.env.timeout(0.75)
        while True:
            for location, x in zip(self.places, self.stock, strict=True):
                self.pay(location.holding_cost * max(x, 0) + location.downtime_cost * max(-x, 0))
            yield self.env.timeout(1.0)


def simpy_costs(problem, rules, replications, seed=0):
    """Return the costs [replications]."""
    seeds = np.random.SeedSequence(seed).spawn(replications)
    return np.array([SimPyNetwork(problem, rules, np.random.default_rng(s)).run() for s in seeds])
