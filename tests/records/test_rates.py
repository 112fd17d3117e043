"""Posteriors of failure rates: against conjugacy, quadrature, and the truth of made records."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from scipy import integrate, stats
from sparing.records.failures import FailureRecord
from sparing.records.gamma_rate import GammaRate, gamma_of_draws
from sparing.records.rate_checks import check_rates
from sparing.records.rates import infer_rates, varying_covariates

PRIOR = GammaRate(shape=2.0, rate=4.0)


def records_of(rates, effects, generator, *, months=36, sites=2, exposure=4.0):
    """Monthly records of sites in a seasonal climate; rates hold at 20 degrees and 60 percent."""
    found = []
    for component, rate in rates.items():
        for site in range(sites):
            for month in range(months):
                phase = 2.0 * np.pi * (month % 12) / 12.0
                temperature = 18.0 + 6.0 * site - 12.0 * np.cos(phase) + generator.normal(0.0, 1.5)
                humidity = 60.0 + 15.0 * np.sin(phase) + generator.normal(0.0, 4.0)
                factor = np.exp(
                    effects[0] * (temperature - 20.0) / 10.0 + effects[1] * (humidity - 60.0) / 10.0
                )
                amount = exposure * (1.0 + 0.3 * site)
                record = FailureRecord(
                    component=component,
                    location=f"site {site}",
                    start=datetime(2020, 1, 1) + timedelta(days=30 * month),
                    failures=int(generator.poisson(rate * amount * factor)),
                    exposure=amount,
                    temperature=temperature,
                    humidity=humidity,
                )
                found.append(record)
    return found


def test_without_climate_the_posterior_is_conjugate_and_exact():
    generator = np.random.default_rng(0)
    records = records_of({"fan": 0.3, "pump": 0.02}, (0.0, 0.0), generator)
    found = infer_rates(records, prior=PRIOR)
    for component in ("fan", "pump"):
        own = [r for r in records if r.component == component]
        failures, exposure = sum(r.failures for r in own), sum(r.exposure for r in own)
        assert found.rates[component].shape == 2.0 + failures
        assert found.rates[component].rate == pytest.approx(4.0 + exposure)
        low, high = found.interval(component)
        reference = stats.gamma(2.0 + failures, scale=1.0 / (4.0 + exposure))
        assert (low, high) == pytest.approx(reference.ppf([0.025, 0.975]))
        draws = found.rate_draws[:, found.components.index(component)]
        assert stats.kstest(draws, reference.cdf).pvalue > 1e-3


def test_updating_in_parts_is_updating_at_once():
    once = PRIOR.updated(5, 3.5)
    assert PRIOR.updated(2, 1.0).updated(3, 2.5) == once
    assert once.mean == pytest.approx(7.0 / 7.5)
    assert once.standard_deviation == pytest.approx(np.sqrt(7.0) / 7.5)


@pytest.mark.parametrize("exposure", [0.0, 0.4, 7.0])
def test_the_predictive_is_a_negative_binomial_with_its_tail_lumped(exposure):
    found = PRIOR.predictive(exposure, 6)
    reference = stats.nbinom(2.0, 4.0 / (4.0 + exposure))
    assert found[:6] == pytest.approx(reference.pmf(np.arange(6)), abs=1e-12)
    assert found[6] == pytest.approx(reference.sf(5), abs=1e-12)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    assert PRIOR.predictive_quantile(0.9, exposure) == (reference.ppf(0.9) if exposure else 0)


def test_a_gamma_of_draws_has_their_mean_and_variance():
    draws = np.random.default_rng(0).gamma(3.0, 0.5, 1000)
    found = gamma_of_draws(draws)
    assert (found.mean, found.standard_deviation) == pytest.approx((draws.mean(), draws.std()))


def test_one_effect_agrees_with_quadrature():
    """Posterior mean and variance of effect and rate by integration over the effect on a grid."""
    records = records_of({"fan": 0.1}, (0.6, 0.0), np.random.default_rng(3), months=12, sites=1)
    options = {"prior": PRIOR, "covariates": ["temperature"], "reference": {"temperature": 20.0}}
    found = infer_rates(records, effect_deviation=0.8, num_draws=40_000, **options)
    grid = np.linspace(-3.0, 3.0, 4001)
    x = np.array([(r.temperature - 20.0) / 10.0 for r in records])
    y = np.array([r.failures for r in records])
    exposed = 4.0 + np.exp(np.outer(grid, x)) @ np.array([r.exposure for r in records])
    shape = 2.0 + y.sum()
    log_density = grid * (y @ x) - shape * np.log(exposed) + stats.norm(0.0, 0.8).logpdf(grid)
    density = np.exp(log_density - log_density.max())
    density /= integrate.trapezoid(density, grid)
    mean = integrate.trapezoid(grid * density, grid)
    deviation = np.sqrt(integrate.trapezoid((grid - mean) ** 2 * density, grid))
    rate = integrate.trapezoid(shape / exposed * density, grid)
    assert found.effects.mean[0] == pytest.approx(mean, abs=4 * deviation / np.sqrt(40_000))
    assert found.effects.standard_deviation[0] == pytest.approx(deviation, rel=0.02)
    assert found.rates["fan"].mean == pytest.approx(rate, rel=0.01)
    cumulative = integrate.cumulative_trapezoid(density, grid, initial=0.0)
    low, high = np.interp([0.025, 0.975], cumulative, grid)
    assert found.effects.lower[0] == pytest.approx(low, abs=0.06 * deviation)
    assert found.effects.upper[0] == pytest.approx(high, abs=0.06 * deviation)


def test_with_many_failures_it_is_maximum_likelihood():
    """The prior fades: means and deviations are those of statsmodels' Poisson regression."""
    records = records_of({"fan": 30.0, "pump": 60.0}, (0.4, -0.2), np.random.default_rng(5))
    found = infer_rates(records, covariates=["temperature", "humidity"]).effects
    assert found.mean == pytest.approx(found.likelihood_estimate, abs=3e-3)
    assert found.standard_deviation == pytest.approx(found.likelihood_error, rel=0.1)
    assert found.mean == pytest.approx((0.4, -0.2), abs=4 * max(found.likelihood_error))


