"""The study of an e-tailer as a folder: CSV tables, JSON, plots and the trained rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sparing._files import replaced_folder, write_atomically, write_csv
from sparing.ration.study import Study
from sparing.ration.thesis_values import CLASSIFICATION
from sparing.report.ration_plots import plot_experiment, plot_sensitivity, plot_training

FORMAT = "sparing-rationing-1"
MEASURES = ("ofr", "margin", "share_of_bound")


def save_study(study: Study, folder: Path, *, plots: bool = True) -> None:
    """Write compare.json, CSV tables, figures 2 to 5, and ir_dnn.npz and learned.npz."""
    report = study.report
    with replaced_folder(folder) as part:
        _write_rules(part / "rules.csv", [report["experiment"]])
        _write_rules(part / "sensitivity.csv", report["sensitivity"])
        _write_thresholds(part / "classification.csv", report)
        _write_differences(part / "unseen.csv", report["unseen"])
        if plots:
            plot_training(report, part / "figure-2-training.png")
            plot_experiment(report, part / "figure-3-experiment.png")
            plot_sensitivity(report, "ofr", part / "figure-4-ofr.png")
            plot_sensitivity(report, "margin", part / "figure-5-margin.png")
        study.ir_dnn.rule.save(part / "ir_dnn.npz")
        study.learned.save(part / "learned.npz")
        text = json.dumps({"format": FORMAT, **report}, indent=1, allow_nan=False)
        write_atomically(part / "compare.json", text + "\n")


def _write_rules(path: Path, tables: list[dict[str, Any]]) -> None:
    header = ["skus", "orders", "rule"]
    header += [f"{name}{end}" for name in MEASURES for end in ("", "_half_width")]
    rows = []
    for table in tables:
        for key, found in table["rules"].items():
            values = [found[name][part] for name in MEASURES for part in ("mean", "half_width")]
            rows.append([table.get("skus", ""), table["orders"], key, *values])
    write_csv(path, header, rows)


def _write_thresholds(path: Path, report: dict[str, Any]) -> None:
    rows = []
    if thesis := report["thesis"]:
        figures = thesis["classification"].values()
        rows.append(["thesis", "50-60", 0.8, *figures, thesis["ofr"]["ir_dnn"]])
    for row in report["classification"]["thresholds"]:
        figures = [row[name] for name in CLASSIFICATION]
        hidden = "-".join(map(str, row["hidden"]))
        rows.append(["found", hidden, row["threshold"], *figures, row["ofr"]["mean"]])
    write_csv(path, ["source", "neurons", "threshold", *CLASSIFICATION, "ofr"], rows)


def _write_differences(path: Path, unseen: dict[str, Any]) -> None:
    rows = []
    for key, row in unseen["learned_less"].items():
        values = [row[name][part] for name in ("ofr", "margin") for part in ("mean", "half_width")]
        rows.append([key, unseen["days"], *values])
    header = ["learned_less", "days", "ofr", "ofr_half_width", "margin", "margin_half_width"]
    write_csv(path, header, rows)
