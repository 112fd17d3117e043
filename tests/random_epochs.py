"""Random epochs: of every node, and of the shape of multi-component maintenance.

`random_epoch(rng)` and `random_separable(rng)` are driven by a NumPy generator, `epochs()` and
`separable_epochs()` are Hypothesis strategies that shrink in structure (numbers come from a drawn
seed). A `Draft` is what an Epoch is made of, before it is known whether every state allows an
action.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, TypeVar

import numpy as np
import reference_backward as reference
from hypothesis import strategies as st
from numpy.typing import NDArray
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.table import Table

KINDS = ("downtime", "holding", "setup", "maintenance")
T = TypeVar("T")
Layout = tuple[Axis, ...]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What may occur in a random epoch."""

    num_axes: tuple[int, int] = (1, 4)
    max_size: int = 5  # of an axis
    num_nodes: tuple[int, int] = (1, 6)  # those that close the epoch come on top
    max_states: int = 120  # on every layout
    max_entries: int = 800  # of a table
    closed: bool = True  # ends on the axes it starts on; False: on whatever is left
    exact: bool = False  # whole costs, dyadic probabilities: no rounding, so ties are true ties
    forbid: float = 0.15  # share of +inf
    resetting: bool = False  # last, all axes may fall to 0: one recurrent class, no period
    branches: bool = True
    discounted: bool | None = None  # True: below 1; False: 1; None: either


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What an Epoch is made of; a state of it may allow nothing."""

    axes: Layout
    nodes: tuple[Any, ...]
    discount: float

    def epoch(self) -> Epoch:
        return Epoch(axes=self.axes, nodes=self.nodes, discount=self.discount)

    def is_feasible(self) -> bool:
        """Whether every state allows an action (if the epoch repeats, all of them or none do)."""
        end = reference.layouts_of(self)[-1]
        swept = reference.backup(self, np.zeros(prod(a.size for a in end)), {})
        return bool(np.isfinite(swept.value).all())


# --- what to call -----------------------------------------------------------------------------


def random_epoch(rng: np.random.Generator, recipe: Recipe | None = None) -> Epoch:
    """Return a valid random epoch with nodes of every sort."""
    return _feasible(_drafted, _numpy_pick(rng), _seed(rng), recipe or Recipe())


def random_separable(rng: np.random.Generator, recipe: Recipe | None = None) -> Epoch:
    """Return a random maintenance epoch: joint costs, repairs unit by unit, wear unit by unit."""
    return _feasible(_drafted_separable, _numpy_pick(rng), _seed(rng), recipe or Recipe())


def random_draft(rng: np.random.Generator, recipe: Recipe | None = None) -> Draft:
    """Return a random draft, of which some states may allow nothing."""
    recipe = recipe or Recipe()
    return _drafted(_Dice(_numpy_pick(rng), rng, recipe))


def random_weights(rng: np.random.Generator, *, exact: bool = False) -> dict[str, float]:
    """Return weights of the kinds: positive, negative, zero or absent, at least one not zero."""
    numbers = rng.integers(-1, 4, len(KINDS)) if exact else rng.uniform(-0.5, 2.0, len(KINDS))
    kept = {k: float(w) for k, w in zip(KINDS, numbers, strict=True) if rng.random() < 0.8}
    return kept if any(kept.values()) else dict.fromkeys(KINDS, 1.0)


def random_value(
    rng: np.random.Generator, axes: Sequence[Axis], *, exact: bool = False
) -> NDArray[np.float64]:
    """Return a random value tensor on `axes`."""
    shape = tuple(axis.size for axis in axes)
    return rng.integers(-20, 20, shape) * 1.0 if exact else rng.normal(0.0, 10.0, shape)


@st.composite
def epochs(draw: st.DrawFn, recipe: Recipe | None = None) -> Epoch:
    """Strategy of `random_epoch`."""
    return _feasible(_drafted, _hypothesis_pick(draw), draw(_SEEDS), recipe or Recipe())


@st.composite
def separable_epochs(draw: st.DrawFn, recipe: Recipe | None = None) -> Epoch:
    """Strategy of `random_separable`."""
    return _feasible(_drafted_separable, _hypothesis_pick(draw), draw(_SEEDS), recipe or Recipe())


@st.composite
def drafts(draw: st.DrawFn, recipe: Recipe | None = None) -> Draft:
    """Strategy of `random_draft`."""
    rng = np.random.default_rng(draw(_SEEDS))
    return _drafted(_Dice(_hypothesis_pick(draw), rng, recipe or Recipe()))


@st.composite
def cases(
    draw: st.DrawFn, recipe: Recipe | None = None, *, separable: bool = False
) -> tuple[Epoch, NDArray[np.float64], dict[str, float]]:
    """Strategy of an epoch, a value behind it and weights: all that a backup needs."""
    recipe = recipe or Recipe()
    epoch = draw(separable_epochs(recipe) if separable else epochs(recipe))
    rng = np.random.default_rng(draw(_SEEDS))
    value = random_value(rng, epoch.end_axes, exact=recipe.exact)
    return epoch, value, random_weights(rng, exact=recipe.exact)


# --- dice -------------------------------------------------------------------------------------

Pick = Callable[[int, int], int]  # a whole number from low to high; low is the simplest
_SEEDS = st.integers(0, 2**32 - 1)


class _Dice:
    """Picks the structure by `pick` and the numbers by `rng`."""

    def __init__(self, pick: Pick, rng: np.random.Generator, recipe: Recipe) -> None:
        self.pick, self.rng, self.recipe = pick, rng, recipe
        self.num_created = 0
        self.has_chosen = False  # a Cost of +inf ahead of every choice is a lost state for sure

    def one_of(self, options: Sequence[T]) -> T:
        return options[self.pick(0, len(options) - 1)]

    def hit(self, percent: int) -> bool:
        return self.pick(0, 99) >= 100 - percent

    def some(self, options: Sequence[T], low: int, high: int) -> list[T]:
        """Return low..high different options in any order."""
        left, count = list(options), self.pick(min(low, len(options)), min(high, len(options)))
        return [left.pop(self.pick(0, len(left) - 1)) for _ in range(count)]

    def fresh(self, size: int) -> Axis:
        self.num_created += 1
        return Axis(f"x{self.num_created}", size)

    def kind(self) -> str:
        return self.one_of(KINDS)

    def numbers(self, shape: int | tuple[int, ...], *, forbid: bool = False) -> NDArray[np.float64]:
        """Return costs, mostly positive, some +inf if `forbid`."""
        exact = self.recipe.exact
        found = self.rng.integers(-3, 10, shape) if exact else self.rng.uniform(-3.0, 10.0, shape)
        drawn = self.rng.random(shape)  # at every share, so that the other numbers stay
        return np.where(forbid & (drawn < self.recipe.forbid), np.inf, found)

    def distribution(self, size: int) -> NDArray[np.float64]:
        if self.recipe.exact:
            return self.rng.multinomial(8, np.full(size, 1.0 / size)) / 8.0
        return self.rng.dirichlet(np.ones(size))


def _feasible(make: Callable[[_Dice], Draft], pick: Pick, seed: int, recipe: Recipe) -> Epoch:
    """Make drafts of one structure with ever less forbidden until every state allows an action."""
    tape: list[int] = []

    def record(low: int, high: int) -> int:
        tape.append(pick(low, high))
        return tape[-1]

    draft = make(_Dice(record, np.random.default_rng(seed), recipe))
    for factor in (0.6, 0.4, 0.2, 0.1, 0.0):
        if draft.is_feasible():
            break
        rest = iter(tape)
        relaxed = replace(recipe, forbid=factor * recipe.forbid)
        draft = make(_Dice(lambda low, high: next(rest), np.random.default_rng(seed), relaxed))  # noqa: B023
    return draft.epoch()


def _numpy_pick(rng: np.random.Generator) -> Pick:
    return lambda low, high: int(rng.integers(low, high + 1))


def _hypothesis_pick(draw: st.DrawFn) -> Pick:
    return lambda low, high: draw(st.integers(low, high))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))


def _discount(dice: _Dice) -> float:
    wish = dice.recipe.discounted
    if wish is False or (wish is None and not dice.hit(50)):
        return 1.0
    return dice.one_of([0.5, 0.75, 0.875] if dice.recipe.exact else [0.5, 0.8, 0.9, 0.95])


# --- epochs of every sort ---------------------------------------------------------------------


def _drafted(dice: _Dice) -> Draft:
    recipe = dice.recipe
    axes = _start_axes(dice)
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
        nodes += [_reset(dice, axis) for axis in _behind(nodes, axes)]
    return Draft(axes=axes, nodes=tuple(nodes), discount=_discount(dice))


def _start_axes(dice: _Dice) -> Layout:
    axes: list[Axis] = []
    for number in range(dice.pick(*dice.recipe.num_axes)):
        room = dice.recipe.max_states // prod(axis.size for axis in axes)
        axes.append(Axis(f"a{number}", dice.pick(1, max(1, min(dice.recipe.max_size, room)))))
    return tuple(axes)


def _behind(nodes: Sequence[Any], axes: Layout) -> Layout:
    for node in nodes:
        axes = reference.layout_behind(node, axes)
    return axes


def _cost(dice: _Dice, layout: Layout) -> Cost:
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


def _forbidding(dice: _Dice, node: Decision, layout: Layout) -> Cost:
    """Return a Cost behind `node` that forbids some of the states it leads to."""
    names = [axis if isinstance(axis, str) else axis.name for axis in node.to]
    shape = tuple(axis.size for name in names for axis in layout if axis.name == name)
    return Cost(names, dice.numbers(shape, forbid=prod(shape) > 1), dice.kind())


def _decision(dice: _Dice, layout: Layout) -> Decision:
    axes, to, context = _change(dice, layout)
    return _decision_on(dice, layout, axes, to, context)


def _chance(dice: _Dice, layout: Layout) -> Chance:
    axes, to, context = _change(dice, layout)
    return _chance_on(dice, layout, axes, to, context)


def _change(dice: _Dice, layout: Layout) -> tuple[list[str], list[Axis | str], list[str]]:
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
    dice: _Dice, layout: Layout, axes: list[str], to: list[Axis | str], context: list[str]
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
    dice: _Dice, layout: Layout, axes: list[str], to: list[Axis | str], context: list[str]
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
    dice: _Dice, layout: Layout, axes: list[str], to: list[Axis | str], context: list[str]
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
    dice: _Dice, layout: Layout, axes: list[str], to: list[Axis | str], context: list[str]
) -> Chance:
    rows, num_to = _table_shape(layout, axes, to, context)
    cost = {kind: dice.numbers(rows) for kind in dice.some(KINDS, 0, 1)}
    table = Table.moves(dice.rng.integers(num_to, size=rows), cost=cost)
    return Chance(axes, table, to=to, context=context)


def _branch(dice: _Dice, layout: Layout) -> Branch:
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


def _inside(dice: _Dice, layout: Layout, *, costs_only: bool) -> Any:
    """Return a Cost, or a Decision or move that leaves the axes as they are."""
    if not layout or costs_only or dice.hit(30):
        return _cost(dice, layout)
    axes = dice.some([axis.name for axis in layout], 1, 1)
    return dice.one_of([_decision_on, _move_on])(dice, layout, axes, list(axes), [])


def _close(dice: _Dice, nodes: list[Any], start: Layout) -> None:
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


def _reset(dice: _Dice, axis: Axis) -> Chance:
    """Return wear from which the axis falls to 0 with a chance of at least 1/4."""
    matrix = np.array([dice.distribution(axis.size) for _ in range(axis.size)])
    return Chance(axis.name, 0.75 * matrix + 0.25 * np.eye(axis.size)[0])


# --- multi-component maintenance --------------------------------------------------------------


def _drafted_separable(dice: _Dice) -> Draft:
    """Costs on grouped axes; repairs as Decisions, with or without a set-up; a Chance per axis."""
    axes = _start_axes(dice)
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
        nodes += [_reset(dice, axis) for axis in axes]
    return Draft(axes=axes, nodes=tuple(nodes), discount=_discount(dice))


def _wear(dice: _Dice, axis: Axis) -> Chance:
    """Return a square Chance of one axis: upper triangular, or back and forth."""
    matrix = np.zeros((axis.size, axis.size))
    triangular = not dice.hit(30)
    for row in range(axis.size):
        low = row if triangular else 0
        matrix[row, low:] = dice.distribution(axis.size - low)
    return Chance(axis.name, matrix)


def _repairs(dice: _Dice, axis: Axis) -> NDArray[np.float64]:
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


def _joint_cost(dice: _Dice, axes: Layout, kind: str) -> Cost:
    """Return a cost of which units are down (their last state)."""
    groups = {axis.name: np.arange(axis.size) == axis.size - 1 for axis in axes if axis.size > 1}
    shape = tuple(2 if axis.name in groups else 1 for axis in axes)
    return Cost([axis.name for axis in axes], dice.numbers(shape), kind, groups=groups)
