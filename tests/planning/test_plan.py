"""From a folder to a plan: the example, the truth behind it, and folders that are wrong."""

from __future__ import annotations

import html.parser
import json
import shutil

import numpy as np
import pytest
import sparing
from plan_folders import assert_refused
from sparing.cli import main
from sparing.planning.demo import RATES, write_demo
from sparing.planning.folder import read_plan_folder
from sparing.planning.observed import observed_limits
from sparing.planning.planning import current_states, make_plan
from sparing.planning.robustness import robustness
from sparing.records.problems import RecordsError

KINDS = ("inspections", "maintenance", "failures", "stock", "orders")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = write_demo(tmp_path_factory.mktemp("demo") / "ess", seed=1, spares=False)
    settings = (folder / "plan.toml").read_text()
    (folder / "plan.toml").write_text(settings.replace("draws = 200", "draws = 40"))
    return folder


@pytest.fixture(scope="module")
def plan(demo):
    return make_plan(demo)


def test_the_same_seed_writes_the_same_folder(tmp_path):
    first, second = (write_demo(tmp_path / name, seed=3) for name in ("a", "b"))
    names = {path.name for path in first.iterdir()}
    assert names == {f"{name}.csv" for name in KINDS} | {"plan.toml"}
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    with pytest.raises(ValueError, match="exists; give a new or empty folder"):
        write_demo(first)


def test_the_estimates_hold_the_truth(plan):
    """Probabilities per period of 30 days by simulating days, as the example does."""
    inside, asked = 0, 0
    for name, rates in RATES.items():
        day = np.eye(4)
        for state, (worse, failed) in enumerate(rates):
            day[state, state] -= (worse + failed) / 30.0
            day[state, state + 1] += worse / 30.0
            day[state, 3] += failed / 30.0
        truth = np.linalg.matrix_power(day, 30)
        low, high = plan.estimates.components[name].posterior.interval(0.99)
        entries = [(i, j) for i in range(3) for j in range(i, 4)]
        inside += sum(low[e] <= truth[e] <= high[e] for e in entries)
        asked += len(entries)
    assert inside >= 0.85 * asked


def test_the_plan_is_the_optimum_of_its_problem(plan):
    alone = sparing.solve(plan.problem)
    assert (plan.solution.lower, plan.solution.upper) == (alone.lower, alone.upper)
    assert plan.today.cost >= plan.solution.lower
    assert plan.rows["limits"].cost >= plan.solution.lower


def test_todays_rule_is_read_from_the_records(demo):
    """The example replaces racks and inverters when failed and cooling from state 2."""
    assert observed_limits(read_plan_folder(demo)) == (3, 3, 2)


def test_units_stand_where_they_were_last_seen(demo):
    source = read_plan_folder(demo)
    states, seen = current_states(source)["ESS-07"]
    for position, component in enumerate(source.components):
        rows = [
            (time, state)
            for unit, name, time, state in zip(
                source.inspections.unit,
                source.inspections.component,
                source.inspections.time,
                source.inspections.state,
                strict=True,
            )
            if (unit, name) == ("ESS-07", component.name)
        ]
        time, state = max(rows)
        done = [
            t
            for u, n, t in zip(
                source.maintenance.unit,
                source.maintenance.component,
                source.maintenance.time,
                strict=True,
            )
            if (u, n) == ("ESS-07", component.name) and t >= time
        ]
        assert states[position] == (0 if done else state)
        assert seen[position] == (max(done) if done else time)


def test_information_is_never_worth_less_than_nothing(plan):
    found = robustness(plan.estimates, plan.solution.policy, num_draws=10)
    assert np.all(found.cost >= found.optimum - 1e-5)
    value, error = found.value_of_information
    assert value >= 0.0
    assert error >= 0.0


