"""Random systems with spare parts, and each as an explicit decision process from its definition.

Nothing here knows nodes, axes or tables: states, joint actions, arrivals and wear are listed by the
words of docs/joint-spares.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from types import SimpleNamespace

import numpy as np
from random_systems import random_structure, works
from reference_solve import ExplicitMDP
from scipy.stats import gamma
from sparing.models.multi_component import Component, Goal, MultiComponentProblem
from sparing.models.spare import GammaLeadTime, SparePart

INF = np.inf


def random_joint(rng, *, max_states=150, **fixed):
    """Return a random valid problem of 1 to 3 components and 1 or 2 spares."""
    while True:
        drafted = SimpleNamespace(**{**random_fields(rng), **fixed})
        if not stuck_states(drafted) and is_restorable(drafted):
            problem = MultiComponentProblem(**vars(drafted))
            if problem.num_states <= max_states:
                return problem


def random_fields(rng):
    """Return the fields of a random problem, which may leave some state without an action."""
    names = [f"u{i}" for i in range(int(rng.integers(1, 4)))]
    return {
        "components": tuple(_component(rng, n, int(rng.integers(2, 4))) for n in names),
        "structure": random_structure(rng, names),
        "setup_cost": float(rng.choice([0.0, 5.0, 40.0])),
        "downtime_cost": float(rng.choice([20.0, 50.0, 500.0])),
        "restore_when_down": bool(rng.random() < 0.2),
        "spares": _spares(rng, names),
        **_objective(rng),
    }


def is_restorable(drafted):
    """Return whether no failed component must be restored that cannot be."""
    costs = [c.maintenance_cost[c.failed, : c.failed] for c in drafted.components]
    return not drafted.restore_when_down or all(np.isfinite(c).any() for c in costs)


def stuck_states(drafted):
    """Return the states in which nothing is allowed, found by trying everything."""
    drafted = SimpleNamespace(**vars(drafted), own_kinds=[])
    stocks = product(*map(_stock_states, drafted.spares))
    found = product(*(range(c.num_states) for c in drafted.components))
    return [
        (state, stock)
        for state, stock in product(found, list(stocks))
        if next(_actions(drafted, state, stock), None) is None
    ]


def _component(rng, name, size):
    wear = np.triu(rng.dirichlet(np.ones(size), size) + 0.05)
    wear /= wear.sum(axis=1, keepdims=True)
    cost = rng.uniform(5.0, 60.0, (size, size))
    cost[np.diag_indices(size)] = 0.0
    cost = np.where(rng.random((size, size)) < 0.2, INF, cost)
    if rng.random() < 0.7:
        cost[-1, -1] = 0.0
    cost[:, 0] = np.where(np.isinf(cost[:, 0]), 30.0, cost[:, 0])
    cost[0, 0] = 0.0
    extra = {"exposure": rng.uniform(0.0, 2.0, (size, size))} if name == "u0" else {}
    return Component(name=name, transition=wear, maintenance_cost=cost, criteria=extra)


def _spares(rng, names):
    """Return one spare or two; some components may use none."""
    shuffled = [str(name) for name in rng.permutation(names)]
    users = [shuffled[: int(rng.integers(1, len(names) + 1))]]
    rest = shuffled[len(users[0]) :]
    if rest and rng.random() < 0.7:
        users.append(rest[: int(rng.integers(1, len(rest) + 1))])
    return tuple(_spare(rng, f"part{i}", used) for i, used in enumerate(users))


def _spare(rng, name, users):
    capacity = int(rng.integers(1, 4))
    lead_times = [0, 1, 2, GammaLeadTime(shape=2.0, scale=0.8, longest=int(rng.integers(0, 3)))]
    return SparePart(
        name=name,
        used_by=tuple(users),
        capacity=capacity,
        initial=int(rng.integers(0, capacity + 1)),
        max_order=None if rng.random() < 0.3 else int(rng.integers(1, capacity + 1)),
        holding_cost=float(rng.uniform(0.0, 5.0)),
        order_fixed=float(rng.choice([0.0, 8.0])),
        order_unit=float(rng.uniform(0.0, 20.0)),
        lead_time=lead_times[rng.integers(4)],
        emergency_cost=float(rng.uniform(5.0, 80.0)) if rng.random() < 0.6 else None,
    )


def _objective(rng):
    goals = {}
    if rng.random() < 0.5:
        goals = {
            "reliability": Goal(weight=float(rng.uniform(0, 2)), goal=0.6),
            "cost": Goal(weight=float(rng.uniform(0.1, 2)), goal=float(rng.uniform(50, 200))),
        }
    if rng.random() < 0.5:
        return {"goals": goals}
    return {"goals": goals, "criterion": "discounted", "discount": float(rng.choice([0.8, 0.95]))}


@dataclass(frozen=True)
class Listed:
    """A joint problem listed in full; a pair is (state, states after maintenance, orders)."""

    states: list[tuple]  # (component states, stocks as (on hand, ordered, age))
    pairs: dict[tuple, int]  # (state number, states after maintenance, orders) -> pair
    mdp: ExplicitMDP
    kinds: dict[str, np.ndarray]  # per kind [pairs]


def listed(problem):
    """List every state, every joint action and every outcome of `problem`."""
    units = problem.components
    stocks = [_stock_states(spare) for spare in problem.spares]
    states = [
        (found, stock)
        for found in product(*(range(c.num_states) for c in units))
        for stock in product(*stocks)
    ]
    number = {state: i for i, state in enumerate(states)}
    owner, rows, paid, pairs = [], [], [], {}
    for i, (found, stock) in enumerate(states):
        for after, orders, left, costs in _actions(problem, found, stock):
            row, kinds = np.zeros(len(states)), dict(costs)
            for chance, then, on_hand in _outcomes(problem, after, orders, left):
                row[number[then]] += chance
                kinds["reliability"] += chance * works(problem, then[0])
                for spare, held in zip(problem.spares, on_hand, strict=True):
                    kinds["holding"] += chance * spare.holding_cost * held
                    kinds[f"mean_on_hand_{spare.name}"] += chance * held
            pairs[i, after, orders] = len(owner)
            owner.append(i)
            rows.append(row)
            paid.append(kinds)
    kinds = {kind: np.array([costs[kind] for costs in paid]) for kind in paid[0]}
    discount = problem.discount if problem.criterion == "discounted" else 1.0
    mdp = ExplicitMDP(
        owner=np.array(owner),
        cost=_minimised(problem, kinds),
        transition=discount * np.array(rows),
        num_steps=1,
        start=np.eye(len(states)),
        start_cost=np.zeros(len(states)),
    )
    return Listed(states, pairs, mdp, kinds)


def arrival_chances(spare):
    """Return h(0), h(1), … of a spare's lead time, the last one 1."""
    lead = spare.lead_time
    if isinstance(lead, int):
        return [0.0] * lead + [1.0]
    below = gamma(lead.shape, scale=lead.scale).cdf
    hazard = [(below(j + 1) - below(j)) / (1.0 - below(j)) for j in range(lead.longest)]
    return [*hazard, 1.0]


