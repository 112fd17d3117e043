"""Brute force over whole epochs: every state and every joint post-decision state is listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference_backward import steps, weighted
from reference_layouts import (
    State,
    Weights,
    layouts_behind,
    layouts_of,
    shape_of,
    stages_of,
    states_of,
)
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components
from sparing.epoch import Axis, Branch


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
    value, _ = optimal_value(mdp)
    return (mdp.start_cost + mdp.start @ value).reshape(shape_of(epoch.axes))


def solve_average(epoch: Any, weights: Weights) -> NDArray[np.float64]:
    """Return the optimal cost per epoch from each start state (they may differ).

    The discount plays no part.
    """
    mdp = explicit_mdp(epoch, weights)
    gain, _ = optimal_gain(mdp)
    return (_forbidden(mdp) + mdp.num_steps * mdp.start @ gain).reshape(shape_of(epoch.axes))


def optimal_value(mdp: ExplicitMDP) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the value of each stage-start state and the pairs taken, by policy iteration."""
    policy = _first_pairs(mdp)
    while True:
        transition = mdp.transition[policy]
        value = np.linalg.solve(np.eye(len(policy)) - transition, mdp.cost[policy])
        better = _improved(mdp, policy, mdp.cost + mdp.transition @ value)
        if (better == policy).all():
            return value, policy
        policy = better


def optimal_gain(mdp: ExplicitMDP) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the gain per step of each stage-start state and the pairs taken.

    Multichain policy iteration (Puterman 2005, section 9.2).
    """
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
            return gain, policy
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
    return (_forbidden(mdp) + mdp.num_steps * mdp.start @ gain).reshape(shape_of(epoch.axes))


def explicit_mdp(epoch: Any, weights: Weights, *, discount: float = 1.0) -> ExplicitMDP:
    """List every state at the start of a stage and all that can be done in it."""
    layouts, nodes = layouts_of(epoch), tuple(epoch.nodes)
    assert [(a.name, a.size) for a in layouts[0]] == [(a.name, a.size) for a in layouts[-1]]
    stages = stages_of(epoch) or [(0, 0)]
    start, start_cost = _drawn(nodes[: stages[0][0]], layouts[0], weights)
    sizes = [int(np.prod(shape_of(layouts[first]))) for first, _ in stages]
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
        for flat, state in enumerate(states_of(layouts[first])):
            for post, total in reach(nodes[first:last], layouts[first], state, weights).items():
                row = np.zeros(offsets[-1])
                place = 0 if is_last else offsets[k + 1]
                behind = flat_of(post, layouts[last])
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


def reach(
    nodes: Sequence[Any], layout: Sequence[Axis], state: State, weights: Weights
) -> dict[State, float]:
    """Return the cheapest cost at which `state` can come to each state behind `nodes`."""
    found = {state: 0.0}
    for node, here in zip(nodes, layouts_behind(nodes, layout), strict=False):
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
        for then, cost in reach(alternative.nodes, layout, state, weights).items():
            yield then, entry + cost


def _drawn(
    nodes: Sequence[Any], layout: Sequence[Axis], weights: Weights
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what happens in `nodes` without a choice: [states, states behind], cost [states]."""
    layouts = layouts_behind(nodes, layout)
    size, size_behind = (int(np.prod(shape_of(axes))) for axes in (layout, layouts[-1]))
    matrix, paid = np.zeros((size, size_behind)), np.zeros(size)
    for flat, state in enumerate(states_of(layout)):
        spread = {state: 1.0}
        for node, here in zip(nodes, layouts, strict=False):
            then_spread: dict[State, float] = {}
            for at, mass in spread.items():
                for then, probability, costs in steps(node, here, at):
                    paid[flat] += mass * probability * weighted(costs, weights)
                    then_spread[then] = then_spread.get(then, 0.0) + mass * probability
            spread = then_spread
        for then, mass in spread.items():
            matrix[flat, flat_of(then, layouts[-1])] += mass
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


def flat_of(state: State, layout: Sequence[Axis]) -> int:
    flat = 0
    for axis, index in zip(layout, state, strict=True):
        flat = flat * axis.size + index
    return flat