def test_the_command_writes_what_it_says(demo, tmp_path, capsys):
    parquet = pytest.importorskip("pyarrow.parquet")
    main_quietly(["plan", str(demo), "--out", str(tmp_path / "out"), "--json"])
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert printed["objective"] == written["objective"]
    table = parquet.read_table(tmp_path / "out" / "policy.parquet").to_pylist()
    assert len(table) == 64
    saved = sparing.load_solution(tmp_path / "out" / "solution")
    state = (2, 1, 3)
    row = next(r for r in table if (r["rack"], r["inverter"], r["cooling"]) == state)
    target = saved.policy.action(state)
    assert [row["rack to"], row["inverter to"], row["cooling to"]] == [str(t) for t in target]
    main_quietly(["plan", str(demo), "--out", str(tmp_path / "out")])  # its own may be replaced
    assert "units need work" in capsys.readouterr().out


class Reader(html.parser.HTMLParser):
    """Notes the tags and the text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_names_do_not_become_markup(demo, tmp_path):
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    shutil.copytree(demo, folder)
    records = (
        (folder / "inspections.csv").read_text().replace("ESS-01", "<script>alert(1)</script>")
    )
    (folder / "inspections.csv").write_text(records)
    maintenance = (folder / "maintenance.csv").read_text()
    (folder / "maintenance.csv").write_text(
        maintenance.replace("ESS-01", "<script>alert(1)</script>")
    )
    from sparing.report.plan_report import plan_report

    reader = Reader()
    reader.feed(plan_report(make_plan(folder)))
    assert [tag for tag, _ in reader.tags].count("script") == 1  # our own
    assert not any(tag == "img" for tag, _ in reader.tags)
    for tag, attributes in reader.tags:
        for name in ("src", "href", "action"):
            address = attributes.get(name, "")
            assert not address or address == "data:,", f"<{tag} {name}={address}>"


SETTINGS = """
[plan]
period = 1
[system]
kind = "multi-component"
structure = "pump"
[[component]]
name = "pump"
states = 2
renewals = ["replace"]
maintenance_cost = [[0, 0], [5, inf]]
"""
SEEN = "Unit,Component,Time,State\na,pump,0,0\na,pump,1,0\na,pump,2,1\n"
DONE = "Unit,Component,Time,Action,Cost\na,pump,2,replace,5\n"


def folder_with(tmp_path, settings=SETTINGS, seen=SEEN, done=DONE):
    for name, text in (
        ("plan.toml", settings),
        ("inspections.csv", seen),
        ("maintenance.csv", done),
    ):
        if text is not None:
            mode = "wb" if isinstance(text, bytes) else "w"
            with (tmp_path / name).open(mode) as file:
                file.write(text)
    return tmp_path


def test_the_smallest_folder_makes_a_plan(tmp_path):
    found = make_plan(folder_with(tmp_path))
    assert found.advice[0].states == (0,)  # replaced at 2
    assert found.estimates.components["pump"].posterior.method == "dirichlet"


BAD = {
    "no settings": ({"settings": None}, "plan.toml: is not in"),
    "no TOML": ({"settings": "[plan"}, "plan.toml: is no TOML file"),
    "settings not in UTF-8": ({"settings": b"\xff\xfe"}, "plan.toml: is no TOML file"),
    "no plan": ({"settings": SETTINGS.replace("[plan]", "[plans]")}, r"\[plan\] is missing"),
    "no period": ({"settings": SETTINGS.replace("period = 1", "")}, "'plan.period': must be"),
    "period nan": ({"settings": SETTINGS.replace("period = 1", "period = nan")}, "must be a num"),
    "period text": ({"settings": SETTINGS.replace("= 1\n", "= 'x'\n", 1)}, "got 'x'"),
    "unknown key": ({"settings": SETTINGS.replace("[plan]", "[plan]\nfoo = 1")}, "plan.foo"),
    "few draws": ({"settings": SETTINGS.replace("[plan]", "[plan]\ndraws = 3")}, "plan.draws"),
    "seed": ({"settings": SETTINGS.replace("[plan]", "[plan]\nseed = -1")}, "plan.seed"),
    "no component": ({"settings": SETTINGS.split("[[")[0]}, "needs at least one"),
    "no name": ({"settings": SETTINGS.replace("name =", "label =")}, "must be a table with a name"),
    "one state": ({"settings": SETTINGS.replace("states = 2", "states = 1")}, "from 2 to 32"),
    "twice": ({"settings": SETTINGS + SETTINGS[SETTINGS.index("[[") :]}, "'pump' is there twice"),
    "renewals": ({"settings": SETTINGS.replace('["replace"]', '"replace"')}, "must be a list"),
    "no inspections": ({"seen": None}, "inspections.csv: .*No such file"),
    "empty": ({"seen": ""}, "inspections.csv: is empty"),
    "header only": ({"seen": SEEN.splitlines()[0]}, "no two successive inspections"),
    "swapped columns": ({"seen": SEEN.replace("Time,State", "State,Time")}, "State': must be"),
    "a column less": ({"seen": SEEN.replace(",State", "")}, "must have 3 fields"),
    "truncated": ({"seen": SEEN[:-3]}, "must have 4 fields"),
    "not in UTF-8": ({"seen": SEEN.encode() + b"\xff,pump,3,1\n"}, "is no CSV file in UTF-8"),
    "UTF-16": ({"seen": SEEN.encode("utf-16")}, "inspections.csv"),
    "a NUL": ({"seen": SEEN + "a,pump,3\0,1\n"}, "inspections.csv"),
    "an unknown component": ({"seen": SEEN + "a,fan,3,1\n"}, "'fan' is no component"),
    "no such state": ({"seen": SEEN + "a,pump,3,2\n"}, "from 0 to 1; got 2"),
    "half a state": ({"seen": SEEN + "a,pump,3,.5\n"}, "got 0.5"),
    "a negative state": ({"seen": SEEN + "a,pump,3,-1\n"}, "must be a number >= 0"),
    "no time": ({"seen": SEEN + "a,pump,,1\n"}, "'Time': is empty"),
    "an impossible date": ({"seen": SEEN + "a,pump,2026-02-30,1\n"}, "must be a date"),
    "the same time": ({"seen": SEEN + "a,pump,2,1\n"}, "is that of line 4 already"),
    "wear that went back": ({"seen": SEEN + "b,pump,0,1\nb,pump,1,0\n"}, "not on record"),
    "an unknown action": ({"done": DONE + "a,pump,3,paint,1\n"}, "must be one of"),
    "a negative cost": ({"done": DONE + "a,pump,3,replace,-1\n"}, "'Cost': must be a number >= 0"),
    "an infinite cost": ({"done": DONE + "a,pump,3,replace,inf\n"}, "'Cost': must be a number"),
    "no unit": ({"done": DONE + ",pump,3,replace,1\n"}, "'Unit': is empty"),
    "a header twice": ({"done": DONE.replace("Cost", "Time")}, "'Time' is there twice"),
    "not a CSV": ({"done": b"\x89PNG\r\n\x1a\n\0\0"}, "maintenance.csv"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_folders_are_refused_in_one_line_or_list(name, tmp_path, capsys):
    texts, message = BAD[name]
    folder_with(tmp_path, **texts)
    assert_refused(tmp_path, make_plan, message, capsys)


def test_all_files_are_in_one_list(tmp_path):
    with pytest.raises(RecordsError) as caught:
        make_plan(
            folder_with(
                tmp_path,
                seen=SEEN + "a,pump,3,9\n",
                done=DONE + "a,pump,4,paint,1\n,pump,5,replace,1\n",
            )
        )
    assert [problem.file for problem in caught.value.problems] == [
        "inspections.csv",
        "maintenance.csv",
        "maintenance.csv",
    ]


@pytest.mark.parametrize("unit", ["=cmd|' /C calc'!A0", "../../etc/passwd", "a\u202eb", "x" * 5000])
def test_strange_names_are_names(unit, tmp_path):
    found = make_plan(folder_with(tmp_path, seen=SEEN.replace("a,pump", f"{unit},pump"), done=None))
    assert [advice.unit for advice in found.advice] == [unit]


def main_quietly(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
