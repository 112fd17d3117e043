"""The stocks in a plan's report: orders now, levels, cost and service, demand, assumptions."""

from __future__ import annotations

from sparing.evaluate.network_plan import PartPlan
from sparing.planning.spares_change import SparesChange
from sparing.planning.spares_levels import order_map
from sparing.planning.spares_plan import SparesPlan
from sparing.report import html
from sparing.report.plan_scores import stock_score_section
from sparing.report.spares_basis import demand_to_come, rates_and_lead_times, spares_assumptions
from sparing.report.spares_charts import curve_chart, order_table

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


def stock_cost(spares: SparesPlan) -> str:
    """Return cost and service of the recommended policy beside baselines."""
    periods, rows = spares.network.periods, []
    for row in spares.rows:
        mean = row.result.mean
        low, high = spares.robustness.cost_interval(row.key)
        worst, best = spares.robustness.sla_interval(row.key)
        more = ""
        if row.more is not None:
            difference, half = (value / periods for value in row.more)
            more = f"{difference:+,.0f} ± {half:,.0f}"
        cells = [
            f"{mean['total_cost'] / periods:,.0f}",
            f"{low:,.0f} to {high:,.0f}",
            more,
            f"{mean['holding_cost'] / periods:,.0f}",
            f"{mean['downtime_cost'] / periods:,.0f}",
            f"{100 * mean['sla']:.2f} %",
            f"{100 * worst:.1f} to {100 * best:.1f} %",
            "" if row.more is None else f"{spares.robustness.better(row.key):.0%}",
        ]
        rows.append([row.name, *map(_unbroken, cells)])
    first = spares.rows[0]
    costs = [(row.name, row.result.mean["total_cost"] / periods) for row in spares.rows]
    parts = [
        html.paragraph(
            f"Expected cost per review of {spares.source.settings.period:g} days over the next"
            f" {periods} reviews, from the stock of now. SLA is the share of site and part time"
            " without a missing unit. All policies meet the same failures and lead times."
        ),
        html.bars(
            costs,
            marked=first.name,
            interval=spares.robustness.cost_interval(first.key),
        ),
        html.table(
            [
                "policy",
                "cost",
                "95 % by records",
                "more, paired",
                "holding",
                "downtime",
                "SLA",
                "95 % by records",
                "dearer in",
            ],
            rows,
        ),
        html.paragraph(
            f"The intervals by records are over {spares.robustness.cost[first.key].size} draws of"
            " failure rates and lead times, each policy as it is; the last column says in how many"
            " of them a policy costs more than the recommended one. ± is the 95 % interval of the"
            " rollouts. One order of a part is under way to a location at a time, which is hard on"
            " base stocks: they order units one by one.",
            "note",
        ),
    ]
    if (found := spares.policy.solution) is not None:
        times = spares.policy.price
        price = f", downtime at {times:.3g} times its cost as the SLA asks" if times != 1.0 else ""
        names = ", ".join(plan.part.name for plan in found.plans)
        parts.append(
            html.paragraph(
                f"The exact plans ({names}) cost {found.objective:,.6f} over"
                f" {found.problem.periods} reviews{price}: the optimum in what the records lead to"
                f" believe, certified to {found.upper - found.lower:.1g}.",
                "note",
            )
        )
    if spares.information:
        total = sum(value.mean for value in spares.information)
        parts += [
            html.paragraph(
                f"Were the failure rates known, {total:,.2f} per review could be saved on average:"
                " the most that better data on them can be worth."
            ),
            html.table(
                ["failure rate of", "worth to know, per review", "numerical error"],
                [[x.part, f"{x.mean:,.2f}", f"{x.error:.1g}"] for x in spares.information],
            ),
        ]
    return html.section("Cost and service of the stocks", *parts)


def _unbroken(text: str) -> str:
    """Return a cell's text that is not broken into lines."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def cost_service_curve(spares: SparesPlan) -> str:
    """Return the curve: what more service costs."""
    kinds = dict.fromkeys(point.kind for point in spares.curve)
    lines = []
    for kind in sorted(kinds, key=["METRIC", "base stock", "recommended"].index):
        line = sorted((p.sla, p.cost) for p in spares.curve if p.kind == kind)
        lines.append((kind, line))
    periods, points = spares.network.periods, []
    for row in spares.rows:
        if row.key in ("recommended", "min_max", "today"):
            mean = row.result.mean
            cost = (mean["total_cost"] - mean["downtime_cost"]) / periods
            name = {"min_max": "min-max"}.get(row.key, row.key)
            points.append((name, mean["sla"], cost))
    rows = [
        [
            p.kind,
            f"{p.factor:g}",
            f"{p.cost:,.1f} ± {p.cost_half_width:.1f}",
            f"{100 * p.sla:.2f} ± {100 * p.sla_half_width:.2f} %",
        ]
        for p in spares.curve
    ]
    return html.section(
        "Cost against service",
        html.paragraph(
            "What holding, orders and emergencies cost per review for a service level: plans made"
            " for downtime that costs less or more than it is said to."
        ),
        curve_chart(
            lines,
            points,
            x_title="SLA (share of site and part time without a missing unit)",
            y_title="cost per review without downtime",
        ),
        html.folded(
            "The points",
            html.table(["policy", "downtime cost times", "cost per review", "SLA"], rows),
        ),
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
