"""sparing cases: what is built in."""

from __future__ import annotations

from sparing.commands.output import one_line_errors, print_json, print_table
from sparing.commands.problems import JsonOption
from sparing.records import hydro_spares


def cases(json: JsonOption = False) -> None:
    """List the built-in cases."""
    from sparing.models.case_files import built_in_cases, load_case

    with one_line_errors():
        found = []
        for name in built_in_cases():
            problem = load_case(name)
            found.append(
                {
                    "case": name,
                    "kind": "multi-component",
                    "states": problem.num_states,
                    "components": len(problem.components),
                    "structure": problem.structure,
                    "criterion": problem.criterion,
                    "measures": [*problem.measures],
                    "goals": [*problem.goals],
                }
            )
    records = [{"case": hydro_spares.NAME, "kind": "defect records", "for": "forecast, compare"}]
    if json:
        print_json({"cases": found, "records": records})
        return
    columns = ["case", "kind", "structure", "states", "components"]
    print_table(columns, [[str(case[key]) for key in columns] for case in found], left=3)
    print(f" {hydro_spares.NAME} (defect records): for sparing forecast and sparing compare")
