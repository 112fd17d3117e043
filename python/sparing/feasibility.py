"""Which states allow an action: a Boolean backward sweep to a fixed point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sparing.epoch import Epoch, Node


def check_every_state_has_an_action(epoch: Epoch) -> None:
    """Raise if some state at the start of `epoch` allows no action, naming the state."""
    if not any(_may_forbid(node) for node in epoch.nodes):
        return


def _may_forbid(node: Node) -> bool:
    """Whether `node` can leave a state without anything allowed."""
    from sparing.epoch import Branch, Cost

    if isinstance(node, Cost):
        return bool(np.isinf(node.values).any())
    if isinstance(node, Branch):
        return all(any(_may_forbid(n) for n in a.nodes) for a in node.alternatives)
    return bool((np.diff(node.table.indptr) == 0).any())
