"""A slow, obvious interpreter of an epoch: the reference for every other one.

Plain loops over states and entries, written from the definition of the nodes alone. Layouts and
stages are worked out here once more, so anything with `axes`, `nodes` and `discount` will do.

>>> from sparing.epoch import Axis, Decision, Epoch
>>> epoch = Epoch(axes=[Axis("x", 2)], nodes=[Decision("x", [[1.0, 3.0], [2.0, 0.0]])])
>>> swept = backup(epoch, [10.0, 0.0], {"cost": 1.0})
>>> swept.value.tolist(), swept.stages[0].post.tolist()
([3.0, 0.0], [1, 1])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components
from sparing.epoch import Axis, Branch, Chance, Cost, Decision

State = tuple[int, ...]
Weights = Mapping[str, float]
INFEASIBLE = -1  # the post-decision state where nothing is allowed


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What is chosen in the nodes ``first <= position < last``."""

    first: int
    last: int
    post: NDArray[np.int64]  # flat state at the end per flat state at the start; -1: infeasible
    costs: dict[str, NDArray[np.float64]]  # per kind, unweighted, along the chosen path; inf: ditto


@dataclass(frozen=True, kw_only=True)
class Backup:
    """The value at the start [shape of the start axes] and the greedy policy, stage by stage."""

    value: NDArray[np.float64]
    stages: list[Stage]


@dataclass(frozen=True)
class _Swept:
    """Per state of one layout: what follows, and where the present stage leads at what costs."""

    value: NDArray[np.float64]
    post: NDArray[np.int64]
    costs: dict[State, dict[str, float]]


def backup(epoch: Any, value: ArrayLike, weights: Weights) -> Backup:
    """Sweep `epoch` backward once from `value` on its end axes.

    Ties go to the lowest alternative, then the lowest entry. A tie up to rounding may fall either
    way elsewhere, so compare policies where the sums are exact (`random_epochs.Recipe.exact`).
    """
    layouts = layouts_of(epoch)
    behind = np.asarray(value, dtype=np.float64).reshape(_shape(layouts[-1]))
    swept = _stage_end(epoch.discount * behind)
    ends = {last: first for first, last in stages_of(epoch)}
    stages, first, last = [], -1, -1
    for position in reversed(range(len(epoch.nodes))):
        if position + 1 in ends:
            first, last = ends[position + 1], position + 1
            swept = _stage_end(swept.value)
        swept = _sweep(epoch.nodes[position], layouts[position], swept, weights)
        if position == first:
            stages.append(_stage(first, last, swept, kinds_of(epoch.nodes)))
    return Backup(value=swept.value, stages=stages[::-1])


def evaluate(
    epoch: Any, stages: Sequence[Stage], value: ArrayLike, weights: Weights
) -> NDArray[np.float64]:
    """Sweep backward with the policy fixed; other weights give a side measure."""
    layouts = layouts_of(epoch)
    behind = np.asarray(value, dtype=np.float64).reshape(_shape(layouts[-1]))
    swept = _stage_end(epoch.discount * behind)
    ends = {stage.last: stage for stage in stages}
    position = len(epoch.nodes)
    while position > 0:
        if position in ends:
            stage = ends[position]
            flat = np.full(stage.post.size, np.inf)
            for state in np.flatnonzero(stage.post != INFEASIBLE):
                paid = {kind: costs[state] for kind, costs in stage.costs.items()}
                flat[state] = weighted(paid, weights) + swept.value.flat[stage.post[state]]
            position = stage.first
            swept = _stage_end(flat.reshape(_shape(layouts[position])))
        else:
            position -= 1
            swept = _sweep(epoch.nodes[position], layouts[position], swept, weights)
    return swept.value


def weighted(costs: Mapping[str, float], weights: Weights) -> float:
    """Return the weighted sum; +inf forbids under every weight, an absent kind weighs 0."""
    if any(cost == np.inf for cost in costs.values()):
        return np.inf
    return sum(weights.get(kind, 0.0) * cost for kind, cost in costs.items())


# --- one node ---------------------------------------------------------------------------------


