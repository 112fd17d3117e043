"""sparing forecast and sparing compare hydro-spares, as a user meets them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from series import intermittent


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Eight parts, 54 periods: 48 before a hold-out of 6, as everywhere in these tests."""
    monkeypatch.chdir(tmp_path)
    path = Path("demand.csv")
    demand = intermittent(8, length=54, seed=4)
    lines = [",".join(["part", *(f"m{t}" for t in range(54))])]
    lines += [",".join([f"p{i}", *(f"{v:.0f}" for v in row)]) for i, row in enumerate(demand)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_csv_has_the_columns_and_rising_counts(run, file):
    out, stock = Path("out.csv"), Path("stock.csv")
    options = ("--horizon", 6, "--method", "imapa", "--out", out, "--stock-out", stock)
    code, printed, err = run("forecast", file, *options)
    assert (code, err) == (0, "")
    assert "order up to" in printed
    assert max(map(len, printed.splitlines())) <= 100
    with out.open() as text:
        rows = list(csv.DictReader(text))
    assert list(rows[0]) == ["part", "step", "mean", "q0.5", "q0.9", "q0.95", "q0.995"]
    assert len(rows) == 8 * 6
    assert [r["step"] for r in rows[:6]] == list("123456")
    for row in rows:
        counts = [int(row[q]) for q in ("q0.5", "q0.9", "q0.95", "q0.995")]
        assert counts == sorted(counts)
        assert float(row["mean"]) >= 0.0
    with stock.open() as text:
        assert next(csv.DictReader(text))["periods"] == "3"


def test_auto_answers_for_edge_inputs(run, tmp_path):
    path = tmp_path / "edges.csv"
    demand = np.zeros((6, 48))
    demand[1, 30] = 40.0
    demand[2] = 5.0
    lines = [",".join(["part", *(f"m{t}" for t in range(48))])]
    lines += [",".join([f"p{i}", *(f"{v:.0f}" for v in row)]) for i, row in enumerate(demand)]
    lines.append("late" + "," * 47 + ",3")
    lines.append("gaps," + ",".join("" if t % 5 == 0 else "1" for t in range(48)))
    path.write_text("\n".join(lines) + "\n")
    code, out, err = run("forecast", path, "--horizon", 6, "--json")
    assert code == 0, err
    report = json.loads(out, parse_constant=pytest.fail)
    found = {part["part"]: part for part in report["forecasts"]}
    assert len(found) == 8
    assert found["p2"]["mean"][0] == pytest.approx(5.0, abs=1.5)
    assert all(value >= 0.0 for part in found.values() for value in part["mean"])
    assert report["window_rmse"]["auto"] <= min(
        report["window_rmse"][name] for name in ("tsb", "sba", "adida", "imapa", "mean", "zero")
    )


def test_a_backtest_names_every_method_and_draws(run, file):
    folder = Path("plots")
    code, out, _ = run("forecast", file, "--horizon", 6, "--backtest", "--plot", folder)
    assert code == 0
    for method in ("auto", "combined", "arma-bp", "arma", "tsb", "sba", "zero", "croston"):
        assert f"\n {method} " in out
    assert "…" not in out  # nothing is cut off
    assert max(map(len, out.splitlines())) <= 100
    assert {f.name for f in folder.iterdir()} == {"parts.png", "calibration.png", "stock.png"}


def test_records_are_told_from_demand(run, tmp_path):
    from sparing.records.defects import write_defects
    from sparing.records.hydro_spares import hydro_spares

    path = tmp_path / "records.csv"
    write_defects(hydro_spares(), path)
    code, out, err = run("forecast", path, "--horizon", 3, "--method", "mean", "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["season"] == 12
    assert {part["part"] for part in report["forecasts"]} == {"LCD", "CPU", "DCPS"}
    code, _, err = run("forecast", path, "--horizon", 3, "--components", "LCD,CPU")
    assert code == 2
    assert "unknown component 'DCPS'" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.csv", "--horizon", 3), "nowhere.csv: No such file or directory"),
        (("FILE", "--horizon", 0), "'--horizon'"),
        (("FILE", "--horizon", 3, "--method", "magic"), "method must be one of auto, pool"),
        (("FILE", "--horizon", 3, "--season", 0), "'--season'"),
        (("FILE", "--horizon", 3, "--fill-rate", 1), "fill_rate must be above 0 and below 1"),
        (("FILE", "--horizon", 3, "--lead-time", -1), "'--lead-time'"),
        (("FILE", "--horizon", 53, "--backtest"), "leaves 1 of 54 to learn from"),
        (("FILE", "--horizon", 3, "--covariates", "--method", "mean"), "goes with defect records"),
        (("FILE", "--horizon", 3, "--period", "week"), "--period goes with defect records"),
        (("FILE", "--horizon", 3, "--out", "FILE"), "is the file that is read; give another"),
        (("FILE", "--horizon", 3, "--out", "a.csv", "--stock-out", "./a.csv"), "are one file"),
        (
            ("FILE", "--horizon", 3, "--backtest", "--stock-out", "a.csv", "--method", "tsb"),
            "--backtest compares all methods; leave out --stock-out, --method",
        ),
        (("FILE", "--horizon", 3, "--components", "a"), "--components goes with defect records"),
        (("FILE", "--horizon", 3, "--out", "no/such/out.csv"), "its folder does not exist"),
        (("FILE", "--horizon", 3, "--plot", "FILE"), "is a file; give a folder"),
    ],
)
def test_errors_are_one_line(run, file, arguments, message):
    given = [file if a == "FILE" else a for a in arguments]
    code, out, err = run("forecast", *given)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_without_statsforecast_the_extra_is_named(run, file, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "statsforecast.models", None)
    code, _, err = run("forecast", file, "--horizon", 3)
    assert code == 2
    assert "pip install 'sparing[forecast]'" in err
    code, _, _ = run("forecast", file, "--horizon", 3, "--method", "mean")
    assert code == 0


