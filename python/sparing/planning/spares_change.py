"""What new records changed in the stocks of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from sparing.planning.scoring import PeriodScore
    from sparing.planning.spares_plan import SparesPlan

Belief: TypeAlias = tuple[float, float, float]  # mean and 95 % interval of a rate
Levels: TypeAlias = tuple[int | None, int | None]
Key: TypeAlias = tuple[str, str]  # part, location


@dataclass(frozen=True, kw_only=True)
class SparesChange:
    """What new records changed: before and now.

    Parameters
    ----------
    file
        That took them; several are named one behind the other.
    resolved, reason
        Whether the stocks were planned anew, and why or why not.
    score
        How the reviews that ended since the last plan did as a whole; None: none did.
    cost
        Expected cost per review of the recommended policy.
    rates
        By part.
    orders, levels
        By part and location, those that differ.
    """

    file: str
    num_records: int
    resolved: bool
    reason: str
    score: PeriodScore | None
    cost: tuple[float, float]
    rates: Mapping[str, tuple[Belief, Belief]]
    orders: Mapping[Key, tuple[int, int]]
    levels: Mapping[Key, tuple[Levels, Levels]]

    def record(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {
            "file": self.file,
            "num_records": self.num_records,
            "resolved": self.resolved,
            "reason": self.reason,
            "score": None if self.score is None else asdict(self.score),
            "cost": {"before": self.cost[0], "now": self.cost[1]},
            "rates": {
                name: {"before": list(before), "now": list(now)}
                for name, (before, now) in self.rates.items()
            },
            "orders": [
                {"part": part, "location": location, "before": before, "now": now}
                for (part, location), (before, now) in self.orders.items()
            ],
            "levels": [
                {"part": part, "location": location, "before": list(before), "now": list(now)}
                for (part, location), (before, now) in self.levels.items()
            ],
        }


def spares_change(
    old: Mapping[str, Any], now: SparesPlan, *, file: str, num_records: int
) -> SparesChange:
    """Compare a plan with the metrics of the one before, as `metrics.json` holds them."""
    assert now.decision is not None
    rates = {}
    for name, rate in now.estimates.rates.items():
        if name in old["rates"]:
            was = old["rates"][name]
            before = (float(was["mean"]), float(was["lower"]), float(was["upper"]))
            rates[name] = (before, (rate.belief.mean, *rate.belief.interval()))
    was_at = {(x["part"], x["location"]): x for x in old["levels"]}
    orders, levels = dict[Key, tuple[int, int]](), dict[Key, tuple[Levels, Levels]]()
    for level in now.levels:
        key = level.part, level.location
        entry = was_at.get(key)
        before_order = int(entry["order_now"]) if entry else 0
        if before_order != level.order_now:
            orders[key] = (before_order, level.order_now)
        pair = level.reorder_at, level.order_up_to
        old_pair = (entry["reorder_at"], entry["order_up_to"]) if entry else (None, None)
        if old_pair != pair:
            levels[key] = (old_pair, pair)
    first = now.rows[0].result.mean["total_cost"] / now.network.periods
    return SparesChange(
        file=file,
        num_records=num_records,
        resolved=now.decision.resolved,
        reason=now.decision.reason,
        score=now.decision.score,
        cost=(float(old["policies"][0]["cost"]), first),
        rates=rates,
        orders=orders,
        levels=levels,
    )
