"""sparing cases: what is built in."""

from __future__ import annotations

from typing import Any

from sparing.commands.output import one_line_errors, print_json, print_table
from sparing.commands.problems import JsonOption, multi_component
from sparing.ration.case_files import BUILT_IN, KIND, load_dropship
from sparing.records import hydro_spares
from sparing.registry import command_face

HUGE = 10**12  # states that no solve will list


def _dropship_row(name: str) -> dict[str, Any]:
    case = load_dropship(name)
    return {
        "case": name,
        "kind": KIND,
        "structure": f"{case.num_skus} SKUs, {case.orders_per_day} orders a day",
        "states": "",
        "components": "",
    }


def _shown(value: Any) -> str:
    is_huge = isinstance(value, int) and value >= HUGE
    return f"1e{len(str(value)) - 1}" if is_huge else str(value)


def cases(json: JsonOption = False) -> None:
    """List the built-in cases."""
    from sparing.models.case_files import built_in_cases, load_case

    with one_line_errors():
        found = []
        for name in built_in_cases():
            problem = load_case(name)
            face = command_face(problem)
            if face is not None:
                found.append(face.case_row(name, problem))
                continue
            problem = multi_component(problem)
            found.append(
                {
                    "case": name,
                    "kind": "multi-component",
                    "states": problem.num_states,
                    "components": len(problem.components),
                    "spares": [spare.name for spare in problem.spares],
                    "structure": problem.structure,
                    "criterion": problem.criterion,
                    "measures": [*problem.measures],
                    "goals": [*problem.goals],
                }
            )
        found += [_dropship_row(name) for name in BUILT_IN]
    records = [{"case": hydro_spares.NAME, "kind": "defect records", "for": "forecast, compare"}]
    if json:
        print_json({"cases": found, "records": records})
        return
    columns = ["case", "kind", "structure", "states", "components"]
    print_table(columns, [[_shown(case[key]) for key in columns] for case in found], left=3)
    print(f" {hydro_spares.NAME} (defect records): for sparing forecast and sparing compare")
