"""Tuning of planners' rules by search on common random numbers, before anything is compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.rule_pool import RulePool
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import Part

Levels: TypeAlias = NDArray[np.int32]
REVIEWS = (1, 2, 4)  # periods between reviews that are tried for min-max
MOVES_TAKEN = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, kw_only=True)
class RuleKind:
    """A family of rules: a reorder level and a batch per location, and how they make rules."""

    key: str
    name: str
    make: Callable[[Levels, Levels, NDArray[np.int32]], StockRules]  # levels, batches, review
    batches: bool  # more than what is missing may be ordered
    reviews: tuple[int, ...] = (1,)


def _min_max(levels: Levels, batches: Levels, review: NDArray[np.int32]) -> StockRules:
    return StockRules.min_max(levels - 1, levels - 1 + batches, review=review)


def _fixed(levels: Levels, batches: Levels, review: NDArray[np.int32]) -> StockRules:
    return StockRules.fixed_quantity(levels - 1, batches, review=review)


def _one_for_one(levels: Levels, _: Levels, review: NDArray[np.int32]) -> StockRules:
    return StockRules.base_stock(levels, review=review)


MIN_MAX = RuleKind(
    key="min_max", name="min-max, periodic review", make=_min_max, batches=True, reviews=REVIEWS
)
FIXED_QUANTITY = RuleKind(
    key="fixed_quantity", name="fixed order quantity", make=_fixed, batches=True
)
BASE_STOCK = RuleKind(key="base_stock", name="base stock, tuned", make=_one_for_one, batches=False)


def try_grid(pool: RulePool, kind: RuleKind, starts: Sequence[Levels]) -> None:
    """Try rules around the base stocks `starts` [L], the same for all locations of a depth."""
    depth = depths(pool.part)
    shifts = product((-3, 0, 3, 6), (-1, 0, 1, 2)) if not kind.batches else product((0,), (0,))
    batches = product((1, 2, 4, 7, 11), (1, 2, 4), (1, 2)) if kind.batches else ((1, 1, 1),)
    combinations = list(product(starts, shifts, batches, kind.reviews))
    levels, sizes, reviews = [], [], []
    for start, (top, middle), batch, review in combinations:
        by_depth = np.array([top, *[middle] * 8])
        shift = np.where(is_site(pool.part), 0, by_depth[depth])
        levels.append(np.maximum(start + shift, 0))
        size = np.where(depth == 0, batch[0], batch[1])
        sizes.append(np.where(is_site(pool.part), batch[2], size))
        reviews.append(review)
    _try(pool, kind, np.array(levels), np.array(sizes), np.array(reviews))


def refine(pool: RulePool, kind: RuleKind, *, price: float, max_rounds: int) -> None:
    """Improve the best rules at `price`, one location at a time, until no step helps.

    Every level and batch is tried one higher and one lower; the steps that help are taken together,
    as many of the best of them as help most.
    """
    for _ in range(max_rounds):
        start = pool.best(price)
        rules = pool.tried[start]
        assert isinstance(rules, StockRules)
        levels, sizes, review = _parameters(kind, rules)
        moves = _moves(kind, levels.size)
        before = len(pool.tried)
        _try_moves(pool, kind, levels, sizes, review, [[move] for move in moves])
        gains = _gains(pool, kind, levels, sizes, review, moves, price, start)
        helpful = [move for gain, move in sorted(gains, key=lambda x: -x[0]) if gain > 0.0]
        if not helpful:
            return
        taken = [helpful[:n] for n in MOVES_TAKEN if n <= max(len(helpful), 1)]
        _try_moves(pool, kind, levels, sizes, review, [*taken, helpful])
        if pool.best(price) < before:
            return


def depths(part: Part) -> NDArray[np.int64]:
    """Return the depth [L] of each location below the outside supplier."""
    depth = np.zeros(len(part.locations), dtype=np.int64)
    for i in part.top_down:
        if part.suppliers[i] >= 0:
            depth[i] = depth[part.suppliers[i]] + 1
    return depth


def is_site(part: Part) -> NDArray[np.bool_]:
    """Return [L] whether units fail at each location."""
    return np.array([location.is_site for location in part.locations])


Move: TypeAlias = tuple[int, int, int]  # location, change of the level, change of the batch


def _moves(kind: RuleKind, num_locations: int) -> list[Move]:
    changes = [(1, 0), (-1, 0), *([(0, 1), (0, -1), (-1, 1), (1, -1)] if kind.batches else [])]
    return [(i, *change) for i in range(num_locations) for change in changes]


def _moved(levels: Levels, sizes: Levels, moves: Sequence[Move]) -> tuple[Levels, Levels]:
    new_levels, new_sizes = levels.copy(), sizes.copy()
    for location, level, size in moves:
        new_levels[location] = max(new_levels[location] + level, 0)
        new_sizes[location] = max(new_sizes[location] + size, 1)
    return new_levels, new_sizes


def _try_moves(
    pool: RulePool,
    kind: RuleKind,
    levels: Levels,
    sizes: Levels,
    review: int,
    sets: Sequence[Sequence[Move]],
) -> None:
    moved = [_moved(levels, sizes, moves) for moves in sets]
    reviews = np.full(len(moved), review)
    _try(pool, kind, np.array([m[0] for m in moved]), np.array([m[1] for m in moved]), reviews)


def _gains(
    pool: RulePool,
    kind: RuleKind,
    levels: Levels,
    sizes: Levels,
    review: int,
    moves: Sequence[Move],
    price: float,
    start: int,
) -> list[tuple[float, Move]]:
    gains = []
    for move in moves:
        new_levels, new_sizes = _moved(levels, sizes, [move])
        rules = _rules(pool, kind, new_levels[None], new_sizes[None], np.array([review]))
        found = pool.position(rules)
        gains.append((pool.cost(start, price) - pool.cost(found, price), move))
    return gains


def _parameters(kind: RuleKind, rules: StockRules) -> tuple[Levels, Levels, int]:
    levels = rules.reorder_at[0] + 1
    sizes = np.ones_like(levels)
    if kind.key == "min_max":
        sizes = rules.order_up_to[0] - rules.reorder_at[0]
    elif kind.key == "fixed_quantity":
        sizes = rules.quantity[0]
    return levels, sizes, int(rules.review[0])


def _try(
    pool: RulePool, kind: RuleKind, levels: Levels, sizes: Levels, reviews: NDArray[np.int64]
) -> None:
    pool.try_rules(_rules(pool, kind, levels, sizes, reviews))


def _rules(
    pool: RulePool, kind: RuleKind, levels: Levels, sizes: Levels, reviews: NDArray[np.int64]
) -> StockRules:
    """Return rules [sets] with levels within the capacities."""
    capacity = np.array([location.capacity for location in pool.part.locations])
    levels = np.minimum(levels, capacity).astype(np.int32)
    sizes = np.maximum(sizes, 1).astype(np.int32)
    return kind.make(levels, sizes, reviews.astype(np.int32))
