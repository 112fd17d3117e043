"""Which states allow an action: a Boolean backward sweep to a fixed point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparing._core import EpochProgram32, EpochProgram64
from sparing.nodes import Branch, Cost, Layout, Node

if TYPE_CHECKING:
    from sparing.epoch import Epoch


def check_every_state_has_an_action(epoch: Epoch) -> None:
    """Raise if some state at the start of `epoch` allows no action, naming the state.

    The value is 0 where something is allowed and +inf elsewhere. If a sweep from 0 everywhere
    loses no state, no further one does. If it loses some, an epoch that can follow itself is
    swept on to count those that can only lead to them.
    """
    if not any(may_forbid(node) for node in epoch.nodes):
        return
    from sparing.lowering import Lowering, size_of

    program = Lowering(epoch, {}, dtype=np.float32).program
    value = np.empty(epoch.num_states, dtype=np.float32)
    program.run(np.zeros(size_of(epoch.end_axes), dtype=np.float32), value, [])
    lost = np.flatnonzero(np.isinf(value))
    if not lost.size:
        return
    named, count = name_of_state(epoch.axes, int(lost[0])), lost.size
    if _shape(epoch.axes) == _shape(epoch.end_axes):
        count = _count_lost(program, value)
    others = f" ({count} states in all)" if count > 1 else ""
    raise ValueError(
        f"state {named} allows no action: every choice is forbidden (+inf or no entry) or may"
        f" lead to a state without one{others}."
    )


def name_of_state(axes: Layout, flat: int) -> str:
    """Return a flat state in words, e.g. ``(c1=3, c2=0)``."""
    index = np.unravel_index(flat, tuple(axis.size for axis in axes))
    parts = [
        f"{axis.name}={axis.labels[i] if axis.labels else int(i)}"
        for axis, i in zip(axes, index, strict=True)
    ]
    return f"({', '.join(parts)})"


def _count_lost(program: EpochProgram32 | EpochProgram64, value: NDArray[np.float32]) -> int:
    """Return how many states are lost for ever, from those that the first sweep finds."""
    before = np.zeros_like(value)
    while not np.array_equal(before, value):
        before, value = value, before
        program.run(before, value, [])
    return int(np.isinf(value).sum())


def _shape(layout: Layout) -> list[tuple[str, int]]:
    return [(axis.name, axis.size) for axis in layout]


def may_forbid(node: Node) -> bool:
    """Whether `node` can leave a state without anything allowed."""
    if isinstance(node, Cost):
        return bool(np.isinf(node.values).any())
    if isinstance(node, Branch):
        return all(any(may_forbid(n) for n in a.nodes) for a in node.alternatives)
    return bool((np.diff(node.table.indptr) == 0).any())
