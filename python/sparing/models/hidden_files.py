"""Hidden-degradation problems as tables of a case file, and back."""

from __future__ import annotations

from typing import Any

from sparing._checks import check_number
from sparing.models.file_tables import Table, check_keys, matrix, section, text
from sparing.models.hidden import HiddenComponent, HiddenProblem

KIND = "hidden-multi-component"


def hidden_problem(table: Table, name: str) -> HiddenProblem:
    """Return the problem that a parsed case file of kind "hidden-multi-component" describes."""
    check_keys(table, {"system", "component"}, "the file")
    system = section(table, "system")
    known = {"kind", "structure", "periods", "discount", "downtime_cost"}
    check_keys(system, known, "[system]")
    entries = table.get("component")
    if not isinstance(entries, list) or not entries:
        raise ValueError("[[component]] is missing: a system needs at least one component.")
    components = tuple(_component(entry, i) for i, entry in enumerate(entries))
    structure = text(system, "structure", "[system]")
    try:
        return HiddenProblem(
            components=components,
            structure=structure,
            downtime_cost=system.get("downtime_cost", 0.0),
            periods=system.get("periods"),
            discount=system.get("discount", 1.0),
            name=name,
        )
    except ValueError as error:
        raise ValueError(f"[system] {error}") from None


def _component(entry: Any, position: int) -> HiddenComponent:
    place = f"[[component]] number {position + 1}"
    if not isinstance(entry, dict):
        raise ValueError(f"{place} must be a table.")
    name = text(entry, "name", place)
    place = f"component {name!r}"
    check_keys(entry, {"name", "transition", "repair", "inspection"}, place)
    fields: dict[str, Any] = {}
    if "repair" in entry:
        repair = _table(entry, "repair", {"cost", "success"}, place)
        fields["repair_cost"] = check_number(f"{place}: repair cost", repair["cost"])
        fields["repair_success"] = check_number(
            f"{place}: repair success", repair.get("success", 1.0)
        )
    if "inspection" in entry:
        inspection = _table(entry, "inspection", {"cost", "observation"}, place)
        fields["inspection_cost"] = check_number(f"{place}: inspection cost", inspection["cost"])
        fields["observation"] = matrix(inspection, "observation", f"{place}: inspection")
    transition = matrix(entry, "transition", place)
    try:
        return HiddenComponent(name=name, transition=transition, **fields)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _table(entry: Table, key: str, known: set[str], place: str) -> Table:
    found = entry[key]
    if not isinstance(found, dict):
        raise ValueError(f"{place}: {key} must be a table such as {{ cost = 20.0, … }}.")
    check_keys(found, known, f"{place}: {key}")
    if "cost" not in found:
        raise ValueError(f"{place}: {key}: cost is missing.")
    return found


def hidden_table(problem: HiddenProblem) -> dict[str, Any]:
    """Return the content of the case file of `problem`."""
    system: dict[str, Any] = {"kind": KIND, "structure": problem.structure}
    if problem.periods is not None:
        system["periods"] = int(problem.periods)
    system |= {"discount": problem.discount, "downtime_cost": problem.downtime_cost}
    return {"system": system, "component": [_component_table(c) for c in problem.components]}


def _component_table(component: HiddenComponent) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": component.name, "transition": component.transition.tolist()}
    if component.repair_cost is not None:
        entry["repair"] = {"cost": component.repair_cost, "success": component.repair_success}
    if component.observation is not None:
        observation = component.observation.tolist()
        entry["inspection"] = {"cost": component.inspection_cost, "observation": observation}
    return entry
