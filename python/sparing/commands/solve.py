"""sparing solve: the optimal policy, with a certificate."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from sparing.commands.checkpoints import checkpoint_folder, resumable
from sparing.commands.output import (
    bounds_json,
    bounds_row,
    check_new_folder,
    note,
    one_line_errors,
    print_json,
    print_table,
    wants_metrics,
)
from sparing.commands.problems import (
    CaseArgument,
    CriterionName,
    JsonOption,
    ThreadsOption,
    load_problem,
    multi_component,
    summary,
    with_criterion,
)
from sparing.commands.progress import shown_progress
from sparing.exact.policy_evaluation import Bounds
from sparing.exact.solution import Solution
from sparing.exact.value_iteration import Options
from sparing.models.multi_component import MultiComponentProblem
from sparing.registry import command_face

VALUE_STATES = 1 << 26  # states up to which --out also saves the value


class Precision(StrEnum):
    """Numbers that are swept."""

    float64 = "float64"
    float32 = "float32"
    mixed = "mixed"


def solve(
    case: CaseArgument,
    criterion: Annotated[
        CriterionName | None, typer.Option(help="What is minimised, in place of the case's own.")
    ] = None,
    discount: Annotated[
        float | None, typer.Option(help="Weight of the next inspection's cost, below 1.")
    ] = None,
    tol: Annotated[
        float | None,
        typer.Option(
            help="Wanted distance of the bounds.", show_default="1e-6; load-sharing: 1e-8"
        ),
    ] = None,
    relative_tol: Annotated[float, typer.Option(help="The same as a share of the objective.")] = 0,
    dtype: Annotated[Precision, typer.Option(help="Numbers that are swept.")] = Precision.float64,
    max_sweeps: Annotated[int, typer.Option(help="Sweeps after which to stop.")] = 100_000,
    threads: ThreadsOption = 0,
    out: Annotated[
        Path | None, typer.Option(help="Save policy, value and report in this folder.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Where a long solve saves its state.", show_default="OUT or the cache"),
    ] = None,
    metrics: Annotated[
        bool | None,
        typer.Option(
            "--metrics/--no-metrics",
            help="Evaluate cost and reliability of the policy.",
            show_default="up to 4 million states",
        ),
    ] = None,
    gap: Annotated[
        float | None, typer.Option(help="Hidden states: distance of the bounds, as a share.")
    ] = None,
    time: Annotated[
        float | None, typer.Option(help="Hidden states: seconds after which to stop.")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(help="Periods of a finite horizon (.pomdp files).")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Solve a case exactly and print the objective with its bounds.

    A solve that was killed or interrupted goes on when the same command is given again.
    """
    with one_line_errors():
        loaded = load_problem(case)
        face = command_face(loaded)
        further = {"gap": gap, "time": time, "horizon": horizon}
        _check_supported(case, face, criterion, dtype, {"discount": discount, **further})
        if face is not None:
            options = Options(
                tol=face.DEFAULT_TOL if tol is None else tol,
                relative_tol=relative_tol,
                max_sweeps=max_sweeps,
                dtype=dtype.value,
                num_threads=threads,
                keep_value=out is not None,
            )
            asked: dict[str, Any] = {"out": out, "checkpoint": checkpoint, "metrics": metrics}
            taken = {"discount": discount, **further}
            asked |= {name: taken[name] for name in getattr(face, "FURTHER_OPTIONS", ())}
            face.solve(case, loaded, options=options, as_json=json, **asked)
            return
        problem = with_criterion(multi_component(loaded), criterion, discount)
        if out is not None:
            check_new_folder(out, "solution.json", also=["checkpoint"])
        if any(g.at_least is not None or g.at_most is not None for g in problem.goals.values()):
            from sparing.commands.solve_goals import solve_goals

            if dtype is not Precision.float64:
                raise ValueError("a case with hard goals is solved in float64: leave out --dtype.")
            solve_goals(
                case,
                problem,
                tol=1e-6 if tol is None else tol,
                threads=threads,
                out=out,
                checkpoint=checkpoint,
                as_json=json,
            )
            return

        options = Options(
            tol=1e-6 if tol is None else tol,
            relative_tol=relative_tol,
            max_sweeps=max_sweeps,
            dtype=dtype.value,
            num_threads=threads,
            keep_value=out is not None and problem.num_states <= VALUE_STATES,
        )
        solution = _solved(problem, options, out, checkpoint)
        found = _metrics(problem, solution, metrics, threads)
        report = solve_report(case, problem, solution, found)
        if out is not None:
            from sparing.saved_solution import save_solution

            save_solution(solution, out, problem=problem, record=report)
    if json:
        print_json(report)
    else:
        _print_text(problem, solution, report, out)
    if not solution.converged:
        note(solution.message)


