"""Small systems with exchangeable components, and slow references for what the rules do."""

from dataclasses import replace
from itertools import product

import numpy as np
import sparing


def redundant(count, structure, **options):
    """Return so many components, those of the built-in case in turn, for plain cost."""
    kinds = sparing.load("three-component-2").components
    names = [f"c{number + 1}" for number in range(count)]
    components = [replace(kinds[n % 3], name=name) for n, name in enumerate(names)]
    text = structure.replace("REST", ",".join(names[1:])).replace("ALL", ",".join(names))
    costs = {"setup_cost": 20.0, "downtime_cost": 500.0, **options}
    return sparing.MultiComponentProblem(components=components, structure=text, **costs)


def drawn_system(seed, **options):
    """Return a random system of two types, three states each, in a random structure."""
    rng = np.random.default_rng(seed)
    kinds = [_drawn_kind(rng, name) for name in ("a", "b")]
    counts = rng.integers(1, 4, 2)
    names = [[f"{k}{n}" for n in range(count)] for k, count in zip("ab", counts, strict=True)]
    components = [sparing.Component(name=name, **kinds[k]) for k in (0, 1) for name in names[k]]
    rng.shuffle(components)
    a, b = (",".join(part) for part in names)
    first, second = (int(rng.integers(1, count + 1)) for count in counts)
    both = int(rng.integers(1, counts.sum() + 1))
    text = [
        f"{both}-of({a},{b})",
        f"{first}-of({a}) & {second}-of({b})",
        f"{first}-of({a}) | {second}-of({b})",
        f"2-of({names[0][0]}, {second}-of({b}), 1-of({','.join(names[0][1:] or ['x'])}))",
    ][int(rng.integers(0, 4 if counts[0] > 1 else 3))]
    costs = {"setup_cost": rng.uniform(0, 20), "downtime_cost": rng.uniform(50, 400), **options}
    return sparing.MultiComponentProblem(components=components, structure=text, **costs)


def _drawn_kind(rng, name):
    transition = np.triu(rng.dirichlet(np.ones(3), 3))
    transition /= transition.sum(axis=1, keepdims=True)
    cost = np.round(rng.uniform(5, 60, (3, 3)), 1)
    np.fill_diagonal(cost, 0.0)
    cost[2, 1] = np.inf if rng.random() < 0.5 else cost[2, 1]
    if rng.random() < 0.3:
        cost[2, 2] = np.inf
    return {"transition": transition, "maintenance_cost": cost}


def all_states(problem):
    """Return all states [S, components]."""
    sizes = [range(c.num_states) for c in problem.components]
    return np.array(list(product(*sizes)), dtype=np.int32)


def is_up(problem, state):
    """Whether the system works in a state."""
    works = [int(s < c.failed) for s, c in zip(state, problem.components, strict=True)]
    return bool(problem.works[tuple(works)])


def chance_down(problem, post, inspections=1):
    """P(down so many inspections ahead if nothing is done), by summing over all that may work."""
    total = 0.0
    worn = [np.linalg.matrix_power(c.transition, inspections) for c in problem.components]
    alive = [1 - p[s, c.failed] for p, s, c in zip(worn, post, problem.components, strict=True)]
    for works in product((0, 1), repeat=len(post)):
        if not problem.works[works]:
            total += np.prod([p if w else 1 - p for w, p in zip(works, alive, strict=True)])
    return total
