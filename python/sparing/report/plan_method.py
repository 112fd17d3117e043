"""How a plan's policy was found, and what its figures are: bounds, or an interval."""

from __future__ import annotations

from sparing.planning.large import LargeSolution
from sparing.planning.maintenance_plan import MaintenancePlan
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
                f"{found.objective.value:.6g}",
                f"{(found.objective.upper - found.objective.lower) / 2.0:.2g}",
                "recommended" if key == solution.chosen else "",
            ]
            for key, found in solution.candidates.items()
        ]
        parts.append(html.table(["policy", "objective", "+- (95 %)", ""], rows, marked=3))
        parts.append(html.paragraph(gap_words(solution)))
    return html.section("How the policy was found", *parts)


def gap_words(solution: LargeSolution) -> str:
    """Return how far the recommended policy may be from the optimum."""
    lower = solution.optimum_lower
    if lower is None:
        return "No lower bound of the optimum is known for it."
    words = f"The optimum is certainly not below {lower:.6g}"
    if solution.gap is None:
        return words + "."
    return words + f", so the recommended policy is at most {solution.gap:.1%} above it."
