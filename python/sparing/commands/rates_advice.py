"""What `sparing rates --case` says to order: the closed loop by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sparing.commands.twin_policies import check_size
from sparing.evaluate.closed_loop import ClosedLoop, Standing, check_standing, seen_in
from sparing.evaluate.network_solution import solve_network
from sparing.models.spares_network import Part, SparesNetwork
from sparing.records.failures import FailureRecord


def advice_of(
    network: SparesNetwork,
    records: Sequence[FailureRecord],
    period: int,
    stock: str,
    ordered: str,
) -> list[dict[str, Any]]:
    """Return per part the belief after `records` and what to order at the review of `period`.

    Parameters
    ----------
    stock, ordered
        Such as ``central=3,site=-1`` and ``site=2@1`` (age in reviews), for every part alike;
        default the stock at the start, and no order.
    """
    stocks = _numbers(network, "--stock", stock)
    under_way = _orders(network, ordered)
    standings = []
    for part in network.parts:
        failures, exposure = seen_in(records, part)
        orders = [under_way.get(name, (0, 0)) for name in part.names]
        standing = Standing(
            period=period,
            net=tuple(stocks.get(x.name, x.initial) for x in part.locations),
            ordered=tuple(quantity for quantity, _ in orders),
            age=tuple(age for _, age in orders),
            age_bins=_ages(part, records, period),
            failures=failures,
            exposure=exposure,
        )
        check_standing(network, part, standing)
        standings.append(standing)
    check_size(network, "--case", "leave it out, or make the case smaller")
    loop = ClosedLoop(solve_network(network))
    found = []
    for part, standing in zip(network.parts, standings, strict=True):
        advice = loop.advise(part, standing)
        found.append(
            {
                **vars(advice),
                "period": period,
                "stock": dict(zip(part.names, standing.net, strict=True)),
            }
        )
    return found


def _ages(part: Part, records: Sequence[FailureRecord], period: int) -> tuple[int, ...]:
    """Return the age bin of each site's oldest unit: the periods since its last failure."""
    bins = []
    for location in part.locations:
        if location.age is None:
            bins.append(0)
            continue
        own = [r for r in records if (r.component, r.location) == (part.name, location.name)]
        bin_, last = location.age.initial, len(location.age.multiplier) - 1
        for record in sorted(own, key=lambda r: r.start)[-period:] if period else ():
            bin_ = 0 if record.failures else min(bin_ + 1, last)
        bins.append(bin_)
    return tuple(bins)


def _numbers(network: SparesNetwork, option: str, text: str) -> dict[str, int]:
    found = {}
    for name, value in _pairs(network, option, text):
        try:
            found[name] = int(value)
        except ValueError:
            raise ValueError(f"{option} {name}: must be a whole number; got {value!r}.") from None
    return found


def _orders(network: SparesNetwork, text: str) -> dict[str, tuple[int, int]]:
    found = {}
    for name, value in _pairs(network, "--ordered", text):
        quantity, _, age = value.partition("@")
        try:
            found[name] = int(quantity), int(age or 1)
        except ValueError:
            raise ValueError(
                f"--ordered {name}: must be a quantity and an age such as 2@1; got {value!r}."
            ) from None
    return found


def _pairs(network: SparesNetwork, option: str, text: str) -> list[tuple[str, str]]:
    names = [location.name for location in network.locations]
    found = []
    for entry in filter(None, text.split(",")):
        name, equals, value = entry.partition("=")
        if name.strip() not in names or not equals:
            raise ValueError(
                f"{option}: give location=number, locations being {', '.join(names)}; got"
                f" {entry!r}."
            )
        found.append((name.strip(), value.strip()))
    return found
