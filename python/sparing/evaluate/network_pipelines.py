"""A spares network as METRIC sees it: stationary rates, mean lead times, one-for-one orders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparing.inventory.base_stock import Method, cheapest_base_stocks
from sparing.inventory.cost_curve import cost_curve
from sparing.inventory.network import BaseStockNetwork
from sparing.models.network_location import Location
from sparing.models.network_rules import StockRules
from sparing.models.spare import GammaLeadTime
from sparing.models.spares_network import Part, SparesNetwork


def base_stock_network(
    problem: SparesNetwork,
    *,
    review: float = 1.0,
    rate_factor: float = 1.0,
    one_for_one: bool = False,
) -> BaseStockNetwork:
    """Return the network of base stocks with the prior mean rates, per period.

    A location has one order outstanding at a time, where base stocks order each unit at once: a
    unit that is missing while an order is under way waits for that to arrive. This adds, to the
    lead time, the share of time in which an order is under way (a renewal argument: lead time over
    lead time + mean time to the next failure) times the mean time that it still takes.

    Parameters
    ----------
    review
        Periods added to each lead time: a failure is seen at the next review, and what is short is
        counted at the end of a period.
    rate_factor
        Multiplies the prior mean rates.
    one_for_one
        Each unit is ordered at once, at any time, as in the twin: lead times are their means, and
        nothing is added for reviews or for the order under way.
    """
    first = problem.parts[0]
    order = list(first.top_down)
    place = {location: k for k, location in enumerate(order)}
    supplier = [-1 if first.suppliers[i] < 0 else place[first.suppliers[i]] for i in order]
    shape = (len(problem.parts), len(order))
    rate, lead, weight = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    exposed, passed = np.zeros(shape), np.zeros(shape)
    for p, part in enumerate(problem.parts):
        for k, i in enumerate(order):
            location = part.locations[i]
            if location.is_site:
                exposed[p, k] = float(location.exposures(problem.periods).mean())
                rate[p, k] = rate_factor * part.prior.mean * exposed[p, k]
            weight[p, k] = location.downtime_cost
        for k in range(len(order) - 1, -1, -1):  # sites first: rates of orders add up
            total = rate[p, k] + sum(passed[p, j] for j in range(len(order)) if supplier[j] == k)
            passed[p, k] = total
            location = part.locations[order[k]]
            lead[p, k] = (
                _mean_lead_time(location)
                if one_for_one
                else review + _time_to_come(location.arrival, total)
            )
    prices = [_price(part) for part in problem.parts]
    return BaseStockNetwork(
        locations=tuple(first.names[i] for i in order),
        supplier=np.array(supplier),
        demand_rate=rate,
        lead_time=lead,
        unit_cost=prices,
        weight=np.where(weight.sum() > 0.0, weight, 1.0),
        parts=tuple(part.name for part in problem.parts),
    )


def base_stock_levels(
    problem: SparesNetwork, *, downtime_price: float, method: Method, rate_factor: float = 1.0
) -> dict[str, NDArray[np.int32]]:
    """Return by part the base stocks [L], in file order, of least holding and downtime cost.

    Parameters
    ----------
    downtime_price
        Multiplies the downtime costs.
    """
    network = base_stock_network(problem, rate_factor=rate_factor)
    order = list(problem.parts[0].top_down)
    holding = np.array([[part.locations[i].holding_cost for i in order] for part in problem.parts])
    found, _ = cheapest_base_stocks(
        network,
        holding_cost=holding,
        backorder_cost=downtime_price * network.weight,
        method=method,
    )
    return _in_file_order(problem, found.levels)


def one_for_one_levels(
    problem: SparesNetwork, *, method: Method, sla: float | None = None
) -> dict[str, dict[str, int]]:
    """Return by part and location the base stocks that reach an SLA where orders are one for one.

    By marginal analysis: the least money, in holding cost, that the method thinks to reach the SLA
    (share of site and part time without a missing unit) with; downtime costs weigh the backorders.
    Rates are the prior's means, and no level is above its location's capacity.

    Parameters
    ----------
    sla
        That of the case if None.

    Raises
    ------
    ValueError
        If there is no SLA, or none of the curve's stocks reach it.
    """
    sla = problem.sla if sla is None else sla
    if sla is None:
        raise ValueError("base stocks need an SLA to reach: add sla to [system], such as 0.995.")
    curve = cost_curve(base_stock_network(problem, one_for_one=True), method=method)
    levels = _in_file_order(problem, curve.reaching(sla, per_part=True).measures.levels)
    names = problem.parts[0].names
    return {part: dict(zip(names, row.tolist(), strict=True)) for part, row in levels.items()}


def _in_file_order(
    problem: SparesNetwork, found: NDArray[np.int32]
) -> dict[str, NDArray[np.int32]]:
    """Return by part the levels [L], which stand top down in `found`, within the capacities."""
    levels = np.empty_like(found)
    levels[:, list(problem.parts[0].top_down)] = found
    capacity = np.array([[x.capacity for x in part.locations] for part in problem.parts])
    levels = np.minimum(levels, capacity).astype(np.int32)
    return {part.name: levels[p] for p, part in enumerate(problem.parts)}


def min_max_by_formula(
    problem: SparesNetwork, part: Part, *, safety_factor: float, review: int = 4
) -> StockRules:
    """Return the (s, S) levels of a textbook: mean + factor x deviation, and the Wilson quantity.

    s covers demand over the lead time and the time between reviews, taken for Poisson at the prior
    mean rate; S - s is sqrt(2 x fixed cost x demand / holding cost), at least 1 (Silver, Pyke &
    Thomas 2017, sec. 7.5).
    """
    alone = problem.only(part)
    network = base_stock_network(alone)
    rate = np.zeros(len(part.locations))
    rate[list(part.top_down)] = network.order_rate[0]
    reorder, upto = [], []
    for location, demand in zip(part.locations, rate, strict=True):
        mean_lead = float(np.cumprod(1.0 - np.asarray(location.arrival)).sum())
        load = demand * (review + mean_lead)
        level = int(np.ceil(load + safety_factor * np.sqrt(load)))
        held = max(location.holding_cost, 1e-12)
        batch = max(1, round(float(np.sqrt(2.0 * location.order_fixed * demand / held))))
        reorder.append(min(level, location.capacity) - 1)
        upto.append(min(level - 1 + batch, location.capacity))
    return StockRules.min_max(reorder, upto, review=review)


def _time_to_come(arrival: NDArray[np.float64], rate: float) -> float:
    """Return the mean time from a failure to its unit's arrival, one order at a time."""
    waiting = np.cumprod(1.0 - np.asarray(arrival))  # P(lead time > j)
    mean = float(waiting.sum())
    if mean == 0.0:
        return 0.0
    square = float((waiting * (2.0 * np.arange(waiting.size) + 1.0)).sum())
    under_way = rate * mean / (1.0 + rate * mean)
    return mean + under_way * square / (2.0 * mean)


def _mean_lead_time(location: Location) -> float:
    """Return the mean of the lead time [periods] as it is given, not cut to whole periods."""
    lead = location.lead_time
    return lead.shape * lead.scale if isinstance(lead, GammaLeadTime) else float(lead)


def _price(part: Part) -> float:
    """Money bound by a unit: what holding one for a period costs, for want of a price."""
    return max(max(x.holding_cost for x in part.locations), 1e-12)
