"""sparing train --curve: figures on the way and the actions of what was learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparing.commands.output import note, print_table

if TYPE_CHECKING:
    from sparing.learn.result import TrainingResult


def curve_report(case: str, result: TrainingResult) -> dict[str, Any]:
    """Return what `--json` adds: the curve, the shares of actions, and exact figures."""
    from sparing.evaluate.policy_comparison import policy_row
    from sparing.policies import TablePolicy
    from sparing.report.thesis_learning import action_shares

    assert isinstance(result.policy, TablePolicy)
    row = policy_row(result.model, result.policy)
    return {
        "policy": {"reward": row.reward, "cost": row.cost, "reliability": row.reliability},
        "actions": action_shares(case, result.model, result.policy),
        "curve": [
            {
                "seed": point.seed,
                "env_steps": point.env_steps,
                "epsilon": point.epsilon,
                "acting": point.acting,
                "greedy": point.greedy,
            }
            for point in result.curve
        ],
    }


def print_curve(report: dict[str, Any]) -> None:
    """Print a few moments of the curve, and the actions beside table 8 of the thesis."""
    from sparing.report.thesis_learning import shares_rows

    points = [point for point in report["curve"] if point["seed"] == report["best_seed"]]
    shown = points[:: max(1, len(points) // 6)]
    shown += [] if shown[-1] is points[-1] else [points[-1]]
    rows = [
        [f"{point['env_steps']:,}", f"{point['epsilon']:.3f}"]
        + [f"{point[which][name]:.4f}" for which in ("acting", "greedy") for name in _MEASURES]
        for point in shown
    ]
    names = [*("objective", "cost", "rel."), *("greedy: obj.", "cost", "rel.")]
    print("\nexact long-run figures on the way, of what acts and of its greedy choices\n")
    print_table(["choices", "epsilon", *names], rows)
    print()
    print_table(["states after maintenance", "share", "thesis"], shares_rows(report["actions"]))


_MEASURES = ("objective", "cost_rate", "reliability")


def save_curve(case: str, result: TrainingResult, out: Path) -> None:
    """Write learning.csv and, where matplotlib is there, learning.png."""
    from sparing.evaluate.policy_comparison import optimal_policy, policy_row
    from sparing.report.thesis_learning import CASE, plot_curve, write_curve

    write_curve(result.curve, out / "learning.csv")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        note("no learning.png, as matplotlib is missing: pip install 'sparing[plot]'.")
        return
    best = policy_row(result.model, optimal_policy(result.model))
    optimum = {
        "objective": best.cost if best.reward is None else -best.reward,
        "cost_rate": best.cost,
        "reliability": best.reliability,
    }
    points = [point for point in result.curve if point.seed == result.best.seed]
    title = f"{case}: {result.learner}, {result.env_steps:,} inspections"
    plot_curve(points, out / "learning.png", optimum=optimum, printed=case == CASE, title=title)