@pytest.mark.full
def test_covariates_of_records_reach_the_network(run):
    arguments = ("forecast", "hydro-spares", "--horizon", 12, "--method", "combined", "--json")
    with_them, without = (
        json.loads(run(*arguments, *more)[1])["forecasts"] for more in (("--covariates",), ())
    )
    assert with_them[0]["mean"] != without[0]["mean"]


def compared(run, folder):
    """Compare the three methods; check files and figures; return the report."""
    code, out, err = run("compare", "hydro-spares", "--out", folder)
    assert code == 0, err  # where it takes more than a minute, err says how far it has come
    assert max(map(len, out.splitlines())) <= 100
    names = {f.name for f in folder.iterdir()}
    figures = {f"figure{n}.png" for n in (3, 4, 5, 6)}
    assert names == {"compare.json", "records.csv", "demand.csv", *figures}
    report = json.loads((folder / "compare.json").read_text())
    best = "Fourier + ARMA + BP"
    for where in ("in_sample", "out_of_sample"):
        for measure in ("rmse", "mae"):
            assert report["order"][where][measure][0] == best
    for part in report["parts"]:  # the Fourier step lowers the loss of the network
        one, two = (m for m in part["methods"] if m["method"] in ("ARMA + BP", best))
        assert two["in_sample"]["rmse"] < one["in_sample"]["rmse"]
    return report


def test_the_study_is_compared(run, tmp_path, monkeypatch):
    """With two origins and short training; whole below."""
    from sparing.forecast import method_comparison
    from sparing.forecast.network import NetworkOptions

    monkeypatch.setattr(method_comparison, "ORIGIN_STEP", 36)
    monkeypatch.setattr(method_comparison, "LONG_TRAINING", NetworkOptions(max_epochs=40))
    report = compared(run, tmp_path / "found")
    assert report["origins"] == [96, 132]
    code, _, err = run("solve", "hydro-spares")
    assert code == 2
    assert "give it to sparing forecast or compare" in err


@pytest.mark.full
def test_the_whole_study_is_compared(run, tmp_path):
    assert len(compared(run, tmp_path / "found")["origins"]) == 13
