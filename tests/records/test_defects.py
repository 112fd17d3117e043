"""Defect records: strict reading, counting into series, the built-in case."""

from datetime import date

import numpy as np
import pytest
from sparing.records.defects import FIELDS, is_defect_table, read_defects, write_defects
from sparing.records.demand_series import (
    covariates_of_records,
    demand_of_records,
    period_names,
    period_starts,
)
from sparing.records.hydro_spares import FIRST, LAST, hydro_spares, stress

GOOD = {
    "Component Name": "LCD",
    "Installation Date": "2015-03-01",
    "Manufacturer": "Truly",
    "Damage Date": "2019-07-15",
    "Design Life": "8",
    "Temperature": "29.5",
    "Humidity": "85",
    "Installation Location": "station",
    "Interval": "LCD-001",
    "O&M Shift": "A",
}


def write(tmp_path, *records, header=FIELDS):
    lines = [",".join(header), *(",".join(r[f] for f in header) for r in records)]
    path = tmp_path / "records.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_record_is_read_with_what_is_missing(tmp_path):
    second = {**GOOD, "Damage Date": "", "Temperature": "", "Interval": "LCD-002"}
    one, two = read_defects(write(tmp_path, GOOD, second), components=["LCD"])
    assert (one.component, one.damage_date) == ("LCD", date(2019, 7, 15))
    assert one.temperature == 29.5
    assert two.damage_date is None
    assert np.isnan(two.temperature)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Damage Date": "2019-02-30"}, "line 2, Damage Date: must be a day of the calendar"),
        ({"Installation Date": ""}, "line 2, Installation Date: must be a day of the calendar"),
        ({"Damage Date": "2014-01-01"}, "Damage Date 2014-01-01 lies before Installation Date"),
        ({"Component Name": "LDC"}, "unknown component 'LDC'; did you mean 'LCD'?"),
        ({"Component Name": "pump"}, "unknown component 'pump'; known are LCD, CPU."),
        ({"Component Name": ""}, "Component Name: must not be empty"),
        ({"Humidity": "101"}, "line 2, Humidity: must be from 0 to 100; got 101"),
        ({"Design Life": "-1"}, "line 2, Design Life: must be from 0 to 200; got -1"),
        ({"Temperature": "warm"}, "line 2, Temperature: must be a number; got 'warm'"),
    ],
)
def test_errors_name_line_and_field(tmp_path, change, message):
    path = write(tmp_path, {**GOOD, **change})
    with pytest.raises(ValueError) as caught:
        read_defects(path, components=["LCD", "CPU"])
    assert message in str(caught.value)
    assert f"{path}, line 2" in str(caught.value)


def test_duplicates_absent_fields_and_no_records_are_refused(tmp_path):
    with pytest.raises(ValueError, match="line 3: is the same record as line 2"):
        read_defects(write(tmp_path, GOOD, GOOD))
    with pytest.raises(ValueError, match="has no column 'Humidity'"):
        read_defects(write(tmp_path, GOOD, header=[f for f in FIELDS if f != "Humidity"]))
    with pytest.raises(ValueError, match="has no record"):
        read_defects(write(tmp_path))


def test_names_of_columns_may_be_written_otherwise():
    assert is_defect_table(["component_name", "DAMAGE DATE", "x"])
    assert not is_defect_table(["part", "2020-01"])


def test_the_built_in_records_are_always_the_same_and_read_back(tmp_path):
    records = hydro_spares()
    assert records == hydro_spares() or len(records) == len(hydro_spares())  # NaN is not NaN
    assert {r.component for r in records} == {"LCD", "CPU", "DCPS"}
    write_defects(records, tmp_path / "out.csv")
    again = read_defects(tmp_path / "out.csv", components=["LCD", "CPU", "DCPS"])
    np.testing.assert_array_equal(
        demand_of_records(again).demand, demand_of_records(records).demand
    )
    assert [r.damage_date for r in hydro_spares(1)] != [r.damage_date for r in records]


