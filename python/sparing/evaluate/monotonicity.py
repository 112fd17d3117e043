"""Which monotonicities a policy of a load-sharing system has, and where it breaks them.

None may be assumed: set-up and order costs make it pay to wait and to do things together, so the
number replaced can fall as components get worse or as spares come in. Only the mask of what is
allowed may remove actions; structure may order a search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.load_sharing_actions import Actions


@dataclass(frozen=True, kw_only=True)
class Monotonicity:
    """One property: whether it holds between every two neighbouring states.

    Attributes
    ----------
    num_pairs, num_broken
        Pairs of neighbouring states compared, and those that break the property.
    example
        The first such pair: what is done in the two states, as `Actions.describe` tells it.
    """

    name: str
    num_pairs: int
    num_broken: int
    example: tuple[dict[str, Any], dict[str, Any]] | None

    @property
    def holds(self) -> bool:
        """Whether no pair breaks it."""
        return self.num_broken == 0


def monotonicities(
    done: Actions, *, visited: NDArray[np.bool_] | None = None
) -> list[Monotonicity]:
    """Check the usual structural properties of what a policy does.

    Parameters
    ----------
    done
        The actions in every state.
    visited
        Shape (counts, stocks): compare only states of which both are marked; default all.
    """
    seen = np.ones(done.replaced.shape, dtype=bool) if visited is None else visited
    position = done.system.stocks.sum(axis=1)[None, :] + done.ordered
    position = position - done.replaced + done.emergency
    worse, more = list(_worse(done)), list(_more_spares(done))
    table = [
        ("replaces no fewer when a component is worse", done.replaced, worse, 1),
        ("replaces no fewer with one more spare on hand", done.replaced, more, 1),
        ("orders no fewer when a component is worse", done.ordered, worse, 1),
        ("orders no more with one more spare on hand", done.ordered, more, -1),
        ("leaves no less stock, ordered included, with one more spare", position, more, 1),
    ]
    return [_check(name, done, values * sign, pairs, seen) for name, values, pairs, sign in table]


def _check(
    name: str,
    done: Actions,
    values: NDArray[np.int64],
    pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    seen: NDArray[np.bool_],
) -> Monotonicity:
    """Count the pairs (first, second) of flat states at which `values` falls."""
    flat, seen = values.ravel(), seen.ravel()
    num_pairs = num_broken = 0
    example: tuple[dict[str, Any], dict[str, Any]] | None = None
    for first, second in pairs:
        both = seen[first] & seen[second]
        first, second = first[both], second[both]
        broken = np.flatnonzero(flat[first] > flat[second])
        num_pairs += first.size
        num_broken += broken.size
        if broken.size and example is None:
            states = first[broken[0]], second[broken[0]]
            num_stocks = len(done.system.stocks)
            one, other = (done.describe(divmod(int(state), num_stocks)) for state in states)
            example = one, other
    return Monotonicity(name=name, num_pairs=num_pairs, num_broken=num_broken, example=example)


def _worse(done: Actions) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs of states that differ in one component, which is one condition worse."""
    counts = done.system.counts
    stocks = np.arange(len(done.system.stocks))
    for condition in range(counts.num_conditions - 1):
        before = np.flatnonzero(counts.vectors[:, condition] > 0)
        after = counts.vectors[before].copy()
        after[:, condition] -= 1
        after[:, condition + 1] += 1
        ends = before, counts.index(after)
        first, second = (np.add.outer(end * stocks.size, stocks).ravel() for end in ends)
        yield first, second


def _more_spares(done: Actions) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs of states that differ in one spare on hand."""
    system = done.system
    hand, order = system.stocks.T
    stock = np.flatnonzero(hand + order < system.problem.capacity)
    more = system.stock_index(hand[stock] + 1, order[stock], system.leads[stock])
    base = np.arange(system.counts.size) * hand.size
    yield np.add.outer(base, stock).ravel(), np.add.outer(base, more).ravel()
