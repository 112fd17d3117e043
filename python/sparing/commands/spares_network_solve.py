"""sparing solve for spares networks: the optimal plan of stock and belief, with its bounds."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from sparing._files import write_atomically
from sparing.commands.checkpoints import asked_folder, cached_folder, resumable
from sparing.commands.output import (
    bounds_json,
    bounds_row,
    check_new_folder,
    print_json,
    print_table,
    wants_metrics,
)
from sparing.commands.progress import shown_progress
from sparing.commands.spares_network_text import FORMAT, decision_text, summary
from sparing.evaluate.network_measures import METRIC_STATES, network_metrics
from sparing.evaluate.network_plan import NetworkSolution, SolveOptions, policy_bytes
from sparing.evaluate.network_solution import solve_network
from sparing.exact.options import Options
from sparing.exact.policy_evaluation import Bounds
from sparing.models.spares_network import SparesNetwork

STREAMED_FROM = 1 << 28  # bytes of policy from which a solve streams it to disk


def solve(
    case: str,
    problem: SparesNetwork,
    *,
    options: Options,
    out: Path | None,
    checkpoint: Path | None,
    metrics: bool | None,
    as_json: bool,
) -> None:
    """Solve and print the objective with its bounds, the first decision and the measures."""
    folder = _checkpoint_folder(problem, options, out, checkpoint)
    if out is not None:
        check_new_folder(out, "solution.json", also=["checkpoint", "policy"])
        if (out / "solution.json").exists():  # of a solve that is done
            (out / "solution.json").unlink()
            shutil.rmtree(out / "policy", ignore_errors=True)
    streamed = out / "policy" if out is not None else folder and folder / "policy"
    chosen = SolveOptions(
        dtype=np.float32 if options.dtype == "float32" else np.float64,
        num_threads=options.num_threads,
        policy_dir=streamed,
        checkpoint_dir=folder,
    )
    with resumable(folder), shown_progress() as progress:
        found = solve_network(problem, chosen, progress=progress)
        measured = _metrics(found, metrics, options.num_threads)
    report = solve_report(case, found, measured)
    if out is not None:
        _save(problem, found, out, report)
    _tidy(folder, keep_policy=out is not None)
    if as_json:
        print_json(report)
    else:
        _print_solution(found, report, out)


def _checkpoint_folder(
    problem: SparesNetwork, options: Options, out: Path | None, checkpoint: Path | None
) -> Path | None:
    """Return where a solve keeps its state: none if it is over in a moment."""
    if asked := asked_folder(out, checkpoint):
        return asked
    if policy_bytes(problem) < STREAMED_FROM:
        return None
    from hashlib import sha256

    from sparing.models.spares_network_files import spares_network_table

    content = json.dumps([spares_network_table(problem), options.dtype], sort_keys=True)
    return cached_folder(sha256(content.encode()).hexdigest())


def _tidy(folder: Path | None, *, keep_policy: bool) -> None:
    """Remove what a solve that is done no longer needs."""
    if folder is None:
        return
    if not keep_policy:
        shutil.rmtree(folder / "policy", ignore_errors=True)
    for inner in folder.glob("part*"):
        with suppress(OSError):
            inner.rmdir()  # only if it is empty
    with suppress(OSError):
        folder.rmdir()


def _metrics(found: NetworkSolution, wanted: bool | None, num_threads: int) -> dict[str, Bounds]:
    if not wants_metrics(wanted, found.states, METRIC_STATES):
        return {}
    return network_metrics(found.problem, found.plans, num_threads=num_threads)


def solve_report(case: str, found: NetworkSolution, metrics: dict[str, Bounds]) -> dict[str, Any]:
    """Return what `sparing solve --json` prints."""
    return {
        "case": case,
        "criterion": "total",
        "per": f"horizon of {found.problem.periods} periods",
        "discount": found.problem.discount,
        "states": found.states,
        "sweeps": found.num_sweeps,
        "seconds": round(found.seconds, 6),
        "objective": {"lower": found.lower, "upper": found.upper},
        "metrics": {name: bounds.value for name, bounds in metrics.items()},
        "metric_bounds": {name: bounds_json(bounds) for name, bounds in metrics.items()},
        "first_decision": found.first_decision,
        "remarks": list(found.remarks),
        "details": dict(found.details),
    }


def _save(
    problem: SparesNetwork, found: NetworkSolution, out: Path, report: dict[str, Any]
) -> None:
    """Write case and report beside the tables; the report, last, makes the folder whole."""
    from sparing.models.case_files import save_case

    for position, plan in enumerate(found.plans):
        folder = out / "policy" / f"part{position}"
        folder.mkdir(parents=True, exist_ok=True)
        for period, policy in enumerate(plan.policies):
            table = policy.stages[0]
            file = folder / f"period{period}-stage0.npy"
            if not file.exists():  # else it was streamed there
                np.save(file, table, allow_pickle=False)
    save_case(problem, out / "case.toml")
    content = {"format": FORMAT, **report}
    write_atomically(out / "solution.json", json.dumps(content, indent=1) + "\n")


def _print_solution(found: NetworkSolution, report: dict[str, Any], out: Path | None) -> None:
    print(f"{report['case']}: {summary(found.problem)}")
    closed = found.upper - found.lower <= 1e-6 * max(1.0, abs(found.upper))
    known = "exact" if closed else "within the bounds"
    print(f"expected cost over the horizon: {known}, {found.seconds:.2f} s\n")
    rows = [("minimised", report["objective"]), *report["metric_bounds"].items()]
    print_table(["", "value", "lower bound", "upper bound"], [bounds_row(*row) for row in rows])
    print(f"\nfirst decision: {decision_text(report['first_decision'])}")
    for remark in found.remarks:
        print(remark)
    if out is not None:
        print(f"saved in {out}")