def _check_supported(
    case: str,
    face: ModuleType | None,
    criterion: CriterionName | None,
    dtype: Precision,
    further: dict[str, Any],
) -> None:
    """Raise ValueError for an option that the kind of case does not take.

    A module of commands names its CRITERION ("average" if it does not), its PRECISIONS and its
    FURTHER_OPTIONS.
    """
    known = getattr(face, "FURTHER_OPTIONS", ("discount",) if face is None else ())
    only = getattr(face, "CRITERION", "average")
    if face is not None and (criterion or only) != only:
        if only not in set(CriterionName):
            raise ValueError(f"{case}: --criterion is not for such a case: costs count in {only}.")
        raise ValueError(f"{case}: only --criterion {only} is supported for such a case.")
    for name, value in further.items():
        if value is not None and name not in known:
            raise ValueError(f"{case}: --{name} is not for such a case.")
    precisions = getattr(face, "PRECISIONS", ("float64",) if face is not None else tuple(Precision))
    if dtype not in precisions:
        raise ValueError(
            f"{case}: only --dtype {' or '.join(precisions)} is supported for such a case."
        )


def _solved(
    problem: MultiComponentProblem, options: Options, out: Path | None, checkpoint: Path | None
) -> Solution:
    """Solve, with progress, checkpoints and Ctrl-C."""
    from sparing.exact.value_iteration import value_iteration

    folder = checkpoint_folder(problem, options, out, checkpoint)
    with resumable(folder), shown_progress() as progress:
        return value_iteration(
            problem.epoch,
            problem.weights,
            criterion=problem.criterion,
            initial=problem.initial_state,
            options=options,
            progress=progress,
            checkpoint_dir=folder,
        )


def _metrics(
    problem: MultiComponentProblem, solution: Solution, wanted: bool | None, threads: int
) -> dict[str, Bounds]:
    from sparing.evaluate.metrics import METRIC_STATES, SPARE_METRIC_STATES, long_run_metrics

    if not wants_metrics(wanted, problem.num_states, METRIC_STATES):
        return {}
    by_spare = wanted is True or problem.num_states <= SPARE_METRIC_STATES
    if problem.spares and not by_spare:
        note(
            f"no metrics by kind of cost and spare, as there are more than {SPARE_METRIC_STATES:,}"
            " states; --metrics asks for them."
        )
    with shown_progress() as progress:
        return long_run_metrics(
            problem, solution.policy, num_threads=threads, by_spare=by_spare, progress=progress
        )


def solve_report(
    case: str, problem: MultiComponentProblem, solution: Solution, metrics: dict[str, Bounds]
) -> dict[str, Any]:
    """Return what `sparing solve --json` prints."""
    from sparing.evaluate.actions import first_decision
    from sparing.saved_solution import record_of

    report = {"case": case, **record_of(solution)}
    if problem.goals:
        report["reward"] = {"lower": -solution.upper, "upper": -solution.lower}
    report["metrics"] = {name: bounds.value for name, bounds in metrics.items()}
    report["metric_bounds"] = {name: bounds_json(bounds) for name, bounds in metrics.items()}
    report["first_decision"] = first_decision(problem, solution.policy)
    return report


def _print_text(
    problem: MultiComponentProblem, solution: Solution, report: dict[str, Any], out: Path | None
) -> None:
    from sparing.evaluate.actions import decision_text

    print(f"{report['case']}: {summary(problem)}")
    what = f"{solution.criterion} cost"
    if solution.criterion == "discounted":
        what += f" at discount {report['discount']:g}"
    state = "converged" if solution.converged else "NOT converged"
    print(
        f"{what}: {state} after {solution.num_sweeps} sweeps, {solution.seconds:.2f} s"
        f" ({solution.path} path, {solution.dtype})\n"
    )
    print_table(["", "value", "lower bound", "upper bound"], _rows(report))
    decision = decision_text(report["first_decision"], solution.initial)
    print(f"\nfirst decision, all new: {decision}")
    if out is not None:
        print(f"saved in {out}")


def _rows(report: dict[str, Any]) -> list[list[str]]:
    """Return the objective and the metrics, each with its bounds."""
    per = "per inspection" if report["criterion"] == "average" else "from all new"
    bounds = {f"minimised, {per}": report["objective"]}
    if "reward" in report:
        bounds = {f"reward {per}": report["reward"]}
    bounds |= report["metric_bounds"]
    return [bounds_row(name, found) for name, found in bounds.items()]
