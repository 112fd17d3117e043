"""The usual rules for a load-sharing system: replace from a condition on, order up to a level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sparing.policies import TablePolicy

if TYPE_CHECKING:
    from sparing.models.load_sharing_system import LoadSharingSystem

Position = Literal["plain", "demand-aware"]


@dataclass(frozen=True, kw_only=True)
class ThresholdRule:
    """The rule (m, s, S), or the opportunistic (m_p, m_o, s, S).

    Once some component is in condition `replace_at` or worse, those in condition `join_at` or
    worse are wanted replaced (plain: the two are one). Replaced is what is wanted, worst first,
    as far as spares are on hand; while the system is down, at least what it takes to work again,
    by emergency units if need be (where there are none, it waits for an order). Then, with
    nothing on order and the inventory position at `reorder_at` or below, spares are ordered up to
    `order_up_to`.

    Parameters
    ----------
    replace_at, join_at
        Conditions from 1 to failed; ``join_at <= replace_at``.
    reorder_at, order_up_to
        The levels s and S of the position.
    position
        "plain": on hand plus on order. "demand-aware": less what was wanted but not replaced.
    """

    replace_at: int
    join_at: int
    reorder_at: int
    order_up_to: int
    position: Position = "plain"

    def __post_init__(self) -> None:
        if not 1 <= self.join_at <= self.replace_at:
            raise ValueError(
                "join_at must be at least 1 and at most replace_at; got"
                f" {self.join_at} and {self.replace_at}."
            )
        if not self.reorder_at < self.order_up_to and self.order_up_to != 0:
            raise ValueError(
                f"order_up_to must be above reorder_at = {self.reorder_at}; got {self.order_up_to}."
            )
        if self.position not in ("plain", "demand-aware"):
            raise ValueError(f"position must be 'plain' or 'demand-aware'; got {self.position!r}.")

    @property
    def is_opportunistic(self) -> bool:
        """Whether some replacements only join others."""
        return self.join_at < self.replace_at

    def __str__(self) -> str:
        """Return the rule in short."""
        conditions = [self.replace_at, self.join_at] if self.is_opportunistic else [self.replace_at]
        return f"({', '.join(map(str, [*conditions, self.reorder_at, self.order_up_to]))})"

    def posts(self, system: LoadSharingSystem) -> NDArray[np.int64]:
        """Return the post-decision state [states] of every state, flat."""
        counts = system.counts.vectors
        if self.replace_at >= counts.shape[1]:
            raise ValueError(
                f"replace_at must be at most {counts.shape[1] - 1}; got {self.replace_at}."
            )
        hand, order = (system.stocks[:, column][None, :] for column in (0, 1))  # [1, stock]
        urgent = counts[:, self.replace_at :].sum(axis=1) > 0
        wanted = np.where(urgent, counts[:, self.join_at :].sum(axis=1), 0)[:, None]
        needed = np.maximum(system.problem.required - system.working, 0)[:, None]
        if not system.problem.cost.has_emergency_supply:
            needed = np.minimum(needed, hand)
        replaced = np.maximum(np.minimum(wanted, hand), needed)  # [counts, stock]
        left = np.maximum(hand - replaced, 0)
        position = left + order
        if self.position == "demand-aware":
            position = position - np.maximum(wanted - replaced, 0)
        quantity = np.where(
            (order == 0) & (position <= self.reorder_at),
            np.clip(self.order_up_to - position, 0, system.problem.capacity - left),
            0,
        )
        after = _worst_replaced(counts, replaced)
        post_counts = system.counts.index(after.reshape(-1, counts.shape[1]))
        leads = np.where(quantity > 0, system.problem.lead_steps, system.leads[None, :])
        stock = system.stock_index(left, order + quantity, leads).ravel()
        posts = post_counts * len(system.stocks) + stock
        return np.asarray(np.arange(system.num_clocks)[:, None] * posts.size + posts).ravel()

    def policy(self, system: LoadSharingSystem) -> TablePolicy:
        """Return the rule as a table."""
        return TablePolicy(system.epoch, (self.posts(system),))


def _worst_replaced(counts: NDArray[np.int64], replaced: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return counts [counts, stock, conditions] with so many [counts, stock] worst renewed."""
    from_worst = np.cumsum(counts[:, :0:-1], axis=1)[:, None, ::-1]  # of a condition and worse
    taken = np.minimum(from_worst, replaced[:, :, None])
    after = np.repeat(counts[:, None, :], replaced.shape[1], axis=1)
    after[:, :, 1:] -= taken
    after[:, :, 1:-1] += taken[:, :, 1:]
    after[:, :, 0] += replaced
    return after
