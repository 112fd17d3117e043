"""Solving many problems: sites, units or parts that do not depend on one another."""

from __future__ import annotations

import hashlib
import json
import pickle
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparing.fleet.results import FleetRows
from sparing.fleet.rows import KeyedTask, check_names, run_to_rows
from sparing.models.multi_component import MultiComponentProblem

COLUMNS = (  # of the Parquet files, between name and key and the error
    ("lower", "float64"),
    ("upper", "float64"),
    ("converged", "bool_"),
    ("states", "int64"),
    ("sweeps", "int64"),
    ("seconds", "float64"),
    ("report", "string"),
)


@dataclass(frozen=True, kw_only=True)
class FleetSolution(FleetRows):
    """What was found for each problem of a fleet.

    Parameters
    ----------
    rows
        One per problem, in the order given: name, key (of problem and options), lower and upper
        bound of the objective, converged, states, sweeps, seconds, report (JSON as of
        ``sparing solve --json``) and error (empty where there was none).
    num_resumed
        Rows that were taken over from an earlier run.
    seconds
        Wall-clock time of this run.
    """


def solve_many(
    problems: Mapping[str, Any] | Iterable[tuple[str, Any]],
    *,
    executor: Executor | None = None,
    num_workers: int = 0,
    out: str | Path | None = None,
    save_policies: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> FleetSolution:
    """Solve problems that do not depend on one another, each on one thread.

    Parameters
    ----------
    problems
        Per name a problem, or the case or file to load it from (by the worker).
    executor
        Where to run: any executor of `concurrent.futures`, as ``Client.get_executor()`` of Dask;
        default processes of this machine.
    num_workers
        Of those processes; 0: as many as processors.
    out
        A folder that takes the rows as Parquet files while they come in. Rows that are there
        already for the same problem and options are not computed again, errors are.
    save_policies
        Whether workers save each solution in ``out/policies/<name>`` (a shared file system).
    progress
        Called with the number of problems that are done and their total.
    options
        As for `sparing.solve`.

    Raises
    ------
    ValueError
        If a name is there twice or is no file name, before anything runs.
    """
    started = time.monotonic()
    folder = Path(out) if out is not None else None
    if save_policies and folder is None:
        raise ValueError("save_policies needs the folder `out` to save them in.")
    policies = folder / "policies" if save_policies and folder is not None else None
    options.setdefault("num_threads", 1)
    pairs = list(problems.items() if isinstance(problems, Mapping) else problems)
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise ValueError(
                f"problems must be given by name, or as pairs with their names; got {pair!r:.60}."
            )
    tasks = [
        SolveTask(name=name, problem=problem, options=options, policies=policies)
        for name, problem in pairs
    ]
    check_names([task.name for task in tasks])
    finished, num_resumed = run_to_rows(
        solve_task,
        [KeyedTask(name=task.name, key=task.key, payload=task) for task in tasks],
        columns=COLUMNS,
        folder=folder,
        executor=executor,
        num_workers=num_workers,
        progress=progress,
    )
    return FleetSolution(
        rows=tuple(finished[task.name] for task in tasks),
        num_resumed=num_resumed,
        seconds=time.monotonic() - started,
    )


@dataclass(frozen=True, kw_only=True)
class SolveTask:
    """One problem (or where to load it from) with its options, as a worker gets it."""

    name: str
    problem: Any
    options: Mapping[str, Any]
    policies: Path | None

    @property
    def key(self) -> str:
        """A fingerprint of problem and options."""
        problem = self.problem
        if isinstance(problem, str | Path) and Path(problem).is_file():
            content = Path(problem).read_bytes()
        elif isinstance(problem, MultiComponentProblem):
            from sparing.models.case_files import table_of_problem

            content = repr(table_of_problem(problem)).encode()
        else:
            content = pickle.dumps(problem)
        told = json.dumps(dict(self.options), sort_keys=True, default=repr).encode()
        return hashlib.sha256(content + b"\0" + told).hexdigest()[:32]


def solve_task(task: SolveTask) -> dict[str, Any]:
    """Solve one problem; this is what runs on the workers."""
    import sparing

    model = sparing.load(task.problem) if isinstance(task.problem, str | Path) else task.problem
    solution: Any = sparing.solve(model, progress=_ignore, **task.options)
    known = model if isinstance(model, MultiComponentProblem) else None
    report: dict[str, Any] = {"case": task.name}
    if known is not None:
        from sparing.evaluate.actions import first_decision
        from sparing.saved_solution import record_of

        report |= record_of(solution)
        report["first_decision"] = first_decision(known, solution.policy)
    if task.policies is not None:
        from sparing.saved_solution import save_solution

        save_solution(solution, task.policies / task.name, problem=known, record=report)
    return {
        "lower": float(solution.lower),
        "upper": float(solution.upper),
        "converged": bool(getattr(solution, "converged", True)),
        "states": int(report.get("states", 0)),
        "sweeps": int(report.get("sweeps", 0)),
        "seconds": float(solution.seconds),
        "report": json.dumps(report),
    }


def _ignore(_: Any) -> None:
    """Take progress that nobody watches."""
