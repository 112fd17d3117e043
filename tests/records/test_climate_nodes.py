"""Sums over very many climates from a few nodes, against the sums themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from sparing.records import climate_nodes, rate_checks, rates
from sparing.records.climate_effects import (
    log_density,
    maximum_likelihood,
    profile_likelihood,
)
from sparing.records.climate_nodes import on_nodes, within_reach
from sparing.records.failures import FailureRecord
from sparing.records.rate_checks import check_rates
from sparing.records.rates import infer_rates


@pytest.fixture
def few(monkeypatch):
    """Fewer rows are very many."""
    monkeypatch.setattr(climate_nodes, "MANY", 1)
    monkeypatch.setattr(climate_nodes, "NODES", 24)


def drawn_rows(dims, seed=0, num=6000):
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(0, 2, num))
    shift = rng.normal(0.1, 0.6, (num, dims))
    exposure = rng.uniform(0.0, 10.0, num) * (rng.random(num) < 0.9)
    counts = rng.poisson(0.05 * exposure * np.exp(shift @ np.array([0.3, -0.2])[:dims]))
    return at, counts.astype(float), exposure, shift


@pytest.mark.parametrize("dims", [1, 2])
def test_sums_at_nodes_are_those_of_the_records(few, dims):
    rows = drawn_rows(dims)
    fewer = on_nodes(rows)
    assert fewer is not None
    assert fewer[0].size == 2 * 24**dims < rows[0].size
    effects = np.random.default_rng(1).uniform(-2.0, 2.0, (20, dims))
    assert within_reach(effects, rows[3])
    posterior = np.array([40.0, 60.0]), np.array([3.0, 0.0])
    exact, found = (log_density(effects, r, posterior, 1.0) for r in (rows, fewer))
    assert found == pytest.approx(exact, rel=1e-9)
    for c in (0, 1):
        for kind in (1, 2):
            sums = [r[kind][r[0] == c].sum() for r in (rows, fewer)]
            assert sums[0] == pytest.approx(sums[1], rel=1e-10)


@pytest.mark.parametrize("dims", [1, 2])
def test_the_profile_has_the_maximum_of_the_regression(few, dims):
    rows = drawn_rows(dims)
    expected = maximum_likelihood(*rows)
    for found in (profile_likelihood(rows), profile_likelihood(on_nodes(rows))):
        assert found[0] == pytest.approx(expected[0], abs=1e-5)
        assert found[1] == pytest.approx(expected[1], rel=1e-4)


def test_a_covariate_that_never_changes_has_no_maximum(few):
    at, counts, exposure, shift = drawn_rows(2)
    shift[:, 1] = 0.7
    for rows in ((at, counts, exposure, shift), on_nodes((at, counts, exposure, shift))):
        assert np.isnan(profile_likelihood(rows)[0]).all()
    assert np.isnan(profile_likelihood((at, 0.0 * counts, exposure, shift))[0]).all()


def test_few_rows_are_left_as_they_are():
    assert on_nodes(drawn_rows(1)) is None
    assert not within_reach(np.array([[20.0]]), np.array([[-1.0], [1.0]]))


def test_blocks_do_not_change_checks_and_exposures(monkeypatch):
    rng = np.random.default_rng(3)
    records = [
        FailureRecord(
            component="pump",
            location="a",
            start=datetime(2020, 1, 1) + timedelta(days=i),
            failures=int(rng.poisson(0.3)),
            exposure=1.0,
            temperature=float(rng.normal(20.0, 5.0)),
        )
        for i in range(60)
    ]
    fit = infer_rates(records, covariates=["temperature"], num_draws=400)
    checks, exposures = check_rates(fit, records, num_draws=300), fit.at_reference(records)
    monkeypatch.setattr(rate_checks, "BLOCK", 7 * 60)
    monkeypatch.setattr(rates, "BLOCK", 7)
    for found, check in zip(check_rates(fit, records, num_draws=300), checks, strict=True):
        assert found.probability == check.probability
        assert found.expected == pytest.approx(check.expected, rel=1e-9)
    for one, other in zip(fit.at_reference(records), exposures, strict=True):
        assert one.exposure == pytest.approx(other.exposure, rel=1e-12)


def test_rates_of_very_many_records_are_those_of_all(monkeypatch):
    rng = np.random.default_rng(2)
    record = FailureRecord(
        component="pump", location="a", start=datetime(2020, 1, 1), failures=0, exposure=1.0
    )
    warm = rng.normal(20.0, 6.0, 3000)
    records = [
        replace(
            record,
            component=f"pump {i % 2}",
            start=record.start + timedelta(days=i),
            failures=int(rng.poisson(0.2 * np.exp(0.03 * (t - 20.0)))),
            temperature=float(t),
        )
        for i, t in enumerate(warm)
    ]
    options = {"covariates": ["temperature"], "num_draws": 500}
    slow = infer_rates(records, **options)
    monkeypatch.setattr(climate_nodes, "MANY", 1)
    used = []
    monkeypatch.setattr(
        rates, "profile_likelihood", lambda rows: used.append(rows) or profile_likelihood(rows)
    )
    fast = infer_rates(records, **options)
    assert used
    assert fast.failures == slow.failures
    assert fast.exposure == slow.exposure
    assert fast.effects.mean == pytest.approx(slow.effects.mean, abs=1e-4)
    assert fast.effects.likelihood_error == pytest.approx(slow.effects.likelihood_error, rel=1e-4)
    for name in slow.components:
        assert fast.rates[name].mean == pytest.approx(slow.rates[name].mean, rel=1e-3)
