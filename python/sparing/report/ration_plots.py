"""Figures 2 to 5 of chapter 3 of the thesis, each with every rule and the printed values.

A case with other parameters has no printed values: `report["thesis"]` is None.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparing.ration.rules import NAMES
from sparing.report.plots import INK, finish, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    "fifo_strict": "#5c5c5c",
    "fifo_skip": "#c8502a",
    "bid_price": "#b8860b",
    "ir_dnn": "#8a4fa0",
    "learned": "#1f5a99",
    "criticality": "#4f8a3c",
    "hindsight": "#222222",
}
MARKERS = dict(zip(NAMES, ("o", "s", "^", "D", "P", "v", "X"), strict=True))
LABELS = {"ofr": "order fulfilment rate", "margin": "margin a day"}


def plot_training(report: dict[str, Any], path: Path) -> None:
    """Write figure 2: accuracy and loss of IR-DNN over the epochs of its training."""
    figure, panels = new_figure(2, width=4.6, height=3.4)
    epochs = report["classification"]["epochs"]
    numbers = range(1, len(epochs) + 1)
    for axes, name in zip(panels, ("accuracy", "loss"), strict=True):
        pairs = (("training", name, "ir_dnn"), ("validation", f"validation_{name}", "fifo_skip"))
        for label, key, colour in pairs:
            values = [epoch[key] for epoch in epochs]
            axes.plot(numbers, values, "o-", color=COLOURS[colour], markersize=4, label=label)
        _dress(axes, "epoch", name)
    if thesis := report["thesis"]:
        printed = thesis["classification"]["accuracy"]
        panels[0].axhline(printed, color=INK, linewidth=1.0, linestyle=":")
        text = f"thesis, test set: {printed:.3f}"
        panels[0].annotate(text, (1, printed), fontsize=8, va="bottom", color=INK)
    panels[1].legend(fontsize=8.5, frameon=False)
    finish(figure, path, f"IR-DNN: training{_source(report, 2)}")


def plot_experiment(report: dict[str, Any], path: Path) -> None:
    """Write figure 3: margin and OFR of every rule, over 30 days."""
    figure, panels = new_figure(2, width=5.0, height=3.8)
    found, thesis = report["experiment"], report["thesis"]
    rules = found["rules"]
    strict = rules["fifo_strict"]["margin"]["mean"]
    printed: dict[str, dict[str, float]] = {"ofr": {}, "margin": {}}
    if thesis:
        gained = strict * (1.0 + thesis["margin_gain"])
        printed = {"ofr": thesis["ofr"], "margin": {"fifo_strict": strict, "ir_dnn": gained}}
        gain = f"dotted: the thesis's gain of {100.0 * thesis['margin_gain']:.2f} % on strict FIFO"
        panels[0].set_title(gain, fontsize=9)
        panels[1].set_title("dotted: printed by the thesis", fontsize=9)
    for axes, measure in zip(panels, ("margin", "ofr"), strict=True):
        for i, (key, rule) in enumerate(rules.items()):
            value = rule[measure]
            axes.errorbar(
                [i],
                [value["mean"]],
                yerr=[value["half_width"]],
                fmt=MARKERS[key],
                color=COLOURS[key],
                capsize=4,
            )
            if key in printed[measure]:
                axes.plot([i - 0.3, i + 0.3], [printed[measure][key]] * 2, ":", color=INK)
        axes.set_xticks(range(len(rules)), [NAMES[key] for key in rules], rotation=35, ha="right")
        _dress(axes, "", LABELS[measure])
    days = f"{found['days']} days of {found['orders']} orders"
    finish(figure, path, f"{days}{_source(report, 3)}, 95 % intervals")


def plot_sensitivity(report: dict[str, Any], measure: str, path: Path) -> None:
    """Write figure 4 (`ofr`) or 5 (`margin`): a panel per number of SKUs."""
    rows = report["sensitivity"]
    sizes = sorted({row["skus"] for row in rows})
    figure, panels = new_figure(len(sizes), width=3.6, height=3.6)
    thesis = report["thesis"]
    for axes, skus in zip(panels, sizes, strict=True):
        chosen = [row for row in rows if row["skus"] == skus]
        orders = [row["orders"] for row in chosen]
        for key in NAMES:
            found = [row["rules"][key][measure] for row in chosen]
            axes.errorbar(
                orders,
                [value["mean"] for value in found],
                yerr=[value["half_width"] for value in found],
                fmt=f"{MARKERS[key]}-",
                color=COLOURS[key],
                markersize=5,
                linewidth=1.2,
                capsize=2,
                label=NAMES[key] if axes is panels[0] else None,
            )
        if thesis:
            base = [row["rules"]["fifo_strict"][measure]["mean"] for row in chosen]
            span = thesis[f"{measure}_gains"]
            low, high = ([(1.0 + gain) * value for value in base] for gain in span)
            label = "IR-DNN by the gains the thesis prints" if axes is panels[0] else None
            axes.fill_between(orders, low, high, color="#e3d3ea", zorder=0, label=label)
        axes.set_xticks(orders)
        axes.set_title(f"{skus} SKUs", fontsize=10, color=INK)
        _dress(axes, "orders a day", LABELS[measure] if axes is panels[0] else "")
    figure.legend(loc="outside lower center", ncols=4, fontsize=8.5, frameon=False)
    number = 4 if measure == "ofr" else 5
    finish(figure, path, f"{LABELS[measure]} by size{_source(report, number)}, 95 % intervals")


def _source(report: dict[str, Any], number: int) -> str:
    """Return which figure of the thesis a plot repeats, if it does."""
    return f" (thesis, figure {number})" if report["thesis"] else ""


def _dress(axes: Axes, x: str, y: str) -> None:
    axes.grid(color="#e6e6e6", linewidth=0.7)
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.tick_params(labelsize=8.5)
