"""The best (s, S) policy of one stock with Poisson demand and a fixed cost of ordering."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing._checks import check_number


@dataclass(frozen=True, kw_only=True)
class ReorderPolicy:
    """Order up to `order_up_to` where the inventory position is at most `reorder_point`."""

    reorder_point: int  # s
    order_up_to: int  # S
    average_cost: float  # per period; exact to rounding


def best_reorder_policy(
    *,
    mean_demand: float,
    holding_cost: float,
    stockout_cost: float,
    fixed_cost: float,
    lead_time: int = 0,
) -> ReorderPolicy:
    """Return the (s, S) policy of least average cost, by Zheng & Federgruen (1991).

    Each period: order, which arrives `lead_time` periods later (0: at once), Poisson demand,
    then holding cost per unit on hand and stock-out cost per unit backordered. No other policy
    costs less (Iglehart 1963).

    Parameters
    ----------
    mean_demand
        Per period, > 0.
    holding_cost, stockout_cost
        Per unit and period, > 0.
    fixed_cost
        Per order, at least 0.

    Examples
    --------
    >>> best = best_reorder_policy(
    ...     mean_demand=10, holding_cost=1, stockout_cost=9, fixed_cost=64
    ... )
    >>> best.reorder_point, best.order_up_to, round(best.average_cost, 4)
    (6, 40, 35.0216)
    """
    given = {"mean_demand": mean_demand, "holding_cost": holding_cost}
    given["stockout_cost"] = stockout_cost
    for name, value in given.items():
        if not check_number(name, value) > 0.0:
            raise ValueError(f"{name} must be > 0; got {value:g}.")
    check_number("fixed_cost", fixed_cost, at_least=0.0)
    if check_number("lead_time", lead_time, at_least=0) != int(lead_time):
        raise ValueError(f"lead_time must be a whole number of periods; got {lead_time}.")
    return _Search(mean_demand, holding_cost, stockout_cost, fixed_cost, int(lead_time)).best()


class _Search:
    def __init__(self, mean: float, holding: float, stockout: float, fixed: float, lead: int):
        from scipy.stats import poisson

        def law(load: float) -> NDArray[np.float64]:
            most = 20 + int(1.3 * poisson.isf(1e-14, load))
            return np.asarray(poisson.pmf(np.arange(most), load))

        self._one = law(mean)
        self._holding, self._stockout, self._fixed = holding, stockout, fixed
        self._load = mean * (lead + 1)
        self._law = law(self._load)
        self._costs: dict[int, float] = {}
        self._renewal = np.array([1.0 / (1.0 - self._one[0])])

    def best(self) -> ReorderPolicy:
        """Raise S from the least of G, and s along with it, while that lowers the cost."""
        upto = 0
        while self.one_period(upto + 1) < self.one_period(upto):
            upto += 1
        reorder = upto - 1
        while self.cost(reorder, upto) > self.one_period(reorder):
            reorder -= 1
        found, least = upto, self.cost(reorder, upto)
        upto += 1
        while self.one_period(upto) <= least:
            if self.cost(reorder, upto) < least:
                found, least = upto, self.cost(reorder, upto)
                while least <= self.one_period(reorder + 1):
                    reorder += 1
                    least = self.cost(reorder, found)
            upto += 1
        return ReorderPolicy(reorder_point=reorder, order_up_to=found, average_cost=least)

    def one_period(self, position: int) -> float:
        """G(y): expected holding and stock-out cost `lead_time` periods after position y."""
        if position not in self._costs:
            left = position - np.arange(self._law.size)
            on_hand = float(self._law @ np.maximum(left, 0))
            waiting = on_hand - position + self._load
            self._costs[position] = self._holding * on_hand + self._stockout * waiting
        return self._costs[position]

    def cost(self, reorder: int, upto: int) -> float:
        """c(s, S) = (K + sum_{j < S - s} m(j) G(S - j)) / sum_{j < S - s} m(j)."""
        weights = self.renewals(upto - reorder)
        costs = np.array([self.one_period(upto - j) for j in range(upto - reorder)])
        return (self._fixed + float(weights @ costs)) / float(weights.sum())

    def renewals(self, count: int) -> NDArray[np.float64]:
        """m(j): expected number of periods in which the position is S - j between two orders."""
        for j in range(self._renewal.size, count):
            law = self._one[1 : j + 1]
            total = float(law @ self._renewal[j - law.size : j][::-1])
            self._renewal = np.append(self._renewal, total / (1.0 - self._one[0]))
        return self._renewal[:count]
