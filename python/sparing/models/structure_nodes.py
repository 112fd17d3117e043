"""The cost of a structure's state for systems of any size: parts are counted, not listed.

A table over all combinations of working components doubles with each component. Beyond a few
dozen, moves on temporary axes count the working parts of one node of the structure after another.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sparing.models.structure import Structure
from sparing.nodes import Axis, Chance, Cost, Node
from sparing.table import Table

LARGEST_TABLE = 20  # components up to which all combinations are listed in one Cost


def counted_structure_cost(
    structure: Structure,
    groups: Mapping[str, NDArray[np.int64]],
    up: float,
    down: float,
    kind: str,
) -> list[Node]:
    """Return nodes that pay `up` where the structure works and `down` where it does not.

    Parameters
    ----------
    groups
        Per component 1 for the states in which it works, 0 for the others.
    """
    nodes, count, required = _counted(structure, groups, f"{kind}: working parts")
    works = np.arange(count.size) >= required
    return [
        *nodes,
        Cost(count.name, np.where(works, up, down), kind, name=kind),
        Chance(count.name, Table.moves(np.zeros(count.size)), to=(), name=f"forget {count.name}"),
    ]


def _counted(
    structure: Structure, groups: Mapping[str, NDArray[np.int64]], name: str
) -> tuple[list[Node], Axis, int]:
    """Return nodes that count the working parts on a new axis, the axis, and how many it takes."""
    parts = (structure,) if structure.component else structure.parts
    count = Axis(name, len(parts) + 1)
    nodes: list[Node] = [Chance((), Table.moves([0]), to=count, name=f"begin {name}")]
    for number, part in enumerate(parts):
        label = f"count part {number} of {name}"
        if part.component:
            moves = Table.moves(_added(groups[part.component], count.size))
            nodes.append(Chance(name, moves, context=part.component, name=label))
            continue
        inner, below, required = _counted(part, groups, f"{name}.{number}")
        works = (np.arange(below.size) >= required).astype(np.int64)
        moves = Table.moves(_added(works, count.size))
        nodes += [*inner, Chance((below.name, name), moves, to=count.name, name=label)]
    return nodes, count, 1 if structure.component else structure.required


def _added(works: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the count [states, size], flat, after a part that works in some of its states."""
    return np.minimum(np.add.outer(works, np.arange(size)), size - 1).ravel()
