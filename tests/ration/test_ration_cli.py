"""sparing ration, and what the other commands say of an e-tailer."""

import json
from pathlib import Path

import pytest
from sparing.cli import main
from sparing.ration.learned import shipped

KNOWN = Path(__file__).parents[1] / "data" / "rationing-day.json"
ANSWERS = json.loads(KNOWN.read_text())["answers"]


@pytest.fixture
def run(capfd):
    def ran(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return ended.value.code, out, err

    return ran


def test_json_has_every_rule_with_own_ofr_and_margin(run):
    code, out, err = run("ration", KNOWN, "--json")
    assert code == 0
    assert err.startswith("sparing: note: ir_dnn is left out: needs --model")
    assert len(err.splitlines()) == 1
    report = json.loads(out)
    rules = [key for key, value in report.items() if isinstance(value, dict)]
    assert rules == [
        "fifo_strict",
        "fifo_skip",
        "bid_price",
        "learned",
        "criticality",
        "hindsight",
    ]
    for rule, answer in ANSWERS.items():
        found = report[rule]
        for key in ("own", "sequence", "ofr"):
            if key in answer:
                assert found[key] == answer[key]
        assert found["margin"] == pytest.approx(answer["margin"], rel=1e-12)
        assert found["own"] == sorted(found["own"])
    assert report["hindsight"]["gap"] == 0.0
    assert report["hindsight"]["upper"] >= max(report[rule]["margin"] for rule in rules)


def test_only_the_rules_asked_for(run):
    _, out, err = run("ration", KNOWN, "--rule", "fifo_skip", "--rule", "criticality", "--json")
    assert err == ""
    report = json.loads(out)
    assert [key for key in report if key in ANSWERS] == ["fifo_skip", "criticality"]


def test_the_table_names_rules_and_the_bound(run):
    code, out, _ = run("ration", KNOWN)
    assert code == 0
    assert "16 orders, 8 SKUs with 93 units, 1 supplier" in out
    assert "no rule can have a margin above 1796.25" in out
    assert "dynamic criticality" in out


def test_orders_from_csv_are_named(run, tmp_path):
    day = {"stock": [3, 9], "skus": ["a", "b"], "margin_own": [5, 4], "margin_drop": [4, 2]}
    (tmp_path / "day.json").write_text(json.dumps(day))
    (tmp_path / "orders.csv").write_text("order,sku,quantity\nX7,a,4\nX8,a,1\nX8,b,2\n")
    code, out, _ = run(
        "ration", tmp_path / "day.json", "--orders", tmp_path / "orders.csv", "--json"
    )
    assert code == 0
    found = json.loads(out)["fifo_skip"]
    assert (found["own"], found["own_orders"], found["margin"]) == ([1], ["X8"], 29.0)


def test_several_suppliers_are_named_per_order(run, tmp_path):
    near = {"name": "near", "margin": [3.0]}
    far = {"name": "far", "margin": [4.0], "delay_probability": 0.5, "delay_penalty": 4.0}
    day = {"stock": [0], "orders": [[1], [3]], "margin_own": [5.0], "suppliers": [near, far]}
    (tmp_path / "day.json").write_text(json.dumps(day))
    code, out, _ = run("ration", tmp_path / "day.json", "--json", "--rule", "fifo_skip")
    assert code == 0
    found = json.loads(out)["fifo_skip"]
    assert found["suppliers"] == {"0": "near", "1": "far"}
    assert found["margin"] == 3.0 + 12.0 - 2.0


def test_a_saved_model_is_used(run, tmp_path):
    shipped().save(tmp_path / "mine.npz")
    code, out, _ = run("ration", KNOWN, "--model", tmp_path / "mine.npz", "--json")
    assert code == 0
    _, same, _ = run("ration", KNOWN, "--json")
    assert json.loads(out) == json.loads(same)


def test_what_cannot_be_read_is_one_line(run, tmp_path):
    (tmp_path / "bad.json").write_text(
        '{"stock": [-1], "margin_own": [1], "margin_drop": [1], "orders": []}'
    )
    cases = {
        ("ration", tmp_path / "no.json"): "no such file",
        ("ration", tmp_path / "bad.json"): "stock[0] must not be negative; got -1",
        ("ration", KNOWN, "--rule", "ir_dnn"): "--rule ir_dnn needs --model",
        ("ration", KNOWN, "--model", KNOWN): "is not a trained rationing rule",
        ("ration", KNOWN, "--orders", tmp_path / "no.csv"): "has orders of its own",
        ("ration", KNOWN, "--rule", "best"): "'best' is not one of",
        ("solve", "dropship"): "an e-tailer, not a system to maintain",
        ("simulate", "dropship"): "an e-tailer, not a system to maintain",
        ("front", "dropship"): "an e-tailer, not a system to maintain",
        ("compare", "three-component", "--quick"): "--quick and --seed are for",
        ("compare", "dropship", "--out", KNOWN): "is a file; give a folder",
    }
    for arguments, message in cases.items():
        code, out, err = run(*arguments)
        assert (code, out) == (2, ""), arguments
        assert len(err.splitlines()) == 1, err
        assert message in err


def test_unused_keys_are_noted(run, tmp_path):
    day = {"stock": [1], "margin_own": [1], "margin_drop": [1], "orders": [[1]], "colour": 3}
    (tmp_path / "day.json").write_text(json.dumps(day))
    code, _, err = run("ration", tmp_path / "day.json", "--json")
    assert code == 0
    assert "the key 'colour' is not used" in err
