"""How a command gets its problem."""

from __future__ import annotations

import difflib
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sparing.models.case_files import Problem, built_in_cases, load_case
from sparing.models.multi_component import MultiComponentProblem
from sparing.ration.case_files import is_dropship
from sparing.records import hydro_spares

CaseArgument = Annotated[
    str, typer.Argument(metavar="CASE|FILE", help="A built-in case, or a file (TOML or .pomdp).")
]
ThreadsOption = Annotated[
    int, typer.Option("--threads", min=0, help="Threads; 0: all processors. Changes no result.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class CriterionName(StrEnum):
    """What is minimised."""

    average = "average"
    discounted = "discounted"


def load_problem(case: str) -> Problem:
    """Return the problem of a case or file; a misspelt case gets suggestions."""
    if is_dropship(case):
        raise ValueError(
            f"{case}: an e-tailer, not a system to maintain; try sparing compare {case}."
        )
    known = built_in_cases()
    if case == hydro_spares.NAME:
        raise ValueError(f"{case} holds defect records; give it to sparing forecast or compare.")
    if case not in known and not Path(case).exists():
        near = difflib.get_close_matches(case, known, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"built in: {', '.join(known)}."
        raise ValueError(f"{case}: no such file or built-in case; {hint}")
    problem: Problem = load_case(case)
    return problem


def multi_component(problem: Problem) -> MultiComponentProblem:
    """Return `problem`, or raise where it is of a kind that the command is not for."""
    if not isinstance(problem, MultiComponentProblem):
        name = getattr(problem, "name", "a .pomdp file")
        raise ValueError(f"{name}: this command is for cases of kind 'multi-component'.")
    return problem


def with_criterion(
    problem: MultiComponentProblem, criterion: CriterionName | None, discount: float | None
) -> MultiComponentProblem:
    """Return `problem` under the criterion and discount asked for."""
    if criterion is None:
        criterion = CriterionName(problem.criterion if discount is None else "discounted")
    if criterion is CriterionName.average:
        if discount is not None:
            raise ValueError("--discount goes with --criterion discounted, not with average.")
        return replace(problem, criterion="average", discount=1.0)
    weight = problem.discount if discount is None else discount
    if not 0.0 < weight < 1.0:
        missing = discount is None and problem.criterion == "average"
        found = "the case has none" if missing else f"got {weight:g}"
        raise ValueError(f"--criterion discounted needs a --discount above 0 and below 1; {found}.")
    return replace(problem, criterion="discounted", discount=weight)


def summary(problem: MultiComponentProblem) -> str:
    """Return one line on what kind of problem this is."""
    count = len(problem.components)
    structure = problem.structure if len(problem.structure) <= 50 else problem.structure[:49] + "…"
    spares = f", spares {', '.join(s.name for s in problem.spares)}" if problem.spares else ""
    return f"{problem.num_states:,} states, {count} components, structure {structure}{spares}"
