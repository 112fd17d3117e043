"""One stock whose unmet demand is lost: optimal orders under a lead time, as an explicit MDP."""

from __future__ import annotations

from itertools import product
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing._checks import check_number
from sparing.models.explicit import ExplicitMDP

DemandLaw: TypeAlias = Literal["poisson", "geometric"]


def lost_sales_mdp(
    *,
    demand: DemandLaw,
    mean_demand: float,
    lead_time: int,
    stockout_cost: float,
    holding_cost: float = 1.0,
) -> ExplicitMDP:
    """Return the lost-sales problem of Zipkin (2008) as a Markov decision process of average cost.

    Each period: the order of `lead_time` periods ago is on hand, a new one is placed, demand is
    met as far as stock goes and the rest is lost, then holding cost is paid per unit left and
    stock-out cost per unit lost. The state is (on hand, due next, ..., due in lead_time - 1).

    Orders are limited to the standard vector base-stock policy, which an optimal one never
    exceeds (Morton 1969; Zipkin 2008, sec. 3.2): the new order and the k youngest before it are
    together at most the least v with P(demand of k + 1 periods > v) <= h / (p + h).

    Parameters
    ----------
    demand
        ``"poisson"``, or ``"geometric"`` on 0, 1, ...
    lead_time
        Whole periods, at least 1; states grow exponentially with it.

    Examples
    --------
    >>> import sparing
    >>> mdp = lost_sales_mdp(demand="poisson", mean_demand=5, lead_time=1, stockout_cost=4)
    >>> round(sparing.solve(mdp).upper, 4)
    4.0407
    """
    from scipy.sparse import csr_array

    if not check_number("mean_demand", mean_demand) > 0.0:
        raise ValueError(f"mean_demand must be > 0; got {mean_demand:g}.")
    if lead_time != int(lead_time) or lead_time < 1:
        raise ValueError(f"lead_time must be a whole number, at least 1; got {lead_time}.")
    for name, value in (("stockout_cost", stockout_cost), ("holding_cost", holding_cost)):
        if not check_number(name, value) > 0.0:
            raise ValueError(f"{name} must be > 0; got {value:g}.")
    tail = holding_cost / (stockout_cost + holding_cost)
    limits = [_quantile(demand, mean_demand, k, tail) for k in range(1, lead_time + 2)]
    states = _states(lead_time, limits)
    number = np.full(tuple(states.max(axis=0) + 1), -1, dtype=np.int64)
    number[tuple(states.T)] = np.arange(len(states))

    # Pairs: each state with each order that keeps every partial sum within its limit.
    room = _room(states, limits)
    count = room + 1
    indptr = np.append(0, np.cumsum(count))
    of_pair = np.repeat(np.arange(len(states)), count)
    order = np.arange(indptr[-1]) - indptr[of_pair]
    on_hand = states[of_pair, 0]
    behind = np.column_stack([states[of_pair][:, 1:], order])  # due next, ..., ordered now

    law = _law(demand, mean_demand, int(states[:, 0].max()))
    entries = on_hand + 1  # demand 0 .. on hand - 1, or at least what is on hand
    row_ptr = np.append(0, np.cumsum(entries))
    pair = np.repeat(np.arange(order.size), entries)
    met = np.arange(row_ptr[-1]) - row_ptr[pair]
    emptied = met == on_hand[pair]
    probability = np.where(emptied, _tail(law, on_hand)[pair], law[met])
    following = behind[pair]
    following[:, 0] += on_hand[pair] - met
    columns = number[tuple(following.T)]
    transition = csr_array((probability, columns, row_ptr), shape=(order.size, len(states)))
    left = _mean_left(law, on_hand)
    lost = mean_demand - (on_hand - left)
    return ExplicitMDP(
        transition=transition,
        cost=holding_cost * left + stockout_cost * lost,
        state_indptr=indptr,
        action=order,
        discount=1.0,
    )


def _states(lead_time: int, limits: list[int]) -> NDArray[np.int64]:
    """List the states (x_0, ..., x_{L-1}) all of whose tails x_i + ... are within their limits.

    Tails without x_0 were limited when their youngest order was placed; what is on hand may hold
    what came in then and was not asked for, so all together have the widest limit.
    """
    tails = [limits[lead_time], *(limits[lead_time - 1 - i] for i in range(1, lead_time))]
    found = [
        state
        for state in product(*(range(tail + 1) for tail in tails))
        if all(sum(state[i:]) <= tails[i] for i in range(lead_time))
    ]
    return np.array(found, dtype=np.int64)


def _room(states: NDArray[np.int64], limits: list[int]) -> NDArray[np.int64]:
    """Return the largest order of each state."""
    lead_time = states.shape[1]
    tails = np.cumsum(states[:, ::-1], axis=1)  # youngest first
    room = np.full(len(states), limits[0])
    for k in range(lead_time):
        room = np.minimum(room, limits[k + 1] - tails[:, k])
    return np.asarray(np.maximum(room, 0))


def _law(demand: DemandLaw, mean: float, most: int) -> NDArray[np.float64]:
    from scipy.stats import nbinom, poisson

    counts = np.arange(most + 1)
    if demand == "poisson":
        return np.asarray(poisson.pmf(counts, mean))
    return np.asarray(nbinom.pmf(counts, 1, 1.0 / (1.0 + mean)))


def _quantile(demand: DemandLaw, mean: float, periods: int, tail: float) -> int:
    from scipy.stats import nbinom, poisson

    if demand == "poisson":
        return int(poisson.isf(tail, periods * mean))
    if demand == "geometric":
        return int(nbinom.isf(tail, periods, 1.0 / (1.0 + mean)))
    raise ValueError(f"demand must be 'poisson' or 'geometric'; got {demand!r}.")


def _tail(law: NDArray[np.float64], on_hand: NDArray[np.int64]) -> NDArray[np.float64]:
    """P(demand >= on hand)."""
    below = np.append(0.0, np.cumsum(law))
    return np.asarray(1.0 - below[on_hand])


def _mean_left(law: NDArray[np.float64], on_hand: NDArray[np.int64]) -> NDArray[np.float64]:
    """E (on hand - demand)^+ = sum over x < on hand of P(demand <= x)."""
    return np.asarray(np.append(0.0, np.cumsum(np.cumsum(law)))[on_hand])
