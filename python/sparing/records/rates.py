"""Failure rates by type of component, and what temperature and humidity do to them.

Failures of row i are Poisson(rate of its component x exposure_i x exp(effects . x_i)), with x_i the
climate of the row less the reference. Rates have Gamma priors, effects normal ones. Given the
effects the rates are Gamma again, so they are integrated out: what is left is a concave density of
one or two effects, drawn from by importance sampling with a Student proposal at its mode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing._checks import check_number
from sparing.records.climate_effects import (
    ClimateEffects,
    Rows,
    draw_effects,
    maximum_likelihood,
    profile_likelihood,
    weighted_sums,
)
from sparing.records.climate_nodes import on_nodes, within_reach
from sparing.records.failures import FailureRecord
from sparing.records.gamma_rate import GammaRate, gamma_of_draws

COVARIATES = ("temperature", "humidity")
BLOCK = 1024  # climates at a time
STEP = 10.0  # effects are per 10 degrees Celsius and per 10 percent
JEFFREYS = GammaRate(shape=0.5, rate=0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class FailureRates:
    """Posterior of the rates of some types of components, and of the effects of climate.

    Attributes
    ----------
    failures, exposure
        Per component what was seen in all.
    priors, rates
        Per component the belief at the reference climate before and after. With climate effects
        the posterior is a mixture of Gammas; `rates` then has its mean and variance.
    rate_draws
        Shape (draws, components), from the joint posterior; so is `effect_draws`.
    covariates, reference
        The climate variables used, and their values where the factor is 1.
    effects
        Posterior of the effects, with their maximum-likelihood fit and the effective number of
        independent draws; None without covariates.
    """

    components: tuple[str, ...]
    failures: Mapping[str, int]
    exposure: Mapping[str, float]
    priors: Mapping[str, GammaRate]
    rates: Mapping[str, GammaRate]
    rate_draws: NDArray[np.float64]
    effect_draws: NDArray[np.float64]
    covariates: tuple[str, ...]
    reference: Mapping[str, float]
    effects: ClimateEffects | None

    def interval(self, component: str, confidence: float = 0.95) -> tuple[float, float]:
        """Return the equal-tailed interval of a component's rate at the reference climate."""
        if self.effects is None:
            return self.rates[component].interval(confidence)
        draws = self.rate_draws[:, self.components.index(component)]
        return quantile_interval(draws, confidence)

    def factor_draws(self, **climate: float) -> NDArray[np.float64]:
        """Return draws of the factor on all rates in a climate, e.g. ``temperature=35.0``.

        What is not given is at its reference.
        """
        for name in climate:
            if name not in self.covariates:
                raise ValueError(f"{name!r} was not fitted; fitted: {list(self.covariates)}.")
        shift = [
            (check_number(name, climate.get(name, self.reference[name])) - self.reference[name])
            / STEP
            for name in self.covariates
        ]
        factor: NDArray[np.float64] = np.exp(self.effect_draws @ np.array(shift))
        return factor

    def factor(self, confidence: float = 0.95, **climate: float) -> tuple[float, float, float]:
        """Return mean and interval of the factor on all rates in a climate."""
        draws = self.factor_draws(**climate)
        return float(draws.mean()), *quantile_interval(draws, confidence)

    def rate_in(self, component: str, **climate: float) -> GammaRate:
        """Return the belief on a component's rate in a climate, e.g. a site's own."""
        if self.effects is None and not climate:
            return self.rates[component]
        draws = self.rate_draws[:, self.components.index(component)]
        return gamma_of_draws(draws * self.factor_draws(**climate))

    def at_reference(self, records: Sequence[FailureRecord]) -> tuple[FailureRecord, ...]:
        """Return records with the exposure that would see as many failures at the reference.

        Exposure times the mean factor of the record's climate; without effects the records.
        """
        shift = climate_rows(records, self.covariates, self.reference)
        climates, place = np.unique(shift, axis=0, return_inverse=True)
        means = np.concatenate(
            [
                np.exp(self.effect_draws @ climates[begin : begin + BLOCK].T).mean(axis=0)
                for begin in range(0, len(climates), BLOCK)
            ]
        )
        factor = means[place.ravel()].tolist()
        return tuple(
            replace(record, exposure=record.exposure * times)
            for record, times in zip(records, factor, strict=True)
        )

    def expected(
        self, records: Sequence[FailureRecord], draws: slice = slice(None)
    ) -> NDArray[np.float64]:
        """Return the expected failures of records in each of `draws`: shape (draws, records)."""
        at = [self.components.index(record.component) for record in records]
        exposure = np.array([record.exposure for record in records])
        shift = climate_rows(records, self.covariates, self.reference)
        factor = np.exp(self.effect_draws[draws] @ shift.T)
        expected: NDArray[np.float64] = self.rate_draws[draws][:, at] * exposure * factor
        return expected


