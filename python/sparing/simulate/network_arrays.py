"""A part of a spares network as the arrays of the rollout kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.models.network_failures import FailureNode, exposure_levels
from sparing.models.network_nodes import NetworkNodes
from sparing.models.spares_network import Part, SparesNetwork

LARGEST = 2**31 - 1
MOST_FAILURES = 2**16 - 1  # of a site in a period that the kernel can count
_STAYS = np.zeros(1, dtype=np.int32)  # the one level of an exposure that no age changes


def network_arrays(
    problem: SparesNetwork, part: Part, rates: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """Return what the kernel knows of `part`, by name; see ``network_rollout.hpp``.

    Parameters
    ----------
    rates
        Shape (replications,) or (0,): true rates, by replication.
    """
    locations = part.locations
    orders = [
        (x.outstanding.quantity, x.outstanding.age) if x.outstanding else (0, 0) for x in locations
    ]
    quantity, age = np.array(orders).T
    whole = {
        "supplier": part.suppliers,
        "top_down": part.top_down,
        "site": [part.names.index(site.name) for site in part.sites],
        "capacity": [x.capacity for x in locations],
        "backorders": [x.backorders for x in locations],
        "largest_order": [x.largest_order for x in locations],
        "initial": [x.initial for x in locations],
        "first_quantity": quantity,
        "first_age": age,
    }
    real = {
        "fixed": [x.order_fixed for x in locations],
        "unit": [x.order_unit for x in locations],
        "holding": [x.holding_cost for x in locations],
        "downtime": [x.downtime_cost for x in locations],
        "emergency": [x.emergency_cost or 0.0 for x in locations],
        "weight": problem.discount ** np.arange(problem.periods),
        "rates": rates,
    }
    return {
        **{name: np.array(values, dtype=np.int32) for name, values in whole.items()},
        **{name: np.array(values, dtype=np.float64) for name, values in real.items()},
        **_law(problem, part),
        **_lead_times(part),
    }


def _law(problem: SparesNetwork, part: Part) -> dict[str, NDArray[Any]]:
    """Return the exposures, and where age and exposure so far go, site by site."""
    bins = [site.age.multiplier if site.age else (1,) for site in part.sites]
    levels = exposure_levels(problem, part)
    with_ages = any(site.age for site in part.sites)
    exposure = np.stack([site.exposures(problem.periods) for site in part.sites], axis=1)
    following, ratio, num_levels = list[NDArray[np.int32]](), list[NDArray[np.float64]](), []
    for period in range(problem.periods):
        for s in range(len(part.sites)):
            now, then = levels[period][s], levels[period][s + 1]
            num_levels.append(len(now))
            if not with_ages:
                following.append(_STAYS)
                rate = part.prior.rate + float(now[0])
                ratio.append(exposure[period, s : s + 1] / rate)
                continue
            goes = FailureNode(part, s, period, problem).exposures(now, then)
            following.append(goes.ravel().astype(np.int32))
            rates = np.array([part.prior.rate + float(x) for x in now])
            ratio.append((np.array(bins[s])[:, None] * exposure[period, s] / rates).ravel())
    ratios = np.concatenate(ratio)  # of the period's exposure to the rate of the belief
    nodes = NetworkNodes(problem, part)
    size = np.array([nodes.belief_shape(period) for period in range(problem.periods)])
    return {
        "exposure": np.ascontiguousarray(exposure.ravel()),
        "bin_start": np.concatenate([[0], np.cumsum([len(b) for b in bins])]).astype(np.int32),
        "multiplier": np.array([m for b in bins for m in b], dtype=np.int32),
        "first_bin": np.array(
            [site.age.initial if site.age else 0 for site in part.sites], dtype=np.int32
        ),
        "num_levels": np.array(num_levels, dtype=np.int32),
        "next_start": _starts(following),
        "level_next": np.concatenate(following),
        "decay": np.log1p(ratios),
        "share": ratios / (1.0 + ratios),
        "belief_size": np.ascontiguousarray(size[:, 1:].ravel().astype(np.int64)),
    }


def _lead_times(part: Part) -> dict[str, NDArray[Any]]:
    """Return the chance that an order has arrived by each age, location by location."""
    start, chance = [0], list[NDArray[np.float64]]()
    for location in part.locations:
        arrived = np.asarray(1.0 - np.cumprod(1.0 - location.arrival), dtype=np.float64)
        arrived[-1] = 1.0
        chance.append(arrived)
        start.append(start[-1] + arrived.size)
    return {
        "lead_start": np.array(start, dtype=np.int32),
        "lead_chance": np.concatenate(chance),
    }


def table_arrays(nodes: NetworkNodes) -> dict[str, NDArray[Any]]:
    """Return how the kernel numbers states and reads quantities off post-decision states."""
    lookups = [stock.found.lookup for stock in nodes.stocks]
    behind = [s.decided.stock if s.merges else s.decided.ordered for s in nodes.stocks]
    beliefs = [nodes.belief_states(period) for period in range(nodes.first, nodes.last)]
    return {
        "beliefs": np.array(beliefs, dtype=np.int64),
        "lookup_start": _starts(lookups),
        "lookup": np.concatenate([x.ravel() for x in lookups]).astype(np.int32),
        "ages": np.array([x.shape[2] for x in lookups], dtype=np.int32),
        "found_size": np.array([s.found.size for s in nodes.stocks], dtype=np.int32),
        "decided_size": np.array([s.decided.size for s in nodes.stocks], dtype=np.int32),
        "decided_start": _starts(behind),
        "quantity_behind": np.concatenate(behind).astype(np.int32),
        "merges": np.array([s.merges for s in nodes.stocks], dtype=np.int32),
    }


def _starts(arrays: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([x.size for x in arrays])])[:-1].astype(np.int64)


def check_numbers(problem: SparesNetwork, part: Part, rates: NDArray[np.float64]) -> None:
    """Raise if counts could overflow, or a failure rate is too high to be drawn from.

    Raises
    ------
    ValueError
        Naming the part and the number.
    """
    largest = max(max(x.capacity, x.backorders) for x in part.locations)
    largest = max(largest, part.truncate)
    if largest * problem.periods > LARGEST or part.truncate >= 2**16:
        raise ValueError(
            f"part {part.name!r}: capacity, backorders or truncate times periods is too large to be"
            f" counted: {largest} x {problem.periods}."
        )
    most = max(float(site.exposures(problem.periods).max()) for site in part.sites)
    if rates.size and not (np.isfinite(rates).all() and (rates >= 0.0).all()):
        raise ValueError("rates must be finite numbers of at least 0.")
    if rates.size and rates.max() * most > 600.0:
        raise ValueError(
            f"rates: {rates.max():g} makes more than 600 failures a period at one site; shorten"
            " the periods."
        )


def checked_failures(problem: SparesNetwork, part: Part, failures: ArrayLike) -> NDArray[np.int32]:
    """Return failures [periods, sites] that came, as the kernel takes them.

    Raises
    ------
    ValueError
        If the shape or a number is not possible.
    """
    found = np.asarray(failures)
    wanted = (problem.periods, len(part.sites))
    if found.shape != wanted:
        raise ValueError(
            f"part {part.name!r}: failures must have shape (periods, sites), {wanted}; got"
            f" {found.shape}."
        )
    whole = np.issubdtype(found.dtype, np.integer)
    if not whole or found.min() < 0 or found.max() > MOST_FAILURES:
        raise ValueError(
            f"part {part.name!r}: failures must be whole numbers in 0..{MOST_FAILURES}; got"
            f" {found.dtype} from {found.min()} to {found.max()}."
        )
    return np.ascontiguousarray(found, dtype=np.int32)
