"""The comparison of ordering policies as JSON, tables and plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sparing._files import replaced_folder, write_atomically, write_csv
from sparing.evaluate.network_comparison import (
    ComparedPolicy,
    NetworkComparison,
    echelon_stock,
)

FORMAT = "sparing-network-comparison-1"
PATHS = 500  # replications drawn in the plots


def network_report(case: str, found: NetworkComparison) -> dict[str, Any]:
    """Return what `sparing compare --json` prints for a spares network."""
    problem = found.problem
    return {
        "case": case,
        "parts": [part.name for part in problem.parts],
        "locations": len(problem.locations),
        "periods": problem.periods,
        "sla": problem.sla,
        "replications": found.options.replications,
        "tuning_replications": found.options.tuning_replications,
        "seed": found.options.seed,
        "seconds": found.seconds,
        "policies": [_policy_json(row) for row in found.policies.values()],
        "reductions": [
            {
                "against": key,
                **{
                    metric: {
                        "share": r.share,
                        "half_width": r.half_width,
                        "p_value": r.p_value,
                        "p_value_ranks": r.p_value_ranks,
                    }
                    for metric, r in by_metric.items()
                },
            }
            for key, by_metric in found.reductions.items()
        ],
        "best_baseline": found.best_baseline,
        "lower_bound": None if found.bound is None else _bound_json(found),
    }


def _bound_json(found: NetworkComparison) -> dict[str, Any]:
    """Return the bound of every policy's objective, and how far the plans are above it."""
    assert found.bound is not None
    lower = found.bound.lower
    return {
        "objective": lower,
        "parts": {bound.part: bound.lower for bound in found.bound.parts},
        "gaps": {key: row.result.objective / lower - 1.0 for key, row in found.policies.items()},
    }


def save_network_comparison(found: NetworkComparison, report: dict[str, Any], folder: Path) -> None:
    """Write policies.csv, reductions.csv, costs.png, stocks.png and compare.json."""
    with replaced_folder(folder) as part:
        _save_policies(report, part / "policies.csv")
        _save_reductions(report, part / "reductions.csv")
        _plot_paths(found, part, report["case"])
        text = json.dumps({"format": FORMAT, **report}, indent=1)
        write_atomically(part / "compare.json", text + "\n")


def _policy_json(row: ComparedPolicy) -> dict[str, Any]:
    result = row.result
    metrics = {
        name: {"mean": mean, "half_width": result.half_widths[name]}
        for name, mean in result.mean.items()
    }
    return {
        "key": row.key,
        "policy": row.name,
        "downtime_price": row.price,
        "reaches_sla": row.reached,
        "tried": row.num_tried,
        **metrics,
        "hyper_score": None if row.score is None else row.score.score,
        "metric_scores": None if row.score is None else dict(row.score.metric_scores),
    }


def _save_policies(report: dict[str, Any], path: Path) -> None:
    metrics = [k for k, v in report["policies"][0].items() if isinstance(v, dict) and "mean" in v]
    header = ["key", "policy", "downtime_price", "reaches_sla", "tried", "hyper_score"]
    rows = [
        [*(row[k] for k in header), *(row[m][f] for m in metrics for f in ("mean", "half_width"))]
        for row in report["policies"]
    ]
    write_csv(path, [*header, *(f for m in metrics for f in (m, f"{m}_half_width"))], rows)


def _save_reductions(report: dict[str, Any], path: Path) -> None:
    fields = ("share", "half_width", "p_value", "p_value_ranks")
    metrics = ("holding_cost", "total_cost")
    rows = [
        [entry["against"], *(entry[m][f] for m in metrics for f in fields)]
        for entry in report["reductions"]
    ]
    write_csv(path, ["against", *(f"{m}_{f}" for m in metrics for f in fields)], rows)


def _plot_paths(found: NetworkComparison, folder: Path, case: str) -> None:
    """Draw the mean cost up to each period and the mean stock by depth of the tree."""
    from sparing.report.plots import finish, new_figure

    drawn = [
        key for key in ("min_max", "fixed_quantity", "thinning", "belief") if key in found.policies
    ]
    costs, (axes,) = new_figure(1, width=7.5, height=4.2)
    names = _depth_names(found)
    stocks, panels = new_figure(len(names), width=4.2, height=3.2)
    for key in drawn:
        row = found.policies[key]
        stock, cost = echelon_stock(
            found, key, num_replications=min(PATHS, found.options.replications)
        )
        total = cost.cumsum(axis=1)
        weeks = np.arange(1, total.shape[1] + 1)
        mean = total.mean(axis=0)
        half = 1.96 * total.std(axis=0, ddof=1) / np.sqrt(len(total))
        (line,) = axes.plot(weeks, mean, label=row.name)
        axes.fill_between(weeks, mean - half, mean + half, alpha=0.15, color=line.get_color())
        for panel, on_hand, name in zip(panels, stock, names, strict=True):
            panel.plot(weeks, on_hand, label=row.name)
            panel.set_title(name, fontsize=10)
            panel.set_xlabel("period")
    for panel in panels:
        panel.set_ylim(bottom=0.0)
    axes.set_xlabel("period")
    axes.set_ylabel("mean cost so far, with 95 % interval")
    axes.legend(frameon=False)
    panels[0].set_ylabel("mean units on hand, all parts")
    panels[0].legend(frameon=False, fontsize=8)
    finish(costs, folder / "costs.png", f"{case}: cost over time")
    finish(stocks, folder / "stocks.png", f"{case}: stock over time")


def _depth_names(found: NetworkComparison) -> list[str]:
    from sparing.evaluate.rule_tuning import depths

    most = int(depths(found.problem.parts[0]).max())
    named = {0: ["sites"], 1: ["central", "sites"], 2: ["central", "hubs", "sites"]}
    return named.get(most, [f"depth {d}" for d in range(most + 1)])