def test_intervals_cover_the_truth_as_often_as_they_say():
    """Truths drawn from the priors lie in 90 % intervals nine times out of ten.

    For a right posterior the count in 400 runs is Binomial(400, 0.9); asserted is the central
    99.9 % of it, for the rates of a common and a rare type, both effects, and a factor.
    """
    generator, runs = np.random.default_rng(11), 400
    hits = dict.fromkeys(("fan", "pump", "temperature", "humidity", "factor"), 0)
    priors = {"fan": GammaRate(shape=3.0, rate=10.0), "pump": GammaRate(shape=1.0, rate=30.0)}
    reference = {"temperature": 20.0, "humidity": 60.0}
    for run in range(runs):
        rates = {name: float(p.sample(generator, 1)[0]) for name, p in priors.items()}
        effects = generator.normal(0.0, 0.5, 2)
        records = records_of(rates, effects, generator, months=12, sites=2, exposure=2.0)
        found = infer_rates(
            records,
            prior=priors,
            covariates=["temperature", "humidity"],
            reference=reference,
            effect_deviation=0.5,
            num_draws=1000,
            seed=run,
        )
        for name, rate in rates.items():
            low, high = found.interval(name, 0.9)
            hits[name] += low <= rate <= high
        for column, name in enumerate(("temperature", "humidity")):
            low, high = np.quantile(found.effect_draws[:, column], [0.05, 0.95])
            hits[name] += low <= effects[column] <= high
        _, low, high = found.factor(0.9, temperature=35.0, humidity=80.0)
        hits["factor"] += low <= np.exp(1.5 * effects[0] + 2.0 * effects[1]) <= high
    least, most = stats.binom(runs, 0.9).ppf([0.0005, 0.9995])
    assert all(least <= count <= most for count in hits.values()), (hits, least, most)


def test_a_fixed_truth_is_covered_too():
    """Of 300 histories at one truth, plain Gamma intervals of 95 % hold it in 91 to 98.5 %."""
    generator = np.random.default_rng(2)
    covered = 0
    for failures in generator.poisson(0.2 * 60.0, 300):
        low, high = GammaRate(shape=0.5, rate=0.0).updated(int(failures), 60.0).interval()
        covered += low <= 0.2 <= high
    assert 0.91 * 300 <= covered <= 0.985 * 300


def test_no_failures_and_failures_at_one_end_still_have_a_posterior():
    """Where the likelihood has no maximum the prior holds the answer."""
    generator = np.random.default_rng(1)
    records = records_of({"fan": 1e-12}, (0.0, 0.0), generator, months=12, sites=1)
    found = infer_rates(records, prior=PRIOR, covariates=["temperature"])
    assert found.failures["fan"] == 0
    assert np.isnan(found.effects.likelihood_estimate).all()
    assert found.rates["fan"].mean < PRIOR.mean
    hottest = max(records, key=lambda r: r.temperature)
    one = [FailureRecord(**{**vars(r), "failures": 3 if r is hottest else 0}) for r in records]
    steep = infer_rates(one, prior=PRIOR, covariates=["temperature"])
    assert np.isnan(steep.effects.likelihood_estimate).all()
    assert steep.effects.mean[0] > 0.5
    assert -0.5 < steep.effects.lower[0] < steep.effects.upper[0] < 5.0