def _stock_states(spare):
    most = spare.capacity if spare.max_order is None else spare.max_order
    none = [(x, 0, 0) for x in range(spare.capacity + 1)]
    waiting = [
        (x, q, age)
        for x in range(spare.capacity + 1)
        for q in range(1, most + 1)
        for age in range(1, len(arrival_chances(spare)))
        if x + q <= spare.capacity
    ]
    return none + waiting


def _actions(problem, found, stock):
    """Yield (states after maintenance, orders, stocks left, costs) of all that is allowed."""
    units = problem.components
    up = works(problem, found)
    for after in product(*(range(s + 1) for s in found)):
        moves = list(zip(units, found, after, strict=True))
        maintenance = sum(c.maintenance_cost[s, a] for c, s, a in moves)
        leaves_failed = any(s == a == c.failed for c, s, a in moves)
        if np.isinf(maintenance) or (problem.restore_when_down and not up and leaves_failed):
            continue
        wanted = [
            sum(s > 0 and a == 0 for c, s, a in moves if c.name in spare.used_by)
            for spare in problem.spares
        ]
        short = [max(0, w - x) for w, (x, _, _) in zip(wanted, stock, strict=True)]
        if any(
            n and spare.emergency_cost is None
            for n, spare in zip(short, problem.spares, strict=True)
        ):
            continue
        left = [max(0, x - w) for w, (x, _, _) in zip(wanted, stock, strict=True)]
        base = {
            "maintenance": maintenance,
            "set-up": problem.setup_cost * (after != found),
            "downtime": problem.downtime_cost * (not up),
            "emergency": sum(
                n * (spare.emergency_cost or 0.0)
                for n, spare in zip(short, problem.spares, strict=True)
            ),
            **dict.fromkeys(("holding", "reliability", "order"), 0.0),
        }
        for kind in problem.own_kinds:
            base[kind] = sum(c.criteria[kind][s, a] for c, s, a in moves if kind in c.criteria)
        for n, spare in zip(short, problem.spares, strict=True):
            base[f"emergency_rate_{spare.name}"] = float(n)
            base[f"mean_on_hand_{spare.name}"] = 0.0
        for orders in product(*map(_order_sizes, problem.spares, left, stock)):
            costs = dict(base)
            for q, spare in zip(orders, problem.spares, strict=True):
                costs["order"] += spare.order_fixed * (q > 0) + spare.order_unit * q
                costs[f"order_rate_{spare.name}"] = float(q > 0)
            ahead = [
                (x, q or ordered, 0 if q else age)
                for x, q, (_, ordered, age) in zip(left, orders, stock, strict=True)
            ]
            yield after, orders, ahead, costs


def _order_sizes(spare, left, stock):
    if stock[1] > 0:
        return [0]
    most = spare.capacity if spare.max_order is None else spare.max_order
    return [q for q in range(most + 1) if left + q <= spare.capacity]


def _outcomes(problem, after, orders, ahead):
    """Yield (chance, next state, units on hand behind the arrivals)."""
    deliveries = []
    for spare, (x, ordered, age) in zip(problem.spares, ahead, strict=True):
        if not ordered:
            deliveries.append([(1.0, (x, 0, 0))])
            continue
        h = arrival_chances(spare)[age]
        deliveries.append([(h, (x + ordered, 0, 0)), (1.0 - h, (x, ordered, age + 1))])
    wear = [
        list(enumerate(c.transition[a])) for c, a in zip(problem.components, after, strict=True)
    ]
    for arrived in product(*deliveries):
        p_stock = np.prod([p for p, _ in arrived])
        then_stock = tuple(s for _, s in arrived)
        for worn in product(*wear):
            chance = p_stock * np.prod([p for _, p in worn])
            if chance > 0.0:
                yield chance, (tuple(s for s, _ in worn), then_stock), [s[0] for s in then_stock]


def _minimised(problem, kinds):
    cost = sum(
        kinds[k] for k in ("maintenance", "set-up", "downtime", "holding", "order", "emergency")
    )
    if not problem.goals:
        return cost
    total = np.zeros_like(cost)
    for measure, goal in problem.goals.items():
        value = cost if measure == "cost" else kinds[measure]
        shortfall = (value - goal.goal) * (-1.0 if measure == "reliability" else 1.0)
        total = total + goal.weight * shortfall / (goal.scale or abs(goal.goal) or 1.0)
    return total
