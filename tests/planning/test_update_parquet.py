"""Records and their updates as Parquet, in every mix with CSV."""

from __future__ import annotations

import datetime

import pyarrow
import pytest
import sparing
from plan_folders import PUMP
from pyarrow import csv, parquet
from spares_folder import write_folder
from sparing.planning.added_rows import add_rows
from sparing.planning.folder import read_plan_folder
from sparing.planning.new_records import joined_with
from sparing.planning.updating import update_plan

SEEN = "Unit,Component,Time,State\na,pump,0,0\na,pump,1,1\nb,pump,0,0\nb,pump,1,0\n"
MORE = "State,Unit,Component,Time\n1,b,pump,2\n"


def as_parquet(text, path):
    """Write CSV as Parquet with the types that Arrow reads into it: numbers, dates, text."""
    table = csv.read_csv(pyarrow.BufferReader(text.encode()))
    parquet.write_table(table, path)
    return path


@pytest.mark.parametrize("folder_has", ["csv", "parquet"])
@pytest.mark.parametrize("update_is", ["csv", "parquet"])
def test_inspections_in_every_mix(folder_has, update_is, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "plan.toml").write_text(PUMP.replace("period = 1", "period = 1\ndraws = 20"))
    target, new = folder / f"inspections.{folder_has}", tmp_path / f"new.{update_is}"
    for path, text in ((target, SEEN), (new, MORE)):
        if path.suffix == ".csv":
            path.write_text(text)
        else:
            as_parquet(text, path)
    sparing.plan(folder, out=folder / "plan")
    plan, change = sparing.update_plan(folder, new)
    assert change.num_records == 1
    assert plan.source.inspections.state.tolist() == [0, 1, 0, 0, 1]
    again = read_plan_folder(folder).inspections
    assert again.state.tolist() == plan.source.inspections.state.tolist()
    assert sorted(p.name for p in folder.iterdir()) == [target.name, "plan", "plan.toml"]
    if folder_has == "parquet":
        schema = parquet.read_schema(target)
        assert schema.names == ["Unit", "Component", "Time", "State"]
        assert schema.field("State").type == pyarrow.int64()


def test_orders_that_came_replace_rows_of_a_parquet_file_with_dates(tmp_path):
    folder = write_folder(tmp_path / "site")
    as_parquet((folder / "orders.csv").read_text(), folder / "orders.parquet")
    (folder / "orders.csv").unlink()
    assert parquet.read_schema(folder / "orders.parquet").field("Ordered").type == pyarrow.date32()
    new = tmp_path / "new.csv"
    new.write_text("Part,Location,Quantity,Ordered,Received\npump,west,1,2024-12-01,2025-01-02\n")
    (file,) = joined_with(read_plan_folder(folder), [new]).stocks
    assert (file.target.name, file.num_records, file.replaced.tolist()) == (
        "orders.parquet",
        1,
        [6],
    )
    add_rows(file.target, file.records, file.replaced)
    rows = parquet.read_table(folder / "orders.parquet").to_pylist()
    assert len(rows) == 7
    assert rows[-1]["Received"] == datetime.date(2025, 1, 2)
    assert sum(row["Received"] is None for row in rows) == 0
    assert read_plan_folder(folder).spares.orders.under_way.sum() == 0


def test_cells_that_a_column_cannot_hold_are_told_and_nothing_is_written(tmp_path):
    path, new = tmp_path / "old.parquet", tmp_path / "new.csv"
    as_parquet("a,b\n1,x\n", path)
    before = path.read_bytes()
    new.write_text("a,b\n1.5,y\n")
    with pytest.raises(ValueError, match=r"old.parquet: its column 'a' holds int64"):
        add_rows(path, new)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".part"] == []
    new.write_text("a,c\n,z\n")
    add_rows(path, new)
    assert parquet.read_table(path).to_pylist()[-1] == {"a": None, "b": None}


def test_a_damaged_parquet_update_changes_nothing(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "plan.toml").write_text(PUMP.replace("period = 1", "period = 1\ndraws = 20"))
    (folder / "inspections.csv").write_text(SEEN)
    sparing.plan(folder, out=folder / "plan")
    new = tmp_path / "new.parquet"
    new.write_bytes(b"PAR1 cut off")
    with pytest.raises(ValueError, match="is no Parquet file"):
        update_plan(folder, new)
    assert (folder / "inspections.csv").read_text() == SEEN
