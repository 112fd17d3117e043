"""What the stocks of a plan rest on, in its report: demand, rates, lead times, assumptions."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from sparing.planning.spares_demand import LEVELS
from sparing.planning.spares_plan import SparesPlan
from sparing.records.failure_history import UNIX, UnitRecords
from sparing.report import html
from sparing.report.spares_charts import demand_chart

SHOWN_PARTS = 30  # whose demand is drawn; tables hold all


def demand_to_come(spares: SparesPlan) -> str:
    """Return the demand on record and to come."""
    demand = spares.demand
    if demand is None:
        return html.section(
            "Demand", html.paragraph("There are no records of failures to forecast from.")
        )
    words = (
        "Bars: failures on record by month. Behind them, to come: shaded up to the 90, 95 and"
        " 99.5 % quantiles by the failure rates and what is installed, red their mean"
    )
    if demand.forecast is not None:
        words += f"; blue the forecast of the series by the method {demand.method}"
    elif demand.reason:
        words += f". There is no forecast of the series: {demand.reason}"
    parts, rows = [html.paragraph(words + ".")], []
    for row, name in enumerate(demand.parts):
        series = None if demand.forecast is None else demand.forecast[row]
        top = demand.quantiles[LEVELS.index(0.95), row]
        rows.append(
            [
                name,
                f"{demand.seen[row, -12:].sum():g}",
                f"{demand.mean[row].sum():.1f}",
                "" if series is None else f"{series.sum():.1f}",
                f"{top[0]:g}",
            ]
        )
        if row < SHOWN_PARTS:
            bands = [demand.quantiles[LEVELS.index(q), row] for q in (0.995, 0.95, 0.9)]
            parts.append(html.paragraph(name))
            parts.append(
                demand_chart(name, demand.months, demand.seen[row], bands, demand.mean[row], series)
            )
    columns = ["part", "last 12 months", "next 12, by rates", "by forecast", "95 % of a month"]
    return html.section("Demand", html.table(columns, rows), *parts)


def rates_and_lead_times(spares: SparesPlan) -> str:
    """Return what was estimated for the stocks."""
    rows = []
    for name, rate in spares.estimates.rates.items():
        low, high = rate.belief.interval()
        rows.append(
            [
                name,
                str(rate.failures),
                f"{rate.exposure:,.1f}",
                f"{rate.belief.mean:.4g}",
                f"{low:.4g} to {high:.4g}",
            ]
        )
    times = []
    for name, found in spares.estimates.lead_times.items():
        if found.fit is None:
            times.append([name, "as plan.toml says", "", "", ""])
            continue
        low, high = found.fit.mean_interval()
        spread = float(found.fit.scale * np.sqrt(found.fit.shape))
        orders = f"{found.fit.num_orders}{' (with its like)' if found.pooled else ''}"
        times.append(
            [name, f"{found.fit.mean:.1f}", f"{low:.1f} to {high:.1f}", f"{spread:.1f}", orders]
        )
    return html.section(
        "Failure rates and lead times",
        html.table(["part", "failures", "exposure", "rate", "95 %"], rows),
        html.table(["lead time to", "mean, days", "95 %", "deviation", "orders"], times),
    )


def spares_assumptions(spares: SparesPlan) -> list[str]:
    """Return what the stocks rest on, a line each."""
    source, lines = spares.source, list[str]()
    settings = source.settings
    unit = (
        "unit-year" if isinstance(source.failures, UnitRecords) else "unit of the records' exposure"
    )
    first = settings.first
    if source.failures is not None:
        since = "the first installation on record" if first is None else str(_day(first))
        lines.append(
            f"Failures: Poisson with a rate per {unit} that a part has everywhere; its belief is"
            " Gamma (Jeffreys' prior unless plan.toml gives one). Every failure from"
            f" {since} to {source.today} is taken to be on record."
        )
    lines += [
        "Lead times: Gamma by maximum likelihood of orders that came, seen once a review; one order"
        " of a part under way to a location at a time. Intervals resample the orders.",
        f"Stocks are reviewed every {settings.period:g} days; exact plans look {settings.beyond}"
        f" reviews past the {settings.periods} that are judged, so that shelves are not run down.",
        "Demand is what fails now: the same units stay installed"
        + (", scaled by the forecast of the series." if settings.demand == "forecast" else "."),
        "Capacities that plan.toml does not give are one above the base stocks of three times the"
        " downtime cost, or what is there today.",
        *spares.remarks,
    ]
    solution = spares.policy.solution
    return [*lines, *([] if solution is None else solution.remarks)]


def _day(days: float) -> str:
    return (UNIX + timedelta(days=int(days))).isoformat()
