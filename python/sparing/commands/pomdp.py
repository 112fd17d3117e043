"""sparing solve and simulate for `.pomdp` files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from sparing.beliefs.alpha_vectors import AlphaVectorPolicy
from sparing.beliefs.pomdp_checkpoint import SearchCheckpoint, search_key
from sparing.beliefs.pomdp_model import ExplicitPOMDP
from sparing.beliefs.pomdp_rollouts import simulate_pomdp
from sparing.beliefs.pomdp_saved import load_pomdp_solution, record_of, save_pomdp_solution
from sparing.beliefs.pomdp_solver import PomdpOptions, PomdpSolution, solve_pomdp
from sparing.commands.checkpoints import asked_folder, cached_folder, resumable
from sparing.commands.output import (
    INTERVAL_COLUMNS,
    check_new_folder,
    interval_json,
    interval_row,
    note,
    number,
    print_json,
    print_table,
)
from sparing.commands.progress import shown_progress
from sparing.exact.options import Options

CRITERION = "discounted"
FURTHER_OPTIONS = ("time", "horizon")
DEFAULT_TOL = 1e-3
DEFAULT_SECONDS = 60.0


def solve(
    case: str,
    model: ExplicitPOMDP,
    *,
    options: Options,
    out: Path | None,
    checkpoint: Path | None,
    metrics: bool | None,
    as_json: bool,
    time: float | None = None,
    horizon: int | None = None,
) -> None:
    """Search until the gap or the time is reached and print the bounds at the start's belief."""
    if metrics is not None or options.relative_tol:
        raise ValueError(f"{case}: --metrics and --relative-tol are not for .pomdp files.")
    if out is not None:
        check_new_folder(out, "solution.json", also=["checkpoint"])
    wanted = PomdpOptions(
        gap=options.tol,
        seconds=DEFAULT_SECONDS if time is None else time,
        max_trials=options.max_sweeps if options.max_sweeps != Options().max_sweeps else 1 << 62,
        horizon=horizon,
        num_threads=options.num_threads,
    )
    folder = asked_folder(out, checkpoint) or cached_folder(search_key(model, horizon))
    with resumable(folder), shown_progress() as progress:
        found = solve_pomdp(model, options=wanted, progress=progress, checkpoint_dir=folder)
        if folder is not None and checkpoint is None:  # only what was interrupted goes on later
            SearchCheckpoint.of(folder, model, horizon).clear()
    report = {"case": case, **record_of(found)}
    if out is not None:
        save_pomdp_solution(found, out, record=report)
    if as_json:
        print_json(report)
    else:
        _print_solution(found, report, out)
    if not found.converged:
        note(found.message)


def _print_solution(found: PomdpSolution, report: dict[str, Any], out: Path | None) -> None:
    print(f"{report['case']}: {_summary(found.model)}")
    state = "converged" if found.converged else "NOT converged"
    over = f"over {found.horizon} periods" if found.horizon else "from the start's belief"
    print(f"{state} after {found.num_trials} trials, {found.seconds:.2f} s\n")
    lower, upper = found.reported
    kind = "maximised" if found.model.values == "reward" else "minimised"
    row = [f"{found.model.values} {over}, {kind}", number((lower + upper) / 2)]
    print_table(["", "value", "lower bound", "upper bound"], [[*row, number(lower), number(upper)]])
    print(f"\nfirst decision: {report['first_decision']}")
    print(f"policy: {found.num_vectors} alpha vectors on {found.num_domains} sets of states")
    if out is not None:
        print(f"saved in {out}")


def _summary(model: ExplicitPOMDP) -> str:
    return (
        f"{model.num_states:,} states, {model.num_actions} actions, {model.num_observations}"
        f" observations, discount {model.discount:g}"
    )


def compare(case: str, model: ExplicitPOMDP, **options: Any) -> None:
    """Refuse: there are no usual policies for any model whatever."""
    raise ValueError(f"{case}: compare is not for .pomdp files; try solve and simulate.")


def simulate(
    case: str,
    model: ExplicitPOMDP,
    *,
    policy: str,
    horizon: int,
    warm_up: int,
    replications: int,
    seed: int,
    threads: int,
    as_json: bool,
) -> None:
    """Simulate a policy of alpha vectors from the start's belief."""
    if warm_up:
        raise ValueError(f"{case}: costs are discounted from the start: leave out --warm-up.")
    chosen, periods = _policy(model, policy, threads)
    if periods is not None:
        model = model.unrolled(periods)
    if model.discount == 1.0 and periods is None:
        raise ValueError(f"{case}: discount 1 needs a policy of a finite horizon.")
    found = simulate_pomdp(
        model,
        chosen,
        num_replications=replications,
        horizon=periods,
        ends=periods is not None,
        seed=seed,
        num_threads=threads,
    )
    mean, half = found.reported
    measure = interval_json(mean, half)
    if as_json:
        report = {
            "case": case,
            "policy": policy,
            "criterion": "discounted" if periods is None else "total",
            "values": model.values,
            "discount": model.discount,
            "epochs": found.horizon,
            "replications": replications,
            "seed": seed,
            "confidence": found.confidence,
            "left_out": found.left_out,
            "measures": {"objective": measure},
        }
        print_json(report)
        return
    print(f"{case}: {_summary(model)}")
    print(
        f"policy {policy}: {replications} replications of {found.horizon} periods, seed {seed};"
        f" what is left out changes the mean by at most {found.left_out:.2g}\n"
    )
    print_table(["", *INTERVAL_COLUMNS], [interval_row(model.values, measure)])


def _policy(model: ExplicitPOMDP, text: str, threads: int) -> tuple[AlphaVectorPolicy, int | None]:
    """Return the policy that ``--policy`` asks for, and its horizon."""
    path = Path(text)
    if text == "optimal":
        seconds = DEFAULT_SECONDS if model.discount < 1.0 else math.inf
        options = PomdpOptions(gap=DEFAULT_TOL, seconds=seconds, num_threads=threads)
        with shown_progress() as progress:
            found = solve_pomdp(model, options=options, progress=progress)
        if not found.converged:
            note(found.message)
        return found.policy, None
    if path.is_dir():
        saved = load_pomdp_solution(path)
        return saved.policy, saved.horizon
    if path.suffix == ".npz" and path.exists():
        return AlphaVectorPolicy.load(path), None
    if path.suffix == ".alpha" and path.exists():
        return AlphaVectorPolicy.load_alpha(path, model), None
    raise ValueError(
        f"--policy must be optimal, the folder of a saved solution, or a file of vectors (.npz or"
        f" .alpha); got {text!r}."
    )