def infer_rates(
    records: Sequence[FailureRecord],
    *,
    prior: GammaRate | Mapping[str, GammaRate] = JEFFREYS,
    covariates: Sequence[str] = (),
    reference: Mapping[str, float] | None = None,
    effect_deviation: float = 1.0,
    num_draws: int = 4000,
    seed: int = 0,
) -> FailureRates:
    """Return the posterior of failure rates by component, and of climate effects if asked for.

    Parameters
    ----------
    prior
        Of the rate at the reference climate, for all components or per component.
    covariates
        Of "temperature" and "humidity" those to fit; their effects are shared by all components.
        Without, the posterior is the conjugate Gamma and exact.
    reference
        Climate in which the factor is 1; default the mean over the exposure.
    effect_deviation
        Standard deviation of the normal prior of an effect: the logarithm of the factor per 10
        degrees or 10 percent. With 1, a factor within 1/7 to 7 has 95 %.

    Raises
    ------
    ValueError
        If there is no record, a component has no prior, a record lacks a covariate, or the draws
        are too uneven to trust.
    ImportError
        If covariates are asked for and statsmodels is not installed.
    """
    if not records:
        raise ValueError("there is no failure record to learn from.")
    if num_draws < 100:
        raise ValueError(f"num_draws must be at least 100; got {num_draws}.")
    components = tuple(dict.fromkeys(record.component for record in records))
    priors = _priors(prior, components)
    chosen = _covariates(covariates)
    base = _reference(records, chosen, reference)
    index = {name: i for i, name in enumerate(components)}
    at, counts, exposure, shift = _added_up(
        np.array([index[record.component] for record in records]),
        np.array([record.failures for record in records], dtype=np.float64),
        np.array([record.exposure for record in records]),
        climate_rows(records, chosen, base),
    )
    shapes = np.array([priors[name].shape for name in components])
    rates = np.array([priors[name].rate for name in components])
    failures = np.bincount(at, counts, minlength=len(components))
    exposed = np.bincount(at, exposure, minlength=len(components))
    shapes = shapes + failures
    generator = np.random.default_rng([seed, 0x52415445])
    effects, effect_draws = None, np.zeros((num_draws, 0))
    if chosen:
        (at, _, exposure, shift), effects, effect_draws = _fitted(
            chosen,
            (at, counts, exposure, shift),
            (shapes, rates),
            effect_deviation,
            num_draws,
            generator,
        )
    total = np.empty((num_draws, len(components)))
    for c in range(len(components)):
        top, sums = weighted_sums(effect_draws, exposure[at == c], shift[at == c])
        total[:, c] = np.exp(top) * sums
    for name, amount in zip(components, (rates + total).min(axis=0), strict=True):
        if not amount > 0.0:
            raise ValueError(f"{name}: has no exposure, and its prior has rate 0; give a prior.")
    draws = generator.gamma(shapes, 1.0 / (rates + total))
    seen = {name: (int(failures[c]), float(exposed[c])) for c, name in enumerate(components)}
    return FailureRates(
        components=components,
        failures={name: found[0] for name, found in seen.items()},
        exposure={name: found[1] for name, found in seen.items()},
        priors=priors,
        rates={
            name: gamma_of_draws(draws[:, c]) if chosen else priors[name].updated(*seen[name])
            for c, name in enumerate(components)
        },
        rate_draws=draws,
        effect_draws=effect_draws,
        covariates=chosen,
        reference=base,
        effects=effects,
    )


