"""Plans of many sites: the same as one by one, streamed, resumed, and safe from dying workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
import sparing
from site_plans import deadly_once, noted_plan, write_fleet
from sparing.cli import main
from sparing.fleet import planning
from sparing.fleet.parts import read_parts
from sparing.fleet.planning import is_fleet, plan_many, site_folders


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


def test_only_what_has_changed_is_planned_again(made, monkeypatch, tmp_path):
    folder = shutil.copytree(made[0], tmp_path / "sites")
    planned = []

    def noted(task):
        planned.append(task.name)
        return planning_plan_site(task)

    planning_plan_site = planning.plan_site
    monkeypatch.setattr(planning, "plan_site", noted)
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


def test_a_killed_worker_loses_nothing_and_nothing_is_planned_twice(fleet, tmp_path, monkeypatch):
    """The worker of "site 3" dies once at work; others' plans were made once each."""
    monkeypatch.setattr(planning, "plan_site", deadly_once)
    monkeypatch.setenv("NOTES", str(tmp_path))
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


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")  # of the cluster's own shutdown
def test_a_cluster_of_processes_loses_a_worker_and_no_site(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs dask[distributed]")
    fleet = write_fleet(tmp_path / "sites", 12)
    monkeypatch.setattr(planning, "plan_site", noted_plan)
    monkeypatch.setenv("NOTES", str(tmp_path))
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim = next(iter(client.run(os.getpid).values()))

        def kill(done, total):
            if done == total // 3:
                os.kill(victim, signal.SIGKILL)

        found = plan_many(
            fleet,
            executor=client.get_executor(),
            num_workers=2,
            out=tmp_path / "out",
            progress=kill,
        )
    assert not found.failed
    assert len(found.rows) == 12
    names = [row["name"] for row in read_parts(tmp_path / "out" / "rows")]
    assert sorted(names) == sorted(f"site {k}" for k in range(12))  # each once
    runs = (tmp_path / "planned").read_text().split()
    assert set(runs) == {str(k) for k in range(12)}
    assert len(runs) <= 12 + 8  # at most what was with the dead worker ran again


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
