"""The cost-availability curve of a network: which base stocks a budget should buy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.inventory.base_stock import (
    BaseStockMeasures,
    Method,
    Shortage,
    kernel_arguments,
    levels_at_price,
    measure_base_stocks,
)
from sparing.inventory.network import BaseStockNetwork

Vertex: TypeAlias = int
TIE_BREAK = 1e-7  # sites that are alike get weights that differ by this, so that none tie


@dataclass(frozen=True, kw_only=True)
class BaseStockPlan:
    """Base stocks from the curve, and how far they can be from the best ones."""

    measures: BaseStockMeasures
    shortage: float  # what is minimised, of these levels
    lower_bound: float  # no levels of at most this investment have less
    budget: float | None  # that was given
    sla: float | None  # that was asked for

    @property
    def investment(self) -> float:
        """Money bound in the base stocks."""
        return self.measures.investment

    @property
    def gap(self) -> float:
        """How much more shortage than the least possible for the budget or the investment."""
        return max(self.shortage - self.lower_bound, 0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class CostCurve:
    """Least shortage for each investment, as the lower convex hull of what can be had.

    Vertex v has bought the first v of all steps, sorted by shortage saved per money; at a vertex no
    other base stocks of at most its investment have less shortage (Everett 1963), in between the
    straight line is a lower bound.
    """

    network: BaseStockNetwork
    method: Method
    minimised: Shortage
    investment: NDArray[np.float64]  # [V] money
    shortage: NDArray[np.float64]  # [V]
    part: NDArray[np.int32]  # [V - 1] whose stock grows at each step
    price: tuple[NDArray[np.float64], ...]  # [parts][own vertices] of a unit, money
    num_threads: int = 1

    @property
    def num_vertices(self) -> int:
        """V, the number of vertices."""
        return self.investment.size

    def measures(self, vertex: Vertex) -> BaseStockMeasures:
        """Return the base stocks of a vertex with their measures by this curve's method."""
        if not 0 <= vertex < self.num_vertices:
            raise ValueError(f"vertex must be in 0..{self.num_vertices - 1}; got {vertex}.")
        levels = self.levels(self.steps(vertex), np.ones(self.network.num_parts, dtype=bool))
        return measure_base_stocks(
            self.network, levels, method=self.method, num_threads=self.num_threads
        )

    def steps(self, vertex: Vertex) -> NDArray[np.int64]:
        """Return how many of its own steps [P] each part has taken."""
        return np.bincount(self.part[:vertex], minlength=self.network.num_parts)

    def levels(self, steps: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Return the levels [parts, L] of the `chosen` parts [P] behind so many steps."""
        prices = np.array([of_part[k] for of_part, k in zip(self.price, steps, strict=True)])
        network = self.network if chosen.all() else self.network.only(chosen)
        weight = np.ascontiguousarray(self._weight[chosen])
        return levels_at_price(
            network, prices[chosen], weight, self.method, self.minimised, self.num_threads
        )

    def within(self, budget: float) -> BaseStockPlan:
        """Return the last vertex that costs at most `budget`.

        Raises
        ------
        ValueError
            If the budget is negative or not a number.
        """
        if not budget >= 0.0:
            raise ValueError(f"budget must be at least 0; got {budget:g}.")
        vertex = int(np.searchsorted(self.investment, budget * (1.0 + 1e-12), side="right")) - 1
        return self._plan(self.measures(vertex), budget=budget)

    def reaching(self, sla: float, *, per_part: bool = False) -> BaseStockPlan:
        """Return the first vertex whose share of site time without a backorder is at least `sla`.

        It is the cheapest of this curve's stocks that meets the target. Of the curve that minimises
        ``"not_ready"``, every step raises the SLA of the sites it serves.

        Parameters
        ----------
        per_part
            Count site and part time, as the cases do: the mean over all sites and parts that fail
            there. Otherwise a site's time counts while no part is short, which is harder.

        Raises
        ------
        ValueError
            If no vertex of the curve reaches it.
        """
        if not 0.0 < sla < 1.0:
            raise ValueError(f"sla must be above 0 and below 1; got {sla:g}.")
        walk, last = _Walk(self, per_part), self.num_vertices - 1
        vertex = 0
        for _ in range(8):  # what is missing to 1 falls about as the shortage does
            missing = 1.0 - walk.sla(vertex)
            if missing <= 0.0 or abs(np.log(missing / (1.0 - sla))) < 0.01:
                break
            wanted = self.shortage[vertex] * (1.0 - sla) / missing
            vertex = min(int(np.searchsorted(-self.shortage, -wanted)), last)
        low, high, step = vertex, vertex, 16
        while low >= 0 and walk.sla(low) >= sla:
            low, step = low - step, 2 * step
        step = 16
        while walk.sla(high) < sla:
            if high == last:
                raise ValueError(
                    f"no base stocks of the curve reach an SLA of {sla:g}; the highest is"
                    f" {walk.sla(last):.8g}."
                )
            high, step = min(high + step, last), 2 * step
        low = max(low, -1)
        while high - low > 1:  # the SLA rises along the curve
            middle = (low + high) // 2
            low, high = (low, middle) if walk.sla(middle) >= sla else (middle, high)
        return self._plan(self.measures(high), sla=sla)

    def spread(self, num_points: int) -> list[BaseStockMeasures]:
        """Return so many vertices, evenly spread in log shortage down to 1e-6 of the first."""
        if num_points < 2:
            raise ValueError(f"num_points must be at least 2; got {num_points}.")
        depth = -np.log(np.maximum(self.shortage, 1e-300))
        wanted = np.linspace(depth[0], min(depth[-1], depth[0] + np.log(1e6)), num_points)
        vertices = np.unique(np.clip(np.searchsorted(depth, wanted), 0, self.num_vertices - 1))
        return [self.measures(int(v)) for v in vertices]

    @cached_property
    def _weight(self) -> NDArray[np.float64]:
        return tie_breaking(self.network)

    def _plan(
        self, found: BaseStockMeasures, *, budget: float | None = None, sla: float | None = None
    ) -> BaseStockPlan:
        reach = found.investment if budget is None else budget
        return BaseStockPlan(
            measures=found,
            shortage=_shortage_of(found, self._weight, self.minimised),
            lower_bound=float(np.interp(reach, self.investment, self.shortage)),
            budget=budget,
            sla=sla,
        )


class _Walk:
    """The SLA of one vertex after another; parts whose stocks stay are not looked at again."""

    def __init__(self, curve: CostCurve, per_part: bool) -> None:
        self._curve, self._per_part = curve, per_part
        num_sites = int(curve.network.is_site.sum())
        self._steps = np.full(curve.network.num_parts, -1)
        self._log_ready = np.zeros((curve.network.num_parts, num_sites))

    def sla(self, vertex: Vertex) -> float:
        """Return the share of site time without a backorder."""
        curve, network = self._curve, self._curve.network
        steps = curve.steps(vertex)
        changed = steps != self._steps
        if changed.any():
            levels = curve.levels(steps, changed)
            found = measure_base_stocks(
                network.only(changed), levels, method=curve.method, num_threads=curve.num_threads
            )
            ready = np.maximum(found.ready_rate[:, network.is_site], 1e-300)
            self._log_ready[changed] = np.log(ready)
            self._steps = steps
        if self._per_part:
            fails = network.demand_rate[:, network.is_site] > 0.0
            return float(np.exp(self._log_ready)[fails].mean()) if fails.any() else 1.0
        return float(np.exp(self._log_ready.sum(axis=0)).mean())


def cost_curve(
    network: BaseStockNetwork,
    *,
    method: Method = "thinning",
    minimise: Shortage = "backorders",
    num_threads: int = 1,
) -> CostCurve:
    """Return the curve of investment and least shortage (marginal analysis, Sherbrooke 1968).

    Per part the least shortage with 0, 1, ... units in the whole network comes from a recursion
    over the tree: given a supplier's level its branches are apart, and their convexified curves are
    merged by falling gain. The parts' curves are merged by gain per money.

    Parameters
    ----------
    minimise
        ``"backorders"``: weighted mean units backordered at the sites. ``"not_ready"``: weighted
        sum over sites and parts of -log P(no backorder), which is the way to a high SLA.
    num_threads
        Changes no result.
    """
    curve = part_curves(
        network, method=method, minimise=minimise, convex=True, num_threads=num_threads
    )
    steps = [_vertices(row) for row in curve]
    units = np.concatenate([np.diff(at) for at, _ in steps])
    gain = np.concatenate([-np.diff(value) for _, value in steps])
    part = np.repeat(np.arange(network.num_parts, dtype=np.int32), [len(at) - 1 for at, _ in steps])
    cost = units * network.unit_cost[part]
    order = np.argsort(-(gain / cost), kind="stable")
    start = sum(float(value[0]) for _, value in steps)
    return CostCurve(
        network=network,
        method=method,
        minimised=minimise,
        investment=np.append(0.0, np.cumsum(cost[order])),
        shortage=np.maximum(start - np.append(0.0, np.cumsum(gain[order])), 0.0),
        part=part[order],
        price=tuple(_prices(at, value) for at, value in steps),
        num_threads=num_threads,
    )


def part_curves(
    network: BaseStockNetwork,
    *,
    method: Method = "thinning",
    minimise: Shortage = "backorders",
    convex: bool = False,
    num_threads: int = 1,
) -> NDArray[np.float64]:
    """Return each part's least shortage [P, U] with 0, 1, ..., U - 1 units in the network.

    Parameters
    ----------
    convex
        False: exact at each number of units, for one location that supplies all the others. True:
        the lower convex hull, for any tree.
    """
    tops = np.flatnonzero(network.supplier < 0)
    if not convex and (tops.size > 1 or np.any(network.supplier > 0)):
        raise ValueError("exact curves need one supplier of all sites; ask for convex=True.")
    width = int(network.max_level.sum(axis=1).max()) + 1
    curve = np.full((network.num_parts, width), np.inf)
    _core.base_stock_curves(
        **kernel_arguments(network, method, minimise),
        weight=tie_breaking(network) if convex else np.ascontiguousarray(network.weight),
        convex=convex,
        curve=curve,
        num_threads=num_threads,
    )
    return curve


def tie_breaking(network: BaseStockNetwork) -> NDArray[np.float64]:
    """Return the weights [P, L], those of later sites less by 1e-7 each: so no two sites tie."""
    later = np.cumsum(network.is_site) - 1.0
    return np.ascontiguousarray(network.weight * (1.0 - TIE_BREAK * later))


def _shortage_of(
    found: BaseStockMeasures, weight: NDArray[np.float64], minimised: Shortage
) -> float:
    sites = found.network.is_site
    if minimised == "backorders":
        return float((weight * found.backorders)[:, sites].sum())
    return float(-(weight * np.log(found.ready_rate))[:, sites].sum())


def _vertices(row: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the units and values at which a convex row bends, gains of nothing left off."""
    value = row[np.isfinite(row)]
    gain = -np.diff(value)
    gain = gain[: int(np.count_nonzero(gain > 1e-13 * max(value[0], 1e-300)))]
    bends = np.flatnonzero(~np.isclose(gain[1:], gain[:-1], rtol=1e-8, atol=0.0)) + 1
    at = np.concatenate([[0], bends, [gain.size]]) if gain.size else np.zeros(1, dtype=np.int64)
    return at, value[at]


def _prices(at: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each vertex a price of a unit at which it alone is best."""
    slope = -np.diff(value) / np.diff(at)
    if not slope.size:
        return np.ones(1)
    above, below = np.append(4.0 * slope[0], slope), np.append(slope, slope[-1] / 4.0)
    prices: NDArray[np.float64] = np.sqrt(above * below)
    return prices
