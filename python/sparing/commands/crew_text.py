"""What the commands print of policies for many components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparing.commands.output import bounds_json, number, print_table

if TYPE_CHECKING:
    from sparing.large.crew_training import CrewResult, RatedPolicy
    from sparing.simulate.results import Difference

OPTIMUM_IS = (
    "between a certain lower bound and the upper end of the 95 % interval of the best policy"
)


def crew_json(result: CrewResult) -> dict[str, Any]:
    """Return what --json prints of a result."""
    return {
        "objective": bounds_json(result.objective),
        "objective_is": "exact" if result.solved else "a confidence interval of 95 %",
        "optimum": None if result.optimum is None else bounds_json(result.optimum),
        "optimum_is": "exact" if result.solved else OPTIMUM_IS,
        "gap": result.gap,
        "best": result.best.key,
        "policies": [_policy_json(rated) for rated in result.policies],
        "seconds": result.seconds,
    }


def _policy_json(rated: RatedPolicy) -> dict[str, Any]:
    difference = rated.difference
    return {
        "key": rated.key,
        "policy": rated.name,
        "tried": rated.num_tried,
        "objective": bounds_json(rated.objective),
        "less_limits": None if difference is None else difference_json(difference),
    }


def difference_json(difference: Difference) -> dict[str, float]:
    """Return a mean difference and half the width of its 95 % interval."""
    return {"mean": difference.mean, "half_width": difference.half_width}


def print_crew(result: CrewResult) -> None:
    """Print the policies, the bound and which policy is the better one."""
    rows = []
    for rated in result.policies:
        bounds, less = rated.objective, rated.difference
        rows.append(
            [
                rated.name,
                *(number(value, 6) for value in (bounds.value, bounds.lower, bounds.upper)),
                "" if less is None else f"{less.mean:+.2f} +- {less.half_width:.2f}",
            ]
        )
    if result.optimum is not None:
        lower, upper = result.optimum.lower, result.optimum.upper
        if result.solved:
            rows.append(
                ["optimum", *(number(v, 6) for v in (result.optimum.value, lower, upper)), ""]
            )
        else:
            rows.append(["no policy is below", "", number(lower, 6), "", ""])
    means = "exact bounds" if result.solved else "simulated, 95 % intervals, common draws"
    print_table(["minimised", "mean", "from", "to", "less limits"], rows, title=means)
    gap = "" if result.gap is None else f", at most {100.0 * result.gap:.2f} % above the optimum"
    print(f"\nthe better policy: {result.best.name}{gap}")
