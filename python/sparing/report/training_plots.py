"""Plots of a training run: what it cost on the way, and how well the network fitted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sparing.exact.policy_evaluation import Bounds
from sparing.learn.run_records import TrainedSeed
from sparing.report.plots import INK, MARK_COLOURS, finish, new_figure


def plot_training(
    seeds: Sequence[TrainedSeed],
    path: str | Path,
    *,
    optimum: Bounds | None = None,
    title: str = "",
) -> None:
    """Write the curves of a training run: cost while exploring, gain estimated, and loss.

    Parameters
    ----------
    optimum
        Drawn as a line across the costs.
    """
    figure, (costs, losses) = new_figure(2, width=5.2, height=3.6)
    for number, seed in enumerate(seeds):
        colour = MARK_COLOURS[number % len(MARK_COLOURS)]
        steps = seed.history["env_steps"]
        label = f"seed {seed.seed}"
        costs.plot(steps, seed.history["cost"], color=colour, linewidth=1.4, label=label)
        if seed.history["rate"].any():
            costs.plot(steps, seed.history["rate"], ":", color=colour, linewidth=1.2)
        losses.plot(steps, seed.history["loss"], color=colour, linewidth=1.4)
    if optimum is not None:
        costs.axhline(optimum.value, color=INK, linewidth=0.9, linestyle="--")
    costs.set_ylabel("cost: exploring (line), estimated (dots), optimum (dashes)", fontsize=8)
    losses.set_ylabel("mean squared error of the network, scaled costs", fontsize=8)
    for axes in (costs, losses):
        axes.set_xlabel("choices")
        axes.grid(color="#e6e6e6", linewidth=0.7)
        axes.ticklabel_format(axis="x", style="sci", scilimits=(0, 4))
    if len(seeds) > 1:
        figure.legend(loc="outside lower center", ncols=min(5, len(seeds)), frameon=False)
    finish(figure, path, title)
