"""What may occur in a random epoch, and the dice that structure and numbers are drawn by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, TypeVar

import numpy as np
import reference_backward as reference
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference_layouts import layouts_of
from sparing.epoch import Axis, Chance, Epoch

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
        end = layouts_of(self)[-1]
        swept = reference.backup(self, np.zeros(prod(a.size for a in end)), {})
        return bool(np.isfinite(swept.value).all())


Pick = Callable[[int, int], int]  # a whole number from low to high; low is the simplest
SEEDS = st.integers(0, 2**32 - 1)


class Dice:
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


def feasible(make: Callable[[Dice], Draft], pick: Pick, seed: int, recipe: Recipe) -> Epoch:
    """Make drafts of one structure with ever less forbidden until every state allows an action."""
    tape: list[int] = []

    def record(low: int, high: int) -> int:
        tape.append(pick(low, high))
        return tape[-1]

    draft = make(Dice(record, np.random.default_rng(seed), recipe))
    for factor in (0.6, 0.4, 0.2, 0.1, 0.0):
        if draft.is_feasible():
            break
        rest = iter(tape)
        relaxed = replace(recipe, forbid=factor * recipe.forbid)
        draft = make(Dice(lambda low, high: next(rest), np.random.default_rng(seed), relaxed))  # noqa: B023
    return draft.epoch()


def numpy_pick(rng: np.random.Generator) -> Pick:
    return lambda low, high: int(rng.integers(low, high + 1))


def hypothesis_pick(draw: st.DrawFn) -> Pick:
    return lambda low, high: draw(st.integers(low, high))


def seed_of(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))


def drawn_discount(dice: Dice) -> float:
    wish = dice.recipe.discounted
    if wish is False or (wish is None and not dice.hit(50)):
        return 1.0
    return dice.one_of([0.5, 0.75, 0.875] if dice.recipe.exact else [0.5, 0.8, 0.9, 0.95])


def start_axes(dice: Dice) -> Layout:
    axes: list[Axis] = []
    for number in range(dice.pick(*dice.recipe.num_axes)):
        room = dice.recipe.max_states // prod(axis.size for axis in axes)
        axes.append(Axis(f"a{number}", dice.pick(1, max(1, min(dice.recipe.max_size, room)))))
    return tuple(axes)


def reset(dice: Dice, axis: Axis) -> Chance:
    """Return wear from which the axis falls to 0 with a chance of at least 1/4."""
    matrix = np.array([dice.distribution(axis.size) for _ in range(axis.size)])
    return Chance(axis.name, 0.75 * matrix + 0.25 * np.eye(axis.size)[0])
