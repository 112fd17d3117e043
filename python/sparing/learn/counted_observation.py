"""What rollouts are told of the features of `sparing.learn.typed_counts`."""

from __future__ import annotations

import numpy as np

from sparing import _core
from sparing.forward import ForwardProgram
from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.typed_counts import EXACT_PARTS, TypedCounts
from sparing.models.structure import Structure

CountedNode = tuple[int, list[int], list[int]]  # required, components, nodes before it


def hand_over_counts(
    plan: _core.RolloutPlan, environment: EpochEnvironment, program: ForwardProgram, *, first: int
) -> None:
    """Let the network of `plan` see counts; a point's place is its code less `first`.

    Points at which there is only one choice are never asked, and left as they are.
    """
    encoder = environment.encoder
    assert isinstance(encoder, TypedCounts)
    components = [
        (program.slots[name], int(kind), working.tolist(), survival.tolist())
        for name, kind, working, survival in zip(
            encoder.names, encoder.type_of, encoder.working, encoder.survival, strict=True
        )
    ]
    points = [
        (point.pc - first, int(encoder.component[number]), int(encoder.sort[number]))
        for number, point in enumerate(environment.points)
    ]
    plan.observe_counts(
        int(encoder.sort.max()) + 1,
        encoder.num_states,
        EXACT_PARTS,
        (1.0 / np.bincount(encoder.type_of)).tolist(),
        components,
        counted_nodes(encoder.structure, encoder.names),
        points,
    )


def counted_nodes(structure: Structure, names: list[str]) -> list[CountedNode]:
    """Return the nodes of a structure that have parts, each behind those inside it.

    The order is that in which `TypedCounts` appends their margins.
    """
    if structure.component:
        return []
    found: list[CountedNode] = []
    components, nodes = list[int](), list[int]()
    for part in structure.parts:
        if part.component:
            components.append(names.index(part.component))
            continue
        inner = counted_nodes(part, names)
        shifted = [(k, held, [n + len(found) for n in within]) for k, held, within in inner]
        found += shifted
        nodes.append(len(found) - 1)
    return [*found, (structure.required, components, nodes)]
