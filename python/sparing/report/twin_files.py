"""The folder that `sparing twin --out` writes: records, tables, plots."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sparing._files import replaced_folder, write_atomically
from sparing.evaluate.value_of_learning import ValueOfLearning
from sparing.records.defects import write_defects
from sparing.records.failures import write_failures
from sparing.simulate.results import half_width
from sparing.simulate.twin import Twin
from sparing.simulate.twin_runs import TwinResult

FORMAT = "sparing-twin-1"


def write_twin(
    twin: Twin,
    results: dict[str, TwinResult],
    report: dict[str, Any],
    folder: Path,
    curve: Sequence[ValueOfLearning] = (),
) -> list[str]:
    """Write records, tables and plots to `folder`, and return their names.

    Records, stocks and costs by period are those of the first of `results`, by policy. Plots are
    left out where matplotlib is not installed.
    """
    result = next(iter(results.values()))
    files = ["twin.json", "failures.csv", "defects.csv", "periods.csv"]
    with replaced_folder(folder) as part:
        write_failures(result.records, part / "failures.csv")
        write_defects(result.defects, part / "defects.csv")
        write_atomically(part / "periods.csv", _periods(twin, result))
        try:
            from sparing.report.twin_plots import plot_costs, plot_learning, plot_stock

            plot_stock(twin, result, part / "stock.png", title=f"{report['case']}: stock")
            plot_costs(twin, results, part / "costs.png", title=f"{report['case']}: cost so far")
            files += ["stock.png", "costs.png"]
            if curve:
                title = f"{report['case']}: what a belief that learns saves"
                plot_learning(curve, part / "learning.png", title=title)
                files.append("learning.png")
        except ImportError:
            pass
        content = {"format": FORMAT, **report, "files": files}
        write_atomically(part / "twin.json", json.dumps(_finite(content), indent=1) + "\n")
    return files


def _periods(twin: Twin, result: TwinResult) -> str:
    """Return a line per period: its cost with the half width, and stocks at its start."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["period", "hour", "cost", "half_width", *(f"stock {x}" for x in result.locations)]
    )
    for period in range(twin.network.periods):
        costs = result.period_costs[:, period]
        half = half_width(costs, result.confidence)
        numbers = (
            period * twin.period_hours,
            float(costs.mean()),
            half,
            *result.stock[period].tolist(),
        )
        cells = [f"{value:.9g}" if np.isfinite(value) else "" for value in numbers]
        writer.writerow([period, *cells])
    return text.getvalue()


def _finite(content: Any) -> Any:
    from sparing.commands.output import finite

    return finite(content)
