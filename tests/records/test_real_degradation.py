"""Real degradation paths, where the data lies beside the checkout; it is not in the project."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from sparing.records.generator import generator_posterior
from sparing.records.lead_times import fit_lead_times, goodness_of_fit
from sparing.records.paths import Spans

DATA = Path(__file__).parents[3] / "shared" / "data"
LIMITS = (-0.2, -0.35, -0.5)  # power drop of device B [dB]; beyond the last it counts as failed

pytestmark = pytest.mark.skipif(
    not (DATA / "smrd_deviceb.csv").exists(),
    reason=f"real degradation data is not in {DATA.name} beside the checkout",
)


def rows(name):
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def device_spans(celsius):
    """States of the devices at one temperature, the worst so far: a drop does not mend."""
    paths = dict[str, list[tuple[float, int]]]()
    for row in rows("smrd_deviceb.csv"):
        if float(row["celsius"]) == celsius:
            state = sum(float(row["powerdrop"]) <= limit for limit in LIMITS)
            paths.setdefault(row["device"], []).append((float(row["hours"]), state))
    start, end, duration = [], [], []
    for path in paths.values():
        seen = sorted(path)
        worst = np.maximum.accumulate([state for _, state in seen])
        start += worst[:-1].tolist()
        end += worst[1:].tolist()
        duration += np.diff([hours for hours, _ in seen]).tolist()
    return Spans(start=np.array(start), end=np.array(end), duration=np.array(duration))


def test_hotter_devices_fail_sooner():
    """The chance to have failed after 1 000 h, from inspections: hotter, and more surely so."""
    chances = []
    for celsius in (150.0, 195.0):
        spans = device_spans(celsius)
        found = generator_posterior(spans, 4, num_draws=200).transition(1000.0)
        chances.append(found.draws[:, 0, 3])
        low, high = found.interval(0.95)
        assert 0.0 <= low[0, 3] < high[0, 3] <= 1.0
    assert np.mean(chances[1] > chances[0]) > 0.99


def test_repair_times_fit_a_gamma_distribution_or_say_how_far_they_are_from_it():
    hours = [float(row["hours"]) for row in rows("smrd_repairtimes.csv")]
    found = fit_lead_times(hours, num_resamples=100)
    low, high = found.mean_interval()
    assert low < np.mean(hours) < high
    assert 0.0 < goodness_of_fit(found, hours) < 0.25
