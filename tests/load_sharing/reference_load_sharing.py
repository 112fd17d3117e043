"""A load-sharing system the slow way, from its definition: dictionaries, expm, policy iteration.

It shares no code with the package. A state is (counts, on hand, on order), an action a tuple of
replacements by condition and an order; the chain until the next epoch is a matrix exponential.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from scipy.linalg import expm
from scipy.optimize import linprog


def vectors(total, conditions):
    """All count vectors."""
    return [c for c in product(range(total + 1), repeat=conditions) if sum(c) == total]


@dataclass
class Reference:
    """States, allowed actions, costs, durations and transition rows of one system."""

    size: int
    required: int
    interval: float
    rates: list
    speed: object  # of the number working
    capacity: int
    delivery_rate: float
    cost: dict
    any_vector: bool = False
    states: list = field(init=False)
    pairs: list = field(init=False)  # (state, action, cost, duration, row)

    def __post_init__(self):
        self.failed = len(self.rates) - 1
        self.counts = vectors(self.size, self.failed + 1)
        self.states = [
            (c, s, o)
            for c in self.counts
            for s in range(self.capacity + 1)
            for o in range(self.capacity + 1 - s)
        ]
        self.number = {state: i for i, state in enumerate(self.states)}
        self._exponential()
        self.pairs = [
            (i, action, *self._outcome(state, action))
            for i, state in enumerate(self.states)
            for action in self.actions(state)
        ]

    def is_up(self, counts):
        return self.size - counts[-1] >= self.required

    def _exponential(self):
        """expm of the chain on (counts, delivered), and its integral, by one block matrix."""
        self.places = [(c, d) for c in self.counts for d in (0, 1)]
        place = {p: i for i, p in enumerate(self.places)}
        size = len(place)
        generator = np.zeros((size, size))
        for (c, d), i in place.items():
            if not self.is_up(c):
                continue
            for a, b in product(range(self.failed + 1), repeat=2):
                if b > a and c[a] and self.rates[a][b]:
                    after = list(c)
                    after[a] -= 1
                    after[b] += 1
                    rate = c[a] * self.rates[a][b] * self.speed(self.size - c[-1])
                    generator[i, place[tuple(after), d]] += rate
            if d == 0 and self.capacity:
                generator[i, place[c, 1]] += self.delivery_rate
        generator -= np.diag(generator.sum(axis=1))
        block = np.block([[generator, np.eye(size)], [np.zeros((size, 2 * size))]])
        found = expm(block * self.interval)
        self.end, self.time, self.place = found[:size, :size], found[:size, size:], place

    def actions(self, state):
        """(replaced by condition, ordered), by the mask of the model."""
        counts, hand, order = state
        up = self.is_up(counts)
        allowed = []
        for split in product(*(range(c + 1) for c in counts[1:])):
            replaced = sum(split)
            if up and replaced > hand:
                continue
            worst = [
                min(counts[-1 - i], max(0, replaced - sum(counts[self.failed + 1 - i :])))
                for i in range(self.failed)
            ][::-1]
            if not self.any_vector and list(split) != worst:
                continue
            left = hand - min(replaced, hand)
            for ordered in range(self.capacity - left - order + 1 if order == 0 else 1):
                after_up = self.is_up(self._after(counts, split))
                if after_up or order + ordered > 0:
                    allowed.append((split, ordered))
        return allowed

    @staticmethod
    def _after(counts, split):
        after = [counts[0] + sum(split)]
        return tuple(after + [c - r for c, r in zip(counts[1:], split, strict=True)])

    def _outcome(self, state, action):
        (counts, hand, order), (split, ordered), c = state, action, self.cost
        replaced, after = sum(split), self._after(counts, split)
        emergency, left = max(0, replaced - hand), hand - min(replaced, hand)
        cost = c["setup"] * (replaced > 0) + c["replacement"] * replaced
        cost += c["corrective"] * split[-1] + c["order"] * (ordered > 0) + c["unit"] * ordered
        cost += c["emergency_unit"] * emergency
        row = np.zeros(len(self.states))
        coming = order + ordered
        if not self.is_up(after):
            duration = 1.0 / self.delivery_rate
            cost += (c["downtime"] + c["holding"] * left + c["position"] * self.size) * duration
            row[self.number[after, left + coming, 0]] = 1.0
            return cost, duration, row
        start = self.place[after, 0 if coming else 1]
        duration = held = failure = 0.0
        for (z, d), i in self.place.items():
            if self.is_up(z):
                duration += self.time[start, i]
                held += d * self.time[start, i]
            else:
                failure += self.end[start, i]
            stock, still = left + coming * d, coming * (1 - d)
            row[self.number[z, stock, still]] += self.end[start, i]
        cost += c["inspection"] + c["failure"] * failure + c["position"] * self.size * duration
        cost += c["holding"] * (left * duration + coming * held)
        return cost, duration, row / row.sum()

    def optimal_gain(self):
        """Policy iteration: gain per unit of time and (per state) the action taken."""
        by_state = [[] for _ in self.states]
        for pair in self.pairs:
            by_state[pair[0]].append(pair[1:])
        policy, size = [0] * len(self.states), len(self.states)
        for _ in range(100):
            chosen = [actions[j] for actions, j in zip(by_state, policy, strict=True)]
            gain, value = self._evaluate(chosen)
            better = []
            for old, actions in zip(policy, by_state, strict=True):
                worth = [c - gain * t + row @ value for _, c, t, row in actions]
                best = int(np.argmin(worth))
                better.append(old if worth[old] <= worth[best] + 1e-9 else best)
            if better == policy:
                actions = [by_state[i][policy[i]][0] for i in range(size)]
                return gain, dict(zip(self.states, actions, strict=True))
            policy = better
        raise AssertionError("policy iteration did not end")

    @staticmethod
    def _evaluate(chosen):
        size = len(chosen)
        equations = np.eye(size) - np.array([row for *_, row in chosen])
        equations[:, 0] = [duration for _, _, duration, _ in chosen]
        found, *_ = np.linalg.lstsq(equations, np.array([c for _, c, _, _ in chosen]), rcond=None)
        return float(found[0]), np.concatenate([[0.0], found[1:]])

    def gain_of(self, decide):
        """Gain of the policy ``decide(state) -> action``."""
        outcome = {(i, a): rest for i, a, *rest in self.pairs}
        chosen = [(None, *outcome[i, decide(s)]) for i, s in enumerate(self.states)]
        return self._evaluate(chosen)[0]

    def schweitzer_bounds(self, num_sweeps=4000, tol=1e-9):
        """Schweitzer's transformation to equal epochs, and plain relative value iteration."""
        state = np.array([p[0] for p in self.pairs])
        cost, duration = (np.array([p[k] for p in self.pairs]) for k in (2, 3))
        rows = np.array([p[4] for p in self.pairs])
        step = 0.99 * duration.min()
        share = (step / duration)[:, None]
        moved = share * rows
        moved[np.arange(state.size), state] += 1.0 - share[:, 0]
        first = np.searchsorted(state, np.arange(len(self.states)))
        value = np.zeros(len(self.states))
        for _ in range(num_sweeps):
            after = np.minimum.reduceat(cost / duration + moved @ value / step, first)
            change = after - value / step
            lower, upper = change.min(), change.max()
            value = step * (after - after[0])
            if upper - lower <= tol:
                break
        return lower, upper

    def linear_programme(self):
        """The dual: frequencies of (state, action) per unit of time of least cost."""
        state = np.array([p[0] for p in self.pairs])
        cost, duration = (np.array([p[k] for p in self.pairs]) for k in (2, 3))
        balance = np.array([p[4] for p in self.pairs]).T
        balance[state, np.arange(state.size)] -= 1.0
        equations = np.vstack([balance, duration])
        right = np.concatenate([np.zeros(len(self.states)), [1.0]])
        return linprog(cost, A_eq=equations, b_eq=right, method="highs").fun


def reference_of(system):
    """The same system from its problem's numbers."""
    problem, cost = system.problem, system.problem.cost

    def speed(working):
        share = problem.required / working
        if problem.load_law == "power":
            return share**problem.load_exponent
        return np.exp(problem.load_exponent * (share - 1.0))

    return Reference(
        size=system.size,
        required=problem.required,
        interval=system.interval,
        rates=problem.rates.tolist(),
        speed=speed,
        capacity=problem.capacity,
        delivery_rate=problem.delivery_rate or 1.0,
        cost=vars(cost),
        any_vector=problem.replacement == "any",
    )
