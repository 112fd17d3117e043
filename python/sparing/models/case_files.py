"""Case files: a problem as TOML, read with errors that name the place, and written back."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

import tomli_w

from sparing._checks import check_number
from sparing._files import write_atomically
from sparing.models.case_spares import spares_of_table, table_of_spare
from sparing.models.file_tables import Table
from sparing.models.file_tables import check_keys as _check_keys
from sparing.models.file_tables import flag as _flag
from sparing.models.file_tables import matrix as _matrix
from sparing.models.file_tables import section as _section
from sparing.models.file_tables import text as _text
from sparing.models.hidden import HiddenProblem
from sparing.models.hidden_files import hidden_problem, hidden_table
from sparing.models.load_sharing import LoadSharingProblem
from sparing.models.load_sharing_files import load_sharing_problem, load_sharing_table
from sparing.models.multi_component import Component, Goal, MultiComponentProblem
from sparing.models.spares_network import SparesNetwork
from sparing.models.spares_network_files import spares_network, spares_network_table

Problem: TypeAlias = MultiComponentProblem | LoadSharingProblem | HiddenProblem | SparesNetwork
RATIONING_CASES = ("dropship.toml",)  # read by sparing.ration.case_files


class CaseError(ValueError):
    """A case that cannot be read; the message names file, place, value and rule."""


def built_in_cases() -> list[str]:
    """Return the names of the built-in cases, those of order rationing left aside."""
    folder = resources.files("sparing") / "cases"
    return sorted(
        f.name.removesuffix(".toml")
        for f in folder.iterdir()
        if f.name.endswith(".toml") and f.name not in RATIONING_CASES
    )


def load_case(path_or_name: str | Path) -> Any:
    """Return the problem of a built-in case or of a TOML file.

    Raises
    ------
    CaseError
        If there is no such case or file, or its content breaks a rule.
    """
    name = str(path_or_name)
    if name.endswith(".pomdp"):
        from sparing.beliefs.pomdp_files import load_pomdp

        return load_pomdp(name)
    if name in built_in_cases():
        text = (resources.files("sparing") / "cases" / f"{name}.toml").read_text(encoding="utf-8")
    else:
        text = _read(Path(name))
    try:
        return problem_from_table(_parsed(text), name=Path(name).stem)
    except ValueError as error:
        raise CaseError(f"{name}: {error}") from None


def problem_from_table(table: Table, *, name: str) -> Problem:
    """Return the problem that a parsed case file describes."""
    system = _section(table, "system")
    kind = system.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"[system] kind must be one of {sorted(KINDS)}; got {kind!r}.")
    return KINDS[kind](table, name)


def save_case(problem: Problem, path: str | Path) -> None:
    """Write `problem` as a case file that loads to an equal problem."""
    write_atomically(Path(path), tomli_w.dumps(table_of_problem(problem)))


def table_of_problem(problem: Problem) -> dict[str, Any]:
    """Return the content of the case file of `problem`."""
    if isinstance(problem, LoadSharingProblem):
        return load_sharing_table(problem)
    if isinstance(problem, HiddenProblem):
        return hidden_table(problem)
    if isinstance(problem, SparesNetwork):
        return spares_network_table(problem)
    system: dict[str, Any] = {
        "kind": "multi-component",
        "structure": problem.structure,
        "setup_cost": problem.setup_cost,
        "downtime_cost": problem.downtime_cost,
    }
    if problem.result != "chosen":
        system["result"] = problem.result
    if problem.restore_when_down:
        system["restore_when_down"] = True
    components = []
    for component in problem.components:
        entry: dict[str, Any] = {
            "name": component.name,
            "transition": component.transition.tolist(),
            "maintenance_cost": component.maintenance_cost.tolist(),
        }
        if component.criteria:
            entry["criteria"] = {kind: m.tolist() for kind, m in component.criteria.items()}
        components.append(entry)
    objective: dict[str, Any] = {"criterion": problem.criterion}
    if problem.criterion == "discounted":
        objective["discount"] = problem.discount
    for measure, goal in problem.goals.items():
        fields = ("weight", "goal", "scale", "at_least", "at_most")
        values = {field: getattr(goal, field) for field in fields}
        objective[measure] = {field: v for field, v in values.items() if v is not None}
    table: dict[str, Any] = {"system": system, "component": components}
    if problem.spares:
        table["spare"] = [table_of_spare(spare) for spare in problem.spares]
    return {**table, "objective": objective}


def _multi_component(table: Table, name: str) -> MultiComponentProblem:
    _check_keys(table, {"system", "component", "spare", "objective"}, "the file")
    system = _section(table, "system")
    allowed = {"kind", "structure", "setup_cost", "downtime_cost", "result", "restore_when_down"}
    _check_keys(system, allowed, "[system]")
    entries = table.get("component")
    if not isinstance(entries, list) or not entries:
        raise ValueError("[[component]] is missing: a system needs at least one component.")
    problem = MultiComponentProblem(
        components=tuple(_component(entry, i) for i, entry in enumerate(entries)),
        structure=_text(system, "structure", "[system]"),
        setup_cost=check_number("[system] setup_cost", system.get("setup_cost", 0.0)),
        downtime_cost=check_number("[system] downtime_cost", system.get("downtime_cost", 0.0)),
        result=system.get("result", "chosen"),
        restore_when_down=_flag(system, "restore_when_down", "[system]"),
        spares=spares_of_table(table),
        name=name,
    )
    return replace(problem, **_objective(table))


def _component(entry: Any, position: int) -> Component:
    place = f"[[component]] number {position + 1}"
    if not isinstance(entry, dict):
        raise ValueError(f"{place} must be a table.")
    name = _text(entry, "name", place)
    place = f"component {name!r}"
    _check_keys(entry, {"name", "transition", "maintenance_cost", "criteria"}, place)
    criteria = entry.get("criteria", {})
    if not isinstance(criteria, dict):
        raise ValueError(f"{place}: criteria must be a table of matrices.")
    return Component(
        name=name,
        transition=_matrix(entry, "transition", place),
        maintenance_cost=_matrix(entry, "maintenance_cost", place),
        criteria={kind: _matrix(criteria, kind, f"{place}: criteria") for kind in criteria},
    )


def _objective(table: Table) -> dict[str, Any]:
    objective = _section(table, "objective") if "objective" in table else {}
    criterion = objective.get("criterion", "average")
    fields: dict[str, Any] = {"criterion": criterion}
    if criterion == "discounted" and "discount" not in objective:
        raise ValueError("[objective] discount is missing: a discounted criterion needs it.")
    if "discount" in objective:
        fields["discount"] = check_number("[objective] discount", objective["discount"])
    goals = {}
    for measure, entry in objective.items():
        if measure in ("criterion", "discount"):
            continue
        place = f"[objective] {measure}"
        if not isinstance(entry, dict):
            raise ValueError(f"{place} must be a table such as {{ weight = 1.0, goal = 0.5 }}.")
        _check_keys(entry, {"weight", "goal", "scale", "at_least", "at_most"}, place)
        try:
            goals[measure] = Goal(**{k: check_number(k, v) for k, v in entry.items()})
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
    return {**fields, "goals": goals}


KINDS: dict[str, Callable[[Table, str], Problem]] = {
    "hidden-multi-component": hidden_problem,
    "load-sharing": load_sharing_problem,
    "multi-component": _multi_component,
    "spares-network": spares_network,
}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CaseError(
            f"{path}: no such file or built-in case; built in: {', '.join(built_in_cases())}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: cannot be read: {error}.") from None


def _parsed(text: str) -> Table:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not valid TOML: {error}.") from None