def test_checks_pass_on_records_of_the_model_and_find_what_is_not_in_it():
    generator = np.random.default_rng(8)
    records = records_of({"fan": 0.4}, (0.5, 0.0), generator, months=60)
    fit = infer_rates(records, covariates=["temperature"])
    assert not any(check.suspicious for check in check_rates(fit, records))
    bursts = [
        FailureRecord(**{**vars(r), "failures": 9 * r.failures if i % 20 == 0 else 0})
        for i, r in enumerate(records)
    ]
    found = {c.measure: c for c in check_rates(infer_rates(bursts), bursts)}
    assert found["dispersion"].suspicious
    assert found["zeros"].suspicious
    worn = [
        FailureRecord(**{**vars(r), "failures": int(generator.poisson(0.05 * (i % 60)))})
        for i, r in enumerate(records)
    ]
    found = {c.measure: c for c in check_rates(infer_rates(worn), worn)}
    assert found["trend"].suspicious
    assert found["trend"].observed > 0.3


def test_the_checks_probabilities_are_not_too_often_small():
    """Below 5 % in at most a tenth of 120 fits of records that the model made."""
    generator, small = np.random.default_rng(4), 0
    for run in range(120):
        rate = float(PRIOR.sample(generator, 1)[0])
        records = records_of({"fan": rate}, (0.0, 0.0), generator, months=12, sites=1)
        fit = infer_rates(records, prior=PRIOR, num_draws=400, seed=run)
        checks = check_rates(fit, records, num_draws=400, seed=run)
        small += next(c.probability for c in checks if c.measure == "dispersion") < 0.05
    assert small <= 12


def test_a_factor_is_one_at_the_reference_and_gives_a_site_its_rate():
    records = records_of({"fan": 1.0}, (0.7, 0.0), np.random.default_rng(6))
    assert varying_covariates(records) == ("temperature", "humidity")
    found = infer_rates(records, covariates=["temperature"], reference={"temperature": 20.0})
    assert found.factor(temperature=20.0) == pytest.approx((1.0, 1.0, 1.0))
    mean, low, high = found.factor(temperature=30.0)
    assert low < np.exp(0.7) < high
    assert found.rate_in("fan", temperature=30.0).mean == pytest.approx(
        found.rates["fan"].mean * mean, rel=0.02
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"covariates": ["wind"]}, "covariates must be of temperature, humidity; got 'wind'"),
        ({"prior": {"pump": PRIOR}}, "component 'fan' has no prior; priors: pump"),
        ({"covariates": ["humidity"]}, "record 2 (fan at north from 2020-01-02T00:00:00) has no"),
        ({"num_draws": 10}, "num_draws must be at least 100; got 10"),
        (
            {"covariates": ["temperature"], "effect_deviation": 0.0},
            "effect_deviation must be > 0; got 0",
        ),
    ],
)
def test_bad_calls(change, message):
    one = FailureRecord(
        component="fan",
        location="north",
        start=datetime(2020, 1, 1),
        failures=1,
        exposure=2.0,
        temperature=20.0,
        humidity=50.0,
    )
    two = FailureRecord(
        **{**vars(one), "start": datetime(2020, 1, 2), "humidity": np.nan, "temperature": 25.0}
    )
    with pytest.raises(ValueError) as caught:
        infer_rates([one, two], **change)
    assert message in str(caught.value)


def test_bad_beliefs():
    with pytest.raises(ValueError, match="shape must be > 0; got 0"):
        GammaRate(shape=0.0, rate=1.0)
    with pytest.raises(ValueError, match="rate must be at least 0; got -1"):
        GammaRate(shape=1.0, rate=-1.0)
    with pytest.raises(ValueError, match="2 failures need an exposure > 0"):
        PRIOR.updated(2, 0.0)
    with pytest.raises(ValueError, match="no distribution: it needs exposure"):
        GammaRate(shape=0.5, rate=0.0).interval()
    with pytest.raises(ValueError, match="there is no failure record"):
        infer_rates([])
    idle = FailureRecord(
        component="fan", location="", start=datetime(2020, 1, 1), failures=0, exposure=0.0
    )
    with pytest.raises(ValueError, match="fan: has no exposure, and its prior has rate 0"):
        infer_rates([idle])
