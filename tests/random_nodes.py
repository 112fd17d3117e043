"""Random epochs with nodes of every sort."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from random_dice import KINDS, Dice, Draft, Layout, drawn_discount, reset, start_axes
from reference_layouts import layout_behind
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision
from sparing.table import Table


def drafted(dice: Dice) -> Draft:
    recipe = dice.recipe
    axes = start_axes(dice)
    nodes: list[Any] = []
    in_turn = dice.hit(30)  # Decision, Chance, Decision, Chance: several stages
    for turn in range(dice.pick(*recipe.num_nodes)):
        makers = [_cost, _decision, _chance] + [_branch] * recipe.branches
        make = [_decision, _chance][turn % 2] if in_turn else dice.one_of(makers)
        nodes.append(make(dice, _behind(nodes, axes)))
        if isinstance(nodes[-1], Decision) and dice.hit(25):
            nodes.append(_forbidding(dice, nodes[-1], _behind(nodes, axes)))
    if recipe.closed:
        _close(dice, nodes, axes)
    if recipe.resetting:
        nodes += [reset(dice, axis) for axis in _behind(nodes, axes)]
    return Draft(axes=axes, nodes=tuple(nodes), discount=drawn_discount(dice))


def _behind(nodes: Sequence[Any], axes: Layout) -> Layout:
    for node in nodes:
        axes = layout_behind(node, axes)
    return axes


def _cost(dice: Dice, layout: Layout) -> Cost:
    """Return a Cost on any axes in any order, some of them grouped; or a constant."""
    shape, groups = [], {}
    chosen = dice.some(layout, 0, 3)
    for axis in chosen:
        shape.append(axis.size)
        if dice.hit(40):
            shape[-1] = dice.pick(1, 3)  # a group may stay empty
            groups[axis.name] = dice.rng.integers(0, shape[-1], axis.size)
    values = dice.numbers(tuple(shape), forbid=dice.has_chosen and bool(chosen))
    if dice.hit(80):  # a single forbidden state is one that can be avoided
        values.flat[np.flatnonzero(np.isinf(values))[1:]] = 5.0
    return Cost([axis.name for axis in chosen], values, dice.kind(), groups=groups)


def _forbidding(dice: Dice, node: Decision, layout: Layout) -> Cost:
    """Return a Cost behind `node` that forbids some of the states it leads to."""
    names = [axis if isinstance(axis, str) else axis.name for axis in node.to]
    shape = tuple(axis.size for name in names for axis in layout if axis.name == name)
    return Cost(names, dice.numbers(shape, forbid=prod(shape) > 1), dice.kind())


def _decision(dice: Dice, layout: Layout) -> Decision:
    axes, to, context = _change(dice, layout)
    return _decision_on(dice, layout, axes, to, context)


def _chance(dice: Dice, layout: Layout) -> Chance:
    axes, to, context = _change(dice, layout)
    return _chance_on(dice, layout, axes, to, context)


def _change(dice: Dice, layout: Layout) -> tuple[list[str], list[Axis | str], list[str]]:
    """Pick which axes a node replaces, by what, and which it reads besides."""
    names = [axis.name for axis in layout]
    sort = dice.one_of(["square"] * 4 + ["create", "drop", "replace", "resize"])
    size = dice.pick(1, dice.recipe.max_size)
    axes: list[str] = dice.some(names, 0 if sort == "create" else 1, 1 if sort == "resize" else 2)
    context = dice.some([n for n in names if n not in axes], 0, 2) if dice.hit(40) else []
    to: list[Axis | str] = list(axes)
    if not axes or sort == "create":
        to = dice.some([*axes, dice.fresh(size)], len(axes) + 1, len(axes) + 1)
    elif sort == "drop":
        to = dice.some(axes, 0, len(axes) - 1)
    elif sort == "replace":
        to = [dice.fresh(size), *dice.some(axes[1:], 0, 1)]
    elif sort == "resize":
        to = [Axis(axes[0], size)]
    elif dice.hit(30):
        to = to[::-1]  # rows are read in one order, entries lead in another
    if _too_large(dice, layout, axes, to, context):
        return (names[:1], list(names[:1]), []) if names else ([], [dice.fresh(2)], [])
    return axes, to, context


def _too_large(
    dice: Dice, layout: Layout, axes: list[str], to: list[Axis | str], context: list[str]
) -> bool:
    rows, num_to = _table_shape(layout, axes, to, context)
    staying = prod(axis.size for axis in layout if axis.name not in axes)
    return rows * num_to > dice.recipe.max_entries or staying * num_to > dice.recipe.max_states


def _table_shape(
    layout: Layout, axes: Sequence[str], to: Sequence[Axis | str], context: Sequence[str]
) -> tuple[int, int]:
    sizes = {axis.name: axis.size for axis in layout}
    num_to = prod(sizes[a] if isinstance(a, str) else a.size for a in to)
    return prod(sizes[name] for name in (*context, *axes)), num_to


def _decision_on(
    dice: Dice, layout: Layout, axes: list[str], to: list[Axis | str], context: list[str]
) -> Decision:
    """Return a Decision with a dense table of one kind or a sparse one of several."""
    rows, num_to = _table_shape(layout, axes, to, context)
    dice.has_chosen = True
    if not dice.hit(50):
        costs = dice.numbers((rows, num_to), forbid=True)
        for row, safe in enumerate(dice.rng.integers(num_to, size=rows)):
            if dice.rng.random() < 0.95 and np.isinf(costs[row]).all():
                costs[row, safe] = dice.numbers(())
        return Decision(axes, costs, dice.kind(), to=to, context=context)
    counts = dice.rng.integers(1, 5, rows)
    counts[dice.rng.random(rows) < 0.1 * dice.recipe.forbid] = 0  # rows without an entry
    size = int(counts.sum())
    choices = [dice.rng.permutation(9)[:count] for count in counts]
    kinds = dice.some(KINDS, 0, 3)
    table = Table(
        indptr=np.concatenate([[0], np.cumsum(counts)]),
        to=dice.rng.integers(num_to, size=size),  # several entries may lead to one state
        choice=np.concatenate([*choices, np.zeros(0)]).astype(np.int32),
        cost={kind: dice.numbers(size, forbid=True) for kind in kinds},
    )
    return Decision(axes, table, to=to, context=context)


def _chance_on(
    dice: Dice, layout: Layout, axes: list[str], to: list[Axis | str], context: list[str]
) -> Chance:
    """Return a Chance that is dense, triangular, sparse with costs, or a plain move."""
    rows, num_to = _table_shape(layout, axes, to, context)
    sort = dice.one_of(["dense", "triangular", "sparse", "move"])
    if sort == "move":
        return _move_on(dice, layout, axes, to, context)
    if sort != "sparse":
        matrix = np.array([dice.distribution(num_to) for _ in range(rows)])
        if sort == "triangular":  # it never goes back, whatever the context
            per_context = _table_shape(layout, axes, to, [])[0]
            for row in range(rows):
                low = min(row % per_context, num_to - 1)
                matrix[row] = 0.0
                matrix[row, low:] = dice.distribution(num_to - low)
        return Chance(axes, matrix, to=to, context=context)
    counts = dice.rng.integers(1, 5, rows)
    size = int(counts.sum())
    kinds = dice.some(KINDS, 0, 2)
    table = Table(
        indptr=np.concatenate([[0], np.cumsum(counts)]),
        to=dice.rng.integers(num_to, size=size),
        probability=np.concatenate([dice.distribution(count) for count in counts]),
        cost={kind: dice.numbers(size) for kind in kinds},
    )
    return Chance(axes, table, to=to, context=context)


def _move_on(
    dice: Dice, layout: Layout, axes: list[str], to: list[Axis | str], context: list[str]
) -> Chance:
    rows, num_to = _table_shape(layout, axes, to, context)
    cost = {kind: dice.numbers(rows) for kind in dice.some(KINDS, 0, 1)}
    table = Table.moves(dice.rng.integers(num_to, size=rows), cost=cost)
    return Chance(axes, table, to=to, context=context)


def _branch(dice: Dice, layout: Layout) -> Branch:
    """Return alternatives that share one change of axes, or none, among nodes that change none."""
    shared = _change(dice, layout) if dice.hit(40) else None
    alternatives = []
    for position in range(dice.pick(1, 3)):
        nodes: list[Any] = []
        for _ in range(dice.pick(0, 2)):
            nodes.append(_inside(dice, layout, costs_only=position == 0))
        if shared is not None:
            nodes.append(dice.one_of([_decision_on, _move_on])(dice, layout, *shared))
            if dice.hit(40):
                nodes.append(_inside(dice, _behind(nodes, layout), costs_only=False))
        entry = {kind: float(dice.numbers(())) for kind in dice.some(KINDS, 0, 2)}
        alternatives.append(Alternative(nodes, cost=entry))
    return Branch(alternatives)


def _inside(dice: Dice, layout: Layout, *, costs_only: bool) -> Any:
    """Return a Cost, or a Decision or move that leaves the axes as they are."""
    if not layout or costs_only or dice.hit(30):
        return _cost(dice, layout)
    axes = dice.some([axis.name for axis in layout], 1, 1)
    return dice.one_of([_decision_on, _move_on])(dice, layout, axes, list(axes), [])


def _close(dice: Dice, nodes: list[Any], start: Layout) -> None:
    """Append nodes that lead back to the axes of the start, in their places."""

    def append(axes: list[str], to: list[Axis | str]) -> None:
        make = dice.one_of([_decision_on, _chance_on, _move_on])
        nodes.append(make(dice, _behind(nodes, start), axes, to, []))

    originals = {axis.name: axis for axis in start}
    for axis in _behind(nodes, start):
        if axis.name not in originals:
            append([axis.name], [])
        elif axis.size != originals[axis.name].size:
            append([axis.name], [originals[axis.name]])
    for place, axis in enumerate(start):
        live = [a.name for a in _behind(nodes, start)]
        if axis.name in live:
            continue
        if place == 0:
            append([], [axis])
        else:  # a created axis stands first, or where another one is dropped
            before = start[place - 1]
            joint = dice.fresh(before.size)
            append([before.name], [joint])
            append([joint.name], [before, axis])
