"""An earlier policy under new estimates: kept as it is, and evaluated anew."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from sparing.exact.policy_evaluation import Bounds, evaluate_policy
from sparing.exact.solution import Solution
from sparing.models.case_files import table_of_problem
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.large import Candidate, LargeSolution, simulated
from sparing.planning.large_files import is_large, load_network, policy_of_record
from sparing.planning.saved import load_planned
from sparing.policies import TablePolicy


def kept_solution(folder: Path, problem: MultiComponentProblem) -> Solution | LargeSolution | str:
    """Return the policy saved in `folder` with what it costs in `problem`, or why it does not fit.

    Its bounds are those of the policy, not of the optimum, which may be lower by now.
    """
    try:
        last, policy = load_planned(folder)
    except (OSError, ValueError, KeyError) as error:
        return f"the earlier policy cannot be read ({error})"
    if _without_wear(last) != _without_wear(problem):
        return "plan.toml has other components, costs or objectives than before"
    if is_large(folder):
        return _kept_large(folder, problem)
    assert isinstance(policy, TablePolicy)
    policy = TablePolicy(problem.epoch, tuple(stage.copy() for stage in policy.stages))
    found = evaluate_policy(
        problem.epoch,
        policy,
        {"objective": problem.weights},
        weights=problem.weights,
        criterion=problem.criterion,
        initial=problem.initial_state,
    )["objective"]
    return Solution(
        epoch=problem.epoch,
        criterion=problem.criterion,
        lower=found.lower,
        upper=found.upper,
        initial=problem.initial_state,
        posts=policy.stages,  # type: ignore[arg-type]
        value=None,
        value_slack=0.0,
        num_sweeps=0,
        seconds=0.0,
        converged=True,
        message="The policy is that of an earlier plan; its bounds are those of its own cost.",
        dtype="float64",
        path="kept",
    )


def _kept_large(folder: Path, problem: MultiComponentProblem) -> LargeSolution:
    record = json.loads((folder / "solution.json").read_text(encoding="utf-8"))
    policy = policy_of_record(record, problem, folder)
    lower, upper = simulated(problem, policy).interval
    kept = Candidate(
        key="kept",
        name="earlier policy",
        policy=policy,
        objective=Bounds(lower=lower, upper=upper),
        network=load_network(record, folder) if "network" in record else None,
    )
    return LargeSolution(
        epoch=problem.epoch,
        criterion=problem.criterion,
        candidates={"kept": kept},
        chosen="kept",
        optimum_lower=None,
        seconds=0.0,
        message="The policy is that of an earlier plan.",
    )


def _without_wear(problem: MultiComponentProblem) -> dict[str, Any]:
    table = deepcopy(table_of_problem(problem))
    for component in table["component"]:
        del component["transition"]
    return table
