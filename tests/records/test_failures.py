"""Failure records with exposure: strict reading, and exposure from defect records."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest
from sparing.records.defects import DefectRecord
from sparing.records.exposure import exposure_of_defects
from sparing.records.failures import (
    FIELDS,
    FailureRecord,
    is_failure_table,
    read_failures,
    write_failures,
)

GOOD = {
    "Component Name": "inverter",
    "Location": "north",
    "Start": "2024-03-01",
    "Failures": "2",
    "Exposure": "12.5",
    "Temperature": "21.5",
    "Humidity": "60",
}


def write(tmp_path, *records, header=FIELDS):
    lines = [",".join(header), *(",".join(r[f] for f in header) for r in records)]
    path = tmp_path / "failures.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_records_read_back_to_the_same(tmp_path):
    records = (
        FailureRecord(
            component="inverter",
            location="north",
            start=datetime(2024, 3, 1),
            failures=2,
            exposure=1.0 / 3.0,
            temperature=-3.25,
            humidity=55.0,
        ),
        FailureRecord(
            component="fan", location="", start=datetime(2024, 3, 1, 8), failures=0, exposure=0.0
        ),
    )
    write_failures(records, tmp_path / "f.csv")
    again = read_failures(tmp_path / "f.csv", components=["inverter", "fan"])
    assert again[0] == records[0]
    assert again[1].start == records[1].start
    assert np.isnan(again[1].temperature)
    assert is_failure_table(FIELDS)
    assert not is_failure_table(["Component Name", "Damage Date"])


def test_climate_may_be_left_out(tmp_path):
    (record,) = read_failures(write(tmp_path, GOOD, header=FIELDS[:5]))
    assert (record.failures, record.exposure) == (2, 12.5)
    assert np.isnan(record.humidity)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Start": "2024-02-30"}, "Start: must be a day or time of the calendar"),
        ({"Start": ""}, "Start: must be a day or time of the calendar"),
        ({"Failures": "-1"}, "Failures: must be from 0 to 1e+09; got -1"),
        ({"Failures": "1.5"}, "Failures: must be a whole number; got 1.5"),
        ({"Failures": ""}, "Failures: must not be empty"),
        ({"Failures": "two"}, "Failures: must be a number; got 'two'"),
        ({"Exposure": "0"}, "2 failures need an Exposure above 0; got 0"),
        ({"Exposure": "-3"}, "Exposure: must be from 0 to 1e+15; got -3"),
        ({"Exposure": "inf"}, "Exposure: must be from 0 to 1e+15; got inf"),
        ({"Exposure": ""}, "Exposure: must not be empty"),
        ({"Component Name": "invertor"}, "unknown component 'invertor'; did you mean 'inverter'?"),
        ({"Component Name": ""}, "Component Name: must not be empty"),
        ({"Temperature": "200"}, "Temperature: must be from -90 to 150; got 200"),
        ({"Humidity": "101"}, "Humidity: must be from 0 to 100; got 101"),
    ],
)
def test_errors_name_file_line_and_field(tmp_path, change, message):
    path = write(tmp_path, {**GOOD, **change})
    with pytest.raises(ValueError) as caught:
        read_failures(path, components=["inverter", "fan"])
    assert message in str(caught.value)
    assert f"{path}, line 2" in str(caught.value)


def test_twice_the_same_period_and_no_records_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"line 3: inverter at north from .* is in line 2 already"):
        read_failures(write(tmp_path, GOOD, {**GOOD, "Failures": "0"}))
    with pytest.raises(ValueError, match="has no column 'Exposure'"):
        read_failures(write(tmp_path, GOOD, header=FIELDS[:4]))
    with pytest.raises(ValueError, match="has no record"):
        read_failures(write(tmp_path))


def unit(installed, damaged, component="fan", interval="1"):
    return DefectRecord(
        component=component,
        installation_date=installed,
        manufacturer="",
        damage_date=damaged,
        design_life=float("nan"),
        temperature=40.0,
        humidity=90.0,
        location="north",
        interval=interval,
        shift="",
    )


def test_exposure_counts_days_in_service_inside_the_window_alone():
    """Installed long before, damaged on 10 February: 31 days of January, 9 of February; its
    replacement 20 days (2024 is a leap year), and 31 in March. A damage before the window and
    one installed behind it count nothing.
    """
    records = [
        unit(date(2020, 5, 1), date(2024, 2, 10)),
        unit(date(2024, 2, 10), None, interval="2"),
        unit(date(2019, 1, 1), date(2020, 5, 1), interval="3"),
        unit(date(2024, 4, 2), None, interval="4"),
    ]
    found = exposure_of_defects(records, "month", first=date(2024, 1, 1), last=date(2024, 3, 31))
    assert [r.failures for r in found] == [0, 1, 0]
    assert [r.exposure * 365.25 for r in found] == pytest.approx([31.0, 29.0, 31.0])
    assert np.isnan([r.temperature for r in found]).all()  # those at damages would bias
    climate = {"2024-01": (1.0, 80.0), "2024-02": (3.0, 75.0), "2024-03": (7.0, 70.0)}
    window = {"first": date(2024, 1, 1), "last": date(2024, 3, 31)}
    given = exposure_of_defects(records, "month", climate=climate, **window)
    assert [r.temperature for r in given] == [1.0, 3.0, 7.0]
    with pytest.raises(ValueError, match="climate: has nothing on 2024-03"):
        exposure_of_defects(records, climate={k: climate[k] for k in list(climate)[:2]}, **window)
    with pytest.raises(ValueError, match="last must not lie before first"):
        exposure_of_defects(records, first=date(2024, 1, 2), last=date(2024, 1, 1))
