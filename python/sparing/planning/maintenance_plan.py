"""A plan of maintenance, with all it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparing.evaluate.policy_comparison import PolicyRow
from sparing.exact.solution import Solution
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.advice import UnitAdvice, work_words
from sparing.planning.estimation import Estimates
from sparing.planning.folder import PlanInput
from sparing.planning.large import LargeSolution
from sparing.planning.method import Method
from sparing.planning.robustness import Robustness
from sparing.planning.scoring import PeriodScore

if TYPE_CHECKING:
    from sparing.planning.plan_change import PlanChange
    from sparing.planning.spares_change import SparesChange
    from sparing.planning.spares_plan import SparesPlan


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

    def work(self, advice: UnitAdvice) -> str:
        """Return what is to be done with a unit in words, empty if nothing."""
        return work_words(self.source.components, advice.states, advice.action)

    def save(
        self, folder: str | Path, *, change: PlanChange | SparesChange | None = None
    ) -> dict[str, Any]:
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
