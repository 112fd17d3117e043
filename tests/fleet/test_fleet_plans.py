"""Plans of many sites: the same as one by one, streamed, resumed, and safe from dying workers."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import sparing
from site_plans import deadly_once, write_fleet
from sparing.cli import main
from sparing.fleet import planning
from sparing.fleet.parts import read_parts
from sparing.fleet.planning import SORTED_BY, is_fleet, plan_many, site_folders, sorted_rows


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four sites planned on threads: the folder and what was found."""
    folder = write_fleet(tmp_path_factory.mktemp("fleet") / "sites", 4)
    with ThreadPoolExecutor(1) as pool:
        found = plan_many(folder, executor=pool, num_workers=1, out=folder / "plan")
    return folder, found


@pytest.fixture
def fleet(made, tmp_path):
    return shutil.copytree(made[0], tmp_path / "sites", ignore=shutil.ignore_patterns("plan"))


def test_a_fleet_has_the_plans_of_its_sites(made):
    folder, found = made
    assert [row["name"] for row in found.rows] == [f"site {k}" for k in range(4)]
    alone = sparing.plan(folder / "site 2", settings=folder / "plan.toml")
    row = found.rows[2]
    assert (row["lower"], row["upper"]) == (alone.solution.lower, alone.solution.upper)
    assert row["to_do"] == len(alone.to_do) == len(json.loads(row["actions"]))
    assert (row["cost_lower"], row["cost_upper"]) == alone.robustness.interval
    saved = json.loads((folder / "plan" / "sites" / "site 2" / "metrics.json").read_text())
    assert saved["objective"]["lower"] == row["lower"]
    assert {r["name"] for r in read_parts(folder / "plan" / "rows")} == set(site_folders(folder))
    totals = json.loads((folder / "plan" / "fleet.json").read_text())
    assert totals["to_do"] == sum(r["to_do"] for r in found.rows)
    report = (folder / "plan" / "fleet.html").read_text()
    assert '<a href="sites/site%202/report.html">site 2</a>' in report


def test_sites_are_sorted_by_what_matters():
    rows = [
        {"name": "a", "saves": 3.0, "orders": 0, "to_do": 1, "units": 5, "expected_cost": 9.0},
        {"name": "b", "saves": None, "orders": 2, "to_do": 0, "units": 0, "expected_cost": None},
        {"name": "c", "saves": 7.0, "orders": 0, "to_do": 4, "units": 2, "expected_cost": 1.0},
        {"name": "d", "saves": 3.0, "orders": 1, "to_do": 0, "units": 1, "expected_cost": 2.0},
    ]
    rows = [{**row, "error": ""} for row in rows] + [{"name": "e", "error": "no"}]
    found = {by: "".join(row["name"] for row in sorted_rows(rows, by)) for by in SORTED_BY}
    assert found == {
        "saves": "cdab",
        "to-do": "cabd",
        "orders": "bdca",
        "cost": "adcb",
        "units": "acdb",
        "name": "abcd",
    }
    with pytest.raises(ValueError, match="can be sorted by saves, to-do, orders"):
        sorted_rows(rows, "luck")


def test_what_a_plan_saves_over_today_is_told(fleet, capsys):
    """Site 0 replaces failed pumps alone; the others have no such records."""
    (fleet / "site 0" / "maintenance.csv").write_text(
        "Unit,Component,Time,Action,Cost\na,pump,60,replace,9\n"
    )
    (fleet / ("site 0" + 40 * "x")).mkdir()
    shutil.copy(fleet / "site 1" / "inspections.csv", fleet / ("site 0" + 40 * "x"))
    stopped(["plan", str(fleet), "--workers", "1", "--sort", "saves"], 0)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines if line.startswith(" s"))
    first = next(line for line in lines if line.startswith(" site 0 ")).split()
    found = json.loads((fleet / "plan" / "fleet.json").read_text())
    row = next(row for row in found["rows"] if row["name"] == "site 0")
    assert row["saves"] == pytest.approx(2 * (row["today_cost"] - row["expected_cost"]))
    assert row["saves"] >= 0.0
    assert found["saves"] == row["saves"]
    assert f"{row['saves']:,.2f}" in first
    assert lines[2].startswith(" site 0 ")  # the one that is known to save
    stopped(["plan", str(fleet), "--sort", "luck"], 2)
    assert "sites can be sorted by saves" in capsys.readouterr().err


