"""What the records say of spares: failure rates, lead times, and the stock that is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from sparing.planning.spares_input import SparesInput
from sparing.planning.spares_settings import SETTINGS
from sparing.records.failure_history import UNIX, FailureTotals, UnitRecords, failure_totals
from sparing.records.failures import FailureRecord
from sparing.records.gamma_rate import GammaRate
from sparing.records.lead_times import LeadTimeFit, fit_lead_times
from sparing.records.problems import ProblemLog
from sparing.records.rate_checks import RateCheck, check_rates
from sparing.records.rates import JEFFREYS, infer_rates

LEAST_ORDERS = 3  # for a distribution of lead times


@dataclass(frozen=True, kw_only=True, eq=False)
class PartRate:
    """What is believed of a part's failures per unit of exposure.

    Parameters
    ----------
    belief
        Gamma posterior, or the prior where there are no records.
    failures, exposure
        On record.
    """

    belief: GammaRate
    prior: GammaRate
    failures: int
    exposure: float


@dataclass(frozen=True, kw_only=True, eq=False)
class LeadTime:
    """Lead times [days] to a location: a fit, or what plan.toml says.

    Parameters
    ----------
    fit
        None where plan.toml gives the lead time, in reviews.
    pooled
        Whether orders to all locations of the same depth were taken together, as this one has few.
    under_way
        Orders that have not come and are not in the fit.
    """

    fit: LeadTimeFit | None
    pooled: bool = False
    under_way: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class SpareEstimates:
    """Everything that is estimated for the stocks of a plan.

    Parameters
    ----------
    rates
        By part.
    lead_times
        By location.
    totals
        None where there are no records of failures.
    checks
        Posterior predictive checks of the failures by month.
    """

    rates: Mapping[str, PartRate]
    lead_times: Mapping[str, LeadTime]
    totals: FailureTotals | None
    checks: tuple[RateCheck, ...]

    def exposure_per_day(self, source: SparesInput, part: str, location: str) -> float:
        """Return the exposure of what is installed, per day; 0 where nothing is on record."""
        if self.totals is None:
            return 0.0
        row, column = source.parts.index(part), source.locations.index(location)
        return float(self.totals.exposure_per_day[row, column])


def estimate_spares(source: SparesInput) -> SpareEstimates:
    """Estimate rates and lead times.

    Raises
    ------
    sparing.records.problems.RecordsError
        Listing every part without records or prior, and every location without lead times.
    """
    log = ProblemLog()
    totals = None
    if source.failures is not None:
        history, given = source.failures, source.settings.first
        days = history.installed if isinstance(history, UnitRecords) else history.start
        first = float(days.min()) if given is None else given
        totals = failure_totals(
            history, source.parts, source.locations, first=first, last=source.now
        )
    rates = {
        name: rate
        for row, name in enumerate(source.parts)
        if (rate := _rate(source, totals, row, log)) is not None
    }
    lead_times = {name: _lead_time(source, name, log) for name in source.locations}
    log.finish()
    checks = () if totals is None else _checks(source, totals, rates)
    return SpareEstimates(rates=rates, lead_times=lead_times, totals=totals, checks=checks)


def _rate(
    source: SparesInput, totals: FailureTotals | None, row: int, log: ProblemLog
) -> PartRate | None:
    name = source.parts[row]
    given = source.settings.of_part(name, "prior")
    try:
        prior = JEFFREYS if given is None else GammaRate(**given)
    except (TypeError, ValueError) as error:
        log.add(SETTINGS, 0, f"spares.part {name}", f"prior: {error}")
        return None
    failures = 0 if totals is None else int(totals.failures[row].sum())
    exposure = 0.0 if totals is None else float(totals.exposure[row].sum())
    belief = prior.updated(failures, exposure)
    if not belief.rate > 0.0:
        what = "has no record of failures or exposure; give prior = { shape = ..., rate = ... }"
        log.add(SETTINGS, 0, f"spares.part {name}", what)
        return None
    return PartRate(belief=belief, prior=prior, failures=failures, exposure=exposure)


def _lead_time(source: SparesInput, location: str, log: ProblemLog) -> LeadTime:
    if all("lead_time" in source.settings.table(part, location) for part in source.parts):
        return LeadTime(fit=None)
    orders = source.orders
    if orders is not None:
        alike = [x for x in source.locations if _depth(source, x) == _depth(source, location)]
        for names in ((location,), alike):
            times = np.concatenate([orders.lead_times(name) for name in names])
            if times.size >= LEAST_ORDERS:
                waiting = sum(
                    bool(w)
                    for x, w in zip(orders.location, orders.under_way, strict=True)
                    if x in names
                )
                if np.ptp(times) == 0.0:  # as certain as a fit can say
                    times = times * np.linspace(0.99, 1.01, times.size)
                fit = fit_lead_times(times, num_resamples=400, seed=source.settings.seed)
                return LeadTime(fit=fit, pooled=len(names) > 1, under_way=waiting)
    what = (
        f"lead_time is missing: orders.csv has fewer than {LEAST_ORDERS} orders that came to it or"
        " to its like; give lead_time, in reviews"
    )
    log.add(SETTINGS, 0, f"spares.location {location}", what)
    return LeadTime(fit=None)


def _depth(source: SparesInput, location: str) -> int:
    depth, tables = 0, source.settings.locations
    while (above := tables[location].get("supplier", "external")) in tables and depth < len(tables):
        location, depth = above, depth + 1
    return depth


def _checks(
    source: SparesInput, totals: FailureTotals, rates: Mapping[str, PartRate]
) -> tuple[RateCheck, ...]:
    """Compare the failures of each month with what the rates make of its exposure."""
    records = [
        FailureRecord(
            component=name,
            location="",
            start=datetime(UNIX.year, 1, 1) + timedelta(days=31 * month),
            failures=int(totals.demand[row, month]),
            exposure=float(totals.exposed[row, month]),
        )
        for row, name in enumerate(source.parts)
        for month in range(len(totals.months))
        if totals.exposed[row, month] > 0.0
    ]
    if not records:
        return ()
    prior = {name: rates[name].prior for name in rates}
    fit = infer_rates(records, prior=prior, num_draws=1000, seed=source.settings.seed)
    return check_rates(fit, records, num_draws=400, seed=source.settings.seed)
