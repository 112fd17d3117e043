"""sparing twin and sparing rates, from the file to the folder; and what is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from sparing import cli
from sparing.records.defects import read_defects
from sparing.records.exposure import exposure_of_defects
from sparing.records.failures import read_failures
from sparing.simulate.twin_files import load_twin

CASE = Path(__file__).parents[1] / "data" / "spares-twin.toml"
SINGLE = Path(__file__).parents[1] / "data" / "known_spares_single.toml"


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_a_run_writes_records_that_are_read_again(capsys, tmp_path):
    out = tmp_path / "run"
    code, text, _ = run(
        capsys, "twin", CASE, "--stress", "--sensitivity", "--replications", 6, "--seed", 3,
        "--out", out, "--json",
    )  # fmt: skip
    assert code == 0
    report = json.loads(text)
    total = report["measures"]["total"]
    assert total["lower"] < total["mean"] < total["upper"]
    assert [row["name"] for row in report["stress"]][-1] == "central lost for a quarter"
    assert [row["name"] for row in report["sensitivity"]][1] == "rate x 0.5"
    assert {f.name for f in out.iterdir()} == {*report["files"]}
    assert json.loads((out / "twin.json").read_text())["format"] == "sparing-twin-1"
    assert len((out / "periods.csv").read_text().splitlines()) == 13
    for plot in ("stock.png", "costs.png"):
        assert (out / plot).read_bytes().startswith(b"\x89PNG")
    records = read_failures(out / "failures.csv", components=["inverter"])
    defects = read_defects(out / "defects.csv")
    again = exposure_of_defects(defects, first=date(2024, 1, 1), last=date(2024, 12, 31))
    assert sum(r.failures for r in records) == sum(r.failures for r in again) > 0
    assert sum(r.exposure for r in again) == pytest.approx(40.0, rel=0.02)  # unit-years
    assert sum(r.exposure for r in records) == pytest.approx(24.0, rel=0.02)  # of the case
    code, again_text, _ = run(
        capsys, "twin", CASE, "--stress", "--sensitivity", "--replications", 6, "--seed", 3,
        "--out", out, "--json",
    )  # fmt: skip
    assert again_text == text  # the same seed, and the folder is ours to replace
    code, text, _ = run(capsys, "rates", out / "failures.csv", "--case", CASE, "--json")
    assert code == 0
    report = json.loads(text)
    rate = report["rates"]["inverter"]
    assert rate["lower"] < rate["mean"] < rate["upper"]
    assert set(report["effects"]) == {"temperature", "humidity"}
    (advice,) = report["advice"]
    assert advice["period"] == 11
    assert set(advice["orders"]) == {"central", "north", "south"}
    code, text, _ = run(
        capsys, "rates", out / "defects.csv", "--first", "2024-01-01", "--last", "2024-12-31"
    )
    assert code == 0
    assert "posterior predictive checks: 4" in text


@pytest.mark.parametrize(
    "policy",
    ["optimal", "closed-loop", "min-max", "fixed-quantity", "min-max=central:1:3,north:0:2"],
)
def test_policies(capsys, policy):
    code, text, _ = run(capsys, "twin", CASE, "--policy", policy, "--replications", 2, "--json")
    assert code == 0
    assert json.loads(text)["policy"] == policy


def test_policies_are_compared_with_the_first(capsys, tmp_path):
    names = ["one-for-one", "min-max"]
    options = [option for name in names for option in ("--policy", name)]
    code, text, _ = run(
        capsys, "twin", CASE, *options, "--replications", 3, "--json", "--out", tmp_path / "b"
    )
    assert code == 0
    first, second = json.loads(text)["policies"]
    assert [first["name"], second["name"]] == names
    assert first["cost_change"]["mean"] == 0.0
    assert second["cost_change"]["mean"] == pytest.approx(
        second["total"]["mean"] - first["total"]["mean"]
    )


def test_tables_are_printed(capsys, tmp_path):
    short = tmp_path / "short.toml"
    short.write_text(SINGLE.read_text().replace("periods = 8", "periods = 3"))
    code, text, _ = run(
        capsys, "twin", short, "--plain", "--policy", "min-max=site:1:3", "--learning",
        "--replications", 3, "--out", tmp_path / "a",
    )  # fmt: skip
    assert code == 0
    assert "share of site time without backorder" in text
    assert "expected cost of the exact model" in text
    assert "learning.png" in text
    code, text, _ = run(
        capsys, "twin", SINGLE, "--stress", "--replications", 2, "--policy", "optimal"
    )
    assert code == 0
    assert "failures x 4 for a tenth" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policy", "best"], "--policy must be optimal"),
        (["--policy", "min-max=hub:1:2"], "unknown location 'hub'"),
        (["--policy", "min-max=north:1"], "give two whole numbers per location, such as north:1:3"),
        (["--policy", "one-for-one=north:x"], "give a whole number per location"),
        (["--policy", "min-max=north:3:1"], "the least at 'north' must be below the most; got 3"),
        (["--policy", "fixed-quantity=north:1:-2"], "the quantity at 'north' must be >= 0; got -2"),
        (["--policy", "one-for-one=north:1,north:2"], "location 'north' is there twice"),
        (["--policy", "one-for-one=2,north:2"], "give numbers for all locations or by name"),
        (["--plain"], "one-for-one orders come between reviews"),
        (
            ["--plain", "--policy", "closed-loop=climate"],
            "the twin has no climate; use closed-loop",
        ),
        (["--replications", "0"], "'--replications'"),
        (["--service", "1"], "service must be at least"),
        (["--seed", "-1"], "'--seed'"),
    ],
)
def test_bad_options_are_one_line(capsys, arguments, message):
    code, text, error = run(capsys, "twin", CASE, *arguments)
    assert (code, text) == (2, "")
    assert message in error or "service must be above 0" in error
    assert len(error.splitlines()) == 1


def test_other_cases_and_folders_are_refused(capsys, tmp_path):
    code, _, error = run(capsys, "twin", "three-component")
    assert code == 2
    assert "a twin needs a case of kind 'spares-network'" in error
    (tmp_path / "mine.txt").write_text("x")
    code, _, error = run(capsys, "twin", CASE, "--out", tmp_path)
    assert code == 2
    assert "nothing was written" in error
    code, _, error = run(capsys, "twin", tmp_path / "none.toml")
    assert code == 2
    assert "no such file or built-in case" in error


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('[twin]\n', '[twin]\nclok = "review"\n', "unknown key 'clok'"),
        ('[twin]\n', '[twin]\nclock = "fast"\n', "clock must be continuous or review; got 'fast'"),
        ('[twin]\n', "[twin]\nrate = { fan = 1.0 }\n", "rate must name the parts ['inverter']"),
        ('[twin]\n', "[twin]\nrate_factor = 0\n", "rate_factor must be > 0; got 0"),
        ('[twin]\n', "[twin]\ndown_units_fail = 1\n", "down_units_fail must be true or false"),
        ("start = 2024-01-01", "start = 2024", "start must be a date such as 2024-01-01"),
        ("north = 24, ", "", "units must name the sites ['north', 'south']; got ['south']"),
        ("north = 24", "north = 0", "units of 'north' must be a whole number, at least 1; got 0"),
        ("humidity = 0.1, ", "wind = 0.1, ", "effects: unknown 'wind'"),
        ("crew = { size = 2, ", "crew = { ", "[twin.crew]: 'size' is missing"),
        ("size = 2", "size = 0", "[twin.crew]: crew size must be a whole number, at least 1"),
        ("shape = 1.8", "shape = 0.8", "[twin.ageing]: ageing shape must be at least 1; got 0.8"),
        ("storage = { central", "storage = { hub", "storage: unknown location 'hub'"),
        ("offset = { south", "offset = { east", "climate offset: unknown site 'east'"),
        ("profile = [2, ", "profile = [", "load profile must be 24 numbers, one an hour"),
        ("weather = 2.5 }", "weather = -1 }", "temperature: weather must be at least 0; got -1"),
        ('kind = "delay"', 'kind = "flood"', "kind must be burst, delay or closed; got 'flood'"),
        ("last_hour = 2500.0", "last_hour = 1.0", "last_hour must be above first_hour, 2000"),
        ('locations = ["central"]', 'locations = ["hub"]', "delay: unknown location 'hub'"),
    ],
)  # fmt: skip
def test_bad_twin_tables_name_place_and_value(tmp_path, old, new, message):
    text = CASE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "case.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        load_twin(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prior", "2"], "--prior must be two numbers such as 2,4; got '2'"),
        (["--prior", "0,1"], "shape must be > 0; got 0"),
        (["--stock", "north=1"], "--period, --stock and --ordered go with --case"),
        (["--first", "2024-01-01"], "--first and --last are for defect records"),
        (["--case", CASE, "--stock", "hub=1"], "--stock: give location=number"),
        (["--case", CASE, "--stock", "north=x"], "--stock north: must be a whole number; got 'x'"),
        (["--case", CASE, "--ordered", "north=2@x"], "must be a quantity and an age such as 2@1"),
        (["--case", CASE, "--period", "12"], "period must be one of 0..11, the horizon; got 12"),
        (["--case", "three-component"], "must be of kind 'spares-network'"),
    ],
)
def test_bad_options_of_rates(capsys, tmp_path, arguments, message):
    path = tmp_path / "failures.csv"
    path.write_text(
        "Component Name,Location,Start,Failures,Exposure\ninverter,north,2024-01-01,1,1.2\n"
    )
    code, text, error = run(capsys, "rates", path, *arguments)
    assert (code, text) == (2, "")
    assert message in error
    assert len(error.splitlines()) == 1


def test_the_loop_by_hand(capsys, tmp_path):
    """Two months of records of the case's own exposure: looked up; another exposure: re-solved."""
    path = tmp_path / "failures.csv"
    rows = [
        f"inverter,{site},2024-{month:02d}-01,{count},{exposure}"
        for month in (1, 2)
        for site, count, exposure in (("north", 3, 1.2), ("south", 1, 0.8))
    ]
    head = "Component Name,Location,Start,Failures,Exposure"
    path.write_text("\n".join([head, *rows]) + "\n")
    stock = ["--case", CASE, "--stock", "central=2,north=-1,south=0", "--ordered", "south=1@1"]
    code, text, _ = run(capsys, "rates", path, *stock)
    assert code == 0
    assert "review 2: belief Gamma(10, 8), looked up: order" in text
    path.write_text("\n".join([head, rows[0]]) + "\n")
    code, text, _ = run(capsys, "rates", path, *stock, "--period", 2)
    assert code == 0
    assert "belief Gamma(5, 5.2), re-solved: order" in text
