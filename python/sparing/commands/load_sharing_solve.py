"""sparing solve for load-sharing systems: size, interval and policy, with a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparing.commands.checkpoints import asked_folder, cached_folder, resumable
from sparing.commands.load_sharing_text import decision_text, print_choices, summary
from sparing.commands.output import (
    bounds_json,
    bounds_row,
    check_new_folder,
    note,
    print_json,
    print_table,
    wants_metrics,
)
from sparing.commands.progress import shown_progress
from sparing.evaluate.sizing import SizingSolution, best_size
from sparing.exact.options import Options
from sparing.exact.policy_evaluation import Bounds
from sparing.models.load_sharing import IntervalRange, LoadSharingProblem

METRIC_STATES = 1 << 16  # states up to which a solve also evaluates the policy's measures


def solve(
    case: str,
    problem: LoadSharingProblem,
    *,
    options: Options,
    out: Path | None,
    checkpoint: Path | None,
    metrics: bool | None,
    as_json: bool,
) -> None:
    """Find the best size and interval and print the objective with its bounds."""
    if out is not None:
        check_new_folder(out, "solution.json", also=["checkpoint"])
    folder = _checkpoint_folder(problem, options, out, checkpoint)
    with resumable(folder), shown_progress() as progress:
        found = best_size(problem, options=options, progress=progress, checkpoint_dir=folder)
    measured = _metrics(found, metrics, options.num_threads)
    report = solve_report(case, found, measured)
    if out is not None:
        from sparing.saved_solution import save_solution

        save_solution(found.solution, out, problem=found.system.chosen, record=report)
    if as_json:
        print_json(report)
    else:
        _print_solution(problem, found, report, out)
    if not found.converged:
        note(found.solution.message or "some size and interval did not converge.")


def _checkpoint_folder(
    problem: LoadSharingProblem, options: Options, out: Path | None, checkpoint: Path | None
) -> Path | None:
    from sparing.evaluate.search_log import search_key

    return asked_folder(out, checkpoint) or cached_folder(search_key(problem, options))


def _metrics(found: SizingSolution, wanted: bool | None, num_threads: int) -> dict[str, Bounds]:
    from sparing.evaluate.load_sharing_metrics import load_sharing_metrics

    if not wants_metrics(wanted, found.system.num_states, METRIC_STATES):
        return {}
    return load_sharing_metrics(found.system, found.policy, num_threads=num_threads)


def solve_report(case: str, found: SizingSolution, metrics: dict[str, Bounds]) -> dict[str, Any]:
    """Return what `sparing solve --json` prints."""
    system, kernel = found.system, found.system.kernel.error
    return {
        "case": case,
        "criterion": "average",
        "per": "unit of time",
        "discount": 1.0,
        "states": system.num_states,
        "sweeps": found.num_sweeps,
        "seconds": round(found.seconds, 6),
        "objective": {"lower": found.lower, "upper": found.upper},
        "converged": found.converged,
        "message": found.solution.message,
        "metrics": {
            "positions": found.positions,
            "inspection_interval": found.inspection_interval,
            **{name: bounds.value for name, bounds in metrics.items()},
        },
        "metric_bounds": {name: bounds_json(bounds) for name, bounds in metrics.items()},
        "first_decision": found.actions.describe(system.initial_state),
        "kernel": {
            "steps": kernel.num_steps,
            "truncation": kernel.missing_mass,
            "rounding": kernel.rounding,
        },
        "choices": [
            {
                "positions": cell.positions,
                "inspection_interval": cell.inspection_interval,
                "lower": cell.lower,
                "upper": cell.upper,
            }
            for cell in found.cells
        ],
    }


def _print_solution(
    problem: LoadSharingProblem, found: SizingSolution, report: dict[str, Any], out: Path | None
) -> None:
    print(f"{report['case']}: {summary(problem)}")
    state = "converged" if found.converged else "NOT converged"
    print(
        f"cost per unit of time: {state}, {len(found.cells)} choices in {found.num_sweeps} sweeps,"
        f" {found.seconds:.2f} s\n"
    )
    rows = [("minimised, per unit of time", report["objective"]), *report["metric_bounds"].items()]
    print_table(["", "value", "lower bound", "upper bound"], [bounds_row(*row) for row in rows])
    print(f"\nbest: {found.positions} positions, inspected every {found.inspection_interval:g}")
    first = report["first_decision"]
    print(f"first decision, all new, no spares: {decision_text(first)}")
    kernel = report["kernel"]
    print(
        f"kernel between epochs: {kernel['steps']} steps, {kernel['truncation']:.0e} left out,"
        f" rounding below {kernel['rounding']:.0e}; both are inside the bounds"
    )
    if len(found.cells) > 1 and not isinstance(problem.inspection_interval, IntervalRange):
        print()
        print_choices(found)
    if out is not None:
        print(f"saved in {out}")
