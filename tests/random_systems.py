"""Random multi-component systems, and each as an explicit decision process from its definition.

Nothing here knows nodes or epochs: states, joint actions, costs and probabilities are listed by
the words of Jimenez Gonzalez (2021, chapter 4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from itertools import product

import numpy as np
from reference_solve import ExplicitMDP
from sparing.models.multi_component import COST_KINDS, Component, Goal, MultiComponentProblem

INF = np.inf


@dataclass(frozen=True)
class Listed:
    """A system listed in full; `pairs` are (state, action) with what they do per inspection."""

    problem: MultiComponentProblem
    mdp: ExplicitMDP
    kinds: dict[str, np.ndarray]  # per kind [pairs]
    actions: list[tuple[int, ...]]  # the state aimed at, or 0/1 per unit for uniform results
    results: np.ndarray  # [pairs, states] chances of the state after maintenance

    def objective(self, weights):
        """Return the weighted costs [pairs]."""
        return sum(weights.get(kind, 0.0) * paid for kind, paid in self.kinds.items())


def random_problem(rng, *, max_states=81, **fixed):
    """Return a random problem of 2 to 4 units with 2 to 4 states; `fixed` overrides fields."""
    num = int(rng.integers(2, min(5, max_states.bit_length())))  # of two states each they fit
    sizes = rng.integers(2, 5, num)
    while np.prod(sizes) > max_states:
        sizes[rng.integers(num)] = 2
    result = fixed.pop("result", "uniform" if rng.random() < 0.3 else "chosen")
    names = [f"u{i}" for i in range(num)]
    with_kind = rng.random() < 0.3
    components = tuple(
        _component(rng, name, int(size), result, with_kind)
        for name, size in zip(names, sizes, strict=True)
    )
    criterion = fixed.pop("criterion", "discounted" if rng.random() < 0.4 else "average")
    fields = {
        "components": components,
        "structure": random_structure(rng, names),
        "setup_cost": float(rng.choice([0.0, 5.0, 40.0])),
        "downtime_cost": float(rng.choice([0.0, 50.0, 500.0])),
        "criterion": criterion,
        "discount": float(rng.choice([0.5, 0.9, 0.95])) if criterion == "discounted" else 1.0,
        "goals": _goals(rng, with_kind) if rng.random() < 0.5 else {},
        "result": result,
        "restore_when_down": result == "chosen" and bool(rng.random() < 0.3),
    }
    return MultiComponentProblem(**{**fields, **fixed})


def _component(rng, name, size, result, with_kind):
    wear = rng.dirichlet(np.ones(size), size)
    if rng.random() < 0.7:  # never better by itself
        wear = np.triu(wear)
        wear /= wear.sum(axis=1, keepdims=True)
    if rng.random() < 0.3:  # some steps never happen
        wear = np.where((wear < 0.2) & (wear < wear.max(axis=1, keepdims=True)), 0.0, wear)
        wear /= wear.sum(axis=1, keepdims=True)
    cost = rng.uniform(5.0, 100.0, (size, size))
    cost[np.diag_indices(size)] = rng.choice([0.0, 3.0])
    if result == "chosen":
        cost = np.where(rng.random((size, size)) < 0.2, INF, cost)
    if rng.random() < 0.5:
        cost[-1, -1] = INF  # a failed unit must be replaced
    cost[:, 0] = np.where(np.isinf(cost[:, 0]), 60.0, cost[:, 0])  # and can be
    extra = {"exposure": rng.uniform(0.0, 2.0, (size, size))} if with_kind else {}
    return Component(name=name, transition=wear, maintenance_cost=cost, criteria=extra)


def _goals(rng, with_kind):
    goals = {
        "reliability": Goal(weight=float(rng.uniform(0, 2)), goal=float(rng.uniform(0.3, 0.9))),
        "cost": Goal(weight=float(rng.uniform(0.1, 2)), goal=float(rng.uniform(50, 500))),
    }
    if rng.random() < 0.3:
        goals["cost"] = Goal(weight=1.0, goal=0.0, scale=float(rng.uniform(1, 50)))
    if with_kind:
        goals["exposure"] = Goal(weight=float(rng.uniform(0, 1)))
    return goals


def random_structure(rng, names):
    """Return a random expression that uses every name once or more."""
    parts = list(rng.permutation(names))
    while len(parts) > 1:
        count = int(rng.integers(2, len(parts) + 1))
        group, parts = parts[:count], parts[count:]
        sort = rng.integers(3)
        if sort == 2:
            joined = f"{rng.integers(1, count + 1)}-of({', '.join(group)})"
        else:
            joined = "(" + [" & ", " | "][sort].join(group) + ")"
        parts.append(joined)
    return str(parts[0])


def works(problem, state):
    """Return whether the structure is true at `state`, by Python's own & and |."""
    code = re.sub(r"(\d+)\s*-\s*of\s*\(", r"at_least(\1, ", problem.structure)
    up = {c.name: s < c.failed for c, s in zip(problem.components, state, strict=True)}
    return bool(eval(code, {"at_least": lambda k, *parts: sum(parts) >= k}, up))


