"""The stocks in a plan's report: orders now, levels, cost and service, demand, assumptions."""

from __future__ import annotations

from sparing.evaluate.network_plan import PartPlan
from sparing.planning.spares_change import SparesChange
from sparing.planning.spares_levels import order_map
from sparing.planning.spares_plan import SparesPlan
from sparing.report import html
from sparing.report.plan_scores import stock_score_section
from sparing.report.spares_basis import demand_to_come, rates_and_lead_times, spares_assumptions
from sparing.report.spares_charts import order_table
from sparing.report.spares_cost import cost_service_curve, stock_cost

SHOWN_PARTS = 30  # whose maps are drawn
NO_STOCK = (
    "No stock is on record, so these are no orders to place: they are what would be due if nothing"
    " were on any shelf or under way. Count the shelves into stock.csv (Part, Location, Time, On"
    " Hand) and plan again, or ask `sparing policy` for the stock there is. What the stocks cost"
    " below is from empty shelves, too."
)


def spares_report(spares: SparesPlan, change: SparesChange | None = None) -> str:
    """Return the report of a folder of spares alone as one HTML file."""
    return html.page(
        f"Spares plan of {spares.source.today}",
        [
            orders_now(spares),
            *([spares_changed(change)] if change is not None else []),
            *spares_sections(spares, change),
            html.section(
                "Assumptions and remarks", *[html.paragraph(x) for x in spares_assumptions(spares)]
            ),
        ],
    )


def spares_sections(spares: SparesPlan, change: SparesChange | None = None) -> list[str]:
    """Return the sections behind the orders of now, but for the assumptions."""
    return [
        stock_levels(spares),
        stock_cost(spares),
        cost_service_curve(spares),
        stock_score_section(spares, change),
        order_maps(spares),
        demand_to_come(spares),
        rates_and_lead_times(spares),
    ]


def orders_now(spares: SparesPlan) -> str:
    """Return what to order now."""
    network = spares.network
    suppliers = {x.name: x.supplier for x in network.locations}
    rows = [
        [
            x.part,
            x.location,
            suppliers[x.location],
            str(x.standing.net) if x.standing.known else "?",
            str(x.standing.ordered),
            f"order {x.order_now}",
        ]
        for x in spares.orders
    ]
    day = spares.source.today.isoformat()
    if not rows:
        return html.section("Orders to place now", html.paragraph(f"None, as of {day}."))
    if spares.source.stock is None:
        title, words = "Orders if every shelf is empty", NO_STOCK
    else:
        title, words = "Orders to place now", f"{len(rows)} orders are due by the stock of {day}."
    return html.section(
        title,
        html.paragraph(words),
        html.table(["part", "location", "from", "net stock", "on order", "do now"], rows, marked=5),
        html.paragraph(
            "Net stock is what is on hand less what waits for a unit; ? is not on record.", "note"
        ),
    )


def spares_changed(change: SparesChange) -> str:
    """Return what new records changed."""
    rows = [
        [name, _rate(before), _rate(after), f"{after[0] / before[0] - 1:+.1%}"]
        for name, (before, after) in change.rates.items()
    ]
    orders = [
        [part, location, str(before), str(after)]
        for (part, location), (before, after) in change.orders.items()
    ]
    levels = [
        [part, location, _pair(*before), _pair(*after)]
        for (part, location), (before, after) in change.levels.items()
    ]
    before, after = change.cost
    return html.section(
        "What changed in the stocks",
        html.paragraph(
            f"{change.num_records} records were added to {change.file}."
            f" {change.reason[0].upper()}{change.reason[1:]} What is expected per review moved from"
            f" {before:,.2f} to {after:,.2f}."
        ),
        html.table(["failure rate of", "before", "now", "change"], rows),
        html.table(["order now: part", "location", "before", "now"], orders)
        if orders
        else html.paragraph("The orders to place are the same."),
        html.table(["levels: part", "location", "before", "now"], levels)
        if levels
        else html.paragraph("No stock level changed."),
    )


def stock_levels(spares: SparesPlan) -> str:
    """Return the levels of all parts and locations, with how each part was planned."""
    choices = spares.policy.choices
    rows = [
        [
            x.part,
            x.location,
            _level(x.reorder_at),
            _level(x.order_up_to),
            "" if x.today is None else _pair(x.today.reorder_at, x.today.order_up_to),
            choices[x.part].method,
        ]
        for x in spares.levels
    ]
    reasons = [[name, choice.method, choice.reason] for name, choice in choices.items()]
    return html.section(
        "Stock levels",
        html.table(
            ["part", "location", "order at or below", "up to", "today: min, max", "planned by"],
            rows,
        ),
        html.paragraph(
            "Levels of an exact plan are those of now, with nothing under way and the supplier's"
            " shelf full; they move as failures are seen and stocks fall. Of rules they are fixed.",
            "note",
        ),
        html.folded("Why each part is planned so", html.table(["part", "by", "because"], reasons)),
    )


def order_maps(spares: SparesPlan) -> str:
    """Return per part and site what to order by its own stock and its supplier's."""
    parts, shown = list[str](), 0
    for part in spares.network.parts:
        plan = spares.policy.policies[part.name]
        if not isinstance(plan, PartPlan) or shown >= SHOWN_PARTS:
            continue
        shown += 1
        maps = []
        for position, name in enumerate(part.names):
            found = order_map(plan, position)
            if found is not None:
                shelves, stocks, orders = found
                supplier = part.names[part.suppliers[position]]
                title = f"{part.name}: units {name} orders, by its net stock and {supplier}'s shelf"
                maps.append(html.paragraph(title))
                maps.append(order_table(shelves.tolist(), stocks.tolist(), orders))
        if maps:
            parts.append(html.folded(part.name, *maps))
    if not parts:
        parts.append(html.paragraph("No part is planned exactly: the levels above are the policy."))
    return html.section("What to order in which state", *parts)


def _level(level: int | None) -> str:
    return "never" if level is None else str(level)


def _pair(reorder: int | None, upto: int | None) -> str:
    return f"{_level(reorder)}, {_level(upto)}"


def _rate(found: tuple[float, float, float]) -> str:
    mean, low, high = found
    return f"{mean:.4g} ({low:.4g} to {high:.4g})"
