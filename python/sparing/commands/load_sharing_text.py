"""What the commands print of load-sharing systems: the problem, a decision, the choices."""

from __future__ import annotations

from typing import Any

from sparing.commands.output import number, print_table
from sparing.evaluate.sizing import SizingSolution
from sparing.models.load_sharing import IntervalRange, LoadSharingProblem
from sparing.models.load_sharing_system import LoadSharingSystem

NUM_COLUMNS = 9  # intervals beside each other in a table


def case_row(case: str, problem: LoadSharingProblem) -> dict[str, Any]:
    """Return the row of `sparing cases`."""
    return {
        "case": case,
        "kind": "load-sharing",
        "states": max(problem.num_states(size) for size in problem.positions),
        "components": max(problem.positions),
        "structure": f"{problem.required}-of-{sizes_text(problem)}, load shared",
        "criterion": "average",
        "measures": [*LoadSharingSystem(problem, problem.positions[0], 1.0).measures],
        "goals": [],
    }


def summary(problem: LoadSharingProblem) -> str:
    """Return one line on what kind of problem this is."""
    intervals = problem.inspection_interval
    if isinstance(intervals, IntervalRange):
        when = f"inspected every {intervals.shortest:g} to {intervals.longest:g}"
    elif len(intervals) == 1:
        when = f"inspected every {intervals[0]:g}"
    else:
        when = f"{len(intervals)} inspection intervals"
    states = max(problem.num_states(size) for size in problem.positions)
    structure = f"{problem.required}-of-{sizes_text(problem)} sharing a load"
    return f"{structure}, {when}, up to {states:,} states"


def sizes_text(problem: LoadSharingProblem) -> str:
    """Return the sizes to choose from, as 3 or {2,3}."""
    sizes = problem.positions
    if len(sizes) == 1:
        return str(sizes[0])
    return "{" + ",".join(map(str, sizes)) + "}"


def decision_text(done: dict[str, Any]) -> str:
    """Return a decision in words."""
    parts = []
    if done["replace"]:
        parts.append(f"replace {done['replace']}")
    if done["order"]:
        parts.append(f"order {done['order']}")
    return ", ".join(parts) or "do nothing"


def print_choices(found: SizingSolution) -> None:
    """Print the optimal cost of every listed size and interval."""
    intervals = sorted({cell.inspection_interval for cell in found.cells})
    gains = {(cell.positions, cell.inspection_interval): cell.gain for cell in found.cells}
    blocks = -(-len(intervals) // NUM_COLUMNS)
    columns = -(-len(intervals) // blocks)
    for first in range(0, len(intervals), columns):
        shown = intervals[first : first + columns]
        rows = [
            [str(size), *(number(gains[size, interval], 7) for interval in shown)]
            for size in found.problem.positions
        ]
        title = "least cost by positions and inspection interval" if first == 0 else ""
        print_table(["", *(f"{interval:g}" for interval in shown)], rows, title=title)
