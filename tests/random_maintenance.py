"""Random epochs of the shape of multi-component maintenance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from random_dice import Dice, Draft, Layout, drawn_discount, reset, start_axes
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision


def drafted_separable(dice: Dice) -> Draft:
    """Costs on grouped axes; repairs as Decisions, with or without a set-up; a Chance per axis."""
    axes = start_axes(dice)
    wears = [_wear(dice, axis) for axis in axes]
    repairs = [_repairs(dice, axis) for axis in axes]
    decisions: list[Any] = [
        Decision(axis.name, costs, kind="maintenance")
        for axis, costs in zip(axes, repairs, strict=True)
    ]
    if dice.hit(60):
        stay = [
            Cost(axis.name, np.diagonal(costs), "maintenance")
            for axis, costs in zip(axes, repairs, strict=True)
        ]
        setup = Alternative(decisions, cost={"setup": float(dice.numbers(()))})
        pair = [Alternative(stay), setup]
        decisions = [Branch(pair[::-1] if dice.hit(20) else pair)]
    nodes = [*decisions, *wears] if not dice.hit(20) else [*wears, *decisions]
    if dice.hit(70):
        nodes.insert(0, _joint_cost(dice, axes, "downtime"))
    if dice.hit(40):
        nodes.append(_joint_cost(dice, axes, "holding"))
    if dice.recipe.resetting:
        nodes += [reset(dice, axis) for axis in axes]
    return Draft(axes=axes, nodes=tuple(nodes), discount=drawn_discount(dice))


def _wear(dice: Dice, axis: Axis) -> Chance:
    """Return a square Chance of one axis: upper triangular, or back and forth."""
    matrix = np.zeros((axis.size, axis.size))
    triangular = not dice.hit(30)
    for row in range(axis.size):
        low = row if triangular else 0
        matrix[row, low:] = dice.distribution(axis.size - low)
    return Chance(axis.name, matrix)


def _repairs(dice: Dice, axis: Axis) -> NDArray[np.float64]:
    """Return costs [from, to] that never worsen a unit; as new is always to be had."""
    costs = dice.numbers((axis.size, axis.size), forbid=True)
    as_new = dice.numbers(axis.size)
    costs[:, 0] = np.where(np.isinf(costs[:, 0]), as_new, costs[:, 0])
    costs[np.triu_indices(axis.size, 1)] = np.inf
    if dice.hit(50):
        costs[np.diag_indices(axis.size)] = 0.0
    if axis.size > 1 and dice.hit(40):
        costs[-1, -1] = np.inf  # a failed unit must be restored
    return costs


def _joint_cost(dice: Dice, axes: Layout, kind: str) -> Cost:
    """Return a cost of which units are down (their last state)."""
    groups = {axis.name: np.arange(axis.size) == axis.size - 1 for axis in axes if axis.size > 1}
    shape = tuple(2 if axis.name in groups else 1 for axis in axes)
    return Cost([axis.name for axis in axes], dice.numbers(shape), kind, groups=groups)
