"""Making a plan: estimate, solve, compare with rules and with what is done today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparing.evaluate.actions import Action, actions_of
from sparing.evaluate.metrics import long_run_metrics
from sparing.evaluate.policy_comparison import PolicyRow, policy_row, policy_rows
from sparing.exact.solution import Solution
from sparing.exact.value_iteration import Options, value_iteration
from sparing.models.maintenance_policies import control_limits
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.estimation import Estimates, estimate
from sparing.planning.folder import PlanInput, read_plan_folder
from sparing.planning.large import Candidate, LargeSolution, simulated, solve_large
from sparing.planning.large_compare import compared_by_simulation
from sparing.planning.large_robustness import large_robustness
from sparing.planning.method import Method, choose_method
from sparing.planning.observed import observed_limits, observed_limits_by_kind
from sparing.planning.robustness import Robustness, robustness
from sparing.planning.scoring import PeriodRecords, PeriodScore

if TYPE_CHECKING:
    from sparing.planning.updating import PlanChange

if TYPE_CHECKING:
    from sparing.planning.spares_plan import SparesPlan

Progress = Callable[[str, int, int], None]
COMPARED_STATES = 1 << 16  # up to here rules are evaluated beside the optimum
LEAST_COST = 1e-9  # a target has to be above 0


@dataclass(frozen=True, kw_only=True)
class UnitAdvice:
    """What to do with a unit now.

    Parameters
    ----------
    states
        Per component the last state on record; None where there is none (taken as 0 then).
    seen
        Per component when that was.
    action
        Per component the state it is brought to.
    """

    unit: str
    states: tuple[int | None, ...]
    seen: tuple[float | None, ...]
    action: Action

    @property
    def needs_work(self) -> bool:
        """Whether anything is to be done."""
        pairs = zip(self.states, self.action, strict=False)
        return any(target != (state or 0) for state, target in pairs)


@dataclass(frozen=True, kw_only=True, eq=False)
class MaintenancePlan:
    """A plan with all it rests on.

    Parameters
    ----------
    solution
        Exact, with certified bounds, or of a problem that is too large for that.
    method
        Which of the two, and why.
    expected
        Cost and availability per unit and period that the policy was chosen for.
    scores
        Per period of the records how they did against that, or against the targets set.
    today
        The rule that the maintenance records come closest to, evaluated exactly; None where they
        show none.
    spares
        The plan of the stocks; None where plan.toml has no [spares].
    """

    source: PlanInput
    estimates: Estimates
    problem: MultiComponentProblem
    solution: Solution | LargeSolution
    method: Method
    advice: tuple[UnitAdvice, ...]
    rows: Mapping[str, PolicyRow]
    today: PolicyRow | None
    robustness: Robustness | None
    remarks: tuple[str, ...]
    expected: Mapping[str, float]
    scores: tuple[PeriodScore, ...]
    spares: SparesPlan | None = None

    @property
    def to_do(self) -> tuple[UnitAdvice, ...]:
        """The advice on units that need work now."""
        return tuple(advice for advice in self.advice if advice.needs_work)

    def save(self, folder: str | Path, *, change: PlanChange | None = None) -> dict[str, Any]:
        """Write report.html, metrics.json, policy.parquet and the solution; return the metrics.

        The folder is whole or not there; `change` is what an update changed, for the report.
        """
        from sparing.report.plan_files import save_plan

        return save_plan(self, folder, change=change)

    def __str__(self) -> str:
        """How many units need work, what the plan costs, and how that was found."""
        lower, upper = self.solution.lower, self.solution.upper
        return (
            f"{self.problem.name}: {len(self.to_do)} of {len(self.advice)} units need work;"
            f" objective [{lower:.9g}, {upper:.9g}]; {self.method.reason}"
        )


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
    progress: Progress | None = None,
) -> MaintenancePlan:
    """Make the plan by estimates that are known; parameters and errors as of `make_plan`."""
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
    return judged_plan(source, estimates, problem, solution, method, progress=progress)


def judged_plan(
    source: PlanInput,
    estimates: Estimates,
    problem: MultiComponentProblem,
    solution: Solution | LargeSolution,
    method: Method,
    *,
    expected: Mapping[str, float] | None = None,
    progress: Progress | None = None,
) -> MaintenancePlan:
    """Return a plan by the policy of `solution`: advice, other policies, robustness, scores.

    Parameters
    ----------
    expected
        What periods are scored against; default what the policy comes to in `problem`.
    """
    policy = solution.policy
    notes = [solution.message] if solution.message else []
    expected = expected_measures(problem, solution) if expected is None else expected
    _tell(progress, "compare", 0, 1)
    rows: Mapping[str, PolicyRow]
    today: PolicyRow | None
    if method.is_exact and problem.num_states <= COMPARED_STATES:
        rows, today = policy_rows(problem, refused=notes), _today(source, problem, notes)
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
        advice=_advice(source, problem, policy),
        rows=rows,
        today=today,
        robustness=found,
        remarks=tuple(notes),
        expected=expected,
        scores=PeriodRecords(source, problem).scores(source.scoring.targets(expected)),
        spares=plan_of_spares(source, progress),
    )


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


def plan_of_spares(source: PlanInput, progress: Progress | None) -> SparesPlan | None:
    """Return the plan of the stocks, where there are any."""
    if source.spares is None:
        return None
    from sparing.planning.spares_plan import make_spares_plan

    return make_spares_plan(source.spares, progress=progress)


def _tell(progress: Progress | None, stage: str, done: int, total: int) -> None:
    if progress is not None:
        progress(stage, done, total)


def current_states(
    source: PlanInput,
) -> dict[str, tuple[tuple[int | None, ...], tuple[float | None, ...]]]:
    """Return per unit the last state on record of each component, and when that was."""
    position = {component.name: i for i, component in enumerate(source.components)}
    renewals = {component.name: component.renewals for component in source.components}
    events = [
        (float(time), 0, unit, name, int(state))
        for unit, name, time, state in zip(
            source.inspections.unit,
            source.inspections.component,
            source.inspections.time,
            source.inspections.state,
            strict=True,
        )
    ]
    if source.maintenance is not None:
        done = source.maintenance
        events += [
            (float(time), 1, unit, name, 0)
            for unit, name, time, action in zip(
                done.unit, done.component, done.time, done.action, strict=True
            )
            if action in renewals[name]
        ]
    nothing = (None,) * len(position)
    states = dict[str, list[int | None]]()
    seen = dict[str, list[float | None]]()
    for time, _, unit, name, state in sorted(events):
        states.setdefault(unit, list(nothing))[position[name]] = state
        seen.setdefault(unit, list(nothing))[position[name]] = time
    return {unit: (tuple(states[unit]), tuple(seen[unit])) for unit in sorted(states)}


def _advice(
    source: PlanInput, problem: MultiComponentProblem, policy: object
) -> tuple[UnitAdvice, ...]:
    current = current_states(source)
    if not current:
        return ()
    known = np.array([[s or 0 for s in states] for states, _ in current.values()], dtype=np.int32)
    actions = actions_of(problem, policy, known)  # type: ignore[arg-type]
    return tuple(
        UnitAdvice(unit=unit, states=states, seen=seen, action=action)
        for (unit, (states, seen)), action in zip(current.items(), actions, strict=True)
    )


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


def _today(
    source: PlanInput, problem: MultiComponentProblem, remarks: list[str]
) -> PolicyRow | None:
    """Return the control limits that the maintenance records come closest to."""
    if source.maintenance is None:
        remarks.append("No maintenance records: today's policy is not known.")
        return None
    limits = observed_limits(source)
    average = replace(problem, criterion="average", discount=1.0)
    try:
        policy = control_limits(average, limits, result="new")  # renewals are what counts
        name = f"today: control limits {','.join(map(str, limits))}"
        return policy_row(average, policy, key="today", name=name)
    except ValueError as error:
        remarks.append(f"Today's policy is left out: {error}")
        return None
