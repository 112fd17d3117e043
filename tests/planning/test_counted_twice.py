"""A stock that was counted already: refused, so that the folder stays one that can be read."""

from __future__ import annotations

import pytest
from spares_folder import write_folder
from sparing.planning.folder import read_plan_folder
from sparing.planning.whole import plan_folder


@pytest.fixture
def planned(tmp_path):
    folder = write_folder(tmp_path)
    plan_folder(folder).save(folder / "plan")
    return folder


def test_counts_that_are_on_record_are_refused_and_nothing_is_written(run, planned):
    """Added, they would have left a folder that every later command refuses."""
    before = (planned / "stock.csv").read_text()
    (planned / "new.csv").write_text(before)
    code, out, error = run("update", planned, planned / "new.csv")
    assert (code, out) == (2, "")
    assert "stock.csv, 'Time': 'pump' at 'store' is counted for that time already, on 20" in error
    assert (planned / "stock.csv").read_text() == before
    assert read_plan_folder(planned).spares is not None
