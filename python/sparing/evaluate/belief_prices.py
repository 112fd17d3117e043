"""What warehouses should pay for units that they owe, in the belief plan by location: searched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from sparing.evaluate.location_plan import LocationPlanner
from sparing.models.location_orders import LocationOrders
from sparing.models.spares_network import Part, SparesNetwork
from sparing.simulate.spares_network import simulate_network

GRID = (0.3, 1.0)  # times the mean downtime cost of the sites below
DEEPEST = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class PricedPlan:
    """The belief plan of a part at the prices that cost least in the exact model's rollouts."""

    planner: LocationPlanner
    warehouse_price: dict[int, float]
    orders: LocationOrders
    cost: float


def priced_plan(
    problem: SparesNetwork,
    part: Part,
    *,
    beyond: int = 16,
    grid: Sequence[float] = GRID,
    num_replications: int = 500,
    seed: int = 0,
    num_threads: int = 1,
    told: Callable[[str], None] = lambda text: None,
) -> PricedPlan:
    """Return the plan of `part` that costs least over a grid of what warehouses owe.

    Sites pay their own downtime cost. The first warehouse below the outside supplier has a price
    of its own, those below it share another.

    Parameters
    ----------
    beyond
        Periods that the plan looks past the end.
    num_replications, seed
        Of the rollouts in which prices are compared, on the same luck.
    """
    planner = LocationPlanner(problem, part, beyond=beyond, num_threads=num_threads)
    alone, found = problem.only(part), []
    for top, middle in product(grid, grid):
        told(f"belief plan of {part.name}: warehouses owe at {top:g} and {middle:g}")
        price = {0: top, **dict.fromkeys(range(1, DEEPEST + 1), middle)}
        orders = planner.orders(site_price=1.0, warehouse_price=price)
        cost = simulate_network(
            alone, orders, num_replications=num_replications, seed=seed, num_threads=num_threads
        ).mean["objective"]
        found.append(
            PricedPlan(planner=planner, warehouse_price=price, orders=orders, cost=float(cost))
        )
    return min(found, key=lambda plan: plan.cost)
