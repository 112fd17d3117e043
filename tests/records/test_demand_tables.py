"""Wide tables of demand: what is read, and what is refused where."""

import numpy as np
import pytest
from sparing.records.demand_tables import read_demand, write_demand
from sparing.records.panel import DemandPanel


def write(tmp_path, text, name="demand.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_missing_values_and_prices_are_read(tmp_path):
    path = write(tmp_path, "part,Price,m1,m2,m3\na,2.5,1,,3\nb,1,NA,0,4.5\n\n")
    found = read_demand(path)
    assert (found.parts, found.periods) == (("a", "b"), ("m1", "m2", "m3"))
    assert found.price.tolist() == [2.5, 1.0]
    np.testing.assert_array_equal(found.demand, [[1, np.nan, 3], [np.nan, 0, 4.5]])
    assert not found.demand.flags.writeable


def test_a_panel_reads_back_as_it_was_written(tmp_path):
    panel = DemandPanel(parts=("x", "y,z"), periods=("1", "2"), demand=[[0, np.nan], [1.25, 7]])
    write_demand(panel, tmp_path / "out.csv")
    found = read_demand(tmp_path / "out.csv")
    assert (found.parts, found.periods, found.price) == (panel.parts, panel.periods, None)
    np.testing.assert_array_equal(found.demand, panel.demand)


def test_parquet_is_the_same_as_csv(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"part": ["a", "b"], "m1": [1.0, None], "m2": [2.0, 3.0]})
    parquet.write_table(table, tmp_path / "demand.parquet")
    found = read_demand(tmp_path / "demand.parquet")
    np.testing.assert_array_equal(found.demand, [[1, 2], [np.nan, 3]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("part\na\n", "has no column of demand"),
        ("part,m1\n", "has no part"),
        ("part,m1,m1\na,1,2\n", "column 'm1' is there twice"),
        ("part;m1;m2\na;1,5;2\n", "its fields are separated by semicolons; save it with commas"),
        ("part\tm1\tm2\na\t1\t2\n", "its fields are separated by tabs"),
        ("part,m1,m2\na,1\n", "line 2: must have 3 fields like the header; got 2"),
        ("part,m1,m2\na,1,many\n", "line 2, column 'm2': must be a number or empty; got 'many'"),
        ("part,m1,m2\na,1,-2\n", "part 'a', period 'm2': demand must be finite and >= 0; a return"),
        ("part,m1,m2\na,1,inf\n", "part 'a', period 'm2': demand must be finite"),
        ("part,m1\na,1\na,2\n", "part 'a' is there twice"),
        ("part,m1,m2\na,,NaN\n", "part 'a': every period is missing"),
        ("part,Price,m1\na,,2\n", "line 2: the price is missing"),
        ("part,Price,m1\na,-1,2\n", "part 'a': the price must be finite and >= 0; got -1"),
    ],
)
def test_errors_name_the_place(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(ValueError) as caught:
        read_demand(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_no_text_or_no_parquet_is_said_so(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00part")
    with pytest.raises(ValueError, match="is no CSV file in UTF-8"):
        read_demand(tmp_path / "a.csv")
    pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match="is no Parquet file"):
        read_demand(write(tmp_path, "part,m1\na,1\n", "a.parquet"))
