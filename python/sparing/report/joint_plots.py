"""Plots of joint maintenance and spares: what each way to plan costs, and what it keeps on hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.frequencies import state_frequencies
from sparing.evaluate.joint_comparison import JointComparison
from sparing.models.multi_component import MultiComponentProblem
from sparing.report.plots import INK, finish, new_figure

COLOURS = {
    "maintenance": "#1f5a99",
    "set-up": "#7fa8d1",
    "downtime": "#c8502a",
    "holding": "#4f8a3c",
    "order": "#9ec48f",
    "emergency": "#b8860b",
}


def plot_costs(report: dict[str, Any], path: Path) -> None:
    """Write the cost per inspection of every way to plan as bars, stacked by kind of cost."""
    rows = report["policies"]
    figure, (axes,) = new_figure(1, width=8.5, height=0.55 * len(rows) + 1.6)
    places = np.arange(len(rows))[::-1]
    reached = np.zeros(len(rows))
    kinds = [kind for kind in COLOURS if any(row["kinds"].get(kind) for row in rows)]
    for kind in kinds:
        paid = np.array([row["kinds"].get(kind, 0.0) for row in rows])
        axes.barh(places, paid, left=reached, color=COLOURS[kind], label=kind, height=0.62)
        reached += paid
    for place, total in zip(places, reached, strict=True):
        axes.text(total, place, f" {total:.2f}", va="center", fontsize=9, color=INK)
    axes.set_yticks(places, [row["policy"] for row in rows], fontsize=9)
    axes.set_xlabel("cost per inspection")
    axes.set_xlim(0.0, 1.12 * float(reached.max()))
    axes.set_axisbelow(True)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.7)
    figure.legend(loc="outside lower center", ncols=len(kinds), fontsize=8.5, frameon=False)
    finish(figure, path, f"{report['case']}: what joint optimisation is worth")


def plot_stocks(found: JointComparison, path: Path, *, case: str) -> None:
    """Write how often how many units are found on hand, jointly and separately planned."""
    problem = found.problem
    apart = found.rows["maintenance-first"].policy
    assert apart is not None
    shares = {
        found.rows["joint"].name: found.shares,
        found.rows["maintenance-first"].name: state_frequencies(
            problem.epoch, apart, tol=found.share_tol
        ),
    }
    figure, all_axes = new_figure(len(problem.spares), width=4.6, height=3.2)
    for position, (axes, spare) in enumerate(zip(all_axes, problem.spares, strict=True)):
        units = np.arange(spare.capacity + 1)
        for i, (name, share) in enumerate(shares.items()):
            label = name if position == 0 else None
            axes.bar(
                units + 0.4 * i - 0.2,
                _on_hand(problem, share, position),
                width=0.38,
                color=("#1f5a99", "#c8502a")[i],
                label=label,
            )
        axes.set_xticks(units)
        axes.set_xlabel(f"{spare.name}: units on hand at an inspection")
        axes.set_axisbelow(True)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.7)
    all_axes[0].set_ylabel("share of inspections")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8.5, frameon=False)
    finish(figure, path, f"{case}: stocks found")


def _on_hand(
    problem: MultiComponentProblem, share: NDArray[np.float64], position: int
) -> NDArray[np.float64]:
    """Return the share of inspections [units on hand] of one spare."""
    axis = len(problem.components) + position
    others = tuple(i for i in range(len(problem.epoch.shape)) if i != axis)
    by_state = share.reshape(problem.epoch.shape).sum(axis=others)
    spare = problem.spares[position]
    on_hand = spare.on_hand.astype(np.int64)
    found: NDArray[np.float64] = np.zeros(spare.capacity + 1)
    np.add.at(found, on_hand, by_state)
    return found
