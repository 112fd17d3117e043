"""Plots: the trade-off front, and a policy as a map. They need matplotlib (extra "plot")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.actions import Action, actions_of
from sparing.exact.trade_off import FrontPoint
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, LINE = "#222222", "#1f5a99"
MARKERS = ("s", "^", "D", "v", "P", "X", "*", "p")
MARK_COLOURS = ("#c8502a", "#4f8a3c", "#8a4fa0", "#b8860b", "#5c5c5c", "#c2407a", "#1f8a8a")
MAX_PANELS, MAX_COLOURS, PANELS_A_ROW = 16, 12, 4


def check_matplotlib() -> None:
    """Raise unless matplotlib can be imported.

    Raises
    ------
    ImportError
        Saying how to install it.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'sparing[plot]'.") from None


def plot_front(
    points: Sequence[FrontPoint],
    path: str | Path,
    *,
    marks: Mapping[str, tuple[float, float]] | None = None,
    title: str = "",
) -> None:
    """Write the trade-off front of cost and reliability as a picture.

    Parameters
    ----------
    points
        From `sparing.front`; `second` is minus the reliability.
    marks
        Further policies by name: (cost, reliability), e.g. rules of thumb.
    """
    cost = [point.first for point in points]
    reliability = [-point.second for point in points]
    zoomed = bool(marks) and len(points) > 1
    figure, all_axes = new_figure(2 if zoomed else 1, width=5.0 if zoomed else 6.8, height=4.2)
    for axes in all_axes:
        axes.plot(
            cost,
            reliability,
            "o-",
            color=LINE,
            markersize=5,
            linewidth=1.6,
            zorder=3,
            label="optimal policies (dots) and their mixtures" if axes is all_axes[0] else None,
        )
        axes.margins(x=0.1, y=0.12)
        axes.grid(color="#e6e6e6", linewidth=0.7)
        axes.set_xlabel("cost per inspection")
    all_axes[0].set_ylabel("reliability")
    for i, (name, (x, y)) in enumerate((marks or {}).items()):
        marker, colour = MARKERS[i % len(MARKERS)], MARK_COLOURS[i % len(MARK_COLOURS)]
        all_axes[0].plot([x], [y], marker, color=colour, markersize=7, zorder=4, label=name)
    if zoomed:
        all_axes[0].set_title("beside other policies", fontsize=10, color=INK)
        all_axes[1].set_title("the front alone", fontsize=10, color=INK)
    columns = 2 if marks else 1
    figure.legend(loc="outside lower center", ncols=columns, fontsize=8.5, frameon=False)
    finish(figure, path, title)


def plot_policy(
    problem: MultiComponentProblem,
    policy: Policy,
    path: str | Path,
    *,
    frequency: Mapping[Action, float] | None = None,
    title: str = "",
) -> None:
    """Write a policy as a map: a panel per state of the leading components, a cell per state.

    Each cell names the states after maintenance. Cells of one colour take one action or, where
    there are many actions, maintain the same components.

    Parameters
    ----------
    frequency
        Long-run share of each action, for the legend.

    Raises
    ------
    ValueError
        If there are too few or too many components for a map.
    """
    shape = problem.epoch.shape
    panels = list(product(*(range(size) for size in shape[:-2])))
    if len(shape) < 2 or len(panels) > MAX_PANELS:
        raise ValueError(
            f"a policy map needs 2 components or more, and at most {MAX_PANELS} states of all but"
            f" the last two; got shape {shape}."
        )
    states = np.stack(np.unravel_index(np.arange(problem.num_states), shape), axis=1)
    actions = actions_of(problem, policy, states)
    legend, labels = _labels(problem, states.tolist(), actions, frequency or {})
    colours = _colours(labels)
    rows, columns = shape[-2:]
    figure, all_axes = new_figure(
        len(panels), width=max(1.1 + 0.62 * columns, 2.4), height=1.0 + 0.5 * rows
    )
    cells = np.arange(problem.num_states).reshape(len(panels), rows, columns)
    for axes, panel, block in zip(all_axes, panels, cells, strict=True):
        _draw_panel(axes, block, actions, [colours[label] for label in labels])
        names = problem.names
        where = ", ".join(f"{n} = {s}" for n, s in zip(names[:-2], panel, strict=True))
        axes.set_title(where, fontsize=10, color=INK)
        axes.set_xlabel(f"{names[-1]} found in", fontsize=9)
        if axes in all_axes[::PANELS_A_ROW]:
            axes.set_ylabel(f"{names[-2]} found in", fontsize=9)
    _legend(figure, legend, colours)
    finish(figure, path, title)


