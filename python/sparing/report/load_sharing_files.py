"""A comparison of a load-sharing problem as a folder: CSV tables, JSON and plots."""

from __future__ import annotations

import json
from pathlib import Path

from sparing._files import replaced_folder, write_atomically, write_csv
from sparing.report.comparison_files import FORMAT
from sparing.report.load_sharing_comparison import LoadSharingComparison
from sparing.report.load_sharing_plots import MAX_ROWS, plot_actions, plot_choices

RATES = (
    "mean_sojourn",
    "failure_rate",
    "unavailability",
    "replacement_rate",
    "emergency_rate",
    "order_rate",
    "mean_on_hand",
)


def save_load_sharing(compared: LoadSharingComparison, folder: Path) -> None:
    """Write policies.csv, choices.csv, actions.csv, choices.png, policy.png and compare.json."""
    report, found = compared.report, compared.found
    with replaced_folder(folder) as part:
        fields = ["policy", "parameters", "positions", "inspection_interval"]
        rows = [
            [
                *(row[field] for field in fields),
                *(row["cost"][bound] for bound in ("lower", "upper")),
                row["gap"],
                *(row.get(rate, "") for rate in RATES),
            ]
            for row in report["policies"]
        ]
        write_csv(part / "policies.csv", [*fields, "cost_lower", "cost_upper", "gap", *RATES], rows)
        names = ["positions", "inspection_interval", "lower", "upper"]
        write_csv(part / "choices.csv", names, [[c[n] for n in names] for c in report["choices"]])
        _write_actions(part / "actions.csv", compared)
        plot_choices(found, part / "choices.png", rules=compared.rules, title=report["case"])
        if found.system.counts.size <= MAX_ROWS:
            plot_actions(compared.done, part / "policy.png", title=report["case"])
        text = json.dumps({"format": FORMAT, **report}, indent=1)
        write_atomically(part / "compare.json", text + "\n")


def _write_actions(path: Path, compared: LoadSharingComparison) -> None:
    done, system = compared.done, compared.found.system
    conditions = range(system.counts.num_conditions)
    header = [*(f"condition_{i}" for i in conditions), "on_hand", "on_order"]
    header += [*(f"replace_{i}" for i in conditions), "emergency", "order"]
    rows = [
        [
            *vector,
            *stock,
            *done.replaced_by_condition[i, j].tolist(),
            done.emergency[i, j],
            done.ordered[i, j],
        ]
        for i, vector in enumerate(system.counts.vectors.tolist())
        for j, stock in enumerate(system.stocks.tolist())
    ]
    write_csv(path, header, rows)
