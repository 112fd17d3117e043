"""The commands for load-sharing systems: what solve, simulate, compare and cases do with them."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from sparing.commands.checkpoints import cached_folder, resumable
from sparing.commands.output import (
    WIDTH,
    bounds_json,
    check_new_folder,
    note,
    number,
    print_json,
    print_table,
)
from sparing.commands.progress import shown_progress
from sparing.evaluate.sizing import DEFAULT_TOL, SizingSolution, best_size
from sparing.exact.options import Options
from sparing.exact.policy_evaluation import Bounds
from sparing.models.load_sharing import IntervalRange, LoadSharingProblem
from sparing.models.load_sharing_policies import ThresholdRule
from sparing.models.load_sharing_system import LoadSharingSystem
from sparing.policies import Policy

METRIC_STATES = 1 << 16  # states up to which a solve also evaluates the policy's measures
NUM_COLUMNS = 9  # intervals beside each other in a table


def case_row(case: str, problem: LoadSharingProblem) -> dict[str, Any]:
    """Return the row of `sparing cases`."""
    return {
        "case": case,
        "kind": "load-sharing",
        "states": max(problem.num_states(size) for size in problem.positions),
        "components": max(problem.positions),
        "structure": f"{problem.required}-of-{_sizes(problem)}, load shared",
        "criterion": "average",
        "measures": [*LoadSharingSystem(problem, problem.positions[0], 1.0).measures],
        "goals": [],
    }


def summary(problem: LoadSharingProblem) -> str:
    """Return one line on what kind of problem this is."""
    intervals = problem.inspection_interval
    if isinstance(intervals, IntervalRange):
        when = f"inspected every {intervals.shortest:g} to {intervals.longest:g}"
    elif len(intervals) == 1:
        when = f"inspected every {intervals[0]:g}"
    else:
        when = f"{len(intervals)} inspection intervals"
    states = max(problem.num_states(size) for size in problem.positions)
    return (
        f"{problem.required}-of-{_sizes(problem)} sharing a load, {when}, up to {states:,} states"
    )


def _sizes(problem: LoadSharingProblem) -> str:
    sizes = problem.positions
    if len(sizes) == 1:
        return str(sizes[0])
    return "{" + ",".join(map(str, sizes)) + "}"


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
    if checkpoint is not None:
        if checkpoint.exists() and not checkpoint.is_dir():
            raise ValueError(f"--checkpoint {checkpoint}: is a file; give a folder.")
        return checkpoint
    if out is not None:
        return out / "checkpoint"
    from sparing.evaluate.search_log import search_key

    return cached_folder(search_key(problem, options))


def _metrics(found: SizingSolution, wanted: bool | None, num_threads: int) -> dict[str, Bounds]:
    from sparing.evaluate.load_sharing_metrics import load_sharing_metrics

    if wanted is None and found.system.num_states > METRIC_STATES:
        note(
            f"no metrics, as there are more than {METRIC_STATES:,} states; --metrics asks for them."
        )
        return {}
    if wanted is False:
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
        "first_decision": decision(system, found, system.initial_state),
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


def decision(
    system: LoadSharingSystem, found: SizingSolution, state: tuple[int, ...]
) -> dict[str, Any]:
    """Return what the optimal policy does in a state: numbers replaced by condition, ordered."""
    from sparing.evaluate.load_sharing_actions import actions

    return actions(system, found.policy.stages[0]).describe(state)


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
    print_table(["", "value", "lower bound", "upper bound"], [_row(*row) for row in rows])
    print(f"\nbest: {found.positions} positions, inspected every {found.inspection_interval:g}")
    first = report["first_decision"]
    print(f"first decision, all new, no spares: {decision_text(first)}")
    if len(found.cells) > 1 and not isinstance(problem.inspection_interval, IntervalRange):
        print()
        print_choices(found)
    if out is not None:
        print(f"saved in {out}")


def decision_text(done: dict[str, Any]) -> str:
    """Return a decision in words."""
    parts = []
    if done["replace"]:
        parts.append(f"replace {done['replace']}")
    if done["order"]:
        parts.append(f"order {done['order']}")
    return ", ".join(parts) or "do nothing"


def print_choices(found: SizingSolution) -> None:
    """Print the optimal cost of every listed size and interval."""
    intervals = sorted({cell.inspection_interval for cell in found.cells})
    gains = {(cell.positions, cell.inspection_interval): cell.gain for cell in found.cells}
    blocks = -(-len(intervals) // NUM_COLUMNS)
    columns = -(-len(intervals) // blocks)
    for first in range(0, len(intervals), columns):
        shown = intervals[first : first + columns]
        rows = [
            [str(size), *(number(gains[size, interval], 7) for interval in shown)]
            for size in found.problem.positions
        ]
        title = "least cost by positions and inspection interval" if first == 0 else ""
        print_table(["", *(f"{interval:g}" for interval in shown)], rows, title=title)


def _row(name: str, found: dict[str, float]) -> list[str]:
    lower, upper = found["lower"], found["upper"]
    middle = (lower + upper) / 2
    return [name.replace("_", " "), number(middle), number(lower, 11), number(upper, 11)]


def compare(case: str, problem: LoadSharingProblem, *, out: Path | None, as_json: bool) -> None:
    """Compare the best threshold rules with the optimum and tell how the optimum behaves."""
    if out is not None:
        from sparing.report.plots import check_matplotlib

        check_new_folder(out, "compare.json")
        check_matplotlib()
    from sparing.report.load_sharing_comparison import compare_load_sharing

    with shown_progress() as progress:
        found = best_size(problem, options=Options(tol=DEFAULT_TOL), progress=progress)
    compared = compare_load_sharing(case, found)
    if out is not None:
        from sparing.report.load_sharing_files import save_load_sharing

        save_load_sharing(compared, out)
    if as_json:
        print_json(compared.report)
        return
    print(f"{case}: {summary(problem)}\n")
    _print_policies(compared.report)
    if len(found.cells) > 1 and not isinstance(problem.inspection_interval, IntervalRange):
        print()
        print_choices(found)
    _print_monotonicities(compared.report)
    if out is not None:
        print(f"\nsaved in {out}")
    for remark in compared.left_out:
        note(remark)


def _print_policies(report: dict[str, Any]) -> None:
    rows = [
        [
            row["policy"].removesuffix(" position"),
            row["parameters"],
            str(row["positions"]),
            f"{row['inspection_interval']:.4g}",
            f"{(row['cost']['lower'] + row['cost']['upper']) / 2:.6f}",
            "" if row["rule"] is None else f"+{row['gap'] * 100:.2f} %",
            number(row.get("failure_rate"), 4),
            number(row.get("mean_on_hand"), 4),
        ]
        for row in report["policies"]
    ]
    columns = ["policy", "best", "n", "interval", "cost", "gap", "failures", "on hand"]
    print_table(columns, rows, title="exact, per unit of time", left=2)


def _print_monotonicities(report: dict[str, Any]) -> None:
    for where, properties in report["monotonicities"].items():
        rows = [
            [
                entry["property"],
                "yes" if entry["holds"] else "no",
                f"{entry['broken']} of {entry['pairs']}",
            ]
            for entry in properties
        ]
        print()
        title = f"does the optimal policy have it? ({where})"
        print_table(["", "", "pairs that break it"], rows, title=title)
        for entry in properties:
            if entry["example"] is not None and where == "all states":
                first, second = entry["example"]
                text = f"{_where(first)} {decision_text(first)};"
                text += f" {_where(second)} {decision_text(second)}"
                print(
                    textwrap.fill(
                        text, WIDTH - 4, initial_indent="   e.g. ", subsequent_indent=" " * 8
                    )
                )


def _where(done: dict[str, Any]) -> str:
    counts = ",".join(map(str, done["counts"]))
    return f"({counts}) with {done['on_hand']} on hand, {done['on_order']} on order:"


def simulate(
    case: str,
    problem: LoadSharingProblem,
    *,
    policy: str,
    horizon: float,
    warm_up: float,
    replications: int,
    seed: int,
    threads: int,
    as_json: bool,
) -> None:
    """Simulate the components of the best system under a policy."""
    from sparing.simulate.load_sharing import simulate_load_sharing

    system, chosen = _policy(problem, policy, threads)
    found = simulate_load_sharing(
        system,
        chosen,
        num_replications=replications,
        horizon=warm_up + horizon,
        warm_up=warm_up,
        seed=seed,
        num_threads=threads,
    )
    rows = {"objective": (found.objective, found.half_width)}
    rows |= {name: (found.mean[name], found.half_widths[name]) for name in found.mean}
    measures = {
        name: {
            "mean": mean,
            "half_width": half,
            "lower": mean - half,
            "upper": mean + half,
        }
        for name, (mean, half) in rows.items()
    }
    if as_json:
        report = {
            "case": case,
            "policy": policy,
            "criterion": "average",
            "per": "unit of time",
            "positions": system.size,
            "inspection_interval": system.interval,
            "horizon": horizon,
            "warm_up": warm_up,
            "replications": replications,
            "seed": seed,
            "confidence": found.confidence,
            "measures": measures,
        }
        print_json(report)
        return
    print(f"{case}: {summary(problem)}")
    print(
        f"policy {policy}, {system.size} positions, inspected every {system.interval:g}:"
        f" {replications} replications of {horizon:g} units of time behind {warm_up:g} to warm up,"
        f" seed {seed}\n"
    )
    columns = ["per unit of time", "mean", "95 % from", "to"]
    print_table(
        columns,
        [
            [name.replace("_", " "), *(number(row[key], 6) for key in ("mean", "lower", "upper"))]
            for name, row in measures.items()
        ],
    )


def _policy(
    problem: LoadSharingProblem, text: str, threads: int
) -> tuple[LoadSharingSystem, Policy]:
    """Return the system and policy that ``--policy`` asks for.

    "optimal" is the optimum at the best size and interval; a rule such as ``plain=2,0,2`` or
    ``demand-aware=2,1,0,2`` is taken there, too.
    """
    if Path(text).is_dir():
        from sparing.saved_solution import load_solution

        saved = load_solution(text)
        if not isinstance(saved.problem, LoadSharingProblem):
            raise ValueError(f"--policy {text}: was not saved for a load-sharing case.")
        return saved.problem.system(), saved.policy
    position, _, numbers = text.partition("=")
    if text != "optimal" and position not in ("plain", "demand-aware"):
        raise ValueError(
            "--policy must be optimal, plain=m,s,S, demand-aware=m,s,S (or m_p,m_o,s,S), or the"
            f" folder of a saved solution; got {text!r}."
        )
    rule = None if text == "optimal" else _rule(position, numbers)
    found = best_size(problem, options=Options(tol=DEFAULT_TOL, num_threads=threads))
    if rule is None:
        return found.system, found.policy
    return found.system, rule.policy(found.system)


def _rule(position: str, numbers: str) -> ThresholdRule:
    try:
        given = [int(part) for part in numbers.split(",")]
    except ValueError:
        given = []
    if len(given) not in (3, 4):
        raise ValueError(
            f"--policy {position}= needs whole numbers m,s,S or m_p,m_o,s,S; got {numbers!r}."
        )
    replace_at, join_at = given[0], given[-3]
    return ThresholdRule(
        replace_at=replace_at,
        join_at=join_at,
        reorder_at=given[-2],
        order_up_to=given[-1],
        position=position,  # type: ignore[arg-type]  # one of the two, checked before
    )
