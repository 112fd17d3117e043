"""Rules of one part tried on the same luck, and the best of them at any price of downtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.models.location_orders import LocationOrders
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import Part, SparesNetwork
from sparing.simulate.network_results import KINDS
from sparing.simulate.spares_network import simulate_rules

Tried: TypeAlias = StockRules | LocationOrders
_OTHER_COSTS = [KINDS.index(kind) for kind in ("order", "holding", "emergency")]
_DOWNTIME, _SHORT = KINDS.index("downtime"), KINDS.index("sites short")

LOWEST_PRICE, HIGHEST_PRICE = 1e-4, 1e4  # of downtime, in times its cost
PRICE_STEP = 1e-4  # to which it is found
CHECK_SEED = 1 << 40  # added to the tuning seed


@dataclass
class RulePool:
    """All rules of one kind that were tried for one part, with mean totals of the tuning runs."""

    problem: SparesNetwork
    part: Part
    num_replications: int
    check_replications: int
    seed: int
    num_threads: int = 1
    tried: list[Tried] = field(default_factory=list)
    means: list[NDArray[np.float64]] = field(default_factory=list)  # [kinds] of each
    _position: dict[bytes, int] = field(default_factory=dict)
    _checked: dict[int, float] = field(default_factory=dict)

    def try_rules(self, rules: StockRules) -> None:
        """Simulate every set of rules that was not tried before."""
        keys = [_key(rules, k) for k in range(len(rules))]
        new = {key: k for k, key in enumerate(keys) if key not in self._position}
        if not new:
            return
        self._position |= {key: len(self.tried) + n for n, key in enumerate(new)}
        fresh = list(new.values())
        chosen = StockRules(
            reorder_at=rules.reorder_at[fresh],
            order_up_to=rules.order_up_to[fresh],
            quantity=rules.quantity[fresh],
            review=rules.review[fresh],
        )
        self.means += list(self._simulated(chosen, self.num_replications, self.seed))
        self.tried += [chosen[k] for k in range(len(chosen))]

    def try_orders(self, orders: LocationOrders) -> None:
        """Simulate the orders of a plan."""
        self.means += list(self._simulated(orders, self.num_replications, self.seed))
        self.tried.append(orders)

    def _simulated(self, policy: Tried, num_replications: int, seed: int) -> NDArray[np.float64]:
        """Return mean totals [policies, kinds]."""
        totals = simulate_rules(
            self.problem,
            policy,
            part=self.part,
            num_replications=num_replications,
            seed=seed,
            num_threads=self.num_threads,
        )
        return np.asarray(totals.mean(axis=1))

    def position(self, rules: StockRules) -> int:
        """Return where one set of rules stands among those tried."""
        return self._position[_key(rules, 0)]

    def cost(self, position: int, price: float) -> float:
        """Return the mean cost of what was tried, with downtime at `price` times its cost."""
        means = self.means[position]
        return float(means[_OTHER_COSTS].sum() + price * means[_DOWNTIME])

    def best(self, price: float) -> int:
        """Return which of them costs least with downtime at `price` times its cost."""
        means = np.array(self.means)
        cost = means[:, _OTHER_COSTS].sum(axis=1) + price * means[:, _DOWNTIME]
        return int(np.argmin(cost))

    def sites_short(self, position: int, *, checked: bool = False) -> float:
        """Return the mean number of site periods short, in tuning or on the second seed."""
        if not checked:
            return float(self.means[position][_SHORT])
        if position not in self._checked:
            means = self._simulated(
                self.tried[position], self.check_replications, self.seed + CHECK_SEED
            )
            self._checked[position] = float(means[0, _SHORT])
        return self._checked[position]


def price_for_sla(
    pools: Sequence[RulePool], sla: float, *, checked: bool = False
) -> tuple[float, bool]:
    """Return the lowest common price of downtime at which the best of all pools reach `sla`.

    The second value is False where they do not at any price; the price is then the highest.

    Parameters
    ----------
    checked
        Take the SLA from the runs on the second seed: rules that were picked as the best on the
        first are a little worse anywhere else.
    """
    problem = pools[0].problem
    site_periods = problem.periods * sum(len(pool.part.sites) for pool in pools)

    def reached(price: float) -> bool:
        short = sum(pool.sites_short(pool.best(price), checked=checked) for pool in pools)
        return 1.0 - short / site_periods >= sla

    low, high = LOWEST_PRICE, HIGHEST_PRICE
    if not reached(high):
        return high, False
    if reached(low):
        return low, True
    while high / low > 1.0 + PRICE_STEP:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high, True


def _key(rules: StockRules, k: int) -> bytes:
    names = ("reorder_at", "order_up_to", "quantity", "review")
    return b"".join(np.ascontiguousarray(getattr(rules, name)[k]).tobytes() for name in names)
