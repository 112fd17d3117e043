"""What a reader of a stock plan has to know about its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sparing.models.spares_network import SparesNetwork
from sparing.planning.spares_estimates import SpareEstimates
from sparing.planning.spares_input import SparesInput
from sparing.planning.spares_levels import StockLevel
from sparing.planning.spares_problem import Standing
from sparing.planning.spares_today import TodayLevels


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


def spares_remarks(
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
            taken = 0 if place.outstanding is None else place.outstanding.quantity
            left = now.ordered - taken - max(place.initial - max(now.net, -place.backorders), 0)
            if left > 0:
                found.append(
                    f"{part.name} at {place.name}: {left} of {now.ordered} units on order are left"
                    " out, as max_order is less."
                )
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
    if today is None and source.stock is not None:
        found.append("Too few orders are on record to read today's levels from.")
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
