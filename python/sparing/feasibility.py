"""Which states allow an action: a Boolean backward sweep to a fixed point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparing.nodes import Branch, Cost, Layout, Node

if TYPE_CHECKING:
    from sparing.epoch import Epoch


def check_every_state_has_an_action(epoch: Epoch) -> None:
    """Raise if some state at the start of `epoch` allows no action, naming the state.

    The value is 0 where something is allowed and +inf elsewhere. A state is lost if all it
    allows may lead to a lost one, so an epoch that repeats is swept to a fixed point.
    """
    if not any(_may_forbid(node) for node in epoch.nodes):
        return
    lost = np.flatnonzero(np.isinf(_swept_to_fixed_point(epoch)))
    if lost.size:
        named = name_of_state(epoch.axes, int(lost[0]))
        others = f" ({lost.size} states in all)" if lost.size > 1 else ""
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


def _swept_to_fixed_point(epoch: Epoch) -> NDArray[np.float32]:
    from sparing.lowering import Lowering, size_of

    program = Lowering(epoch, {}, dtype=np.float32).program
    end = np.zeros(size_of(epoch.end_axes), dtype=np.float32)
    start = np.zeros(epoch.num_states, dtype=np.float32)
    while True:
        program.run(end, start, [])
        if start.size != end.size or np.array_equal(start, end):
            return start
        end, start = start, end


def _may_forbid(node: Node) -> bool:
    """Whether `node` can leave a state without anything allowed."""
    if isinstance(node, Cost):
        return bool(np.isinf(node.values).any())
    if isinstance(node, Branch):
        return all(any(_may_forbid(n) for n in a.nodes) for a in node.alternatives)
    return bool((np.diff(node.table.indptr) == 0).any())
