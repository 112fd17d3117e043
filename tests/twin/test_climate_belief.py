"""The belief that orders are based on, with the climate of each record in its exposure."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sparing import cli
from sparing.records.failures import FailureRecord, write_failures
from sparing.records.rates import infer_rates

SINGLE = Path(__file__).parents[1] / "data" / "known_spares_single.toml"


def winter_records(rate, effect, num=200, exposure=50.0, seed=0):
    """Records of cold months: mostly below nought, with the hazard that belongs to it at 20."""
    rng = np.random.default_rng(seed)
    heat = rng.uniform(-10.0, 15.0, num)
    counts = rng.poisson(rate * exposure * np.exp(effect * (heat - 20.0) / 10.0))
    return [
        FailureRecord(
            component="part",
            location="site",
            start=datetime(1900 + k, 1, 1),
            failures=int(count),
            exposure=exposure,
            temperature=float(degrees),
        )
        for k, (degrees, count) in enumerate(zip(heat, counts, strict=True))
    ]


def test_exposure_at_the_reference_gives_the_rate_at_the_reference():
    """Failures over scaled exposure are the rate at 20 degrees; over plain exposure far less."""
    records = winter_records(0.5, 0.4)
    fit = infer_rates(records, covariates=["temperature"], reference={"temperature": 20.0})
    scaled = fit.at_reference(records)
    failures = sum(r.failures for r in records)
    at_reference = failures / sum(r.exposure for r in scaled)
    assert at_reference == pytest.approx(fit.rates["part"].mean, rel=0.02)
    assert at_reference == pytest.approx(0.5, rel=0.1)
    assert failures / sum(r.exposure for r in records) < 0.3
    plain = infer_rates(records)
    assert plain.at_reference(records) == tuple(records)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_advice_by_the_climate_of_the_case(capsys, tmp_path):
    records = winter_records(0.5, 0.4, num=7, exposure=10.0)
    write_failures(records, tmp_path / "records.csv")
    command = ["rates", tmp_path / "records.csv", "--case", SINGLE, "--period", 7, "--json"]
    beliefs = []
    for more in ([], ["--reference", "temperature=20"]):
        code, text, _ = run(capsys, *command, *more)
        assert code == 0
        (advice,) = json.loads(text)["advice"]
        beliefs.append((advice["shape"], advice["rate"]))
    (shape, plain), (same, scaled) = beliefs
    assert same == shape == 2.0 + sum(r.failures for r in records)
    assert plain == pytest.approx(4.0 + 70.0)
    assert scaled < 0.8 * plain  # a cold winter is worth less exposure at 20 degrees
    code, text, _ = run(capsys, *command[:2], "--reference", "temperature=20", "--json")
    assert json.loads(text)["reference"] == {"temperature": 20.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("20", "--reference must be such as temperature=10,humidity=75; got '20'"),
        ("wind=3", "--reference: unknown 'wind'; known: temperature, humidity"),
        ("humidity=50", "--reference: no effect of humidity is fitted"),
    ],
)
def test_references_that_are_none(capsys, tmp_path, text, message):
    write_failures(winter_records(0.5, 0.4, num=5), tmp_path / "records.csv")
    code, _, error = run(capsys, "rates", tmp_path / "records.csv", "--reference", text)
    assert code == 2
    assert message in error
