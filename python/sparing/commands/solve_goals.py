"""sparing solve of a case with hard goals: a mixture of policies and its duality gap."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from sparing._files import replaced_folder, write_atomically
from sparing.commands.checkpoints import checkpoint_folder, resumable
from sparing.commands.output import bounds_json, number, print_json, print_table
from sparing.commands.problems import summary
from sparing.commands.progress import shown_progress
from sparing.exact.constrained import ConstrainedSolution
from sparing.exact.options import Options
from sparing.exact.policy_evaluation import Bounds
from sparing.models.multi_component import MultiComponentProblem

FORMAT = "sparing-mixture-1"
LIMITS = ("at_least", "at_most")


def solve_goals(
    case: str,
    problem: MultiComponentProblem,
    *,
    tol: float,
    threads: int,
    out: Path | None,
    checkpoint: Path | None,
    as_json: bool,
) -> None:
    """Solve, save and print a case whose goals have hard limits."""
    from sparing.api import solve_with_goals

    started = time.monotonic()
    folder = checkpoint_folder(problem, Options(tol=tol), out, checkpoint)
    with resumable(folder), shown_progress() as progress:
        found = solve_with_goals(
            problem, tol=tol, num_threads=threads, progress=progress, checkpoint_dir=folder
        )
    report = _report(case, problem, found, time.monotonic() - started, tol, threads)
    if out is not None:
        _save(problem, found, report, out)
    if as_json:
        print_json(report)
    else:
        _print_text(problem, report, out)


def _report(
    case: str,
    problem: MultiComponentProblem,
    found: ConstrainedSolution,
    seconds: float,
    tol: float,
    threads: int,
) -> dict[str, Any]:
    from sparing.evaluate.actions import first_decision
    from sparing.evaluate.metrics import long_run_metrics

    parts = [long_run_metrics(problem, s.policy, num_threads=threads) for s in found.solutions]
    metrics = _mixed(parts, found.probability)
    limits = {
        name: {
            key: limit
            for key in ("at_least", "at_most")
            if (limit := getattr(goal, key)) is not None
        }
        for name, goal in problem.goals.items()
    }
    report: dict[str, Any] = {
        "case": case,
        "criterion": problem.criterion,
        "discount": 1.0,
        "states": problem.num_states,
        "sweeps": sum(s.num_sweeps for s in found.solutions),
        "rounds": found.num_rounds,
        "seconds": round(seconds, 6),
        "objective": {"lower": found.lower, "upper": found.upper},
        "duality_gap": found.duality_gap,
        "goals": {name: limit for name, limit in limits.items() if limit},
        "multipliers": {name: price + 0.0 for name, price in found.multipliers.items()},
        "metrics": {name: bounds.value for name, bounds in metrics.items()},
        "metric_bounds": {name: bounds_json(bounds) for name, bounds in metrics.items()},
        "first_decision": first_decision(problem, found.solutions[0].policy),
        "mixture": [
            {
                "probability": share,
                "metrics": {name: bounds.value for name, bounds in part.items()},
                "first_decision": first_decision(problem, solution.policy),
            }
            for share, part, solution in zip(found.probability, parts, found.solutions, strict=True)
        ],
        "best_single_policy": None
        if found.best_pure is None
        else {"objective": found.pure_objective},
        "converged": found.duality_gap <= tol,
        "message": "",
        "dtype": "float64",
        "path": found.solutions[0].path,
    }
    if not report["converged"]:
        report["message"] = f"The duality gap is {found.duality_gap:.3g}, wanted was {tol:g}."
    return report


def _mixed(parts: list[dict[str, Bounds]], shares: tuple[float, ...]) -> dict[str, Bounds]:
    """Return the metrics of the mixture: long-run averages mix linearly."""
    return {
        name: Bounds(
            lower=sum(share * part[name].lower for part, share in zip(parts, shares, strict=True)),
            upper=sum(share * part[name].upper for part, share in zip(parts, shares, strict=True)),
        )
        for name in parts[0]
    }


def _save(
    problem: MultiComponentProblem, found: ConstrainedSolution, report: dict[str, Any], out: Path
) -> None:
    """Write a folder with one saved solution per policy of the mixture, whole or not there."""
    from sparing.saved_solution import save_solution

    with replaced_folder(out) as part:
        for position, solution in enumerate(found.solutions):
            save_solution(solution, part / f"policy{position}", problem=problem)
        text = json.dumps({"format": FORMAT, **report}, indent=1)
        write_atomically(part / "solution.json", text + "\n")


def _print_text(problem: MultiComponentProblem, report: dict[str, Any], out: Path | None) -> None:
    from sparing.evaluate.actions import decision_text

    print(f"{report['case']}: {summary(problem)}")
    print(
        f"hard goals on long-run averages: duality gap {report['duality_gap']:.2e} after"
        f" {report['rounds']} rounds, {report['seconds']:.2f} s\n"
    )
    objective = report["objective"]
    bounds = {"minimised, per inspection": objective, **report["metric_bounds"]}
    rows = []
    for name, found in bounds.items():
        lower, upper = found["lower"], found["upper"]
        goal = " ".join(
            f"{key.replace('_', ' ')} {limit:g}"
            for key, limit in report["goals"].get(_goal_name(name), {}).items()
        )
        price = report["multipliers"].get(_goal_name(name)) if goal else None
        middle = number((lower + upper) / 2)
        row = [name.replace("_", " "), middle, number(lower, 11), number(upper, 11)]
        rows.append([*row, goal, number(price, 6) if goal else ""])
    print_table(["", "value", "lower bound", "upper bound", "goal", "price"], rows)
    print("\nDraw one of these policies once and keep to it:")
    for part in report["mixture"]:
        metrics = part["metrics"]
        decision = decision_text(part["first_decision"], problem.initial_state)
        print(
            f"  with probability {part['probability']:.6f}: cost rate {metrics['cost_rate']:.6g},"
            f" reliability {metrics['reliability']:.6g}; first decision: {decision}"
        )
    if report["best_single_policy"] is not None:
        print(f"best single policy found: {number(report['best_single_policy']['objective'])}")
    if out is not None:
        print(f"saved in {out}")


def _goal_name(metric: str) -> str:
    return "cost" if metric == "cost_rate" else metric