def test_the_built_in_demand_is_seasonal_and_weakly_autocorrelated():
    panel = demand_of_records(hydro_spares(), first=FIRST, last=LAST)
    assert panel.demand.shape == (3, 144)
    for series in panel.demand:
        months = series.reshape(12, 12).mean(axis=0)
        assert months[5:8].max() > 1.5 * months[2:5].min()  # wet season against spring
        assert abs(np.corrcoef(series[1:], series[:-1])[0, 1]) < 0.5
    assert stress(29.0, 86.0) > stress(18.0, 86.0) == 0.0 < stress(6.0, 86.0)


@pytest.mark.parametrize("period", ["week", "month", "quarter", "year"])
def test_every_damage_is_counted_once(period):
    records = hydro_spares()
    panel = demand_of_records(records, period)
    assert panel.demand.sum() == sum(r.damage_date is not None for r in records)
    names = period_names(date(2020, 12, 20), date(2022, 1, 5), period)
    starts = period_starts(names, period)
    assert list(starts) == sorted(starts)


def test_periods_without_a_damage_are_zero(tmp_path):
    later = {**GOOD, "Damage Date": "2019-10-01", "Interval": "LCD-002"}
    panel = demand_of_records(read_defects(write(tmp_path, GOOD, later)))
    assert panel.periods == ("2019-07", "2019-08", "2019-09", "2019-10")
    assert panel.demand.tolist() == [[1.0, 0.0, 0.0, 1.0]]


def test_covariates_know_nothing_of_the_horizon():
    """The base and its age are those of `horizon` periods before, the climate that of the past."""
    records = hydro_spares()
    panel = demand_of_records(records, first=FIRST, last=LAST)
    found = covariates_of_records(records, panel, "month", 12)
    assert found.shape == (3, 156, 5)
    assert np.isfinite(found).all()
    units = {"LCD": 160, "CPU": 220, "DCPS": 180}
    for row, part in enumerate(panel.parts):
        assert set(found[row, :, 2]) == {float(units[part])}  # failed ones are replaced at once
    assert found[0, 6, 0] > found[0, 0, 0] + 15.0  # July is warmer than January
    assert ((found[:, :, 4] > 0.0) & (found[:, :, 4] < 1.0)).all()  # two or three makes a part


def test_the_frailest_make_is_that_of_most_damages_a_year(tmp_path):
    """A: 3 units, 2 damages early on; B: 3 units, 2 damages, but late. A's go out of service."""
    rows = []
    for make, days in (("A", ("2010-03-01", "2010-05-01", "")), ("B", ("2019-03-01", "", ""))):
        for i, day in enumerate(days):
            rows.append(
                {**GOOD, "Manufacturer": make, "Damage Date": day, "Interval": f"{make}{i}"}
            )
    rows = [{**row, "Installation Date": "2009-01-01"} for row in rows]
    records = read_defects(write(tmp_path, *rows))
    panel = demand_of_records(records, "year")
    found = covariates_of_records(records, panel, "year", 2)
    assert panel.num_periods == 10
    # On 1 January: 2010 all six are in service, 2011 to 2019 one of A and three of B.
    expected = [0.5] * 3 + [0.25] * 9  # as it was two years before
    assert found[0, :, 4] == pytest.approx(expected)


def test_bad_calls(tmp_path):
    records = read_defects(write(tmp_path, GOOD))
    with pytest.raises(ValueError, match="period must be one of"):
        demand_of_records(records, "day")
    with pytest.raises(ValueError, match="lies outside"):
        demand_of_records(records, first=date(2020, 1, 1), last=date(2021, 1, 1))
    with pytest.raises(ValueError, match="no record has a damage date"):
        demand_of_records(read_defects(write(tmp_path, {**GOOD, "Damage Date": ""})))
