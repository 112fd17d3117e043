"""Ordering rules of planners: min-max, fixed order quantity and base stock, many sets at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import Frozen, frozen_array
from sparing.models.network_nodes import NetworkNodes
from sparing.policies import TablePolicy

NO_LIMIT = 1 << 20  # above every stock


@dataclass(frozen=True, kw_only=True, eq=False)
class StockRules(Frozen):
    """Sets of rules, one row a set: where to reorder, and how much, at every location.

    A location orders if nothing is outstanding, its stock is at most `reorder_at`, and the period
    is a multiple of `review`: at most `quantity`, and up to `order_up_to`. What does not fit into
    the capacity, exceeds `max_order`, or is not on the supplier's shelf is left out; locations
    draw on one supplier in file order.

    Parameters
    ----------
    reorder_at, order_up_to, quantity
        Shape (locations,) or (sets, locations), in file order.
    review
        A number or shape (sets,): periods between reviews.
    """

    reorder_at: NDArray[np.int32]
    order_up_to: NDArray[np.int32]
    quantity: NDArray[np.int32]
    review: NDArray[np.int32]

    def __post_init__(self) -> None:
        names = ("reorder_at", "order_up_to", "quantity")
        arrays = [np.atleast_2d(np.asarray(getattr(self, name))) for name in names]
        if any(array.ndim != 2 for array in arrays):
            raise ValueError("rules must have shape (locations,) or (sets, locations).")
        try:
            shape = np.broadcast_shapes(*(array.shape for array in arrays))
        except ValueError:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise ValueError(
                f"rules must have one shape (sets, locations); got {shapes}."
            ) from None
        for name, array in zip(names, arrays, strict=True):
            frozen = frozen_array(name, np.broadcast_to(array, shape), np.int32)
            object.__setattr__(self, name, frozen)
        for name in ("order_up_to", "quantity"):
            for place in np.argwhere(np.abs(getattr(self, name)) > NO_LIMIT)[:1]:
                raise ValueError(f"{name} must be within {NO_LIMIT}; got one at {place.tolist()}.")
        review = np.asarray(self.review)
        if review.ndim > 1 or (review.ndim == 1 and review.shape != shape[:1]):
            raise ValueError(f"review must be a number or one per set, {shape[0]}.")
        review = frozen_array("review", np.broadcast_to(review, shape[:1]), np.int32)
        for position in np.flatnonzero(review < 1)[:1]:
            raise ValueError(f"review must be at least 1; got {review[position]}.")
        object.__setattr__(self, "review", review)

    @classmethod
    def min_max(
        cls, reorder_at: ArrayLike, order_up_to: ArrayLike, *, review: ArrayLike = 1
    ) -> StockRules:
        """Order up to S where stock is at most s, every `review` periods: the (s, S) policy."""
        return cls(
            reorder_at=np.asarray(reorder_at),
            order_up_to=np.asarray(order_up_to),
            quantity=np.asarray(NO_LIMIT),
            review=np.asarray(review),
        )

    @classmethod
    def fixed_quantity(
        cls, reorder_at: ArrayLike, quantity: ArrayLike, *, review: ArrayLike = 1
    ) -> StockRules:
        """Order a fixed quantity where stock is at most r: the (r, Q) policy."""
        return cls(
            reorder_at=np.asarray(reorder_at),
            order_up_to=np.asarray(NO_LIMIT),
            quantity=np.asarray(quantity),
            review=np.asarray(review),
        )

    @classmethod
    def base_stock(cls, order_up_to: ArrayLike, *, review: ArrayLike = 1) -> StockRules:
        """Order up to S whenever nothing is outstanding and something is missing."""
        level = np.asarray(order_up_to)
        return cls.min_max(level - 1, level, review=review)

    def __len__(self) -> int:
        return len(self.review)

    def __getitem__(self, position: int) -> StockRules:
        """Return one set."""
        return StockRules(
            reorder_at=self.reorder_at[position],
            order_up_to=self.order_up_to[position],
            quantity=self.quantity[position],
            review=self.review[position],
        )

    @property
    def num_locations(self) -> int:
        """Locations that the rules are for."""
        return int(self.reorder_at.shape[1])


def rule_tables(nodes: NetworkNodes, rules: StockRules) -> tuple[TablePolicy, ...]:
    """Return one set of rules as a table per period, to be evaluated exactly.

    Raises
    ------
    ValueError
        If there are several sets, or they are for another number of locations.
    """
    check_rules(rules, len(nodes.stocks))
    if len(rules) != 1:
        raise ValueError(f"one set of rules is needed; got {len(rules)}.")
    sizes = [stock.found.size for stock in nodes.stocks]
    tuples = [grid.ravel() for grid in np.indices(sizes, dtype=np.int64)]
    posts = {review: _posts(nodes, rules, tuples, review) for review in (False, True)}
    tables = []
    for period, epoch in enumerate(nodes.epochs(), start=nodes.first):
        behind = posts[period % int(rules.review[0]) == 0]
        beliefs = nodes.belief_states(period)
        table = behind[:, None] * beliefs + np.arange(beliefs)
        tables.append(TablePolicy(epoch, (table.ravel(),)))
    return tuple(tables)


def _posts(
    nodes: NetworkNodes, rules: StockRules, tuples: list[NDArray[np.int64]], review: bool
) -> NDArray[np.int64]:
    """Return the flat decided tuples [stock states] behind the rules, belief left aside."""
    stocks, part = nodes.stocks, nodes.part
    stock = [s.found.stock[t] for s, t in zip(stocks, tuples, strict=True)]
    ordered = [s.found.ordered[t] for s, t in zip(stocks, tuples, strict=True)]
    age = [s.found.age[t] for s, t in zip(stocks, tuples, strict=True)]
    for i in part.top_down:
        location, supplier = part.locations[i], part.suppliers[i]
        wanted = np.minimum(rules.order_up_to[0, i] - stock[i], rules.quantity[0, i])
        room = location.capacity - np.maximum(stock[i], 0)
        wanted = np.minimum(wanted, np.minimum(room, location.largest_order))
        if supplier >= 0:
            wanted = np.minimum(wanted, stock[supplier])
        orders = review & (ordered[i] == 0) & (stock[i] <= rules.reorder_at[0, i])
        wanted = np.where(orders, np.maximum(wanted, 0), 0)
        if supplier >= 0:
            stock[supplier] = stock[supplier] - wanted
        if stocks[i].merges:
            stock[i] = stock[i] + wanted
        else:
            ordered[i] = ordered[i] + wanted
    columns = [
        s.decided.index(*x)
        for s, x in zip(stocks, zip(stock, ordered, age, strict=True), strict=True)
    ]
    sizes = tuple(s.decided.size for s in stocks)
    return np.ravel_multi_index(tuple(columns), sizes).astype(np.int64)


def check_rules(rules: StockRules, num_locations: int) -> None:
    """Raise unless `rules` are for so many locations."""
    if rules.num_locations != num_locations:
        raise ValueError(
            f"rules must have one number per location, {num_locations}; got {rules.num_locations}."
        )
