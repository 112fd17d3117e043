"""One location that orders each unit as it is used: Palm's theorem."""

from __future__ import annotations

from dataclasses import dataclass

from sparing._checks import check_number


@dataclass(frozen=True, kw_only=True)
class OneForOne:
    """What a base stock gives in the long run, with Poisson demand and full backordering."""

    fill_rate: float  # share of demand met from stock
    ready_rate: float  # share of time without a backorder
    backorders: float  # mean number of units backordered
    on_hand: float  # mean number of units on hand


def one_for_one(load: float, base_stock: int) -> OneForOne:
    """Return the measures of a base stock under a pipeline of mean `load`.

    The units on order are Poisson with mean demand rate x mean lead time, whatever the
    distribution of independent lead times (Palm 1938; Sherbrooke 2004, sec. 2.5).

    Parameters
    ----------
    load
        Demand rate x mean lead time [units], at least 0.
    base_stock
        S: units on hand and on order, less those backordered.

    Examples
    --------
    >>> round(one_for_one(3.0, 5).fill_rate, 5)
    0.81526
    """
    from scipy.stats import poisson

    check_number("load", load, at_least=0.0)
    if check_number("base_stock", base_stock, at_least=0) != int(base_stock):
        raise ValueError(f"base_stock must be a whole number; got {base_stock}.")
    # E (N - S)^+ = load P(N >= S) - S P(N > S), as n P(N = n) = load P(N = n - 1).
    above = float(poisson.sf(base_stock, load))
    waiting = load * float(poisson.sf(base_stock - 1, load)) - base_stock * above
    if above < 1e-3:  # the difference would cancel
        counts = range(base_stock + 1, base_stock + 200 + int(2 * load))
        waiting = sum((n - base_stock) * float(poisson.pmf(n, load)) for n in counts)
    return OneForOne(
        fill_rate=float(poisson.cdf(base_stock - 1, load)),
        ready_rate=1.0 - above,
        backorders=waiting,
        on_hand=base_stock - load + waiting,
    )
