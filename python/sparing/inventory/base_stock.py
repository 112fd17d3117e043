"""Base stocks in a network: METRIC, VARI-METRIC and the exact recursion by binomial thinning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing import _core
from sparing._checks import frozen_array
from sparing.inventory.network import BaseStockNetwork

Method: TypeAlias = Literal["thinning", "metric", "vari-metric"]
Shortage: TypeAlias = Literal["backorders", "not_ready"]
METHODS: tuple[str, ...] = get_args(Method)
SHORTAGES: tuple[str, ...] = get_args(Shortage)


@dataclass(frozen=True, kw_only=True, eq=False)
class BaseStockMeasures:
    """Long-run measures of base-stock levels, by part and location.

    Of the method ``"thinning"`` they are exact but for probabilities of 1e-16; the others are
    the approximations of their names.
    """

    network: BaseStockNetwork
    levels: NDArray[np.int32]  # [P, L] base stocks
    backorders: NDArray[np.float64]  # [P, L] mean units backordered
    on_hand: NDArray[np.float64]  # [P, L] mean units on hand
    ready_rate: NDArray[np.float64]  # [P, L] share of time without a backorder
    fill_rate: NDArray[np.float64]  # [P, L] share of demand met from stock

    @cached_property
    def investment(self) -> float:
        """Money bound in the base stocks."""
        return float(self.network.unit_cost @ self.levels.sum(axis=1))

    @cached_property
    def site_backorders(self) -> float:
        """Mean units backordered at all sites: units that stand still."""
        return float(self.backorders[:, self.network.is_site].sum())

    @cached_property
    def site_sla(self) -> NDArray[np.float64]:
        """Shape (sites,): share of time in which a site has no backorder of any part."""
        ready: NDArray[np.float64] = self.ready_rate[:, self.network.is_site].prod(axis=0)
        return ready

    @cached_property
    def sla(self) -> float:
        """Share of site time without a backorder of any part."""
        return float(self.site_sla.mean())

    @cached_property
    def availability(self) -> float | None:
        """Mean share of sites' units in operation, if `installed` is known.

        Of a site it is the product over parts of (1 - backorders / installed), as in Sherbrooke
        (2004, sec. 2.9) with one unit of each part in each of the installed.
        """
        if self.network.installed is None:
            return None
        sites = self.network.is_site
        installed = np.where(self.network.installed > 0.0, self.network.installed, np.inf)
        up = np.maximum(1.0 - self.backorders / installed, 0.0)[:, sites]
        return float(up.prod(axis=0).mean())


def measure_base_stocks(
    network: BaseStockNetwork,
    levels: ArrayLike,
    *,
    method: Method = "thinning",
    num_threads: int = 1,
) -> BaseStockMeasures:
    """Return the long-run measures of base stocks [P, L] (or [L] for all parts).

    Parameters
    ----------
    levels
        Shape (P, L) or (L,): base stock of each part at each location [units].
    method
        How a location's outstanding units follow from its supplier's backorders B, with a share p
        of the supplier's orders and a Poisson pipeline of its own: ``"thinning"``: binomial
        thinning of B, exact for constant transport times (Simon 1971; Graves 1985, sec. 2),
        ``"metric"``: Poisson of the right mean (Sherbrooke 1968), ``"vari-metric"``: negative
        binomial of the right mean and variance (Graves 1985, sec. 3; Sherbrooke 1986).

    Examples
    --------
    >>> network = BaseStockNetwork(
    ...     locations=("depot", "a", "b"), supplier=[-1, 0, 0],
    ...     demand_rate=[0, 0.1, 0.1], lead_time=[14, 2, 2],
    ... )
    >>> round(measure_base_stocks(network, [1, 1, 1]).site_backorders, 6)
    0.961342
    """
    given = frozen_array("levels", levels, np.int32)
    shape = network.demand_rate.shape
    try:
        stocks = np.ascontiguousarray(np.broadcast_to(given, shape))
    except ValueError:
        raise ValueError(f"levels must have shape {shape}; got {given.shape}.") from None
    for part, location in np.argwhere(stocks < 0)[:1]:
        raise ValueError(
            f"levels[{part}, {location}] must be at least 0; got {stocks[part, location]}."
        )
    found = np.empty((4, *shape))
    backorders, on_hand, ready, fill = found
    arguments = kernel_arguments(network, method, "backorders")
    _core.measure_base_stocks(
        **arguments,
        level=stocks,
        backorders=backorders,
        on_hand=on_hand,
        ready=ready,
        fill=fill,
        num_threads=num_threads,
    )
    found.setflags(write=False)
    stocks.setflags(write=False)
    return BaseStockMeasures(
        network=network,
        levels=stocks,
        backorders=backorders,
        on_hand=on_hand,
        ready_rate=ready,
        fill_rate=fill,
    )


def cheapest_base_stocks(
    network: BaseStockNetwork,
    *,
    holding_cost: ArrayLike,
    backorder_cost: ArrayLike,
    method: Method = "thinning",
    num_threads: int = 1,
) -> tuple[BaseStockMeasures, NDArray[np.float64]]:
    """Return the base stocks of least holding and backorder cost, and that cost [P] per time.

    Parameters
    ----------
    holding_cost
        Shape (P, L) or (L,): per unit on hand and unit of time.
    backorder_cost
        Shape (P, L) or (L,): per unit backordered at a site and unit of time.

    Notes
    -----
    Levels up to `BaseStockNetwork.max_level` are all compared, as the tree falls apart into its
    branches once a supplier's level is given; the answer is exact in what the method takes for the
    cost. Ties go to the lowest level.
    """
    shape = network.demand_rate.shape
    holding, shortage = (
        np.array(np.broadcast_to(frozen_array(name, given), shape))
        for name, given in (("holding_cost", holding_cost), ("backorder_cost", backorder_cost))
    )
    for name, values in (("holding_cost", holding), ("backorder_cost", shortage)):
        if not np.all((values >= 0.0) & np.isfinite(values)):
            raise ValueError(f"{name} must be at least 0 and finite.")
    levels, cost = _cheapest(
        network, method, "backorders", np.zeros(shape), holding, shortage, num_threads
    )
    return measure_base_stocks(network, levels, method=method, num_threads=num_threads), cost


def levels_at_price(
    network: BaseStockNetwork,
    price: NDArray[np.float64],
    weight: NDArray[np.float64],
    method: Method,
    shortage: Shortage,
    num_threads: int,
) -> NDArray[np.int32]:
    """Return the levels [P, L] of least price [P] x units + weight [P, L] x shortage."""
    shape = network.demand_rate.shape
    prices = np.array(np.broadcast_to(price[:, None], shape))
    return _cheapest(network, method, shortage, prices, np.zeros(shape), weight, num_threads)[0]


def _cheapest(
    network: BaseStockNetwork,
    method: Method,
    shortage: Shortage,
    price: NDArray[np.float64],
    holding: NDArray[np.float64],
    weight: NDArray[np.float64],
    num_threads: int,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    levels = np.zeros(network.demand_rate.shape, dtype=np.int32)
    cost = np.zeros(network.num_parts)
    _core.cheapest_base_stocks(
        **kernel_arguments(network, method, shortage),
        price=price,
        holding=holding,
        weight=weight,
        level=levels,
        cost=cost,
        num_threads=num_threads,
    )
    return levels, cost


def kernel_arguments(
    network: BaseStockNetwork, method: Method, shortage: Shortage
) -> dict[str, Any]:
    """Return the arguments that the kernels share, or raise where a name is unknown."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {list(METHODS)}; got {method!r}.")
    if shortage not in SHORTAGES:
        raise ValueError(f"shortage must be one of {list(SHORTAGES)}; got {shortage!r}.")
    return {
        "supplier": network.supplier,
        "own_mean": np.ascontiguousarray(network.own_pipeline),
        "share": network.share,
        "length": network.lengths(heavy_tails=method == "vari-metric"),
        "max_level": network.max_level,
        "resupply": METHODS.index(method),
        "shortage": SHORTAGES.index(shortage),
    }
