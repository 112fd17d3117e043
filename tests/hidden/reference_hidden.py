"""Hidden degradation the slow way: the belief tree, enumerated, on dictionaries and plain loops."""

from __future__ import annotations

from itertools import product

import numpy as np
from sparing.models.hidden import HiddenComponent, HiddenProblem


def outcomes(component, belief, option):
    """What may be believed after an option: pairs of chance and belief."""
    success = component.repair_success if option == "repair" else 0.0
    after = (1.0 - success) * belief + success * np.eye(component.num_states)[0]
    predicted = after @ component.transition
    if option == "inspect":
        likelihoods = component.observation.T
    else:
        failed = np.eye(component.num_states)[-1]
        likelihoods = [1.0 - failed, failed]
    found = []
    for likelihood in likelihoods:
        joint = predicted * likelihood
        if joint.sum() > 0.0:
            found.append((joint.sum(), joint / joint.sum()))
    return found


def option_cost(component, option):
    if option == "nothing":
        return 0.0
    return component.repair_cost if option == "repair" else component.inspection_cost


def works(problem, failed):
    """Whether the system works, by the components that have failed."""
    return bool(problem.works[tuple(0 if f else 1 for f in failed)])


def brute_force(problem):
    """The optimal cost from all new by enumeration of all actions and observations."""
    known = {}

    def cost_to_go(period, beliefs):
        if period == problem.periods:
            return 0.0
        key = (period, *(tuple(b.round(12)) for b in beliefs))
        if key in known:
            return known[key]
        best = np.inf
        for options in product(*(c.options for c in problem.components)):
            paid = sum(map(option_cost, problem.components, options))
            branches = [
                outcomes(c, b, o)
                for c, b, o in zip(problem.components, beliefs, options, strict=True)
            ]
            for joint in product(*branches):
                chance = np.prod([p for p, _ in joint])
                following = cost_to_go(period + 1, [b for _, b in joint])
                paid += problem.discount * chance * following
            best = min(best, paid)
        down = not works(problem, [b[-1] > 0.5 for b in beliefs])
        known[key] = best + problem.downtime_cost * down
        return known[key]

    return cost_to_go(0, [np.eye(c.num_states)[0] for c in problem.components])


def reference_sweep(problem, grids, following, interpolate):
    """One period on products of points by loops over points, joint options and outcomes.

    `following` has one axis a component, in their order; `interpolate(i, belief)` gives pairs of
    point and weight.
    """
    found = np.empty_like(following)
    for place in np.ndindex(*following.shape):
        beliefs = [grid.full[p] for grid, p in zip(grids, place, strict=True)]
        best = np.inf
        for options in product(*(c.options for c in problem.components)):
            value = following
            for i, (component, option) in enumerate(zip(problem.components, options, strict=True)):
                weights = np.zeros(following.shape[i])
                for chance, belief in outcomes(component, beliefs[i], option):
                    for point, weight in interpolate(i, belief):
                        weights[point] += chance * weight
                value = np.tensordot(weights, value, axes=(0, 0))
            paid = sum(map(option_cost, problem.components, options))
            best = min(best, paid + problem.discount * float(value))
        down = not works(problem, [p == 0 for p in place])
        found[place] = best + problem.downtime_cost * down
    return found


def random_component(rng, name, *, states=None):
    states = states or int(rng.integers(2, 4))
    transition = rng.dirichlet(np.ones(states), size=states)
    transition[-1] = np.eye(states)[-1] if rng.random() < 0.7 else transition[-1]
    observation = np.zeros((states, states))
    observation[:-1, :-1] = rng.dirichlet(np.ones(states - 1), size=states - 1)
    observation[-1, -1] = 1.0
    fields = {}
    if rng.random() < 0.9:
        fields |= {"repair_cost": rng.uniform(0, 60), "repair_success": rng.uniform(0.5, 1)}
    if rng.random() < 0.8:
        fields |= {"inspection_cost": rng.uniform(0, 10), "observation": observation}
    return HiddenComponent(name=name, transition=transition, **fields)


def random_problem(rng, *, num_components=None, periods=None):
    count = num_components or int(rng.integers(1, 3))
    names = [f"c{i}" for i in range(1, count + 1)]
    return HiddenProblem(
        components=tuple(random_component(rng, name) for name in names),
        structure=rng.choice([" & ", " | "]).join(names),
        downtime_cost=rng.uniform(0, 400),
        periods=periods or int(rng.integers(1, 5 if count == 1 else 4)),
        discount=rng.uniform(0.8, 1.0),
    )
