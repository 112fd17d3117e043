"""Plots of a twin: stock over time, cost as time goes on; and of the value of learning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sparing.evaluate.value_of_learning import ValueOfLearning
from sparing.report.plots import INK, LINE, MARK_COLOURS, finish, new_figure
from sparing.simulate.results import half_width
from sparing.simulate.twin import Twin
from sparing.simulate.twin_runs import TwinResult

MOST_LINES = 8


def plot_stock(twin: Twin, result: TwinResult, path: Path, *, title: str = "") -> None:
    """Write the stock of each location: of one replication, and the mean over all."""
    figure, (left, right) = new_figure(2, width=5.4, height=3.6)
    chosen = _shown(result)
    steps: dict[int, tuple[list[float], list[float]]] = {}
    for number in chosen:
        hours, stocks = [0.0], [float(result.stock[0, number])]
        for hour, place, stock in result.path:
            if place == number:
                hours.append(hour)
                stocks.append(float(stock))
        steps[number] = ([*hours, twin.hours], [*stocks, stocks[-1]])
    reviews = np.arange(len(result.stock)) * twin.period_hours / 24.0
    for colour, number in zip([LINE, *MARK_COLOURS], chosen, strict=False):
        hours, stocks = steps[number]
        days = np.array(hours) / 24.0
        name = result.locations[number]
        left.step(days, stocks, where="post", color=colour, linewidth=1.0, label=name)
        right.plot(reviews, result.stock[:, number], color=colour, linewidth=1.6)
    left.set_title("one replication, at every change", fontsize=10, color=INK)
    right.set_title(
        f"mean of {result.num_replications} replications, at reviews", fontsize=10, color=INK
    )
    for axes in (left, right):
        axes.axhline(0.0, color=INK, linewidth=0.6)
        axes.grid(color="#e6e6e6", linewidth=0.7)
        axes.set_xlabel("day", fontsize=9)
        axes.tick_params(labelsize=8.5)
    left.set_ylabel("units on hand less backorders", fontsize=9)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8.5, frameon=False)
    finish(figure, path, title)


def plot_costs(twin: Twin, results: dict[str, TwinResult], path: Path, *, title: str = "") -> None:
    """Write the cost so far, its mean with a 95 % interval, for each of some results."""
    figure, (axes,) = new_figure(1, width=6.8, height=4.0)
    days = np.arange(twin.network.periods + 1) * twin.period_hours / 24.0
    for colour, (name, result) in zip([LINE, *MARK_COLOURS], results.items(), strict=False):
        so_far = np.cumsum(result.period_costs, axis=1)
        mean = np.concatenate([[0.0], so_far.mean(axis=0)])
        half = np.array([0.0, *(half_width(column, result.confidence) for column in so_far.T)])
        axes.plot(days, mean, color=colour, linewidth=1.6, label=name)
        if np.isfinite(half).all():
            axes.fill_between(days, mean - half, mean + half, color=colour, alpha=0.18, linewidth=0)
    axes.grid(color="#e6e6e6", linewidth=0.7)
    axes.set_xlabel("day", fontsize=9)
    axes.set_ylabel("cost so far", fontsize=9)
    axes.tick_params(labelsize=8.5)
    if len(results) > 1:
        axes.legend(fontsize=8.5, frameon=False)
    finish(figure, path, title)


def _shown(result: TwinResult) -> list[int]:
    """Return the locations to draw: the first few in file order."""
    return list(range(min(len(result.locations), MOST_LINES)))


def plot_learning(curve: Sequence[ValueOfLearning], path: Path, *, title: str = "") -> None:
    """Write the expected costs by how sure the prior is, and what the belief saves."""
    figure, (left, right) = new_figure(2, width=5.0, height=3.6)
    shapes = [point.shape for point in curve]
    lines = {
        "rate plugged in once": [point.fixed_rate for point in curve],
        "rate plugged in, updated": [point.updated_rate for point in curve],
        "belief": [point.belief for point in curve],
    }
    colours = (MARK_COLOURS[0], MARK_COLOURS[3], LINE)
    for colour, (name, costs) in zip(colours, lines.items(), strict=True):
        left.plot(shapes, costs, "o-", color=colour, markersize=4, linewidth=1.5, label=name)
    for colour, saved in zip(
        colours,
        ([100.0 * p.over_fixed for p in curve], [100.0 * p.over_updated for p in curve]),
        strict=False,
    ):
        right.plot(shapes, saved, "o-", color=colour, markersize=4, linewidth=1.5)
    for axes, label in ((left, "expected cost"), (right, "saved by the belief [%]")):
        axes.set_xscale("log", base=2)
        axes.set_xticks(shapes, [f"{shape:g}" for shape in shapes])
        axes.minorticks_off()
        axes.grid(color="#e6e6e6", linewidth=0.7)
        axes.set_xlabel("shape of the prior, its mean kept", fontsize=9)
        axes.set_ylabel(label, fontsize=9)
        axes.tick_params(labelsize=8.5)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8.5, frameon=False)
    finish(figure, path, title)
