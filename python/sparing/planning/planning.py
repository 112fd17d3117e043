"""Making a plan: estimate, solve, compare with rules and with what is done today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sparing.evaluate.metrics import long_run_metrics
from sparing.evaluate.policy_comparison import PolicyRow, policy_rows
from sparing.exact.solution import Solution
from sparing.exact.value_iteration import Options, value_iteration
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.advice import advice_of
from sparing.planning.estimation import Estimates, estimate
from sparing.planning.folder import PlanInput, read_plan_folder
from sparing.planning.large import Candidate, LargeSolution, simulated, solve_large
from sparing.planning.large_compare import compared_by_simulation
from sparing.planning.large_robustness import large_robustness
from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.method import Method, choose_method
from sparing.planning.observed import observed_limits_by_kind, todays_row
from sparing.planning.robustness import Robustness, robustness
from sparing.planning.scoring import PeriodRecords

if TYPE_CHECKING:
    from sparing.planning.spares_kept import StockInForce
    from sparing.planning.spares_plan import SparesPlan

Progress = Callable[[str, int, int], None]
COMPARED_STATES = 1 << 16  # up to here rules are evaluated beside the optimum
LEAST_COST = 1e-9  # a target has to be above 0


def make_plan(
    folder: str | Path,
    *,
    settings: str | Path | None = None,
    memory: float | None = None,
    steps: int | None = None,
    progress: Progress | None = None,
) -> MaintenancePlan:
    """Make the plan for a folder of records.

    Parameters
    ----------
    settings
        A file in place of the folder's own plan.toml.
    memory
        That an exact solve may take [bytes]; default what is free. A problem that needs more is
        planned by the best of tuned control limits, a tuned lookahead and a learned network.
    steps
        Choices in training that network; default it is trained only where the others do not apply.
    progress
        Called with the stage, and how much of it is done of how much.

    Raises
    ------
    sparing.records.problems.RecordsError
        With everything that is wrong in the folder.
    ValueError
        If plan.toml makes no problem.
    """
    source = read_plan_folder(folder, settings_file=None if settings is None else Path(settings))
    return plan_from(source, memory=memory, steps=steps, progress=progress)


def plan_from(
    source: PlanInput,
    *,
    memory: float | None = None,
    steps: int | None = None,
    progress: Progress | None = None,
) -> MaintenancePlan:
    """Make the plan for records that have been read; parameters and errors as of `make_plan`."""
    _tell(progress, "estimate", 0, 1)
    return plan_by(source, estimate(source), memory=memory, steps=steps, progress=progress)


def plan_by(
    source: PlanInput,
    estimates: Estimates,
    *,
    memory: float | None = None,
    steps: int | None = None,
    stock: StockInForce | None = None,
    progress: Progress | None = None,
) -> MaintenancePlan:
    """Make the plan by estimates that are known; other parameters and errors as of `make_plan`.

    Parameters
    ----------
    stock
        The last plan of the stocks, to be kept or not.
    """
    problem = estimates.mean_problem()
    method = choose_method(problem, memory)
    solution: Solution | LargeSolution
    if method.is_exact:
        _tell(progress, "solve", 0, 1)
        solution = value_iteration(
            problem.epoch,
            problem.weights,
            criterion=problem.criterion,
            initial=problem.initial_state,
            options=Options(dtype=method.dtype),
        )
    else:
        solution = solve_large(problem, steps=steps, seed=source.seed, progress=progress)
    return judged_plan(source, estimates, problem, solution, method, stock=stock, progress=progress)


def judged_plan(
    source: PlanInput,
    estimates: Estimates,
    problem: MultiComponentProblem,
    solution: Solution | LargeSolution,
    method: Method,
    *,
    expected: Mapping[str, float] | None = None,
    stock: StockInForce | None = None,
    progress: Progress | None = None,
) -> MaintenancePlan:
    """Return a plan by the policy of `solution`: advice, other policies, robustness, scores.

    Parameters
    ----------
    expected
        What periods are scored against; default what the policy comes to in `problem`.
    stock
        The last plan of the stocks, to be kept or not.
    """
    policy = solution.policy
    notes = [solution.message] if solution.message else []
    notes += free_work(problem)
    expected = expected_measures(problem, solution) if expected is None else expected
    _tell(progress, "compare", 0, 1)
    rows: Mapping[str, PolicyRow]
    if method.is_exact and problem.num_states <= COMPARED_STATES:
        rows = policy_rows(problem, refused=notes, result="new")
        today = todays_row(source, problem, notes)
    else:
        rows, today = _simulated_rows(source, problem, solution, notes, progress)

    def count(done: int, total: int) -> None:
        _tell(progress, "robustness", done, total)

    found: Robustness | None = None
    if method.is_exact:
        found = robustness(estimates, policy, progress=count)
    if found is None:
        others = [rated.policy for rated in _candidates(solution)]
        found = large_robustness(estimates, policy, others=others, seed=source.seed, progress=count)
        notes += [found.remark] if found is not None and found.remark else []

    return MaintenancePlan(
        source=source,
        estimates=estimates,
        problem=problem,
        solution=solution,
        method=method,
        advice=advice_of(source, problem, policy),
        rows=rows,
        today=today,
        robustness=found,
        remarks=tuple(notes),
        expected=expected,
        scores=PeriodRecords(source, problem).scores(source.scoring.targets(expected)),
        spares=plan_of_spares(source, progress, stock),
    )


def free_work(problem: MultiComponentProblem) -> list[str]:
    """Return remarks on work that costs nothing, which is more often an oversight than meant."""
    found = []
    for component in problem.components:
        cost = np.asarray(component.maintenance_cost)
        pairs = [f"{i} to {j}" for i, j in np.argwhere(np.tril(cost == 0.0, -1)).tolist()]
        if pairs:
            found.append(
                f"{component.name}: by maintenance_cost in plan.toml it is brought from"
                f" {', '.join(pairs)} for nothing; write inf where there is no such work."
            )
    return found


def expected_measures(
    problem: MultiComponentProblem, solution: Solution | LargeSolution
) -> dict[str, float]:
    """Return the cost and the availability of a period under a policy.

    Exact long-run averages; simulated ones, discounted where the problem is, where it is large.
    """
    if isinstance(solution, LargeSolution):
        mean = simulated(problem, solution.policy).mean
        share = 1.0 - problem.discount if problem.criterion == "discounted" else 1.0
        cost, up = sum(mean.get(kind, 0.0) for kind in problem.cost_kinds), mean["reliability"]
        return {"cost": max(share * cost, LEAST_COST), "availability": share * up}
    found = long_run_metrics(problem, solution.policy, by_spare=False)
    return {
        "cost": max(found["cost_rate"].value, LEAST_COST),
        "availability": found["reliability"].value,
    }


def plan_of_spares(
    source: PlanInput, progress: Progress | None, stock: StockInForce | None = None
) -> SparesPlan | None:
    """Return the plan of the stocks, where there are any; parameters as of `judged_plan`."""
    if source.spares is None:
        return None
    from sparing.planning.spares_plan import make_spares_plan

    return make_spares_plan(source.spares, in_force=stock, progress=progress)


def _tell(progress: Progress | None, stage: str, done: int, total: int) -> None:
    if progress is not None:
        progress(stage, done, total)


def _candidates(solution: Solution | LargeSolution) -> list[Candidate]:
    """Return what was tried for a large problem and is not recommended."""
    if not isinstance(solution, LargeSolution):
        return []
    return [found for key, found in solution.candidates.items() if key != solution.chosen]


def _simulated_rows(
    source: PlanInput,
    problem: MultiComponentProblem,
    solution: Solution | LargeSolution,
    remarks: list[str],
    progress: Progress | None,
) -> tuple[Mapping[str, PolicyRow], PolicyRow | None]:
    """Return the policies beside one another and today's rule, where they are simulated."""
    if isinstance(solution, LargeSolution):
        name = solution.best.name
    else:
        name = "earlier policy" if solution.path == "kept" else "optimum"
    policies = {"recommended": (f"recommended: {name}", solution.policy)}
    policies |= {found.key: (found.name, found.policy) for found in _candidates(solution)}
    if source.maintenance is None:
        remarks.append("No maintenance records: today's policy is not known.")
    remarks.append(
        f"{problem.num_states:,} states: policies are compared by simulation, on the same luck."
    )
    return compared_by_simulation(
        problem,
        policies,
        today=None if source.maintenance is None else observed_limits_by_kind(source),
        refused=remarks,
        seed=source.seed,
        progress=lambda done, total: _tell(progress, "compare", done, total),
    )
