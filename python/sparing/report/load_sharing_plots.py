"""Plots of a load-sharing problem: cost over size and interval, and the policy as a map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sparing.evaluate.load_sharing_actions import Actions
from sparing.evaluate.rule_search import BestRule
from sparing.evaluate.sizing import SizingSolution
from sparing.report.plots import INK, MARK_COLOURS, MARKERS, finish, new_figure

MAX_ROWS = 84  # count vectors up to which a policy is drawn


def plot_choices(
    found: SizingSolution,
    path: str | Path,
    *,
    rules: Sequence[BestRule] = (),
    title: str = "",
) -> None:
    """Write the least cost over the inspection interval, one line a size, as a picture.

    Parameters
    ----------
    rules
        The best rules, marked at their own size and interval.
    """
    figure, (axes,) = new_figure(1, width=7.2, height=5.0)
    sizes = found.problem.positions
    for size, colour in zip(sizes, _blues(len(sizes)), strict=True):
        cells = sorted(
            (cell for cell in found.cells if cell.positions == size),
            key=lambda cell: cell.inspection_interval,
        )
        axes.plot(
            [cell.inspection_interval for cell in cells],
            [cell.gain for cell in cells],
            "o-",
            color=colour,
            markersize=3.5,
            linewidth=1.5,
            label=f"{size} positions",
        )
    best = f"optimum: {found.positions} positions, every {found.inspection_interval:.4g}"
    axes.plot(
        [found.inspection_interval],
        [found.objective],
        "o",
        color="none",
        markeredgecolor=INK,
        markersize=11,
        label=f"{best}, {found.objective:.4f}",
        zorder=5,
    )
    for i, rule in enumerate(rules):
        gap = (rule.cost.value / found.objective - 1.0) * 100.0
        axes.plot(
            [rule.system.interval],
            [rule.cost.value],
            MARKERS[i % len(MARKERS)],
            color=MARK_COLOURS[i % len(MARK_COLOURS)],
            markersize=7,
            zorder=4,
            label=f"{rule.name}: {rule.rule}, {rule.cost.value:.4f} (+{gap:.2f} %)",
        )
    axes.set_xlabel("inspection interval")
    axes.set_ylabel("cost per unit of time")
    axes.margins(x=0.04, y=0.08)
    axes.grid(color="#e6e6e6", linewidth=0.7)
    axes.legend(
        *(entries[: len(sizes)] for entries in axes.get_legend_handles_labels()),
        fontsize=8.5,
        frameon=False,
    )
    figure.legend(
        *(entries[len(sizes) :] for entries in axes.get_legend_handles_labels()),
        loc="outside lower center",
        fontsize=8.5,
        frameon=False,
    )
    finish(figure, path, title)


def plot_actions(done: Actions, path: str | Path, *, title: str = "") -> None:
    """Write what is done with nothing on order as a map: counts down, spares on hand across.

    A cell reads "replaced / ordered"; its colour is the number replaced.
    """
    from matplotlib.colors import ListedColormap

    system = done.system
    none_on_order = np.flatnonzero(system.stocks[:, 1] == 0)
    hand = system.stocks[none_on_order, 0]
    replaced, ordered = done.replaced[:, none_on_order], done.ordered[:, none_on_order]
    rows = system.counts.size
    figure, (axes,) = new_figure(1, width=2.2 + 0.8 * hand.size, height=1.6 + 0.26 * rows)
    colours = ListedColormap(["white", *_blues(system.size)])
    axes.imshow(replaced, cmap=colours, vmin=0, vmax=system.size, aspect="auto")
    for row in range(rows):
        for column in range(hand.size):
            dark = replaced[row, column] > 0.7 * system.size
            axes.text(
                column,
                row,
                f"{replaced[row, column]} / {ordered[row, column]}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else INK,
            )
    labels = [
        ",".join(map(str, vector)) + ("" if up else "  (down)")
        for vector, up in zip(system.counts.vectors.tolist(), system.is_up, strict=True)
    ]
    axes.set_yticks(range(rows), labels, fontsize=8)
    axes.set_xticks(range(hand.size), [str(count) for count in hand])
    axes.set_xlabel("spares on hand (nothing on order)")
    axes.set_ylabel("components by condition, new to failed")
    named = f"{title}: replaced / ordered by the optimal policy, {system.size} positions"
    finish(figure, path, named)


def _blues(count: int) -> list[str]:
    """Return so many blues as #rrggbb, from light to dark."""
    share = np.linspace(0.3, 1.0, count)
    parts = np.rint(255 * (1 - np.outer(share, [0.92, 0.7, 0.42]))).astype(int).tolist()
    return ["#" + "".join(f"{part:02x}" for part in row) for row in parts]
