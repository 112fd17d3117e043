"""The nodes of a spares network: one list per review period, and its axes.

The axes are the locations in file order, the ages of the sites that have one, the exposure so far
where ages make it random, and the failures so far. Axes and tables that do not depend on the
period are made once and shared.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from sparing.epoch import Epoch
from sparing.models.network_failures import (
    FailureNode,
    Levels,
    exposure_levels,
    failure_levels,
)
from sparing.models.network_stock import Integers, StockAxis
from sparing.nodes import Axis, Chance, Cost, Decision, Node
from sparing.table import Table

if TYPE_CHECKING:
    from sparing.models.spares_network import Part, SparesNetwork

COUNTS = ("orders", "emergencies", "units short", "sites short")  # kinds that nothing weighs


class NetworkNodes:
    """What one part of a network does in a period, but for its failures the same in all.

    Parameters
    ----------
    network
        For the periods, the discount and the saturation of the belief.
    part
        One of its parts.
    first, last
        The periods [first, last) that are wanted; default all.
    """

    def __init__(
        self, network: SparesNetwork, part: Part, *, first: int = 0, last: int | None = None
    ) -> None:
        self.network, self.part = network, part
        self.first, self.last = first, network.periods if last is None else last
        supplying = {location.supplier for location in part.locations}
        self.stocks = tuple(
            StockAxis(x, supplies_others=x.name in supplying) for x in part.locations
        )

    @cached_property
    def common(self) -> tuple[list[Node], list[Node]]:
        """The nodes before and behind the failures of a period."""
        order = [self._order_node(i) for i in self.part.top_down]
        arrivals = [_arrivals(stock) for stock in self.stocks if not stock.merges]
        return [*order, *arrivals], [n for stock in self.stocks for n in self._period_end(stock)]

    def epochs(self) -> list[Epoch]:
        """Return one list of nodes per period."""
        before, behind = self.common
        ages = [Axis(f"{x.name} age", len(x.age.multiplier)) for x in self.part.sites if x.age]
        counts, levels = self._levels
        epochs = []
        for period in range(self.first, self.last):
            known = [(n, x) for n, x in zip(counts[period], levels[period], strict=True)]
            belief = [Axis("exposure", len(known[0][1]))] if ages else []
            axes = [*(s.axis for s in self.stocks), *ages, *belief, Axis("failures", known[0][0])]
            failures = [
                FailureNode(self.part, position, period, self.network).node(
                    self._stock_of(position), now, then
                )
                for position, (now, then) in enumerate(pairwise(known))
            ]
            nodes = [*before, *failures, *behind]
            epochs.append(Epoch(axes=axes, nodes=nodes, discount=self.network.discount))
        return epochs

    def initial_state(self) -> tuple[int, ...]:
        """Return where the part stands at the start, along the axes of the first epoch."""
        state = []
        for stock in self.stocks:
            location, order = stock.location, stock.location.outstanding
            ordered, age = (order.quantity, order.age) if order else (0, 0)
            found = stock.found.index(*(np.array(v) for v in (location.initial, ordered, age)))
            state.append(int(found))
        ages = [x.age.initial for x in self.part.sites if x.age]
        return (*state, *ages, *([0] if ages else []), 0)

    def found_states(self, period: int) -> int:
        """Return the number of states at the review of `period`."""
        return prod(stock.found.size for stock in self.stocks) * self.belief_states(period)

    def decided_states(self, period: int) -> int:
        """Return the number of post-decision states of `period`."""
        return prod(stock.decided.size for stock in self.stocks) * self.belief_states(period)

    def orders(self, states: Integers, posts: Integers) -> Integers:
        """Return the quantities [B, L] that lead from states to post-decision states [B, axes]."""
        columns = []
        for i, stock in enumerate(self.stocks):
            before, behind = states[:, i], posts[:, i]
            if stock.merges:
                columns.append(stock.decided.stock[behind] - stock.found.stock[before])
            else:
                columns.append(stock.decided.ordered[behind] - stock.found.ordered[before])
        return np.stack(columns, axis=1)

    def belief_states(self, period: int) -> int:
        """Return the combinations of ages, exposure so far and failures so far in `period`."""
        return prod(self.belief_shape(period))

    def belief_shape(self, period: int) -> tuple[int, int, int]:
        """Return the numbers of combinations of ages, of exposures and of failures so far."""
        ages = prod(len(x.age.multiplier) for x in self.part.sites if x.age)
        exposures, failures = self._levels[1][period][0], self._levels[0][period][0]
        return ages, len(exposures) if ages > 1 else 1, failures

    @cached_property
    def _levels(self) -> tuple[list[list[int]], list[list[Levels]]]:
        return (
            failure_levels(self.network, self.part),
            exposure_levels(self.network, self.part),
        )

    def _stock_of(self, site: int) -> StockAxis:
        name = self.part.sites[site].name
        return self.stocks[self.part.names.index(name)]

    def _order_node(self, position: int) -> Decision:
        """Choose how many units to order, shipped at once from the supplier's stock on hand."""
        stock, supplier = self.stocks[position], self.part.suppliers[position]
        upper = self.stocks[supplier] if supplier >= 0 else None
        above = upper.decided.size if upper else 1
        on_hand = upper.decided.on_hand if upper else np.array([stock.location.capacity])
        own_most = np.array([stock.orders(i) for i in range(stock.found.size)])
        most = np.minimum(own_most, on_hand[:, None]).ravel()  # [supplier tuples x own tuples]
        row = np.repeat(np.arange(most.size), most + 1)
        start = np.concatenate([[0], np.cumsum(most + 1)])
        quantity = np.arange(row.size) - start[row]
        source, own = np.divmod(row, stock.found.size)
        to = stock.ordered_from(own, quantity)
        axes, behind = [stock.location.name], [_behind(stock)]
        if upper is not None:
            held = upper.decided
            left = held.index(held.stock[source] - quantity, held.ordered[source], held.age[source])
            to = left * stock.decided.size + to
            axes = [upper.decided_axis.name, *axes]
            behind = [upper.decided_axis.name, *behind]
        assert above * stock.found.size == most.size
        location, placed = stock.location, (quantity > 0).astype(np.float64)
        cost = {
            "order": location.order_fixed * placed + location.order_unit * quantity,
            "orders": placed,
        }
        choice = quantity.astype(np.int32)
        table = Table(indptr=start, to=to, choice=choice, cost=cost)
        return Decision(axes, table, to=behind, name=f"order {location.name}")

    def _period_end(self, stock: StockAxis) -> list[Node]:
        location, held = stock.location, stock.found.on_hand.astype(np.float64)
        short = np.maximum(-stock.found.stock, 0).astype(np.float64)
        name = location.name
        nodes: list[Node] = [Cost(name, location.holding_cost * held, "holding")]
        if location.is_site:
            nodes += [
                Cost(name, location.downtime_cost * short, "downtime"),
                Cost(name, short, "units short"),
                Cost(name, (short > 0).astype(np.float64), "sites short"),
            ]
        if location.volume_limit is not None:
            nodes.append(Cost(name, self.part.volume * held, "volume"))
        return nodes


