"""The study of an e-tailer at a small scale: what it reports, prints and writes."""

import csv
import json
from dataclasses import replace

import pytest
import sparing
from sparing.cli import main
from sparing.commands.compare_dropship import print_study
from sparing.ration.rules import NAMES, load_model
from sparing.ration.study import StudyParams, run_study
from sparing.ration.thesis_values import PRINTED
from sparing.report.ration_files import save_study

TINY = StudyParams(
    seed=3,
    test_days=4,
    calibration_days=4,
    tested_orders=40,
    unseen_days=6,
    training_days=0,
    search=False,
    sizes=((60, 40), (60, 44), (70, 40)),
)


@pytest.fixture(scope="module")
def study():
    case = sparing.load("dropship").resized(num_skus=60, orders_per_day=36)
    said = []
    found = run_study(case, TINY, progress=said.append)
    assert any("ir_dnn" in text for text in said)
    assert any("70 SKUs" in text for text in said)
    return found


def test_every_rule_is_beside_the_bound(study):
    rules = study.report["experiment"]["rules"]
    assert [*rules] == [*NAMES]
    for key, rule in rules.items():
        assert rule["share_of_bound"]["mean"] <= 1.0 + 1e-9, key
        assert 0.0 <= rule["ofr"]["mean"] <= 1.0
    assert rules["hindsight"]["share_of_bound"]["mean"] == pytest.approx(1.0, abs=1e-6)
    assert rules["hindsight"]["margin"]["mean"] >= max(r["margin"]["mean"] for r in rules.values())
    assert len(study.report["sensitivity"]) == 3


def test_a_lone_supplier_is_never_better_than_the_choice_of_all(study):
    rows = study.report["suppliers"]
    assert [len(row["suppliers"]) for row in rows] == [1, 1, 1, 3]
    for key in ("fifo_skip", "hindsight"):
        margins = [row["rules"][key]["margin"]["mean"] for row in rows]
        assert margins[-1] >= max(margins[:-1]) - 1e-6
    assert sum(rows[-1]["share_best"]) == pytest.approx(1.0)


def test_the_study_repeats(study):
    case = sparing.load("dropship").resized(num_skus=60, orders_per_day=36)
    fewer = replace(TINY, sizes=TINY.sizes[:1])
    again = run_study(case, fewer).report
    for part in ("calibration", "classification", "experiment", "unseen", "suppliers"):
        assert again[part] == study.report[part], part
    assert again["sensitivity"] == study.report["sensitivity"][:1]


def test_the_sizes_are_those_of_the_thesis_and_follow_the_case():
    case = sparing.load("dropship")
    assert StudyParams.full(case, 0) == StudyParams()
    small = StudyParams.quick(case.resized(num_skus=70, orders_per_day=100), 5)
    assert small.sizes == ((60, 100), (60, 115), (90, 100), (90, 115))
    assert (small.tested_orders, small.seed) == (105, 5)


def test_tables_plots_and_models_are_written(tmp_path, study):
    pytest.importorskip("matplotlib")
    save_study(study, tmp_path / "out")
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {
        "compare.json",
        "rules.csv",
        "sensitivity.csv",
        "classification.csv",
        "unseen.csv",
        "figure-2-training.png",
        "figure-3-experiment.png",
        "figure-4-ofr.png",
        "figure-5-margin.png",
        "ir_dnn.npz",
        "learned.npz",
    }
    saved = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert saved["format"] == "sparing-rationing-1"
    assert saved["experiment"] == study.report["experiment"]
    with (tmp_path / "out" / "sensitivity.csv").open() as file:
        assert len([*csv.DictReader(file)]) == 3 * len(NAMES)
    for name in ("ir_dnn", "learned"):
        assert load_model(tmp_path / "out" / f"{name}.npz").key == name


def test_what_is_printed_is_not_cut(capsys, study):
    print_study(study.report)
    out = capsys.readouterr().out
    assert "…" not in out
    assert "share of the hindsight bound" in out
    assert "weak rule" in out
    assert max(map(len, out.splitlines())) <= 100
    assert "thesis" not in out  # its figures are those of the built-in case


def test_what_the_thesis_prints_is_beside_the_built_in_case_alone(capsys, tmp_path, study):
    assert study.report["thesis"] is None
    save_study(study, tmp_path / "other", plots=False)
    assert "thesis" not in (tmp_path / "other" / "classification.csv").read_text()
    case = sparing.load("dropship")
    params = replace(TINY, tested_orders=210, sizes=TINY.sizes[:1], unseen_days=4)
    built_in = run_study(case, params)
    assert built_in.report["thesis"] == PRINTED
    print_study(built_in.report)
    out = capsys.readouterr().out
    assert "0.6328" in out
    assert max(map(len, out.splitlines())) <= 100
    save_study(built_in, tmp_path / "built-in")
    assert "thesis,50-60,0.8,0.912" in (tmp_path / "built-in" / "classification.csv").read_text()


def test_without_out_the_study_goes_to_a_folder_of_its_own(capfd, tmp_path, monkeypatch, study):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sparing.ration.study.run_study", lambda *_, **__: study)
    for name in ("dropship-study", "dropship-study-2"):
        with pytest.raises(SystemExit) as ended:
            main(["compare", "dropship", "--json"])
        out, err = capfd.readouterr()
        assert ended.value.code == 0
        assert err == f"sparing: note: tables and plots are in {name}/\n"
        assert json.loads(out)["experiment"] == study.report["experiment"]
        files = {path.name for path in (tmp_path / name).iterdir()}
        assert {"rules.csv", "figure-3-experiment.png", "compare.json"} <= files
