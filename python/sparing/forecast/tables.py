"""Forecasts as CSV files."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from sparing._files import shown_text, write_atomically
from sparing.forecast.calibration import LEVELS
from sparing.forecast.forecasting import Forecast

QUANTILES = tuple(f"q{level:g}" for level in LEVELS)


def write_forecast(found: Forecast, path: Path) -> None:
    """Write part, step (from 1), mean and quantiles, a line each part and step."""
    quantiles = found.quantiles()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["part", "step", "mean", *QUANTILES])
    for i, part in enumerate(found.parts):
        for step in range(found.mean.shape[1]):
            cells = [f"{value:.0f}" for value in quantiles[:, i, step]]
            writer.writerow([shown_text(part), step + 1, f"{found.mean[i, step]:.6g}", *cells])
    write_atomically(path, text.getvalue())


def write_stock(found: Forecast, path: Path) -> None:
    """Write per part the demand over lead time and one period more, and the level."""
    mean, quantiles = found.total_mean(), found.total_quantiles()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["part", "periods", "mean", *QUANTILES, "order_up_to"])
    for i, part in enumerate(found.parts):
        cells = [f"{value:.0f}" for value in quantiles[:, i]]
        stock = f"{found.stock[i]:.0f}"
        writer.writerow([shown_text(part), found.lead_time + 1, f"{mean[i]:.6g}", *cells, stock])
    write_atomically(path, text.getvalue())