def steps(node: Any, layout: Sequence[Axis], state: State) -> list[tuple[State, float, dict]]:
    """Return what a Cost, Decision or Chance offers: (next state, probability, costs by kind)."""
    at = {axis.name: index for axis, index in zip(layout, state, strict=True)}
    if isinstance(node, Cost):
        index = tuple(
            int(node.groups[name][at[name]]) if name in node.groups else at[name]
            for name in node.axes
        )
        return [(state, 1.0, {node.kind: float(node.values[index])})]
    sizes = {axis.name: axis.size for axis in layout}
    row = 0
    for name in (*node.context, *node.axes):
        row = row * sizes[name] + at[name]
    behind = layout_behind(node, layout)
    found = []
    for entry in range(node.table.indptr[row], node.table.indptr[row + 1]):
        rest = int(node.table.to[entry])
        then = {name: index for name, index in at.items() if name not in node.axes}
        for axis in reversed(_axes_to(node, layout)):
            rest, then[axis.name] = divmod(rest, axis.size)
        probability = 1.0 if isinstance(node, Decision) else float(node.table.probability[entry])
        costs = {kind: float(values[entry]) for kind, values in node.table.cost.items()}
        found.append((tuple(then[axis.name] for axis in behind), probability, costs))
    return found


def _sweep(node: Any, layout: Sequence[Axis], after: _Swept, weights: Weights) -> _Swept:
    """Carry `after`, given behind `node`, to the states before it."""
    if isinstance(node, Branch):
        return _sweep_branch(node, layout, after, weights)
    before = _nothing(layout)
    for state in _states(layout):
        offered = steps(node, layout, state)
        if _draws(node):
            expected = 0.0
            for then, probability, costs in offered:
                expected += probability * (weighted(costs, weights) + after.value[then])
            before.value[state] = expected
            continue
        for then, _, costs in offered:
            total = weighted(costs, weights) + after.value[then]
            if total < before.value[state]:
                before.value[state], before.post[state] = total, after.post[then]
                before.costs[state] = _added(costs, after.costs[then])
    return _stage_end(before.value) if _draws(node) else before


def _sweep_branch(node: Branch, layout: Sequence[Axis], after: _Swept, weights: Weights) -> _Swept:
    best = _nothing(layout)
    for alternative in node.alternatives:
        layouts = _layouts(alternative.nodes, layout)
        swept = after
        for position in reversed(range(len(alternative.nodes))):
            swept = _sweep(alternative.nodes[position], layouts[position], swept, weights)
        for state in _states(layout):
            total = weighted(alternative.cost, weights) + swept.value[state]
            if total < best.value[state]:
                best.value[state], best.post[state] = total, swept.post[state]
                best.costs[state] = _added(alternative.cost, swept.costs[state])
    return best


def _nothing(layout: Sequence[Axis]) -> _Swept:
    shape = _shape(layout)
    return _Swept(np.full(shape, np.inf), np.full(shape, INFEASIBLE, dtype=np.int64), {})


def _stage_end(value: NDArray[np.float64]) -> _Swept:
    post = np.arange(value.size).reshape(value.shape)
    return _Swept(value, post, {state: {} for state in np.ndindex(value.shape)})


def _stage(first: int, last: int, swept: _Swept, kinds: Sequence[str]) -> Stage:
    costs = {kind: np.full(swept.value.size, np.inf) for kind in kinds}
    for flat, state in enumerate(np.ndindex(swept.value.shape)):
        if swept.post[state] != INFEASIBLE:
            for kind in kinds:
                costs[kind][flat] = swept.costs[state].get(kind, 0.0)
    return Stage(first=first, last=last, post=swept.post.ravel(), costs=costs)


def _added(some: Mapping[str, float], more: Mapping[str, float]) -> dict[str, float]:
    return {kind: some.get(kind, 0.0) + more.get(kind, 0.0) for kind in {**some, **more}}


# --- layouts and stages -----------------------------------------------------------------------