def _fitted(
    chosen: tuple[str, ...],
    rows: Rows,
    posterior: tuple[NDArray[np.float64], NDArray[np.float64]],
    deviation: float,
    num_draws: int,
    generator: np.random.Generator,
) -> tuple[Rows, ClimateEffects, NDArray[np.float64]]:
    """Return rows that have the sums of `rows`, fewer of very many, and the effects by them."""
    fewer = on_nodes(rows)
    if fewer is not None:
        fit = profile_likelihood(fewer)
        found = draw_effects(chosen, fewer, posterior, deviation, fit, num_draws, generator)
        if within_reach(found[1], rows[3]):
            return fewer, *found
    fit = maximum_likelihood(*rows)
    return rows, *draw_effects(chosen, rows, posterior, deviation, fit, num_draws, generator)


def varying_covariates(records: Sequence[FailureRecord]) -> tuple[str, ...]:
    """Return the covariates that every record has and that are not the same in all."""
    found = []
    for name in COVARIATES:
        values = np.array([getattr(record, name) for record in records])
        if np.isfinite(values).all() and np.ptp(values) > 0.0:
            found.append(name)
    return tuple(found)


def quantile_interval(draws: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return the equal-tailed interval of draws."""
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    return float(low), float(high)


def climate_rows(
    records: Sequence[FailureRecord], covariates: Sequence[str], reference: Mapping[str, float]
) -> NDArray[np.float64]:
    """Return how far each record is from the reference, in steps of 10: [records, covariates]."""
    rows = np.zeros((len(records), len(covariates)))
    for column, name in enumerate(covariates):
        values = np.array([getattr(record, name) for record in records])
        for row in np.flatnonzero(~np.isfinite(values))[:1]:
            record = records[row]
            raise ValueError(
                f"record {row + 1} ({record.component} at {record.location or 'no location'}"
                f" from {record.start.isoformat()}) has no {name}; fill it in, leave the record"
                " out, or fit without it."
            )
        rows[:, column] = (values - reference[name]) / STEP
    return rows


def _added_up(
    at: NDArray[np.intp],
    counts: NDArray[np.float64],
    exposure: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Add up records of one component and climate: no more of them is asked by the likelihood."""
    order = np.lexsort((*shift.T, at))
    at, shift = at[order], shift[order]
    is_new = np.ones(at.size, dtype=bool)
    is_new[1:] = (at[1:] != at[:-1]) | (shift[1:] != shift[:-1]).any(axis=1)
    first = np.flatnonzero(is_new)
    return (
        at[first],
        np.add.reduceat(counts[order], first),
        np.add.reduceat(exposure[order], first),
        shift[first],
    )


def _priors(prior: Any, components: Sequence[str]) -> dict[str, GammaRate]:
    if isinstance(prior, GammaRate):
        return dict.fromkeys(components, prior)
    for name in components:
        if name not in prior:
            raise ValueError(f"component {name!r} has no prior; priors: {', '.join(prior)}.")
    return {name: prior[name] for name in components}


def _covariates(given: Sequence[str]) -> tuple[str, ...]:
    for name in given:
        if name not in COVARIATES:
            raise ValueError(f"covariates must be of {', '.join(COVARIATES)}; got {name!r}.")
    return tuple(dict.fromkeys(given))


def _reference(
    records: Sequence[FailureRecord],
    covariates: Sequence[str],
    given: Mapping[str, float] | None,
) -> dict[str, float]:
    exposure = np.array([record.exposure for record in records])
    weights = exposure if exposure.sum() > 0.0 else np.ones(len(records))
    found = {}
    for name in covariates:
        if given is not None and name in given:
            found[name] = check_number(f"reference {name}", given[name])
            continue
        climate_rows(records, [name], {name: 0.0})  # says which record lacks it
        values = np.array([getattr(record, name) for record in records])
        found[name] = float(np.average(values, weights=weights))
    return found
