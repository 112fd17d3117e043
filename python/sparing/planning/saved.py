"""The policy of a saved plan, exact or of a large problem."""

from __future__ import annotations

from pathlib import Path

from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.large_files import is_large, load_large
from sparing.policies import Policy
from sparing.saved_solution import load_solution


def load_planned(folder: str | Path) -> tuple[MultiComponentProblem, Policy]:
    """Read the problem and the policy that a plan saved in its folder `solution`.

    Raises
    ------
    ValueError
        If there is none of a problem of this kind.
    """
    if is_large(Path(folder)):
        return load_large(folder)
    saved = load_solution(folder)
    if not isinstance(saved.problem, MultiComponentProblem):
        raise ValueError(f"{folder}: holds no problem of kind 'multi-component'.")
    return saved.problem, saved.policy
