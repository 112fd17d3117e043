"""sparing simulate for load-sharing systems: single components in continuous time."""

from __future__ import annotations

from pathlib import Path

from sparing.commands.load_sharing_text import summary
from sparing.commands.output import (
    INTERVAL_COLUMNS,
    interval_json,
    interval_row,
    print_json,
    print_table,
)
from sparing.evaluate.sizing import DEFAULT_TOL, best_size
from sparing.exact.options import Options
from sparing.models.load_sharing import LoadSharingProblem
from sparing.models.load_sharing_policies import ThresholdRule
from sparing.models.load_sharing_system import LoadSharingSystem
from sparing.policies import Policy


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
    measures = {"objective": interval_json(found.objective, found.half_width)}
    measures |= {
        name: interval_json(mean, found.half_widths[name]) for name, mean in found.mean.items()
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
    rows = [interval_row(name, row) for name, row in measures.items()]
    print_table(["per unit of time", *INTERVAL_COLUMNS], rows)


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
