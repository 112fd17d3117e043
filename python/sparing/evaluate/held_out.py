"""Failure records cut in two: those that a policy is fitted on, and those that it has to meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.closed_loop import seen_in
from sparing.models.network_values import check_whole
from sparing.models.spares_network import Part, SparesNetwork
from sparing.records.failures import FailureRecord


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """One set of records, cut at a date.

    Attributes
    ----------
    network
        The case with the belief after the fitted records as its prior, and as many periods as are
        held out.
    failures
        Per part the failures [periods, sites] that are held out.
    first
        When the first held-out period began.
    exposure
        Of the held-out records, in shares of what the case states.
    """

    network: SparesNetwork
    failures: Mapping[str, NDArray[np.int32]]
    num_fitted: int
    first: datetime
    exposure: float

    def predicted(self, part: Part, share: float = 0.95) -> tuple[float, float, float]:
        """Return the expected number of held-out failures of a part, and a prediction interval.

        Negative binomial of the belief, for the exposure that the case states.
        """
        from scipy.stats import nbinom

        exposure = _stated(part, self.network.periods)
        law = nbinom(part.prior.shape, part.prior.rate / (part.prior.rate + exposure))
        low, high = law.interval(share)
        return float(law.mean()), float(low), float(high)


def held_out(
    network: SparesNetwork, records: Sequence[FailureRecord], num_fitted: int | None = None
) -> HeldOut:
    """Cut records between two periods.

    Parameters
    ----------
    num_fitted
        Periods, from the first on, that are fitted; 0: none, so that the case's prior is all that
        is known. Default half of them.

    Raises
    ------
    ValueError
        If nothing is left, a part, site or period has no record or an unknown one, ages of units
        are counted, or the case's exposures are told for fewer periods than are held out.
    """
    starts = sorted({record.start for record in records})
    cut = len(starts) // 2 if num_fitted is None else check_whole("num_fitted", num_fitted, 0)
    if cut >= len(starts):
        raise ValueError(
            f"the records have {len(starts)} periods, of which {cut} are to be fitted: none is"
            " held out; fit fewer."
        )
    for part in network.parts:
        if any(site.age is not None for site in part.sites):
            raise ValueError(f"part {part.name!r}: replays know no ages of units; drop age.")
    known = {part.name for part in network.parts}
    for record in records:
        if record.component not in known:
            raise ValueError(f"unknown component {record.component!r}; known: {sorted(known)}.")
    first = starts[cut]
    fitted = [record for record in records if record.start < first]
    rest = [record for record in records if record.start >= first]
    at = {start: period for period, start in enumerate(starts[cut:])}
    parts, failures, exposure, stated = [], {}, 0.0, 0.0
    for part in network.parts:
        seen = seen_in(fitted, part)
        parts.append(replace(part, prior=part.prior.posterior(*seen)))
        exposure += seen_in(rest, part)[1]
        failures[part.name] = _counts(part, rest, at)
        stated += _stated(part, len(at))
    return HeldOut(
        network=replace(network, parts=tuple(parts), periods=len(at), rolling=None, budget=None),
        failures=failures,
        num_fitted=cut,
        first=first,
        exposure=exposure / stated,
    )


def _stated(part: Part, periods: int) -> float:
    return float(sum(site.exposures(periods).sum() for site in part.sites))


def _counts(
    part: Part, records: Sequence[FailureRecord], at: Mapping[datetime, int]
) -> NDArray[np.int32]:
    """Return failures [periods, sites], which must be there for each."""
    place = {site.name: k for k, site in enumerate(part.sites)}
    found = np.full((len(at), len(place)), -1, dtype=np.int32)
    for record in records:
        if record.component == part.name:
            found[at[record.start], place[record.location]] = record.failures
    for period, site in np.argwhere(found < 0)[:1]:
        start = next(start for start, number in at.items() if number == period)
        raise ValueError(
            f"{part.name} at {part.sites[site].name} has no record from {start.isoformat()}; what"
            " is held out must be there for each part, site and period, also where nothing failed."
        )
    return found