def _draw_panel(
    axes: Axes, block: NDArray[np.int64], actions: list[Action], colours: list[str]
) -> None:
    from matplotlib.colors import to_rgb

    pixels = np.array([[to_rgb(colours[cell]) for cell in row] for row in block])
    axes.imshow(pixels, origin="lower", aspect="auto")
    for i, row in enumerate(block):
        for j, cell in enumerate(row):
            text = " ".join(str(to)[0] for to in actions[cell])
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color=INK)
    axes.set_xticks(range(block.shape[1]))
    axes.set_yticks(range(block.shape[0]))
    axes.set_xticks(np.arange(-0.5, block.shape[1]), minor=True)
    axes.set_yticks(np.arange(-0.5, block.shape[0]), minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0, labelsize=9)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _labels(
    problem: MultiComponentProblem,
    states: list[list[int]],
    actions: list[Action],
    frequency: Mapping[Action, float],
) -> tuple[str, list[str]]:
    """Return the legend's title and the label [states] by which cells are coloured."""
    names = problem.names
    if len(set(actions)) > MAX_COLOURS:
        pairs = zip(states, actions, strict=True)
        maintained = [[n for n, s, to in zip(names, *p, strict=True) if s != to] for p in pairs]
        return "components maintained", [" + ".join(found) or "nothing" for found in maintained]

    def label(action: Action) -> str:
        text = "  ".join(f"{name}→{to}" for name, to in zip(names, action, strict=True))
        return f"{text}   ({frequency.get(action, 0.0):.1%} of time)" if frequency else text

    return "state after maintenance", [label(action) for action in actions]


def _colours(labels: list[str]) -> dict[str, str]:
    """Return a light colour per label, the most common first, grey beyond the palette."""
    palette = [
        "#a6cee3",
        "#fdcf8a",
        "#b5dea0",
        "#f4a9a0",
        "#cdbfe3",
        "#f5ec9b",
        "#8fd0c5",
        "#e8c4a2",
    ]
    palette += [
        "#f2b8d6",
        "#c3d69b",
        "#9fb8e8",
        "#d3d3d3",
        "#d98f8f",
        "#8fbf9f",
        "#b3a2c7",
        "#e6d28a",
    ]
    ranked = [label for label, _ in Counter(labels).most_common()]
    return dict(zip(ranked, [*palette, *["#f0f0f0"] * len(ranked)], strict=False))


def _legend(figure: Figure, title: str, colours: Mapping[str, str]) -> None:
    from matplotlib.patches import Patch

    figure.legend(
        handles=[Patch(facecolor=colour, label=label) for label, colour in colours.items()][:24],
        loc="outside lower center",
        ncols=min(3, len(colours)),
        fontsize=8.5,
        frameon=False,
        title=title,
        title_fontsize=9,
    )


def new_figure(panels: int, *, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels, and their axes."""
    check_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(panels, PANELS_A_ROW)
    rows = -(-panels // columns)
    extra = 0.9  # title and legend
    figure = Figure(figsize=(width * columns, height * rows + extra), layout="constrained")
    FigureCanvasAgg(figure)
    grid = np.asarray(figure.subplots(rows, columns, squeeze=False)).ravel().tolist()
    for axes in grid[panels:]:
        axes.set_visible(False)
    for axes in grid[:panels]:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, grid[:panels]


def finish(figure: Figure, path: str | Path, title: str) -> None:
    """Write a figure."""
    if title:
        figure.suptitle(title, fontsize=11, color=INK)
    options: dict[str, Any] = {"dpi": 150}
    try:
        figure.savefig(path, **options)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
