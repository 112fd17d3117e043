"""New records move the estimates, the advice and the plan; bad ones move nothing."""

from __future__ import annotations

import json
import shutil

import pytest
from plan_folders import PUMP
from sparing.cli import main
from sparing.planning.folder import read_plan_folder
from sparing.planning.planning import make_plan
from sparing.planning.updating import update_plan
from sparing.records.problems import RecordsError
from sparing.report.plan_files import save_plan

SEEN = "State,Unit,Component,Time\n0,a,pump,0\n0,a,pump,1\n1,a,pump,2\n2,a,pump,3\n0,b,pump,0\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    (folder / "plan.toml").write_text(PUMP)
    (folder / "inspections.csv").write_text(SEEN)
    save_plan(make_plan(folder), folder / "plan")
    return folder


@pytest.fixture
def planned(made, tmp_path):
    return shutil.copytree(made, tmp_path / "site")


def records(folder, text):
    path = folder / "new.csv"
    path.write_text(text)
    return path


def test_inspections_move_estimates_and_advice(planned):
    new = records(
        planned, "Unit,Component,Time,State\nb,pump,1,1\nc,pump,5,0\n" + "c,pump,6,1\nc,pump,7,2\n"
    )
    plan, change = update_plan(planned, new, resolve=True)
    assert change.num_records == 4
    assert change.resolved
    assert "c" in change.units
    assert "a" not in change.units
    assert change.largest_shift["pump"] > 0.05
    alone = make_plan(planned)  # the folder has taken them, in its own order of columns
    assert len(alone.source.inspections.unit) == 9
    assert (alone.solution.lower, alone.solution.upper) == (
        plan.solution.lower,
        plan.solution.upper,
    )
    assert (planned / "inspections.csv").read_text().startswith("State,Unit,Component,Time\n")


def test_maintenance_makes_as_new(planned):
    new = records(planned, "Unit,Component,Time,Action,Cost\na,pump,3,replace,9\n")
    plan, change = update_plan(planned, new)
    assert {a.unit: a.states for a in plan.advice}["a"] == (0,)
    assert change.units == ("a",)
    assert len(read_plan_folder(planned).maintenance.unit) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Unit,Component,Time,State\na,pump,3,2\n", "is on record already"),
        ("Unit,Component,Time,State\na,pump,4,0\n", "unit 'a', inspected at 4, goes from state 2"),
        ("Unit,Component,Time,State\na,fan,4,0\n", "'fan' is no component"),
        ("Unit,Component,Time,Action,Cost\na,pump,4,paint,0\n", "must be one of"),
        ("", "is empty"),
    ],
)
def test_bad_records_change_nothing(planned, text, message):
    before = {f.name: f.read_bytes() for f in planned.iterdir() if f.is_file()}
    with pytest.raises(RecordsError, match=message):
        update_plan(planned, records(planned, text))
    after = {f.name: f.read_bytes() for f in planned.iterdir() if f.name in before}
    assert after == before


def test_there_must_be_a_plan(tmp_path):
    with pytest.raises(ValueError, match="has no plan yet"):
        update_plan(tmp_path, tmp_path / "new.csv")


def test_the_commands_say_what_changed_and_what_to_do(planned, capsys):
    new = records(planned, "Unit,Component,Time,State\nb,pump,1,1\n")
    stopped(["update", str(planned), str(new), "--json"], 0)
    found = json.loads(capsys.readouterr().out)
    assert found["change"]["num_records"] == 1
    assert "What changed" in (planned / "plan" / "report.html").read_text()
    stopped(["policy", str(planned), "--state", "pump=2"], 0)
    assert capsys.readouterr().out == "pump: 2 to 0\n"
    stopped(["policy", str(planned), "--json"], 0)
    assert json.loads(capsys.readouterr().out) == {"state": {"pump": 0}, "action": {"pump": 0}}
    for bad in ("pump=3", "fan=0", "pump", "pump=x"):
        stopped(["policy", str(planned), "--state", bad], 2)
        assert "must be one of pump=0..2" in capsys.readouterr().err
    stopped(["policy", str(planned / "nowhere")], 2)
    assert "has no plan" in capsys.readouterr().err


def stopped(arguments, code):
    with pytest.raises(SystemExit) as found:
        main(arguments)
    assert found.value.code == code
