"""Stocks of a plan: what to order now, which levels, what that costs, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.network_plan import PartPlan
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork
from sparing.planning.spares_change import SparesChange
from sparing.planning.spares_compare import (
    CurvePoint,
    SparesRobustness,
    StockRow,
    cost_curve_points,
    stock_robustness,
    stock_rows,
)
from sparing.planning.spares_demand import SpareDemand, spare_demand
from sparing.planning.spares_estimates import SpareEstimates, estimate_spares
from sparing.planning.spares_input import SparesInput
from sparing.planning.spares_methods import StockPolicy, choose, plan_stock, with_belief
from sparing.planning.spares_problem import Standing, judged, network_of, standings
from sparing.planning.spares_saved import rule_order
from sparing.planning.spares_today import TodayLevels, todays_levels, todays_rules

Progress: TypeAlias = Callable[[str, int, int], None]
Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class StockLevel:
    """What to keep of a part at a location.

    Parameters
    ----------
    reorder_at, order_up_to
        Order if the stock is at most the first, up to the second; None: never. Of an exact plan
        they hold now, for what is believed now, with nothing under way and the supplier full.
    order_now
        Units to order now.
    """

    part: str
    location: str
    reorder_at: int | None
    order_up_to: int | None
    standing: Standing
    order_now: int
    today: TodayLevels | None


@dataclass(frozen=True, kw_only=True, eq=False)
class SparesPlan:
    """The plan of the stocks, with all it rests on.

    Parameters
    ----------
    network
        Over the periods that the plan is judged over, from the stock of now.
    rows
        Recommended policy and baselines on the same luck, the recommended one first.
    """

    source: SparesInput
    estimates: SpareEstimates
    demand: SpareDemand | None
    network: SparesNetwork
    policy: StockPolicy
    levels: tuple[StockLevel, ...]
    rows: tuple[StockRow, ...]
    curve: tuple[CurvePoint, ...]
    robustness: SparesRobustness
    remarks: tuple[str, ...]

    @property
    def orders(self) -> tuple[StockLevel, ...]:
        """The levels whose location has to order now."""
        return tuple(level for level in self.levels if level.order_now > 0)

    def save(self, folder: str | Path, *, change: SparesChange | None = None) -> dict[str, Any]:
        """Write report.html, metrics.json and stock_policy.parquet; return the metrics.

        The folder is whole or not there; `change` is what an update changed, for the report.
        """
        from sparing.report.spares_files import save_spares_plan

        return save_spares_plan(self, folder, change=change)


def make_spares_plan(source: SparesInput, *, progress: Progress | None = None) -> SparesPlan:
    """Plan the stocks of a folder.

    Raises
    ------
    sparing.records.problems.RecordsError
        If something is missing that no record says, naming the place.
    """
    settings = source.settings

    def tell(stage: str, done: int = 0, total: int = 1) -> None:
        if progress is not None:
            progress(stage, done, total)

    tell("failure rates and lead times")
    estimates = estimate_spares(source)
    tell("demand forecast")
    demand = spare_demand(source, estimates)
    standing = standings(source)
    factor = demand.factors if demand is not None and settings.demand == "forecast" else None
    today = todays_levels(source, standing)
    least = None if today is None else {key: own.order_up_to for key, own in today.items()}
    longer = network_of(source, estimates, standing, factor, least_capacity=least)
    tell("stock levels")
    choices = choose(longer, settings.method, settings.exact_states)
    longer = with_belief(longer, choices)
    network = judged(longer, settings.periods)
    policy = plan_stock(longer, choices, settings.periods, seed=settings.seed)
    tell("comparison")
    rows = stock_rows(
        network,
        policy.policies,
        today=None if today is None else todays_rules(network, today),
        seed=settings.seed,
    )

    def count(done: int, total: int) -> None:
        tell("cost and service", done, total)

    curve = cost_curve_points(
        longer, policy, rows[0], settings.periods, seed=settings.seed, progress=count
    )

    def drawn(done: int, total: int) -> None:
        tell("what is not known", done, total)

    robustness = stock_robustness(
        network, {row.key: row.policies for row in rows}, estimates, settings, progress=drawn
    )
    levels = _levels(network, policy, standing, today)
    return SparesPlan(
        source=source,
        estimates=estimates,
        demand=demand,
        network=network,
        policy=policy,
        levels=levels,
        rows=rows,
        curve=curve,
        robustness=robustness,
        remarks=tuple(_remarks(source, estimates, network, standing, today, levels)),
    )


def _levels(
    network: SparesNetwork,
    policy: StockPolicy,
    standing: Mapping[tuple[str, str], Standing],
    today: Mapping[tuple[str, str], TodayLevels] | None,
) -> tuple[StockLevel, ...]:
    found = []
    for part in network.parts:
        chosen = policy.policies[part.name]
        if isinstance(chosen, PartPlan):
            bounds = exact_levels(chosen)
            now = [chosen.first_decision[name] for name in part.names]
        else:
            assert isinstance(chosen, StockRules)
            reorders, tops = chosen.reorder_at[0].tolist(), chosen.order_up_to[0].tolist()
            bounds = list(zip(reorders, tops, strict=True))
            own = [standing[part.name, name] for name in part.names]
            now = [
                rule_order(x.net + x.ordered, reorder, upto)
                for x, reorder, upto in zip(own, reorders, tops, strict=True)
            ]
        for name, (reorder, upto), order in zip(part.names, bounds, now, strict=True):
            key = part.name, name
            found.append(
                StockLevel(
                    part=part.name,
                    location=name,
                    reorder_at=reorder,
                    order_up_to=upto,
                    standing=standing[key],
                    order_now=order,
                    today=None if today is None else today[key],
                )
            )
    return tuple(found)


def exact_levels(plan: PartPlan) -> list[tuple[int | None, int | None]]:
    """Return per location the levels of an exact plan at its first review.

    Nothing is under way, suppliers are full and the other locations stand as they do: the stock at
    or below which it orders, and up to where from there.
    """
    found: list[tuple[int | None, int | None]] = []
    for position, stock in enumerate(plan.nodes.stocks):
        location = stock.location
        stocks = np.arange(-location.backorders, location.capacity + 1)
        orders = plan.orders(0, _states(plan, position, stocks))[:, position]
        asked = np.flatnonzero(orders > 0)
        if asked.size == 0:
            found.append((None, None))
            continue
        last = int(asked[-1])
        found.append((int(stocks[last]), int(stocks[last] + orders[last])))
    return found


def order_map(plan: PartPlan, position: int) -> tuple[Integers, Integers, Integers] | None:
    """Return what a location orders by its own stock and by that of its supplier.

    The stocks of the supplier, those of the location, and the units ordered [supplier, own]; None
    where its supplier is outside.
    """
    supplier = plan.part.suppliers[position]
    if supplier < 0:
        return None
    own, above = plan.nodes.stocks[position].location, plan.nodes.stocks[supplier].location
    stocks = np.arange(-own.backorders, own.capacity + 1)
    shelves = np.arange(above.capacity + 1)
    rows = []
    for shelf in shelves:
        states = _states(plan, position, stocks, shelf=int(shelf))
        rows.append(plan.orders(0, states)[:, position])
    return shelves, stocks, np.array(rows)


def _states(
    plan: PartPlan, position: int, stocks: Integers, *, shelf: int | None = None
) -> NDArray[np.int32]:
    """Return states [stocks, axes] of the first review with these stocks at a location."""
    start = np.array(plan.nodes.initial_state(), dtype=np.int64)
    states = np.repeat(start[None], stocks.size, axis=0)
    nothing = np.zeros_like(stocks)
    states[:, position] = plan.nodes.stocks[position].found.index(stocks, nothing, nothing)
    supplier = plan.part.suppliers[position]
    if supplier >= 0:
        above = plan.nodes.stocks[supplier]
        level = np.array(above.location.capacity if shelf is None else shelf)
        states[:, supplier] = above.found.index(level, np.zeros_like(level), np.zeros_like(level))
    return states.astype(np.int32)


def _filled(source: SparesInput, network: SparesNetwork, levels: Sequence[StockLevel]) -> list[str]:
    """Return where the plan fills a capacity that was taken for it."""
    capacity = {
        (part.name, place.name): place.capacity
        for part in network.parts
        for place in part.locations
        if "capacity" not in source.settings.table(part.name, place.name)
    }
    return [
        f"{x.part} at {x.location} ({x.order_up_to})"
        for x in levels
        if x.order_up_to is not None and capacity.get((x.part, x.location)) == x.order_up_to
    ]


def _remarks(
    source: SparesInput,
    estimates: SpareEstimates,
    network: SparesNetwork,
    standing: Mapping[tuple[str, str], Standing],
    today: Mapping[tuple[str, str], TodayLevels] | None,
    levels: Sequence[StockLevel],
) -> list[str]:
    """Return what a reader has to know about the records."""
    found = []
    if source.stock is None:
        found.append("No stock records: every stock is taken as 0 now, and today's is not known.")
    else:
        missing = [f"{p} at {x}" for (p, x), now in standing.items() if not now.known]
        if missing:
            found.append(f"No stock record, taken as 0: {', '.join(missing)}.")
    several = [f"{p} at {x}" for (p, x), now in standing.items() if now.num_orders > 1]
    if several:
        found.append(
            "Several orders are under way and are taken as one, of their mean age:"
            f" {', '.join(several)}."
        )
    for part in network.parts:
        for place in part.locations:
            now = standing[part.name, place.name]
            if now.net < -place.backorders:
                found.append(
                    f"{part.name} at {place.name}: {-now.net} units wait, of which the model holds"
                    f" {place.backorders}."
                )
            if now.ordered and place.outstanding is None and place.initial == now.net:
                found.append(f"{part.name} at {place.name}: {now.ordered} on order are left out.")
    if source.orders is not None:
        waiting = int(source.orders.under_way.sum())
        found.append(
            f"Lead times are those of orders that came ({waiting} under way are not among them);"
            " waiting for a supplier without stock is part of them."
        )
    full = _filled(source, network, levels)
    if full:
        found.append(
            "Filled up to a capacity that plan.toml does not give; give one, if there is more"
            f" room: {', '.join(full)}."
        )
    if today is not None:
        guessed = [f"{p} at {x}" for (p, x), level in today.items() if level.num_orders < 2]
        if guessed:
            found.append(
                "Too few orders to read today's levels from; the position of now serves:"
                f" {', '.join(guessed)}."
            )
    for check in estimates.checks:
        if check.suspicious:
            found.append(
                f"{check.component}: its failures by month have a {check.measure} of"
                f" {check.observed:.2f} where {check.expected:.2f} is expected (probability"
                f" {check.probability:.3f})."
            )
    return found
