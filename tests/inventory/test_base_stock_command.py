"""sparing base-stock: what it prints, draws and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SERIAL = str(Path(__file__).parent.parent / "data" / "known_spares_serial.toml")


def test_json_holds_the_curve_and_the_stocks(run, tmp_path):
    picture = tmp_path / "curve.png"
    code, out, _ = run("base-stock", SERIAL, "--sla", "0.99", "--json", "--plot", str(picture))
    assert code == 0
    found = json.loads(out)
    assert found["method"] == "thinning"
    money = [point["investment"] for point in found["points"]]
    assert money == sorted(money)
    assert found["plan"]["sla"] >= 0.99
    assert {*found["plan"]["levels"]["part"]} == {"central", "site"}
    assert found["plan"]["gap"] <= 1e-6 * found["plan"]["shortage"]
    assert picture.stat().st_size > 10_000


def test_a_budget_is_kept_and_more_money_buys_more(run):
    plans = [
        json.loads(run("base-stock", SERIAL, "--budget", budget, "--json")[1])["plan"]
        for budget in ("3", "8")
    ]
    assert plans[0]["investment"] <= 3.0
    assert plans[1]["investment"] <= 8.0
    assert plans[1]["backorders"] < plans[0]["backorders"]


ERRORS = [
    (("three-component",), "base stocks are for cases of kind 'spares-network'"),
    ((SERIAL, "--budget", "1", "--sla", "0.9"), "give --budget or --sla, not both"),
    ((SERIAL, "--budget", "-1"), "budget must be at least 0"),
    ((SERIAL, "--sla", "1"), "sla must be above 0 and below 1"),
    ((SERIAL, "--method", "guess"), "guess"),
    ((SERIAL, "--plot", "no/such/folder.png"), "no such folder"),
]


@pytest.mark.parametrize(("arguments", "words"), ERRORS)
def test_wrong_input_is_one_line(run, arguments, words):
    code, out, err = run("base-stock", *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("sparing: ")
    assert len(err.splitlines()) == 1
    assert words in err