def test_only_what_has_changed_is_planned_again(made, monkeypatch, tmp_path):
    folder = shutil.copytree(made[0], tmp_path / "sites")
    planned = []
    monkeypatch.setattr(planning, "plan_site", noted_in(planned, planning.plan_site))
    with ThreadPoolExecutor(1) as pool:
        options = {"executor": pool, "num_workers": 1, "out": folder / "plan"}
        plan_many(folder, **options)  # the copy is another place
        assert sorted(planned) == [f"site {k}" for k in range(4)]
        planned.clear()
        assert plan_many(folder, **options).num_resumed == 4
        assert planned == []
        with (folder / "site 1" / "inspections.csv").open("a") as file:
            file.write("a,pump,60,0\n")
        assert plan_many(folder, **options).num_resumed == 3
        assert planned == ["site 1"]


def test_plans_of_a_run_that_was_killed_before_it_wrote_their_rows_are_kept(fleet, monkeypatch):
    with ThreadPoolExecutor(1) as pool:
        options = {"executor": pool, "num_workers": 1, "out": fleet / "plan"}
        first = plan_many(fleet, **options)
        shutil.rmtree(fleet / "plan" / "rows")
        report = fleet / "plan" / "sites" / "site 2" / "report.html"
        (fleet / "plan" / "sites" / "site 3" / "row.json").write_text("{half writ")
        planned = []
        monkeypatch.setattr(planning, "_planned", noted_in(planned, planning._planned))
        before = report.stat().st_mtime_ns
        second = plan_many(fleet, **options)
    assert planned == ["site 3"]
    assert report.stat().st_mtime_ns == before
    assert [r["lower"] for r in second.rows] == [r["lower"] for r in first.rows]


def noted_in(names, function):
    def run(task):
        names.append(task.name)
        return function(task)

    return run


def test_a_killed_worker_loses_nothing_and_nothing_is_planned_twice(fleet, tmp_path, monkeypatch):
    """The worker of "site 3" dies once at work; others' plans were made once each."""
    monkeypatch.setattr(planning, "plan_site", deadly_once)
    found = plan_many(fleet, num_workers=2, out=tmp_path / "out")
    assert not found.failed
    assert (tmp_path / "died").exists()
    done = (tmp_path / "planned").read_text().split()
    assert set(done) == {"0", "1", "2", "3"}
    yielded = [row["name"] for row in read_parts(tmp_path / "out" / "rows")]
    assert sorted(yielded) == sorted(set(yielded)) == [f"site {k}" for k in range(4)]
    assert (tmp_path / "out" / "sites" / "site 3" / "report.html").exists()


def test_a_bad_site_is_told_and_the_others_are_planned(fleet, capsys):
    (fleet / "site 1" / "inspections.csv").write_text("Unit,Component\n<b>,pump\n")
    (fleet / "<img src=x>").mkdir()
    (fleet / "<img src=x>" / "inspections.csv").write_text("x")
    stopped(["plan", str(fleet), "--workers", "1"], 2)
    assert "must be a file name" in capsys.readouterr().err
    shutil.rmtree(fleet / "<img src=x>")
    stopped(["plan", str(fleet), "--workers", "1", "--json"], 1)
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert (found["sites"], found["failed"]) == (4, 1)
    assert "site 1: RecordsError" in printed.err
    report = (fleet / "plan" / "fleet.html").read_text()
    assert "Sites without a plan" in report


def test_what_is_a_fleet(fleet, tmp_path):
    assert is_fleet(fleet)
    assert not is_fleet(fleet / "site 1")
    assert not is_fleet(tmp_path / "nowhere")
    (fleet / "plan.toml").unlink()
    assert not is_fleet(fleet)  # sites without settings
    shutil.copy(tmp_path / "sites" / "site 0" / "inspections.csv", tmp_path / "kept.csv")
    with pytest.raises(ValueError, match="holds no site"):
        plan_many(fleet)


def stopped(arguments, code):
    with pytest.raises(SystemExit) as found:
        main(arguments)
    assert found.value.code == code
