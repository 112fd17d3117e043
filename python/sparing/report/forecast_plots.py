"""Plots of forecasts: a fan per part, calibration, and the figures of the published comparison."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.backtest import Backtest
from sparing.forecast.calibration import LEVELS
from sparing.forecast.forecasting import Forecast
from sparing.forecast.measures import STOCKING
from sparing.forecast.method_comparison import NAMES, READING_A, MethodComparison
from sparing.forecast.network import CHECK_EVERY
from sparing.report.plots import check_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, LINE, FAINT = "#222222", "#1f5a99", "#9aa7b4"
FAN = ("#c9dcef", "#9fc1e2", "#6ea2d2")  # up to q0.995, q0.95, q0.9
COLOURS = {NAMES[0]: "#8a4fa0", NAMES[1]: "#4f8a3c", NAMES[2]: "#c8502a", READING_A: "#b8860b"}
MAX_PARTS = 12  # drawn one by one


def plot_forecast(found: Forecast, folder: Path) -> None:
    """Write parts.png: demand and fan of the parts of most demand; and calibration.png."""
    folder.mkdir(parents=True, exist_ok=True)
    panel = found.basis.panel
    chosen = _busiest(panel.demand)
    _plot_fans(found, chosen, None, folder / "parts.png")
    _plot_calibration(found, folder / "calibration.png")


def plot_backtest(found: Backtest, folder: Path) -> None:
    """Write parts.png with what came, calibration.png, and stock.png: cost against fill rate."""
    folder.mkdir(parents=True, exist_ok=True)
    forecast = found.forecasts.get("auto") or next(iter(found.forecasts.values()))
    chosen = _busiest(found.panel.demand)
    _plot_fans(forecast, chosen, found.actual, folder / "parts.png")
    _plot_coverage(found, folder / "calibration.png")
    _plot_stock(found, folder / "stock.png")


def plot_methods(found: MethodComparison, folder: Path) -> None:
    """Write figures like 3 to 6 of the study: fits of the three methods, and the loss curves."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in ((3, NAMES[0]), (4, NAMES[1]), (6, NAMES[2])):
        _plot_fit(found, name, folder / f"figure{number}.png")
    _plot_losses(found, folder / "figure5.png")


