"""What stocks cost and achieve in a plan's report: beside other policies, and for other service."""

from __future__ import annotations

import numpy as np

from sparing.planning.spares_plan import SparesPlan
from sparing.report import html
from sparing.report.spares_charts import curve_chart


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
    parts += _on_record(spares)
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


def _on_record(spares: SparesPlan) -> list[str]:
    """Return what the records say of today's service, which the model need not come to."""
    reviews = [score.measures for score in spares.scores if score.end <= spares.solved.day]
    if not reviews or all(row.key != "today" for row in spares.rows):
        return []
    sla, cost = (float(np.mean([found[name] for found in reviews])) for name in ("sla", "cost"))
    return [
        html.paragraph(
            f"On record, at the ends of the {len(reviews)} reviews before the policy in force, the"
            f" SLA was {100 * sla:.2f} % and a review cost {cost:,.0f}. Today's levels may come to"
            " something else above, as every policy there orders at reviews only and has one order"
            " under way: what is gained by ordering in between is not in this comparison.",
            "note",
        )
    ]


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
