"""How a plan's policy was found, and what its figures are: bounds, or an interval."""

from __future__ import annotations

from sparing.planning.large import LargeSolution
from sparing.planning.planning import MaintenancePlan
from sparing.report import html


def objective_paragraph(plan: MaintenancePlan) -> str:
    """Return what the recommended policy comes to, with its certificate."""
    solution = plan.solution
    objective = (solution.lower + solution.upper) / 2.0
    if isinstance(solution, LargeSolution):
        how = f"simulated; between {solution.lower:.6g} and {solution.upper:.6g} with 95 %"
    elif solution.path == "kept":
        how = f"that of the kept policy, between {solution.lower:.9g} and {solution.upper:.9g}"
    else:
        how = f"certified between {solution.lower:.9g} and {solution.upper:.9g}"
    return html.paragraph(
        f"The recommended policy has an objective of {objective:,.6g} ({solution.criterion};"
        f" {how}, for the estimated wear)."
    )


def method_section(plan: MaintenancePlan) -> str:
    """Return how the policy was found and why so; of a large problem, all that was tried."""
    reason = plan.method.reason
    parts = [html.paragraph(reason[0].upper() + reason[1:])]
    solution = plan.solution
    if isinstance(solution, LargeSolution):
        rows = [
            [
                found.name,
                f"{found.result.objective:.6g}",
                f"{found.result.half_width:.2g}",
                "recommended" if key == solution.chosen else "",
            ]
            for key, found in solution.candidates.items()
        ]
        parts.append(html.table(["policy", "objective", "+- (95 %)", ""], rows, marked=3))
    return html.section("How the policy was found", *parts)
