"""New records of failures, stock and orders move beliefs and orders; bad ones move nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from spares_folder import COUNTS, HEADER, write_folder
from sparing.cli import main
from sparing.planning.folder import read_plan_folder
from sparing.planning.new_records import kind_of
from sparing.planning.updating import update_plan
from sparing.planning.whole import plan_folder
from sparing.records.problems import RecordsError


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("first"))
    plan_folder(folder).save(folder / "plan")
    return folder


@pytest.fixture
def planned(first, tmp_path):
    return Path(shutil.copytree(first, tmp_path / "folder"))


def records(folder, text):
    path = folder / "new.csv"
    path.write_text(text)
    return path


def test_a_failure_moves_belief_and_orders(planned):
    """The unit in service fails and is replaced: one failure and some days more, by conjugacy.

    The day of the plan moves from the last count, 2024-12-31, to the failure on 2025-01-10.
    """
    new = records(
        planned,
        HEADER
        + "pump,2024-03-01,Acme,2025-01-10,10,,,east,E1,A\npump,2025-01-10,Acme,,10,,,east,E1,\n",
    )
    made, change = update_plan(planned, new)
    assert change.num_records == 2
    rate = made.estimates.rates["pump"]
    assert rate.belief.shape == 5.5
    assert rate.exposure == pytest.approx((4 * 376 - 2) / 365.25)
    before, now = change.rates["pump"]
    assert before[0] == pytest.approx(4.5 / ((4 * 366 - 2) / 365.25))
    assert now[0] == rate.belief.mean
    at = {level.location: level for level in made.levels}
    assert at["east"].standing.net == -1  # none was on the shelf, and one more is asked for
    assert ("pump", "east") in change.orders or at["east"].order_now > 0
    kept = read_plan_folder(planned).spares
    assert len(kept.failures.part) == 9  # one row was replaced, two are new
    assert made.save(planned / "plan", change=change)["spares"]["change"]["num_records"] == 2
    assert "What changed in the stocks" in (planned / "plan" / "report.html").read_text()


def test_an_order_that_came_takes_the_place_of_the_one_under_way(planned):
    new = records(
        planned,
        "Quantity,Part,Location,Ordered,Received,Note\n"
        + "1,pump,west,2024-12-01,2025-01-02,late\n",
    )
    made, _ = update_plan(planned, new)
    at = {level.location: level for level in made.levels}
    assert (at["west"].standing.net, at["west"].standing.ordered) == (0, 0)
    lines = (planned / "orders.csv").read_text().splitlines()
    assert lines[0] == "Part,Location,Quantity,Ordered,Received"
    assert lines[-1] == "pump,west,1,2024-12-01,2025-01-02"
    assert len(lines) == 8


def test_a_new_count_is_the_stock(planned):
    new = records(planned, "Part,Location,Time,On Hand\npump,store,2025-01-31,3\n")
    made, change = update_plan(planned, new)
    at = {level.location: level.standing.net for level in made.levels}
    assert at["store"] == 3
    assert (planned / "stock.csv").read_text().endswith("pump,store,2025-01-31,3,\n")
    assert change.cost[0] != change.cost[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "pump,2023-06-01,Acme,,10,,,east,E2,\n", "in service already"),
        (HEADER + "pump,2023-05-01,Acme,2024-03-01,10,,,east,E1,A\n", "failure is on record"),
        (HEADER + "fan,2023-05-01,Acme,2024-03-01,10,,,east,E1,A\n", "'fan' is no part"),
        (COUNTS, "has units one by one where the folder has counts, or the reverse"),
        ("Part,Location,Time,On Hand\npump,north,2025-01-31,3\n", "'north' is no location"),
        ("Part,Location,Time,On Hand\npump,store,2025-01-31,9\n", "less than the 9 units"),
        ("Part,Location,Quantity,Ordered,Received\npump,west,x,2025-01-31,\n", "'Quantity'"),
    ],
)
def test_bad_records_change_nothing(planned, text, message):
    before = {f.name: f.read_bytes() for f in planned.iterdir() if f.is_file()}
    with pytest.raises(RecordsError, match=message):
        update_plan(planned, records(planned, text))
    after = {f.name: f.read_bytes() for f in planned.iterdir() if f.name in before}
    assert after == before


def test_kinds_are_told_by_their_columns(tmp_path):
    for text, kind in (
        (HEADER, "failures"),
        (COUNTS, "failures"),
        ("part,location,time,on hand\n", "stock"),
        ("Part,Location,Quantity,Ordered,Received\n", "orders"),
        ("Unit,Component,Time,State\n", "inspections"),
        ("UNIT,Component,Time,Action,Cost\n", "maintenance"),
        ("Unit,Component\n", None),
        ("", None),
    ):
        assert kind_of(records(tmp_path, text)) == kind


def test_the_command_says_what_changed(planned, capsys):
    new = records(planned, "Part,Location,Time,On Hand\npump,east,2025-01-31,2\n")
    with pytest.raises(SystemExit) as stopped:
        main(["update", str(planned), str(new)])
    assert stopped.value.code == 0
    assert "1 records added to stock.csv" in capsys.readouterr().out
    metrics = json.loads((planned / "plan" / "metrics.json").read_text())
    assert metrics["spares"]["change"]["file"] == "stock.csv"
    with pytest.raises(ValueError, match="holds no records of failures or stock or orders"):
        update_plan(planned, records(planned, "Unit,Component\n"))


def test_there_must_be_a_plan(tmp_path):
    with pytest.raises(ValueError, match="has no plan yet"):
        update_plan(write_folder(tmp_path), tmp_path / "stock.csv")
