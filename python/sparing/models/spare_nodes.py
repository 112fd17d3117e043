"""The nodes by which components draw on stocks of spare parts, and stocks are replenished."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparing.models.spare import SparePart, StockState
from sparing.nodes import Chance, Cost, Decision, Node
from sparing.table import Table

if TYPE_CHECKING:
    from sparing.models.component import Component


def maintain_from_stock(
    component: Component, spare: SparePart, *, leave_failed: bool = True
) -> Decision:
    """Choose the state after maintenance; state 0 takes a unit of `spare`, at hand or bought.

    A row is a pair (component state, stock state). A component that is in state 0 already takes
    none. Where nothing is on hand, the unit is an emergency, or the entry is missing.
    """
    states, goals = component.entries()
    if not leave_failed:
        keep = ~((states == component.failed) & (goals == component.failed))
        states, goals = states[keep], goals[keep]
    size = len(spare.found)
    index = {state: k for k, state in enumerate(spare.found)}
    taken = np.array([index.get(s._replace(on_hand=s.on_hand - 1), -1) for s in spare.found])
    state, stock = np.repeat(states, size), np.tile(np.arange(size), states.size)
    goal = np.repeat(goals, size)
    replaced = (goal == 0) & (state > 0)
    short = replaced & (taken[stock] < 0)
    row = state * size + stock
    to = goal * size + np.where(replaced & ~short, taken[stock], stock)
    order = np.lexsort((goal, row))
    if spare.emergency_cost is None:
        order = order[~short[order]]
    kinds = {"maintenance": component.maintenance_cost, **component.criteria}
    cost = {kind: matrix[state, goal][order] for kind, matrix in kinds.items()}
    if spare.emergency_cost is not None:
        cost["emergency"] = spare.emergency_cost * short[order]
        cost[f"emergency_rate_{spare.name}"] = short[order].astype(np.float64)
    table = Table(
        indptr=np.searchsorted(row[order], np.arange(component.num_states * size + 1)),
        to=to[order],
        choice=goal[order].astype(np.int32),
        cost=cost,
    )
    return Decision([component.name, spare.name], table, name=f"maintain {component.name}")


def order_node(spare: SparePart) -> Decision:
    """Choose how many units to order: none while an order is outstanding."""
    index = {state: k for k, state in enumerate(spare.decided)}
    indptr, to, quantity = [0], [], []
    for state in spare.found:
        room = 0 if state.ordered else min(spare.largest_order, spare.capacity - state.on_hand)
        for q in range(room + 1):
            there = state._replace(ordered=q) if q else state
            if q and spare.arrives_at_once:
                there = state._replace(on_hand=state.on_hand + q)
            to.append(index[there])
            quantity.append(q)
        indptr.append(len(to))
    ordered = np.array(quantity, dtype=np.float64)
    cost = {
        "order": spare.order_fixed * (ordered > 0) + spare.order_unit * ordered,
        f"order_rate_{spare.name}": (ordered > 0).astype(np.float64),
    }
    choice = np.array(quantity, dtype=np.int32)
    table = Table(indptr=np.array(indptr), to=np.array(to), choice=choice, cost=cost)
    behind = spare.name if spare.arrives_at_once else spare.decided_axis
    return Decision(spare.name, table, to=behind, name=f"order {spare.name}")


def stock_nodes(spare: SparePart) -> list[Node]:
    """Return what happens to a stock between the decisions and the wear: arrivals and holding."""
    nodes: list[Node] = [] if spare.arrives_at_once else [_arrivals(spare)]
    holding = spare.holding_cost * spare.on_hand
    nodes.append(Cost(spare.name, holding, "holding", name=f"hold {spare.name}"))
    nodes.append(Cost(spare.name, spare.on_hand, f"mean_on_hand_{spare.name}"))
    return nodes


def _arrivals(spare: SparePart) -> Chance:
    """Draw whether an outstanding order arrives; it is older where it does not."""
    index = {state: k for k, state in enumerate(spare.found)}
    indptr, to, probability = [0], [], []
    for state in spare.decided:
        arrives = float(spare.arrival[state.age]) if state.ordered else 1.0
        to.append(index[StockState(state.on_hand + state.ordered, 0, 0)])
        probability.append(arrives)
        if arrives < 1.0:
            to.append(index[state._replace(age=state.age + 1)])
            probability.append(1.0 - arrives)
        indptr.append(len(to))
    table = Table(indptr=np.array(indptr), to=np.array(to), probability=np.array(probability))
    return Chance(spare.decided_axis.name, table, to=spare.axis, name=f"deliver {spare.name}")
