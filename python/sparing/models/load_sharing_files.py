"""Load-sharing problems as tables of a case file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sparing.models.file_tables import check_keys, matrix, section
from sparing.models.load_sharing import IntervalRange, LoadSharingCosts, LoadSharingProblem

Table = Mapping[str, Any]
_SYSTEM = {"load_exponent", "load_law", "replacement", "clock", "time_step"}
_SPARES = {"capacity", "delivery_rate", "lead_time"}
_COSTS = {field.name for field in fields(LoadSharingCosts)}


def load_sharing_problem(table: Table, name: str) -> LoadSharingProblem:
    """Return the problem that a parsed case file of kind "load-sharing" describes."""
    check_keys(table, {"system", "component", "spares", "cost"}, "the file")
    system, component = section(table, "system"), section(table, "component")
    spares = section(table, "spares") if "spares" in table else {}
    cost = section(table, "cost") if "cost" in table else {}
    needed = {"required", "positions", "inspection_interval"}
    check_keys(system, {"kind", *needed, *_SYSTEM}, "[system]")
    check_keys(component, {"rates"}, "[component]")
    check_keys(spares, _SPARES, "[spares]")
    check_keys(cost, _COSTS, "[cost]")
    for key in ("required", "positions", "inspection_interval"):
        if key not in system:
            raise ValueError(f"[system] {key} is missing.")
    for key, value in system.items():
        if isinstance(value, dict) and key != "inspection_interval":
            raise ValueError(f"[system] {key} must not be a table.")
    return LoadSharingProblem(
        required=system["required"],
        positions=system["positions"],
        inspection_interval=_interval(system["inspection_interval"]),
        rates=matrix(component, "rates", "[component]"),
        cost=LoadSharingCosts(**cost),
        name=name,
        **{key: system[key] for key in _SYSTEM if key in system},
        **spares,
    )


def _interval(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    check_keys(given, {"from", "to", "tolerance"}, "[system] inspection_interval")
    for key in ("from", "to"):
        if key not in given:
            raise ValueError(f"[system] inspection_interval: {key!r} is missing.")
    optional = {"tolerance": given["tolerance"]} if "tolerance" in given else {}
    return IntervalRange(shortest=given["from"], longest=given["to"], **optional)


def load_sharing_table(problem: LoadSharingProblem) -> dict[str, Any]:
    """Return the content of the case file of `problem`."""
    interval: Any = problem.inspection_interval
    if isinstance(interval, IntervalRange):
        interval = {
            "from": interval.shortest,
            "to": interval.longest,
            "tolerance": interval.tolerance,
        }
    else:
        interval = list(interval)
    spares: dict[str, Any] = {"capacity": problem.capacity}
    for key in ("delivery_rate", "lead_time"):
        if getattr(problem, key) is not None:
            spares[key] = getattr(problem, key)
    steps = {} if problem.time_step is None else {"time_step": problem.time_step}
    return {
        "system": {
            "kind": "load-sharing",
            "required": problem.required,
            "positions": list(problem.positions),
            "inspection_interval": interval,
            "load_law": problem.load_law,
            "load_exponent": problem.load_exponent,
            "replacement": problem.replacement,
            "clock": problem.clock,
            **steps,
        },
        "component": {"rates": problem.rates.tolist()},
        "spares": spares,
        "cost": {name: float(getattr(problem.cost, name)) for name in sorted(_COSTS)},
    }