def _busiest(demand: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the parts with most periods of demand, most first."""
    count = (np.nan_to_num(demand) > 0.0).sum(axis=1)
    return np.argsort(-count, kind="stable")[:MAX_PARTS]


def _plot_fans(
    found: Forecast, chosen: NDArray[np.int64], actual: NDArray[np.float64] | None, path: Path
) -> None:
    panel, quantiles = found.basis.panel, found.quantiles()
    shown = min(panel.num_periods, 60)
    past = np.arange(panel.num_periods - shown, panel.num_periods)
    ahead = panel.num_periods + np.arange(found.mean.shape[1])
    columns = min(3, len(chosen))
    figure, axes = _figure(-(-len(chosen) // columns), columns, height=2.1)
    for ax, row in zip(axes, chosen, strict=False):
        upper = [quantiles[LEVELS.index(level), row] for level in STOCKING[::-1]]
        for colour, top, level in zip(FAN, upper, STOCKING[::-1], strict=True):
            ax.bar(ahead, top, width=1.0, color=colour, label=f"up to q{level:g}")
        ax.step(past, panel.demand[row, past], where="mid", color=INK, lw=0.9, label="demand")
        ax.plot(ahead, found.mean[row], color=LINE, lw=1.6, label="mean")
        if actual is not None:
            ax.plot(ahead, actual[row], "o", ms=3, color="#c8502a", label="what came")
        ax.set_title(panel.parts[row], fontsize=8.5, color=INK)
    for ax in axes[len(chosen) :]:
        ax.set_visible(False)
    _legend(figure, axes[0])
    _save(figure, path, f"{found.method}: demand, forecast and stocking quantiles")


def _plot_calibration(found: Forecast, path: Path) -> None:
    """Draw, over past windows, the share covered against the level read, plain and randomised."""
    below, upto = [], []
    for predictive, window in found.demand.past:
        came = ~np.isnan(window.actual)
        counts = np.where(came, window.actual, 0.0)
        below.append(predictive.below(counts)[came])
        upto.append(predictive.upto(counts)[came])
    figure, axes = _figure(1, 2, height=3.4, width=4.0)
    if not below:
        axes[0].set_title("no past window to judge by", fontsize=9)
        _save(figure, path, "calibration")
        return
    low, high = np.concatenate(below), np.concatenate(upto)
    levels = np.linspace(0.0, 1.0, 201)
    width = np.maximum(high - low, 1e-12)
    plain = [float((low < level).mean()) for level in levels]
    randomised = [float(np.clip((level - low) / width, 0.0, 1.0).mean()) for level in levels]
    for ax, (lowest, title) in zip(axes, ((0.0, "all levels"), (0.88, "the top")), strict=True):
        ax.plot([0, 1], [0, 1], color=FAINT, lw=1, ls="--", label="exact")
        ax.plot(levels, plain, color="#c8502a", label="share at most the quantile")
        ax.plot(levels, randomised, color=LINE, label="randomised")
        ax.set_xlim(lowest, 1.0)
        ax.set_ylim(lowest, 1.003)
        ax.set_title(title, fontsize=9, color=INK)
        ax.set_xlabel("level of each part's distribution")
    axes[0].set_ylabel("share of demands covered")
    _legend(figure, axes[0])
    _save(
        figure, path, f"{found.method}: calibration over past windows, before levels are adjusted"
    )


def _plot_coverage(found: Backtest, path: Path) -> None:
    figure, axes = _figure(1, len(STOCKING), height=4.4, width=3.6)
    names = [row.method for row in found.rows][::-1]
    for ax, level in zip(axes, STOCKING, strict=True):
        for y, name in enumerate(names):
            row = next(r for r in found.rows if r.method == name)
            errors = row.quantiles[level]
            ax.errorbar(
                errors.coverage, y, xerr=errors.half_width, fmt="o", ms=4, color=LINE, capsize=2
            )
            ax.plot(errors.randomised, y, "|", ms=9, color="#c8502a")
        ax.axvline(level, color=FAINT, ls="--", lw=1)
        ax.set_title(f"q{level:g}", fontsize=9, color=INK)
        ax.set_yticks(range(len(names)), names if level == STOCKING[0] else [])
        ax.tick_params(labelsize=8)
    axes[1].set_xlabel(
        "coverage on the hold-out: plain (dot, 95 %), randomised (bar), nominal (dashes)"
    )
    _save(figure, path, "calibration on the hold-out")


def _plot_stock(found: Backtest, path: Path) -> None:
    figure, axes = _figure(1, 1, height=4.2, width=7.0)
    ax = axes[0]
    for row in found.rows:
        if row.method == "zero":
            continue
        ours = row.method in ("auto", "pool", "select", "combined", "arma-bp", "arma")
        ax.plot(row.stock.fill_rate, row.stock.holding_cost, "o", color=LINE if ours else FAINT)
        ax.annotate(
            row.method,
            (row.stock.fill_rate, row.stock.holding_cost),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=7.5,
        )
    raised = sorted(
        (r.stock.fill_rate, other.holding_cost)
        for r in found.rows
        if r.method != "zero" and (other := found.croston[r.method]) is not None
    )
    if raised:
        ax.plot(
            *zip(*raised, strict=True), "x-", color="#c8502a", lw=1, label="Croston, factor raised"
        )
        ax.legend(fontsize=8, frameon=False)
    ax.axvline(found.fill_rate, color=FAINT, ls="--", lw=1)
    ax.set_yscale("log")
    ax.set_xlabel("fill rate realised (dashes: target)")
    ax.set_ylabel("holding cost a period")
    _save(figure, path, "what each forecast is worth as stock")


def _plot_fit(found: MethodComparison, name: str, path: Path) -> None:
    panel, fit = found.panel, found.fits[name]
    figure, axes = _figure(panel.num_parts, 1, height=2.0, width=9.0)
    times = np.arange(panel.num_periods)
    for row, ax in enumerate(axes):
        ax.plot(times, panel.demand[row], color=INK, lw=1.0, marker=".", ms=3, label="demand")
        ax.plot(times, fit.fitted[row], color=COLOURS[name], lw=1.4, label="fitted")
        ahead = panel.num_periods - 1 + np.arange(1, found.horizon + 1)
        ax.plot(ahead, fit.mean[row], color=COLOURS[name], lw=1.4, ls=":", label="forecast")
        rmse = found.in_sample[name][row, 0]
        p, q = fit.arma.order[row]
        title = f"{panel.parts[row]}: ARMA({p}, {q}), RMSE {rmse:.3f} in sample"
        ax.set_title(title, fontsize=9, color=INK, loc="left")
        ticks = times[:: max(panel.num_periods // 8, 1)]
        ax.set_xticks(ticks, [panel.periods[t] for t in ticks], fontsize=7.5)
    _legend(figure, axes[0])
    _save(figure, path, name)


def _plot_losses(found: MethodComparison, path: Path) -> None:
    panel = found.panel
    figure, axes = _figure(1, panel.num_parts, height=3.2, width=3.6)
    for row, ax in enumerate(axes):
        for name, label in ((NAMES[1], "without Fourier"), (NAMES[2], "with Fourier")):
            fit = found.fits[name]
            assert fit.network is not None
            scale = _residual_scale(fit.arma.variance[row])
            losses = fit.network.losses[row] * scale
            epochs = np.arange(len(losses)) * CHECK_EVERY
            ax.plot(epochs, losses, color=COLOURS[name], lw=1.6, label=label)
        ax.set_title(panel.parts[row], fontsize=9, color=INK)
        ax.set_xlabel("epochs")
    axes[0].set_ylabel("loss: RMSE of the residuals [units]")
    _legend(figure, axes[0])
    _save(figure, path, "training of the network, with and without the Fourier step")


def _residual_scale(variance: float) -> float:
    return float(np.sqrt(variance))


def _figure(
    rows: int, columns: int, *, height: float, width: float = 3.3
) -> tuple[Figure, list[Axes]]:
    check_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = width * columns, height * rows + 0.9  # title and legend
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    flat = np.asarray(figure.subplots(rows, columns, squeeze=False)).ravel().tolist()
    for ax in flat:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)
    return figure, flat


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8, frameon=False
    )


def _save(figure: Figure, path: Path, title: str) -> None:
    figure.suptitle(title, fontsize=11, color=INK)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    figure.savefig(part, dpi=150)
    part.replace(path)
