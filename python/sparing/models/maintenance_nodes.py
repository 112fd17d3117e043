"""The nodes by which a multi-component system is maintained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparing.models.spare_nodes import maintain_from_stock
from sparing.nodes import Alternative, Axis, Branch, Chance, Cost, Decision, Node, PlainNode
from sparing.table import Table

if TYPE_CHECKING:
    from sparing.models.component import Component
    from sparing.models.multi_component import MultiComponentProblem


def maintenance_nodes(problem: MultiComponentProblem) -> list[Node]:
    """Return the nodes from the states found to the states after maintenance."""
    if problem.result == "uniform":
        return _uniform_result(problem)
    nothing: list[PlainNode] = [cost for c in problem.components for cost in _costs_of_leaving(c)]
    setup = {"set-up": problem.setup_cost}
    free = [_decision(problem, c) for c in problem.components]
    if not problem.restore_when_down:
        return [
            Branch(
                [
                    Alternative(nothing, name="do nothing"),
                    Alternative(free, cost=setup, name="maintain"),
                ],
                name="maintain?",
            )
        ]
    # What may be done depends on whether the system is up, so the case is an alternative.
    only_up = Cost(
        problem.names,
        np.where(problem.works, 0.0, np.inf),
        "maintenance",
        groups=problem.up_groups,
        name="only while up",
    )
    restoring = [_decision(problem, c, leave_failed=False) for c in problem.components]
    return [
        Branch(
            [
                Alternative([*nothing, only_up], name="do nothing"),
                Alternative([only_up, *free], cost=setup, name="maintain"),
                Alternative(restoring, cost=setup, name="restore all failed"),
            ],
            name="maintain?",
        )
    ]


def _decision(
    problem: MultiComponentProblem, component: Component, *, leave_failed: bool = True
) -> Decision:
    """Choose the state after maintenance: any that is no worse and not forbidden."""
    spare = problem.spare_of(component)
    if spare is not None:
        return maintain_from_stock(component, spare, leave_failed=leave_failed)
    rows, to = component.entries()
    if not leave_failed:
        keep = ~((rows == component.failed) & (to == component.failed))
        rows, to = rows[keep], to[keep]
    kinds = {"maintenance": component.maintenance_cost, **component.criteria}
    table = Table(
        indptr=np.searchsorted(rows, np.arange(component.num_states + 1)),
        to=to,
        choice=to.astype(np.int32),
        cost={kind: matrix[rows, to] for kind, matrix in kinds.items()},
    )
    return Decision(component.name, table, name=f"maintain {component.name}")


def _costs_of_leaving(component: Component) -> list[PlainNode]:
    """Return what the diagonal costs, where it costs anything."""
    kinds = {"maintenance": component.maintenance_cost, **component.criteria}
    return [
        Cost(component.name, np.diag(matrix), kind, name=f"leave {component.name}")
        for kind, matrix in kinds.items()
        if np.diag(matrix).any()
    ]


def _uniform_result(problem: MultiComponentProblem) -> list[Node]:
    """Return the restricted problem: maintain or not, with a random result.

    All decisions come before all results: one option axis per component holds the legal pairs
    (leave, s) and (maintain, s), so that no decision sees the result of another.
    """
    leave, choose, results = [], [], []
    for component in problem.components:
        size = component.num_states
        option = Axis(f"option {component.name}", 2 * size - 1)  # leave 0..m, maintain 1..m
        states = np.arange(size)
        may_leave = np.isfinite(np.diag(component.maintenance_cost))
        leaving = Table(
            indptr=np.concatenate([[0], np.cumsum(may_leave)]),
            to=states[may_leave],
            choice=np.zeros(int(may_leave.sum()), dtype=np.int32),
        )
        rows = np.concatenate([states[may_leave], states[1:]])
        to = np.concatenate([states[may_leave], size - 1 + states[1:]])
        choice = np.concatenate([np.zeros(int(may_leave.sum())), np.ones(size - 1)])
        order = np.lexsort((choice, rows))
        choosing = Table(
            indptr=np.searchsorted(rows[order], np.arange(size + 1)),
            to=to[order],
            choice=choice[order].astype(np.int32),
        )
        name = f"maintain {component.name}"
        leave.append(Decision(component.name, leaving, to=option, name=name))
        choose.append(Decision(component.name, choosing, to=option, name=name))
        results.append(_result(component, option))
    branch = Branch(
        [
            Alternative(leave, name="do nothing"),
            Alternative(choose, cost={"set-up": problem.setup_cost}, name="maintain"),
        ],
        name="maintain?",
    )
    return [branch, *results]


def _result(component: Component, option: Axis) -> Chance:
    """Draw the state that maintenance reaches, at the cost of the realised result."""
    size, failed = component.num_states, component.failed
    chance = np.zeros((option.size, size))
    found = np.concatenate([np.arange(size), np.arange(1, size)])
    for row, state in enumerate(found):
        if row < size:
            chance[row, state] = 1.0
        elif state == failed:
            chance[row, 0] = 1.0
        else:
            chance[row, :state] = 1.0 / state
    kinds = {"maintenance": component.maintenance_cost, **component.criteria}
    costs = {kind: matrix[found] for kind, matrix in kinds.items()}
    reached = chance > 0.0
    forbidden = (reached & ~np.isfinite(costs["maintenance"]))[size:]  # of the rows that maintain
    for row, column in np.argwhere(forbidden)[:1]:
        raise ValueError(
            f"component {component.name!r}: maintenance in state {found[size + row]} may reach"
            f" state {column}, whose maintenance_cost is inf; it must be finite for a uniform"
            " result."
        )
    finite = {kind: np.where(reached & np.isfinite(v), v, 0.0) for kind, v in costs.items()}
    table = Table.from_probabilities(chance, cost=finite)
    return Chance(
        option.name, table, to=Axis(component.name, size), name=f"result {component.name}"
    )
