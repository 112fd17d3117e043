"""Case files for tests of the command line."""

from pathlib import Path

import sparing
import tomli_w
from sparing.models.case_files import table_of_problem


def write_case(path: Path, name: str = "three-component", **objective) -> Path:
    """Write a built-in case with another objective to `path`."""
    table = table_of_problem(sparing.load(name))
    if objective:
        table["objective"] = objective
    path.write_text(tomli_w.dumps(table), encoding="utf-8")
    return path


def write_slow_case(path: Path, *, num_components: int = 5, wear: float = 5e-4) -> Path:
    """Write a case whose bounds come together only after thousands of sweeps."""
    inf = float("inf")
    names = [f"c{i}" for i in range(num_components)]
    components = []
    for i, name in enumerate(names):
        q = wear * (1 + i / 10)
        rows = [[1 - q, q, 0, 0], [0, 1 - q, q, 0], [0, 0, 1 - q, q], [0, 0, 0, 1]]
        cost = [[0, 0, 0, 0], [inf, 0, 0, 0], [inf, inf, 0, 0], [100.0 + i, inf, inf, 0]]
        rows = [[float(x) for x in row] for row in rows]
        cost = [[float(x) for x in row] for row in cost]
        components.append({"name": name, "transition": rows, "maintenance_cost": cost})
    system = {"kind": "multi-component", "structure": " & ".join(names)}
    system |= {"setup_cost": 20.0, "downtime_cost": 500.0}
    table = {"system": system, "component": components, "objective": {"criterion": "average"}}
    path.write_text(tomli_w.dumps(table), encoding="utf-8")
    return path
