"""sparing simulate for spares networks: the optimal plan or a planner's rule, rolled out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sparing.commands.output import (
    INTERVAL_COLUMNS,
    interval_json,
    interval_row,
    print_json,
    print_table,
)
from sparing.commands.progress import shown_progress
from sparing.commands.rule_levels import levels_of
from sparing.commands.spares_network_text import FORMAT, summary
from sparing.evaluate.network_plan import PartPlan, SolveOptions
from sparing.evaluate.network_solution import solve_network
from sparing.models.network_nodes import NetworkNodes
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import Part, SparesNetwork
from sparing.policies import TablePolicy
from sparing.simulate.spares_network import NetworkPolicy, simulate_network

RULES = ("min-max", "fixed-quantity", "base-stock")


def simulate(
    case: str,
    problem: SparesNetwork,
    *,
    policy: str,
    horizon: float,
    warm_up: float,
    replications: int,
    seed: int,
    threads: int,
    as_json: bool,
) -> None:
    """Simulate a policy over the case's periods and print its metrics with their intervals."""
    del horizon  # the case has its own periods
    if warm_up:
        raise ValueError("--warm-up must be 0: the horizon starts at the stocks of the case.")
    chosen = policy_of(problem, policy, threads)
    found = simulate_network(
        problem, chosen, num_replications=replications, seed=seed, num_threads=threads
    )
    measures = {
        name: interval_json(mean, found.half_widths[name]) for name, mean in found.mean.items()
    }
    if as_json:
        report: dict[str, Any] = {
            "case": case,
            "policy": policy,
            "criterion": "total",
            "discount": problem.discount,
            "epochs": problem.periods,
            "replications": replications,
            "seed": seed,
            "confidence": found.confidence,
            "measures": measures,
        }
        print_json(report)
        return
    print(f"{case}: {summary(problem)}")
    print(
        f"policy {policy}: {replications} replications of {problem.periods} periods, seed {seed}\n"
    )
    rows = [interval_row(name, row) for name, row in measures.items()]
    print_table(["over the horizon", *INTERVAL_COLUMNS], rows)


def policy_of(problem: SparesNetwork, text: str, threads: int) -> NetworkPolicy:
    """Return what ``--policy`` asks for.

    "optimal", the folder of a saved solution, or a rule: ``min-max=s,S``, ``fixed-quantity=r,Q``,
    ``base-stock=S`` for all locations, or ``min-max=central:2:5,site:0:2`` by location.
    """
    if text == "optimal":
        with shown_progress() as progress:
            options = SolveOptions(num_threads=threads)
            return solve_network(problem, options, progress=progress)
    if Path(text).is_dir():
        return load_network_solution(text, problem)
    kind, _, numbers = text.partition("=")
    if kind not in RULES:
        raise ValueError(
            "--policy must be optimal, min-max=s,S, fixed-quantity=r,Q, base-stock=S, or the folder"
            f" of a saved solution; got {text!r}."
        )
    names = problem.parts[0].names
    levels = levels_of(kind, numbers, names)
    missing = [name for name in names if name not in levels]
    if missing:
        raise ValueError(f"--policy {kind}: no levels are given for {', '.join(missing)}.")
    values = np.array(list(levels.values()))
    if kind == "min-max":
        return StockRules.min_max(values[:, 0], values[:, 1])
    if kind == "fixed-quantity":
        return StockRules.fixed_quantity(values[:, 0], values[:, 1])
    return StockRules.base_stock(values[:, 0])


def load_network_solution(folder: str | Path, problem: SparesNetwork) -> NetworkPolicy:
    """Return the plans saved by ``sparing solve --out``, as memory maps of their tables.

    Raises
    ------
    ValueError
        If the folder holds no such solution, or one of other axes.
    """
    place = Path(folder)
    try:
        record = json.loads((place / "solution.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{place}: holds no saved solution: {error}") from None
    if record.get("format") != FORMAT:
        raise ValueError(f"{place}: format must be {FORMAT!r}; got {record.get('format')!r}.")
    return {
        part.name: _saved_plan(problem, part, place / "policy" / f"part{position}")
        for position, part in enumerate(problem.parts)
    }


def _saved_plan(problem: SparesNetwork, part: Part, folder: Path) -> PartPlan:
    nodes = NetworkNodes(problem, part)
    tables = []
    for period, epoch in enumerate(nodes.epochs()):
        file = folder / f"period{period}-stage0.npy"
        if not file.exists():
            raise ValueError(f"{file}: is missing; the solution is of another case.")
        table = np.load(file, mmap_mode="r", allow_pickle=False)
        if table.shape != (epoch.num_states,):
            raise ValueError(
                f"{file}: holds {table.size} states; period {period} of this case has"
                f" {epoch.num_states}."
            )
        tables.append(TablePolicy(epoch, (table,)))
    return PartPlan(
        part=part, nodes=nodes, lower=float("nan"), upper=float("nan"), policies=tuple(tables)
    )
