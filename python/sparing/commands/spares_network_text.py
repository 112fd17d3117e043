"""What the commands print of spares networks: the problem and a decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparing.evaluate.network_plan import largest_states
from sparing.models.spares_network import SparesNetwork

FORMAT = "sparing-network-solution-1"


def case_row(case: str, problem: SparesNetwork) -> dict[str, Any]:
    """Return the row of `sparing cases`."""
    from sparing.evaluate.network_measures import COST_KINDS

    return {
        "case": case,
        "kind": "spares-network",
        "states": largest_states(problem),
        "components": len(problem.locations),
        "structure": structure(problem),
        "criterion": "total",
        "measures": [*COST_KINDS, "sla"],
        "goals": [],
    }


def structure(problem: SparesNetwork) -> str:
    """Return the network in a few words."""
    sites = sum(
        any(part.locations[i].is_site for part in problem.parts)
        for i in range(len(problem.locations))
    )
    above = len(problem.locations) - sites
    return f"{above} stores above {sites} sites, {len(problem.parts)} part types"


def summary(problem: SparesNetwork) -> str:
    """Return one line on what kind of problem this is."""
    states = largest_states(problem)
    return f"{structure(problem)}, {problem.periods} periods, up to {states:,} states a period"


def decision_text(decision: Mapping[str, Any]) -> str:
    """Return quantities by location (or by part and location) in words."""
    parts = []
    for name, value in decision.items():
        if isinstance(value, Mapping):
            parts.append(f"{name}: {decision_text(value)}")
        elif value:
            parts.append(f"{value} at {name}")
    separator = "; " if any(isinstance(v, Mapping) for v in decision.values()) else ", "
    return separator.join(parts) or "order nothing"
