"""Which components of a system may be exchanged: those of the same wear, costs and place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparing.models.multi_component import MultiComponentProblem
from sparing.models.structure import Structure


def component_types(problem: MultiComponentProblem) -> NDArray[np.int64]:
    """Return the type [components] of each component, numbered in the order of appearance."""
    places = component_places(problem)
    known: dict[object, int] = {}
    found = []
    for c in problem.components:
        arrays = (c.transition, c.maintenance_cost, *(c.criteria[k] for k in sorted(c.criteria)))
        key = (*(array.tobytes() for array in arrays), tuple(places[c.name]), tuple(c.criteria))
        found.append(known.setdefault(key, len(known)))
    return np.array(found)


def component_places(problem: MultiComponentProblem) -> dict[str, list[int]]:
    """Return per component the numbers of the structure's nodes that it is a part of.

    Nodes with parts are numbered by `structure_groups`.
    """
    places: dict[str, list[int]] = {name: [] for name in problem.names}
    for number, group in enumerate(structure_groups(problem.parsed_structure)):
        for part in group.parts:
            if part.component:
                places[part.component].append(number)
    return places


def structure_groups(structure: Structure) -> list[Structure]:
    """Return the nodes of a structure that have parts, each before those inside it."""
    if structure.component:
        structure = Structure(1, (structure,))
    inner = [part for part in structure.parts if not part.component]
    return [structure, *(group for part in inner for group in structure_groups(part))]