def listed(problem):
    """List every state and every joint action of `problem`."""
    units = problem.components
    states = list(product(*(range(c.num_states) for c in units)))
    wear = reduce(np.kron, (c.transition for c in units))
    up = np.array([works(problem, s) for s in states])
    owner, actions, rows, paid = [], [], [], []
    for i, state in enumerate(states):
        offers = _chosen if problem.result == "chosen" else _maintained
        for action, result, costs in offers(problem, state, bool(up[i])):
            owner.append(i)
            actions.append(action)
            rows.append(result)
            downtime = problem.downtime_cost * (not up[i])
            reliability = float(result @ wear @ up)
            paid.append({**costs, "downtime": downtime, "reliability": reliability})
    results = np.array(rows)
    kinds = {kind: np.array([p.get(kind, 0.0) for p in paid]) for kind in paid[0]}
    discount = problem.discount if problem.criterion == "discounted" else 1.0
    mdp = ExplicitMDP(
        owner=np.array(owner),
        cost=minimised(problem, kinds),
        transition=discount * results @ wear,
        num_steps=1,
        start=np.eye(len(states)),
        start_cost=np.zeros(len(states)),
    )
    return Listed(problem, mdp, kinds, actions, results)


def minimised(problem, kinds):
    """Return minus the reward of eq. (21)-(23), or the plain cost, per pair."""
    cost = sum(kinds[kind] for kind in COST_KINDS)
    if not problem.goals:
        return cost
    total = np.zeros_like(cost)
    for measure, goal in problem.goals.items():
        value = cost if measure == "cost" else kinds[measure]
        shortfall = (value - goal.goal) * (-1.0 if measure == "reliability" else 1.0)
        total = total + goal.weight * shortfall / (goal.scale or abs(goal.goal) or 1.0)
    return total


def _chosen(problem, state, up):
    """Yield (a, row of a, costs) for every allowed post-maintenance vector a <= s."""
    units, shape = problem.components, [c.num_states for c in problem.components]
    for a in product(*(range(s + 1) for s in state)):
        moves = list(zip(units, state, a, strict=True))
        maintenance = sum(c.maintenance_cost[s, t] for c, s, t in moves)
        left = any(s == t == c.failed for c, s, t in moves)
        if np.isinf(maintenance) or (problem.restore_when_down and not up and left):
            continue
        costs = {"maintenance": maintenance, "set-up": problem.setup_cost * (a != state)}
        for kind in problem.own_kinds:
            costs[kind] = sum(c.criteria[kind][s, t] for c, s, t in moves)
        row = np.zeros(int(np.prod(shape)))
        row[np.ravel_multi_index(a, shape)] = 1.0
        yield a, row, costs


def _maintained(problem, state, up):
    """Yield (maintain?, distribution of the result, expected costs)."""
    units = problem.components
    for action in product((0, 1), repeat=len(units)):
        if any(m and s == 0 for m, s in zip(action, state, strict=True)):
            continue
        factors = []
        costs = dict.fromkeys(["maintenance", *problem.own_kinds], 0.0)
        for c, s, maintain in zip(units, state, action, strict=True):
            chance = np.zeros(c.num_states)
            if not maintain:
                chance[s] = 1.0
            elif s == c.failed:
                chance[0] = 1.0
            else:
                chance[:s] = 1.0 / s
            factors.append(chance)
            reached = chance > 0.0
            costs["maintenance"] += chance[reached] @ c.maintenance_cost[s][reached]
            for kind in problem.own_kinds:
                costs[kind] += chance[reached] @ c.criteria[kind][s][reached]
        if np.isinf(costs["maintenance"]):
            continue
        yield (
            action,
            reduce(np.kron, factors),
            {**costs, "set-up": problem.setup_cost * any(action)},
        )
