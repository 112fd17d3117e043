"""sparing forecast: demand of spare parts, with quantiles for stocking."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparing.commands.forecast_progress import shown_forecast_progress
from sparing.commands.forecast_text import forecast_report, print_backtest, print_forecast
from sparing.commands.output import one_line_errors, print_json
from sparing.commands.problems import JsonOption

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparing.forecast.backtest import Backtest
    from sparing.forecast.forecasting import Forecast
    from sparing.records.panel import DemandPanel


METHOD = "auto"  # without --method


class PeriodName(StrEnum):
    """What defect records are counted by."""

    week = "week"
    month = "month"
    quarter = "quarter"
    year = "year"


class CoverageName(StrEnum):
    """What the quantiles promise."""

    set = "set"
    part = "part"


class ReadingName(StrEnum):
    """What ARMA is fitted to in the combined model."""

    A = "A"
    B = "B"


def forecast(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|hydro-spares",
            help="Demand (a line a part, a column a period) or defect records; CSV or Parquet.",
        ),
    ],
    horizon: Annotated[int, typer.Option(min=1, help="Periods to forecast.")],
    season: Annotated[
        int | None,
        typer.Option(min=1, help="Periods until it repeats; default 12, of records a year."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="auto, pool, select, combined, arma-bp, arma, tsb, sba, adida, imapa, croston,"
            " mean, mean-all, seasonal-naive or zero.",
            show_default=METHOD,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the forecasts here (CSV).")] = None,
    lead_time: Annotated[
        int, typer.Option(min=0, help="Periods from an order to its arrival.")
    ] = 2,
    fill_rate: Annotated[float, typer.Option(help="Share of units to have on the shelf.")] = 0.99,
    stock_out: Annotated[
        Path | None, typer.Option(help="Write demand over the lead time and stock levels (CSV).")
    ] = None,
    coverage: Annotated[
        CoverageName,
        typer.Option(help="Quantiles that cover over the whole set, or part by part."),
    ] = CoverageName.set,
    backtest: Annotated[
        bool, typer.Option("--backtest", help="Hold out the last periods and compare all methods.")
    ] = False,
    reading: Annotated[
        ReadingName,
        typer.Option(help="Of the combined model: ARMA after, or of, the Fourier part."),
    ] = ReadingName.B,
    harmonics: Annotated[
        int | None, typer.Option(min=0, help="Of the season that are kept; default by AIC.")
    ] = None,
    period: Annotated[
        PeriodName | None,
        typer.Option(help="Of records: the period they are counted by.", show_default="month"),
    ] = None,
    components: Annotated[
        str | None, typer.Option(help="Of records: the known component names, with commas.")
    ] = None,
    covariates: Annotated[
        bool,
        typer.Option(
            "--covariates", help="Of records: climate and installed base as inputs of the network."
        ),
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw parts and calibration into this folder.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the networks.")] = 0,
    json: JsonOption = False,
) -> None:
    """Forecast the demand of every part: mean, quantiles for stocking, and stock levels."""
    with one_line_errors():
        started = time.monotonic()
        given: dict[str, object] = {"--out": out, "--stock-out": stock_out, "--method": method}
        given["--covariates"] = covariates or None
        unused = [name for name, value in given.items() if value is not None]
        if backtest and unused:
            raise ValueError(f"--backtest compares all methods; leave out {', '.join(unused)}.")
        method = METHOD if method is None else method
        _check_outputs(file, out, stock_out, plot)
        from sparing.forecast.methods import Settings, needed_by
        from sparing.forecast.network import NetworkOptions
        from sparing.records.demand_series import SEASONS

        needed_by(method)
        counted_by = (period or PeriodName.month).value
        panel, records = load_panel(file, counted_by, components)
        if period is not None and records is None:
            raise ValueError(f"--period goes with defect records; {file} holds demand.")
        if season is None:
            season = SEASONS[counted_by] if records else 12
        settings = Settings(
            season=season,
            reading=reading.value,
            num_harmonics=harmonics,
            options=NetworkOptions(seed=seed),
        )
        if backtest:
            report = _backtest(panel, horizon, lead_time, fill_rate, coverage, settings, plot)
        else:
            inputs = _covariates(records, panel, counted_by, horizon) if covariates else None
            found = _forecast(
                panel, horizon, method, lead_time, fill_rate, coverage, settings, inputs
            )
            _write(found, out, stock_out)
            if plot is not None:
                from sparing.report.forecast_plots import plot_forecast

                plot_forecast(found, plot)
            report = forecast_report(found, season)
        report = {"file": file, **report, "seconds": time.monotonic() - started}
    if json:
        print_json(report)
    elif backtest:
        print_backtest(report)
    else:
        print_forecast(report)
        for path in (out, stock_out, plot):
            if path is not None:
                print(f"written to {path}")


def load_panel(file: str, period: Any, components: str | None = None) -> tuple[DemandPanel, Any]:
    """Return the demand in `file`, and the records if it holds those."""
    from sparing.records.defects import defects_of, is_defect_table
    from sparing.records.demand_series import demand_of_records
    from sparing.records.demand_tables import panel_of
    from sparing.records.hydro_spares import FIRST, LAST, NAME, hydro_spares
    from sparing.records.tables import read_table

    if file == NAME and not Path(file).exists():
        records = hydro_spares()
        return demand_of_records(records, period, first=FIRST, last=LAST), records
    table = read_table(file)
    if is_defect_table(table.header):
        known = None if components is None else [name.strip() for name in components.split(",")]
        records = defects_of(table, file, components=known)
        return demand_of_records(records, period), records
    if components is not None:
        raise ValueError(f"--components goes with defect records; {file} holds demand.")
    return panel_of(table, file), None


def _check_outputs(file: str, out: Path | None, stock_out: Path | None, plot: Path | None) -> None:
    """Raise before any work is done if something could not be written, or over something else."""
    if out is not None and stock_out is not None and out.resolve() == stock_out.resolve():
        raise ValueError(f"--out and --stock-out are one file, {out}; give two.")
    for option, path in (("--out", out), ("--stock-out", stock_out)):
        if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
            raise ValueError(f"{option} {path}: is a folder, or its folder does not exist.")
        if path is not None and path.resolve() == Path(file).resolve():
            raise ValueError(f"{option} {path}: is the file that is read; give another.")
    if plot is not None:
        from sparing.report.plots import check_matplotlib

        check_matplotlib()
        if plot.exists() and not plot.is_dir():
            raise ValueError(f"--plot {plot}: is a file; give a folder.")


def _covariates(records: Any, panel: DemandPanel, period: Any, horizon: int) -> NDArray[Any]:
    from sparing.records.demand_series import covariates_of_records

    if records is None:
        raise ValueError("--covariates goes with defect records, which tell the climate and ages.")
    return covariates_of_records(records, panel, period, horizon)


def _forecast(
    panel: DemandPanel,
    horizon: int,
    method: str,
    lead_time: int,
    fill_rate: float,
    coverage: CoverageName,
    settings: Any,
    covariates: NDArray[Any] | None,
) -> Forecast:
    from sparing.forecast.forecasting import forecast as run

    with shown_forecast_progress() as progress:
        return run(
            panel,
            horizon,
            method,
            lead_time=lead_time,
            fill_rate=fill_rate,
            coverage=coverage.value,
            settings=settings,
            covariates=covariates,
            progress=progress,
        )


def _write(found: Forecast, out: Path | None, stock_out: Path | None) -> None:
    from sparing.forecast.tables import write_forecast, write_stock

    if out is not None:
        write_forecast(found, out)
    if stock_out is not None:
        write_stock(found, stock_out)


def _backtest(
    panel: DemandPanel,
    horizon: int,
    lead_time: int,
    fill_rate: float,
    coverage: CoverageName,
    settings: Any,
    plot: Path | None,
) -> dict[str, Any]:
    from sparing.forecast.backtest import backtest as run
    from sparing.forecast.backtest import backtest_report

    with shown_forecast_progress() as progress:
        found: Backtest = run(
            panel,
            horizon,
            lead_time=lead_time,
            fill_rate=fill_rate,
            coverage=coverage.value,
            settings=settings,
            progress=progress,
        )
    if plot is not None:
        from sparing.report.forecast_plots import plot_backtest

        plot_backtest(found, plot)
    return backtest_report(found)
