"""sparing compare hydro-spares: the three forecasting methods of the published study."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path
from typing import Any

from sparing.commands.forecast_progress import shown_forecast_progress
from sparing.commands.output import (
    WIDTH,
    check_figures_folder,
    one_line_errors,
    print_json,
    print_table,
)
from sparing.records.hydro_spares import FIRST, LAST, NAME, SEED

HORIZON = 12  # months
FORMAT = "sparing-forecast-comparison-1"
STUDY = ("Fourier + ARMA + BP", "ARMA + BP", "ARMA")  # best first, by RMSE and MAE


SHORT = {"Fourier + ARMA + BP, reading A": "the same, reading A"}


def compare_forecasts(out: Path | None, json: bool) -> None:
    """Compare ARMA, ARMA + BP and Fourier + ARMA + BP on the built-in records."""
    with one_line_errors():
        started = time.monotonic()
        check_figures_folder(out, "compare.json")
        from sparing.forecast.method_comparison import compare_methods, comparison_report
        from sparing.records.demand_series import demand_of_records
        from sparing.records.hydro_spares import hydro_spares

        records = hydro_spares()
        panel = demand_of_records(records, "month", first=FIRST, last=LAST)
        with shown_forecast_progress() as progress:
            found = compare_methods(panel, horizon=HORIZON, progress=progress)
        report = {"case": NAME, "seed": SEED, "records": len(records), **comparison_report(found)}
        report["order"]["study"] = {"rmse": [*STUDY], "mae": [*STUDY]}
        if out is not None:
            _save(report, records, panel, found, out)
        report["seconds"] = time.monotonic() - started
    if json:
        print_json(report)
        return
    _print(report)
    if out is not None:
        print(f"\nsaved in {out}")


def _save(report: dict[str, Any], records: Any, panel: Any, found: Any, out: Path) -> None:
    """Write records.csv, demand.csv, figures 3 to 6 and compare.json."""
    import json

    from sparing._files import replaced_folder, write_atomically
    from sparing.commands.output import finite
    from sparing.records.defects import write_defects
    from sparing.records.demand_tables import write_demand
    from sparing.report.forecast_plots import plot_methods

    with replaced_folder(out) as part:
        write_defects(records, part / "records.csv")
        write_demand(panel, part / "demand.csv")
        plot_methods(found, part)
        text = json.dumps(finite({"format": FORMAT, **report}), indent=1)
        write_atomically(part / "compare.json", text + "\n")


def _print(report: dict[str, Any]) -> None:
    print(
        f"{report['case']}: {report['records']:,} defect records made with seed {report['seed']},"
        f" {report['periods']} months\n"
    )
    rows = []
    for part in report["parts"]:
        for entry in part["methods"]:
            inside, outside = entry["in_sample"], entry["out_of_sample"]
            gap = entry["squared_error_less_arma"]
            rows.append(
                [
                    part["part"],
                    SHORT.get(entry["method"], entry["method"]),
                    f"({entry['p']}, {entry['q']})",
                    "-" if entry["harmonics"] is None else str(entry["harmonics"]),
                    f"{inside['rmse']:.3f}",
                    f"{inside['mae']:.3f}",
                    f"{entry['share_at_or_above']:.2f}",
                    f"{outside['rmse']:.3f}",
                    f"{outside['mae']:.3f}",
                    f"{gap['mean']:+.2f} ± {gap['half_width']:.2f}",
                ]
            )
    columns = [
        "part",
        "method",
        "p, q",
        "K",
        "RMSE",
        "MAE",
        "≥ demand",
        "RMSE*",
        "MAE*",
        "MSE* - ARMA",
    ]
    print_table(columns, rows, left=2)
    origins = report["origins"]
    text = (
        f"RMSE, MAE: one step ahead in sample, as the published study has it. With a star: out of"
        f" sample, {report['horizon']} months ahead from {len(origins)} origins, fitted to what"
        " lies before each; ± is a 95 % interval that takes the errors for independent."
    )
    print()
    print(textwrap.fill(text, WIDTH - 4))
    for where in ("in_sample", "out_of_sample"):
        for measure in ("rmse", "mae"):
            order = " < ".join(report["order"][where][measure])
            print(f"order by {measure.upper()}, {where.replace('_', ' ')}: {order}")
    print(f"order in the study, by both: {' < '.join(STUDY)}")
