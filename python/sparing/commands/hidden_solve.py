"""sparing solve for hidden degradation: two bounds that close while one waits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sparing.beliefs.component_checkpoint import BeliefCheckpoint, solve_key
from sparing.beliefs.component_result import BeliefOptions, BeliefSolution
from sparing.beliefs.component_solve import solve_hidden
from sparing.commands.checkpoints import asked_folder, cached_folder, resumable
from sparing.commands.output import check_new_folder, note, number, print_json, print_table
from sparing.commands.progress import shown_progress
from sparing.exact.options import Options
from sparing.models.hidden import HiddenProblem


def case_row(case: str, problem: HiddenProblem) -> dict[str, Any]:
    """Return the row of `sparing cases`."""
    return {
        "case": case,
        "kind": "hidden-multi-component",
        "short_kind": "hidden",
        "states": "",  # beliefs are a continuum
        "components": len(problem.components),
        "structure": problem.structure,
        "criterion": "discounted",
        "periods": problem.periods,
        "measures": ["cost"],
        "goals": [],
    }


def summary(problem: HiddenProblem) -> str:
    """Return one line on what kind of problem this is."""
    count = len(problem.components)
    structure = problem.structure if len(problem.structure) <= 40 else problem.structure[:39] + "…"
    horizon = "infinite horizon" if problem.periods is None else f"{problem.periods} periods"
    plural = "components" if count > 1 else "component"
    return (
        f"{count} {plural} with hidden degradation, structure {structure}, {horizon},"
        f" discount {problem.discount:g}"
    )


def solved(
    problem: HiddenProblem, options: BeliefOptions, out: Path | None, checkpoint: Path | None
) -> BeliefSolution:
    """Solve with progress, checkpoints and Ctrl-C."""
    key = solve_key(problem, options.seed, options.episodes)
    folder = asked_folder(out, checkpoint) or cached_folder(key)
    saved = None if folder is None else BeliefCheckpoint(folder, key)
    with resumable(folder), shown_progress() as progress:
        return solve_hidden(problem, options=options, progress=progress, checkpoint=saved)


def solve(
    case: str,
    problem: HiddenProblem,
    *,
    options: Options,
    out: Path | None,
    checkpoint: Path | None,
    metrics: bool | None,
    as_json: bool,
    discount: float | None,
    gap: float | None,
    time: float | None,
) -> None:
    """Close the bounds and print them with the policy's first decision."""
    if metrics is not None or options != replace(
        Options(), num_threads=options.num_threads, keep_value=out is not None
    ):
        raise ValueError(f"{case}: is solved to a --gap within a --time; leave out other limits.")
    if discount is not None:
        problem = replace(problem, discount=discount)
    limits = {"gap": gap, "time_s": time, "num_threads": options.num_threads or None}
    wanted: dict[str, Any] = {name: value for name, value in limits.items() if value is not None}
    if out is not None:
        check_new_folder(out, "solution.json", also=["checkpoint"])
    chosen = BeliefOptions(**wanted)
    solution = solved(problem, chosen, out, checkpoint)
    report = solve_report(case, solution)
    if out is not None:
        from sparing.beliefs.component_files import save_belief_solution

        save_belief_solution(solution, out, report)
    if as_json:
        print_json(report)
    else:
        _print_text(problem, solution, report, out)
    if not solution.converged:
        note(
            f"the bounds are {solution.gap:.2e} apart, {chosen.gap:.2e} was asked for: "
            f"{solution.message}"
        )


def solve_report(case: str, solution: BeliefSolution) -> dict[str, Any]:
    """Return what `sparing solve --json` prints."""
    cost = solution.cost
    return {
        "case": case,
        "criterion": "discounted",
        "discount": solution.problem.discount,
        "periods": solution.problem.periods,
        "states": solution.rounds[-1].num_points,
        "belief_points": [grid.num_points for grid in solution.policy.found.tensor.grids],
        "sweeps": solution.num_sweeps,
        "rounds": len(solution.rounds),
        "seconds": round(solution.seconds, 3),
        "objective": {"lower": solution.lower, "upper": solution.upper},
        "upper_estimate": {
            "mean": cost.mean,
            "half_width": cost.half_width,
            "confidence": cost.confidence if cost.num_episodes else 1.0,
            "episodes": cost.num_episodes,
            "exact": cost.num_episodes == 0,
        },
        "relative_gap": solution.gap,
        "converged": solution.converged,
        "message": solution.message,
        "metrics": {"cost": cost.mean},
        "first_decision": solution.first_decision,
    }


def _print_text(
    problem: HiddenProblem, solution: BeliefSolution, report: dict[str, Any], out: Path | None
) -> None:
    print(f"{report['case']}: {summary(problem)}")
    state = "converged" if solution.converged else "NOT converged"
    points = " x ".join(map(str, report["belief_points"]))
    print(
        f"{state} after {report['rounds']} rounds, {solution.num_sweeps} sweeps,"
        f" {solution.seconds:.2f} s; {points} belief points\n"
    )
    cost = solution.cost
    how = "exact, all beliefs followed"
    if cost.num_episodes:
        how = f"+- {cost.half_width:.2g} ({cost.confidence:.0%}, {cost.num_episodes:,} episodes)"
    rows = [
        ["lower bound of the cost from all new", number(solution.lower, 10), ""],
        ["cost of the policy found", number(cost.mean, 10), how],
    ]
    print_table(["", "value", ""], rows)
    done = [f"{what} {name}" for name, what in solution.first_decision.items() if what != "nothing"]
    print(f"\nfirst decision, all new: {', '.join(done) or 'do nothing'}")
    if out is not None:
        print(f"saved in {out}")
