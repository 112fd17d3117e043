"""What sparing forecast says: its JSON report and its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparing.commands.output import note, number, print_table

if TYPE_CHECKING:
    from sparing.forecast.forecasting import Forecast

SHOWN_PARTS = 20  # on the terminal; --out and --json hold all
STOCKING = ("0.9", "0.95", "0.995")


def forecast_report(found: Forecast, season: int) -> dict[str, Any]:
    """Return what `sparing forecast --json` prints."""
    from sparing.forecast.calibration import LEVELS
    from sparing.forecast.selection import describe

    selection = found.basis.selection
    quantiles, totals = found.quantiles(), found.total_quantiles()
    parts = []
    for i, part in enumerate(found.parts):
        parts.append(
            {
                "part": part,
                "method": found.method if selection is None else str(selection.choice[i]),
                "mean": found.mean[i].tolist(),
                **{f"q{q:g}": quantiles[k, i].tolist() for k, q in enumerate(LEVELS)},
                "lead_time_demand": {
                    "mean": float(found.total_mean()[i]),
                    **{f"q{q:g}": float(totals[k, i]) for k, q in enumerate(LEVELS)},
                },
                "order_up_to": float(found.stock[i]),
            }
        )
    classes = found.basis.classes
    chosen = None
    if selection is not None and found.method == "auto":
        chosen = describe(classes, selection.choice)
    return {
        "method": found.method,
        "parts": len(found.parts),
        "periods": found.basis.panel.num_periods,
        "season": season,
        "horizon": found.mean.shape[1],
        "lead_time": found.lead_time,
        "windows": [window.origin for window in found.basis.windows],
        "window_rmse": None if selection is None else dict(selection.scores),
        "pool": None if selection is None else dict(selection.weights),
        "chosen": chosen,
        "levels": {
            f"{q:g}": level for q, level in found.demand.levels[found.demand.coverage].items()
        },
        "forecasts": parts,
    }


def print_forecast(report: dict[str, Any]) -> None:
    """Print who forecasts what, and the first parts: the next period and stock."""
    print(
        f"{report['file']}: {report['parts']:,} parts, {report['periods']} periods, season"
        f" {report['season']}; {report['method']}, {report['seconds']:.1f} s\n"
    )
    if report["chosen"]:
        rows = []
        for row in report["chosen"]:
            chosen = ", ".join(f"{name} {count:,}" for name, count in row["chosen"].items())
            rows.append([row["class"], chosen, f"{row['series']:,}"])
        print_table(["demand", "forecast by", "parts"], rows, left=2)
        print()
    total = report["lead_time"] + 1
    columns = ["part", "mean", "q0.5", "q0.9", "q0.95", "q0.995", f"mean of {total}", "order up to"]
    rows = []
    for part in report["forecasts"][:SHOWN_PARTS]:
        values = [number(part[key][0], 4) for key in columns[1:6]]
        over = number(part["lead_time_demand"]["mean"], 4)
        rows.append([part["part"][:40], *values, over, number(part["order_up_to"], 6)])
    print_table(columns, rows, title="next period, and stock for the lead time")
    left = report["parts"] - SHOWN_PARTS
    if left > 0:
        print(f" … and {left:,} more parts; --out and --json hold all of them")


def print_backtest(report: dict[str, Any]) -> None:
    """Print the tables of all methods: errors, coverage, stock."""
    print(
        f"{report['file']}: {report['parts']:,} parts, the last {report['horizon']} of"
        f" {report['periods_known'] + report['horizon']} periods held out\n"
    )
    _print_errors(report)
    print()
    _print_coverage(report)
    print()
    _print_stock(report)
    print(
        "\nMSE - best: mean squared error less that of the best of tsb, sba, adida, imapa, mean and"
        "\nzero, which the hold-out itself decides. ±: 95 % intervals, parts being drawn."
        "\nCroston at it: the holding cost of stock driven by Croston's forecast whose safety"
        "\nfactor, with the hold-out known, is raised until it fills as much."
    )
    if all(row["croston_at_same_fill_rate"] is None for row in report["methods"]):
        note("no safety factor lets Croston-driven stock fill as much.")


def _print_errors(report: dict[str, Any]) -> None:
    rows = []
    for row in report["methods"]:
        point = [f"{row[key]:.4g}" for key in ("rmse", "mae", "bias", "rmsse")]
        gap = row["mse_less_best_baseline"]
        less = "-" if gap is None else f"{gap['mean']:+.3g} ± {gap['half_width']:.2g}"
        pinball = [f"{row['quantiles'][q]['pinball']:.4g}" for q in STOCKING]
        rows.append([row["method"], *point[:1], less, *point[1:], *pinball])
    columns = ["method", "RMSE", "MSE - best", "MAE", "bias", "RMSSE"]
    columns += [f"p{q}" for q in STOCKING]
    title = "errors, pooled over parts and periods, and pinball loss p [units]"
    print_table(columns, rows, title=title)


def _print_coverage(report: dict[str, Any]) -> None:
    rows = []
    for row in report["methods"]:
        cells = []
        for q in STOCKING:
            found = row["quantiles"][q]
            cells += [
                f"{found['coverage']:.3f}",
                f"{found['randomised']:.3f}",
                f"{found['excess']:.3g}",
            ]
        rows.append([row["method"], *cells])
    columns = ["method"]
    for q in STOCKING:
        columns += [f"q{q}", "random.", "excess"]
    print_table(columns, rows, title="coverage, plain and randomised, and excess stock [units]")


def _print_stock(report: dict[str, Any]) -> None:
    rows = []
    for row in report["methods"]:
        stock, other = row["stock"], row["croston_at_same_fill_rate"]
        rows.append(
            [
                row["method"],
                f"{stock['fill_rate']:.4f} ± {stock['half_width']:.4f}",
                f"{stock['holding_cost']:,.4g}",
                f"{stock['units']:,.4g}",
                f"{stock['excess']:,.4g}",
                "cannot" if other is None else f"{other['holding_cost']:,.4g}",
                "-" if other is None else f"{row['croston_factor']:.3g}",
            ]
        )
    columns = ["method", "fill rate", "holding cost", "units", "excess", "Croston at it", "factor"]
    title = (
        f"order-up-to stock, lead time {report['lead_time']}, aimed at a fill rate of"
        f" {report['fill_rate_target']:g}"
    )
    print_table(columns, rows, title=title)
