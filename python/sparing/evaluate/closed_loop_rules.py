"""Plans as rules of a twin: looked up, or made anew as the twin's own records come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sparing.evaluate.closed_loop import ClosedLoop, Standing, state_of
from sparing.evaluate.network_plan import NetworkSolution
from sparing.records.gamma_rate import GammaRate
from sparing.records.rates import infer_rates, varying_covariates
from sparing.simulate.twin_rules import Review

NUM_DRAWS = 1000  # of the effects of climate, at each review


@dataclass(frozen=True, eq=False)
class PlanRule:
    """A rule for a twin that looks up the optimal plan; its belief is that of the exact model."""

    solution: NetworkSolution
    _seen: dict[tuple[int, Standing], dict[str, int]] = field(default_factory=dict, repr=False)

    def orders(self, review: Review) -> Mapping[str, int]:
        """Return what the plan orders."""
        standing = standing_of(review, review.failures, review.exposure)
        key = (review.part_index, standing)
        if key not in self._seen:
            plan = self.solution.plans[review.part_index]
            state = state_of(self.solution.problem, plan, standing)
            quantities = plan.orders(review.period, state).tolist()
            self._seen[key] = dict(zip(review.locations, quantities, strict=True))
        return self._seen[key]

    def base_stock(self, part: str, location: str) -> int | None:
        """Return None: plans order at reviews."""
        return None


@dataclass(frozen=True, eq=False)
class ClosedLoopRule:
    """A rule for a twin that learns from its records: every failure, the exposure in service.

    Parameters
    ----------
    reference
        The climate for which the case states its exposures, such as ``{"temperature": 10.0}``. At
        each review the effects of what varies in the records are inferred, and their exposure is
        taken for the one that would see as many failures there. Empty: exposure as recorded.
    """

    loop: ClosedLoop
    reference: Mapping[str, float] = field(default_factory=dict)

    def orders(self, review: Review) -> Mapping[str, int]:
        """Return what the closed loop advises."""
        part = self.loop.solution.problem.parts[review.part_index]
        exposure = self._exposure(review) if self.reference else review.seen_exposure
        standing = standing_of(review, review.seen_failures, exposure)
        return self.loop.advise(part, standing).orders

    def _exposure(self, review: Review) -> float:
        """Return the exposure of the part at the reference climate."""
        records = review.records()
        varying = varying_covariates(records) if records else ()
        covariates = [name for name in varying if name in self.reference]
        if not covariates:
            return review.seen_exposure
        priors = {
            part.name: GammaRate(shape=part.prior.shape, rate=part.prior.rate)
            for part in self.loop.solution.problem.parts
        }
        reference = {name: self.reference[name] for name in covariates}
        fit = infer_rates(
            records, prior=priors, covariates=covariates, reference=reference, num_draws=NUM_DRAWS
        )
        scaled = fit.at_reference(records)
        return sum(record.exposure for record in scaled if record.component == review.part)

    def base_stock(self, part: str, location: str) -> int | None:
        """Return None: plans order at reviews."""
        return None


def standing_of(review: Review, failures: int, exposure: float) -> Standing:
    """Return where a part stands at a twin's review."""
    return Standing(
        period=review.period,
        net=review.net,
        ordered=review.ordered,
        age=review.age,
        age_bins=review.age_bins,
        failures=failures,
        exposure=exposure,
    )
