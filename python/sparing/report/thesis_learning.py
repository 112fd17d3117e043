"""Figures 8 to 10 and table 8 of Jimenez Gonzalez (2021), beside a policy that was learned.

The figures: reward of 2000 inspections, cost per inspection and reliability over 10 000 episodes,
each averaged over 25 episodes; of their curves the thesis prints where they end. Table 8 is of
3000 inspections under its agent. All of it is for scenario 2. Nothing here enters a computation.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparing.evaluate.actions import Action
from sparing.evaluate.explanation import explain_policy
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import TablePolicy

if TYPE_CHECKING:
    from sparing.learn.curve import CurvePoint

CASE = "three-component-2"
INSPECTIONS = 2_000  # of an episode
FIGURES = {"reward": 2743.2, "cost_rate": 244.05, "reliability": 0.93}  # where the curves end
TABLE_8: dict[Action, float] = {  # share of 3000 inspections by the states after maintenance
    (0, 0, 0): 0.412,
    (0, 3, 0): 0.406,
    (0, 0, 2): 0.0473,
    (1, 0, 0): 0.032,
    (1, 0, 2): 0.0216,
    (0, 1, 0): 0.0303,
    (0, 0, 3): 0.046,
    (0, 2, 0): 0.004,
}
COLUMNS = ("seed", "env_steps", "epsilon")
MEASURES = ("objective", "cost_rate", "reliability")


def action_shares(
    case: str, problem: MultiComponentProblem, policy: TablePolicy
) -> list[dict[str, Any]]:
    """Return per action its exact long-run share and, of its own case, what table 8 prints.

    Shares below a millionth are left out unless the thesis prints the action.
    """
    printed = TABLE_8 if case == CASE else {}
    shares = {case.action: case.frequency for case in explain_policy(problem, policy)}
    actions = sorted({*shares, *printed}, key=lambda a: (-shares.get(a, 0.0), str(a)))
    return [
        {
            "after": dict(zip(problem.names, action, strict=True)),
            "share": shares.get(action, 0.0),
            "thesis": printed.get(action),
        }
        for action in actions
        if shares.get(action, 0.0) > 1e-6 or action in printed
    ]


def shares_rows(shares: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return the shares as rows of text."""
    return [
        [
            ", ".join(f"{name} {state}" for name, state in row["after"].items()),
            f"{100.0 * row['share']:.2f} %",
            "-" if row["thesis"] is None else f"{100.0 * row['thesis']:.2f} %",
        ]
        for row in shares
    ]


def write_curve(points: Sequence[CurvePoint], path: Path) -> None:
    """Write the points of a curve as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = [f"{which}_{name}" for which in ("acting", "greedy") for name in MEASURES]
        writer.writerow([*COLUMNS, *names])
        for point in points:
            figures = [part[name] for part in (point.acting, point.greedy) for name in MEASURES]
            writer.writerow([point.seed, point.env_steps, f"{point.epsilon:.6g}", *figures])


def plot_curve(
    points: Sequence[CurvePoint],
    path: Path,
    *,
    optimum: dict[str, float],
    printed: bool,
    title: str = "",
) -> None:
    """Write figures 8 to 10: reward of 2000 inspections, cost per inspection and reliability.

    Parameters
    ----------
    points
        Of one seed.
    optimum
        "objective", "cost_rate" and "reliability" of the optimal policy.
    printed
        Whether the ends of the printed curves are drawn.
    """
    from sparing.report.plots import INK, LINE, MARK_COLOURS, finish, new_figure

    figure, panels = new_figure(3, width=4.2, height=3.4)
    steps = [point.env_steps / 1e3 for point in points]
    words = ("reward of 2000 inspections", "cost per inspection", "reliability")
    for axes, name, label in zip(panels, MEASURES, words, strict=True):
        factor = -INSPECTIONS if name == "objective" else 1
        acting = [factor * point.acting[name] for point in points]
        greedy = [factor * point.greedy[name] for point in points]
        axes.plot(steps, acting, color=LINE, linewidth=1.6, label="as it acts, exploring")
        axes.plot(steps, greedy, color=MARK_COLOURS[0], linewidth=1.2, label="its greedy choices")
        axes.axhline(
            factor * optimum[name], color=INK, linewidth=0.9, linestyle="--", label="optimum"
        )
        if printed:
            end = FIGURES["reward" if name == "objective" else name]
            axes.axhline(
                end,
                color="#888888",
                linewidth=1.1,
                linestyle=":",
                label="end of the thesis's curve",
            )
        axes.set_ylabel(label)
        axes.set_xlabel("inspections in thousands")
        axes.grid(color="#e6e6e6", linewidth=0.7)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    finish(figure, path, title)
