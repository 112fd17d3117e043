"""Failure records to rates: added up by arrays, and unit by unit and month by month in Python."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sparing.records.defects import DefectRecord
from sparing.records.exposure import exposure_of_defects
from sparing.records.failure_history import UNIX, UnitRecords, failure_totals

LAST = 3650.0  # days that are watched, from 0 on
PARTS, PLACES = tuple(f"part {k}" for k in range(20)), tuple(f"site {k}" for k in range(10))


@pytest.fixture(
    params=[2_000, pytest.param(200_000, marks=pytest.mark.full)], ids=lambda n: f"records={n}"
)
def history(request):
    """Units that last 1 500 days on average."""
    count, rng = request.param, np.random.default_rng(0)
    installed = np.floor(rng.uniform(-500.0, 3000.0, count))
    damaged = installed + np.floor(rng.exponential(1500.0, count))
    damaged[damaged > LAST] = np.nan
    return UnitRecords(
        part=tuple(rng.choice(PARTS, count)),
        location=tuple(rng.choice(PLACES, count)),
        place=tuple(("", str(k)) for k in range(count)),
        installed=installed,
        damaged=damaged,
    )


def defects(history):
    """Return the same units as records of ten fields."""
    return [
        DefectRecord(
            component=part,
            installation_date=UNIX + timedelta(days=begin),
            manufacturer="",
            damage_date=None if np.isnan(end) else UNIX + timedelta(days=end),
            design_life=np.nan,
            temperature=np.nan,
            humidity=np.nan,
            location=location,
            interval=place[1],
            shift="",
        )
        for part, location, place, begin, end in zip(
            history.part,
            history.location,
            history.place,
            history.installed.tolist(),
            history.damaged.tolist(),
            strict=True,
        )
    ]


@pytest.mark.benchmark(group="exposure of failure records")
@pytest.mark.parametrize("way", ["arrays", "units"])
def test_exposure(benchmark, history, way):
    def arrays():
        return failure_totals(history, PARTS, PLACES, first=0.0, last=LAST).exposure.sum()

    records = defects(history)

    def units():
        last = UNIX + timedelta(days=LAST)
        return sum(r.exposure for r in exposure_of_defects(records, "year", first=UNIX, last=last))

    rounds = 5 if len(records) < 10_000 else 2
    found = benchmark.pedantic(arrays if way == "arrays" else units, rounds=rounds, iterations=1)
    assert found == pytest.approx(arrays(), rel=1e-6)
