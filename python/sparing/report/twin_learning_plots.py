"""Plot of what learning on a twin makes of the plan that it starts from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sparing.report.plots import INK, MARK_COLOURS, finish, new_figure

if TYPE_CHECKING:
    from sparing.learn.twin_training import TwinTrainingResult

SPREAD = 0.012  # of the axis, by which seeds stand beside each other


def plot_learning(result: TwinTrainingResult, path: str | Path, *, title: str = "") -> None:
    """Write cost and SLA less those of the belief plan over simulated days, with intervals."""
    figure, (costs, services) = new_figure(2, width=5.2, height=3.6)
    longest = max(policy.days or 0.0 for policy in result.policies)
    for number, seed in enumerate(result.seeds):
        colour = MARK_COLOURS[number % len(MARK_COLOURS)]
        shift = SPREAD * longest * (number - 0.5 * (len(result.seeds) - 1))
        days = [(policy.days or 0.0) + shift for policy in seed.policies]
        for axes, measure in ((costs, "total"), (services, "sla")):
            found = [result.paired(policy, measure) for policy in seed.policies]
            axes.errorbar(
                days,
                [less.mean for less in found],
                yerr=[less.half_width for less in found],
                color=colour,
                marker="o",
                markersize=3.5,
                linewidth=1.2,
                capsize=2.5,
                label=f"seed {seed.seed}",
            )
    costs.set_ylabel("total cost less the plan's, 95 %", fontsize=8)
    services.set_ylabel("SLA less the plan's, 95 %", fontsize=8)
    for axes in (costs, services):
        axes.axhline(0.0, color=INK, linewidth=0.9, linestyle="--")
        axes.set_xlabel("simulated days of each fleet")
        axes.grid(color="#e6e6e6", linewidth=0.7)
    if len(result.seeds) > 1:
        handles, labels = costs.get_legend_handles_labels()
        columns = min(5, len(labels))
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)
    finish(figure, path, title)