def network_epochs(network: SparesNetwork, part: Part) -> list[Epoch]:
    """Return one list of nodes per period of `network`, for `part`."""
    return NetworkNodes(network, part).epochs()


def initial_state(part: Part) -> tuple[int, ...]:
    """Return where `part` stands at the start."""
    from sparing.models.spares_network import SparesNetwork

    return NetworkNodes(SparesNetwork(parts=(part,), periods=1), part).initial_state()


def _behind(stock: StockAxis) -> Axis | str:
    return stock.location.name if stock.merges else stock.decided_axis


def _arrivals(stock: StockAxis) -> Chance:
    """Draw whether an outstanding order arrives; it is older where it does not."""
    before, behind = stock.decided, stock.found
    arrives = np.where(before.ordered > 0, stock.location.arrival[before.age], 1.0)
    nothing = np.zeros_like(before.ordered)
    there = behind.index(before.stock + before.ordered, nothing, nothing)
    waits = arrives < 1.0
    later = there.copy()
    later[waits] = behind.index(before.stock[waits], before.ordered[waits], before.age[waits] + 1)
    table = Table(
        indptr=np.arange(0, 2 * before.size + 1, 2),
        to=np.stack([there, later], axis=1).ravel(),
        probability=np.stack([arrives, 1.0 - arrives], axis=1).ravel(),
    )
    name = stock.location.name
    return Chance(stock.decided_axis.name, table, to=stock.axis, name=f"deliver {name}")
