"""Case files: a problem as TOML, read with errors that name the place, and written back."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from sparing._checks import check_number
from sparing._files import write_atomically
from sparing.models.multi_component import Component, Goal, MultiComponentProblem

Table = Mapping[str, Any]
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


def load_case(path_or_name: str | Path) -> MultiComponentProblem:
    """Return the problem of a built-in case or of a TOML file.

    Raises
    ------
    CaseError
        If there is no such case or file, or its content breaks a rule.
    """
    name = str(path_or_name)
    if name in built_in_cases():
        text = (resources.files("sparing") / "cases" / f"{name}.toml").read_text(encoding="utf-8")
    else:
        text = _read(Path(name))
    try:
        return problem_from_table(_parsed(text), name=Path(name).stem)
    except ValueError as error:
        raise CaseError(f"{name}: {error}") from None


def problem_from_table(table: Table, *, name: str) -> MultiComponentProblem:
    """Return the problem that a parsed case file describes."""
    system = _section(table, "system")
    kind = system.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"[system] kind must be one of {sorted(KINDS)}; got {kind!r}.")
    return KINDS[kind](table, name)


def save_case(problem: MultiComponentProblem, path: str | Path) -> None:
    """Write `problem` as a case file that loads to an equal problem."""
    write_atomically(Path(path), tomli_w.dumps(table_of_problem(problem)))


def table_of_problem(problem: MultiComponentProblem) -> dict[str, Any]:
    """Return the content of the case file of `problem`."""
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
    return {"system": system, "component": components, "objective": objective}


def _multi_component(table: Table, name: str) -> MultiComponentProblem:
    _check_keys(table, {"system", "component", "objective"}, "the file")
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


KINDS: dict[str, Callable[[Table, str], MultiComponentProblem]] = {
    "multi-component": _multi_component
}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
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


def _section(table: Table, key: str) -> Table:
    section = table.get(key)
    if not isinstance(section, dict):
        raise ValueError(f"[{key}] is missing.")
    return section


def _check_keys(table: Table, known: set[str], place: str) -> None:
    for key in table:
        if key not in known:
            raise ValueError(f"{place}: unknown key {key!r}; known: {', '.join(sorted(known))}.")


def _text(table: Table, key: str, place: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        found = "is missing" if value is None else f"must be a text; got {value!r}"
        raise ValueError(f"{place}: {key} {found}.")
    return value


def _flag(table: Table, key: str, place: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{place}: {key} must be true or false; got {value!r}.")
    return value


def _matrix(table: Table, key: str, place: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    rows = table.get(key)
    if rows is None:
        raise ValueError(f"{place}: {key} is missing.")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        raise ValueError(f"{place}: {key} must be a list of one row or more.")
    lengths = {len(row) for row in rows}
    if len(lengths) != 1:
        raise ValueError(f"{place}: the rows of {key} differ in length: {sorted(lengths)}.")
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{place}: {key}[{i}][{j}] must be a number; got {value!r}.")
    return np.array(rows, dtype=np.float64)