def layout_behind(node: Any, layout: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return the live axes behind `node`.

    Kept names keep their place; created axes take that of the first axis dropped, or stand first.
    """
    if isinstance(node, Cost):
        return tuple(layout)
    if isinstance(node, Branch):
        return _layouts(node.alternatives[0].nodes, layout)[-1]
    to = _axes_to(node, layout)
    created = [axis for axis in to if axis.name not in node.axes]
    kept = {axis.name: axis for axis in to if axis.name in node.axes}
    dropped = [axis for axis in layout if axis.name in node.axes and axis.name not in kept]
    place = layout.index(dropped[0]) if dropped else 0
    before, behind = layout[:place], layout[place:]
    merged = (*before, *created, *behind)
    return tuple(kept.get(axis.name, axis) for axis in merged if axis not in dropped)


def layouts_of(epoch: Any) -> list[tuple[Axis, ...]]:
    """Return the live axes before each node and behind the last one."""
    return _layouts(epoch.nodes, tuple(epoch.axes))


def stages_of(epoch: Any) -> list[tuple[int, int]]:
    """Return the runs of nodes between draws that hold a choice."""
    draws = [i for i, node in enumerate(epoch.nodes) if _draws(node)]
    edges = [-1, *draws, len(epoch.nodes)]
    runs = [(a + 1, b) for a, b in pairwise(edges)]
    return [
        (a, b) for a, b in runs if any(isinstance(n, Decision | Branch) for n in epoch.nodes[a:b])
    ]


def kinds_of(nodes: Sequence[Any]) -> list[str]:
    """Return the kinds of cost that occur, in order of first appearance."""
    kinds: list[str] = []
    for node in nodes:
        if isinstance(node, Cost):
            kinds.append(node.kind)
        elif isinstance(node, Branch):
            for alternative in node.alternatives:
                kinds += [*alternative.cost, *kinds_of(alternative.nodes)]
        else:
            kinds += node.table.cost
    return list(dict.fromkeys(kinds))


def _layouts(nodes: Sequence[Any], layout: Sequence[Axis]) -> list[tuple[Axis, ...]]:
    layouts = [tuple(layout)]
    for node in nodes:
        layouts.append(layout_behind(node, layouts[-1]))
    return layouts


def _axes_to(node: Any, layout: Sequence[Axis]) -> list[Axis]:
    live = {axis.name: axis for axis in layout}
    return [live[axis] if isinstance(axis, str) else axis for axis in node.to]


def _draws(node: Any) -> bool:
    return isinstance(node, Chance) and max(np.diff(node.table.indptr)) > 1


def _shape(layout: Sequence[Axis]) -> tuple[int, ...]:
    return tuple(axis.size for axis in layout)


def _states(layout: Sequence[Axis]) -> Iterator[State]:
    return product(*(range(axis.size) for axis in layout))


# --- brute force over whole epochs ------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ExplicitMDP:
    """Stage-start states and their (state, joint post-decision state) pairs, all listed.

    Found forward, path by path; only the cheapest path of a pair is kept. A step is a stage, so
    `num_steps` steps make an epoch; the discount is in the rows that end one.
    """

    owner: NDArray[np.int64]  # [pairs] the state a pair belongs to
    cost: NDArray[np.float64]  # [pairs]
    transition: NDArray[np.float64]  # [pairs, states]; rows that end an epoch sum to the discount
    num_steps: int
    start: NDArray[np.float64]  # [epoch-start states, states] draws before the first stage
    start_cost: NDArray[np.float64]  # [epoch-start states]; inf where nothing is allowed


def solve_discounted(epoch: Any, weights: Weights) -> NDArray[np.float64]:
    """Return the optimal value of each start state by policy iteration."""
    assert epoch.discount < 1.0
    mdp = explicit_mdp(epoch, weights, discount=epoch.discount)
    policy = _first_pairs(mdp)
    while True:
        transition = mdp.transition[policy]
        value = np.linalg.solve(np.eye(len(policy)) - transition, mdp.cost[policy])
        better = _improved(mdp, policy, mdp.cost + mdp.transition @ value)
        if (better == policy).all():
            return (mdp.start_cost + mdp.start @ value).reshape(_shape(epoch.axes))
        policy = better


def solve_average(epoch: Any, weights: Weights) -> NDArray[np.float64]:
    """Return the optimal cost per epoch from each start state (they may differ).

    Multichain policy iteration (Puterman 2005, section 9.2); the discount plays no part.
    """
    mdp = explicit_mdp(epoch, weights)
    policy = _first_pairs(mdp)
    while True:
        transition, cost = mdp.transition[policy], mdp.cost[policy]
        limit = limiting_matrix(transition)
        gain = limit @ cost
        bias = np.linalg.solve(np.eye(len(policy)) - transition + limit, cost - gain)
        then = mdp.transition @ gain
        better = _improved(mdp, policy, then)
        if (better == policy).all():
            best = then[policy][mdp.owner]
            among = then <= best + 1e-9 * (1.0 + np.abs(best))
            better = _improved(
                mdp, policy, np.where(among, mdp.cost + mdp.transition @ bias, np.inf)
            )
        if (better == policy).all():
            return (_forbidden(mdp) + mdp.num_steps * mdp.start @ gain).reshape(_shape(epoch.axes))
        policy = better


def solve_average_by_lp(epoch: Any, weights: Weights) -> NDArray[np.float64]:
    """Return the same from the multichain linear program (Puterman 2005, section 9.3).

    Maximise the sum of g subject to g_s <= sum_t p_st g_t and g_s + h_s <= c + sum_t p_st h_t.
    """
    mdp = explicit_mdp(epoch, weights)
    size = mdp.transition.shape[1]
    drop = np.eye(size)[mdp.owner] - mdp.transition
    rows = np.block([[drop, np.zeros_like(drop)], [np.eye(size)[mdp.owner], drop]])
    bounds = np.concatenate([np.zeros(len(drop)), mdp.cost])
    goal = np.concatenate([-np.ones(size), np.zeros(size)])
    found = linprog(goal, A_ub=rows, b_ub=bounds, bounds=(None, None), method="highs")
    assert found.status == 0, found.message
    gain = found.x[:size]
    return (_forbidden(mdp) + mdp.num_steps * mdp.start @ gain).reshape(_shape(epoch.axes))


def explicit_mdp(epoch: Any, weights: Weights, *, discount: float = 1.0) -> ExplicitMDP:
    """List every state at the start of a stage and all that can be done in it."""
    layouts, nodes = layouts_of(epoch), tuple(epoch.nodes)
    assert [(a.name, a.size) for a in layouts[0]] == [(a.name, a.size) for a in layouts[-1]]
    stages = stages_of(epoch) or [(0, 0)]
    start, start_cost = _drawn(nodes[: stages[0][0]], layouts[0], weights)
    sizes = [int(np.prod(_shape(layouts[first]))) for first, _ in stages]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    owner, cost, transition = [], [], []
    for k, (first, last) in enumerate(stages):
        is_last = k + 1 == len(stages)
        drawn, paid = _drawn(
            nodes[last : None if is_last else stages[k + 1][0]], layouts[last], weights
        )
        if is_last:  # the next epoch's draws before its first stage come after the discount
            paid = paid + discount * _expected(drawn, start_cost)
            drawn = discount * drawn @ start
        for flat, state in enumerate(_states(layouts[first])):
            for post, total in _reach(nodes[first:last], layouts[first], state, weights).items():
                row = np.zeros(offsets[-1])
                place = 0 if is_last else offsets[k + 1]
                behind = _flat(post, layouts[last])
                row[place : place + drawn.shape[1]] = drawn[behind]
                owner.append(offsets[k] + flat)
                cost.append(total + paid[behind])
                transition.append(row)
    full = np.zeros((len(start), offsets[-1]))
    full[:, : sizes[0]] = start
    return _pruned(
        np.array(owner), np.array(cost), np.array(transition), len(stages), full, start_cost
    )


def limiting_matrix(transition: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the long-run average of the powers of a stochastic matrix, class by class."""
    size = len(transition)
    _, label = connected_components(transition > 0.0, connection="strong")
    limit, transient = np.zeros((size, size)), np.zeros(size, dtype=bool)
    for k in np.unique(label):
        inside = np.flatnonzero(label == k)
        if (transition[inside][:, label != k] > 0.0).any():
            transient[inside] = True
            continue
        balance = np.eye(len(inside)) - transition[np.ix_(inside, inside)].T
        equations = np.vstack([balance, np.ones(len(inside))])
        ends_in_one = np.append(np.zeros(len(inside)), 1.0)
        limit[np.ix_(inside, inside)] = np.linalg.lstsq(equations, ends_in_one, rcond=None)[0]
    stay = transition[np.ix_(transient, transient)]
    leave = transition[transient][:, ~transient] @ limit[~transient]
    limit[transient] = np.linalg.solve(np.eye(len(stay)) - stay, leave)
    return limit


def _reach(
    nodes: Sequence[Any], layout: Sequence[Axis], state: State, weights: Weights
) -> dict[State, float]:
    """Return the cheapest cost at which `state` can come to each state behind `nodes`."""
    found = {state: 0.0}
    for node, here in zip(nodes, _layouts(nodes, layout), strict=False):
        then_found: dict[State, float] = {}
        for at, so_far in found.items():
            for then, cost in _offers(node, here, at, weights):
                then_found[then] = min(then_found.get(then, np.inf), so_far + cost)
        found = {then: cost for then, cost in then_found.items() if cost < np.inf}
    return found


def _offers(
    node: Any, layout: Sequence[Axis], state: State, weights: Weights
) -> Iterator[tuple[State, float]]:
    if not isinstance(node, Branch):
        yield from (
            (then, weighted(costs, weights)) for then, _, costs in steps(node, layout, state)
        )
        return
    for alternative in node.alternatives:
        entry = weighted(alternative.cost, weights)
        for then, cost in _reach(alternative.nodes, layout, state, weights).items():
            yield then, entry + cost


def _drawn(
    nodes: Sequence[Any], layout: Sequence[Axis], weights: Weights
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what happens in `nodes` without a choice: [states, states behind], cost [states]."""
    layouts = _layouts(nodes, layout)
    size, size_behind = (int(np.prod(_shape(axes))) for axes in (layout, layouts[-1]))
    matrix, paid = np.zeros((size, size_behind)), np.zeros(size)
    for flat, state in enumerate(_states(layout)):
        spread = {state: 1.0}
        for node, here in zip(nodes, layouts, strict=False):
            then_spread: dict[State, float] = {}
            for at, mass in spread.items():
                for then, probability, costs in steps(node, here, at):
                    paid[flat] += mass * probability * weighted(costs, weights)
                    then_spread[then] = then_spread.get(then, 0.0) + mass * probability
            spread = then_spread
        for then, mass in spread.items():
            matrix[flat, _flat(then, layouts[-1])] += mass
    return matrix, paid


def _pruned(
    owner: NDArray[np.int64],
    cost: NDArray[np.float64],
    transition: NDArray[np.float64],
    num_steps: int,
    start: NDArray[np.float64],
    start_cost: NDArray[np.float64],
) -> ExplicitMDP:
    """Drop the pairs of infinite cost, then states without a pair, then pairs that lead there."""
    keep = np.isfinite(cost)
    while True:
        alive = np.isin(np.arange(transition.shape[1]), owner[keep])
        doomed = keep & (transition[:, ~alive] > 0.0).any(axis=1)
        if not doomed.any():
            break
        keep &= ~doomed
    return ExplicitMDP(
        owner=(np.cumsum(alive) - 1)[owner[keep]],
        cost=cost[keep],
        transition=transition[keep][:, alive],
        num_steps=num_steps,
        start=start[:, alive],
        start_cost=np.where((start[:, ~alive] > 0.0).any(axis=1), np.inf, start_cost),
    )


def _first_pairs(mdp: ExplicitMDP) -> NDArray[np.int64]:
    return np.searchsorted(mdp.owner, np.arange(mdp.transition.shape[1]))


def _improved(
    mdp: ExplicitMDP, policy: NDArray[np.int64], total: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the pairs of least `total` [pairs], the present one where it is as good."""
    better = policy.copy()
    for state, present in enumerate(policy):
        pairs = np.flatnonzero(mdp.owner == state)
        best = pairs[np.argmin(total[pairs])]
        if total[best] < total[present] - 1e-9 * (1.0 + abs(total[present])):
            better[state] = best
    return better


def _expected(drawn: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product of probabilities and costs, in which 0 times inf is 0."""
    finite = drawn @ np.where(np.isfinite(cost), cost, 0.0)
    return np.where((drawn[:, np.isinf(cost)] > 0.0).any(axis=1), np.inf, finite)


def _forbidden(mdp: ExplicitMDP) -> NDArray[np.float64]:
    return np.where(np.isfinite(mdp.start_cost), 0.0, np.inf)


def _flat(state: State, layout: Sequence[Axis]) -> int:
    flat = 0
    for axis, index in zip(layout, state, strict=True):
        flat = flat * axis.size + index
    return flat
